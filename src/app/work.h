// The pure part of taking records in: decode, match, serialise, hash.
//
// What     work() turns a batch of records into rows and detections. It reads no clock and touches
//          no state, so any worker may do any batch; the ticket keeps their order for the core.
// Owns     Nothing.
// Threads  Any.
// Errors   None: what cannot be decoded is an event that says so.
// Limits   Those of the batch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/policies.h"
#include "base/entropy.h"
#include "detect/detection.h"
#include "identity/observation.h"
#include "ingest/event_table.h"
#include "ingest/source.h"
#include "ledger/merkle.h"

namespace mailwarden::app {

struct WorkedBatch {
  std::uint64_t ticket = 0;
  std::optional<ingest::StreamState> after;
  std::vector<ingest::Gap> gaps;
  ingest::NewEvents events;
  // In order of their events.
  std::vector<detect::Detection> detections;
  std::vector<access::SeenAccess> accesses;
  std::vector<identity::Observation> observations;
  ledger::Digest root{};  // over the events' commitments
  Timestamp earliest;
  Timestamp latest;
  std::int64_t undecoded = 0;
};

// A worker's own.
struct WorkScratch {
  db::Sealing* sealing = nullptr;  // the keys of the store, where it has some
  detect::MatchScratch rules;
  detect::MatchScratch accesses;
};
WorkedBatch work(ingest::RecordBatch batch, std::uint64_t ticket, const Policies& policies,
                 Entropy& entropy, WorkScratch& scratch);

}  // namespace mailwarden::app
