#include "access/actor.h"

#include <algorithm>

#include "access/grant.h"

namespace mailwarden::access {

Actor Actor::daemon() {
  return {.who = std::string(daemon_name), .is_daemon = true};
}

bool Actor::is_in_one_of(std::span<const std::string> wanted) const {
  return std::ranges::any_of(wanted, [&](const std::string& one) {
    return std::ranges::find(groups, one) != groups.end();
  });
}

Actor actor_of(const policy::Entities& entities, std::string_view person) {
  Actor actor{.who = std::string(person)};
  const policy::EntityName* const found = entities.find("User", person);
  if (found == nullptr) return actor;
  for (const std::uint32_t above : entities.ancestors(found->number)) {
    const policy::EntityName& name = entities.name(above);
    if (name.type == "Group") actor.groups.emplace_back(name.id);
  }
  return actor;
}

}  // namespace mailwarden::access
