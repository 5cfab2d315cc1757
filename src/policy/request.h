// What policies are asked: may this principal do this to that, in this context?
//
// What     Three entities and a record.
// Owns     All of it; `memory` is where the context's values stand.
// Threads  Values; they are moved, not copied.
// Errors   None.
// Limits   None.
#pragma once

#include <memory>

#include "policy/value.h"

namespace mailwarden::policy {

struct Request {
  EntityUid principal;
  EntityUid action;
  EntityUid resource;
  std::unique_ptr<Memory> memory = std::make_unique<Memory>();
  Value context{.kind = Kind::record, .members = nullptr};
};

}  // namespace mailwarden::policy
