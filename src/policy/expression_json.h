// The part of policy_json.h about expressions. Not for other modules.
//
// What     Reads one JsonExpr object into nodes; wrong() says what is no policy.
// Owns     Nothing.
// Threads  One.
// Errors   Error{invalid}.
// Limits   ParseOptions.
#pragma once

#include "policy/policy_json.h"

namespace mailwarden::policy {

inline std::unexpected<Error> wrong(const std::string& what) {
  return fail(Code::invalid, what);
}

class ExpressionReader {
 public:
  ExpressionReader(Expressions& expressions, const ParseOptions& options)
      : expressions_(expressions), options_(options) {}

  Result<ExprId> read(const json::Value& json);

 private:
  Result<ExprId> operation(const std::string& name, const json::Value& inner);
  Result<ExprId> binary(Op op, const std::string& name, const json::Value& inner);
  Result<ExprId> unary(Op op, const std::string& name, const json::Value& inner);
  Result<ExprId> variable(const json::Value& inner);
  Result<ExprId> get(const json::Value& inner);
  Result<ExprId> has(const json::Value& inner);
  Result<ExprId> is(const json::Value& inner);
  Result<ExprId> like(const json::Value& inner);
  Result<ExprId> choice(const json::Value& inner);
  Result<ExprId> record(const json::Value& inner);
  Result<ExprId> call(const std::string& name, const json::Value& inner);
  Result<ExprId> value(const json::Value& json);
  Result<ExprId> escaped_value(const json::Object& object);
  Result<std::vector<ExprId>> items(const std::string& name, const json::Value& inner);
  Result<ExprId> left_of(const std::string& name, const json::Value& inner);
  Result<ExprId> checked(ExprId id) const;

  Expressions& expressions_;
  const ParseOptions& options_;
  std::size_t nesting_ = 0;
};

}  // namespace mailwarden::policy
