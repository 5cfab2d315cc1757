// Who acts on a grant.
//
// What     An Actor is a person with the groups that they stand in, however deep, or the daemon
//          itself, which ends what leavers hold.
// Owns     Its texts.
// Threads  Values; actor_of() is pure.
// Errors   None: somebody whom the entities do not know stands in no group.
// Limits   None.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/entities.h"

namespace mailwarden::access {

struct Actor {
  std::string who;                  // id of a User, as a verified token says
  std::vector<std::string> groups;  // ids
  bool is_daemon = false;

  static Actor daemon();
  bool is_in_one_of(std::span<const std::string> wanted) const;
};

// The User of that id with all groups above it.
Actor actor_of(const policy::Entities& entities, std::string_view person);

}  // namespace mailwarden::access
