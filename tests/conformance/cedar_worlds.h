// Schemas, entities, policies and requests by chance.
//
// What     A World is one of each, as text; the same seed makes the same. Most policies are well
//          typed and most requests fit the schema, some are not, some texts are damaged.
// Owns     Its texts.
// Threads  One.
// Errors   None.
// Limits   A few types, entities and policies.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "json/value.h"

namespace mailwarden::cedar_suite {

struct World {
  std::string schema;
  json::Array entities;
  std::string policies;
  json::Array links;
  std::size_t level = 0;
  json::Array requests;  // each with "exprs"
};

World make_world(std::uint64_t seed, std::size_t requests);

}  // namespace mailwarden::cedar_suite
