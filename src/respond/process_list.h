// What runs on this machine.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace mailwarden::respond {

struct ProcessList {
  std::string text;   // a JSON object a line: id, parent, uid, state, name, executable, command
  bool whole = true;  // false: there was no room, or the system hides some
};
// By number, as far as there is room.
Result<ProcessList> list_processes(std::size_t bytes_max);

}  // namespace mailwarden::respond
