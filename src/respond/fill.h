// Variables in the texts of a playbook.
//
// What     ${name} in a text stands for a variable, ${$} for a dollar sign. fill() makes the
//          Operation that is done out of the one that stands in the playbook, each place with its
//          guard, since what log lines and programs said is an attacker's to choose:
//
//            argument   one argument whatever it holds; no control characters; where it begins with
//                       a variable it is neither empty nor an option. Exactly ${list}: an argument
//                       for each item.
//            URL        percent-encoded, dots and slashes too; the host holds no variable
//            header     no control characters
//            body, action's arguments   exactly ${name} keeps its JSON type; else a text
//            text       control characters are made visible
//
//          Receivers, the executable, the method, the names of headers, keys and actions hold no
//          variables.
// Owns     Nothing.
// Threads  Pure, as far as the lookup is.
// Errors   not_found: a variable without value. invalid: a value that must not stand there, or a
//          text that is malformed.
// Limits   FlowLimits::arguments_max, filled_bytes_max of everything in an operation together.
// Source   RFC 3986, section 2.3, for what a URL need not encode.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/value.h"
#include "respond/flow.h"

namespace mailwarden::respond {

inline constexpr std::size_t filled_bytes_max = 256 * 1024;

// The value of a variable; null where it has none.
using Lookup = std::function<json::Value(std::string_view name)>;
Lookup lookup_in(const json::Object& values);  // keeps its own copy

Result<flow::Operation> fill(const flow::Operation& operation, const Lookup& lookup);
// For people.
Result<std::string> fill_text(std::string_view text, const Lookup& lookup);
// As it is, where no person and no program reads it before it is compared: a switch's text.
Result<std::string> fill_exactly(std::string_view text, const Lookup& lookup);
// Texts within are filled in; a text that is exactly ${name} becomes the variable's value.
Result<json::Value> fill_value(const json::Value& value, const Lookup& lookup);

// The names in a text, in an operation; invalid where a "${" is never closed or holds no name.
using Names = std::set<std::string, std::less<>>;
Result<Names> variables_in(std::string_view text);
Result<Names> variables_in_value(const json::Value& value);
Result<Names> variables_in(const flow::Operation& operation);
// A text in which nothing is filled in.
std::string without_variables(std::string_view text);

// denied where it is a command whose executable is not among `commands`.
Result<void> may_run(const flow::Operation& operation, const std::vector<std::string>& commands);

// What it does, in a sentence: "run /usr/sbin/usermod --lock deploy".
std::string describe(const flow::Operation& operation);
// The same of an operation that must not or cannot be done as it stands, for the person who does it
// by hand: as far as values are known, with control characters made visible.
std::string describe_unguarded(const flow::Operation& operation, const Lookup& lookup);

}  // namespace mailwarden::respond
