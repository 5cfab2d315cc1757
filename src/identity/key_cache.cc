#include "identity/key_cache.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace mailwarden::identity {

KeyCache::KeyCache(KeySource source, const KeyCacheOptions& options)
    : source_(std::move(source)), options_(options) {
  CHECK(source_ && options_.fresh_min <= options_.fresh_max);
}

// A clock that was set back makes a set old, since how long it has been here is not known any more.
bool KeyCache::is_fresh(Timestamp now) const {
  return state_.keys != nullptr && *state_.fetched_at <= now && now < *state_.fresh_until;
}

bool KeyCache::may_serve(Timestamp now) const {
  return state_.keys != nullptr && now < *state_.fresh_until + options_.stale_max;
}

bool KeyCache::has_passed(Duration pause, Timestamp now) const {
  return !tried_at_ || now < *tried_at_ || now - *tried_at_ >= pause;
}

Result<std::shared_ptr<const KeySet>> KeyCache::current(Timestamp now) {
  std::unique_lock fetching(fetching_, std::defer_lock);
  {
    const std::lock_guard lock(mutex_);
    if (is_fresh(now)) return state_.keys;
    if (may_serve(now) && !fetching.try_lock()) return state_.keys;
  }
  if (!fetching.owns_lock()) fetching.lock();
  bool wanted = false;
  {
    const std::lock_guard lock(mutex_);
    const bool failed = !state_.failure.empty();
    wanted = !is_fresh(now) && (!failed || has_passed(options_.retry_pause, now));
  }
  if (wanted) fetch(now);
  const std::lock_guard lock(mutex_);
  if (is_fresh(now) || may_serve(now)) return state_.keys;
  return fail(Code::unavailable, "key set: " + state_.failure);
}

Result<std::shared_ptr<const KeySet>> KeyCache::beyond(const std::shared_ptr<const KeySet>& seen,
                                                       Timestamp now) {
  const std::lock_guard fetching(fetching_);
  bool wanted = false;
  {
    const std::lock_guard lock(mutex_);
    if (state_.keys != seen) return state_.keys;
    wanted = has_passed(options_.unknown_pause, now);
  }
  if (wanted) fetch(now);
  const std::lock_guard lock(mutex_);
  // Whether the key is unknown cannot be said while nobody tells the keys.
  if (!state_.failure.empty()) return fail(Code::unavailable, "key set: " + state_.failure);
  return state_.keys;
}

void KeyCache::fetch(Timestamp now) {
  auto document = source_();
  auto keys = document ? KeySet::parse(document->text, options_.key_set)
                       : Result<KeySet>(std::unexpected(document.error()));
  const std::lock_guard lock(mutex_);
  tried_at_ = now;
  ++state_.fetches;
  if (!keys) {
    state_.failure = keys.error().what;
    return;
  }
  const Duration fresh_for = document->fresh_for.value_or(options_.fresh_default);
  state_.keys = std::make_shared<const KeySet>(*std::move(keys));
  state_.fetched_at = now;
  state_.fresh_until = now + std::clamp(fresh_for, options_.fresh_min, options_.fresh_max);
  state_.failure.clear();
}

KeyCacheState KeyCache::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

}  // namespace mailwarden::identity
