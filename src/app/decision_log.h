// Decisions on their way from the threads that make them to the core that keeps them.
//
// What     keep() takes a decision and, where it is asked to, wakes the core and waits until it is
//          stored; while the store refuses it does not wait, and says no at once. A thread explains
//          denials meanwhile, so that neither the answer nor the core waits for that; who is let in
//          needs no explanation and waits for none. take() gives what is ready to be stored;
//          settle() answers those who wait.
// Owns     What waits, and its thread.
// Threads  keep() from any; take(), settle() and stop() from the core's.
// Errors   keep() is false where the decision is not stored in time, or cannot be taken any more.
//          One that was late may still be stored; whoever asked was told no.
// Limits   waiting_max decisions; those beyond are counted by missed() and not kept. explained_max
//          wait to be explained; further denials are kept without, so that a flood of them loses
//          none. store_timeout.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "access/arbiter.h"

namespace mailwarden::app {

class DecisionLog {
 public:
  static constexpr std::size_t waiting_max = 50'000;
  static constexpr std::size_t explained_max = 1'000;
  static constexpr std::chrono::seconds store_timeout{5};

  using Explain = std::function<json::Value(const policy::DecisionPoint& point,
                                            const access::DecisionRecord& denied)>;

  explicit DecisionLog(std::function<void()> wake, Explain explain = access::explanation_of);
  DecisionLog(const DecisionLog&) = delete;
  DecisionLog& operator=(const DecisionLog&) = delete;
  ~DecisionLog();

  bool keep(std::unique_ptr<access::Undertaken> undertaken, bool durable);

  std::vector<std::unique_ptr<access::Undertaken>> take();
  // What was taken since the last call is stored, or is not.
  void settle(bool stored);
  // Whether the store takes nothing now.
  void refuse(bool refuses) { refuses_.store(refuses); }
  // How many were lost since the last call.
  std::int64_t missed() { return missed_.exchange(0); }
  // Takes nothing more; what was taken by then is explained and can still be taken.
  void stop();

 private:
  struct Item {
    std::unique_ptr<access::Undertaken> undertaken;
    std::shared_ptr<std::promise<bool>> waiting;  // null where nobody waits
  };

  // While denials come, they are looked for so often and nobody has to be woken for each.
  static constexpr std::chrono::milliseconds look_interval{5};

  // Puts it where it waits; false where it cannot be taken.
  bool push(Item item);
  void explain_each();

  std::function<void()> wake_;
  Explain explain_;
  std::atomic<std::int64_t> missed_{0};
  std::atomic<bool> refuses_{false};
  std::mutex mutex_;
  std::condition_variable denied_;
  std::deque<Item> to_explain_;
  std::vector<Item> ready_;
  bool is_open_ = true;
  bool sleeps_ = false;                                     // whoever explains, until it is woken
  std::vector<std::shared_ptr<std::promise<bool>>> taken_;  // the core's
  std::jthread thread_;
};

}  // namespace mailwarden::app
