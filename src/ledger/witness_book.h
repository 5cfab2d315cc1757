// Witnessing the logs of others.
//
// What     answer() takes what a log posts to add-checkpoint: its checkpoint and the proof that it
//          has grown from what was cosigned last. What it then holds for that log must be stored
//          before the answer leaves (write()).
// Owns     What was cosigned last of each log; table witness_log.
// Threads  One; write() and load() as the Database passed in.
// Errors   In the answer, as the specification has it: 400 for what is no such request, 403 for a
//          checkpoint that no known key of the log signed, 404 for a log that is not known, 409
//          with the size that was cosigned last where the request begins elsewhere, 422 for a proof
//          that does not hold. load(): those of Database; corrupt.
// Limits   hashes_max hashes of a proof.
// Source   C2SP tlog-witness, add-checkpoint.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/ed25519.h"
#include "db/database.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "ledger/witness.h"

namespace mailwarden::ledger {

std::span<const db::Migration> witness_migrations();

struct Witnessed {
  Checkpoint checkpoint;
  std::string note;  // as the log signed it, with our cosignature
};

struct WitnessReply {
  WitnessAnswer answer;
  std::optional<Witnessed> witnessed;  // to be stored, where it cosigned
};

class WitnessBook {
 public:
  static constexpr std::size_t hashes_max = 63;

  // `logs`: whose checkpoints are cosigned, by the keys that sign them; a log may have several.
  WitnessBook(std::string name, std::vector<VerifierKey> logs);
  Result<void> load(db::Database& database);

  WitnessReply answer(std::string_view body, const crypto::Signer& signer, Timestamp now);
  static Result<void> write(db::Database& database, const Witnessed& witnessed);

  // The note that was cosigned last of the log whose origin has this SHA-256, in hex.
  std::optional<std::string> last_note(std::string_view origin_hash) const;

 private:
  std::string name_;
  std::vector<VerifierKey> logs_;
  std::map<std::string, Witnessed> seen_;  // by origin
};

}  // namespace mailwarden::ledger
