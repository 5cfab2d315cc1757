// What an expression comes to for one request.
//
// What     A Linked ties expressions to entities: it knows which entity each name means and what
//          does not depend on a request. An Evaluator walks expressions for one request.
// Owns     A Linked its constants; what evaluation makes stands in the Memory that is given.
// Threads  A Linked is read-only once it is made; one thread an Evaluator.
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

// The three entities of a request and its context, with names of the Linked's entities where those
// mention them.
struct Bound {
  EntityName principal;
  EntityName action;
  EntityName resource;
  Value context;

  Value of(Variable variable) const;
};

class Linked {
 public:
  Linked(const Expressions& expressions, const Entities& entities);

  const Expressions& expressions() const { return expressions_; }
  const Entities& entities() const { return entities_; }
  bool is_constant(ExprId id) const { return constant_[id] != 0; }
  const Value& constant(ExprId id) const { return values_[id]; }
  Bound bind(const Request& request) const;

 private:
  const Expressions& expressions_;
  const Entities& entities_;
  Memory memory_;
  std::vector<std::uint8_t> constant_;  // by node
  std::vector<Value> values_;
};

class Evaluator {
 public:
  Evaluator(const Linked& linked, const Bound& bound, Memory& memory)
      : linked_(linked), bound_(bound), memory_(memory) {}

  bool evaluate(ExprId id, Value& out);
  const EvaluationError& error() const { return error_; }

 private:
  friend class Linked;

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
  bool stands_in(const EntityName& name, const EntityName& group) const;

  const Linked& linked_;
  const Bound& bound_;
  Memory& memory_;
  EvaluationError error_;
};

// "'context.mfa' is not there", for a person.
std::string describe(const EvaluationError& error, const Expressions& expressions);

}  // namespace mailwarden::policy
