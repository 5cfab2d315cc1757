#include "app/decision_log.h"

namespace mailwarden::app {

DecisionLog::DecisionLog(std::function<void()> wake)
    : wake_(std::move(wake)), thread_([this] { run(); }) {}

DecisionLog::~DecisionLog() {
  stop();
}

bool DecisionLog::keep(access::Undertaken undertaken, bool durable) {
  if (durable && refuses_) return false;
  // Whoever asks for access does not wait for a store that stalls.
  if (queue_.size() >= waiting_max) {
    ++missed_;
    return false;
  }
  Item item{.undertaken = std::move(undertaken), .waiting = nullptr};
  std::future<bool> stored;
  if (durable) {
    item.waiting = std::make_shared<std::promise<bool>>();
    stored = item.waiting->get_future();
  }
  if (!queue_.push(std::move(item))) return false;
  if (!durable) return true;
  return stored.wait_for(store_timeout) == std::future_status::ready && stored.get();
}

void DecisionLog::run() {
  while (auto item = queue_.pop()) {
    access::Undertaken& undertaken = item->undertaken;
    if (!undertaken.record.decision.is_allowed && undertaken.point != nullptr) {
      undertaken.record.explanation = policy::to_json(
          policy::explain(*undertaken.point, *undertaken.request, undertaken.record.decision));
    }
    const bool is_waited_for = item->waiting != nullptr;
    {
      const std::lock_guard lock(mutex_);
      ready_.push_back(*std::move(item));
    }
    if (is_waited_for) wake_();
  }
}

std::vector<access::DecisionRecord> DecisionLog::take() {
  std::vector<Item> items;
  {
    const std::lock_guard lock(mutex_);
    items.swap(ready_);
  }
  std::vector<access::DecisionRecord> records;
  for (Item& item : items) {
    records.push_back(std::move(item.undertaken.record));
    if (item.waiting != nullptr) taken_.push_back(std::move(item.waiting));
  }
  return records;
}

void DecisionLog::settle(bool stored) {
  for (const auto& waiting : taken_) waiting->set_value(stored);
  taken_.clear();
}

void DecisionLog::stop() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

}  // namespace mailwarden::app
