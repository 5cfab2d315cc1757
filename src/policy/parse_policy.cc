#include "policy/parse_policy.h"

#include <algorithm>

#include "base/text.h"
#include "policy/expression_parser.h"

namespace mailwarden::policy {
namespace {

class PolicyParser {
 public:
  PolicyParser(std::string_view text, Expressions& expressions, const ParseOptions& options)
      : lexer_(text),
        expressions_(expressions),
        options_(options),
        parser_(lexer_, expressions, options) {}

  Result<std::vector<Policy>> policies() {
    std::vector<Policy> all;
    while (lexer_.peek().kind != Token::Kind::end) {
      auto one = policy();
      if (!one) return std::unexpected(one.error());
      one->id = options_.id_prefix + std::to_string(all.size());
      all.push_back(*std::move(one));
    }
    return all;
  }

  Result<ExprId> expression() {
    auto id = parser_.expression();
    if (id && lexer_.peek().kind != Token::Kind::end) {
      return parser_.wrong(lexer_.peek(), "an operator or the end");
    }
    return id;
  }

  Result<EntityUid> entity() {
    auto uid = parser_.entity();
    if (uid && lexer_.peek().kind != Token::Kind::end) {
      return parser_.wrong(lexer_.peek(), "the end");
    }
    return uid;
  }

 private:
  Result<Policy> policy() {
    Policy policy;
    policy.line = lexer_.line_of(lexer_.peek());
    if (auto done = annotations(policy); !done) return std::unexpected(done.error());
    const Token effect = lexer_.take();
    if (!effect.is("permit") && !effect.is("forbid")) {
      return parser_.wrong(effect, "'permit' or 'forbid'");
    }
    policy.effect = effect.is("permit") ? Effect::permit : Effect::forbid;
    if (auto done = scope(policy); !done) return std::unexpected(done.error());
    while (!lexer_.take(";")) {
      const Token word = lexer_.take();
      if (!word.is("when") && !word.is("unless")) {
        return parser_.wrong(word, "'when', 'unless' or ';'");
      }
      if (!lexer_.take("{")) return parser_.wrong(lexer_.peek(), "'{'");
      const auto body = parser_.expression();
      if (!body) return std::unexpected(body.error());
      if (!lexer_.take("}")) return parser_.wrong(lexer_.peek(), "an operator or '}'");
      policy.conditions.push_back({.is_when = word.is("when"), .body = *body});
    }
    return policy;
  }

  Result<void> annotations(Policy& policy) {
    while (lexer_.take("@")) {
      const Token name = lexer_.take();
      if (name.kind != Token::Kind::identifier) return parser_.wrong(name, "an annotation's name");
      Annotation one{.name = std::string(name.text), .value = std::nullopt};
      if (lexer_.take("(")) {
        const Token value = lexer_.take();
        if (value.kind != Token::Kind::string) return parser_.wrong(value, "a string");
        auto text = parser_.string_of(value);
        if (!text) return std::unexpected(text.error());
        one.value = *std::move(text);
        if (!lexer_.take(")")) return parser_.wrong(lexer_.peek(), "')'");
      }
      if (policy.annotation(one.name)) {
        return parser_.refused(name, "the policy has the annotation '" + one.name + "' twice");
      }
      policy.annotations.push_back(std::move(one));
    }
    return {};
  }

  Result<void> scope(Policy& policy) {
    if (!lexer_.take("(")) return parser_.wrong(lexer_.peek(), "'('");
    if (auto done = scope_part("principal", policy.principal); !done) return done;
    if (!lexer_.take(",")) return parser_.wrong(lexer_.peek(), "','");
    if (auto done = action(policy.action); !done) return done;
    if (!lexer_.take(",")) return parser_.wrong(lexer_.peek(), "','");
    if (auto done = scope_part("resource", policy.resource); !done) return done;
    lexer_.take(",");
    if (!lexer_.take(")")) return parser_.wrong(lexer_.peek(), "')'");
    return {};
  }

  Result<void> scope_part(std::string_view variable, Scope& scope) {
    if (!lexer_.take(variable)) {
      return parser_.wrong(lexer_.peek(), "'" + std::string(variable) + "'");
    }
    if (lexer_.take("==")) {
      scope.kind = Scope::Kind::equal;
    } else if (lexer_.take("in")) {
      scope.kind = Scope::Kind::in;
    } else if (lexer_.take("is")) {
      const auto type = parser_.path();
      if (!type) return std::unexpected(type.error());
      scope.type = expressions_.keep(*type);
      scope.kind = lexer_.take("in") ? Scope::Kind::is_in : Scope::Kind::is;
    }
    if (!scope.has_entity()) return {};
    if (lexer_.peek().kind == Token::Kind::slot) {
      const Token slot = lexer_.take();
      if (slot.text.substr(1) != variable) {
        return parser_.wrong(slot, "an entity or ?" + std::string(variable));
      }
      scope.is_slot = true;
      return {};
    }
    const auto uid = parser_.entity();
    if (!uid) return std::unexpected(uid.error());
    scope.entity = expressions_.entity_name(uid->type, uid->id);
    return {};
  }

  Result<void> action(ActionScope& scope) {
    if (!lexer_.take("action")) return parser_.wrong(lexer_.peek(), "'action'");
    if (lexer_.take("==")) {
      scope.kind = ActionScope::Kind::equal;
    } else if (!lexer_.take("in")) {
      return {};
    } else if (lexer_.take("[")) {
      scope.kind = ActionScope::Kind::in_list;
      while (!lexer_.take("]")) {
        if (auto done = action_entity(scope); !done) return done;
        if (!lexer_.take(",") && !lexer_.peek().is("]")) {
          return parser_.wrong(lexer_.peek(), "',' or ']'");
        }
      }
      return {};
    } else {
      scope.kind = ActionScope::Kind::in;
    }
    return action_entity(scope);
  }

  Result<void> action_entity(ActionScope& scope) {
    const Token token = lexer_.peek();
    const auto uid = parser_.entity();
    if (!uid) return std::unexpected(uid.error());
    if (basename_of(uid->type) != "Action") {
      return parser_.refused(token, to_text(*uid) + " is no action: its type must be Action");
    }
    scope.entities.push_back(expressions_.entity_name(uid->type, uid->id));
    return {};
  }

  Lexer lexer_;
  Expressions& expressions_;
  const ParseOptions& options_;
  ExpressionParser parser_;
};

Result<void> is_readable(std::string_view text, const ParseOptions& options) {
  if (text.size() > options.bytes_max) {
    return fail(Code::invalid,
                "the text is longer than " + std::to_string(options.bytes_max) + " bytes");
  }
  if (!is_utf8(text)) return fail(Code::invalid, "the text is not UTF-8");
  return {};
}

}  // namespace

std::optional<std::string_view> Policy::annotation(std::string_view name) const {
  const auto at = std::ranges::find(annotations, name, &Annotation::name);
  if (at == annotations.end()) return std::nullopt;
  return at->value ? std::string_view(*at->value) : std::string_view();
}

Result<std::vector<Policy>> parse_policies(std::string_view text, Expressions& expressions,
                                           const ParseOptions& options) {
  if (auto fine = is_readable(text, options); !fine) return std::unexpected(fine.error());
  return PolicyParser(text, expressions, options).policies();
}

Result<ExprId> parse_expression(std::string_view text, Expressions& expressions,
                                const ParseOptions& options) {
  if (auto fine = is_readable(text, options); !fine) return std::unexpected(fine.error());
  return PolicyParser(text, expressions, options).expression();
}

Result<EntityUid> parse_entity_uid(std::string_view text) {
  const ParseOptions options;
  if (auto fine = is_readable(text, options); !fine) return std::unexpected(fine.error());
  Expressions none;
  return PolicyParser(text, none, options).entity();
}

}  // namespace mailwarden::policy
