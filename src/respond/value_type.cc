#include "respond/value_type.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

#include "base/text.h"

namespace mailwarden::respond {
namespace {

using flow::FlowLimits;
using flow::VariableType;

struct TypeName {
  VariableType type;
  std::string_view name;
  std::string_view asks_for;
};

constexpr std::array types{
    TypeName{VariableType::boolean, "bool", "true or false"},
    TypeName{VariableType::dictionary, "dictionary", "a JSON object"},
    TypeName{VariableType::floating, "float", "a number"},
    TypeName{VariableType::hexstring, "hexstring", "bytes as hexadecimal digits"},
    TypeName{VariableType::integer, "integer", "a whole number"},
    TypeName{VariableType::ipv4_addr, "ipv4-addr", "an IPv4 address or prefix"},
    TypeName{VariableType::ipv6_addr, "ipv6-addr", "an IPv6 address or prefix"},
    TypeName{VariableType::list, "list", "a list of texts"},
    TypeName{VariableType::long_int, "long", "a whole number"},
    TypeName{VariableType::mac_addr, "mac-addr", "a MAC address like 00:1b:2c:3d:4e:5f"},
    TypeName{VariableType::hash, "hash", "a hash as 32 to 128 hexadecimal digits"},
    TypeName{VariableType::sha256_hash, "sha256-hash", "a SHA-256 as 64 hexadecimal digits"},
    TypeName{VariableType::string, "string", "a text in UTF-8"},
    TypeName{VariableType::uri, "uri", "a URI with its scheme"},
    TypeName{VariableType::uuid, "uuid", "a UUID"}};

const TypeName& row_of(VariableType type) {
  return *std::ranges::find(types, type, &TypeName::type);
}

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_hex(std::string_view text, std::size_t least, std::size_t most) {
  return text.size() >= least && text.size() <= most && text.size() % 2 == 0 &&
         std::ranges::all_of(text, is_hex_digit);
}

bool is_address(std::string_view text, int family) {
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  std::array<char, 16> bytes{};
  if (address.contains('\0') || ::inet_pton(family, address.c_str(), bytes.data()) != 1) {
    return false;
  }
  if (slash == std::string_view::npos) return true;
  const auto bits = to_integer(text.substr(slash + 1));
  return bits && *bits >= 0 && *bits <= (family == AF_INET ? 32 : 128);
}

bool is_mac(std::string_view text) {
  const auto parts = split(text, ':');
  return parts.size() == 6 &&
         std::ranges::all_of(parts, [](std::string_view part) { return is_hex(part, 2, 2); });
}

bool is_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == text.size()) return false;
  const auto letter = [](char c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; };
  const auto scheme = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || std::string_view("+-.").contains(c);
  };
  return letter(text.front()) && std::ranges::all_of(text.substr(0, colon), scheme) &&
         std::ranges::all_of(text, [](char c) {
           return c > 0x20 && c < 0x7F && !std::string_view("\"<>\\^`{|}").contains(c);
         });
}

bool is_uuid(std::string_view text) {
  constexpr std::array lengths{8U, 4U, 4U, 4U, 12U};
  const auto parts = split(text, '-');
  if (parts.size() != lengths.size()) return false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!is_hex(parts[i], lengths[i], lengths[i])) return false;
  }
  return true;
}

bool is_text_of(std::string_view text, VariableType type) {
  switch (type) {
    case VariableType::hexstring:
      return is_hex(text, 2, FlowLimits::value_bytes_max);
    case VariableType::ipv4_addr:
      return is_address(text, AF_INET);
    case VariableType::ipv6_addr:
      return is_address(text, AF_INET6);
    case VariableType::mac_addr:
      return is_mac(text);
    case VariableType::hash:
      return is_hex(text, 32, 128);
    case VariableType::sha256_hash:
      return is_hex(text, 64, 64);
    case VariableType::uri:
      return is_uri(text);
    case VariableType::uuid:
      return is_uuid(text);
    default:
      return type == VariableType::string && is_utf8(text);
  }
}

bool is_of(const json::Value& value, VariableType type) {
  switch (type) {
    case VariableType::boolean:
      return value.as_bool() != nullptr;
    case VariableType::dictionary:
      return value.as_object() != nullptr;
    case VariableType::floating:
      return value.as_number() != nullptr || value.as_integer() != nullptr;
    case VariableType::integer:
    case VariableType::long_int:
      return value.as_integer() != nullptr;
    case VariableType::list:
      return value.as_array() != nullptr &&
             std::ranges::all_of(*value.as_array(), [](const json::Value& item) {
               return item.as_string() != nullptr && is_utf8(*item.as_string());
             });
    default:
      return value.as_string() != nullptr && is_text_of(*value.as_string(), type);
  }
}

// A JSON array, or a line an item.
json::Value read_list(std::string_view text) {
  const std::string_view trimmed = trim(text);
  if (trimmed.starts_with('[')) return json::parse(trimmed).value_or(json::Value());
  json::Array items;
  for (const std::string_view line : split(trimmed, '\n')) {
    if (!trim(line).empty()) items.emplace_back(trim(line));
  }
  return items;
}

json::Value read(std::string_view text, VariableType type) {
  const std::string_view trimmed = trim(text);
  switch (type) {
    case VariableType::boolean:
      if (trimmed == "true") return true;
      return trimmed == "false" ? json::Value(false) : json::Value();
    case VariableType::dictionary:
      return json::parse(trimmed).value_or(json::Value());
    case VariableType::floating:
    case VariableType::integer:
    case VariableType::long_int:
      if (const auto integer = to_integer(trimmed)) return *integer;
      // JSON's reader, since infinity and hexadecimal digits are no numbers of JSON.
      return json::parse(trimmed).value_or(json::Value());
    case VariableType::list:
      return read_list(text);
    case VariableType::string:
      return text;
    default:
      return trimmed;
  }
}

bool is_whole(VariableType type) {
  return type == VariableType::integer || type == VariableType::long_int;
}

bool is_text(VariableType type) {
  return type != VariableType::boolean && type != VariableType::dictionary &&
         type != VariableType::list && type != VariableType::floating && !is_whole(type);
}

}  // namespace

std::string_view to_string(VariableType type) {
  return row_of(type).name;
}

std::optional<VariableType> parse_variable_type(std::string_view text) {
  const auto* const found = std::ranges::find(types, text, &TypeName::name);
  if (found == types.end()) return std::nullopt;
  return found->type;
}

Result<void> fits(const json::Value& value, VariableType type) {
  if (!is_of(value, type)) {
    return fail(Code::invalid,
                std::string(to_string(type)) + " asks for " + std::string(row_of(type).asks_for));
  }
  if (json::to_text(value).size() > FlowLimits::value_bytes_max) {
    return fail(Code::invalid,
                "a value has at most " + std::to_string(FlowLimits::value_bytes_max) + " bytes");
  }
  return {};
}

Result<json::Value> read_value(std::string_view text, VariableType type) {
  json::Value value = read(text, type);
  if (const auto fit = fits(value, type); !fit) {
    // A long text is not repeated: it is one that somebody else may have written.
    const std::string_view start = text.substr(0, 100);
    return fail(Code::invalid, "'" + printable(start) + (start.size() < text.size() ? "…" : "") +
                                   "': " + fit.error().what);
  }
  return value;
}

Result<json::Value> to_type(const json::Value& value, VariableType type) {
  const auto fit = fits(value, type);
  if (fit) return value;
  if (const auto* text = value.as_string()) return read_value(*text, type);
  const bool is_scalar =
      value.as_bool() != nullptr || value.as_integer() != nullptr || value.as_number() != nullptr;
  if (type == VariableType::string && is_scalar) return read_value(json::to_text(value), type);
  return std::unexpected(fit.error());
}

bool may_become(VariableType from, VariableType to) {
  const bool numbers = is_whole(from) && (is_whole(to) || to == VariableType::floating);
  const bool texts = is_text(from) && is_text(to) &&
                     (from == to || from == VariableType::string || to == VariableType::string ||
                      from == VariableType::hexstring || to == VariableType::hexstring ||
                      from == VariableType::hash || to == VariableType::hash);
  return from == to || numbers || texts;
}

bool may_be_read_as(VariableType from, VariableType to) {
  const bool from_text = is_text(from) && !is_text(to);
  const bool to_text =
      to == VariableType::string && from != VariableType::list && from != VariableType::dictionary;
  return may_become(from, to) || from_text || to_text;
}

std::string to_plain_text(const json::Value& value) {
  if (const auto* text = value.as_string()) return *text;
  const auto* items = value.as_array();
  if (items == nullptr) return json::to_text(value);
  std::string text;
  for (const json::Value& item : *items) text += (text.empty() ? "" : ", ") + to_plain_text(item);
  return text;
}

}  // namespace mailwarden::respond
