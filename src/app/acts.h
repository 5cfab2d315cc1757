// What people ask of the core, and the answers.
//
// What     ask() gives the core something to do and waits until what came of it is durable. look()
//          only reads what the core has, and waits for no store.
// Owns     The queue.
// Threads  ask(), look() from any; the rest from the core's.
// Errors   ask(): unavailable while the daemon stops and while the store refuses; why it could not
//          be stored; those of the act. look(): unavailable while the daemon stops.
// Limits   None of its own: whoever asks waits.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "app/core.h"

namespace mailwarden::app {

class Acts {
 public:
  // `wake` has the core call take() soon; it is called from the thread that asks.
  explicit Acts(std::function<void()> wake) : wake_(std::move(wake)) {}

  template <class Outcome>
  Outcome ask(std::function<Outcome(Core&)> act) {
    if (refuses_) return fail(Code::unavailable, "the store takes nothing now");
    return wait<Outcome>(std::move(act), false);
  }
  template <class Outcome>
  Outcome look(std::function<Outcome(Core&)> act) {
    return wait<Outcome>(std::move(act), true);
  }

  // Does what was asked for since the last call; with `only_looks` what needs no store.
  void take(Core& core, bool only_looks = false);
  // What was done is durable, or is not and why.
  void answer(const Error* why);
  // Whether the store takes nothing now.
  void refuse(bool refuses) { refuses_.store(refuses); }
  // Takes nothing more.
  void close();
  // The same; what waits is answered with the error and not done.
  void abandon(const Error& why);

 private:
  using Answer = std::function<void(const Error*)>;

  struct Act {
    std::function<Answer(Core&)> run;
    std::function<void(const Error&)> fail;
    bool is_look = false;
  };

  template <class Outcome>
  Outcome wait(std::function<Outcome(Core&)> act, bool is_look) {
    auto promise = std::make_shared<std::promise<Outcome>>();
    auto outcome = promise->get_future();
    const bool taken =
        push({.run = [promise, act = std::move(act)](Core& core) -> Answer {
                return [promise, result = act(core)](const Error* why) {
                  promise->set_value(why == nullptr ? result : std::unexpected(*why));
                };
              },
              .fail = [promise](const Error& why) { promise->set_value(std::unexpected(why)); },
              .is_look = is_look});
    if (!taken) return fail(Code::unavailable, "the daemon is stopping");
    return outcome.get();
  }

  bool push(Act act);

  std::function<void()> wake_;
  std::atomic<bool> refuses_{false};
  std::mutex mutex_;
  std::deque<Act> acts_;
  bool is_open_ = true;
  std::vector<Answer> answers_;  // the core's
};

}  // namespace mailwarden::app
