// Facts as JSON.
//
// What     to_text() is what is stored of a record; to_json() what is told of a change.
// Owns     Nothing.
// Threads  Pure.
// Errors   read_facts(): corrupt.
// Limits   None.
//
// A record's text is an array of what each source said at a time:
//   [{"facts":{"email":"ada@example.com","suspended":false},"source":"google","time":"2026-…"}]
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/person.h"
#include "json/value.h"

namespace mailwarden::identity {

json::Value to_json(bool truth);
json::Value to_json(const std::string& text);
json::Value to_json(const std::vector<std::string>& texts);
json::Value to_json(Timestamp at);
json::Value to_json(const std::optional<Timestamp>& at);
json::Value to_json(const Employment& employment);
json::Value to_json(const PolicyAcceptance& acceptance);
json::Value to_json(const std::vector<Member>& members);

std::string to_text(const Person& person);
std::string to_text(const Account& account);
std::string to_text(const Group& group);

// Sets the facts of a record whose key is set. Error{corrupt} where the text is not what to_text()
// writes.
Result<void> read_facts(std::string_view text, Person& person);
Result<void> read_facts(std::string_view text, Account& account);
Result<void> read_facts(std::string_view text, Group& group);

}  // namespace mailwarden::identity
