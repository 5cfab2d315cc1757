// Programs run by tests.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/temporary.h"

namespace mailwarden {

// A child that is killed, by its process id, when the test forgets to end it.
class Process {
 public:
  Process(std::vector<std::string> arguments, const std::string& output,
          const std::string& input = "/dev/null") {
    std::vector<char*> raw;
    for (std::string& argument : arguments) raw.push_back(argument.data());
    raw.push_back(nullptr);
    id_ = ::fork();
    if (id_ != 0) return;
    const int in = ::open(input.c_str(), O_RDONLY);
    const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execv(raw[0], raw.data());
    ::_exit(127);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (id_ > 0) {
      kill(SIGKILL);
      wait();
    }
  }

  pid_t id() const { return id_; }

  // Nothing where it has ended already.
  void kill(int signal) const {
    if (id_ > 0) ::kill(id_, signal);
  }

  // The exit code; 128 and the signal where a signal ended it.
  int wait() {
    int status = 0;
    if (id_ > 0 && ::waitpid(id_, &status, 0) == id_) settle(status);
    return code_;
  }

  bool ended() {
    int status = 0;
    if (id_ > 0 && ::waitpid(id_, &status, WNOHANG) == id_) settle(status);
    return id_ < 0;
  }

  // Waits for its end, that long at most; true where it has ended.
  bool ended_within(std::chrono::nanoseconds limit) {
    if (id_ < 0) return true;
    // Debian 12 declares pidfd_open() in a header that C++ cannot link with.
    const int process = static_cast<int>(::syscall(SYS_pidfd_open, id_, 0));
    pollfd ends{.fd = process, .events = POLLIN, .revents = 0};
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(limit);
    const timespec rest{.tv_sec = whole.count(), .tv_nsec = (limit - whole).count()};
    ::ppoll(&ends, 1, &rest, nullptr);
    ::close(process);
    return ended();
  }

  // Asks until the answer is yes, and leaves the processor to others between; false where the
  // program ended before.
  template <class Question>
  bool wait_until(Question question) {
    while (!question()) {
      if (ended_within(std::chrono::milliseconds(2))) return false;
    }
    return true;
  }

 private:
  void settle(int status) {
    id_ = -1;
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  pid_t id_ = -1;
  int code_ = 127;
};

struct Ran {
  int code = 0;
  std::string output;
};

// Runs a program of ours to its end.
inline Ran run(std::vector<std::string> arguments, const std::string& input = "/dev/null") {
  TemporaryFolder folder;
  arguments[0] = program_folder() + "/" + arguments[0];
  Process process(std::move(arguments), folder.path("output"), input);
  const int code = process.wait();
  return {code, read_file(folder.path("output"))};
}

}  // namespace mailwarden
