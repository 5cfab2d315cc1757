// What may be the value of a variable.
//
// What     Types have CACAO's names. fits() says whether a JSON value is of a type, read_value()
//          makes one out of what a person or a program said: a list is a JSON array of texts, or
//          one item a line; a dictionary is a JSON object; other types are their text.
// Owns     Nothing.
// Threads  Pure.
// Errors   invalid, saying what the type asks for.
// Limits   FlowLimits::value_bytes_max, of the value as JSON.
// Source   CACAO Security Playbooks 2.0, section 10.18, for the types; RFC 3986 for URIs; RFC 9562
//          for UUIDs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "json/value.h"
#include "respond/flow.h"

namespace mailwarden::respond {

std::string_view to_string(flow::VariableType type);  // "ipv4-addr"
std::optional<flow::VariableType> parse_variable_type(std::string_view text);

// Null fits none.
Result<void> fits(const json::Value& value, flow::VariableType type);
Result<json::Value> read_value(std::string_view text, flow::VariableType type);
// What a step answered as a value of the type: as it is where it fits, else read out of its text.
// A number and a boolean may become the text that stands for them.
Result<json::Value> to_type(const json::Value& value, flow::VariableType type);

// Whether a value of the one type may turn out to be one of the other: a text may be an address,
// but no list is a number.
bool may_become(flow::VariableType from, flow::VariableType to);
// The same of what to_type() makes of it.
bool may_be_read_as(flow::VariableType from, flow::VariableType to);

// How a value stands in a text: a text as it is, a list with ", ", others as JSON.
std::string to_plain_text(const json::Value& value);

}  // namespace mailwarden::respond
