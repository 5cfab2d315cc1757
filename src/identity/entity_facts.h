// What is known of accounts and groups, as entities of a policy engine.
//
// What     user_entity() and group_entity() make one entity, each_entity() all of a provider, as
//          {"uid":{"type":..,"id":..},"attrs":{..},"parents":[{"type":..,"id":..}]} in the JSON of
//          Cedar: an entity as {"__entity":{..}}, a moment as
//          {"__extn":{"fn":"datetime","arg":"2026-11-24T08:00:00.000Z"}}.
//          fact_types() says which attributes there are.
// Owns     Nothing.
// Threads  As PeopleBook's const functions.
// Errors   None. What cannot be named is nobody: where addresses are the names, an account or group
//          whose address is unknown or of several, and a deleted account, whose address is free.
// Limits   Those of the book.
// Source   Cedar 4.5, "Entities and context syntax". Every attribute is optional in a schema.
//
// An attribute that is unknown is left out, so that `principal has active && principal.active` is
// what a permit asks. What follows from several facts is false where one of them is enough for it,
// and true only where all are known.
//
// Of a user:
//   active                 Bool      employed and account_enabled
//   account_enabled        Bool      neither suspended nor archived nor deleted. False where one of
//                                    them is known; true where it is known not to be suspended and
//                                    not to be archived, and not known to be deleted.
//   employed               Bool      the employment has begun and has not ended
//   employed_from          datetime
//   employed_until         datetime  from when on it has ended; left out where no end is known
//   email                  String    the primary address
//   person                 String    personnel's id
//   name, role, department String    personnel's; the directory's where personnel never told one
//   manager                User      where exactly one account can be told to be the manager's
//   org_unit               String
//   admin                  Bool      may do everything in the directory
//   delegated_admin        Bool      may do some of it
//   second_factor_enrolled Bool      the account has one; that it was asked for it says nobody
//   second_factor_enforced Bool      it must have one
//   second_factor_used     datetime  of the last sign-in with one that an event told
//   last_use               datetime  by the directory or by events, whichever is later; left out
//                                    where there was none, too
//   trained                Bool      trained_until has not come
//   trained_at             datetime
//   trained_until          datetime
//   background_checked     datetime  when the check was passed
//   policy_accepted        datetime
//   policy_version         String
//   groups_known           Bool      true where the parents are all there are; else left out. A
//                                    forbid that rests on a group must forbid without this, too.
// Its parents are the groups that it is known to be in itself.
//
// Of a group: email, name; its parents are the groups that it is known to be in itself. Groups that
// stand in themselves are in none of each other.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/timestamp.h"
#include "identity/people_book.h"
#include "json/value.h"

namespace mailwarden::identity {

struct EntityNames {
  enum class Id : std::uint8_t { email, directory };  // the primary address, or the lasting id

  std::string provider{google_provider};  // whose accounts and groups
  std::string user_type = "User";
  std::string group_type = "Group";
  Id user_id = Id::email;
  Id group_id = Id::email;
};

struct EntityFacts {
  json::Object entity;
  Origins origins;  // of all it rests on
  // Before this moment nothing of it ends by itself: no fact grows too old, no employment begins or
  // ends, no training ends.
  Timestamp until = Timestamp::latest;
};

// An attribute of a user, and its type as Cedar names it; "User" stands for `user_type`.
struct FactType {
  std::string_view attribute;
  std::string_view type;
};
std::span<const FactType> fact_types();

std::optional<EntityFacts> user_entity(const PeopleBook& book, const DirectoryKey& account,
                                       const EntityNames& names, Timestamp now);
std::optional<EntityFacts> group_entity(const PeopleBook& book, const DirectoryKey& group,
                                        const EntityNames& names, Timestamp now);

// Calls `take` with each entity, accounts before groups. Gives the moment before which none of them
// changes by itself.
Timestamp each_entity(const PeopleBook& book, const EntityNames& names, Timestamp now,
                      const std::function<void(EntityFacts)>& take);
// All of them in one array.
json::Value all_entities(const PeopleBook& book, const EntityNames& names, Timestamp now);

}  // namespace mailwarden::identity
