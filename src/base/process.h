// Runs another program to its end.
//
// What     run_process() starts a program without a shell, in a process group of its own, with the
//          environment that it is told and no descriptor but its three. What it reads and what it
//          writes lie in the caller's memory, so that a secret can stay in memory that is locked.
//          When its time is over, or it is wanted no longer, it is ended with all of its children.
// Owns     Nothing.
// Threads  Any.
// Errors   io: the program cannot be started. unavailable: no pipe could be made. full: more input
//          than a pipe holds. How the program ended is no error of ours: see ProcessEnd.
// Limits   input_bytes_max of input, which are in the pipe before the program starts, so that one
//          that does not read them makes nobody wait. What is written beyond the given memory is
//          read and thrown away.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"

namespace mailwarden {

struct ProcessCall {
  static constexpr std::size_t input_bytes_max = std::size_t{4} * 1024;

  std::vector<std::string> command;      // the program's path, then its arguments
  std::vector<std::string> environment;  // NAME=value; PATH is set beside them
  std::string_view input;                // empty: it reads from /dev/null
  Duration time_out = std::chrono::seconds(30);
  std::span<char> output;
  std::span<char> errors;           // empty: what it says of errors goes with its output
  std::function<bool()> cancelled;  // asked several times a second
};

struct ProcessEnd {
  bool in_time = false;
  bool cancelled = false;
  int exit_code = 0;  // where no signal ended it
  int signal = 0;
  std::size_t output_bytes = 0;
  std::size_t errors_bytes = 0;
  bool output_whole = true;  // false: it wrote more than there was room for
};

Result<ProcessEnd> run_process(const ProcessCall& call);

// "ended with 3", "was cancelled" and the like; "" where it ended in time and with 0.
std::string failure_of(const ProcessEnd& end);

}  // namespace mailwarden
