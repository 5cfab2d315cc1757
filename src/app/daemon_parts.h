// The daemon's parts, for the files that it is written in: daemon.cc starts it, daemon_loop.cc is
// its loop, daemon_watch.cc what watches it.
//
// What     Everything that start() opens, in the order in which it may be taken down, and the
//          loop's own standing.
// Owns     All of it.
// Threads  The loop's, but for `status` and `policies`, which the HTTP threads read under `mutex`.
// Errors   Those of Daemon.
// Limits   None of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "app/access.h"
#include "app/acts.h"
#include "app/core.h"
#include "app/daemon.h"
#include "app/dispatch.h"
#include "app/heartbeat.h"
#include "app/key_keeper.h"
#include "app/opening.h"
#include "app/people_feed.h"
#include "app/pipeline.h"
#include "app/reporter.h"
#include "app/store_check.h"
#include "app/witnesses.h"
#include "http/api.h"
#include "net/http_server.h"

namespace mailwarden::app {

struct Daemon::Parts {
  config::Config config;
  Surroundings around;
  vault::KekUses kek_uses;
  std::unique_ptr<vault::StoreKeys> store_keys;  // null where the store has none
  std::unique_ptr<KeyKeeper> key_keeper;
  std::unique_ptr<db::Database> database;
  std::optional<Keys> keys;
  std::unique_ptr<Core> core;
  std::unique_ptr<Pipeline> pipeline;  // outlives who wakes it
  std::unique_ptr<Access> access;
  std::unique_ptr<PeopleFeed> people;
  std::unique_ptr<Witnesses> witnesses;
  std::unique_ptr<StoreCheck> store_check;  // null with `once`
  std::unique_ptr<Heartbeat> heartbeat;     // null without a switch to tell
  std::unique_ptr<Dispatch> dispatch;
  std::unique_ptr<net::HttpServer> server;
  std::unique_ptr<net::HttpServer> access_server;  // null where the settings ask for none

  // Shared with the HTTP threads.
  std::mutex mutex;
  http::Status status;
  std::shared_ptr<const Policies> policies;  // those in force

  // The loop's own.
  std::map<std::uint64_t, WorkedBatch> waiting;  // by ticket
  std::uint64_t next_ticket = 0;
  std::ptrdiff_t unreleased = 0;
  std::optional<std::uint64_t> end_ticket;
  Acts acts{[this] { pipeline->wake(); }};
  Timestamp sealed;
  Timestamp swept;
  std::optional<Timestamp> audited;   // escalations, the last time
  std::string audit_trouble;          // why they could not be; "" else
  std::optional<Timestamp> reported;  // when the last reports were begun
  Reporter reporter;
  std::string trouble;
  std::chrono::milliseconds backoff{0};
  bool stopping = false;

  Parts(config::Config given, const Surroundings& surroundings)
      : config(std::move(given)), around(surroundings) {}

  Result<void> start();
  Result<void> open_store();
  bool is_begun();
  Result<void> open_keys();
  void tell_missing_tables();
  db::Sealing* sealing() { return store_keys ? &store_keys->sealing() : nullptr; }
  Result<void> start_access(const Policies& policies);
  Result<void> start_server();
  void start_store_check();
  void start_heartbeat();
  http::Status current_status();
  std::shared_ptr<const Policies> current_policies();

  Result<void> loop();
  void pause();
  void answer_acts(const Error* why);
  void take_signal();
  void reload();
  void tell_slips(const Policies& policies) const;
  void take_input();
  std::chrono::milliseconds until_due() const;
  void take_settled();
  void take_people();
  void do_what_is_due();
  Result<void> write();
  void after_write();
  void update_status();
  void audit_escalations();
  void beat();
  void sweep();
  void issue_reports();
  void take_reports();
  bool at_end() const { return end_ticket && next_ticket >= *end_ticket && waiting.empty(); }
  // With --once, each delivery is tried before the end; what failed waits for the next start.
  bool is_settled() const { return at_end() && !core->has_pending() && dispatch->all_tried(); }
  Result<void> finish();
};

}  // namespace mailwarden::app
