// What an expression comes to for one request.
//
// What     A Linked ties expressions to entities: it knows which entity each name means and what
//          does not depend on a request. An Evaluator walks expressions for one request. What
//          stands in several places is evaluated once a request and then known.
// Owns     A Linked its constants; what evaluation makes stands in the EvaluationMemory.
// Threads  A Linked is read-only once it is made; one thread an Evaluator and its memory.
// Errors   evaluate() is false and failure() tells what went wrong and where. Nothing is thrown.
// Limits   Depth is that of the expression, which the parsers bound.
// Source   Cedar.Spec.Evaluator of the formal model; Cedar 4.5, "Operators and functions".
#pragma once

#include <string>
#include <vector>

#include "policy/entities.h"
#include "policy/expression.h"
#include "policy/request.h"

namespace mailwarden::policy {

enum class Failure : std::uint8_t {
  none,
  wrong_type,  // an operand of a kind that the operator does not take
  no_entity,   // an attribute or tag of an entity that is not there
  no_attribute,
  no_tag,
  overflow,
  bad_extension,  // a text that is no decimal, address, datetime or duration; or its overflow
};

struct EvaluationError {
  Failure failure = Failure::none;
  ExprId at = 0;

  bool operator==(const EvaluationError&) const = default;
};

class Linked;

// What a request would be like: another context, a principal of other attributes and more groups.
struct Supposed {
  Value context;
  Entities::Entity principal;
  std::vector<std::uint32_t> groups;  // all that the principal stands under, sorted
};

// The three entities of a request, as the entities of a Linked have them where they do, and its
// context. The request must outlive it.
class Bound {
 public:
  Bound() : principal_(&own_[0]), action_(&own_[1]), resource_(&own_[2]) {}
  // With what is supposed instead, if anything; it must outlive this too.
  Bound(const Linked& linked, const Request& request, const Supposed* supposed = nullptr);
  Bound(const Bound&) = delete;
  Bound& operator=(const Bound&) = delete;

  const EntityName& principal() const { return *principal_; }
  const EntityName& action() const { return *action_; }
  const EntityName& resource() const { return *resource_; }
  const Supposed* supposed() const { return supposed_; }
  // Whether one entity is the other or stands below it, as is supposed of the principal.
  bool stands_in(const Entities& entities, const EntityName& name, const EntityName& group) const;
  Value of(Variable variable) const;

 private:
  std::array<EntityName, 3> own_;  // for those that nobody mentions
  const EntityName* principal_;
  const EntityName* action_;
  const EntityName* resource_;
  Value context_{.kind = Kind::record, .members = nullptr};
  const Supposed* supposed_ = nullptr;
};

class Linked {
 public:
  // `roots` are evaluated for their own sake, perhaps several times a request.
  Linked(const Expressions& expressions, const Entities& entities, std::span<const ExprId> roots);
  Linked(const Linked&) = delete;
  Linked& operator=(const Linked&) = delete;

  const Expressions& expressions() const { return expressions_; }
  const Entities& entities() const { return entities_; }

 private:
  friend class Evaluator;
  friend class EvaluationMemory;
  static constexpr std::uint32_t no_place = 0xffffffff;

  // A node as evaluation wants it.
  struct Step {
    Node node;
    std::uint32_t place = no_place;  // where it is remembered
    bool is_constant = false;
  };

  void find_shared(std::span<const ExprId> roots);

  const Expressions& expressions_;
  const Entities& entities_;
  Memory memory_;
  std::vector<Step> steps_;    // by node
  std::vector<Value> values_;  // of constants
  std::uint32_t places_ = 0;
};

// What evaluations write; one a thread, good for every Linked in turn.
class EvaluationMemory {
 public:
  EvaluationMemory();
  EvaluationMemory(const EvaluationMemory&) = delete;
  EvaluationMemory& operator=(const EvaluationMemory&) = delete;

  // Before each request: what came of the last one is gone.
  void begin(const Linked& linked);

 private:
  friend class Evaluator;
  struct Known {
    std::uint32_t turn = 0;
    EvaluationError error;  // none where there is a value
    Value value;
  };

  std::vector<char> block_;  // where most evaluations find room
  Memory values_;
  const Linked* fitted_to_ = nullptr;
  std::uint32_t turn_ = 0;
  std::vector<Known> known_;
};

class Evaluator {
 public:
  // begin() of the memory was called for this request.
  Evaluator(const Linked& linked, const Bound& bound, EvaluationMemory& memory)
      : linked_(linked), bound_(bound), known_(memory), memory_(memory.values_) {}

  bool evaluate(ExprId id, Value& out) {
    const Linked::Step& step = linked_.steps_[id];
    if (step.is_constant) {
      out = linked_.values_[id];
      return true;
    }
    return step.place == Linked::no_place ? fresh(id, step.node, out) : remembered(id, step, out);
  }
  const EvaluationError& error() const { return error_; }

 private:
  friend class Linked;

  // Of what is made beforehand.
  Evaluator(const Linked& linked, const Bound& bound, EvaluationMemory& memory, Memory& values)
      : linked_(linked), bound_(bound), known_(memory), memory_(values) {}

  bool remembered(ExprId id, const Linked::Step& step, Value& out);
  bool fresh(ExprId id, const Node& node, Value& out);
  bool fail(Failure failure, ExprId at);
  bool truth(ExprId id, ExprId of, bool& out);
  bool logical(ExprId id, const Node& node, Value& out);
  bool unary(ExprId id, const Node& node, Value& out);
  bool binary(ExprId id, const Node& node, Value& out);
  bool compared(ExprId id, Op op, const Value& a, const Value& b, Value& out);
  bool arithmetic(ExprId id, Op op, const Value& a, const Value& b, Value& out);
  bool sets(ExprId id, Op op, const Value& a, const Value& b, Value& out);
  bool is_in(ExprId id, const Value& a, const Value& b, Value& out);
  bool tags(ExprId id, Op op, const Value& a, const Value& b, Value& out);
  bool attribute(ExprId id, const Node& node, Value& out);
  bool collection(const Node& node, Value& out);
  bool call(ExprId id, const Node& node, Value& out);
  bool datetime_call(ExprId id, Function function, std::span<const Value> values, Value& out);
  const Entities::Entity* entity(const EntityName& name) const;

  const Linked& linked_;
  const Bound& bound_;
  EvaluationMemory& known_;
  Memory& memory_;
  EvaluationError error_;
};

// "'context.mfa' is not there", for a person.
std::string describe(const EvaluationError& error, const Expressions& expressions);

}  // namespace mailwarden::policy
