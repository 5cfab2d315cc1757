#include "app/work.h"

#include <algorithm>

#include "base/check.h"
#include "event/event_json.h"
#include "ledger/ledger.h"

namespace mailwarden::app {
namespace {

// Salts the events, and gives the root over what commits to them.
ledger::Digest commit(ingest::NewEvents& events, Entropy& entropy) {
  std::vector<std::string_view> records;
  records.reserve(events.rows.size());
  for (std::size_t i = 0; i < events.rows.size(); ++i) records.push_back(events.record(i));
  events.salts.resize(events.rows.size());
  entropy.fill_each(std::as_writable_bytes(std::span(events.salts)), records);
  std::vector<ledger::Digest> commitments;
  commitments.reserve(events.rows.size());
  for (std::size_t i = 0; i < events.rows.size(); ++i) {
    commitments.push_back(ledger::commitment(events.salts[i], records[i]));
  }
  return ledger::batch_root(commitments);
}

}  // namespace

WorkedBatch work(ingest::RecordBatch batch, std::uint64_t ticket, const Policies& policies,
                 Entropy& entropy, WorkScratch& scratch) {
  WorkedBatch worked{
      .ticket = ticket, .after = std::move(batch.after), .gaps = std::move(batch.gaps)};
  ingest::NewEvents& events = worked.events;
  events.rows.reserve(batch.records.size());
  ingest::EntityGatherer entities(scratch.sealing);
  for (const RawRecord& record : batch.records) {
    const Event event = ingest::decode(record, policies.decoders);
    if (!event.undecoded.empty()) ++worked.undecoded;
    for (detect::Detection& detection : policies.rules.match(event, scratch.rules)) {
      worked.detections.push_back(std::move(detection));
    }
    for (access::SeenAccess& access : policies.accesses.read(event, scratch.accesses)) {
      worked.accesses.push_back(std::move(access));
    }
    if (policies.watches_people) {
      if (auto seen = identity::observe(event)) worked.observations.push_back(*std::move(seen));
    }
    append_json(events.records, event);
    entities.add(event);
    const bool first = events.rows.empty();
    worked.earliest = first ? event.time : std::min(worked.earliest, event.time);
    worked.latest = first ? event.time : std::max(worked.latest, event.time);
    events.rows.push_back({.id = event.id, .time = event.time, .end = events.records.size()});
  }
  auto places = entities.take();
  // What names are looked up by stays in memory as long as the daemon runs.
  CHECK(places);
  events.entities = *std::move(places);
  worked.root = commit(events, entropy);
  return worked;
}

}  // namespace mailwarden::app
