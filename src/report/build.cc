#include <algorithm>
#include <map>

#include "base/check.h"
#include "ingest/event_table.h"
#include "json/base64.h"
#include "json/flatten.h"
#include "ledger/ledger.h"
#include "ledger/span.h"
#include "ledger/stored_tiles.h"
#include "privacy/sweep.h"
#include "report/figures.h"
#include "report/report.h"
#include "report/verify_store.h"

namespace mailwarden::report {
namespace {

// A report being built, of no more entries than its checkpoint covers.
struct Work {
  db::Database& database;
  const ReportOptions& options;
  std::string_view kind;
  Period period;
  Footing footing;
  json::Object report;
  std::map<std::string, json::Object, std::less<>> row_sets;
};

// What every report begins with: which one, of when, and what it rests on.
Result<Work> begin(db::Database& database, std::string_view kind, Period period,
                   const ReportOptions& options) {
  auto footing =
      options.footing ? Result<Footing>(*options.footing) : find_footing(database, options);
  if (!footing) return std::unexpected(footing.error());
  period.entries.end = std::min(period.entries.end, footing->size);
  period.entries.first = std::min(period.entries.first, period.entries.end);
  json::Object report{{"generated", to_rfc3339(period.to)},
                      {"ledger", ledger::to_json(footing->verdict)},
                      {"origin", options.key.name},
                      {"report", kind}};
  return Work{.database = database,
              .options = options,
              .kind = kind,
              .period = period,
              .footing = *std::move(footing),
              .report = std::move(report),
              .row_sets = {}};
}

// Asks the store, and keeps what it answered for the section "rests_on".
RowReader reader_of(Work& work) {
  return [&work](std::string_view name, const EachRow& each) -> Result<void> {
    const Question* const question = find_question(work.kind, name);
    CHECK(question != nullptr);
    const auto set = ask(work.database, *question, work.period.entries,
                         {.rows_max = work.options.rows_max}, each);
    if (!set) return std::unexpected(set.error());
    if (work.options.keep) work.options.keep(*set);
    work.row_sets.emplace(name, to_json(*set));
    return {};
  };
}

// That the entries of the period stand in the log of the checkpoint: their leaves, and the hashes
// around them. A report over a ledger that does not verify has no such proof.
Result<json::Value> proof_of(Work& work) {
  const auto& [first, end] = work.period.entries;
  if (first >= end || end - first > proven_max || !work.footing.verdict.good()) {
    return json::Value();
  }
  const auto rows = work.database.scan(
      "SELECT leaf FROM ledger_entry WHERE number >= $1 AND number < $2 ORDER BY number",
      {first, end});
  if (!rows) return std::unexpected(rows.error());
  std::string leaves;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    const db::Blob leaf = (*rows)->blob(0);
    leaves.append(reinterpret_cast<const char*>(leaf.data()), leaf.size());
  }
  ledger::TreeReader tree =
      ledger::stored_tree(work.database, static_cast<std::uint64_t>(work.footing.size));
  const auto around =
      ledger::span_proof(tree, static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(end));
  if (!around) return std::unexpected(around.error());
  json::Array hashes;
  for (const ledger::Digest& hash : *around) {
    hashes.emplace_back(json::to_base64({reinterpret_cast<const char*>(hash.data()), hash.size()}));
  }
  return json::Value(
      json::Object{{"around", std::move(hashes)}, {"leaves", json::to_base64(leaves)}});
}

Result<json::Object> end(Work& work, json::Object figures) {
  auto proof = proof_of(work);
  if (!proof) return std::unexpected(proof.error());
  json::Array sets;
  for (const Question* const question : questions_of(work.kind)) {
    sets.emplace_back(std::move(work.row_sets.find(question->name)->second));
  }
  const Period& period = work.period;
  json::Object rests_on{
      {"checkpoint", work.footing.checkpoint},
      {"entries", json::Object{{"end", period.entries.end}, {"first", period.entries.first}}},
      {"period", json::Object{{"from", to_rfc3339(period.from)}, {"to", to_rfc3339(period.to)}}},
      {"row_sets", std::move(sets)},
      {"rows_max", work.options.rows_max},
      {"verifier_key", ledger::to_text(work.options.key)}};
  if (!proof->is_null()) rests_on["proof"] = *std::move(proof);
  work.report["rests_on"] = std::move(rests_on);
  work.report.merge(figures);
  return std::move(work.report);
}

json::Array policies_json(std::span<const privacy::RetentionPolicy> policies) {
  json::Array list;
  for (const privacy::RetentionPolicy& policy : policies) {
    json::Array sources;
    for (const std::string& source : policy.sources) sources.push_back(source);
    json::Array holds;
    for (const privacy::Hold& hold : policy.holds) {
      holds.push_back(json::Object{{"name", hold.name},
                                   {"reason", hold.reason},
                                   {"until", hold.until ? to_rfc3339(*hold.until) : ""}});
    }
    list.push_back(json::Object{{"basis", policy.basis},
                                {"category", policy.category},
                                {"holds", std::move(holds)},
                                {"keep", mailwarden::to_words(policy.keep)},
                                {"keep_seconds", policy.keep / std::chrono::seconds(1)},
                                {"sources", std::move(sources)}});
  }
  return list;
}

Result<void> add_due(Work& work, std::span<const privacy::RetentionPolicy> policies) {
  // The report only looks, so the clock need not be confirmed by a person.
  const auto sweep =
      privacy::plan_sweep(work.database, policies, work.period.to, {.idle_max = std::nullopt});
  if (!sweep) return std::unexpected(sweep.error());
  work.report.merge(privacy::to_json(*sweep));
  return {};
}

}  // namespace

Result<Footing> find_footing(db::Database& database, const ReportOptions& options) {
  // The daemon goes on writing while its report is made.
  if (auto begun = database.begin_reading(false); !begun) return std::unexpected(begun.error());
  const Reading reading(database);
  auto note = ledger::last_checkpoint(database);
  if (!note) return std::unexpected(note.error());
  auto verdict = ledger::verify(database, {.key = options.key,
                                           .from = *note,
                                           .check_record = options.check_record,
                                           .check_end = options.check_end});
  if (!verdict) return std::unexpected(verdict.error());
  // A checkpoint that does not hold is still what the report rests on, and its verdict says so.
  const auto checkpoint = ledger::parse_checkpoint(*note);
  const std::int64_t size =
      checkpoint ? static_cast<std::int64_t>(checkpoint->size) : verdict->entries;
  return Footing{.checkpoint = *std::move(note), .size = size, .verdict = *std::move(verdict)};
}

Result<Period> period_between(db::Database& database, Timestamp from, Timestamp to) {
  const auto entries = ledger::entries_between(database, from, to);
  if (!entries) return std::unexpected(entries.error());
  return Period{.from = from, .to = to, .entries = *entries};
}

Result<json::Object> build_audit(db::Database& database, const Period& period,
                                 const ReportOptions& options) {
  auto work = begin(database, "audit", period, options);
  if (!work) return std::unexpected(work.error());
  auto figures = audit_figures(reader_of(*work), options.rows_max);
  if (!figures) return std::unexpected(figures.error());
  return end(*work, *std::move(figures));
}

Result<json::Object> build_retention(db::Database& database, const Period& period,
                                     std::span<const privacy::RetentionPolicy> policies,
                                     const ReportOptions& options) {
  auto work = begin(database, "retention", period, options);
  if (!work) return std::unexpected(work.error());
  auto figures = retention_figures(reader_of(*work), policies);
  if (!figures) return std::unexpected(figures.error());
  if (auto done = add_due(*work, policies); !done) return std::unexpected(done.error());
  work->report["policies"] = policies_json(policies);
  return end(*work, *std::move(figures));
}

namespace {

// What is wrong with the row of an event; "" where nothing is.
std::string row_trouble(const ingest::EventRow& row, const ingest::EventBatchRow& batch,
                        json::Flattener& reader) {
  if (row.erased) {
    // What is left of it cannot be told from its record.
    const bool fits =
        row.id.stream == batch.stream && batch.earliest <= row.time && row.time <= batch.latest;
    return fits ? "" : "event " + to_string(row.id) + ": its row does not fit its batch";
  }
  // The columns by which an event is found must say what its record says.
  std::string id;
  std::string time;
  const auto read = reader.flatten(row.record);
  for (const json::Leaf& leaf : read ? *read : std::span<const json::Leaf>()) {
    if (leaf.path == "id") id = leaf.text;
    if (leaf.path == "time") time = leaf.text;
  }
  const bool fits = read && id == to_string(row.id) && time == to_rfc3339(row.time);
  return fits ? "" : "event " + to_string(row.id) + ": its row does not fit its record";
}

struct BatchEvents {
  std::vector<ledger::Digest> commitments;
  std::string trouble;  // of the first row that has some
};

Result<BatchEvents> read_batch(db::Database& database, const ingest::EventBatchRow& batch,
                               bool is_closed) {
  BatchEvents events;
  if (is_closed) {
    auto commitments = ingest::load_commitments(database, batch);
    if (!commitments) return std::unexpected(commitments.error());
    events.commitments = *std::move(commitments);
    return events;
  }
  const auto rows = ingest::load_batch_events(database, batch);
  if (!rows) return std::unexpected(rows.error());
  json::Flattener reader;
  for (const ingest::EventRow& row : *rows) {
    events.commitments.push_back(ingest::commitment_of(row));
    if (events.trouble.empty()) events.trouble = row_trouble(row, batch, reader);
  }
  return events;
}

}  // namespace

Result<std::string> check_events(db::Database& database, std::int64_t entry,
                                 const json::Value& record, bool is_closed) {
  if (record.text("kind") != "events") return std::string();
  const auto batch = ingest::load_batch(database, entry);
  if (!batch && batch.error().code == Code::not_found) return "its batch of events is missing";
  if (!batch) return std::unexpected(batch.error());
  const auto events = read_batch(database, *batch, is_closed);
  if (!events && events.error().code == Code::corrupt) return events.error().what;
  if (!events) return std::unexpected(events.error());
  const auto count = std::ssize(events->commitments);
  if (count == 0) {
    const auto removal = privacy::removed_by(database, entry);
    if (!removal) return std::unexpected(removal.error());
    if (*removal) return std::string();
    return "its events are gone, and no removal tells why";
  }
  if (batch->count != record.integer("count") || count != batch->count) {
    return "of its " + std::to_string(record.integer("count")) + " events " +
           std::to_string(count) + " are left, and no removal tells why";
  }
  if (crypto::to_hex(ledger::batch_root(events->commitments)) != record.text("root")) {
    return "its events are not those that it commits to";
  }
  return events->trouble;
}

}  // namespace mailwarden::report
