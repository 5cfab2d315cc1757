#include "db/postgres_values.h"

#include <array>
#include <charconv>

#include "db/postgres_text.h"

namespace mailwarden::db {

void put(Sent& sent, const Value& value) {
  sent.is_null = std::holds_alternative<std::monostate>(value);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    sent.text = std::to_string(*integer);
  } else if (const auto* number = std::get_if<double>(&value)) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), *number);
    sent.text.assign(digits.data(), end.ptr);
  } else if (const auto* text = std::get_if<std::string_view>(&value)) {
    if (needs_escape(*text)) {
      sent.text = escape(*text);
    } else {
      sent.text.assign(*text);
    }
  } else if (const auto* blob = std::get_if<Blob>(&value)) {
    sent.text.clear();
    append_hex(sent.text, *blob);
  }
}

void append_field(std::string& line, const Value& value) {
  // The long ones are mostly records, which are sent as they stand.
  if (const auto* text = std::get_if<std::string_view>(&value); text && !needs_escape(*text)) {
    append_copied(line, *text);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), *integer);
    line.append(digits.data(), end.ptr);
  } else if (const auto* blob = std::get_if<Blob>(&value)) {
    line += '\\';  // COPY takes two for one
    append_hex(line, *blob);
  } else {
    Sent sent;
    put(sent, value);
    append_field(line, sent);
  }
}

void append_field(std::string& line, const Sent& value) {
  if (value.is_null) {
    line += "\\N";
  } else {
    append_copied(line, value.text);
  }
}

}  // namespace mailwarden::db
