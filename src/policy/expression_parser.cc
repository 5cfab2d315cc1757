#include "policy/expression_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <set>

namespace mailwarden::policy {

std::unexpected<Error> ExpressionParser::refused(const Token& token, const std::string& why) const {
  return fail(Code::invalid, lexer_.where(token) + ": " + why);
}

std::unexpected<Error> ExpressionParser::wrong(const Token& token,
                                               const std::string& expected) const {
  return refused(token, Lexer::shown(token) + " where " + expected + " was expected");
}

Result<std::string> ExpressionParser::string_of(const Token& token) const {
  auto text = unescape(token.text);
  if (!text) return refused(token, text.error().what);
  return text;
}

Result<ExprId> ExpressionParser::checked(const Token& token, ExprId id) const {
  if (expressions_.depth(id) > options_.depth_max) {
    return refused(token, "the expression is deeper than " + std::to_string(options_.depth_max) +
                              " operators");
  }
  return id;
}

Result<ExprId> ExpressionParser::expression() {
  if (nesting_ >= options_.nesting_max) {
    return refused(lexer_.peek(), "expressions stand deeper in one another than " +
                                      std::to_string(options_.nesting_max) + " levels");
  }
  ++nesting_;
  auto id = lexer_.peek().is("if") ? choice() : either();
  --nesting_;
  return id;
}

Result<ExprId> ExpressionParser::choice() {
  const Token start = lexer_.take();
  const auto condition = expression();
  if (!condition) return condition;
  if (!lexer_.take("then")) return wrong(lexer_.peek(), "'then'");
  const auto yes = expression();
  if (!yes) return yes;
  if (!lexer_.take("else")) return wrong(lexer_.peek(), "'else'");
  const auto no = expression();
  if (!no) return no;
  return checked(start, expressions_.if_then_else(*condition, *yes, *no));
}

Result<ExprId> ExpressionParser::either() {
  auto left = both();
  while (left && lexer_.peek().is("||")) {
    const Token token = lexer_.take();
    const auto right = both();
    if (!right) return right;
    left = checked(token, expressions_.binary(Op::either, *left, *right));
  }
  return left;
}

Result<ExprId> ExpressionParser::both() {
  auto left = relation();
  while (left && lexer_.peek().is("&&")) {
    const Token token = lexer_.take();
    const auto right = relation();
    if (!right) return right;
    left = checked(token, expressions_.binary(Op::both, *left, *right));
  }
  return left;
}

namespace {

struct Sign {
  std::string_view text;
  Op op;
};

constexpr std::array<Sign, 7> comparisons = {{{"==", Op::equal},
                                              {"!=", Op::not_equal},
                                              {"<", Op::less},
                                              {"<=", Op::less_or_equal},
                                              {">", Op::greater},
                                              {">=", Op::greater_or_equal},
                                              {"in", Op::in}}};

constexpr std::array<Sign, 6> methods = {{{"contains", Op::contains},
                                          {"containsAll", Op::contains_all},
                                          {"containsAny", Op::contains_any},
                                          {"isEmpty", Op::is_empty},
                                          {"hasTag", Op::has_tag},
                                          {"getTag", Op::get_tag}}};

template <class Signs>
const Sign* find(const Signs& signs, const Token& token) {
  const auto at = std::ranges::find_if(signs, [&](const Sign& s) { return token.is(s.text); });
  return at == signs.end() ? nullptr : &*at;
}

}  // namespace

Result<ExprId> ExpressionParser::relation() {
  const auto left = sum();
  if (!left) return left;
  if (lexer_.take("has")) return has(*left);
  if (lexer_.take("like")) return like(*left);
  if (lexer_.take("is")) return is(*left);
  return compared(*left);
}

Result<ExprId> ExpressionParser::compared(ExprId left) {
  const Token token = lexer_.peek();
  if (token.is("=")) return refused(token, "'=' compares nothing; write '=='");
  const Sign* const sign = find(comparisons, token);
  if (sign == nullptr) return left;
  lexer_.take();
  const auto right = sum();
  if (!right) return right;
  const Token& next = lexer_.peek();
  if (find(comparisons, next) != nullptr || next.is("has") || next.is("like") || next.is("is")) {
    return refused(next, "comparisons in a row need parentheses");
  }
  return checked(token, expressions_.binary(sign->op, left, *right));
}

Result<ExprId> ExpressionParser::has(ExprId left) {
  Token token = lexer_.take();
  if (token.kind == Token::Kind::string) {
    const auto name = string_of(token);
    if (!name) return std::unexpected(name.error());
    return checked(token, expressions_.named(Op::has_attribute, left, *name));
  }
  Result<ExprId> all = std::unexpected(Error{});
  for (bool first = true;; first = false) {
    if (token.kind != Token::Kind::identifier || is_reserved(token.text)) {
      return wrong(token, "an attribute's name");
    }
    const ExprId one = expressions_.named(Op::has_attribute, left, token.text);
    all = checked(token, first ? one : expressions_.binary(Op::both, *all, one));
    if (!all || !lexer_.take(".")) return all;
    left = expressions_.named(Op::get_attribute, left, token.text);
    token = lexer_.take();
  }
}

Result<ExprId> ExpressionParser::like(ExprId left) {
  const Token token = lexer_.take();
  if (token.kind != Token::Kind::string) return wrong(token, "a pattern in quotes");
  const auto text = unescape(token.text, true);
  if (!text) return refused(token, text.error().what);
  Pattern pattern(1);
  for (const char c : *text) {
    if (c == '*') {
      pattern.emplace_back();
    } else {
      pattern.back() += c == escaped_star ? '*' : c;
    }
  }
  return checked(token, expressions_.like(left, pattern));
}

Result<ExprId> ExpressionParser::is(ExprId left) {
  const Token token = lexer_.peek();
  const auto type = path();
  if (!type) return std::unexpected(type.error());
  const auto is_type = checked(token, expressions_.named(Op::is_type, left, *type));
  if (!is_type || !lexer_.take("in")) return is_type;
  const auto group = sum();
  if (!group) return group;
  return checked(
      token, expressions_.binary(Op::both, *is_type, expressions_.binary(Op::in, left, *group)));
}

Result<ExprId> ExpressionParser::sum() {
  auto left = product();
  while (left && (lexer_.peek().is("+") || lexer_.peek().is("-"))) {
    const Token token = lexer_.take();
    const auto right = product();
    if (!right) return right;
    const Op op = token.is("+") ? Op::plus : Op::subtract;
    left = checked(token, expressions_.binary(op, *left, *right));
  }
  return left;
}

Result<ExprId> ExpressionParser::product() {
  auto left = unary();
  while (left) {
    const Token token = lexer_.peek();
    if (token.is("/") || token.is("%")) {
      return refused(token, "Cedar has no operator '" + std::string(token.text) + "'");
    }
    if (!lexer_.take("*")) return left;
    const auto right = unary();
    if (!right) return right;
    left = checked(token, expressions_.binary(Op::times, *left, *right));
  }
  return left;
}

Result<ExprId> ExpressionParser::unary() {
  const Token token = lexer_.peek();
  if (token.is("-")) return signed_member();
  std::size_t count = 0;
  while (lexer_.take("!")) ++count;
  if (count > 4) return refused(token, "more than four '!' in a row");
  auto id = member();
  for (; id && count > 0; --count) id = checked(token, expressions_.unary(Op::negation, *id));
  return id;
}

Result<ExprId> ExpressionParser::signed_member() {
  const Token token = lexer_.peek();
  std::size_t count = 0;
  while (lexer_.take("-")) ++count;
  if (count > 4) return refused(token, "more than four '-' in a row");
  Result<ExprId> id = 0;
  const Token number = lexer_.peek();
  if (number.kind == Token::Kind::number) {
    lexer_.take();
    const Token& next = lexer_.peek();
    const bool is_whole = !next.is(".") && !next.is("[") && !next.is("(");
    // The last '-' belongs to the number, so that the smallest one can be written.
    const std::string digits = (is_whole ? "-" : "") + std::string(number.text);
    std::int64_t value = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc()) {
      return refused(number, "a number that does not fit into 64 bits");
    }
    id = expressions_.integer(value);
    if (is_whole) {
      --count;
    } else {
      id = accessed(*id);
    }
  } else {
    id = member();
  }
  for (; id && count > 0; --count) id = checked(token, expressions_.unary(Op::minus, *id));
  return id;
}

Result<ExprId> ExpressionParser::member() {
  auto id = primary();
  if (!id) return id;
  return accessed(*id);
}

// What stands behind a value: attributes and methods.
Result<ExprId> ExpressionParser::accessed(ExprId of) {
  Result<ExprId> id = of;
  for (;;) {
    const Token token = lexer_.peek();
    if (!id) return id;
    if (lexer_.take(".")) {
      const Token name = lexer_.take();
      if (name.kind != Token::Kind::identifier || is_reserved(name.text)) {
        return wrong(name, "the name of an attribute or method");
      }
      id = lexer_.peek().is("(")
               ? method(*id, name)
               : checked(name, expressions_.named(Op::get_attribute, *id, name.text));
    } else if (lexer_.take("[")) {
      const Token name = lexer_.take();
      if (name.kind != Token::Kind::string) return wrong(name, "an attribute's name in quotes");
      const auto text = string_of(name);
      if (!text) return std::unexpected(text.error());
      if (!lexer_.take("]")) return wrong(lexer_.peek(), "']'");
      id = checked(name, expressions_.named(Op::get_attribute, *id, *text));
    } else if (token.is("(")) {
      return wrong(token, "an operator");
    } else {
      return id;
    }
  }
}

Result<ExprId> ExpressionParser::method(ExprId receiver, const Token& name) {
  lexer_.take("(");
  auto values = arguments(")");
  if (!values) return std::unexpected(values.error());
  if (const Sign* const sign = find(methods, name)) {
    const std::size_t wanted = sign->op == Op::is_empty ? 0 : 1;
    if (values->size() != wanted) {
      return refused(name, "'" + std::string(name.text) + "' takes " +
                               (wanted == 0 ? "no argument" : "one argument"));
    }
    return checked(name, wanted == 0 ? expressions_.unary(sign->op, receiver)
                                     : expressions_.binary(sign->op, receiver, values->front()));
  }
  const FunctionInfo* const info = find_function(name.text);
  if (info == nullptr) {
    return refused(name, "there is no method '" + std::string(name.text) + "'");
  }
  if (info->is_constructor) {
    return refused(name, "'" + std::string(name.text) + "' is a function, not a method");
  }
  values->insert(values->begin(), receiver);
  return checked(name, expressions_.call(info->function, *values));
}

Result<std::vector<ExprId>> ExpressionParser::arguments(std::string_view close) {
  std::vector<ExprId> values;
  while (!lexer_.take(close)) {
    const auto value = expression();
    if (!value) return std::unexpected(value.error());
    values.push_back(*value);
    if (!lexer_.take(",") && !lexer_.peek().is(close)) {
      return wrong(lexer_.peek(), "',' or '" + std::string(close) + "'");
    }
  }
  return values;
}

Result<ExprId> ExpressionParser::primary() {
  const Token token = lexer_.peek();
  switch (token.kind) {
    case Token::Kind::number: {
      lexer_.take();
      std::int64_t value = 0;
      const char* const end = token.text.data() + token.text.size();
      if (std::from_chars(token.text.data(), end, value).ec != std::errc()) {
        return refused(token, "a number that does not fit into 64 bits");
      }
      return expressions_.integer(value);
    }
    case Token::Kind::string: {
      lexer_.take();
      const auto text = string_of(token);
      if (!text) return std::unexpected(text.error());
      return expressions_.string(*text);
    }
    case Token::Kind::identifier:
      return word();
    case Token::Kind::slot:
      return refused(token, "'" + std::string(token.text) + "' may stand in a scope alone");
    default:
      break;
  }
  if (lexer_.take("(")) {
    auto id = expression();
    if (id && !lexer_.take(")")) return wrong(lexer_.peek(), "')'");
    return id;
  }
  if (lexer_.take("[")) return set();
  if (lexer_.take("{")) return record();
  return wrong(token, "an expression");
}

// A truth, a variable, an entity or a call.
Result<ExprId> ExpressionParser::word() {
  const Token token = lexer_.peek();
  if (token.is("true") || token.is("false")) {
    lexer_.take();
    return expressions_.boolean(token.is("true"));
  }
  std::string name(lexer_.take().text);
  if (is_reserved(name)) return wrong(token, "an expression");
  if (!lexer_.peek().is("::") && !lexer_.peek().is("(")) {
    constexpr std::array all = {Variable::principal, Variable::action, Variable::resource,
                                Variable::context};
    for (const Variable one : all) {
      if (name == to_string(one)) return expressions_.variable(one);
    }
    return refused(token, "'" + name +
                              "' is no variable; there are principal, action, resource "
                              "and context");
  }
  while (lexer_.take("::")) {
    const Token next = lexer_.take();
    if (next.kind == Token::Kind::string) {
      const auto id = string_of(next);
      if (!id) return std::unexpected(id.error());
      return expressions_.entity(name, *id);
    }
    if (next.kind != Token::Kind::identifier || is_reserved(next.text)) {
      return wrong(next, "an entity's type or its id in quotes");
    }
    name.append("::").append(next.text);
  }
  if (!lexer_.take("(")) return wrong(lexer_.peek(), "'::' or '('");
  const auto values = arguments(")");
  if (!values) return std::unexpected(values.error());
  const FunctionInfo* const info = find_function(name);
  if (info == nullptr) return refused(token, "there is no function '" + name + "'");
  if (!info->is_constructor) {
    return refused(token, "'" + name + "' is a method: write value." + name + "(...)");
  }
  return checked(token, expressions_.call(info->function, *values));
}

Result<ExprId> ExpressionParser::set() {
  const Token token = lexer_.peek();
  const auto items = arguments("]");
  if (!items) return std::unexpected(items.error());
  return checked(token, expressions_.set(*items));
}

Result<ExprId> ExpressionParser::record() {
  const Token start = lexer_.peek();
  std::vector<std::pair<std::string, ExprId>> members;
  std::set<std::string> names;
  while (!lexer_.take("}")) {
    const Token token = lexer_.take();
    Result<std::string> name = std::string(token.text);
    if (token.kind == Token::Kind::string) {
      name = string_of(token);
    } else if (token.kind != Token::Kind::identifier || is_reserved(token.text)) {
      return wrong(token, "an attribute's name");
    }
    if (!name) return std::unexpected(name.error());
    if (!names.insert(*name).second) {
      return refused(token, "the record has '" + *name + "' twice");
    }
    if (!lexer_.take(":")) return wrong(lexer_.peek(), "':'");
    const auto value = expression();
    if (!value) return value;
    members.emplace_back(*name, *value);
    if (!lexer_.take(",") && !lexer_.peek().is("}")) return wrong(lexer_.peek(), "',' or '}'");
  }
  return checked(start, expressions_.record(std::move(members)));
}

Result<std::string> ExpressionParser::path() {
  std::string name;
  do {
    const Token token = lexer_.take();
    if (token.kind != Token::Kind::identifier || is_reserved(token.text)) {
      return wrong(token, "an entity type");
    }
    name.append(name.empty() ? "" : "::").append(token.text);
  } while (lexer_.take("::"));
  return name;
}

Result<EntityUid> ExpressionParser::entity() {
  EntityUid uid;
  for (;;) {
    const Token token = lexer_.take();
    if (token.kind == Token::Kind::string && !uid.type.empty()) {
      auto id = string_of(token);
      if (!id) return std::unexpected(id.error());
      uid.id = *std::move(id);
      return uid;
    }
    if (token.kind != Token::Kind::identifier || is_reserved(token.text)) {
      return wrong(token, "an entity such as User::\"ada\"");
    }
    uid.type.append(uid.type.empty() ? "" : "::").append(token.text);
    if (!lexer_.take("::")) return wrong(lexer_.peek(), "'::'");
  }
}

}  // namespace mailwarden::policy
