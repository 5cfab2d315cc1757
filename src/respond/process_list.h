// What runs on this machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace mailwarden::respond {

// The lines of /proc/<id>/status. It fails where the process has ended or the system hides it.
Result<std::string> read_process_status(std::int64_t id);

struct ProcessList {
  std::string text;   // a JSON object a line: id, parent, uid, state, name, executable, command
  bool whole = true;  // false: there was no room, or the system hides some
};
// By number, as far as there is room.
Result<ProcessList> list_processes(std::size_t bytes_max);

}  // namespace mailwarden::respond
