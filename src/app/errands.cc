#include "app/errands.h"

#include <algorithm>

#include "base/check.h"

namespace mailwarden::app {
namespace {

// The clock may jump, so a wait by its time is looked at again at least so often.
constexpr std::chrono::seconds look_again{1};
constexpr Duration minute = std::chrono::minutes(1);

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
  const auto [item, is_new] =
      items_.try_emplace(key, Item{.errand = std::move(errand), .due = due, .order = added_});
  if (!is_new) return;
  const Errand& added = item->second.errand;
  lanes_.try_emplace(added.lane);
  subjects_[{added.lane, added.subject}].insert(added_++);
}

bool ErrandQueue::is_paused(const Lane& lane, Timestamp now) const {
  // One that is further off than any that is heeded was asked for before the clock was set back.
  return now < lane.paused_until && lane.paused_until - now <= options_.pause_asked_max;
}

bool ErrandQueue::waits_for_another(const Item& item) const {
  if (!item.errand.follows) return false;
  const auto& orders = subjects_.find({item.errand.lane, item.errand.subject})->second;
  return *orders.begin() != item.order;
}

bool ErrandQueue::may_begin(const Item& item, Timestamp now) {
  // One never tried is due whatever the clock says.
  if (item.running || (item.tries > 0 && item.due > now)) return false;
  Lane& lane = lanes_.find(item.errand.lane)->second;
  if (lane.busy || is_paused(lane, now) || waits_for_another(item)) return false;
  const auto is_past = [now](Timestamp begun) { return begun > now || now - begun >= minute; };
  while (!lane.begun.empty() && is_past(lane.begun.front())) lane.begun.pop_front();
  return item.errand.per_minute == 0 || std::ssize(lane.begun) < item.errand.per_minute;
}

bool ErrandQueue::is_full(const Errand& errand) const {
  if (errand.group.empty()) return false;
  const auto found = at_work_.find(errand.group);
  return found != at_work_.end() && found->second >= options_.group_max;
}

const Errand* ErrandQueue::take(Timestamp now) {
  Item* best = nullptr;
  for (auto& [key, item] : items_) {
    if (best != nullptr && item.order > best->order) continue;
    if (!is_full(item.errand) && may_begin(item, now)) best = &item;
  }
  if (best == nullptr) return nullptr;
  best->running = true;
  ++at_work_[best->errand.group];
  Lane& lane = lanes_.find(best->errand.lane)->second;
  lane.busy = true;
  if (best->errand.per_minute > 0) lane.begun.push_back(now);
  return &best->errand;
}

bool ErrandQueue::is_over(const Item& item, const Result<json::Object>& result,
                          Timestamp now) const {
  if (result || !may_help_again(result.error())) return true;
  if (item.errand.tries_max > 0 && item.tries >= item.errand.tries_max) return true;
  return now - item.errand.since >= item.errand.give_up_after;
}

void ErrandQueue::settle(const std::string& key, Attempt attempt, Timestamp now) {
  const auto found = items_.find(key);
  CHECK(found != items_.end());
  Item& item = found->second;
  --at_work_[item.errand.group];
  Lane& lane = lanes_.find(item.errand.lane)->second;
  const Duration asked = std::clamp(attempt.pause, Duration(0), options_.pause_asked_max);
  lane.busy = false;
  if (asked > Duration(0)) lane.paused_until = now + asked;
  item.running = false;
  ++item.tries;
  const bool over = is_over(item, attempt.result, now);
  item.due = now + std::max(pause_after(item.tries, options_), asked);
  if (over || item.tries == 1) {
    outcomes_.push_back(
        {.key = key, .over = over, .tries = item.tries, .result = std::move(attempt.result)});
  }
  if (!over) return;
  const auto about = subjects_.find({item.errand.lane, item.errand.subject});
  about->second.erase(item.order);
  if (about->second.empty()) subjects_.erase(about);
  // A receiver's lane stays; a step's has had its use.
  const std::string name = item.errand.lane;
  const bool stays = item.errand.group.empty();
  items_.erase(found);
  const auto next = subjects_.lower_bound({name, ""});
  if (!stays && (next == subjects_.end() || next->first.first != name)) lanes_.erase(name);
}

std::vector<ErrandOutcome> ErrandQueue::take_outcomes() {
  return std::exchange(outcomes_, {});
}

bool ErrandQueue::all_tried(Timestamp now) const {
  return outcomes_.empty() && std::ranges::all_of(items_, [&](const auto& keyed) {
           const Item& item = keyed.second;
           if (item.running) return false;
           return item.tries > 0 || waits_for_another(item) ||
                  is_paused(lanes_.find(item.errand.lane)->second, now);
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
  return queue_.all_tried(clock_.now());
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
    auto attempt = run();
    lock.lock();
    queue_.settle(key, std::move(attempt), clock_.now());
    changed_.notify_all();
  }
}

}  // namespace mailwarden::app
