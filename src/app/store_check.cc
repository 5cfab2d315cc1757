#include "app/store_check.h"

#include <utility>

namespace mailwarden::app {

void StoreCheck::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void StoreCheck::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void StoreCheck::run(const std::stop_token& stop) {
  for (const Place& place : places_) {
    if (stop.stop_requested()) return;
    const auto begun = std::chrono::steady_clock::now();
    auto found = check_(place.url, stop);
    // That it was stopped is no outcome; what it had found by then is one.
    if (!found && stop.stop_requested()) return;
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begun);
    const std::lock_guard lock(mutex_);
    outcomes_.push_back({.name = place.name, .found = std::move(found), .took = took});
  }
}

void StoreCheck::hand_over(Core& core, Log& log) {
  std::vector<Outcome> outcomes;
  {
    const std::lock_guard lock(mutex_);
    outcomes.swap(outcomes_);
  }
  for (const Outcome& outcome : outcomes) take(outcome, core, log);
}

void StoreCheck::take(const Outcome& outcome, Core& core, Log& log) {
  const std::string files = "the files of the " + outcome.name;
  if (!outcome.found) {
    return log.error(files + " could not be checked: " + outcome.found.error().what);
  }
  const db::FileCheck& found = *outcome.found;
  if (found.is_unguarded) {
    return log.warning(
        files +
        " are looked after by nobody, since the server keeps no checksums of its pages "
        "(data_checksums is off)");
  }
  const std::string how = " (" + found.way + ", " + std::to_string(outcome.took.count()) + " ms)";
  if (found.damage.empty()) {
    ++whole_;
    return log.info(files + " are whole" + how);
  }
  const FileDamage damage{.name = outcome.name, .way = found.way, .findings = found.damage};
  if (!damage_.empty()) damage_ += "; ";
  damage_ += files + " are damaged: " + summary(damage);
  log.error(files + " are damaged" + how +
            ", and what comes is taken all the same: " + summary(damage));
  core.take(damage);
}

std::optional<bool> StoreCheck::is_whole() const {
  if (!damage_.empty()) return false;
  if (whole_ < places_.size()) return std::nullopt;
  return true;
}

}  // namespace mailwarden::app
