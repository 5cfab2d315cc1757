#include "report/prove.h"

#include <algorithm>

#include "access/decision_record.h"
#include "base/text.h"
#include "ingest/event_table.h"
#include "json/base64.h"
#include "ledger/key_history.h"
#include "ledger/ledger.h"
#include "ledger/stored_tiles.h"

namespace mailwarden::report {
namespace {

std::string base64(std::span<const std::byte> bytes) {
  return json::to_base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::unexpected<Error> no_proof(const std::string& what) {
  return fail(Code::invalid, "the proof's line 'extra' does not tell " + what);
}

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
  extra["record"] = entry->record;
  extra["salt"] = base64(entry->salt);
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

// A record and its salt, and the leaf that they make.
struct Content {
  json::Value record;
  ledger::Digest leaf{};
};

Result<Content> read_content(const json::Value& from) {
  const std::string text = from.text("record");
  const auto record = json::parse(text);
  const auto salt = json::from_base64(from.text("salt"));
  if (!record || !salt || salt->size() != std::tuple_size_v<ledger::Salt>) {
    return no_proof("a record and its salt");
  }
  return Content{.record = *record,
                 .leaf = ledger::leaf_hash(ledger::commitment(crypto::as_bytes(*salt), text))};
}

Result<std::vector<ledger::Digest>> read_hashes(const json::Value& list) {
  std::vector<ledger::Digest> hashes;
  if (list.as_array() == nullptr) return no_proof("the hashes of an event");
  for (const json::Value& one : *list.as_array()) {
    const std::string* const text = one.as_string();
    const auto bytes = text == nullptr ? Result<std::string>() : json::from_base64(*text);
    ledger::Digest hash{};
    if (!bytes || bytes->size() != hash.size()) return no_proof("the hashes of an event");
    std::ranges::copy(crypto::as_bytes(*bytes), hash.begin());
    hashes.push_back(hash);
  }
  return hashes;
}

Result<json::Value> check_event(const json::Value& event, const json::Value& batch) {
  const auto content = read_content(event);
  if (!content) return std::unexpected(content.error());
  const auto root = crypto::digest_from_hex(batch.text("root"));
  if (!root) return no_proof("an entry with a batch of events");
  const auto hashes = read_hashes(event["hashes"]);
  if (!hashes) return std::unexpected(hashes.error());
  const std::int64_t index = event.integer("index", -1);
  const std::int64_t size = batch.integer("count", -1);
  const bool holds = index >= 0 && size > 0 &&
                     ledger::verify_inclusion(content->leaf, static_cast<std::uint64_t>(index),
                                              static_cast<std::uint64_t>(size), *hashes, *root);
  if (!holds) return fail(Code::denied, "the event is not one of the batch that the entry has");
  return content->record;
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
  const auto all = ingest::load_batch_events(database, *batch);
  if (!all) return std::unexpected(all.error());
  if (static_cast<std::int64_t>(all->size()) != batch->count) {
    return fail(Code::conflict, "not all events of its batch are there any more");
  }
  std::vector<ledger::Digest> leaves;
  for (const ingest::EventRow& row : *all) {
    leaves.push_back(ledger::leaf_hash(ingest::commitment_of(row)));
  }
  const auto index = static_cast<std::uint64_t>(event->number - batch->first);
  json::Array hashes;
  for (const ledger::Digest& hash : ledger::inclusion_proof(leaves, index)) {
    hashes.emplace_back(base64(hash));
  }
  json::Object part{{"record", event->record},
                    {"salt", base64(event->salt)},
                    {"index", static_cast<std::int64_t>(index)},
                    {"size", batch->count},
                    {"hashes", std::move(hashes)}};
  return prove_number(database, batch->entry, {{"event", std::move(part)}});
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
  if (!extra) return no_proof("what is proved");
  auto content = read_content(*extra);
  if (!content) return std::unexpected(content.error());
  auto checkpoint = ledger::check_proof(*proof, content->leaf, key);
  if (!checkpoint) return std::unexpected(checkpoint.error());
  Proven proven{.checkpoint = *std::move(checkpoint),
                .index = proof->index,
                .record = std::move(content->record)};
  if (const json::Value& event = (*extra)["event"]; !event.is_null()) {
    auto checked = check_event(event, proven.record);
    if (!checked) return std::unexpected(checked.error());
    proven.event = *std::move(checked);
  }
  return proven;
}

}  // namespace mailwarden::report
