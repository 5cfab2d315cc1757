// Whether the files of the store are whole, asked at each start beside the core.
//
// What     A thread checks one place after the other, each on a connection of its own
//          (db/file_check.h); hand_over() gives the core what was found. Damage is a gap and a
//          detection, so that whoever is alerted of incidents is woken, and the daemon goes on:
//          evidence that still comes in is worth more than a stop.
// Owns     Its thread.
// Threads  start(), hand_over(), is_whole(), damage() and stop() from the core's.
// Errors   What could not be checked is told to the log, and is neither whole nor damaged.
// Limits   One check for each place in the life of a process.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "app/core.h"
#include "base/log.h"
#include "db/file_check.h"

namespace mailwarden::app {

class StoreCheck {
 public:
  struct Place {
    std::string name;  // as people call it: "store"
    std::string url;
  };
  using Check =
      std::function<Result<db::FileCheck>(const std::string& url, const std::stop_token& stop)>;

  explicit StoreCheck(std::vector<Place> places, Check check = check_place)
      : places_(std::move(places)), check_(std::move(check)) {}
  StoreCheck(const StoreCheck&) = delete;
  StoreCheck& operator=(const StoreCheck&) = delete;
  ~StoreCheck() { stop(); }

  void start();
  // Ends what is at work at once, and waits for that. What was found can still be handed over.
  void stop();

  void hand_over(Core& core, Log& log);
  // Nothing where one place is not checked (yet), unless another is damaged.
  std::optional<bool> is_whole() const;
  // In a sentence; "" where none was found.
  const std::string& damage() const { return damage_; }

 private:
  struct Outcome {
    std::string name;
    Result<db::FileCheck> found;
    std::chrono::milliseconds took{};
  };

  static Result<db::FileCheck> check_place(const std::string& url, const std::stop_token& stop) {
    return db::check_files(url, {}, stop);
  }
  void run(const std::stop_token& stop);
  void take(const Outcome& outcome, Core& core, Log& log);

  std::vector<Place> places_;
  Check check_;
  std::size_t whole_ = 0;  // of the places
  std::string damage_;
  std::mutex mutex_;
  std::vector<Outcome> outcomes_;
  std::jthread thread_;
};

}  // namespace mailwarden::app
