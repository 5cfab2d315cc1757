#include "policy/evaluate.h"

#include <algorithm>

#include "policy/print.h"

namespace mailwarden::policy {
namespace {

constexpr std::size_t block_bytes = 16 * 1024;

template <class Act>
void each_part(const Expressions& expressions, const Node& node, Act act) {
  switch (node.op) {
    case Op::literal:
    case Op::variable:
      return;
    case Op::set:
    case Op::record:
    case Op::call:
      for (const ExprId part : expressions.list(node.a)) act(part);
      return;
    default:
      act(node.a);
      if (is_binary(node.op) || node.op == Op::if_then_else) act(node.b);
      if (node.op == Op::if_then_else) act(node.c);
  }
}

}  // namespace

Value Bound::of(Variable variable) const {
  switch (variable) {
    case Variable::principal:
      return Value::of(principal_);
    case Variable::action:
      return Value::of(action_);
    case Variable::resource:
      return Value::of(resource_);
    case Variable::context:
      break;
  }
  return context_;
}

Linked::Linked(const Expressions& expressions, const Entities& entities,
               std::span<const ExprId> roots)
    : expressions_(expressions),
      entities_(entities),
      steps_(expressions.size()),
      values_(expressions.size()) {
  const Bound nothing;
  EvaluationMemory none;
  Evaluator evaluator(*this, nothing, none, memory_);
  for (ExprId id = 0; id < expressions.size(); ++id) {
    const Node& node = expressions[id];
    Step& step = steps_[id];
    step.node = node;
    if (node.op == Op::literal) {
      Value value = expressions.literal_of(node);
      if (value.kind == Kind::entity) {
        if (const EntityName* const known = entities.find(*value.entity)) value.entity = known;
      }
      values_[id] = value;
      step.is_constant = true;
      continue;
    }
    bool is_open = node.op == Op::variable;
    each_part(expressions, node, [&](ExprId part) { is_open |= !steps_[part].is_constant; });
    if (!is_open) step.is_constant = evaluator.evaluate(id, values_[id]);
  }
  find_shared(roots);
}

void Linked::find_shared(std::span<const ExprId> roots) {
  std::vector<std::uint8_t> uses(steps_.size());
  const auto use = [&](ExprId id) { uses[id] = uses[id] == 0 ? 1 : 2; };
  for (const Step& step : steps_) {
    if (!step.is_constant) each_part(expressions_, step.node, use);
  }
  for (const ExprId root : roots) uses[root] = 2;
  for (ExprId id = 0; id < steps_.size(); ++id) {
    Step& step = steps_[id];
    if (uses[id] < 2 || step.is_constant || step.node.op == Op::variable) continue;
    step.place = places_++;
  }
}

EvaluationMemory::EvaluationMemory() : block_(block_bytes), values_(block_.data(), block_.size()) {}

void EvaluationMemory::begin(const Linked& linked) {
  if (fitted_to_ != &linked || known_.size() != linked.places_ || ++turn_ == 0) {
    fitted_to_ = &linked;
    known_.assign(linked.places_, {});
    turn_ = 1;
  }
  values_.release();
}

Bound::Bound(const Linked& linked, const Request& request, const Supposed* supposed)
    : context_(supposed == nullptr ? request.context : supposed->context), supposed_(supposed) {
  const Entities& entities = linked.entities();
  const std::array uids = {&request.principal, &request.action, &request.resource};
  for (std::size_t at = 0; at < own_.size(); ++at) {
    const auto& [type, id] = *uids[at];
    own_[at] = {.type = type, .id = id, .hash = hash_of(type, id)};
    entities.bring_near(own_[at]);
  }
  const auto known = [&](std::size_t at) {
    const EntityName* const name = entities.find(own_[at]);
    if (name != nullptr) entities.bring_near(name->number);
    return name == nullptr ? &own_[at] : name;
  };
  principal_ = known(0);
  resource_ = known(2);
  action_ = known(1);
  for (const EntityName* name : {principal_, resource_}) {
    if (name->home == entities.home()) entities.bring_nearer(name->number);
  }
}

bool Evaluator::fail(Failure failure, ExprId at) {
  error_ = {.failure = failure, .at = at};
  return false;
}

bool Evaluator::remembered(ExprId id, const Linked::Step& step, Value& out) {
  EvaluationMemory::Known& known = known_.known_[step.place];
  if (known.turn != known_.turn_) {
    known.turn = known_.turn_;
    known.error = fresh(id, step.node, known.value) ? EvaluationError() : error_;
  }
  if (known.error.failure != Failure::none) {
    error_ = known.error;
    return false;
  }
  out = known.value;
  return true;
}

bool Evaluator::fresh(ExprId id, const Node& node, Value& out) {
  switch (node.op) {
    case Op::literal:
      out = linked_.expressions().literal_of(node);
      return true;
    case Op::variable:
      out = bound_.of(static_cast<Variable>(node.detail));
      return true;
    case Op::if_then_else: {
      bool yes = false;
      return truth(node.a, id, yes) && evaluate(yes ? node.b : node.c, out);
    }
    case Op::both:
    case Op::either:
      return logical(id, node, out);
    case Op::negation:
    case Op::minus:
    case Op::is_empty:
    case Op::is_type:
    case Op::like:
      return unary(id, node, out);
    case Op::has_attribute:
    case Op::get_attribute:
      return attribute(id, node, out);
    case Op::set:
    case Op::record:
      return collection(node, out);
    case Op::call:
      return call(id, node, out);
    default:
      return binary(id, node, out);
  }
}

bool Evaluator::truth(ExprId id, ExprId of, bool& out) {
  Value value;
  if (!evaluate(id, value)) return false;
  if (value.kind != Kind::boolean) return fail(Failure::wrong_type, of);
  out = value.is_true();
  return true;
}

bool Evaluator::logical(ExprId id, const Node& node, Value& out) {
  bool yes = false;
  if (!truth(node.a, id, yes)) return false;
  if (yes == (node.op == Op::both) && !truth(node.b, id, yes)) return false;
  out = Value::of(yes);
  return true;
}

bool Evaluator::unary(ExprId id, const Node& node, Value& out) {
  Value a;
  if (!evaluate(node.a, a)) return false;
  const Expressions& expressions = linked_.expressions();
  switch (node.op) {
    case Op::negation:
      if (a.kind != Kind::boolean) return fail(Failure::wrong_type, id);
      out = Value::of(!a.is_true());
      return true;
    case Op::minus: {
      if (a.kind != Kind::integer) return fail(Failure::wrong_type, id);
      std::int64_t number = 0;
      if (__builtin_sub_overflow(std::int64_t{0}, a.number, &number)) {
        return fail(Failure::overflow, id);
      }
      out = Value::of(number);
      return true;
    }
    case Op::is_empty:
      if (a.kind != Kind::set) return fail(Failure::wrong_type, id);
      out = Value::of(a.size == 0);
      return true;
    case Op::is_type:
      if (a.kind != Kind::entity) return fail(Failure::wrong_type, id);
      out = Value::of(a.entity->type == expressions.name(node.b));
      return true;
    default:
      if (a.kind != Kind::string) return fail(Failure::wrong_type, id);
      out = Value::of(matches(a.as_text(), expressions.pattern(node.b)));
      return true;
  }
}

bool Evaluator::binary(ExprId id, const Node& node, Value& out) {
  Value a;
  Value b;
  if (!evaluate(node.a, a) || !evaluate(node.b, b)) return false;
  switch (node.op) {
    case Op::equal:
      out = Value::of(equal(a, b));
      return true;
    case Op::not_equal:
      out = Value::of(!equal(a, b));
      return true;
    case Op::less:
    case Op::less_or_equal:
    case Op::greater:
    case Op::greater_or_equal:
      return compared(id, node.op, a, b, out);
    case Op::plus:
    case Op::subtract:
    case Op::times:
      return arithmetic(id, node.op, a, b, out);
    case Op::in:
      return is_in(id, a, b, out);
    case Op::has_tag:
    case Op::get_tag:
      return tags(id, node.op, a, b, out);
    default:
      return sets(id, node.op, a, b, out);
  }
}

bool Evaluator::compared(ExprId id, Op op, const Value& a, const Value& b, Value& out) {
  const bool has_order =
      a.kind == Kind::integer || a.kind == Kind::datetime || a.kind == Kind::duration;
  if (!has_order || a.kind != b.kind) return fail(Failure::wrong_type, id);
  const bool holds = op == Op::less            ? a.number < b.number
                     : op == Op::less_or_equal ? a.number <= b.number
                     : op == Op::greater       ? a.number > b.number
                                               : a.number >= b.number;
  out = Value::of(holds);
  return true;
}

bool Evaluator::arithmetic(ExprId id, Op op, const Value& a, const Value& b, Value& out) {
  if (a.kind != Kind::integer || b.kind != Kind::integer) return fail(Failure::wrong_type, id);
  std::int64_t number = 0;
  const bool is_over = op == Op::plus       ? __builtin_add_overflow(a.number, b.number, &number)
                       : op == Op::subtract ? __builtin_sub_overflow(a.number, b.number, &number)
                                            : __builtin_mul_overflow(a.number, b.number, &number);
  if (is_over) return fail(Failure::overflow, id);
  out = Value::of(number);
  return true;
}

bool Evaluator::sets(ExprId id, Op op, const Value& a, const Value& b, Value& out) {
  if (a.kind != Kind::set || (op != Op::contains && b.kind != Kind::set)) {
    return fail(Failure::wrong_type, id);
  }
  const auto stands = [&](const Value& one) { return contains(a.as_set(), one); };
  if (op == Op::contains) {
    out = Value::of(stands(b));
  } else if (op == Op::contains_all) {
    out = Value::of(std::ranges::all_of(b.as_set(), stands));
  } else {
    out = Value::of(std::ranges::any_of(b.as_set(), stands));
  }
  return true;
}

bool Bound::stands_in(const Entities& entities, const EntityName& name,
                      const EntityName& group) const {
  if (name == group) return true;
  const EntityName* const above = entities.find(group);
  if (above == nullptr) return false;
  if (supposed_ != nullptr && name == principal()) {
    return Entities::stands_among(supposed_->groups, above->number);
  }
  const EntityName* const below = entities.find(name);
  return below != nullptr && entities.is_below(below->number, above->number);
}

bool Evaluator::is_in(ExprId id, const Value& a, const Value& b, Value& out) {
  if (a.kind != Kind::entity) return fail(Failure::wrong_type, id);
  if (b.kind == Kind::entity) {
    out = Value::of(bound_.stands_in(linked_.entities(), *a.entity, *b.entity));
    return true;
  }
  if (b.kind != Kind::set) return fail(Failure::wrong_type, id);
  bool found = false;
  for (const Value& one : b.as_set()) {
    if (one.kind != Kind::entity) return fail(Failure::wrong_type, id);
    found = found || bound_.stands_in(linked_.entities(), *a.entity, *one.entity);
  }
  out = Value::of(found);
  return true;
}

const Entities::Entity* Evaluator::entity(const EntityName& name) const {
  if (bound_.supposed() != nullptr && name == bound_.principal()) {
    return &bound_.supposed()->principal;
  }
  return linked_.entities().known(linked_.entities().find(name));
}

bool Evaluator::tags(ExprId id, Op op, const Value& a, const Value& b, Value& out) {
  if (a.kind != Kind::entity || b.kind != Kind::string) return fail(Failure::wrong_type, id);
  const Entities::Entity* const of = entity(*a.entity);
  const Value* const tag = of == nullptr ? nullptr : of->tags.find(b.as_text());
  if (op == Op::has_tag) {
    out = Value::of(tag != nullptr);
    return true;
  }
  if (of == nullptr) return fail(Failure::no_entity, id);
  if (tag == nullptr) return fail(Failure::no_tag, id);
  out = *tag;
  return true;
}

bool Evaluator::attribute(ExprId id, const Node& node, Value& out) {
  Value a;
  if (!evaluate(node.a, a)) return false;
  const bool is_question = node.op == Op::has_attribute;
  const Value* record = &a;
  if (a.kind == Kind::entity) {
    const Entities::Entity* const of = entity(*a.entity);
    if (of == nullptr && !is_question) return fail(Failure::no_entity, id);
    record = of == nullptr ? nullptr : &of->attributes;
  } else if (a.kind != Kind::record) {
    return fail(Failure::wrong_type, id);
  }
  const Value* const found =
      record == nullptr ? nullptr : record->find(linked_.expressions().name(node.b));
  if (is_question) {
    out = Value::of(found != nullptr);
    return true;
  }
  if (found == nullptr) return fail(Failure::no_attribute, id);
  out = *found;
  return true;
}

bool Evaluator::collection(const Node& node, Value& out) {
  const auto parts = linked_.expressions().list(node.a);
  std::vector<Value> values(parts.size());
  for (std::size_t at = 0; at < parts.size(); ++at) {
    if (!evaluate(parts[at], values[at])) return false;
  }
  if (node.op == Op::set) {
    out = make_set(memory_, values);
    return true;
  }
  const auto names = linked_.expressions().list(node.b);
  std::vector<Member> members;
  for (std::size_t at = 0; at < values.size(); ++at) {
    members.push_back({linked_.expressions().name(names[at]), values[at]});
  }
  out = make_record(memory_, members);
  return true;
}

std::string describe(const EvaluationError& error, const Expressions& expressions) {
  const std::string text = "'" + print_expression(error.at, expressions) + "'";
  switch (error.failure) {
    case Failure::none:
      return "";
    case Failure::wrong_type:
      return text + " has an operand of the wrong type";
    case Failure::no_entity:
      return text + " asks an entity that is not known";
    case Failure::no_attribute:
      return text + " is not there";
    case Failure::no_tag:
      return text + ": the entity has no such tag";
    case Failure::overflow:
      return text + " does not fit into 64 bits";
    case Failure::bad_extension:
      return text + " is no valid value";
  }
  return "";
}

}  // namespace mailwarden::policy
