// The append-only record of everything the daemon did.
//
// What     An entry is a kind and a JSON record. Its leaf commits to the canonical record with a
//          salt that stands outside the tree, so that deleting record and salt erases what was said
//          and leaves the tree and every other proof as they were. prepare() gives entries their
//          numbers, salts and leaves in memory; write() puts the same rows into the store as often
//          as it takes until a transaction holds. A checkpoint is signed over what has been
//          written.
// Owns     Tables ledger_entry, ledger_node and ledger_checkpoint; a Ledger owns the frontier of
//          its tree.
// Threads  One thread, the core's. The static functions as the Database passed in.
// Errors   open(): corrupt where the stored leaves have a hole. write(): as Database; full for a
//          record over record_bytes_max is told by prepare() instead, as a CHECK, since records are
//          ours.
// Limits   record_bytes_max.
// Source   RFC 6962 hashing; RFC 8785 records; DESIGN: a leaf's data is SHA-256(salt ‖ record).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "crypto/salted.h"
#include "db/database.h"
#include "db/roles.h"
#include "db/sealing.h"
#include "json/value.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "ledger/tree_reader.h"

namespace mailwarden::ledger {

std::span<const db::Migration> migrations();

// Tables whose rows stay, and what of them changes all the same: an erased record goes with its
// salt, and a checkpoint takes on the signatures of witnesses.
std::vector<db::AppendOnly> append_only();

// What is personal of an entry: its record, sealed together with its salt, whose column is empty
// then. Entries of some kinds, which tell of nobody, are never sealed, so that whoever has no keys
// still follows batches, checkpoints and keys.
const db::PersonalTable& personal_entries();
bool is_personal(std::string_view kind);

// Whether the entries of this store are sealed; nothing where none that could be is there yet.
Result<std::optional<bool>> is_sealed(db::Database& database);
// Whether the Database has keys if the store was begun with some, and the right ones, and none if
// not: invalid, or why what was sealed does not open.
Result<void> check_keys(db::Database& database);

inline constexpr std::size_t record_bytes_max = 1024 * 1024;

using crypto::Salt;

struct Entry {
  std::string kind;  // "events", "detection", "incident", "step", "alert", "removal", "report", …
  json::Object record;  // without "kind" and "time", which are added
};

struct Row {
  std::int64_t number = 0;  // from 0, without a hole
  std::string kind;
  std::string record;  // canonical JSON, with "kind" and "time"
  Salt salt{};
  Digest commitment{};  // the leaf's data
  Digest leaf{};        // the leaf's hash in the tree
};

// What an entry says, and the salt in its commitment.
struct Content {
  std::string record;
  Salt salt{};
  bool erased = false;  // both are gone, or sealed for somebody whose key was shredded
};
// Out of the columns of a row that hold its record and its salt.
Result<Content> read_content(db::Database& database, std::int64_t number, const db::Statement& row,
                             int record_column, int salt_column);

// What prepare() makes of some entries.
struct Prepared {
  std::vector<Row> rows;
  std::vector<Node> nodes;
};

// What a leaf holds. Also the commitment to a single event in a batch.
using crypto::commitment;

// The root over the commitments of a batch of events.
Digest batch_root(std::span<const Digest> commitments);

struct Sealed {
  Checkpoint checkpoint;
  std::string note;  // the signed checkpoint
};

class Ledger {
 public:
  // Rebuilds the frontier from the stored leaves, and stores what nodes an older version has not.
  // `origin` names the log and its key.
  static Result<Ledger> open(db::Database& database, std::string origin, Entropy& entropy);

  // Numbers, salts and hashes the entries and lets the tree grow in memory. The rows must be
  // written before anything that rests on them leaves the process.
  Prepared prepare(std::span<const Entry> entries, Timestamp now);
  static Result<void> write(db::Database& database, const Prepared& prepared);

  // A checkpoint over all that was prepared, or nothing where the last one covers it already. While
  // one key follows another, `next` signs it too.
  std::optional<Sealed> prepare_seal(const crypto::Signer& signer,
                                     const crypto::Signer* next = nullptr);
  static Result<void> write_seal(db::Database& database, const Sealed& sealed);
  // Puts a witness's line under the checkpoint of that size, once.
  static Result<void> write_cosignature(db::Database& database, std::uint64_t size,
                                        const std::string& line);

  // Whether the last checkpoint covers everything prepared.
  bool is_sealed() const { return frontier_.size() == sealed_; }
  std::int64_t size() const { return static_cast<std::int64_t>(frontier_.size()); }
  const std::string& origin() const { return origin_; }

 private:
  Ledger(std::string origin, Entropy& entropy) : origin_(std::move(origin)), entropy_(&entropy) {}

  std::string origin_;
  Entropy* entropy_;
  Frontier frontier_;
  std::uint64_t sealed_ = 0;  // size of the last checkpoint
};

// The newest stored checkpoint's note; not_found in a ledger without one.
Result<std::string> last_checkpoint(db::Database& database);
// The smallest one with that entry in it; not_found where none has.
Result<std::string> first_checkpoint_over(db::Database& database, std::int64_t entry);
// The time told by the newest entry that still has its record; nothing in an empty ledger.
Result<std::optional<Timestamp>> last_time(db::Database& database);
// Entries from `first` on, at most `limit`, in order; an erased one has an empty record.
Result<std::vector<Row>> load_entries(db::Database& database, std::int64_t first,
                                      std::int64_t limit);
struct EntryQuery {
  std::int64_t first = 0;
  std::int64_t limit = INT64_MAX;
  std::string kind;  // "" for all
};
// Calls `each` with every such entry in order, one in memory at a time.
Result<void> for_each_entry(db::Database& database, const EntryQuery& query,
                            const std::function<void(const Row& row)>& each);
// The newest entry of that kind, if any.
Result<std::optional<Row>> last_of_kind(db::Database& database, std::string_view kind);

// Entries `first` to `end` - 1. What is asked for by entries misses nothing when a clock jumps.
struct EntryRange {
  std::int64_t first = 0;
  std::int64_t end = INT64_MAX;

  bool operator==(const EntryRange&) const = default;
};

// The smallest range with every entry in it that tells a time in [from, to); {0, 0} where there is
// none. Reads the whole ledger.
Result<EntryRange> entries_between(db::Database& database, Timestamp from, Timestamp to);

// Calls `each` with every entry of that kind in the range that still has its record, in order.
// `each` must not call this or load_entries() itself.
Result<void> for_each_of_kind(
    db::Database& database, std::string_view kind, const EntryRange& range,
    const std::function<void(std::int64_t number, const json::Value& record)>& each);

}  // namespace mailwarden::ledger
