#include "json/yaml_reader.h"

#include <algorithm>

#include "base/text.h"

namespace mailwarden::yaml {

std::vector<Node> Reader::documents(std::string_view text) {
  auto parsed = parse(text);
  if (parsed) return *std::move(parsed);
  mistakes_.push_back(file_ + ", " + parsed.error().what);
  return {};
}

void Reader::mistake(const Node& node, const std::string& what) {
  mistakes_.push_back(file_ + ", " + node.where() + ": " + what);
}

std::string Reader::all_mistakes() const {
  std::string all;
  for (const std::string& one : mistakes_) all += (all.empty() ? "" : "\n") + one;
  return all;
}

bool Reader::is_map(const Node& node, std::string_view what,
                    std::initializer_list<std::string_view> known) {
  if (!node.is_map()) {
    mistake(node, std::string(what) + " must be a map");
    return false;
  }
  for (const auto& [name, value] : node.entries) {
    if (std::ranges::find(known, name.scalar) != known.end()) continue;
    mistake(name, in_quotes(name.scalar) + " is not known in " + std::string(what));
  }
  return true;
}

std::string Reader::text(const Node& map, std::string_view name) {
  const Node* const node = map.find(name);
  if (node != nullptr && node->is_scalar() && !node->scalar.empty()) return node->scalar;
  mistake(node == nullptr ? map : *node, in_quotes(name) + " must be a text");
  return {};
}

std::string Reader::text(const Node& map, std::string_view name, std::string_view fallback) {
  return map.find(name) == nullptr ? std::string(fallback) : text(map, name);
}

std::vector<std::string> Reader::texts(const Node& map, std::string_view name) {
  const Node* const node = sequence(map, name);
  std::vector<std::string> found;
  if (node == nullptr) return found;
  for (const Node& item : node->items) {
    if (item.is_scalar()) {
      found.push_back(item.scalar);
    } else {
      mistake(item, "an item of " + in_quotes(name) + " must be a text");
    }
  }
  return found;
}

std::vector<std::string> Reader::texts_if_any(const Node& map, std::string_view name) {
  return map.find(name) == nullptr ? std::vector<std::string>() : texts(map, name);
}

const Node* Reader::sequence(const Node& map, std::string_view name) {
  const Node* const node = map.find(name);
  if (node != nullptr && node->is_sequence() && !node->items.empty()) return node;
  mistake(node == nullptr ? map : *node, in_quotes(name) + " must be a list");
  return nullptr;
}

bool Reader::truth(const Node& map, std::string_view name, bool fallback) {
  const Node* const node = map.find(name);
  if (node == nullptr) return fallback;
  if (is_true(*node)) return true;
  if (!is_false(*node)) mistake(*node, in_quotes(name) + " must be true or false");
  return false;
}

Duration Reader::duration(const Node& map, std::string_view name, Duration fallback) {
  const Node* const node = map.find(name);
  if (node == nullptr) return fallback;
  const auto parsed = parse_duration(node->scalar);
  if (parsed && *parsed > Duration(0)) return *parsed;
  mistake(*node, in_quotes(name) + ": " + (parsed ? "must not be zero" : parsed.error().what));
  return fallback;
}

std::int64_t Reader::integer(const Node& map, std::string_view name, std::int64_t least,
                             std::int64_t most, std::int64_t fallback) {
  const Node* const node = map.find(name);
  if (node == nullptr) return fallback;
  const auto number = node->is_scalar() ? to_integer(node->scalar) : std::nullopt;
  if (number && *number >= least && *number <= most) return *number;
  mistake(*node, in_quotes(name) + " must be a number from " + std::to_string(least) + " to " +
                     std::to_string(most));
  return fallback;
}

}  // namespace mailwarden::yaml
