#include "app/errands.h"

#include <algorithm>

#include "base/check.h"

namespace mailwarden::app {
namespace {

// The clock may jump, so a wait by its time is looked at again at least so often.
constexpr std::chrono::seconds look_again{1};

bool may_help_again(const Error& error) {
  return error.code == Code::unavailable || error.code == Code::io || error.code == Code::full;
}

}  // namespace

Duration pause_after(std::int64_t tries, const ErrandsOptions& options) {
  Duration pause = options.first_pause;
  for (std::int64_t i = 1; i < tries && pause < options.pause_max; ++i) pause *= 2;
  return std::min(pause, options.pause_max);
}

void ErrandQueue::add(Errand errand) {
  const std::string key = errand.key;
  const Timestamp due = errand.since;
  items_.try_emplace(key, Item{.errand = std::move(errand), .due = due, .order = added_++});
}

bool ErrandQueue::is_full(const Errand& errand) const {
  if (errand.group.empty()) return false;
  const auto found = at_work_.find(errand.group);
  return found != at_work_.end() && found->second >= options_.group_max;
}

const Errand* ErrandQueue::take(Timestamp now) {
  Item* best = nullptr;
  for (auto& [key, item] : items_) {
    if (item.running || busy_.contains(item.errand.lane) || is_full(item.errand)) continue;
    // One never tried is due whatever the clock says.
    if (item.tries > 0 && item.due > now) continue;
    if (best == nullptr || item.order < best->order) best = &item;
  }
  if (best == nullptr) return nullptr;
  best->running = true;
  busy_.insert(best->errand.lane);
  ++at_work_[best->errand.group];
  return &best->errand;
}

bool ErrandQueue::is_over(const Item& item, const Result<json::Object>& result,
                          Timestamp now) const {
  if (result || !may_help_again(result.error())) return true;
  if (item.errand.tries_max > 0 && item.tries >= item.errand.tries_max) return true;
  return now - item.errand.since >= item.errand.give_up_after;
}

void ErrandQueue::settle(const std::string& key, Result<json::Object> result, Timestamp now) {
  const auto found = items_.find(key);
  CHECK(found != items_.end());
  Item& item = found->second;
  busy_.erase(item.errand.lane);
  --at_work_[item.errand.group];
  item.running = false;
  ++item.tries;
  const bool over = is_over(item, result, now);
  if (over || item.tries == 1) {
    outcomes_.push_back(
        {.key = key, .over = over, .tries = item.tries, .result = std::move(result)});
  }
  if (over) {
    items_.erase(found);
  } else {
    item.due = now + pause_after(item.tries, options_);
  }
}

std::vector<ErrandOutcome> ErrandQueue::take_outcomes() {
  return std::exchange(outcomes_, {});
}

bool ErrandQueue::all_tried() const {
  return outcomes_.empty() && std::ranges::all_of(items_, [](const auto& item) {
           return item.second.tries > 0 && !item.second.running;
         });
}

Errands::Errands(const ErrandsOptions& options, const Clock& clock)
    : clock_(clock), queue_(options) {
  for (unsigned i = 0; i < options.threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  }
}

Errands::~Errands() {
  stop();
}

void Errands::stop() {
  {
    const std::lock_guard lock(mutex_);
    for (std::jthread& thread : threads_) thread.request_stop();
  }
  changed_.notify_all();
  threads_.clear();
}

void Errands::add(std::vector<Errand> errands) {
  if (errands.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    for (Errand& errand : errands) queue_.add(std::move(errand));
  }
  changed_.notify_all();
}

std::vector<ErrandOutcome> Errands::take_outcomes() {
  const std::lock_guard lock(mutex_);
  return queue_.take_outcomes();
}

std::size_t Errands::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.waiting();
}

bool Errands::all_tried() const {
  const std::lock_guard lock(mutex_);
  return queue_.all_tried();
}

void Errands::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const Errand* const errand = queue_.take(clock_.now());
    if (errand == nullptr) {
      changed_.wait_for(lock, look_again);
      continue;
    }
    const std::string key = errand->key;
    const auto run = errand->run;
    lock.unlock();
    auto result = run();
    lock.lock();
    queue_.settle(key, std::move(result), clock_.now());
    changed_.notify_all();
  }
}

}  // namespace mailwarden::app
