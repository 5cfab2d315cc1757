#include <algorithm>
#include <array>
#include <map>

#include "alert/outbox.h"
#include "detect/detection_table.h"
#include "incident/incident_table.h"
#include "ingest/event_table.h"
#include "json/flatten.h"
#include "ledger/ledger.h"
#include "privacy/sweep.h"
#include "report/report.h"
#include "report/verify_store.h"
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

// A report being built, of no more entries than its checkpoint covers.
struct Work {
  db::Database& database;
  const ReportOptions& options;
  Period period;
  json::Object report;
};

// What every report begins with: which one, of when, and what it rests on.
Result<Work> begin(db::Database& database, std::string_view kind, Period period,
                   const ReportOptions& options) {
  const auto footing =
      options.footing ? Result<Footing>(*options.footing) : find_footing(database, options);
  if (!footing) return std::unexpected(footing.error());
  period.entries.end = std::min(period.entries.end, footing->size);
  period.entries.first = std::min(period.entries.first, period.entries.end);
  json::Object report{
      {"checkpoint", footing->checkpoint},
      {"entries", json::Object{{"end", period.entries.end}, {"first", period.entries.first}}},
      {"generated", to_rfc3339(period.to)},
      {"ledger", ledger::to_json(footing->verdict)},
      {"origin", options.key.name},
      {"period", json::Object{{"from", to_rfc3339(period.from)}, {"to", to_rfc3339(period.to)}}},
      {"report", kind},
      {"verifier_key", ledger::to_text(options.key)}};
  return Work{database, options, period, std::move(report)};
}

// What the ledger's batches tell of events.
struct Batch {
  Timestamp earliest;
  std::int64_t events = 0;
};
struct Watched {
  std::int64_t events = 0;
  Timestamp earliest = Timestamp::latest;
  Timestamp latest = Timestamp::earliest;

  void add(const Watched& other) {
    events += other.events;
    earliest = std::min(earliest, other.earliest);
    latest = std::max(latest, other.latest);
  }
};

// Wide enough that no more than so many bars are drawn.
Duration span_for(const Watched& all) {
  using namespace std::chrono;
  constexpr std::int64_t bars = 60;
  for (const Duration span :
       {Duration(minutes(1)), Duration(minutes(10)), Duration(hours(1)), Duration(hours(6)),
        Duration(days(1)), Duration(days(7)), Duration(days(30)), Duration(days(365))}) {
    if (all.events == 0 || (all.latest - all.earliest) / span <= bars) return span;
  }
  return days(3650);
}

json::Object activity(const Watched& all, const std::vector<Batch>& batches) {
  const Duration span = span_for(all);
  std::map<std::int64_t, std::int64_t> counts;
  for (const Batch& batch : batches) {
    counts[(batch.earliest - Timestamp::earliest) / span] += batch.events;
  }
  json::Array spans;
  for (const auto& [number, events] : counts) {
    spans.push_back(json::Object{{"begin", to_rfc3339(Timestamp::earliest + span * number)},
                                 {"events", events}});
  }
  return {{"span", to_words(span)}, {"spans", std::move(spans)}};
}

Result<void> add_events(Work& work) {
  std::map<std::string, Watched> sources;
  std::vector<Batch> batches;
  Watched all;
  const auto done = ledger::for_each_of_kind(
      work.database, "events", work.period.entries, [&](std::int64_t, const json::Value& record) {
        const auto earliest = parse_rfc3339(record.text("earliest"));
        const auto latest = parse_rfc3339(record.text("latest"));
        if (!earliest || !latest) return;
        const Watched watched{record.integer("count"), *earliest, *latest};
        sources[record.text("source")].add(watched);
        all.add(watched);
        batches.push_back({*earliest, watched.events});
      });
  if (!done) return done;
  json::Array list;
  for (const auto& [name, source] : sources) {
    list.push_back(json::Object{{"earliest", to_rfc3339(source.earliest)},
                                {"events", source.events},
                                {"latest", to_rfc3339(source.latest)},
                                {"source", name}});
  }
  work.report["sources"] = std::move(list);
  work.report["events"] = all.events;
  work.report["activity"] = activity(all, batches);
  return {};
}

// How often each rule held, most first.
Result<void> add_detections(Work& work) {
  struct Rule {
    std::string title;
    std::int64_t detections = 0;
  };
  std::map<std::string, Rule> rules;
  const auto done = ledger::for_each_of_kind(work.database, "detection", work.period.entries,
                                             [&](std::int64_t, const json::Value& record) {
                                               Rule& rule = rules[record.text("rule")];
                                               rule.title = record.text("title");
                                               ++rule.detections;
                                             });
  if (!done) return done;
  std::vector<std::pair<std::string, Rule>> ordered(rules.begin(), rules.end());
  std::ranges::stable_sort(ordered, std::ranges::greater{},
                           [](const auto& one) { return one.second.detections; });
  json::Array list;
  for (const auto& [id, rule] : ordered) {
    list.push_back(
        json::Object{{"detections", rule.detections}, {"rule", id}, {"title", rule.title}});
  }
  work.report["detections"] = std::move(list);
  return {};
}

// At most rows_max of a kind; how many more there are stands in "left_out".
void limit(json::Array& list, const std::string& kind, Work& work) {
  const auto most = static_cast<std::size_t>(work.options.rows_max);
  if (list.size() <= most) return;
  json::Value& left_out = work.report.try_emplace("left_out", json::Object()).first->second;
  (*left_out.as_object())[kind] = list.size() - most;
  list.resize(most);
}

// Who was told of what, and what playbooks did.
Result<void> add_responses(Work& work) {
  const auto alerts = alert::load_alerts(work.database, work.period.entries);
  if (!alerts) return std::unexpected(alerts.error());
  json::Array told;
  for (const alert::AlertRow& row : *alerts) {
    json::Object one = alert::to_json(row);
    one.erase("event");
    told.push_back(std::move(one));
  }
  const auto moves = respond::load_moves(work.database, work.period.entries);
  if (!moves) return std::unexpected(moves.error());
  json::Array steps;
  for (const respond::MoveRow& row : *moves) {
    json::Object one = row.record;
    one["entry"] = row.entry;
    one["when"] = to_rfc3339(row.when);
    steps.push_back(std::move(one));
  }
  limit(told, "alerts", work);
  limit(steps, "steps", work);
  work.report["alerts"] = std::move(told);
  work.report["steps"] = std::move(steps);
  return {};
}

Result<void> add_incidents(Work& work) {
  const auto changes = incident::load_changes(work.database, work.period.entries);
  if (!changes) return std::unexpected(changes.error());
  std::map<std::int64_t, json::Array> by_incident;
  json::Array acts;
  for (const incident::ChangeRow& row : *changes) {
    by_incident[row.change.incident].push_back(change_json(row));
    if (row.change.who != daemon) acts.push_back(change_json(row));
  }
  limit(acts, "acts", work);
  json::Array incidents;
  json::Array by_severity{0, 0, 0, 0};
  std::array<std::int64_t, 4> counted{};
  for (auto& [number, list] : by_incident) {
    const auto found = incident::load_incident(work.database, number);
    if (!found) return std::unexpected(found.error());
    ++counted[static_cast<std::size_t>(found->severity)];
    json::Object one = incident::to_json(*found);
    one["changes"] = std::move(list);
    incidents.push_back(std::move(one));
  }
  limit(incidents, "incidents", work);
  for (std::size_t i = 0; i < counted.size(); ++i) by_severity[i] = counted[i];
  work.report["acts"] = std::move(acts);
  work.report["incidents"] = std::move(incidents);
  work.report["incidents_by_severity"] = std::move(by_severity);
  return {};
}

// Entries of kinds that an auditor asks for one by one.
Result<void> add_entries(Work& work) {
  constexpr std::array<std::pair<const char*, const char*>, 3> kinds{
      {{"gap", "gaps"}, {"policies", "policies"}, {"removal", "removals"}}};
  for (const auto& [kind, name] : kinds) {
    json::Array list;
    const auto done = ledger::for_each_of_kind(work.database, kind, work.period.entries,
                                               [&](std::int64_t number, const json::Value& record) {
                                                 json::Object one = *record.as_object();
                                                 one["entry"] = number;
                                                 list.emplace_back(std::move(one));
                                               });
    if (!done) return done;
    limit(list, name, work);
    work.report[name] = std::move(list);
  }
  return {};
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

Result<void> add_stored(Work& work, std::span<const privacy::RetentionPolicy> policies) {
  const auto stored = privacy::load_stored(work.database);
  if (!stored) return std::unexpected(stored.error());
  json::Array list;
  for (const privacy::Stored& one : *stored) {
    const auto policy = std::ranges::find_if(
        policies, [&](const auto& some) { return privacy::takes(some.sources, one.source); });
    const bool taken = policy != policies.end();
    list.push_back(
        json::Object{{"category", taken ? policy->category : ""},
                     {"earliest", to_rfc3339(one.earliest)},
                     {"events", one.events},
                     {"latest", to_rfc3339(one.latest)},
                     {"next_due", taken ? to_rfc3339(one.oldest_batch + policy->keep) : ""},
                     {"source", one.source}});
  }
  work.report["stored"] = std::move(list);
  return {};
}

Result<void> add_due(Work& work, std::span<const privacy::RetentionPolicy> policies) {
  // The report only looks, so the clock need not be confirmed by a person.
  const auto sweep =
      privacy::plan_sweep(work.database, policies, work.period.to, {.idle_max = std::nullopt});
  if (!sweep) return std::unexpected(sweep.error());
  work.report.merge(privacy::to_json(*sweep));
  return {};
}

Result<void> add_removals(Work& work) {
  const auto removals = privacy::load_removals(work.database, work.period.entries);
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
  work.report["removed"] = std::move(removed);
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
  for (const auto add : {add_events, add_detections, add_incidents, add_responses, add_entries}) {
    if (auto done = add(*work); !done) return std::unexpected(done.error());
  }
  return std::move(work->report);
}

Result<json::Object> build_retention(db::Database& database, const Period& period,
                                     std::span<const privacy::RetentionPolicy> policies,
                                     const ReportOptions& options) {
  auto work = begin(database, "retention", period, options);
  if (!work) return std::unexpected(work.error());
  for (const auto& done :
       {add_stored(*work, policies), add_due(*work, policies), add_removals(*work)}) {
    if (!done) return std::unexpected(done.error());
  }
  work->report["policies"] = policies_json(policies);
  return std::move(work->report);
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
    const auto read = reader.flatten(row.record);
    for (const json::Leaf& leaf : read ? *read : std::span<const json::Leaf>()) {
      if (leaf.path == "id") id = leaf.text;
      if (leaf.path == "time") time = leaf.text;
    }
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
