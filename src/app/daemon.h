// The daemon: wiring, start, the loop, reload, stop.
//
// What     start() opens the store, loads the policies, makes or loads the signing key, and starts
//          sources, workers and the HTTP server; run() is the core's loop, which ends when it is
//          told to or, with `once`, when every source is read and all of it is durable.
// Owns     Every part, ended in the reverse order of its start.
// Threads  start() and run() from one thread.
// Errors   start(): every reason why it cannot start, at once where they are of one kind. run():
//          what made going on impossible (a damaged store).
// Limits   config::Config.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/entropy.h"
#include "base/log.h"
#include "base/result.h"
#include "config/config.h"

namespace mailwarden::app {

enum class Signal { none, stop, reload };

// What the daemon needs from outside itself.
struct Surroundings {
  const Clock& clock;
  Entropy& entropy;
  Log& log;
  std::function<Signal()> poll_signal;      // the signal that came since the last call, if any
  std::function<void(const char*)> notify;  // tells systemd: "READY=1", "WATCHDOG=1", …
};

class Daemon {
 public:
  static Result<std::unique_ptr<Daemon>> start(const config::Config& config,
                                               const Surroundings& surroundings);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

  Result<void> run();

  // Where the console answers, with real ports.
  const std::vector<std::string>& addresses() const;

 private:
  struct Parts;
  explicit Daemon(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

// Tells systemd, where it listens.
void notify_systemd(const char* state);

}  // namespace mailwarden::app
