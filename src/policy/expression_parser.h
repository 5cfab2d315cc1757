// The part of the policy parser that reads expressions. Not for other modules.
//
// What     A parser by descent over a Lexer that it shares with the parser of policies.
// Owns     Nothing.
// Threads  One.
// Errors   As parse_policy.h tells.
// Limits   ParseOptions.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "policy/lexer.h"
#include "policy/parse_policy.h"

namespace mailwarden::policy {

class ExpressionParser {
 public:
  ExpressionParser(Lexer& lexer, Expressions& expressions, const ParseOptions& options)
      : lexer_(lexer), expressions_(expressions), options_(options) {}

  Result<ExprId> expression();
  // A::B
  Result<std::string> path();
  // A::B::"id"
  Result<EntityUid> entity();

  std::unexpected<Error> wrong(const Token& token, const std::string& expected) const;
  std::unexpected<Error> refused(const Token& token, const std::string& why) const;
  Result<std::string> string_of(const Token& token) const;

 private:
  using Rule = Result<ExprId> (ExpressionParser::*)();

  Result<ExprId> choice();
  Result<ExprId> either();
  Result<ExprId> both();
  Result<ExprId> relation();
  Result<ExprId> compared(ExprId left);
  Result<ExprId> sum();
  Result<ExprId> product();
  Result<ExprId> unary();
  Result<ExprId> signed_member();
  Result<ExprId> member();
  Result<ExprId> accessed(ExprId of);
  Result<ExprId> method(ExprId receiver, const Token& name);
  Result<ExprId> primary();
  Result<ExprId> word();
  Result<ExprId> set();
  Result<ExprId> record();
  Result<ExprId> has(ExprId left);
  Result<ExprId> like(ExprId left);
  Result<ExprId> is(ExprId left);
  Result<std::vector<ExprId>> arguments(std::string_view close);
  Result<ExprId> checked(const Token& token, ExprId id) const;

  Lexer& lexer_;
  Expressions& expressions_;
  const ParseOptions& options_;
  std::size_t nesting_ = 0;
};

}  // namespace mailwarden::policy
