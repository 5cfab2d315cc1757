// Witnesses of the ledger, asked beside the core.
//
// What     show() gives each witness the newest checkpoint, on a thread of its own; hand_over()
//          gives the core the cosignatures that came of it, to be put under that checkpoint, and
//          what a witness finds wrong. A witness that could not be reached is tried again.
// Owns     Its thread, its connections to the witnesses and one to the store, for reading.
// Threads  show() and hand_over() from the core's.
// Errors   Told in the log, the same once; that a witness has seen another history is among the
//          news too.
// Limits   A checkpoint that is shown replaces one that waits.
// Source   C2SP tlog-witness.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/core.h"
#include "base/log.h"
#include "config/config.h"
#include "ledger/note.h"
#include "ledger/witness.h"

namespace mailwarden::app {

class Witnesses {
 public:
  Witnesses(const config::Config& config, Log& log);
  Witnesses(const Witnesses&) = delete;
  Witnesses& operator=(const Witnesses&) = delete;
  ~Witnesses() { stop(); }

  void show(std::string note);
  void hand_over(Core& core);
  // Waits for one request at most.
  void stop() { thread_ = {}; }

 private:
  struct News {
    std::uint64_t size = 0;    // of the checkpoint
    std::string line;          // a cosignature; "" where there is none
    std::string disagreement;  // a sentence; "" where there is none
  };

  void run(const std::stop_token& stop);
  // Whether all have cosigned it.
  bool ask_all(const std::string& note, const std::stop_token& stop);
  Result<ledger::Cosignature> ask(const config::WitnessConfig& witness, const std::string& note,
                                  const ledger::Checkpoint& checkpoint);
  void tell(const config::WitnessConfig& witness, const Error& error, std::uint64_t size);

  const std::vector<config::WitnessConfig> witnesses_;
  const std::string store_;
  Log& log_;
  // The thread's.
  std::map<std::string, std::uint64_t> seen_;    // by the witness's name, the size it saw last
  std::map<std::string, std::string> troubles_;  // told last

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::optional<std::string> shown_;
  std::vector<News> news_;
  std::jthread thread_;
};

}  // namespace mailwarden::app
