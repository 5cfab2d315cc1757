#include "base/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "base/files.h"

namespace mailwarden {
namespace {

using std::chrono::steady_clock;

struct Pipe {
  Descriptor reading;
  Descriptor writing;

  bool make() {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    reading = Descriptor(ends[0]);
    writing = Descriptor(ends[1]);
    return true;
  }
};

std::unexpected<Error> no_pipe() {
  return fail(Code::unavailable, std::string("pipe: ") + std::strerror(errno));
}

// The whole input lies in the pipe before anybody reads.
Result<void> fill(Pipe& pipe, std::string_view input) {
  if (input.size() > ProcessCall::input_bytes_max) {
    return fail(Code::full,
                "more than " + std::to_string(ProcessCall::input_bytes_max) + " bytes of input");
  }
  if (!pipe.make() || ::fcntl(pipe.writing.number(), F_SETFL, O_NONBLOCK) != 0) return no_pipe();
  if (::write(pipe.writing.number(), input.data(), input.size()) !=
      static_cast<ssize_t>(input.size())) {
    return no_pipe();
  }
  pipe.writing.close();
  return {};
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Result<pid_t> start(const ProcessCall& call, int in, int out, int errors) {
  std::vector<std::string> texts = call.command;
  std::vector<std::string> names{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  names.insert(names.end(), call.environment.begin(), call.environment.end());
  const std::vector<char*> arguments = pointers_to(texts);
  const std::vector<char*> environment = pointers_to(names);
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  CHECK(posix_spawn_file_actions_init(&files) == 0 && posix_spawnattr_init(&attributes) == 0);
  if (in < 0) {
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  } else {
    posix_spawn_file_actions_adddup2(&files, in, 0);
  }
  posix_spawn_file_actions_adddup2(&files, out, 1);
  posix_spawn_file_actions_adddup2(&files, errors, 2);
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
  sigset_t none;
  sigemptyset(&none);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(
      &attributes,
      static_cast<short>(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  pid_t child = -1;
  const int failed =
      posix_spawn(&child, arguments[0], &files, &attributes, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) return fail(Code::io, call.command.front() + ": " + std::strerror(failed));
  return child;
}

// One read of what is ready; false when the other side has closed.
bool take(int from, std::span<char> room, std::size_t& taken, bool& whole) {
  std::array<char, 4096> beyond;
  const std::span<char> left = room.subspan(taken);
  const bool fits = !left.empty();
  const ssize_t count =
      fits ? ::read(from, left.data(), left.size()) : ::read(from, beyond.data(), beyond.size());
  if (count < 0) return errno == EINTR;
  if (count == 0) return false;
  if (fits) {
    taken += static_cast<std::size_t>(count);
  } else {
    whole = false;
    ::explicit_bzero(beyond.data(), static_cast<std::size_t>(count));
  }
  return true;
}

// How long to wait for something before asking again whether it is still wanted.
int wait_of(const ProcessCall& call, long long left) {
  return static_cast<int>(std::min<long long>(left, call.cancelled ? 100 : 60'000));
}

// What the program writes until it closes its ends; false when it must not go on first.
bool read_all(const ProcessCall& call, Descriptor& output, Descriptor& errors,
              steady_clock::time_point until, ProcessEnd& end) {
  bool errors_whole = true;  // nobody asks
  while (output.is_open() || errors.is_open()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) return false;
    end.cancelled = call.cancelled && call.cancelled();
    if (end.cancelled) return false;
    std::array<pollfd, 2> ready{pollfd{.fd = output.number(), .events = POLLIN, .revents = 0},
                                pollfd{.fd = errors.number(), .events = POLLIN, .revents = 0}};
    if (::poll(ready.data(), ready.size(), wait_of(call, left)) <= 0) continue;
    if (ready[0].revents != 0 &&
        !take(output.number(), call.output, end.output_bytes, end.output_whole)) {
      output.close();
    }
    if (ready[1].revents != 0 &&
        !take(errors.number(), call.errors, end.errors_bytes, errors_whole)) {
      errors.close();
    }
  }
  return true;
}

}  // namespace

Result<ProcessEnd> run_process(const ProcessCall& call) {
  CHECK(!call.command.empty());
  Pipe input;
  Pipe output;
  Pipe errors;
  if (!call.input.empty()) {
    if (auto filled = fill(input, call.input); !filled) return std::unexpected(filled.error());
  }
  if (!output.make() || (!call.errors.empty() && !errors.make())) return no_pipe();
  const auto until = steady_clock::now() + call.time_out;
  const auto child =
      start(call, input.reading.number(), output.writing.number(),
            errors.writing.is_open() ? errors.writing.number() : output.writing.number());
  if (!child) return std::unexpected(child.error());
  input.reading.close();
  output.writing.close();
  errors.writing.close();
  ProcessEnd end;
  const bool closed = read_all(call, output.reading, errors.reading, until, end);
  // Whoever is left of its group has had its time; a program that has ended takes no harm.
  int status = 0;
  while (closed && !end.in_time && steady_clock::now() < until) {
    end.in_time = ::waitpid(*child, &status, WNOHANG) == *child;
    if (!end.in_time) ::poll(nullptr, 0, 5);
  }
  ::kill(-*child, SIGKILL);
  if (!end.in_time) ::waitpid(*child, &status, 0);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  return end;
}

std::string failure_of(const ProcessEnd& end) {
  if (end.cancelled) return "was cancelled";
  if (!end.in_time) return "was not done in time";
  if (end.signal != 0) return "ended by signal " + std::to_string(end.signal);
  if (end.exit_code != 0) return "ended with " + std::to_string(end.exit_code);
  return {};
}

}  // namespace mailwarden
