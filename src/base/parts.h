// A setting of several parts in one line: "file:/var/log/auth.log,name=auth,year=2026".
//
// What     The line's head says what kind it is and where; each part behind a comma has a name.
// Owns     Nothing.
// Threads  Pure.
// Errors   What the caller says of a part.
// Limits   None. A comma separates wherever it stands.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace mailwarden {

struct PartsHead {
  std::string_view kind;
  std::optional<std::string_view> place;  // nothing where no colon follows the kind
};

PartsHead parts_head(std::string_view text);

// set(name, value) for each part behind the head; "" for a value that is not there.
Result<void> each_part(
    std::string_view text,
    const std::function<Result<void>(std::string_view name, std::string_view value)>& set);

}  // namespace mailwarden
