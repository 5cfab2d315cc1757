// The type of an expression, for one kind of request.
//
// What     A Typechecker finds the type that an expression has where principal, action and resource
//          are of given types, or why it has none. What `has` has shown is remembered where `&&`,
//          `||` and `if` say that it holds.
// Owns     Nothing but its notes.
// Threads  One.
// Errors   check(): the sentence of the first thing that is wrong.
// Limits   Depth of the expression.
// Source   Cedar.Validation.Typechecker and Levels of the formal model; RFC 76 (levels).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/expression.h"
#include "policy/schema.h"

namespace mailwarden::policy {

struct RequestType {
  std::string principal;
  EntityUid action;
  std::string resource;
  TypeId context = Types::empty_record;
};

class Typechecker {
 public:
  // `types` holds the schema's types and takes those that expressions bring.
  Typechecker(const Expressions& expressions, const Schema& schema, Types& types,
              const RequestType& request);

  // Nothing where it has no type; what_is_wrong() then tells.
  std::optional<TypeId> check(ExprId id);
  const std::string& what_is_wrong() const { return wrong_; }
  // Of the expression checked last: whether entities are followed from the request by no more than
  // so many steps.
  bool is_within_level(std::size_t level) const;

 private:
  // That an attribute or tag is there.
  struct Capability {
    ExprId of = 0;
    bool is_tag = false;
    std::uint32_t key = 0;  // a name's number, or the tag's expression

    auto operator<=>(const Capability&) const = default;
  };
  using Capabilities = std::vector<Capability>;  // sorted

  // An expression with its type, without what is never evaluated.
  struct Typed {
    ExprId id = 0;
    TypeId type = 0;
    std::vector<std::uint32_t> parts;
  };
  struct Checked {
    TypeId type = 0;
    Capabilities shown;
    std::uint32_t typed = 0;
  };
  using Outcome = std::optional<Checked>;

  Outcome check(ExprId id, const Capabilities& known);
  Outcome literal(ExprId id, const Value& value);
  Outcome variable(ExprId id, Variable variable);
  Outcome choice(ExprId id, const Node& node, const Capabilities& known);
  Outcome both(ExprId id, const Node& node, const Capabilities& known);
  Outcome either(ExprId id, const Node& node, const Capabilities& known);
  Outcome unary(ExprId id, const Node& node, const Capabilities& known);
  Outcome binary(ExprId id, const Node& node, const Capabilities& known);
  Outcome equality(ExprId id, const Node& node, const Checked& a, const Checked& b);
  Outcome membership(ExprId id, const Node& node, const Checked& a, const Checked& b);
  Outcome tags(ExprId id, const Node& node, const Checked& a, const Checked& b,
               const Capabilities& known);
  Outcome sets(ExprId id, const Node& node, const Checked& a, const Checked& b);
  Outcome attribute(ExprId id, const Node& node, const Capabilities& known);
  Outcome collection(ExprId id, const Node& node, const Capabilities& known);
  Outcome call(ExprId id, const Node& node, const Capabilities& known);

  Outcome made(ExprId id, TypeId type, std::vector<std::uint32_t> parts, Capabilities shown = {});
  std::nullopt_t fail(const std::string& what);
  std::nullopt_t unexpected(ExprId of, TypeId type, const std::string& wanted);
  std::string shown(ExprId id) const;
  // A literal, or the action, which the kind of request tells.
  std::optional<Value> literal_of(ExprId id) const;
  std::optional<std::vector<EntityUid>> entities_of(ExprId id) const;
  Types::Form form(TypeId type) const { return types_[type].form; }

  bool access_within(std::uint32_t typed, std::size_t level, std::size_t most,
                     std::vector<std::string_view>& path) const;
  bool within(std::uint32_t typed, std::size_t level) const;

  const Expressions& expressions_;
  const Schema& schema_;
  Types& types_;
  const RequestType& request_;
  EntityName action_;
  std::vector<Typed> typed_;
  std::uint32_t root_ = 0;
  std::string wrong_;
};

}  // namespace mailwarden::policy
