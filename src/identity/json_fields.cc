#include "identity/json_fields.h"

#include <algorithm>

namespace mailwarden::identity {

void JsonFields::wrong(std::string_view name, std::string_view what) {
  mistakes_.add(where_, std::string(name) + " " + std::string(what));
}

bool JsonFields::is_absent(std::string_view name) const {
  const json::Value& value = object_[name];
  const std::string* const text = value.as_string();
  return value.is_null() || (text != nullptr && text->empty());
}

std::optional<std::string> JsonFields::text(std::string_view name) {
  if (is_absent(name)) return std::nullopt;
  const std::string* const text = object_[name].as_string();
  if (text == nullptr) {
    wrong(name, "is not a text");
  } else if (text->size() > text_bytes_max_) {
    wrong(name, "has " + std::to_string(text->size()) + " bytes; at most " +
                    std::to_string(text_bytes_max_) + " are read");
  } else if (std::ranges::any_of(*text, [](unsigned char c) { return c < 0x20 || c == 0x7F; })) {
    wrong(name, "holds control characters");
  } else {
    return *text;
  }
  return std::nullopt;
}

std::optional<std::string> JsonFields::email(std::string_view name) {
  const auto address = text(name);
  if (!address) return std::nullopt;
  auto normal = normal_email(*address);
  if (!normal) wrong(name, "is " + shown(*address) + ", which is no e-mail address");
  return normal;
}

std::optional<bool> JsonFields::truth(std::string_view name) {
  if (object_[name].is_null()) return std::nullopt;
  if (const bool* const truth = object_[name].as_bool()) return *truth;
  wrong(name, "is neither true nor false");
  return std::nullopt;
}

std::optional<Timestamp> JsonFields::time(std::string_view name) {
  const auto moment = text(name);
  if (!moment) return std::nullopt;
  const auto at = parse_rfc3339(*moment);
  if (at) return *at;
  wrong(name, "is " + shown(*moment) + ", which is no RFC 3339 time");
  return std::nullopt;
}

const json::Array* JsonFields::array(std::string_view name, std::size_t items_max) {
  if (object_[name].is_null()) return nullptr;
  const json::Array* const items = object_[name].as_array();
  if (items == nullptr) {
    wrong(name, "is not an array");
  } else if (items->size() > items_max) {
    wrong(name, "has " + std::to_string(items->size()) + " items; at most " +
                    std::to_string(items_max) + " are read");
  } else {
    return items;
  }
  return nullptr;
}

const json::Array* JsonFields::objects(std::string_view name, std::size_t items_max) {
  const json::Array* const items = array(name, items_max);
  if (items == nullptr) return nullptr;
  const bool good = std::ranges::all_of(
      *items, [](const json::Value& item) { return item.as_object() != nullptr; });
  if (good) return items;
  wrong(name, "holds what is not an object");
  return nullptr;
}

std::optional<std::vector<std::string>> JsonFields::emails(std::string_view name,
                                                           std::size_t items_max) {
  const json::Array* const items = array(name, items_max);
  if (items == nullptr) return std::nullopt;
  std::vector<std::string> addresses;
  for (const json::Value& item : *items) {
    const std::string* const text = item.as_string();
    auto address = text == nullptr ? std::nullopt : normal_email(*text);
    if (!address) {
      wrong(name, "holds " + (text == nullptr ? "what is not a text" : shown(*text)) +
                      ", which is no e-mail address");
      continue;
    }
    if (std::ranges::find(addresses, *address) == addresses.end()) {
      addresses.push_back(*std::move(address));
    }
  }
  return addresses;
}

}  // namespace mailwarden::identity
