// The kinds of changes, which is what most tests of incidents ask about.
#pragma once

#include <string>
#include <vector>

#include "incident/incident.h"

namespace mailwarden::incident {

inline std::vector<std::string> kinds(const std::vector<Change>& changes) {
  std::vector<std::string> found;
  for (const Change& change : changes) found.push_back(change.kind);
  return found;
}

}  // namespace mailwarden::incident
