#include "policy/expression.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <unordered_map>

namespace mailwarden::policy {
namespace {

struct NodeHash {
  std::size_t operator()(const Node& node) const {
    const std::uint64_t head =
        (std::uint64_t{static_cast<std::uint8_t>(node.op)} << 8) | node.detail;
    std::uint64_t hash = head * 0x9e3779b97f4a7c15U;
    hash = (hash ^ (hash >> 29) ^ node.a) * 0xbf58476d1ce4e5b9U;
    hash = (hash ^ (hash >> 32) ^ node.b) * 0x94d049bb133111ebU;
    hash = (hash ^ (hash >> 29) ^ node.c) * 0x9e3779b97f4a7c15U;
    return hash ^ (hash >> 32);
  }
};

struct ValueBefore {
  bool operator()(const Value& a, const Value& b) const { return compare(a, b) < 0; }
};

struct EntityKey {
  std::string_view type;
  std::string_view id;

  bool operator==(const EntityKey&) const = default;
};

struct EntityHash {
  std::size_t operator()(const EntityKey& key) const { return hash_of(key.type, key.id); }
};

}  // namespace

struct Expressions::Known {
  std::unordered_map<Node, ExprId, NodeHash> nodes;
  std::map<Value, std::uint32_t, ValueBefore> literals;
  std::unordered_map<std::string_view, std::uint32_t> names;
  std::map<std::vector<std::uint32_t>, std::uint32_t> lists;
  std::map<Pattern, std::uint32_t> patterns;
  std::unordered_map<EntityKey, const EntityName*, EntityHash> entities;
};

Expressions::Expressions()
    : memory_(std::make_unique<Memory>()), known_(std::make_unique<Known>()) {}
Expressions::Expressions(Expressions&&) noexcept = default;
Expressions& Expressions::operator=(Expressions&&) noexcept = default;
Expressions::~Expressions() = default;

std::string_view to_string(Variable variable) {
  constexpr std::array<std::string_view, 4> names = {"principal", "action", "resource", "context"};
  return names[static_cast<std::size_t>(variable)];
}

bool is_binary(Op op) {
  switch (op) {
    case Op::both:
    case Op::either:
    case Op::equal:
    case Op::not_equal:
    case Op::less:
    case Op::less_or_equal:
    case Op::greater:
    case Op::greater_or_equal:
    case Op::plus:
    case Op::subtract:
    case Op::times:
    case Op::in:
    case Op::contains:
    case Op::contains_all:
    case Op::contains_any:
    case Op::has_tag:
    case Op::get_tag:
      return true;
    default:
      return false;
  }
}

std::string_view text_of(Op op) {
  constexpr std::array<std::string_view, 29> texts = {
      "",        "",       "if",     "&&",  "||",    "!",        "-",           "==",
      "!=",      "<",      "<=",     ">",   ">=",    "+",        "-",           "*",
      "in",      "has",    ".",      "is",  "like",  "contains", "containsAll", "containsAny",
      "isEmpty", "hasTag", "getTag", "Set", "Record"};
  const auto at = static_cast<std::size_t>(op);
  return at < texts.size() ? texts[at] : "call";
}

bool matches(std::string_view text, const Pattern& pattern) {
  if (pattern.size() == 1) return text == pattern.front();
  if (!text.starts_with(pattern.front())) return false;
  text.remove_prefix(pattern.front().size());
  if (!text.ends_with(pattern.back())) return false;
  text.remove_suffix(pattern.back().size());
  for (std::size_t at = 1; at + 1 < pattern.size(); ++at) {
    const auto found = text.find(pattern[at]);
    if (found == std::string_view::npos) return false;
    text.remove_prefix(found + pattern[at].size());
  }
  return true;
}

std::string_view Expressions::keep(std::string_view text) {
  return name(name_number(text));
}

const EntityName* Expressions::entity_name(std::string_view type, std::string_view id) {
  if (const auto at = known_->entities.find({type, id}); at != known_->entities.end()) {
    return at->second;
  }
  auto* const name =
      static_cast<EntityName*>(memory_->allocate(sizeof(EntityName), alignof(EntityName)));
  *name = {.type = keep(type),
           .id = policy::keep(*memory_, id),
           .hash = hash_of(type, id),
           .home = memory_.get(),
           .number = static_cast<std::uint32_t>(entities_.size())};
  entities_.push_back(name);
  known_->entities.emplace(EntityKey{name->type, name->id}, name);
  return name;
}

ExprId Expressions::literal(const Value& value) {
  const auto [at, is_new] =
      known_->literals.emplace(value, static_cast<std::uint32_t>(literals_.size()));
  if (is_new) literals_.push_back(value);
  return add({.op = Op::literal, .a = at->second});
}

ExprId Expressions::string(std::string_view text) {
  return literal(Value::of(keep(text)));
}

ExprId Expressions::entity(std::string_view type, std::string_view id) {
  return literal(Value::of(entity_name(type, id)));
}

ExprId Expressions::variable(Variable variable) {
  return add({.op = Op::variable, .detail = static_cast<std::uint8_t>(variable)});
}

ExprId Expressions::named(Op op, ExprId a, std::string_view name) {
  return add({.op = op, .a = a, .b = name_number(name)});
}

ExprId Expressions::like(ExprId a, const Pattern& pattern) {
  const auto [at, is_new] =
      known_->patterns.emplace(pattern, static_cast<std::uint32_t>(patterns_.size()));
  if (is_new) patterns_.push_back(pattern);
  return add({.op = Op::like, .a = a, .b = at->second});
}

ExprId Expressions::set(std::span<const ExprId> items) {
  return add({.op = Op::set, .a = list_number(items)});
}

ExprId Expressions::record(std::vector<std::pair<std::string, ExprId>> members) {
  std::ranges::sort(members);
  std::vector<std::uint32_t> names;
  std::vector<ExprId> values;
  for (const auto& [name, value] : members) {
    names.push_back(name_number(name));
    values.push_back(value);
  }
  return add({.op = Op::record, .a = list_number(values), .b = list_number(names)});
}

ExprId Expressions::call(Function function, std::span<const ExprId> arguments) {
  return add(
      {.op = Op::call, .detail = static_cast<std::uint8_t>(function), .a = list_number(arguments)});
}

std::span<const std::uint32_t> Expressions::list(std::uint32_t number) const {
  const auto [from, count] = lists_[number];
  return std::span(items_).subspan(from, count);
}

ExprId Expressions::add(Node node) {
  std::uint16_t below = 0;
  const auto look = [&](ExprId id) { below = std::max(below, nodes_[id].depth); };
  if (node.op == Op::set || node.op == Op::record || node.op == Op::call) {
    for (const ExprId id : list(node.a)) look(id);
  } else if (node.op != Op::literal && node.op != Op::variable) {
    look(node.a);
    if (is_binary(node.op) || node.op == Op::if_then_else) look(node.b);
    if (node.op == Op::if_then_else) look(node.c);
  }
  constexpr auto most = std::numeric_limits<std::uint16_t>::max();
  node.depth = below == most ? most : static_cast<std::uint16_t>(below + 1);
  const auto [at, is_new] = known_->nodes.emplace(node, static_cast<ExprId>(nodes_.size()));
  if (is_new) nodes_.push_back(node);
  return at->second;
}

std::uint32_t Expressions::name_number(std::string_view name) {
  if (const auto at = known_->names.find(name); at != known_->names.end()) return at->second;
  const auto number = static_cast<std::uint32_t>(names_.size());
  const std::string_view kept = policy::keep(*memory_, name);
  names_.push_back(kept);
  known_->names.emplace(kept, number);
  return number;
}

std::uint32_t Expressions::list_number(std::span<const std::uint32_t> items) {
  const auto [at, is_new] =
      known_->lists.emplace(std::vector<std::uint32_t>(items.begin(), items.end()),
                            static_cast<std::uint32_t>(lists_.size()));
  if (is_new) {
    lists_.emplace_back(items_.size(), items.size());
    items_.insert(items_.end(), items.begin(), items.end());
  }
  return at->second;
}

}  // namespace mailwarden::policy
