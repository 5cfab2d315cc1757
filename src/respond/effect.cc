#include "respond/effect.h"

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
#include "base/text.h"
#include "net/http_client.h"

namespace mailwarden::respond {
namespace {

using std::chrono::steady_clock;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  int get() const { return number_; }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

// Starts the program in a process group of its own; its output goes to `out`.
Result<pid_t> start(const Step& step, const std::string& key, int out) {
  std::vector<std::string> texts = step.command;
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  std::string path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  std::string name = "MAILWARDEN_STEP=" + key;
  const std::array<char*, 3> environment{path.data(), name.data(), nullptr};
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  CHECK(posix_spawn_file_actions_init(&files) == 0 && posix_spawnattr_init(&attributes) == 0);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, out, 1);
  posix_spawn_file_actions_adddup2(&files, out, 2);
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
  if (failed != 0) return fail(Code::io, step.command.front() + ": " + std::strerror(failed));
  return child;
}

// What the program writes until it closes its output; false when its time is over first.
bool read_output(int from, steady_clock::time_point until, std::string& output) {
  std::array<char, 4096> bytes;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd ready{.fd = from, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, static_cast<int>(std::min<long long>(left, 60'000))) <= 0) continue;
    const ssize_t count = ::read(from, bytes.data(), bytes.size());
    if (count == 0 || (count < 0 && errno != EINTR)) return true;
    if (count < 0) continue;
    const std::size_t room = output_bytes_max - output.size();
    output.append(bytes.data(), std::min(room, static_cast<std::size_t>(count)));
  }
}

Result<json::Object> run_command(const Step& step, const std::string& key) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(Code::unavailable, std::string("pipe: ") + std::strerror(errno));
  }
  const Descriptor reading(ends[0]);
  Descriptor writing(ends[1]);
  const auto until = steady_clock::now() + step.time_out;
  const auto child = start(step, key, writing.get());
  if (!child) return std::unexpected(child.error());
  writing.close();
  std::string output;
  const bool closed = read_output(reading.get(), until, output);
  // Whoever is left of its group has had its time; a program that has ended takes no harm.
  int status = 0;
  bool ended = false;
  while (closed && !ended && steady_clock::now() < until) {
    ended = ::waitpid(*child, &status, WNOHANG) == *child;
    if (!ended) ::poll(nullptr, 0, 5);
  }
  ::kill(-*child, SIGKILL);
  if (!ended) ::waitpid(*child, &status, 0);
  const std::string said = printable(trim(output));
  if (!ended) return fail(Code::denied, step.command.front() + ": was not done in time");
  if (WIFSIGNALED(status)) {
    return fail(Code::denied,
                step.command.front() + ": ended by signal " + std::to_string(WTERMSIG(status)));
  }
  if (WEXITSTATUS(status) != 0) {
    return fail(Code::denied, step.command.front() + ": ended with " +
                                  std::to_string(WEXITSTATUS(status)) +
                                  (said.empty() ? "" : ", saying: " + said));
  }
  return json::Object{{"exit", 0}, {"output", said}};
}

Result<json::Object> request(const Step& step, const std::string& key) {
  net::HttpCall call{
      .method = step.method,
      .url = step.url,
      .headers = {{"Idempotency-Key", "\"" + key + "\""}, {"User-Agent", "mailwarden"}}};
  if (!step.body.is_null()) {
    call.headers.emplace_back("Content-Type", "application/json");
    call.body = json::to_text(step.body);
  }
  net::Client client(
      {.total_timeout = std::chrono::duration_cast<std::chrono::milliseconds>(step.time_out),
       .response_bytes_max = 64 * 1024});
  const auto answer = client.request(call);
  if (!answer) return std::unexpected(answer.error());
  const unsigned status = answer->status;
  if (status >= 200 && status < 300) {
    return json::Object{{"body", printable(answer->body.substr(0, output_bytes_max))},
                        {"status", static_cast<std::int64_t>(status)}};
  }
  const bool again =
      status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
  return fail(again ? Code::unavailable : Code::denied,
              step.url + ": answered " + std::to_string(status));
}

}  // namespace

Result<json::Object> perform(const Step& step, const std::string& key) {
  CHECK(step.kind == StepKind::command || step.kind == StepKind::http);
  return step.kind == StepKind::command ? run_command(step, key) : request(step, key);
}

}  // namespace mailwarden::respond
