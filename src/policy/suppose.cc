#include "policy/suppose.h"

#include <algorithm>
#include <limits>

#include "policy/conform.h"

namespace mailwarden::policy {
namespace {

// `record` with another value at the end of a path, or without it. Nothing where the path ends
// early.
std::optional<Value> changed(Memory& memory, const Value& record, std::span<const std::string> path,
                             const Value* value) {
  std::vector<Member> members(record.as_record().begin(), record.as_record().end());
  const auto at = std::ranges::find(members, path.front(), &Member::name);
  if (path.size() > 1) {
    if (at == members.end() || at->value.kind != Kind::record) return std::nullopt;
    const auto inner = changed(memory, at->value, path.subspan(1), value);
    if (!inner) return std::nullopt;
    at->value = *inner;
  } else if (value == nullptr) {
    if (at == members.end()) return std::nullopt;
    members.erase(at);
  } else if (at != members.end()) {
    at->value = *value;
  } else {
    members.push_back({keep(memory, path.front()), *value});
  }
  return make_record(memory, members);
}

}  // namespace

Suppositions::Suppositions(const DecisionPoint& point, const Request& request,
                           std::span<const std::string> fixed, Memory& memory)
    : point_(point),
      request_(request),
      expressions_(point.loaded().policies->expressions()),
      schema_(point.loaded().schema.get()),
      fixed_(fixed),
      memory_(memory) {}

std::optional<Supposed> Suppositions::apply(std::span<const Edit> edits) const {
  const Entities& entities = point_.authorizer().entities();
  Supposed supposed{.context = request_.context};
  supposed.principal.attributes = {.kind = Kind::record, .members = nullptr};
  supposed.principal.tags = {.kind = Kind::record, .members = nullptr};
  const EntityName* const principal = entities.find(request_.principal.type, request_.principal.id);
  if (principal != nullptr) {
    supposed.principal = entities[principal->number];
    const auto above = entities.ancestors(principal->number);
    supposed.groups.assign(above.begin(), above.end());
  }
  for (const Edit& edit : edits) {
    if (edit.kind == Edit::Kind::join) {
      const EntityName* const group = entities.find(*edit.value.entity);
      if (group == nullptr) return std::nullopt;
      supposed.principal.is_defined = true;
      supposed.groups.push_back(group->number);
      const auto above = entities.ancestors(group->number);
      supposed.groups.insert(supposed.groups.end(), above.begin(), above.end());
      std::ranges::sort(supposed.groups);
      continue;
    }
    Value& record = edit.is_context ? supposed.context : supposed.principal.attributes;
    if (!edit.is_context) supposed.principal.is_defined = true;
    const auto made = changed(memory_, record, edit.path,
                              edit.kind == Edit::Kind::remove ? nullptr : &edit.value);
    if (!made) return std::nullopt;
    record = *made;
  }
  return supposed;
}

bool Suppositions::fits(const Supposed& supposed) const {
  if (schema_ == nullptr) return true;
  const ActionType* const action = schema_->action(request_.action);
  if (action == nullptr || !conforms(supposed.context, action->context, *schema_)) return false;
  const EntityType* const type = schema_->entity(request_.principal.type);
  return type != nullptr && (!supposed.principal.is_defined ||
                             conforms(supposed.principal.attributes, type->attributes, *schema_));
}

void Suppositions::add(std::vector<Edit>& edits, Edit edit) const {
  // What goes into a record that is new belongs to it.
  for (Edit& one : edits) {
    const bool is_inside = one.kind == Edit::Kind::set && edit.kind == Edit::Kind::set &&
                           one.is_context == edit.is_context && one.value.kind == Kind::record &&
                           one.path.size() < edit.path.size() &&
                           std::equal(one.path.begin(), one.path.end(), edit.path.begin());
    if (!is_inside) continue;
    const auto made =
        changed(memory_, one.value, std::span(edit.path).subspan(one.path.size()), &edit.value);
    if (!made) continue;
    one.value = *made;
    return;
  }
  // A place is edited once, unless what stands in it was only put there to be there.
  std::erase_if(edits, [&](const Edit& one) { return one.is_same_place(edit); });
  edits.push_back(std::move(edit));
}

std::optional<Value> Suppositions::now(const Edit& edit) const {
  const auto before = apply({});
  Value here = edit.is_context ? before->context : before->principal.attributes;
  for (const std::string& name : edit.path) {
    const Value* const inner = here.kind == Kind::record ? here.find(name) : nullptr;
    if (inner == nullptr) return std::nullopt;
    here = *inner;
  }
  return here;
}

// The place that an expression reads: `context.a.b` or `principal.a`.
std::optional<Suppositions::Place> Suppositions::place_of(ExprId id) const {
  Place place;
  for (;;) {
    const Node& node = expressions_[id];
    if (node.op == Op::variable) {
      const auto variable = static_cast<Variable>(node.detail);
      place.is_context = variable == Variable::context;
      if (!place.is_context && variable != Variable::principal) return std::nullopt;
      std::ranges::reverse(place.path);
      if (place.path.empty() || is_fixed(place)) return std::nullopt;
      return place;
    }
    if (node.op != Op::get_attribute) return std::nullopt;
    place.path.emplace_back(expressions_.name(node.b));
    id = node.a;
  }
}

bool Suppositions::is_fixed(const Place& place) const {
  std::string path = place.is_context ? "context" : "principal";
  for (const std::string& name : place.path) path += "." + name;
  return std::ranges::find(fixed_, path) != fixed_.end();
}

std::optional<TypeId> Suppositions::type_at(const Place& place) const {
  if (schema_ == nullptr) return std::nullopt;
  const ActionType* const action = schema_->action(request_.action);
  const EntityType* const principal = schema_->entity(request_.principal.type);
  if (action == nullptr || principal == nullptr) return std::nullopt;
  TypeId type = place.is_context ? action->context : principal->attributes;
  for (const std::string& name : place.path) {
    if (schema_->types()[type].form != Types::Form::record) return std::nullopt;
    const AttributeType* const attribute = schema_->types().attribute(type, name);
    if (attribute == nullptr) return std::nullopt;
    type = attribute->type;
  }
  return type;
}

// A value of a type for a place where there is none; what asks more of it is asked afterwards.
std::optional<Value> Suppositions::usual(TypeId id) const {
  using Form = Types::Form;
  const Types::Type& type = schema_->types()[id];
  switch (type.form) {
    case Form::boolean:
    case Form::yes:
    case Form::no:
      return Value::of(type.form == Form::yes);
    case Form::integer:
      return Value::of(std::int64_t{0});
    case Form::string:
      return Value::of(std::string_view("?"));
    case Form::set:
      return Value{.kind = Kind::set, .items = nullptr};
    case Form::extension:
      if (type.kind == Kind::ip) {
        static constexpr IpRange nowhere{.prefix = 32};
        return Value::of(&nowhere);
      }
      return Value::of(std::int64_t{0}, type.kind);
    case Form::entity: {
      const EntityType* const entity = schema_->entity(type.name);
      if (entity == nullptr) return std::nullopt;
      const std::string id = entity->choices ? *entity->choices->begin() : "?";
      const EntityName name{.type = type.name, .id = id, .hash = hash_of(type.name, id)};
      return copy(memory_, Value::of(&name));
    }
    case Form::record:
      break;
  }
  std::vector<Member> members;
  for (const AttributeType& one : type.attributes) {
    if (!one.is_required) continue;
    const auto value = usual(one.type);
    if (!value) return std::nullopt;
    members.push_back({one.name, *value});
  }
  return make_record(memory_, members);
}

std::optional<Value> Suppositions::value_of(ExprId id, const Bound& bound) const {
  EvaluationMemory memory;
  memory.begin(point_.authorizer().linked());
  Evaluator evaluator(point_.authorizer().linked(), bound, memory);
  Value value;
  if (!evaluator.evaluate(id, value)) return std::nullopt;
  return copy(memory_, value);
}

std::vector<Edit> Suppositions::edits_for(const Part& part, const Bound& bound) const {
  std::vector<Edit> edits;
  collect(part, bound, edits);
  return edits;
}

void Suppositions::set(const Part& part, ExprId at, const Value& value,
                       std::vector<Edit>& edits) const {
  const auto place = place_of(at);
  if (!place) return;
  edits.push_back({.kind = Edit::Kind::set,
                   .is_context = place->is_context,
                   .path = place->path,
                   .value = value,
                   .asked_by = part.id,
                   .wanted = part.wanted});
}

void Suppositions::collect(const Part& part, const Bound& bound, std::vector<Edit>& edits) const {
  const auto before = value_of(part.id, bound);
  if (before && before->kind == Kind::boolean && before->is_true() == part.wanted) return;
  const Node& node = expressions_[part.id];
  const auto inner = [&](ExprId id, bool wanted) {
    collect({.id = id, .wanted = wanted}, bound, edits);
  };
  switch (node.op) {
    case Op::negation:
      return inner(node.a, !part.wanted);
    case Op::both:
    case Op::either: {
      const std::size_t found = edits.size();
      inner(node.a, part.wanted);
      // Where both are needed, what the first one lacks comes first.
      const bool needs_both = (node.op == Op::both) == part.wanted;
      if (!needs_both || edits.size() == found) inner(node.b, part.wanted);
      return;
    }
    case Op::if_then_else: {
      const auto condition = value_of(node.a, bound);
      if (!condition) return inner(node.a, true);
      return inner(condition->is_true() ? node.b : node.c, part.wanted);
    }
    case Op::get_attribute:
      return set(part, part.id, Value::of(part.wanted), edits);
    case Op::has_attribute:
      return presence(part, edits);
    case Op::equal:
    case Op::not_equal:
    case Op::less:
    case Op::less_or_equal:
    case Op::greater:
    case Op::greater_or_equal:
      return comparisons(part, bound, edits);
    case Op::in:
    case Op::contains:
      return membership(part, bound, edits);
    case Op::like: {
      if (!part.wanted) return;
      std::string text;
      for (const std::string& one : expressions_.pattern(node.b)) text += one;
      return set(part, node.a, Value::of(keep(memory_, text)), edits);
    }
    case Op::call: {
      const auto arguments = expressions_.list(node.a);
      const bool is_range = node.detail == static_cast<std::uint8_t>(Function::is_in_range);
      const auto range =
          is_range && arguments.size() == 2 ? value_of(arguments[1], bound) : std::nullopt;
      if (range && part.wanted) set(part, arguments[0], *range, edits);
      return;
    }
    default:
      return;
  }
}

// The value next to another that stands in this order to it.
std::optional<Value> Suppositions::beside(Op op, bool wanted, const Value& value,
                                          bool is_left) const {
  if (op == Op::equal || op == Op::not_equal) {
    if ((op == Op::equal) == wanted) return value;
    if (value.kind == Kind::boolean) return Value::of(!value.is_true());
    if (value.kind == Kind::string) {
      return Value::of(keep(memory_, std::string(value.as_text()) + "?"));
    }
    return std::nullopt;
  }
  bool is_below = op == Op::less || op == Op::less_or_equal;
  bool may_be_equal = op == Op::less_or_equal || op == Op::greater_or_equal;
  if (!wanted) {
    is_below = !is_below;
    may_be_equal = !may_be_equal;
  }
  if (!is_left) is_below = !is_below;
  if (value.kind != Kind::integer && value.kind != Kind::datetime && value.kind != Kind::duration) {
    return std::nullopt;
  }
  if (may_be_equal) return value;
  std::int64_t number = 0;
  const std::int64_t step = is_below ? -1 : 1;
  if (__builtin_add_overflow(value.number, step, &number)) return std::nullopt;
  return Value::of(number, value.kind);
}

void Suppositions::comparisons(const Part& part, const Bound& bound,
                               std::vector<Edit>& edits) const {
  const Node& node = expressions_[part.id];
  for (const bool is_left : {true, false}) {
    const ExprId own = is_left ? node.a : node.b;
    const ExprId other = is_left ? node.b : node.a;
    const auto value = value_of(other, bound);
    const auto next = value ? beside(node.op, part.wanted, *value, is_left) : std::nullopt;
    if (!next) continue;
    set(part, own, *next, edits);
    since(part, own, *next, bound, edits);
  }
}

// `a.durationSince(b)` comes to a value if either of both moves.
void Suppositions::since(const Part& part, ExprId id, const Value& value, const Bound& bound,
                         std::vector<Edit>& edits) const {
  const Node& node = expressions_[id];
  if (node.op != Op::call || node.detail != static_cast<std::uint8_t>(Function::duration_since)) {
    return;
  }
  const auto arguments = expressions_.list(node.a);
  if (arguments.size() != 2 || value.kind != Kind::duration) return;
  const auto later = value_of(arguments[0], bound);
  const auto earlier = value_of(arguments[1], bound);
  std::int64_t moved = 0;
  if (later && !__builtin_sub_overflow(later->number, value.number, &moved)) {
    set(part, arguments[1], Value::of(moved, Kind::datetime), edits);
  }
  if (earlier && !__builtin_add_overflow(earlier->number, value.number, &moved)) {
    set(part, arguments[0], Value::of(moved, Kind::datetime), edits);
  }
}

void Suppositions::membership(const Part& part, const Bound& bound,
                              std::vector<Edit>& edits) const {
  if (!part.wanted) return;
  const Node& node = expressions_[part.id];
  const bool is_contains = node.op == Op::contains;
  const ExprId element = is_contains ? node.b : node.a;
  const auto group = value_of(is_contains ? node.a : node.b, bound);
  const Node& who = expressions_[element];
  const bool is_principal =
      who.op == Op::variable && who.detail == static_cast<std::uint8_t>(Variable::principal);
  constexpr std::size_t choices_max = 4;
  std::vector<Value> choices;
  if (group && group->kind == Kind::set) {
    const auto all = group->as_set();
    choices.assign(all.begin(),
                   all.begin() + static_cast<std::ptrdiff_t>(std::min(choices_max, all.size())));
  } else if (group) {
    choices.push_back(*group);
  }
  for (const Value& one : choices) {
    if (!is_principal) {
      set(part, element, one, edits);
    } else if (!is_contains && one.kind == Kind::entity && may_join(*one.entity)) {
      edits.push_back({.kind = Edit::Kind::join,
                       .is_context = false,
                       .path = {},
                       .value = one,
                       .asked_by = part.id});
    }
  }
  // Or the set gets another member.
  const auto value = is_contains && group ? value_of(element, bound) : std::nullopt;
  if (!value) return;
  std::vector<Value> items(group->as_set().begin(), group->as_set().end());
  items.push_back(*value);
  set(part, node.a, make_set(memory_, items), edits);
}

void Suppositions::presence(const Part& part, std::vector<Edit>& edits) const {
  const Node& node = expressions_[part.id];
  Place place;
  const Node& of = expressions_[node.a];
  if (of.op == Op::variable) {
    const auto variable = static_cast<Variable>(of.detail);
    if (variable != Variable::context && variable != Variable::principal) return;
    place.is_context = variable == Variable::context;
  } else {
    const auto above = place_of(node.a);
    if (!above) return;
    place = *above;
  }
  place.path.emplace_back(expressions_.name(node.b));
  Edit edit{.kind = part.wanted ? Edit::Kind::set : Edit::Kind::remove,
            .is_context = place.is_context,
            .path = place.path,
            .asked_by = part.id,
            .wanted = part.wanted};
  if (part.wanted) {
    const auto type = type_at(place);
    const auto value = type ? usual(*type) : std::nullopt;
    if (!value) return;
    edit.value = *value;
  }
  edits.push_back(std::move(edit));
}

// Whether the schema lets the principal stand in it.
bool Suppositions::may_join(const EntityName& group) const {
  if (schema_ == nullptr) return true;
  const EntityType* const type = schema_->entity(request_.principal.type);
  return type != nullptr && type->ancestors.contains(group.type) && schema_->knows(group.uid());
}

std::optional<Edit> Suppositions::join(const Scope& scope, ExprId asked_by) const {
  const bool is_group = scope.kind == Scope::Kind::in || scope.kind == Scope::Kind::is_in;
  if (!is_group || !may_join(*scope.entity) ||
      (scope.kind == Scope::Kind::is_in && scope.type != request_.principal.type)) {
    return std::nullopt;
  }
  return Edit{.kind = Edit::Kind::join,
              .is_context = false,
              .path = {},
              .value = Value::of(scope.entity),
              .asked_by = asked_by};
}

}  // namespace mailwarden::policy
