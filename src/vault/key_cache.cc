#include "vault/key_cache.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace mailwarden::vault {

// An index is a hash with a key that nobody outside knows; any part of it is as good as another.
std::size_t KeyCache::HashOfIndex::operator()(const SubjectIndex& index) const {
  std::size_t hash = 0;
  std::memcpy(&hash, index.data(), sizeof(hash));
  return hash;
}

Result<KeyCache> KeyCache::make(std::size_t keys_max) {
  const std::size_t places = std::max(keys_max, keys_min);
  auto memory = crypto::SecretBytes::make(places * crypto::key_bytes);
  if (!memory) return std::unexpected(memory.error());
  return KeyCache(*std::move(memory), places);
}

KeyCache::KeyCache(crypto::SecretBytes memory, std::size_t keys_max) : memory_(std::move(memory)) {
  for (std::size_t place = keys_max; place > 0; --place) free_.push_back(place - 1);
}

std::span<std::byte, crypto::key_bytes> KeyCache::at(std::size_t place) {
  return memory_.bytes().subspan(place * crypto::key_bytes).first<crypto::key_bytes>();
}

std::optional<KeyView> KeyCache::find(const KeyName& name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  order_.splice(order_.begin(), order_, found->second);
  return at(found->second->place);
}

KeyView KeyCache::put(const KeyName& name, KeyView key) {
  if (const auto held = find(name)) return *held;
  if (free_.empty()) remove(std::prev(order_.end()));
  order_.push_front({.name = name, .place = free_.back()});
  free_.pop_back();
  by_name_[name] = order_.begin();
  const auto place = at(order_.front().place);
  std::ranges::copy(key, place.begin());
  return place;
}

std::optional<KeyName> KeyCache::newest(const SubjectIndex& subject) const {
  const auto found = by_subject_.find(subject);
  if (found == by_subject_.end()) return std::nullopt;
  return found->second->name;
}

void KeyCache::set_newest(const SubjectIndex& subject, const KeyName& name) {
  const auto held = by_name_.find(name);
  CHECK(held != by_name_.end());
  const auto [known, added] = by_subject_.try_emplace(subject, held->second);
  if (!added) {
    known->second->subject.reset();
    known->second = held->second;
  }
  held->second->subject = subject;
}

void KeyCache::remove(Order::iterator held) {
  crypto::wipe(at(held->place));
  free_.push_back(held->place);
  if (held->subject) by_subject_.erase(*held->subject);
  by_name_.erase(held->name);
  order_.erase(held);
}

void KeyCache::drop(std::uint64_t id) {
  while (true) {
    const auto held = by_name_.lower_bound({id, 0});
    if (held == by_name_.end() || held->first.id != id) return;
    remove(held->second);
  }
}

void KeyCache::clear() {
  while (!order_.empty()) remove(order_.begin());
}

}  // namespace mailwarden::vault
