// The keys themselves: made, wrapped, found, unwrapped.
//
// What     Between the rows of wrapped keys, the provider that unwraps them, and those held in
//          memory. The store key, the index key and the private share are held as long as the ring
//          lives; the others while they are used.
// Owns     Keys in locked memory.
// Threads  The vault's, which lets one in at a time; unwrap_own() touches nothing of the ring.
// Errors   As Vault. of_kek() tells what the KEK answered from what the database did.
// Limits   keys_max.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "vault/key_table.h"

namespace mailwarden::vault {

// Ids of the book's own keys; those of subjects are random and far greater.
enum OwnKey : std::uint64_t { store_key = 1, index_key = 2, private_share = 3 };
inline constexpr std::size_t own_keys = 3;

struct OwnKeys {
  crypto::SecretBytes keys;  // in the order of their ids
  std::uint32_t store_version = 0;
};

class KeyRing {
 public:
  KeyRing(KeyTable& table, crypto::KeyProvider& provider, Entropy& entropy, const Clock& clock)
      : table_(table), provider_(provider), entropy_(entropy), clock_(clock) {}

  // Makes the book's own keys where there are none; holds them if the KEK is there.
  Result<void> open(std::size_t keys_max);

  // Whether the KEK has failed and is not asked; why.
  const std::optional<Error>& away() const { return away_; }
  bool of_kek(const Error& error) const { return kek_error_ == error; }
  bool holds_own_keys() const { return own_.keys.size() != 0; }
  KeyView own_key(OwnKey key) const;
  crypto::NamedKey store() const;

  Result<std::vector<KeyRow>> own_rows();
  Result<OwnKeys> unwrap_own(const std::vector<KeyRow>& rows) const;
  void take_own(OwnKeys keys);

  // Whether the subject's newest key is in memory.
  bool holds(const SubjectIndex& subject) const { return cache_->newest(subject).has_value(); }
  // The subject's newest key; none where it has none yet.
  Result<std::optional<crypto::NamedKey>> known(const SubjectIndex& subject);
  // Makes keys for those that have none, in one transaction.
  Result<void> make(std::span<const SubjectIndex> subjects);
  // The key of that name. not_found: it was shredded. corrupt: the book never had it, or dropped
  // this version of it.
  Result<KeyView> named(const KeyName& name);
  Result<crypto::NamedKey> newest(std::uint64_t id);
  // A row for a new key of random bytes, which `key` takes.
  Result<KeyRow> wrapped_anew(const KeyName& name, std::span<std::byte, crypto::key_bytes> key);
  void hold(const KeyName& name, KeyView key, const SubjectIndex* subject);

  void drop(std::uint64_t id) { cache_->drop(id); }
  void forget() { cache_->clear(); }
  void ask_again() { away_.reset(); }

 private:
  Result<void> make_own();
  Result<KeyView> unwrapped(const KeyRow& row);
  Error note(const Error& error);

  KeyTable& table_;
  crypto::KeyProvider& provider_;
  Entropy& entropy_;
  const Clock& clock_;
  std::optional<KeyCache> cache_;
  OwnKeys own_;
  std::optional<Error> away_;
  std::optional<Error> kek_error_;  // the last one
};

}  // namespace mailwarden::vault
