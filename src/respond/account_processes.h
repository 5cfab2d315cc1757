// The processes of an account, and their end.
#pragma once

#include <chrono>
#include <vector>

#include <sys/types.h>

#include "base/result.h"

namespace mailwarden::respond {

// Those that run as the uid, really, effectively or saved; without zombies. denied: the system
// hides processes of others from us.
Result<std::vector<pid_t>> processes_of(uid_t uid);

// Kills them until there are none. unavailable: there still are some at that time.
Result<void> end_processes(uid_t uid, std::chrono::steady_clock::time_point until);

}  // namespace mailwarden::respond
