#include "base/child_process.h"

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

namespace mailwarden {
namespace {

using std::chrono::steady_clock;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  int get() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

// What the program writes on one of its descriptors.
class Pipe {
 public:
  explicit Pipe(std::size_t bytes_max)
      : bytes_max_(bytes_max),
        made_(::pipe2(ends_.data(), O_CLOEXEC) == 0),
        reading_(ends_[0]),
        writing_(ends_[1]) {}

  bool made() const { return made_; }
  bool is_open() const { return reading_.is_open(); }
  int reading() const { return reading_.get(); }
  int writing() const { return writing_.get(); }
  void close_writing() { writing_.close(); }

  // Takes what is there; closes itself where there will be no more.
  void read() {
    std::array<char, 65536> bytes;
    const ssize_t count = ::read(reading_.get(), bytes.data(), bytes.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count <= 0) return reading_.close();
    const std::size_t room = bytes_max_ - text_.size();
    const auto read = static_cast<std::size_t>(count);
    text_.append(bytes.data(), std::min(room, read));
    cut_ = cut_ || read > room;
  }
  std::string take() { return std::move(text_); }
  bool cut() const { return cut_; }

 private:
  std::size_t bytes_max_;
  std::array<int, 2> ends_{-1, -1};
  bool made_;
  Descriptor reading_;
  Descriptor writing_;
  std::string text_;
  bool cut_ = false;
};

// Starts the program in a process group of its own.
Result<pid_t> start(const ChildOptions& options, int out, int complaints) {
  std::vector<std::string> texts = options.command;
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  std::vector<std::string> names{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
  names.insert(names.end(), options.environment.begin(), options.environment.end());
  std::vector<char*> environment;
  for (std::string& name : names) environment.push_back(name.data());
  environment.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  CHECK(posix_spawn_file_actions_init(&files) == 0 && posix_spawnattr_init(&attributes) == 0);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, out, 1);
  posix_spawn_file_actions_adddup2(&files, complaints, 2);
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
  if (failed != 0) return fail(Code::io, options.command.front() + ": " + std::strerror(failed));
  return child;
}

class Waiting {
 public:
  explicit Waiting(const ChildOptions& options)
      : options_(options), until_(steady_clock::now() + options.time_out) {}

  // Whether the program may go on.
  bool goes_on() {
    cancelled_ = cancelled_ || (options_.cancelled && options_.cancelled());
    return !cancelled_ && steady_clock::now() < until_;
  }
  bool was_cancelled() const { return cancelled_; }

  // Until both are closed; false when its time is over first.
  bool read(Pipe& out, Pipe& complaints) {
    constexpr int pause_ms = 100;
    while (out.is_open() || complaints.is_open()) {
      if (!goes_on()) return false;
      std::array ready{pollfd{.fd = out.reading(), .events = POLLIN, .revents = 0},
                       pollfd{.fd = complaints.reading(), .events = POLLIN, .revents = 0}};
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until_ - steady_clock::now());
      const auto pause = std::clamp<std::int64_t>(left.count(), 0, pause_ms);
      if (::poll(ready.data(), ready.size(), static_cast<int>(pause)) <= 0) continue;
      if (ready[0].revents != 0) out.read();
      if (ready[1].revents != 0) complaints.read();
    }
    return true;
  }

 private:
  const ChildOptions& options_;
  steady_clock::time_point until_;
  bool cancelled_ = false;
};

}  // namespace

Result<ChildOutcome> run_child(const ChildOptions& options) {
  CHECK(!options.command.empty());
  Pipe out(options.output_bytes_max);
  Pipe complaints(options.complaints_bytes_max);
  if (!out.made() || !complaints.made()) {
    return fail(Code::unavailable, std::string("pipe: ") + std::strerror(errno));
  }
  Waiting waiting(options);
  const auto child = start(options, out.writing(), complaints.writing());
  if (!child) return std::unexpected(child.error());
  out.close_writing();
  complaints.close_writing();
  const bool closed = waiting.read(out, complaints);
  // Whoever is left of its group has had its time; a program that has ended takes no harm.
  int status = 0;
  bool ended = false;
  while (closed && !ended && waiting.goes_on()) {
    ended = ::waitpid(*child, &status, WNOHANG) == *child;
    if (!ended) ::poll(nullptr, 0, 5);
  }
  ::kill(-*child, SIGKILL);
  if (!ended) ::waitpid(*child, &status, 0);
  const std::string& name = options.command.front();
  if (!ended && waiting.was_cancelled()) return fail(Code::unavailable, name + ": was cancelled");
  if (!ended) return fail(Code::denied, name + ": was not done in time");
  if (WIFSIGNALED(status)) {
    return fail(Code::denied, name + ": ended by signal " + std::to_string(WTERMSIG(status)));
  }
  return ChildOutcome{.code = WEXITSTATUS(status),
                      .output = out.take(),
                      .complaints = complaints.take(),
                      .cut = out.cut()};
}

}  // namespace mailwarden
