// Changes to a request and what would come of them. Not for other modules.
//
// What     An Edit says that one attribute of the context or the principal has another value, or
//          that the principal stands in a group. edits_for() finds the edits that could make a part
//          of a policy come to what it must; supposed() applies edits.
// Owns     What edits and supposed requests hold stands in the Memory that is given.
// Threads  Pure.
// Errors   None; edits that cannot be applied give nothing.
// Limits   A few edits for each part.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/clauses.h"
#include "policy/decision_point.h"
#include "policy/schema.h"

namespace mailwarden::policy {

struct Edit {
  enum class Kind : std::uint8_t { set, remove, join };

  Kind kind = Kind::set;
  bool is_context = true;  // or the principal
  std::vector<std::string> path;
  Value value;  // of set; the group, of join
  ExprId asked_by = 0;
  const Policy* policy = nullptr;  // whose part asked
  bool wanted = true;              // what asked_by must come to

  bool is_same_place(const Edit& other) const {
    return kind != Kind::join && other.kind != Kind::join && is_context == other.is_context &&
           path == other.path;
  }
};

class Suppositions {
 public:
  // `fixed` are places that nobody can change, such as "context.now".
  Suppositions(const DecisionPoint& point, const Request& request,
               std::span<const std::string> fixed, Memory& memory);

  // The request with edits; nothing where one of them has no place.
  std::optional<Supposed> apply(std::span<const Edit> edits) const;
  std::vector<Edit> edits_for(const Part& part, const Bound& bound) const;
  // With one more; an edit of what another put there becomes part of that.
  void add(std::vector<Edit>& edits, Edit edit) const;
  // That the principal stand in the scope's group, if that can be.
  std::optional<Edit> join(const Scope& scope, ExprId asked_by) const;
  bool fits(const Supposed& supposed) const;
  // What stands at an edit's place now.
  std::optional<Value> now(const Edit& edit) const;

 private:
  struct Place {
    bool is_context = true;
    std::vector<std::string> path;
  };

  std::optional<Place> place_of(ExprId id) const;
  bool is_fixed(const Place& place) const;
  bool may_join(const EntityName& group) const;
  std::optional<TypeId> type_at(const Place& place) const;
  std::optional<Value> usual(TypeId type) const;
  void collect(const Part& part, const Bound& bound, std::vector<Edit>& edits) const;
  void comparisons(const Part& part, const Bound& bound, std::vector<Edit>& edits) const;
  void since(const Part& part, ExprId id, const Value& value, const Bound& bound,
             std::vector<Edit>& edits) const;
  void membership(const Part& part, const Bound& bound, std::vector<Edit>& edits) const;
  void presence(const Part& part, std::vector<Edit>& edits) const;
  void set(const Part& part, ExprId at, const Value& value, std::vector<Edit>& edits) const;
  std::optional<Value> value_of(ExprId id, const Bound& bound) const;
  std::optional<Value> beside(Op op, bool wanted, const Value& value, bool is_left) const;

  const DecisionPoint& point_;
  const Request& request_;
  const Expressions& expressions_;
  const Schema* schema_;  // null where there is none
  std::span<const std::string> fixed_;
  Memory& memory_;
};

}  // namespace mailwarden::policy
