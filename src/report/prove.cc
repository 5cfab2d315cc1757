#include "report/prove.h"

#include "access/decision_record.h"
#include "base/text.h"
#include "ingest/event_table.h"
#include "ledger/key_history.h"
#include "ledger/ledger.h"
#include "ledger/stored_tiles.h"
#include "report/proof_parts.h"

namespace mailwarden::report {
namespace {

Result<ledger::Row> load_entry(db::Database& database, std::int64_t number) {
  auto rows = ledger::load_entries(database, number, 1);
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty() || rows->front().number != number) {
    return fail(Code::not_found, "the ledger has no entry " + std::to_string(number));
  }
  if (rows->front().record.empty()) {
    return fail(Code::conflict, "entry " + std::to_string(number) +
                                    " was erased: what it said cannot be proved any more");
  }
  return std::move(rows->front());
}

Result<ledger::Proof> prove_number(db::Database& database, std::int64_t number,
                                   json::Object extra) {
  const auto entry = load_entry(database, number);
  if (!entry) return std::unexpected(entry.error());
  extra.merge(content_json(entry->record, entry->salt));
  // What is said of keys is for whoever holds the old one, which signed the first checkpoint over
  // it.
  auto note = entry->kind == ledger::key_change_kind
                  ? ledger::first_checkpoint_over(database, number)
                  : ledger::last_checkpoint(database);
  if (!note) return std::unexpected(note.error());
  const auto checkpoint = ledger::parse_checkpoint(*note);
  if (!checkpoint) return std::unexpected(checkpoint.error());
  if (static_cast<std::uint64_t>(number) >= checkpoint->size) {
    return fail(Code::not_found, "no checkpoint covers entry " + std::to_string(number) + " yet");
  }
  ledger::TreeReader tree = ledger::stored_tree(database, checkpoint->size);
  auto hashes = tree.inclusion_proof(static_cast<std::uint64_t>(number));
  if (!hashes) return std::unexpected(hashes.error());
  return ledger::Proof{.extra = json::to_text(std::move(extra)),
                       .index = static_cast<std::uint64_t>(number),
                       .hashes = *std::move(hashes),
                       .checkpoint = *std::move(note)};
}

}  // namespace

Result<ledger::Proof> prove_entry(db::Database& database, std::int64_t number) {
  return prove_number(database, number, {});
}

Result<ledger::Proof> prove_event(db::Database& database, const EventId& id) {
  const auto event = ingest::load_event(database, id);
  if (!event) return std::unexpected(event.error());
  if (event->erased) {
    return fail(Code::conflict, "the event was erased: what it said cannot be proved any more");
  }
  const auto batch = ingest::load_batch_of(database, event->number);
  if (!batch) return std::unexpected(batch.error());
  const auto commitments = ingest::load_commitments(database, *batch);
  if (!commitments) return std::unexpected(commitments.error());
  if (std::ssize(*commitments) != batch->count) {
    return fail(Code::conflict, "not all events of its batch are there any more");
  }
  return prove_number(database, batch->entry,
                      {{"event", event_json(*event, *batch, *commitments)}});
}

Result<ledger::Proof> prove_decision(db::Database& database, std::string_view id) {
  const auto decision = access::find_decision(database, id);
  if (!decision) return std::unexpected(decision.error());
  if (!*decision) return fail(Code::not_found, "there is no such decision");
  return prove_entry(database, (*decision)->integer("entry"));
}

Result<ledger::Proof> prove(db::Database& database, std::string_view what) {
  if (const auto number = to_integer(what); number && what.size() < 19) {
    return prove_entry(database, *number);
  }
  if (const auto event = parse_event_id(what)) return prove_event(database, *event);
  return prove_decision(database, what);
}

Result<Proven> check(std::string_view text, const ledger::VerifierKey& key) {
  const auto proof = ledger::parse_proof(text);
  if (!proof) return std::unexpected(proof.error());
  const auto extra = json::parse(proof->extra);
  const std::string place = "the proof's line 'extra'";
  if (!extra) return fail(Code::invalid, place + " does not tell what is proved");
  auto content = read_content(*extra);
  if (!content) return fail(place, content.error());
  auto checkpoint = ledger::check_proof(*proof, content->leaf, key);
  if (!checkpoint) return std::unexpected(checkpoint.error());
  Proven proven{.checkpoint = *std::move(checkpoint),
                .index = proof->index,
                .record = std::move(content->record)};
  if (const json::Value& event = (*extra)["event"]; !event.is_null()) {
    auto checked = check_event(event, proven.record);
    if (!checked) return fail(place, checked.error());
    proven.event = *std::move(checked);
  }
  return proven;
}

}  // namespace mailwarden::report
