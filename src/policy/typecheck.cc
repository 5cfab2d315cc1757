#include "policy/typecheck.h"

#include <algorithm>

#include "base/text.h"
#include "policy/print.h"

namespace mailwarden::policy {
namespace {

constexpr std::size_t shown_bytes_max = 200;

template <class List>
List united(const List& a, const List& b) {
  List all;
  std::ranges::set_union(a, b, std::back_inserter(all));
  return all;
}

template <class List>
List common(const List& a, const List& b) {
  List all;
  std::ranges::set_intersection(a, b, std::back_inserter(all));
  return all;
}

}  // namespace

Typechecker::Typechecker(const Expressions& expressions, const Schema& schema, Types& types,
                         const RequestType& request)
    : expressions_(expressions),
      schema_(schema),
      types_(types),
      request_(request),
      action_{.type = request.action.type,
              .id = request.action.id,
              .hash = hash_of(request.action.type, request.action.id)} {}

std::optional<TypeId> Typechecker::check(ExprId id) {
  typed_.clear();
  wrong_.clear();
  const auto checked = check(id, {});
  if (!checked) return std::nullopt;
  root_ = checked->typed;
  return checked->type;
}

std::string Typechecker::shown(ExprId id) const {
  std::string text = print_expression(id, expressions_);
  if (text.size() > shown_bytes_max) {
    text.resize(shown_bytes_max);
    text = to_utf8(text) + "...";
  }
  return "'" + text + "'";
}

std::nullopt_t Typechecker::fail(const std::string& what) {
  wrong_ = what;
  return std::nullopt;
}

std::nullopt_t Typechecker::unexpected(ExprId of, TypeId type, const std::string& wanted) {
  return fail(shown(of) + " is of type " + types_.text(type) + " where " + wanted + " is needed");
}

Typechecker::Outcome Typechecker::made(ExprId id, TypeId type, std::vector<std::uint32_t> parts,
                                       Capabilities shown) {
  typed_.push_back({.id = id, .type = type, .parts = std::move(parts)});
  return Checked{.type = type,
                 .shown = std::move(shown),
                 .typed = static_cast<std::uint32_t>(typed_.size() - 1)};
}

std::optional<Value> Typechecker::literal_of(ExprId id) const {
  const Node& node = expressions_[id];
  if (node.op == Op::both || node.op == Op::either) {
    // Of two truths written out the reference makes one while it reads them.
    const auto a = literal_of(node.a);
    const auto b = literal_of(node.b);
    if (!a || !b || a->kind != Kind::boolean || b->kind != Kind::boolean) return std::nullopt;
    return Value::of(node.op == Op::both ? a->is_true() && b->is_true()
                                         : a->is_true() || b->is_true());
  }
  if (node.op == Op::literal) return expressions_.literal_of(node);
  if (node.op == Op::variable && node.detail == static_cast<std::uint8_t>(Variable::action)) {
    return Value::of(&action_);
  }
  return std::nullopt;
}

std::optional<std::vector<EntityUid>> Typechecker::entities_of(ExprId id) const {
  std::vector<EntityUid> all;
  const auto add = [&](ExprId of) {
    const auto value = literal_of(of);
    if (!value || value->kind != Kind::entity) return false;
    all.push_back(value->entity->uid());
    return true;
  };
  const Node& node = expressions_[id];
  if (node.op != Op::set) {
    if (!add(id)) return std::nullopt;
    return all;
  }
  if (!std::ranges::all_of(expressions_.list(node.a), add)) return std::nullopt;
  return all;
}

Typechecker::Outcome Typechecker::check(ExprId id, const Capabilities& known) {
  const Node& node = expressions_[id];
  switch (node.op) {
    case Op::literal:
      return literal(id, expressions_.literal_of(node));
    case Op::variable:
      return variable(id, static_cast<Variable>(node.detail));
    case Op::if_then_else:
      return choice(id, node, known);
    case Op::both:
      return both(id, node, known);
    case Op::either:
      return either(id, node, known);
    case Op::negation:
    case Op::minus:
    case Op::is_empty:
    case Op::is_type:
    case Op::like:
      return unary(id, node, known);
    case Op::has_attribute:
    case Op::get_attribute:
      return attribute(id, node, known);
    case Op::set:
    case Op::record:
      return collection(id, node, known);
    case Op::call:
      return call(id, node, known);
    default:
      return binary(id, node, known);
  }
}

Typechecker::Outcome Typechecker::literal(ExprId id, const Value& value) {
  switch (value.kind) {
    case Kind::boolean:
      return made(id, value.is_true() ? Types::yes : Types::no, {});
    case Kind::integer:
      return made(id, Types::integer, {});
    case Kind::string:
      return made(id, Types::string, {});
    default:
      break;
  }
  if (!schema_.knows(value.entity->uid())) {
    return fail(to_text(*value.entity) + " is not in the schema");
  }
  return made(id, types_.entity(value.entity->type), {});
}

Typechecker::Outcome Typechecker::variable(ExprId id, Variable variable) {
  switch (variable) {
    case Variable::principal:
      return made(id, types_.entity(request_.principal), {});
    case Variable::action:
      return made(id, types_.entity(request_.action.type), {});
    case Variable::resource:
      return made(id, types_.entity(request_.resource), {});
    case Variable::context:
      break;
  }
  return made(id, request_.context, {});
}

Typechecker::Outcome Typechecker::choice(ExprId id, const Node& node, const Capabilities& known) {
  const auto condition = check(node.a, known);
  if (!condition) return std::nullopt;
  if (condition->type == Types::no) {
    const auto other = check(node.c, known);
    if (!other) return std::nullopt;
    return made(id, other->type, {condition->typed, other->typed, other->typed}, other->shown);
  }
  if (!types_.is_boolean(condition->type)) {
    return unexpected(node.a, condition->type, "a Bool");
  }
  const auto yes = check(node.b, united(known, condition->shown));
  if (!yes) return std::nullopt;
  const Capabilities shown = united(condition->shown, yes->shown);
  if (condition->type == Types::yes) {
    return made(id, yes->type, {condition->typed, yes->typed, yes->typed}, shown);
  }
  const auto other = check(node.c, known);
  if (!other) return std::nullopt;
  const auto type = types_.joined(yes->type, other->type);
  if (!type) {
    return fail("the branches of " + this->shown(id) + " are of types " + types_.text(yes->type) +
                " and " + types_.text(other->type));
  }
  return made(id, *type, {condition->typed, yes->typed, other->typed}, common(shown, other->shown));
}

Typechecker::Outcome Typechecker::both(ExprId id, const Node& node, const Capabilities& known) {
  const auto left = check(node.a, known);
  if (!left) return std::nullopt;
  if (left->type == Types::no) return Checked{.type = Types::no, .typed = left->typed};
  if (!types_.is_boolean(left->type)) return unexpected(node.a, left->type, "a Bool");
  const auto right = check(node.b, united(known, left->shown));
  if (!right) return std::nullopt;
  if (!types_.is_boolean(right->type)) return unexpected(node.b, right->type, "a Bool");
  if (right->type == Types::no) return made(id, Types::no, {left->typed, right->typed});
  const TypeId type = right->type == Types::yes ? left->type : Types::boolean;
  return made(id, type, {left->typed, right->typed}, united(left->shown, right->shown));
}

Typechecker::Outcome Typechecker::either(ExprId id, const Node& node, const Capabilities& known) {
  const auto left = check(node.a, known);
  if (!left) return std::nullopt;
  if (left->type == Types::yes) return Checked{.type = Types::yes, .typed = left->typed};
  if (!types_.is_boolean(left->type)) return unexpected(node.a, left->type, "a Bool");
  const auto right = check(node.b, known);
  if (!right) return std::nullopt;
  if (!types_.is_boolean(right->type)) return unexpected(node.b, right->type, "a Bool");
  std::vector<std::uint32_t> parts{left->typed, right->typed};
  if (left->type == Types::no) return made(id, right->type, std::move(parts), right->shown);
  if (right->type == Types::yes) return made(id, Types::yes, std::move(parts));
  if (right->type == Types::no) return made(id, Types::boolean, std::move(parts), left->shown);
  return made(id, Types::boolean, std::move(parts), common(left->shown, right->shown));
}

Typechecker::Outcome Typechecker::unary(ExprId id, const Node& node, const Capabilities& known) {
  using Form = Types::Form;
  const auto a = check(node.a, known);
  if (!a) return std::nullopt;
  const std::vector<std::uint32_t> parts{a->typed};
  switch (node.op) {
    case Op::negation:
      if (!types_.is_boolean(a->type)) return unexpected(node.a, a->type, "a Bool");
      if (a->type == Types::boolean) return made(id, Types::boolean, parts);
      return made(id, a->type == Types::yes ? Types::no : Types::yes, parts);
    case Op::minus:
      if (a->type != Types::integer) return unexpected(node.a, a->type, "a Long");
      return made(id, Types::integer, parts);
    case Op::is_empty:
      if (form(a->type) != Form::set) return unexpected(node.a, a->type, "a Set");
      return made(id, Types::boolean, parts);
    case Op::like:
      if (a->type != Types::string) return unexpected(node.a, a->type, "a String");
      return made(id, Types::boolean, parts);
    default:
      break;
  }
  if (form(a->type) != Form::entity) return unexpected(node.a, a->type, "an entity");
  const bool is = types_[a->type].name == expressions_.name(node.b);
  return made(id, is ? Types::yes : Types::no, parts);
}

Typechecker::Outcome Typechecker::binary(ExprId id, const Node& node, const Capabilities& known) {
  const auto a = check(node.a, known);
  if (!a) return std::nullopt;
  const auto b = check(node.b, known);
  if (!b) return std::nullopt;
  switch (node.op) {
    case Op::equal:
    case Op::not_equal:
      return equality(id, node, *a, *b);
    case Op::in:
      return membership(id, node, *a, *b);
    case Op::has_tag:
    case Op::get_tag:
      return tags(id, node, *a, *b, known);
    case Op::contains:
    case Op::contains_all:
    case Op::contains_any:
      return sets(id, node, *a, *b);
    case Op::plus:
    case Op::subtract:
    case Op::times:
      if (a->type != Types::integer) return unexpected(node.a, a->type, "a Long");
      if (b->type != Types::integer) return unexpected(node.b, b->type, "a Long");
      return made(id, Types::integer, {a->typed, b->typed});
    default:
      break;
  }
  const bool has_order = a->type == Types::integer || a->type == types_.extension(Kind::datetime) ||
                         a->type == types_.extension(Kind::duration);
  if (!has_order) return unexpected(node.a, a->type, "a Long, datetime or duration");
  if (b->type != a->type) return unexpected(node.b, b->type, "a " + types_.text(a->type));
  return made(id, Types::boolean, {a->typed, b->typed});
}

Typechecker::Outcome Typechecker::equality(ExprId id, const Node& node, const Checked& a,
                                           const Checked& b) {
  const std::vector<std::uint32_t> parts{a.typed, b.typed};
  const bool is_equal = node.op == Op::equal;
  const auto left = literal_of(node.a);
  const auto right = literal_of(node.b);
  if (left && right) {
    return made(id, equal(*left, *right) == is_equal ? Types::yes : Types::no, parts);
  }
  if (types_.joined(a.type, b.type)) return made(id, Types::boolean, parts);
  if (form(a.type) == Types::Form::entity && form(b.type) == Types::Form::entity) {
    return made(id, is_equal ? Types::no : Types::yes, parts);
  }
  return fail(shown(id) + " compares a " + types_.text(a.type) + " with a " + types_.text(b.type));
}

Typechecker::Outcome Typechecker::membership(ExprId id, const Node& node, const Checked& a,
                                             const Checked& b) {
  using Form = Types::Form;
  if (form(a.type) != Form::entity) return unexpected(node.a, a.type, "an entity");
  const TypeId group = form(b.type) == Form::set ? types_[b.type].element : b.type;
  if (form(group) != Form::entity) {
    return unexpected(node.b, b.type, "an entity or a Set of entities");
  }
  const std::vector<std::uint32_t> parts{a.typed, b.typed};
  const auto one = literal_of(node.a);
  const bool is_set = form(b.type) == Form::set;
  const bool is_written = is_set == (expressions_[node.b].op == Op::set);
  const auto groups = is_written ? entities_of(node.b) : std::nullopt;
  if (one && one->kind == Kind::entity && groups) {
    const EntityUid uid = one->entity->uid();
    if (const ActionType* const action = schema_.action(uid)) {
      const bool holds = std::ranges::any_of(*groups, [&](const EntityUid& above) {
        return above == uid || action->ancestors.contains(above);
      });
      return made(id, holds ? Types::yes : Types::no, parts);
    }
  }
  const bool may_be = schema_.may_be_in(types_[a.type].name, types_[group].name);
  return made(id, may_be ? Types::boolean : Types::no, parts);
}

Typechecker::Outcome Typechecker::tags(ExprId id, const Node& node, const Checked& a,
                                       const Checked& b, const Capabilities& known) {
  if (form(a.type) != Types::Form::entity) return unexpected(node.a, a.type, "an entity");
  if (b.type != Types::string) return unexpected(node.b, b.type, "a String");
  const std::vector<std::uint32_t> parts{a.typed, b.typed};
  const std::string& type = types_[a.type].name;
  const EntityType* const entity = schema_.entity(type);
  const Capability tag{.of = node.a, .is_tag = true, .key = node.b};
  const bool is_shown = std::ranges::binary_search(known, tag);
  const bool has_tags = entity != nullptr && entity->tags.has_value();
  if (node.op == Op::has_tag) {
    if (!has_tags) return made(id, Types::no, parts);
    if (is_shown) return made(id, Types::yes, parts);
    return made(id, Types::boolean, parts, {tag});
  }
  if (!has_tags) return fail(shown(id) + ": entities of type " + type + " have no tags");
  if (is_shown) return made(id, *entity->tags, parts);
  return fail(shown(id) + ": the tag may not be there; ask hasTag first");
}

Typechecker::Outcome Typechecker::sets(ExprId id, const Node& node, const Checked& a,
                                       const Checked& b) {
  using Form = Types::Form;
  if (form(a.type) != Form::set) return unexpected(node.a, a.type, "a Set");
  if (node.op != Op::contains && form(b.type) != Form::set) {
    return unexpected(node.b, b.type, "a Set");
  }
  const TypeId left = types_[a.type].element;
  const TypeId right = node.op == Op::contains ? b.type : types_[b.type].element;
  if (!types_.joined(left, right)) {
    return fail(shown(id) + " looks for a " + types_.text(right) + " among " + types_.text(left));
  }
  return made(id, Types::boolean, {a.typed, b.typed});
}

Typechecker::Outcome Typechecker::attribute(ExprId id, const Node& node,
                                            const Capabilities& known) {
  using Form = Types::Form;
  const auto a = check(node.a, known);
  if (!a) return std::nullopt;
  const bool is_question = node.op == Op::has_attribute;
  const std::vector<std::uint32_t> parts{a->typed};
  const std::string name(expressions_.name(node.b));
  TypeId record = a->type;
  if (form(a->type) == Form::entity) {
    const EntityType* const entity = schema_.entity(types_[a->type].name);
    record = entity == nullptr ? Types::empty_record : entity->attributes;
  } else if (form(a->type) != Form::record) {
    return unexpected(node.a, a->type, "an entity or a record");
  }
  const AttributeType* const attribute = types_.attribute(record, name);
  const Capability there{.of = node.a, .is_tag = false, .key = node.b};
  const bool is_shown = std::ranges::binary_search(known, there);
  if (is_question) {
    if (attribute == nullptr) return made(id, Types::no, parts);
    const bool is_certain = attribute->is_required && form(a->type) == Form::record;
    if (is_shown || is_certain) return made(id, Types::yes, parts);
    return made(id, Types::boolean, parts, {there});
  }
  if (attribute == nullptr) {
    return fail(shown(id) + ": " + types_.text(a->type) + " has no attribute '" + name + "'");
  }
  if (attribute->is_required || is_shown) return made(id, attribute->type, parts);
  return fail(shown(id) + " may not be there; ask '" + print_expression(node.a, expressions_) +
              " has " + name + "' first");
}

Typechecker::Outcome Typechecker::collection(ExprId id, const Node& node,
                                             const Capabilities& known) {
  std::vector<std::uint32_t> parts;
  std::vector<TypeId> each;
  for (const ExprId part : expressions_.list(node.a)) {
    const auto checked = check(part, known);
    if (!checked) return std::nullopt;
    parts.push_back(checked->typed);
    each.push_back(checked->type);
  }
  if (node.op == Op::record) {
    std::vector<AttributeType> attributes;
    const auto names = expressions_.list(node.b);
    for (std::size_t at = 0; at < each.size(); ++at) {
      attributes.push_back({.name = std::string(expressions_.name(names[at])), .type = each[at]});
    }
    return made(id, types_.record(std::move(attributes)), std::move(parts));
  }
  if (each.empty()) return fail("an empty set has no type");
  TypeId element = each.front();
  for (const TypeId one : each) {
    const auto both = types_.joined(element, one);
    if (!both) {
      return fail("the set " + shown(id) + " has members of types " + types_.text(element) +
                  " and " + types_.text(one));
    }
    element = *both;
  }
  return made(id, types_.set(element), std::move(parts));
}

Typechecker::Outcome Typechecker::call(ExprId id, const Node& node, const Capabilities& known) {
  const FunctionInfo& info = info_of(static_cast<Function>(node.detail));
  const auto arguments = expressions_.list(node.a);
  std::vector<std::uint32_t> parts;
  std::vector<TypeId> each;
  for (const ExprId part : arguments) {
    const auto checked = check(part, known);
    if (!checked) return std::nullopt;
    parts.push_back(checked->typed);
    each.push_back(checked->type);
  }
  if (arguments.size() != info.arity) {
    return fail(shown(id) + " has " + std::to_string(arguments.size()) + " arguments, not " +
                std::to_string(info.arity));
  }
  for (std::size_t at = 0; at < info.arity; ++at) {
    const TypeId wanted = types_.of(info.arguments[at]);
    if (each[at] != wanted) return unexpected(arguments[at], each[at], "a " + types_.text(wanted));
  }
  if (info.is_constructor) {
    const auto text = literal_of(arguments.front());
    if (!text) return fail(shown(id) + ": the argument must be written out");
    const std::string_view written = text->as_text();
    const bool is_valid = info.function == Function::decimal    ? read_decimal(written).has_value()
                          : info.function == Function::datetime ? read_datetime(written).has_value()
                          : info.function == Function::duration ? read_duration(written).has_value()
                                                                : read_ip(written).has_value();
    if (!is_valid) return fail(shown(id) + " is no " + std::string(to_string(info.result)));
  }
  return made(id, types_.of(info.result), std::move(parts));
}

}  // namespace mailwarden::policy
