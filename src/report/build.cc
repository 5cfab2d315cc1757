#include <algorithm>
#include <map>

#include "alert/outbox.h"
#include "detect/detection_table.h"
#include "incident/incident_table.h"
#include "ingest/event_table.h"
#include "json/flatten.h"
#include "ledger/ledger.h"
#include "privacy/sweep.h"
#include "report/report.h"
#include "respond/run_table.h"

namespace mailwarden::report {
namespace {

constexpr std::string_view daemon = "mailwarden";

json::Object change_json(const incident::ChangeRow& row) {
  json::Object object = incident::to_record(row.change);
  object["entry"] = row.entry;
  object["when"] = to_rfc3339(row.change.when);
  return object;
}

// What every report begins with: which one, of when, and what it rests on.
Result<json::Object> begin(db::Database& database, std::string_view kind, const Period& period,
                           const ReportOptions& options) {
  const auto footing =
      options.footing ? Result<Footing>(*options.footing) : find_footing(database, options);
  if (!footing) return std::unexpected(footing.error());
  return json::Object{
      {"checkpoint", footing->checkpoint},
      {"generated", to_rfc3339(period.to)},
      {"ledger", ledger::to_json(footing->verdict)},
      {"origin", options.key.name},
      {"period", json::Object{{"from", to_rfc3339(period.from)}, {"to", to_rfc3339(period.to)}}},
      {"report", kind},
      {"verifier_key", ledger::to_text(options.key)}};
}

Duration span_for(const std::vector<ingest::SourceCount>& sources) {
  using namespace std::chrono;
  if (sources.empty()) return hours(1);
  Timestamp earliest = sources.front().earliest;
  Timestamp latest = sources.front().latest;
  for (const auto& source : sources) {
    earliest = std::min(earliest, source.earliest);
    latest = std::max(latest, source.latest);
  }
  constexpr std::int64_t bars = 60;
  for (const Duration span :
       {Duration(minutes(1)), Duration(minutes(10)), Duration(hours(1)), Duration(hours(6)),
        Duration(days(1)), Duration(days(7)), Duration(days(30)), Duration(days(365))}) {
    if ((latest - earliest) / span <= bars) return span;
  }
  return days(3650);
}

Result<void> add_events(db::Database& database, json::Object& report) {
  const auto sources = ingest::count_by_source(database);
  if (!sources) return std::unexpected(sources.error());
  json::Array list;
  std::int64_t events = 0;
  for (const auto& source : *sources) {
    events += source.events;
    list.push_back(json::Object{{"earliest", to_rfc3339(source.earliest)},
                                {"events", source.events},
                                {"latest", to_rfc3339(source.latest)},
                                {"source", source.source}});
  }
  report["sources"] = std::move(list);
  report["events"] = events;
  const Duration span = span_for(*sources);
  const auto counts = ingest::count_by_span(database, span);
  if (!counts) return std::unexpected(counts.error());
  json::Array spans;
  for (const auto& count : *counts) {
    spans.push_back(json::Object{{"begin", to_rfc3339(count.begin)}, {"events", count.events}});
  }
  report["activity"] = json::Object{{"span", to_words(span)}, {"spans", std::move(spans)}};
  const auto rules = detect::count_by_rule(database);
  if (!rules) return std::unexpected(rules.error());
  json::Array detections;
  for (const auto& rule : *rules) {
    detections.push_back(
        json::Object{{"detections", rule.detections}, {"rule", rule.rule}, {"title", rule.title}});
  }
  report["detections"] = std::move(detections);
  return {};
}

// At most rows_max of a kind; how many more there are stands in "left_out".
void limit(json::Array& list, const std::string& kind, const ReportOptions& options,
           json::Object& report) {
  const auto most = static_cast<std::size_t>(options.rows_max);
  if (list.size() <= most) return;
  json::Value& left_out = report.try_emplace("left_out", json::Object()).first->second;
  (*left_out.as_object())[kind] = list.size() - most;
  list.resize(most);
}

// Who was told of what, and what playbooks did.
Result<void> add_responses(db::Database& database, const Period& period,
                           const ReportOptions& options, json::Object& report) {
  const auto alerts = alert::load_alerts(database, period.from, period.to);
  if (!alerts) return std::unexpected(alerts.error());
  json::Array told;
  for (const alert::AlertRow& row : *alerts) {
    json::Object one = alert::to_json(row);
    one.erase("event");
    told.push_back(std::move(one));
  }
  const auto moves = respond::load_moves(database, period.from, period.to);
  if (!moves) return std::unexpected(moves.error());
  json::Array steps;
  for (const respond::MoveRow& row : *moves) {
    json::Object one = row.record;
    one["entry"] = row.entry;
    one["when"] = to_rfc3339(row.when);
    steps.push_back(std::move(one));
  }
  limit(told, "alerts", options, report);
  limit(steps, "steps", options, report);
  report["alerts"] = std::move(told);
  report["steps"] = std::move(steps);
  return {};
}

Result<void> add_incidents(db::Database& database, const Period& period,
                           const ReportOptions& options, json::Object& report) {
  const auto changes = incident::load_changes(database, period.from, period.to);
  if (!changes) return std::unexpected(changes.error());
  std::map<std::int64_t, json::Array> by_incident;
  json::Array acts;
  for (const incident::ChangeRow& row : *changes) {
    by_incident[row.change.incident].push_back(change_json(row));
    if (row.change.who != daemon) acts.push_back(change_json(row));
  }
  limit(acts, "acts", options, report);
  json::Array incidents;
  json::Array by_severity{0, 0, 0, 0};
  std::array<std::int64_t, 4> counted{};
  for (auto& [number, list] : by_incident) {
    const auto found = incident::load_incident(database, number);
    if (!found) return std::unexpected(found.error());
    ++counted[static_cast<std::size_t>(found->severity)];
    json::Object one = incident::to_json(*found);
    one["changes"] = std::move(list);
    incidents.push_back(std::move(one));
  }
  limit(incidents, "incidents", options, report);
  for (std::size_t i = 0; i < counted.size(); ++i) by_severity[i] = counted[i];
  report["acts"] = std::move(acts);
  report["incidents"] = std::move(incidents);
  report["incidents_by_severity"] = std::move(by_severity);
  return {};
}

// Entries of kinds that an auditor asks for one by one.
Result<void> add_entries(db::Database& database, const Period& period, const ReportOptions& options,
                         json::Object& report) {
  std::map<std::string, json::Array> by_kind{{"gap", {}}, {"policies", {}}, {"removal", {}}};
  constexpr std::int64_t page = 1000;
  const std::string from = to_rfc3339(period.from);
  const std::string to = to_rfc3339(period.to);
  for (auto& [kind, list] : by_kind) {
    std::int64_t first = 0;
    while (true) {
      const auto rows = ledger::load_kind(database, kind, first, page);
      if (!rows) return std::unexpected(rows.error());
      for (const ledger::Row& row : *rows) {
        first = row.number + 1;
        auto record = json::parse(row.record);
        if (!record) continue;  // erased
        const std::string time = record->text("time");
        if (time < from || time >= to) continue;
        (*record->as_object())["entry"] = row.number;
        list.push_back(*std::move(record));
      }
      if (static_cast<std::int64_t>(rows->size()) < page) break;
    }
    const std::string name = kind == "gap" ? "gaps" : kind == "removal" ? "removals" : kind;
    limit(list, name, options, report);
    report[name] = std::move(list);
  }
  return {};
}

json::Object due_json(const privacy::DueBatches& due) {
  return {{"because", due.held_because},
          {"category", due.category},
          {"cutoff", to_rfc3339(due.cutoff)},
          {"earliest", to_rfc3339(due.earliest)},
          {"events", due.events},
          {"latest", to_rfc3339(due.latest)},
          {"source", due.source}};
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
                                {"keep", to_words(policy.keep)},
                                {"sources", std::move(sources)}});
  }
  return list;
}

}  // namespace

Result<Footing> find_footing(db::Database& database, const ReportOptions& options) {
  auto note = ledger::last_checkpoint(database);
  if (!note) return std::unexpected(note.error());
  auto verdict = ledger::verify(
      database, {.key = options.key, .from = *note, .check_record = options.check_record});
  if (!verdict) return std::unexpected(verdict.error());
  return Footing{.checkpoint = *std::move(note), .verdict = *std::move(verdict)};
}

Result<json::Object> build_audit(db::Database& database, const Period& period,
                                 const ReportOptions& options) {
  auto report = begin(database, "audit", period, options);
  if (!report) return report;
  if (auto done = add_events(database, *report); !done) return std::unexpected(done.error());
  if (auto done = add_incidents(database, period, options, *report); !done) {
    return std::unexpected(done.error());
  }
  if (auto done = add_responses(database, period, options, *report); !done) {
    return std::unexpected(done.error());
  }
  if (auto done = add_entries(database, period, options, *report); !done) {
    return std::unexpected(done.error());
  }
  return report;
}

Result<json::Object> build_retention(db::Database& database, const Period& period,
                                     std::span<const privacy::RetentionPolicy> policies,
                                     const ReportOptions& options) {
  auto report = begin(database, "retention", period, options);
  if (!report) return report;
  // The report only looks, so the clock need not be confirmed by a person.
  const auto sweep = privacy::plan_sweep(database, policies, period.to, {.idle_max = std::nullopt});
  if (!sweep) return std::unexpected(sweep.error());
  json::Array due;
  json::Array held;
  for (const privacy::DueBatches& one : sweep->due) {
    (one.held_because.empty() ? due : held).push_back(due_json(one));
  }
  json::Array without;
  for (const std::string& source : sweep->without_policy) without.push_back(source);
  const auto removals = privacy::load_removals(database, period.from, period.to);
  if (!removals) return std::unexpected(removals.error());
  json::Array removed;
  for (const privacy::Removal& one : *removals) {
    removed.push_back(json::Object{{"category", one.category},
                                   {"earliest", to_rfc3339(one.earliest)},
                                   {"entry", one.entry},
                                   {"events", one.events},
                                   {"latest", to_rfc3339(one.latest)},
                                   {"source", one.source},
                                   {"when", to_rfc3339(one.when)}});
  }
  (*report)["complete"] = sweep->complete;
  (*report)["due"] = std::move(due);
  (*report)["held"] = std::move(held);
  (*report)["policies"] = policies_json(policies);
  (*report)["removed"] = std::move(removed);
  (*report)["without_policy"] = std::move(without);
  return report;
}

Result<std::string> check_events(db::Database& database, std::int64_t entry,
                                 const json::Value& record) {
  if (record.text("kind") != "events") return std::string();
  const auto batch = ingest::load_batch(database, entry);
  if (!batch && batch.error().code == Code::not_found) return "its batch of events is missing";
  if (!batch) return std::unexpected(batch.error());
  const auto rows = ingest::load_batch_events(database, *batch);
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) {
    const auto removal = privacy::removed_by(database, entry);
    if (!removal) return std::unexpected(removal.error());
    if (*removal) return std::string();
    return "its events are gone, and no removal tells why";
  }
  if (batch->count != record.integer("count") ||
      static_cast<std::int64_t>(rows->size()) != batch->count) {
    return "of its " + std::to_string(record.integer("count")) + " events " +
           std::to_string(rows->size()) + " are left, and no removal tells why";
  }
  std::vector<ledger::Digest> commitments;
  json::Flattener reader;
  for (const ingest::EventRow& row : *rows) {
    commitments.push_back(ledger::commitment(row.salt, row.record));
    // The columns by which an event is found must say what its record says.
    std::string id;
    std::string time;
    const auto read = reader.flatten(row.record, [&](const json::Leaf& leaf) {
      if (leaf.path == "id") id = leaf.text;
      if (leaf.path == "time") time = leaf.text;
    });
    if (!read || id != to_string(row.id) || time != to_rfc3339(row.time)) {
      return "event " + to_string(row.id) + ": its row does not fit its record";
    }
  }
  if (crypto::to_hex(ledger::batch_root(commitments)) != record.text("root")) {
    return "its events are not those that it commits to";
  }
  return std::string();
}

}  // namespace mailwarden::report
