#include "json/value.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/text.h"

namespace mailwarden::json {
namespace {

// Number::toString of ECMAScript, which RFC 8785 prescribes: the shortest digits that read back the
// same, in plain notation from 1e-6 up to 1e21.
void append_number(std::string& out, double number) {
  // JSON has no name for these; whoever made one gets null, as ECMAScript does.
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  if (number == 0) {
    out += '0';  // -0 too
    return;
  }
  if (number < 0) out += '-';
  std::array<char, 32> text{};
  const auto [end, failed] = std::to_chars(text.data(), text.data() + text.size(), std::abs(number),
                                           std::chars_format::scientific);
  const std::string_view shortest(text.data(), end);
  const std::size_t e = shortest.find('e');
  std::string digits(shortest.substr(0, 1));
  if (e > 2) digits += shortest.substr(2, e - 2);
  const int exponent = std::atoi(shortest.data() + e + 1);
  const int length = static_cast<int>(digits.size());
  const int point = exponent + 1;  // digits before the decimal point
  if (point >= length && point <= 21) {
    out += digits;
    out.append(static_cast<std::size_t>(point - length), '0');
  } else if (point > 0 && point <= 21) {
    out += digits.substr(0, static_cast<std::size_t>(point)) + '.' +
           digits.substr(static_cast<std::size_t>(point));
  } else if (point > -6 && point <= 0) {
    out += "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  } else {
    out += digits.substr(0, 1);
    if (length > 1) out += '.' + digits.substr(1);
    out += exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(exponent));
  }
}

void append_escaped(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr char digits[] = "0123456789abcdef";
  out += "\\u00";
  out += digits[c >> 4];
  out += digits[c & 15];
}

void append_pretty(std::string& out, const Value& value, std::size_t level);

void new_line(std::string& out, std::size_t level) {
  out += '\n';
  out.append(level * 2, ' ');
}

void append_pretty(std::string& out, const Array& items, std::size_t level) {
  out += '[';
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ',';
    new_line(out, level + 1);
    append_pretty(out, items[i], level + 1);
  }
  new_line(out, level);
  out += ']';
}

void append_pretty(std::string& out, const Object& members, std::size_t level) {
  out += '{';
  bool first = true;
  for (const auto& [name, member] : members) {
    if (!first) out += ',';
    first = false;
    new_line(out, level + 1);
    append_string(out, name);
    out += ": ";
    append_pretty(out, member, level + 1);
  }
  new_line(out, level);
  out += '}';
}

void append_pretty(std::string& out, const Value& value, std::size_t level) {
  if (const Array* items = value.as_array(); items != nullptr && !items->empty()) {
    append_pretty(out, *items, level);
  } else if (const Object* members = value.as_object(); members != nullptr && !members->empty()) {
    append_pretty(out, *members, level);
  } else {
    append_text(out, value);
  }
}

}  // namespace

const Value& Value::operator[](std::string_view name) const {
  static const Value absent;
  const Object* members = as_object();
  if (members == nullptr) return absent;
  const auto found = members->find(name);
  return found == members->end() ? absent : found->second;
}

std::string Value::text(std::string_view name, std::string_view otherwise) const {
  const std::string* found = (*this)[name].as_string();
  return found == nullptr ? std::string(otherwise) : *found;
}

std::int64_t Value::integer(std::string_view name, std::int64_t otherwise) const {
  const std::int64_t* found = (*this)[name].as_integer();
  return found == nullptr ? otherwise : *found;
}

void append_string(std::string& out, std::string_view text) {
  if (!is_utf8(text)) return append_string(out, to_utf8(text));
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    append_escaped(out, c);
    plain = i + 1;
  }
  out.append(text, plain);
  out += '"';
}

void append_text(std::string& out, const Value& value) {
  struct Writer {
    std::string& out;

    void operator()(std::monostate) const { out += "null"; }
    void operator()(bool truth) const { out += truth ? "true" : "false"; }
    void operator()(std::int64_t number) const { out += std::to_string(number); }
    void operator()(double number) const { append_number(out, number); }
    void operator()(const std::string& text) const { append_string(out, text); }
    void operator()(const Array& items) const {
      out += '[';
      for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out += ',';
        append_text(out, items[i]);
      }
      out += ']';
    }
    void operator()(const Object& members) const {
      out += '{';
      bool first = true;
      for (const auto& [name, member] : members) {
        if (!first) out += ',';
        first = false;
        append_string(out, name);
        out += ':';
        append_text(out, member);
      }
      out += '}';
    }
  };
  std::visit(Writer{out}, value.held_);
}

std::string to_text(const Value& value) {
  std::string out;
  append_text(out, value);
  return out;
}

std::string to_pretty_text(const Value& value) {
  std::string out;
  append_pretty(out, value, 0);
  return out;
}

}  // namespace mailwarden::json
