// Runs another program to its end.
//
// What     run_child() starts a program without a shell, in a process group of its own, with an
//          environment of PATH and what is given, and nothing to read. It is ended with all of its
//          children when its time is over, when it is no longer wanted, or when it has ended.
// Owns     Nothing.
// Threads  Any; the caller waits.
// Errors   io: it cannot be started. unavailable: no pipe could be had, or it was cancelled.
//          denied: it was not done in time, or a signal ended it. That it ended with another code
//          than 0 is no error here.
// Limits   output_bytes_max of its output are kept, complaints_bytes_max of its standard error.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace mailwarden {

struct ChildOptions {
  std::vector<std::string> command;      // the program's path first
  std::vector<std::string> environment;  // "NAME=value"
  std::chrono::milliseconds time_out = std::chrono::seconds(60);
  std::size_t output_bytes_max = 4096;
  std::size_t complaints_bytes_max = 4096;
  std::function<bool()> cancelled;  // asked several times a second
};

struct ChildOutcome {
  int code = 0;
  std::string output;
  std::string complaints;
  bool cut = false;  // there was more output than is kept
};

Result<ChildOutcome> run_child(const ChildOptions& options);

}  // namespace mailwarden
