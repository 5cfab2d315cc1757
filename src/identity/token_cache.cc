#include "identity/token_cache.h"

namespace mailwarden::identity {

std::shared_ptr<const VerifiedToken> TokenCache::find(const crypto::Digest& hash) {
  const std::lock_guard lock(mutex_);
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->second;
}

void TokenCache::put(const crypto::Digest& hash, std::shared_ptr<const VerifiedToken> token) {
  if (tokens_max_ == 0) return;
  const std::lock_guard lock(mutex_);
  if (const auto found = by_hash_.find(hash); found != by_hash_.end()) {
    found->second->second = std::move(token);
    return;
  }
  if (entries_.size() >= tokens_max_) {
    by_hash_.erase(entries_.back().first);
    entries_.pop_back();
  }
  entries_.emplace_front(hash, std::move(token));
  by_hash_.emplace(hash, entries_.begin());
}

void TokenCache::erase(const crypto::Digest& hash) {
  const std::lock_guard lock(mutex_);
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return;
  entries_.erase(found->second);
  by_hash_.erase(found);
}

std::size_t TokenCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace mailwarden::identity
