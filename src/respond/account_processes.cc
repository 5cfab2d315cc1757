#include "respond/account_processes.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "respond/process_list.h"

namespace mailwarden::respond {
namespace {

using std::chrono::steady_clock;

class ProcessHandle {
 public:
  explicit ProcessHandle(pid_t id)
      : descriptor_(static_cast<int>(::syscall(SYS_pidfd_open, id, 0))) {}
  ProcessHandle(const ProcessHandle&) = delete;
  ProcessHandle& operator=(const ProcessHandle&) = delete;
  ~ProcessHandle() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  bool is_open() const { return descriptor_ >= 0; }
  bool kill() const { return ::syscall(SYS_pidfd_send_signal, descriptor_, SIGKILL, 0, 0) == 0; }
  void wait(int milliseconds) const {
    pollfd ended{.fd = descriptor_, .events = POLLIN, .revents = 0};
    ::poll(&ended, 1, milliseconds);
  }

 private:
  int descriptor_;
};

// Whether the process with that number runs as the uid now.
bool runs_as(pid_t id, uid_t uid) {
  const auto status = read_process_status(id);
  if (!status) return false;  // it is gone
  bool is_zombie = false;
  bool is_of_it = false;
  for (const std::string_view line : split(*status, '\n')) {
    if (line.starts_with("State:")) is_zombie = trim(line.substr(6)).starts_with('Z');
    if (!line.starts_with("Uid:")) continue;
    const auto ids = split(trim(line.substr(4)), '\t');
    is_of_it = std::ranges::find(ids, std::to_string(uid)) != ids.end();
  }
  return is_of_it && !is_zombie;
}

int milliseconds_until(steady_clock::time_point until) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now());
  return static_cast<int>(std::clamp<long long>(left.count(), 0, 60'000));
}

}  // namespace

Result<std::vector<pid_t>> processes_of(uid_t uid) {
  // What is hidden must not pass for what has ended.
  if (!read_process_status(1)) {
    return fail(Code::denied,
                "/proc hides the processes of others; docs/effects.md says what the unit needs");
  }
  std::vector<pid_t> found;
  std::error_code failed;
  std::filesystem::directory_iterator entry("/proc", failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    const auto id = to_integer(entry->path().filename().string());
    if (id && *id > 0 && runs_as(static_cast<pid_t>(*id), uid)) {
      found.push_back(static_cast<pid_t>(*id));
    }
  }
  if (failed) return fail(Code::io, "/proc: " + failed.message());
  return found;
}

Result<void> end_processes(uid_t uid, steady_clock::time_point until) {
  CHECK(uid != 0 && uid != ::getuid() && uid != ::geteuid());
  // Again and again, since one that is ended last may have started another first.
  while (true) {
    const auto running = processes_of(uid);
    if (!running) return std::unexpected(running.error());
    if (running->empty()) return {};
    if (steady_clock::now() >= until) {
      return fail(Code::unavailable, "the uid " + std::to_string(uid) + " still has " +
                                         std::to_string(running->size()) + " processes");
    }
    std::vector<std::unique_ptr<ProcessHandle>> handles;
    for (const pid_t id : *running) {
      auto handle = std::make_unique<ProcessHandle>(id);
      if (!handle->is_open() && errno != ESRCH) {
        return fail(Code::io, "process " + std::to_string(id) + ": " + std::strerror(errno));
      }
      // The number may have become another's before it was opened; from here on it cannot.
      if (!handle->is_open() || !runs_as(id, uid)) continue;
      if (!handle->kill() && errno == EPERM) {
        return fail(Code::denied, "process " + std::to_string(id) + ": " + std::strerror(EPERM));
      }
      handles.push_back(std::move(handle));
    }
    for (const auto& handle : handles) handle->wait(milliseconds_until(until));
  }
}

}  // namespace mailwarden::respond
