// What entities, actions and requests there may be.
//
// What     A Schema says of each entity type its attributes, tags and what it may stand under, and
//          of each action to whom and what it applies, with which context. Names are looked up and
//          ancestors are complete.
// Owns     All of it.
// Threads  Read-only once it is made.
// Errors   resolve(): Error{invalid} for what is declared twice or not at all, for common types or
//          actions in a circle, for what hides a name of the empty namespace.
// Limits   types_max of types, written out, so that common types in one another stay small;
//          nesting_max of types in one another, through common types too; ancestors_max of all
//          types and actions together.
// Source   Cedar 4.5, "Cedar schema format" (type name disambiguation); RFC 24, 52, 53, 70, 82.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "policy/schema_fragment.h"
#include "policy/types.h"

namespace mailwarden::policy {

struct EntityType {
  std::set<std::string, std::less<>>
      ancestors;  // itself among them where it may stand under itself
  TypeId attributes = Types::empty_record;
  std::optional<TypeId> tags;
  std::optional<std::set<std::string, std::less<>>> choices;  // of an enumerated type
};

struct ActionType {
  std::set<std::string, std::less<>> principals;
  std::set<std::string, std::less<>> resources;
  TypeId context = Types::empty_record;
  std::set<EntityUid> parents;
  std::set<EntityUid> ancestors;
};

class Schema {
 public:
  static constexpr std::size_t types_max = 1'000'000;
  static constexpr std::size_t nesting_max = 1000;
  static constexpr std::size_t ancestors_max = 1'000'000;

  static Result<Schema> resolve(const SchemaFragment& fragment);

  const std::map<std::string, EntityType, std::less<>>& entities() const { return entities_; }
  const std::map<EntityUid, ActionType>& actions() const { return actions_; }
  const Types& types() const { return types_; }

  const EntityType* entity(std::string_view type) const;
  const ActionType* action(const EntityUid& uid) const;
  bool is_action_type(std::string_view type) const;
  // Whether there may be such an entity or action.
  bool knows(const EntityUid& uid) const;
  // Whether an entity of the first type may stand under one of the second, or be of it.
  bool may_be_in(std::string_view type, std::string_view above) const;

 private:
  friend class SchemaResolver;

  Types types_;
  std::map<std::string, EntityType, std::less<>> entities_;
  std::map<EntityUid, ActionType> actions_;
  std::set<std::string, std::less<>> action_types_;
};

}  // namespace mailwarden::policy
