// The parts of a proof, as JSON.
//
// What     What an entry or an event said, with its salt; its place among the events of a batch;
//          the hashes that lead to a root. A leaf's data is SHA-256(salt ‖ record).
// Owns     Nothing.
// Threads  Pure.
// Errors   invalid: a part is missing or no such part; denied: it does not hold.
// Limits   None of its own.
// Source   RFC 6962.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "ingest/event_table.h"
#include "json/value.h"
#include "ledger/ledger.h"

namespace mailwarden::report {

// {"record": "…", "salt": "…base64…"}
json::Object content_json(const std::string& record, const crypto::Salt& salt);
json::Array hashes_json(std::span<const ledger::Digest> hashes);
Result<std::vector<ledger::Digest>> read_hashes(const json::Value& list);

// A record and the leaf that it makes with its salt.
struct Content {
  json::Value record;
  ledger::Digest leaf{};
};
Result<Content> read_content(const json::Value& from);

// {"record", "salt", "index", "size", "hashes"} of an event, whose batch has these commitments.
json::Object event_json(const ingest::EventRow& event, const ingest::EventBatchRow& batch,
                        std::span<const crypto::Digest> commitments);
// Its record; `batch` is the record of the entry that commits to the batch.
Result<json::Value> check_event(const json::Value& event, const json::Value& batch);

}  // namespace mailwarden::report
