// Data keys as they are, in memory for keys, the least recently used leaving first.
//
// What     Keys by name, and the newest key of a subject by the subject's blind index.
// Owns     One locked block of memory with a place for each key.
// Threads  The vault's, which lets one in at a time.
// Errors   make(): full, where the memory cannot be locked.
// Limits   keys_max, at least keys_min, so that all keys of one value have room at once.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "crypto/envelope.h"
#include "crypto/secret.h"

namespace mailwarden::vault {

using crypto::KeyName;
using crypto::KeyView;
using SubjectIndex = crypto::Digest;

class KeyCache {
 public:
  static constexpr std::size_t keys_min = 2 * crypto::Sealer::keys_max;

  static Result<KeyCache> make(std::size_t keys_max);

  // A view is good until put() has been called keys_min / 2 times, drop() or clear().
  std::optional<KeyView> find(const KeyName& name);
  KeyView put(const KeyName& name, KeyView key);

  // Which key of those held here is the newest of a subject.
  std::optional<KeyName> newest(const SubjectIndex& subject) const;
  // `name` must be held.
  void set_newest(const SubjectIndex& subject, const KeyName& name);

  // All versions of the key, wiped.
  void drop(std::uint64_t id);
  void clear();

  std::size_t size() const { return order_.size(); }

 private:
  struct Held {
    KeyName name;
    std::size_t place = 0;
    std::optional<SubjectIndex> subject;
  };
  using Order = std::list<Held>;  // the most recently used in front

  struct HashOfIndex {
    std::size_t operator()(const SubjectIndex& index) const;
  };

  KeyCache(crypto::SecretBytes memory, std::size_t keys_max);
  std::span<std::byte, crypto::key_bytes> at(std::size_t place);
  void remove(Order::iterator held);

  crypto::SecretBytes memory_;
  std::vector<std::size_t> free_;
  Order order_;
  std::map<KeyName, Order::iterator> by_name_;
  std::unordered_map<SubjectIndex, Order::iterator, HashOfIndex> by_subject_;
};

}  // namespace mailwarden::vault
