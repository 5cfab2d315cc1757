// Decisions on their way from the threads that make them to the core that keeps them.
//
// What     keep() takes a decision and, where it is asked to, waits until it is stored; while the
//          store refuses it does not wait, and says no at once. A thread
//          explains denials meanwhile, so that neither the answer nor the core waits for that.
//          Where somebody waits for a decision that is ready, the core is woken. take() gives what
//          is ready to be stored; settle() answers those who wait.
// Owns     Its queue and its thread.
// Threads  keep() from any; take(), settle() and stop() from the core's.
// Errors   keep() is false where the decision is not stored in time, or cannot be taken any more.
//          One that was late may still be stored; whoever asked was told no.
// Limits   waiting_max decisions; those beyond are counted by missed() and not kept. store_timeout.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "access/arbiter.h"
#include "base/bounded_queue.h"

namespace mailwarden::app {

class DecisionLog {
 public:
  static constexpr std::size_t waiting_max = 50'000;
  static constexpr std::chrono::seconds store_timeout{5};

  explicit DecisionLog(std::function<void()> wake);
  DecisionLog(const DecisionLog&) = delete;
  DecisionLog& operator=(const DecisionLog&) = delete;
  ~DecisionLog();

  bool keep(access::Undertaken undertaken, bool durable);

  std::vector<access::DecisionRecord> take();
  // What was taken since the last call is stored, or is not.
  void settle(bool stored);
  // Whether the store takes nothing now.
  void refuse(bool refuses) { refuses_.store(refuses); }
  // How many were lost since the last call.
  std::int64_t missed() { return missed_.exchange(0); }
  // Takes nothing more; what is explained by then can still be taken.
  void stop();

 private:
  struct Item {
    access::Undertaken undertaken;
    std::shared_ptr<std::promise<bool>> waiting;  // null where nobody waits
  };

  void run();

  std::function<void()> wake_;
  BoundedQueue<Item> queue_{waiting_max};
  std::atomic<std::int64_t> missed_{0};
  std::atomic<bool> refuses_{false};
  std::mutex mutex_;
  std::vector<Item> ready_;
  std::vector<std::shared_ptr<std::promise<bool>>> taken_;
  std::jthread thread_;
};

}  // namespace mailwarden::app
