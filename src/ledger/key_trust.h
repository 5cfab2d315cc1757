// Which of a ledger's keys may be believed by somebody who was given one of them.
//
// What     A KeyTrust takes the checkpoints that hold, with whoever signed them, and says in the
//          end which keys signed without a way to them from those that are believed. There is a way
//          to a new key where a checkpoint signed by the old one covers the entry that introduces
//          it, and back to an old key where one signed by the new key does: who signs a tree stands
//          for what is in it.
// Owns     Its content.
// Threads  Values.
// Errors   None.
// Limits   key_changes_max changes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ledger/key_history.h"
#include "ledger/note.h"

namespace mailwarden::ledger {

class KeyTrust {
 public:
  KeyTrust() = default;
  KeyTrust(KeyHistory history, std::vector<VerifierKey> believed);

  const KeyHistory& history() const { return history_; }
  const std::vector<VerifierKey>& believed() const { return believed_; }
  // Whether the changes are about keys that are believed; else they say nothing to whoever asks.
  bool follows() const { return follows_; }
  // A checkpoint of that size whose root is that of the entries.
  void take(std::int64_t size, std::span<const VerifierKey> signers);
  // A key whose signature counted for something else.
  void use(const VerifierKey& key);

  struct Missing {
    VerifierKey key;
    const KeyChange* change = nullptr;  // that introduced it; null for the first key
  };
  std::vector<Missing> missing() const;

 private:
  struct Cover {
    bool by_old = false;
    bool by_new = false;
  };

  std::vector<VerifierKey> trusted() const;

  KeyHistory history_;
  std::vector<VerifierKey> believed_;
  bool follows_ = false;
  std::vector<Cover> covers_;  // one a change
  std::vector<VerifierKey> used_;
};

}  // namespace mailwarden::ledger
