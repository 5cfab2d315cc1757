// What people ask of the core, and the answers.
//
// What     ask() gives the core something to do, wakes it, and waits until what came of it is
//          durable.
// Owns     The queue.
// Threads  ask() from any; the rest from the core's.
// Errors   ask(): unavailable while the daemon stops; why it could not be stored; those of the act.
// Limits   None of its own: whoever asks waits.
#pragma once

#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <vector>

#include "app/core.h"

namespace mailwarden::app {

class Acts {
 public:
  explicit Acts(std::function<void()> wake) : wake_(std::move(wake)) {}

  template <class Outcome>
  Outcome ask(std::function<Outcome(Core&)> act) {
    auto promise = std::make_shared<std::promise<Outcome>>();
    auto outcome = promise->get_future();
    const bool taken = push([promise, act = std::move(act)](Core& core) -> Answer {
      return [promise, result = act(core)](const Error* why) {
        promise->set_value(why == nullptr ? result : std::unexpected(*why));
      };
    });
    if (!taken) return fail(Code::unavailable, "the daemon is stopping");
    return outcome.get();
  }

  // Does what was asked for since the last call.
  void take(Core& core);
  // What was done is durable, or is not and why.
  void answer(const Error* why);
  // Takes nothing more.
  void close();

 private:
  using Answer = std::function<void(const Error*)>;
  using Act = std::function<Answer(Core&)>;

  bool push(Act act);

  std::function<void()> wake_;
  std::mutex mutex_;
  std::deque<Act> acts_;
  bool is_open_ = true;
  std::vector<Answer> answers_;  // the core's
};

}  // namespace mailwarden::app
