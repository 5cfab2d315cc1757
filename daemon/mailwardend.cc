// mailwardend: the daemon. All that it does is in src/; this file asks the system for what a test
// would bring itself: signals, the clock, random bytes.
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include <signal.h>
#include <unistd.h>

#include "app/daemon.h"
#include "config/config.h"
#include "crypto/entropy.h"
#include "crypto/secret.h"

namespace {

constexpr int exit_usage = 2;
constexpr int exit_unavailable = 3;

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

mailwarden::app::Signal poll_signal() {
  const sigset_t set = watched_signals();
  const timespec at_once{};
  switch (sigtimedwait(&set, nullptr, &at_once)) {
    case SIGTERM:
    case SIGINT:
      return mailwarden::app::Signal::stop;
    case SIGHUP:
      return mailwarden::app::Signal::reload;
    default:
      return mailwarden::app::Signal::none;
  }
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

int trouble(int code, const std::string& what) {
  std::fprintf(stderr, "mailwardend: %s\n", what.c_str());
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace mailwarden;
  const auto outcome = config::parse(std::vector<std::string>(argv + 1, argv + argc), host_name());
  if (!outcome) return trouble(exit_usage, outcome.error().what);
  if (outcome->answer) {
    std::fputs(outcome->answer->c_str(), stdout);
    return 0;
  }
  // Before there is a key in memory.
  if (auto done = crypto::forbid_core_dumps(); !done) {
    return trouble(exit_unavailable, done.error().what);
  }
  // Blocked before any thread is made, so that every thread leaves them to the loop.
  const sigset_t set = watched_signals();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);

  const SystemClock clock;
  crypto::SystemEntropy entropy;
  Log log(outcome->config.log_level);
  auto daemon = app::Daemon::start(outcome->config, {.clock = clock,
                                                     .entropy = entropy,
                                                     .log = log,
                                                     .poll_signal = poll_signal,
                                                     .notify = app::notify_systemd});
  if (!daemon) return trouble(exit_unavailable, daemon.error().what);
  const auto ended = (*daemon)->run();
  return ended ? 0 : trouble(exit_unavailable, ended.error().what);
}
