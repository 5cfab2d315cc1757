// A Cedar policy as it was written.
//
// What     Effect, scope, conditions and annotations; a template where a scope names a slot. Its
//          conditions are nodes of an Expressions.
// Owns     Its id and annotations; names stand in the Expressions.
// Threads  Values.
// Errors   None.
// Limits   Of the parsers.
// Source   Cedar 4.5, "Basic policy construction", "Templates".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/expression.h"

namespace mailwarden::policy {

enum class Effect : std::uint8_t { permit, forbid };

// Of a principal or resource. `is_in` is `is TYPE in ENTITY`.
struct Scope {
  enum class Kind : std::uint8_t { any, equal, in, is, is_in };

  Kind kind = Kind::any;
  bool is_slot = false;                // instead of the entity
  std::string_view type;               // of is, is_in
  const EntityName* entity = nullptr;  // of equal, in, is_in

  bool has_entity() const { return kind == Kind::equal || kind == Kind::in || kind == Kind::is_in; }
};

struct ActionScope {
  enum class Kind : std::uint8_t { any, equal, in, in_list };

  Kind kind = Kind::any;
  std::vector<const EntityName*> entities;  // one of equal and in
};

struct Condition {
  bool is_when = true;  // or unless
  ExprId body = 0;
};

struct Annotation {
  std::string name;
  std::optional<std::string> value;  // nothing where only the name was written
};

struct Policy {
  std::string id;
  Effect effect = Effect::permit;
  Scope principal;
  ActionScope action;
  Scope resource;
  std::vector<Condition> conditions;
  std::vector<Annotation> annotations;
  std::string made_from;  // the template's id, of a linked policy
  std::size_t line = 0;   // from 1; 0 where there was no text

  bool is_template() const { return principal.is_slot || resource.is_slot; }
  // Of an annotation, "" where it has none; nothing where it is not there.
  std::optional<std::string_view> annotation(std::string_view name) const;
};

}  // namespace mailwarden::policy
