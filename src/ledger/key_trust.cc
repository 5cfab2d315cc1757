#include "ledger/key_trust.h"

#include <algorithm>

namespace mailwarden::ledger {
namespace {

bool contains(std::span<const VerifierKey> keys, const VerifierKey& key) {
  return std::ranges::find(keys, key) != keys.end();
}

}  // namespace

KeyTrust::KeyTrust(KeyHistory history, std::vector<VerifierKey> believed)
    : history_(std::move(history)),
      believed_(std::move(believed)),
      follows_(std::ranges::any_of(believed_,
                                   [this](const VerifierKey& key) { return history_.knows(key); })),
      covers_(history_.changes().size()) {}

void KeyTrust::use(const VerifierKey& key) {
  if (!contains(used_, key)) used_.push_back(key);
}

void KeyTrust::take(std::int64_t size, std::span<const VerifierKey> signers) {
  for (const VerifierKey& key : signers) use(key);
  for (std::size_t i = 0; i < covers_.size(); ++i) {
    const KeyChange& change = history_.changes()[i];
    if (change.act != KeyChange::Act::introduced || size < change.from()) continue;
    covers_[i].by_old |= contains(signers, change.old_key);
    covers_[i].by_new |= contains(signers, change.new_key);
  }
}

std::vector<VerifierKey> KeyTrust::trusted() const {
  std::vector<VerifierKey> keys = believed_;
  // A change gives at most one key, so that this many rounds reach all.
  for (bool grows = true; grows;) {
    grows = false;
    for (std::size_t i = 0; i < covers_.size(); ++i) {
      const KeyChange& change = history_.changes()[i];
      const auto follow = [&](bool is_covered, const VerifierKey& from, const VerifierKey& to) {
        if (!is_covered || !contains(keys, from) || contains(keys, to)) return;
        keys.push_back(to);
        grows = true;
      };
      follow(covers_[i].by_old, change.old_key, change.new_key);
      follow(covers_[i].by_new, change.new_key, change.old_key);
    }
  }
  return keys;
}

std::vector<KeyTrust::Missing> KeyTrust::missing() const {
  const std::vector<VerifierKey> keys = trusted();
  std::vector<Missing> all;
  for (const VerifierKey& key : used_) {
    if (contains(keys, key)) continue;
    const auto change = std::ranges::find_if(history_.changes(), [&](const KeyChange& one) {
      return one.act == KeyChange::Act::introduced && one.new_key == key;
    });
    all.push_back({.key = key, .change = change == history_.changes().end() ? nullptr : &*change});
  }
  return all;
}

}  // namespace mailwarden::ledger
