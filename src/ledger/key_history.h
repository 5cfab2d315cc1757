// Which keys sign a ledger's checkpoints, and how one follows another.
//
// What     A KeyChange is an entry of kind "key": an old key introduces a new one, and from then on
//          every checkpoint carries the signatures of both; later one of the two is dropped. A
//          KeyHistory is all changes of a ledger in order and says whose signatures a checkpoint of
//          any size must carry. plan_keys() says which entries bring a ledger to the keys that a
//          daemon was given, or why that must not be.
// Owns     Its content.
// Threads  Values; what reads a database, as that.
// Errors   load_key_history(): as Database; corrupt for a change that cannot be read; full.
//          plan_keys(): denied, with the sentence about what the ledger does not let happen.
// Limits   key_changes_max.
// Source   C2SP signed-note: several signatures, and keys of one name told apart by their ids.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "json/value.h"
#include "ledger/ledger.h"
#include "ledger/note.h"

namespace mailwarden::ledger {

inline constexpr std::size_t key_changes_max = 1000;
inline constexpr std::string_view key_change_kind = "key";

struct KeyChange {
  enum class Act : std::uint8_t { introduced, dropped };

  std::int64_t entry = 0;
  Act act = Act::introduced;
  VerifierKey old_key;  // that introduces; or that is dropped
  VerifierKey new_key;  // that is introduced; or that signs on

  // The smallest tree with this entry in it, which is the first that it counts for.
  std::int64_t from() const { return entry + 1; }

  bool operator==(const KeyChange&) const = default;
};
std::string_view to_string(KeyChange::Act act);
// What the entry says, and back.
json::Object to_record(const KeyChange& change);
Result<KeyChange> parse_key_change(std::int64_t entry, const json::Value& record);
// One sentence for people.
std::string to_words(const KeyChange& change);

class KeyHistory {
 public:
  KeyHistory() = default;
  explicit KeyHistory(std::vector<KeyChange> changes) : changes_(std::move(changes)) {}

  const std::vector<KeyChange>& changes() const { return changes_; }
  // Whether the key has ever been one of this ledger's.
  bool knows(const VerifierKey& key) const;
  // Whose signatures a checkpoint of that size must carry; none where no key was ever changed.
  std::vector<VerifierKey> keys_at(std::int64_t size) const;
  // The change that dropped the key last, if it is not in force.
  const KeyChange* dropped(const VerifierKey& key) const;

 private:
  std::vector<KeyChange> changes_;
};
Result<KeyHistory> load_key_history(db::Database& database);

// The keys that a daemon was given: that which signs, and that which is to follow it, if any.
struct GivenKeys {
  VerifierKey key;
  std::optional<VerifierKey> next;
};
// The changes to append, the first as entry `size`; none where the ledger has these keys already.
Result<std::vector<KeyChange>> plan_keys(db::Database& database, const GivenKeys& given,
                                         std::int64_t size);

}  // namespace mailwarden::ledger
