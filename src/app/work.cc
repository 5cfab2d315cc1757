#include "app/work.h"

#include <algorithm>

#include "event/event_json.h"
#include "ledger/ledger.h"

namespace mailwarden::app {

WorkedBatch work(ingest::RecordBatch batch, std::uint64_t ticket, const Policies& policies,
                 Entropy& entropy) {
  WorkedBatch worked{
      .ticket = ticket, .after = std::move(batch.after), .gaps = std::move(batch.gaps)};
  worked.events.reserve(batch.records.size());
  std::vector<ledger::Digest> commitments;
  commitments.reserve(batch.records.size());
  for (const RawRecord& record : batch.records) {
    const Event event = ingest::decode(record, policies.decoders);
    if (!event.undecoded.empty()) ++worked.undecoded;
    for (detect::Detection& detection : policies.rules.match(event)) {
      worked.detections.push_back(std::move(detection));
    }
    ingest::EventRow row{.id = event.id, .time = event.time};
    row.record.reserve(event.raw.size() * 2 + 512);
    append_json(row.record, event);
    entropy.fill(row.salt, row.record);
    commitments.push_back(ledger::commitment(row.salt, row.record));
    const bool first = worked.events.empty();
    worked.earliest = first ? event.time : std::min(worked.earliest, event.time);
    worked.latest = first ? event.time : std::max(worked.latest, event.time);
    worked.events.push_back(std::move(row));
  }
  worked.root = ledger::batch_root(commitments);
  return worked;
}

}  // namespace mailwarden::app
