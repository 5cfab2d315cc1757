#include "app/decision_log.h"

#include <utility>

namespace mailwarden::app {

DecisionLog::DecisionLog(std::function<void()> wake, Explain explain)
    : wake_(std::move(wake)), explain_(std::move(explain)), thread_([this] { explain_each(); }) {}

DecisionLog::~DecisionLog() {
  stop();
}

bool DecisionLog::keep(std::unique_ptr<access::Undertaken> undertaken, bool durable) {
  if (durable && refuses_) return false;
  Item item{.undertaken = std::move(undertaken), .waiting = nullptr};
  std::future<bool> stored;
  if (durable) {
    item.waiting = std::make_shared<std::promise<bool>>();
    stored = item.waiting->get_future();
  }
  if (!push(std::move(item))) return false;
  if (!durable) return true;
  wake_();
  return stored.wait_for(store_timeout) == std::future_status::ready && stored.get();
}

bool DecisionLog::push(Item item) {
  access::DecisionRecord& record = item.undertaken->record;
  const bool is_denial = !record.decision.is_allowed && item.undertaken->in_force->point != nullptr;
  const std::lock_guard lock(mutex_);
  if (!is_open_) return false;
  // Whoever asks for access does not wait for a store that stalls.
  if (to_explain_.size() + ready_.size() >= waiting_max) {
    ++missed_;
    return false;
  }
  if (is_denial && to_explain_.size() < explained_max) {
    to_explain_.push_back(std::move(item));
    if (std::exchange(sleeps_, false)) denied_.notify_one();
    return true;
  }
  if (is_denial) record.explanation = "left out, since many denials waited to be explained";
  ready_.push_back(std::move(item));
  return true;
}

void DecisionLog::explain_each() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (to_explain_.empty() && is_open_) denied_.wait_for(lock, look_interval);
    if (to_explain_.empty() && is_open_) {
      sleeps_ = true;
      denied_.wait(lock, [this] { return !is_open_ || !to_explain_.empty(); });
    }
    if (to_explain_.empty()) return;
    Item item = std::move(to_explain_.front());
    to_explain_.pop_front();
    lock.unlock();
    access::Undertaken& denied = *item.undertaken;
    denied.record.explanation = explain_(*denied.in_force->point, denied.record);
    lock.lock();
    ready_.push_back(std::move(item));
  }
}

std::vector<std::unique_ptr<access::Undertaken>> DecisionLog::take() {
  std::vector<Item> items;
  {
    const std::lock_guard lock(mutex_);
    items.swap(ready_);
  }
  std::vector<std::unique_ptr<access::Undertaken>> taken;
  taken.reserve(items.size());
  for (Item& item : items) {
    taken.push_back(std::move(item.undertaken));
    if (item.waiting != nullptr) taken_.push_back(std::move(item.waiting));
  }
  return taken;
}

void DecisionLog::settle(bool stored) {
  for (const auto& waiting : taken_) waiting->set_value(stored);
  taken_.clear();
}

void DecisionLog::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_open_ = false;
  }
  denied_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace mailwarden::app
