// JSON as a value.
//
// What     Value is null, bool, integer, number, string, array or object; an object's members stand
//          in byte order of their names. parse() reads RFC 8259 text strictly; to_text() writes the
//          canonical form of RFC 8785 (no white space, sorted members, shortest escapes), so equal
//          values have equal bytes and a hash over them means something.
// Owns     Its content.
// Threads  Values; every function is pure.
// Errors   parse(): Error{invalid} with the byte at which reading stopped.
// Limits   ParseOptions: depth_max levels of nesting, bytes_max of text.
// Source   RFC 8259; RFC 8785. Two deviations from 8785, both refused by writers of ledger records:
//          integers keep all 64 bits, and members are ordered by UTF-8 bytes (the same order as
//          UTF-16 code units for every name without characters above U+FFFF).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace mailwarden::json {

class Value;
using Array = std::vector<Value>;
using Object = std::map<std::string, Value, std::less<>>;

class Value {
 public:
  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool truth) : held_(truth) {}
  Value(int number) : held_(std::int64_t{number}) {}
  Value(std::int64_t number) : held_(number) {}
  Value(std::size_t number) : held_(static_cast<std::int64_t>(number)) {}
  Value(double number) : held_(number) {}
  Value(const char* text) : held_(std::string(text)) {}
  Value(std::string_view text) : held_(std::string(text)) {}
  Value(std::string text) : held_(std::move(text)) {}
  Value(Array items) : held_(std::move(items)) {}
  Value(Object members) : held_(std::move(members)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(held_); }
  const bool* as_bool() const { return std::get_if<bool>(&held_); }
  const std::int64_t* as_integer() const { return std::get_if<std::int64_t>(&held_); }
  const double* as_number() const { return std::get_if<double>(&held_); }
  const std::string* as_string() const { return std::get_if<std::string>(&held_); }
  const Array* as_array() const { return std::get_if<Array>(&held_); }
  const Object* as_object() const { return std::get_if<Object>(&held_); }
  Array* as_array() { return std::get_if<Array>(&held_); }
  Object* as_object() { return std::get_if<Object>(&held_); }

  // The member of that name, or null where this is no object or has none.
  const Value& operator[](std::string_view name) const;
  // The text of a member, or `otherwise` where it is absent or not a string.
  std::string text(std::string_view name, std::string_view otherwise = {}) const;
  std::int64_t integer(std::string_view name, std::int64_t otherwise = 0) const;

  bool operator==(const Value&) const = default;

 private:
  friend void append_text(std::string& out, const Value& value);

  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> held_;
};

struct ParseOptions {
  std::size_t depth_max = 64;
  std::size_t bytes_max = 16 * 1024 * 1024;
};

// One value and nothing after it but white space. A member name that stands twice is an error: two
// readers would not agree on what was said.
Result<Value> parse(std::string_view text, const ParseOptions& options = {});

std::string to_text(const Value& value);
void append_text(std::string& out, const Value& value);
// Two spaces a level, for people.
std::string to_pretty_text(const Value& value);

// `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void append_string(std::string& out, std::string_view text);

}  // namespace mailwarden::json
