// Changes that an explanation tells of, made by hand.
//
// What     A Change is made in the JSON of the principal and of the context, as somebody would who
//          read it.
// Owns     Nothing.
// Threads  One.
// Errors   Those of given.h.
// Limits   None.
#pragma once

#include <gtest/gtest.h>

#include "policy/explain.h"
#include "tests/policy/given.h"

namespace mailwarden::policy {

// The names behind `context` or `principal`.
inline std::vector<std::string> steps(const std::string& path) {
  Expressions expressions;
  std::vector<std::string> names;
  for (ExprId id = must(parse_expression(path, expressions));
       expressions[id].op == Op::get_attribute; id = expressions[id].a) {
    names.insert(names.begin(), std::string(expressions.name(expressions[id].b)));
  }
  return names;
}

inline json::Value json_of(const std::string& cedar) {
  Expressions expressions;
  const ExprId id = must(parse_expression(cedar, expressions));
  const Entities none;
  const Linked linked(expressions, none, std::array{id});
  const Bound bound;
  EvaluationMemory memory;
  memory.begin(linked);
  Value value;
  EXPECT_TRUE(Evaluator(linked, bound, memory).evaluate(id, value)) << cedar;
  return to_json(value);
}

inline void make_change(const Change& change, json::Value& principal, json::Value& context) {
  if (change.kind == Change::Kind::join) {
    const EntityUid group = must(parse_entity_uid(change.value));
    principal.as_object()->at("parents").as_array()->push_back(to_json(group));
    return;
  }
  json::Value* record =
      change.path.starts_with("context") ? &context : &principal.as_object()->at("attrs");
  const auto names = steps(change.path);
  for (std::size_t at = 0; at + 1 < names.size(); ++at) {
    record = &record->as_object()->at(names[at]);
  }
  if (change.kind == Change::Kind::remove) {
    record->as_object()->erase(names.back());
  } else {
    (*record->as_object())[names.back()] = json_of(change.value);
  }
}

}  // namespace mailwarden::policy
