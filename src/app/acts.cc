#include "app/acts.h"

namespace mailwarden::app {

bool Acts::push(Act act) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_open_) return false;
    acts_.push_back(std::move(act));
  }
  wake_();
  return true;
}

void Acts::take(Core& core) {
  std::deque<Act> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(acts_);
  }
  for (const Act& act : taken) answers_.push_back(act(core));
}

void Acts::answer(const Error* why) {
  for (const Answer& answer : answers_) answer(why);
  answers_.clear();
}

void Acts::close() {
  const std::lock_guard lock(mutex_);
  is_open_ = false;
}

}  // namespace mailwarden::app
