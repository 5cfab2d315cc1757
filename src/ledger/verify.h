// Whether a ledger is what it was.
//
// What     verify() reads a store once from its first entry to its last and checks that no number
//          is missing, that every record is what its leaf commits to, that every stored checkpoint
//          is signed by the key and names the root that the entries give, and that a checkpoint
//          kept elsewhere still holds. It needs the public key alone and changes nothing. Where
//          keys followed each other, each checkpoint must be signed by those of its size, and there
//          must be a way to each from the key that is given; see key_trust.h.
// Owns     Nothing.
// Threads  As the Database passed in.
// Errors   Error only where the store cannot be read; what is wrong with the ledger is in the
//          Verdict.
// Limits   Memory does not grow with the ledger; at most failures_max failures are told in words.
// Source   RFC 6962; C2SP tlog-checkpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "json/value.h"
#include "ledger/key_history.h"
#include "ledger/note.h"

namespace mailwarden::ledger {

inline constexpr std::size_t failures_max = 100;

struct Failure {
  std::string place;  // "entry 17", "checkpoint at size 40"
  std::string what;

  bool operator==(const Failure&) const = default;
};

// What is wrong beside the entries, and what nothing was held against.
struct Findings {
  std::vector<Failure> failures;
  std::vector<std::string> not_held;  // "incident: 12 rows"
};

struct Verdict {
  std::int64_t entries = 0;
  std::int64_t closed = 0;  // encrypted, and looked at without the keys of the store
  std::int64_t erased = 0;  // entries whose record and salt were deleted on purpose
  std::int64_t checkpoints = 0;
  std::int64_t unsealed = 0;  // entries behind the last checkpoint
  std::vector<KeyChange> key_changes;
  std::vector<Failure> failures;
  std::int64_t failures_untold = 0;  // beyond failures_max
  std::vector<std::string> not_held;

  bool good() const { return failures.empty(); }
};

struct VerifyOptions {
  VerifierKey key;
  std::vector<VerifierKey> more_keys;  // that are believed like the first
  std::optional<std::string> from;     // a checkpoint's note, kept elsewhere
  // Looks at what an entry commits to outside the ledger (the events of a batch); answers what is
  // wrong with it, or "".
  std::function<Result<std::string>(std::int64_t number, const json::Value& record)> check_record;
  // Called behind the last entry.
  std::function<Result<Findings>()> check_end;
  std::function<void(std::int64_t entries)> progress;  // called now and then
};

Result<Verdict> verify(db::Database& database, const VerifyOptions& options);

json::Object to_json(const Verdict& verdict);
// For people: the counts, then each failure on a line of its own.
std::string to_words(const Verdict& verdict);

}  // namespace mailwarden::ledger
