#include "report/incident_export.h"

#include <algorithm>
#include <array>
#include <optional>

#include "alert/escalation_table.h"
#include "alert/outbox.h"
#include "db/each_row.h"
#include "incident/incident_json.h"
#include "incident/incident_table.h"
#include "ingest/event_table.h"
#include "ledger/ledger.h"
#include "ledger/stored_tiles.h"
#include "report/proof_parts.h"
#include "respond/flow_run_table.h"

namespace mailwarden::report {
namespace {

using Lines = json::Array;

// An incident, and all that were merged into it.
Result<std::vector<incident::Incident>> load_merged(db::Database& database, std::int64_t number) {
  std::vector<incident::Incident> found;
  std::vector<std::int64_t> open{number};
  std::set<std::int64_t> seen;
  while (!open.empty()) {
    const std::int64_t next = open.back();
    open.pop_back();
    if (!seen.insert(next).second) continue;
    auto one = incident::load_incident(database, next);
    if (!one) return std::unexpected(one.error());
    open.insert(open.end(), one->absorbed.begin(), one->absorbed.end());
    found.push_back(*std::move(one));
  }
  return found;
}

class Exporter {
 public:
  Exporter(db::Database& database, const ExportQuery& query) : database_(database), query_(query) {
    query_.limit = std::clamp<std::int64_t>(query_.limit, 1, ExportQuery::limit_max);
  }

  Result<json::Object> run() {
    auto incidents = load_merged(database_, query_.incident);
    if (!incidents) return std::unexpected(incidents.error());
    incidents_ = *std::move(incidents);
    if (query_.after < 0) {
      if (auto done = tell_standing(); !done) return std::unexpected(done.error());
    }
    if (auto done = find_entries(); !done) return std::unexpected(done.error());
    if (auto done = tell_checkpoint(); !done) return std::unexpected(done.error());
    json::Object page;
    const auto first = std::ssize(lines_);
    for (const std::int64_t entry : entries_) {
      if (std::ssize(lines_) - first >= query_.limit || bytes_ >= page_bytes_enough) {
        page["after"] = last_;
        break;
      }
      if (auto done = tell_entry(entry); !done) return std::unexpected(done.error());
      last_ = entry;
    }
    page["lines"] = std::move(lines_);
    return page;
  }

 private:
  void add(std::string_view what, json::Value said) {
    lines_.emplace_back(json::Object{{std::string(what), std::move(said)}});
  }

  Result<void> tell_standing() {
    for (const incident::Incident& one : incidents_) add("incident", incident::to_json(one));
    for (const incident::Incident& one : incidents_) {
      if (auto done = tell_around(one.number); !done) return done;
    }
    return {};
  }

  Result<void> tell_around(std::int64_t incident) {
    respond::flow::RunQuery runs{.incident = incident, .limit = respond::flow::RunQuery::limit_max};
    for (bool more = true; more;) {
      const auto found = respond::flow::query_runs(database_, runs);
      if (!found) return std::unexpected(found.error());
      for (const auto& run : *found) add("run", respond::flow::to_json(run));
      more = std::ssize(*found) == runs.limit;
      if (more) runs.before = found->back().number;
    }
    const auto escalations = alert::query_escalations(
        database_, {.incident = incident, .limit = alert::EscalationQuery::limit_max});
    if (!escalations) return std::unexpected(escalations.error());
    for (const auto& one : *escalations) add("escalation", alert::to_json(one));
    alert::AlertQuery alerts{.incident = incident, .limit = alert::AlertQuery::limit_max};
    for (bool more = true; more;) {
      const auto found = alert::query_alerts(database_, alerts);
      if (!found) return std::unexpected(found.error());
      for (const auto& row : *found) add("alert", alert::to_json(row));
      more = std::ssize(*found) == alerts.limit;
      if (more) alerts.before = found->back().entry;
    }
    return {};
  }

  // The next ones behind those of the last page.
  Result<void> find_entries() {
    for (const incident::Incident& one : incidents_) {
      if (auto done = find_entries_of(one); !done) return done;
    }
    return find_told_by_records();
  }

  Result<void> find_entries_of(const incident::Incident& incident) {
    constexpr std::array<std::string_view, 4> of_one{
        "SELECT entry FROM incident_change WHERE incident = $1 AND entry > $2"
        " ORDER BY entry LIMIT $3",
        "SELECT entry FROM detection WHERE incident = $1 AND entry > $2"
        " ORDER BY number LIMIT $3",
        "SELECT entry FROM alert WHERE incident = $1 AND entry > $2"
        " ORDER BY entry LIMIT $3",
        "SELECT m.entry FROM playbook_run r JOIN playbook_move m ON m.run = r.number"
        " WHERE r.incident = $1 AND m.entry > $2 ORDER BY m.entry LIMIT $3"};
    for (const std::string_view sql : of_one) {
      if (auto done = take_entries(sql, incident.number); !done) return done;
    }
    // Those that had waited say still that they were of no incident then.
    for (const std::int64_t number : incident.gathered) {
      if (auto done = take_entries(
              "SELECT entry FROM detection WHERE number = $1 AND entry > $2 LIMIT $3", number);
          !done) {
        return done;
      }
    }
    return {};
  }

  Result<void> take_entries(std::string_view sql, std::int64_t of) {
    return db::each_row(database_, sql, {of, query_.after, query_.limit + 1},
                        [&](const db::Statement& row) { entries_.insert(row.integer(0)); });
  }

  // Outcomes of alerts and steps of escalations, which stand in no table with their entries.
  Result<void> find_told_by_records() {
    std::set<std::string, std::less<>> alerts;
    for (const incident::Incident& one : incidents_) {
      const auto done =
          db::each_row(database_, "SELECT name FROM alert WHERE incident = $1", {one.number},
                       [&](const db::Statement& row) { alerts.emplace(row.text(0)); });
      if (!done) return done;
    }
    const ledger::EntryRange range{.first = query_.after + 1};
    const auto take = [&](std::int64_t number, const json::Value& record) {
      const bool is_its = alerts.contains(record.text("key")) ||
                          std::ranges::find(incidents_, record.integer("incident"),
                                            &incident::Incident::number) != incidents_.end();
      if (is_its) entries_.insert(number);
    };
    for (const std::string_view kind : {"alert", "escalation"}) {
      if (auto done = ledger::for_each_of_kind(database_, kind, range, take); !done) return done;
    }
    return {};
  }

  Result<void> tell_checkpoint() {
    auto note = ledger::last_checkpoint(database_);
    if (!note && note.error().code == Code::not_found) return {};
    if (!note) return std::unexpected(note.error());
    const auto checkpoint = ledger::parse_checkpoint(*note);
    if (!checkpoint) return std::unexpected(checkpoint.error());
    tree_.emplace(ledger::stored_tree(database_, checkpoint->size));
    add("checkpoint", *std::move(note));
    return {};
  }

  Result<void> tell_entry(std::int64_t number) {
    if (!told_.insert(number).second) return {};
    const auto rows = ledger::load_entries(database_, number, 1);
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty() || rows->front().number != number) {
      return fail(Code::corrupt, "the ledger has no entry " + std::to_string(number));
    }
    const ledger::Row& row = rows->front();
    const bool is_erased = row.record.empty();
    json::Object line = is_erased ? json::Object{{"leaf", crypto::to_hex(row.leaf)}}
                                  : content_json(row.record, row.salt);
    line["number"] = number;
    line["kind"] = row.kind;
    bytes_ += row.record.size();
    if (tree_ && static_cast<std::uint64_t>(number) < tree_->size()) {
      const auto hashes = tree_->inclusion_proof(static_cast<std::uint64_t>(number));
      if (!hashes) return std::unexpected(hashes.error());
      line["hashes"] = hashes_json(*hashes);
    }
    add("entry", std::move(line));
    if (row.kind != "detection" || is_erased) return {};
    const auto record = json::parse(row.record);
    if (!record) return std::unexpected(record.error());
    return tell_events(*record);
  }

  Result<void> tell_events(const json::Value& detection) {
    // What a correlation counted stands in `events`, and what completed it is one of them.
    std::vector<std::string> names;
    if (const auto* events = detection["events"].as_array()) {
      for (const json::Value& one : *events) {
        if (const auto* name = one.as_string()) names.push_back(*name);
      }
    }
    names.push_back(detection.text("event"));
    for (const std::string& name : names) {
      const auto id = parse_event_id(name);
      // One of an alert from outside rests on no event of ours.
      if (!id || *id == EventId() || !told_events_.insert(name).second) continue;
      if (auto done = tell_event(*id); !done) return done;
    }
    return {};
  }

  Result<void> tell_event(const EventId& id) {
    const json::Object erased{{"id", to_string(id)}, {"erased", true}};
    const auto event = ingest::load_event(database_, id);
    if (!event && event.error().code != Code::not_found) return std::unexpected(event.error());
    if (!event || event->erased) {
      add("event", erased);
      return {};
    }
    const auto batch = ingest::load_batch_of(database_, event->number);
    if (!batch) return std::unexpected(batch.error());
    // Its entry is no entry about the incident, but what the event is proved by.
    if (auto done = tell_entry(batch->entry); !done) return done;
    auto kept = commitments_.find(batch->entry);
    if (kept == commitments_.end()) {
      auto loaded = ingest::load_commitments(database_, *batch);
      if (!loaded) return std::unexpected(loaded.error());
      if (commitments_.size() == batches_max) commitments_.erase(commitments_.begin());
      kept = commitments_.emplace(batch->entry, *std::move(loaded)).first;
    }
    bytes_ += event->record.size();
    const bool is_whole = std::ssize(kept->second) == batch->count;
    json::Object line = is_whole ? event_json(*event, *batch, kept->second)
                                 : content_json(event->record, event->salt);
    line["id"] = to_string(id);
    line["entry"] = batch->entry;
    add("event", std::move(line));
    return {};
  }

  static constexpr std::size_t batches_max = 64;
  // Of records; a page ends behind the entry that reaches it.
  static constexpr std::size_t page_bytes_enough = std::size_t{8} * 1024 * 1024;

  db::Database& database_;
  ExportQuery query_;
  std::vector<incident::Incident> incidents_;
  std::set<std::int64_t> entries_;
  std::set<std::int64_t> told_;
  std::set<std::string> told_events_;
  std::map<std::int64_t, std::vector<crypto::Digest>> commitments_;  // of batches, by entry
  std::optional<ledger::TreeReader> tree_;
  std::int64_t last_ = -1;
  std::size_t bytes_ = 0;
  Lines lines_;
};

}  // namespace

Result<json::Object> export_incident(db::Database& database, const ExportQuery& query) {
  // All of it as the store stands now.
  const auto begun = database.begin_reading(false);
  if (!begun) return std::unexpected(begun.error());
  auto page = Exporter(database, query).run();
  database.rollback();
  return page;
}

}  // namespace mailwarden::report
