#include "policy/print.h"

namespace mailwarden::policy {
namespace {

// How strongly an operator binds; what binds less than its surroundings stands in parentheses.
enum Rank { choice, either, both, relation, sum, product, prefix, member };

Rank rank_of(const Node& node, const Expressions& expressions) {
  switch (node.op) {
    case Op::if_then_else:
      return choice;
    case Op::either:
      return either;
    case Op::both:
      return both;
    case Op::equal:
    case Op::not_equal:
    case Op::less:
    case Op::less_or_equal:
    case Op::greater:
    case Op::greater_or_equal:
    case Op::in:
    case Op::has_attribute:
    case Op::is_type:
    case Op::like:
      return relation;
    case Op::plus:
    case Op::subtract:
      return sum;
    case Op::times:
      return product;
    case Op::negation:
    case Op::minus:
      return prefix;
    case Op::literal: {
      const Value& value = expressions.literal_of(node);
      return value.kind == Kind::integer && value.number < 0 ? prefix : member;
    }
    default:
      return member;
  }
}

std::string pattern_text(const Pattern& pattern) {
  std::string text;
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (at > 0) text += '*';
    // Quoted, without the quotes; stars of the text itself are escaped.
    const std::string part = policy::quoted(pattern[at]);
    for (const char c : std::string_view(part).substr(1, part.size() - 2)) {
      if (c == '*') text += '\\';
      text += c;
    }
  }
  return "\"" + text + "\"";
}

class Printer {
 public:
  explicit Printer(const Expressions& expressions) : expressions_(expressions) {}

  std::string print(ExprId id, Rank least) const {
    const Node& node = expressions_[id];
    std::string text = bare(node);
    return rank_of(node, expressions_) < least ? "(" + text + ")" : text;
  }

 private:
  std::string bare(const Node& node) const {
    switch (node.op) {
      case Op::literal:
        return to_text(expressions_.literal_of(node));
      case Op::variable:
        return std::string(to_string(static_cast<Variable>(node.detail)));
      case Op::if_then_else:
        return "if " + print(node.a, choice) + " then " + print(node.b, choice) + " else " +
               print(node.c, choice);
      case Op::negation:
      case Op::minus:
        return prefixed(node);
      case Op::has_attribute:
        return print(node.a, sum) + " has " + name_or_string(node.b);
      case Op::is_type:
        return print(node.a, sum) + " is " + std::string(expressions_.name(node.b));
      case Op::like:
        return print(node.a, sum) + " like " + pattern_text(expressions_.pattern(node.b));
      case Op::get_attribute:
        return attribute(node);
      case Op::set:
        return "[" + listed(node.a, 0) + "]";
      case Op::record:
        return record(node);
      case Op::call:
        return call(node);
      case Op::contains:
      case Op::contains_all:
      case Op::contains_any:
      case Op::has_tag:
      case Op::get_tag:
        return print(node.a, member) + "." + std::string(text_of(node.op)) + "(" +
               print(node.b, choice) + ")";
      case Op::is_empty:
        return print(node.a, member) + ".isEmpty()";
      default:
        return infix(node);
    }
  }

  // Up to four signs may stand in a row; a second one of its own kind gets parentheses.
  std::string prefixed(const Node& node) const {
    return (node.op == Op::negation ? "!" : "-") + print_operand(node);
  }
  std::string print_operand(const Node& node) const {
    const Node& operand = expressions_[node.a];
    // "-5" would be read as a number.
    const bool is_number = node.op == Op::minus && operand.op == Op::literal;
    return is_number ? "(" + bare(operand) + ")" : print(node.a, member);
  }

  std::string infix(const Node& node) const {
    const Rank rank = rank_of(node, expressions_);
    // Relations do not stand in rows; the others lean to the left.
    const Rank left = rank == relation ? sum : rank;
    const auto right = static_cast<Rank>(rank + 1);
    return print(node.a, left) + " " + std::string(text_of(node.op)) + " " + print(node.b, right);
  }

  std::string name_or_string(std::uint32_t number) const {
    const std::string_view name = expressions_.name(number);
    return is_identifier(name) && !is_reserved(name) ? std::string(name) : policy::quoted(name);
  }

  std::string attribute(const Node& node) const {
    const std::string_view name = expressions_.name(node.b);
    const std::string of = print(node.a, member);
    if (is_identifier(name) && !is_reserved(name)) return of + "." + std::string(name);
    return of + "[" + policy::quoted(name) + "]";
  }

  std::string listed(std::uint32_t list, std::size_t from) const {
    std::string text;
    for (const ExprId id : expressions_.list(list).subspan(from)) {
      text += (text.empty() ? "" : ", ") + print(id, choice);
    }
    return text;
  }

  std::string record(const Node& node) const {
    const auto values = expressions_.list(node.a);
    const auto names = expressions_.list(node.b);
    std::string text;
    for (std::size_t at = 0; at < values.size(); ++at) {
      text += (at == 0 ? "" : ", ") + name_or_string(names[at]) + ": " + print(values[at], choice);
    }
    return "{" + text + "}";
  }

  std::string call(const Node& node) const {
    const FunctionInfo& info = info_of(static_cast<Function>(node.detail));
    const std::string name(info.name);
    const auto values = expressions_.list(node.a);
    if (info.is_constructor || values.empty()) return name + "(" + listed(node.a, 0) + ")";
    return print(values.front(), member) + "." + name + "(" + listed(node.a, 1) + ")";
  }

  const Expressions& expressions_;
};

}  // namespace

std::string print_scope(std::string_view variable, const Scope& scope) {
  const std::string entity = scope.is_slot             ? "?" + std::string(variable)
                             : scope.entity == nullptr ? ""
                                                       : to_text(*scope.entity);
  std::string text(variable);
  switch (scope.kind) {
    case Scope::Kind::any:
      return text;
    case Scope::Kind::equal:
      return text + " == " + entity;
    case Scope::Kind::in:
      return text + " in " + entity;
    case Scope::Kind::is:
      return text + " is " + std::string(scope.type);
    case Scope::Kind::is_in:
      return text + " is " + std::string(scope.type) + " in " + entity;
  }
  return text;
}

std::string print_scope(const ActionScope& scope) {
  std::string listed;
  for (const EntityName* one : scope.entities)
    listed += (listed.empty() ? "" : ", ") + to_text(*one);
  switch (scope.kind) {
    case ActionScope::Kind::any:
      return "action";
    case ActionScope::Kind::equal:
      return "action == " + listed;
    case ActionScope::Kind::in:
      return "action in " + listed;
    case ActionScope::Kind::in_list:
      return "action in [" + listed + "]";
  }
  return "action";
}

std::string print_expression(ExprId id, const Expressions& expressions) {
  return Printer(expressions).print(id, choice);
}

std::string print_policy(const Policy& policy, const Expressions& expressions) {
  std::string text;
  for (const Annotation& one : policy.annotations) {
    text += "@" + one.name + (one.value ? "(" + policy::quoted(*one.value) + ")" : "") + "\n";
  }
  text += policy.effect == Effect::permit ? "permit (\n  " : "forbid (\n  ";
  text += print_scope("principal", policy.principal) + ",\n  " + print_scope(policy.action) +
          ",\n  " + print_scope("resource", policy.resource) + "\n)";
  for (const Condition& one : policy.conditions) {
    text += std::string("\n") + (one.is_when ? "when" : "unless") + " { " +
            print_expression(one.body, expressions) + " }";
  }
  return text + ";\n";
}

}  // namespace mailwarden::policy
