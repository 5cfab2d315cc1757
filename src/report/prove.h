// Proofs of single entries and events, for whoever trusts nobody.
//
// What     prove_entry(), prove_event() and prove_decision() make a proof of the newest checkpoint:
//          a .tlog-proof whose line `extra` holds what is proved, as JSON:
//            {"record": "…", "salt": "…base64…"}   the entry's canonical record and its salt
//            "event": {"record", "salt", "index", "size", "hashes": [base64]}   that an event is
//                                                  one of the batch that the entry commits to
//          The entry's data in the log is SHA-256(salt ‖ record). check() reads such a file and
//          says what it proves, offline and with the public key alone.
// Owns     Nothing.
// Threads  As the Database passed in; check() is pure.
// Errors   not_found: no such entry, event or decision, or one that no checkpoint covers yet;
//          conflict: it was erased. check(): invalid, denied.
// Limits   Those of ledger::Proof.
// Source   C2SP tlog-proof; RFC 6962.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "db/database.h"
#include "event/event.h"
#include "json/value.h"
#include "ledger/proof.h"

namespace mailwarden::report {

Result<ledger::Proof> prove_entry(db::Database& database, std::int64_t number);
Result<ledger::Proof> prove_event(db::Database& database, const EventId& id);
Result<ledger::Proof> prove_decision(db::Database& database, std::string_view id);
// Of what a person names: an entry's number, an event's id or a decision's.
Result<ledger::Proof> prove(db::Database& database, std::string_view what);

struct Proven {
  ledger::Checkpoint checkpoint;
  std::uint64_t index = 0;
  json::Value record;                // the entry's
  std::optional<json::Value> event;  // of its batch
};
Result<Proven> check(std::string_view text, const ledger::VerifierKey& key);

}  // namespace mailwarden::report
