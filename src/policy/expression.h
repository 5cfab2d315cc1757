// Cedar expressions, each told once.
//
// What     Expressions holds a forest of nodes. Equal expressions are one node however many
//          policies have them, so comparing two is comparing numbers, and what one comes to needs
//          to be found once a request. Nodes only ever refer to older nodes.
// Owns     Nodes, literals, names and patterns; Values of it are good as long as it is.
// Threads  One that writes; any number that read.
// Errors   None; who builds expressions asks depth() and keeps it in bounds, since readers recurse.
// Limits   2^32 of each.
// Source   Cedar 4.5, "Operators and functions".
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/extension.h"
#include "policy/value.h"

namespace mailwarden::policy {

enum class Variable : std::uint8_t { principal, action, resource, context };

enum class Op : std::uint8_t {
  literal,       // a: literal
  variable,      // detail: Variable
  if_then_else,  // a, b, c
  both,          // a && b
  either,        // a || b
  negation,      // !a
  minus,         // -a
  equal,         // a == b, and so on
  not_equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  plus,
  subtract,
  times,
  in,
  has_attribute,  // a has b: name
  get_attribute,  // a.b: name
  is_type,        // a is b: name
  like,           // a like b: pattern
  contains,       // a.contains(b), and so on
  contains_all,
  contains_any,
  is_empty,  // a.isEmpty()
  has_tag,
  get_tag,
  set,     // a: list of nodes
  record,  // a: list of nodes, b: list of names
  call,    // detail: Function, a: list of nodes
};

std::string_view to_string(Variable variable);
bool is_binary(Op op);  // both a and b are nodes
// As it is written: "==", "contains", "&&". Of operators and methods.
std::string_view text_of(Op op);

using ExprId = std::uint32_t;

struct Node {
  Op op = Op::literal;
  std::uint8_t detail = 0;
  std::uint16_t depth = 1;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t c = 0;

  bool operator==(const Node&) const = default;
};

// Texts between stars: "a*b" is {"a", "b"}, "a" is {"a"}, "*" is {"", ""}.
using Pattern = std::vector<std::string>;
bool matches(std::string_view text, const Pattern& pattern);

class Expressions {
 public:
  Expressions();
  Expressions(Expressions&&) noexcept;
  Expressions& operator=(Expressions&&) noexcept;
  ~Expressions();

  ExprId boolean(bool truth) { return literal(Value::of(truth)); }
  ExprId integer(std::int64_t number) { return literal(Value::of(number)); }
  ExprId string(std::string_view text);
  ExprId entity(std::string_view type, std::string_view id);
  ExprId variable(Variable variable);
  ExprId unary(Op op, ExprId a) { return add({.op = op, .a = a}); }
  ExprId binary(Op op, ExprId a, ExprId b) { return add({.op = op, .a = a, .b = b}); }
  ExprId if_then_else(ExprId a, ExprId b, ExprId c) {
    return add({.op = Op::if_then_else, .a = a, .b = b, .c = c});
  }
  // has_attribute, get_attribute or is_type.
  ExprId named(Op op, ExprId a, std::string_view name);
  ExprId like(ExprId a, const Pattern& pattern);
  ExprId set(std::span<const ExprId> items);
  // Names must differ.
  ExprId record(std::vector<std::pair<std::string, ExprId>> members);
  ExprId call(Function function, std::span<const ExprId> arguments);

  const Node& operator[](ExprId id) const { return nodes_[id]; }
  std::size_t size() const { return nodes_.size(); }
  std::uint16_t depth(ExprId id) const { return nodes_[id].depth; }
  const Value& literal_of(const Node& node) const { return literals_[node.a]; }
  std::string_view name(std::uint32_t number) const { return names_[number]; }
  std::span<const std::uint32_t> list(std::uint32_t number) const;
  const Pattern& pattern(std::uint32_t number) const { return patterns_[number]; }

  // One name for each entity, for as long as this lives.
  const EntityName* entity_name(std::string_view type, std::string_view id);
  std::span<const EntityName* const> entity_names() const { return entities_; }
  std::string_view keep(std::string_view text);

 private:
  struct Known;

  ExprId add(Node node);
  ExprId literal(const Value& value);
  std::uint32_t name_number(std::string_view name);
  std::uint32_t list_number(std::span<const std::uint32_t> items);

  std::unique_ptr<Memory> memory_;
  std::vector<Node> nodes_;
  std::vector<Value> literals_;
  std::vector<std::string_view> names_;
  std::vector<std::uint32_t> items_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> lists_;  // where in items_, how many
  std::vector<Pattern> patterns_;
  std::vector<const EntityName*> entities_;
  std::unique_ptr<Known> known_;
};

}  // namespace mailwarden::policy
