// A daemon that takes alerts from outside, and a receiver that counts what it is told.
#pragma once

#include <atomic>
#include <chrono>

#include "tests/e2e/running.h"

namespace mailwarden {

class SignalsDaemon {
 public:
  SignalsDaemon() {
    daemon_.copy_policies();
    sink_.watch([this](const std::string&) { ++calls_; });
    use_routes("1s", "1s");
    write_file(daemon_.path("signals.token"), "for-alerts\n");
    write_file(daemon_.path("silences.token"), "for-silences\n");
  }

  // Of alerts named Disk and Barrier; the latter wait longer, so that a test can wait for one.
  void use_routes(const std::string& wait, const std::string& barrier_wait) {
    write_file(
        daemon_.path("policies/routes.yaml"),
        "receivers:\n- {name: sink, kind: webhook, url: '" + sink_.url() +
            "'}\n- {name: spool, kind: folder, folder: spool}\n"
            "routes:\n- {signals: ['alertname!=\"Barrier\"'], group_by: [alertname], wait: " +
            wait +
            ", interval: 1s, repeat: 4h, to: [sink]}\n"
            "- {signals: ['alertname=\"Barrier\"'], wait: " +
            barrier_wait + ", interval: 1s, repeat: 4h, to: [sink]}\n");
  }

  void start() {
    daemon_.start({"--source", "file:" + daemon_.path("none.log"), "--signals-token",
                   daemon_.path("signals.token"), "--silences-token",
                   daemon_.path("silences.token")});
  }
  void kill_and_start() {
    daemon_.signal(SIGKILL);
    start();
  }
  unsigned post(const std::string& name) {
    return daemon_
        .ask("/api/v2/alerts", "POST",
             R"([{"labels":{"alertname":")" + name + R"("},"annotations":{"summary":"s"}}])")
        .status;
  }
  // How many different notifications named that came, and in how many calls all came.
  std::size_t told(const std::string& name) const {
    std::size_t count = 0;
    for (const auto& [key, bodies] : sink_.taken()) {
      count += bodies.begin()->contains("\"alertname\":\"" + name + "\"") ? 1 : 0;
    }
    return count;
  }
  void wait_for(const std::string& name) {
    daemon_.wait_until([&] { return told(name) > 0; });
  }
  std::int64_t delivered() {
    const auto answer = daemon_.get("/api/v1/alerts?standing=delivered");
    return answer["alerts"].as_array() == nullptr
               ? 0
               : static_cast<std::int64_t>(answer["alerts"].as_array()->size());
  }
  int calls() const { return calls_; }

  RunningDaemon daemon_;
  Receiver sink_;

 private:
  std::atomic<int> calls_ = 0;
};

}  // namespace mailwarden
