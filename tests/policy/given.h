// What tests of policies begin with.
//
// What     Policies, schemas, entities and requests made of texts that are right, and what an
//          expression comes to.
// Owns     Nothing.
// Threads  One.
// Errors   A text that is refused throws its sentence, which fails the test.
// Limits   None.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "json/value.h"
#include "policy/decision_point.h"
#include "policy/entity_json.h"

namespace mailwarden::policy {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().what);
  return *std::move(result);
}
inline void must(const Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().what);
}
// The sentence of a refusal; "" where there is none.
template <class T>
std::string refusal(const Result<T>& result) {
  return result ? std::string() : result.error().what;
}

inline std::shared_ptr<const PolicySet> policies(std::string_view text) {
  auto made = std::make_shared<PolicySet>();
  must(made->add_text(text));
  return made;
}

inline std::shared_ptr<const Schema> schema(std::string_view text) {
  return std::make_shared<const Schema>(must(Schema::resolve(must(parse_schema(text)))));
}

inline std::shared_ptr<const Entities> entities(std::string_view json,
                                                const Schema* schema = nullptr) {
  return std::make_shared<const Entities>(must(read_entities(json, schema)));
}

// Entities as Cedar writes them; the context as JSON.
inline Request request(std::string_view principal, std::string_view action,
                       std::string_view resource, std::string_view context = "{}",
                       const Schema* schema = nullptr) {
  Request made{.principal = must(parse_entity_uid(principal)),
               .action = must(parse_entity_uid(action)),
               .resource = must(parse_entity_uid(resource))};
  made.context = must(read_context(must(json::parse(context)), *made.memory, schema, made.action));
  return made;
}

inline DecisionPoint decision_point(std::string_view policies, std::string_view entities,
                                    std::shared_ptr<const Schema> schema = nullptr) {
  auto facts = policy::entities(entities, schema.get());
  return {{.policies = policy::policies(policies), .schema = std::move(schema)}, std::move(facts)};
}

// As Cedar writes it, or "! " and what went wrong.
inline std::string outcome(std::string_view expression, const Entities& entities,
                           const Request& request) {
  Expressions expressions;
  const ExprId id = must(parse_expression(expression, expressions));
  const Linked linked(expressions, entities, std::array{id});
  EvaluationMemory memory;
  memory.begin(linked);
  const Bound bound(linked, request);
  Evaluator evaluator(linked, bound, memory);
  Value value;
  if (!evaluator.evaluate(id, value)) return "! " + describe(evaluator.error(), expressions);
  return to_text(value);
}

}  // namespace mailwarden::policy
