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

void Acts::take(Core& core, bool only_looks) {
  std::deque<Act> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(acts_);
  }
  if (taken.empty()) return;
  std::deque<Act> left;
  const Core::Together together(core);
  for (Act& act : taken) {
    if (act.is_look) {
      act.run(core)(nullptr);
    } else if (only_looks) {
      left.push_back(std::move(act));
    } else {
      answers_.push_back(act.run(core));
    }
  }
  if (left.empty()) return;
  const std::lock_guard lock(mutex_);
  acts_.insert(acts_.begin(), std::make_move_iterator(left.begin()),
               std::make_move_iterator(left.end()));
}

void Acts::answer(const Error* why) {
  for (const Answer& answer : answers_) answer(why);
  answers_.clear();
}

void Acts::close() {
  const std::lock_guard lock(mutex_);
  is_open_ = false;
}

void Acts::abandon(const Error& why) {
  std::deque<Act> left;
  {
    const std::lock_guard lock(mutex_);
    is_open_ = false;
    left.swap(acts_);
  }
  for (const Act& act : left) act.fail(why);
  answer(&why);
}

}  // namespace mailwarden::app
