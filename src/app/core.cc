#include "app/core.h"

#include <algorithm>
#include <iterator>

#include "access/grant_table.h"
#include "alert/escalation_table.h"
#include "alert/signal_table.h"
#include "app/keep.h"
#include "detect/detection_table.h"
#include "event/event_json.h"
#include "incident/incident_table.h"
#include "incident/waiting_table.h"
#include "respond/flow_means.h"
#include "respond/flow_run_table.h"
#include "respond/run_table.h"

namespace mailwarden::app {

std::vector<db::Migration> all_migrations() {
  std::vector<db::Migration> all;
  for (const auto& steps :
       {ingest::migrations(), detect::migrations(), ledger::migrations(), incident::migrations(),
        incident::waiting_migrations(), alert::migrations(), alert::escalation_migrations(),
        alert::signal_migrations(), respond::migrations(), privacy::migrations(),
        access::decision_migrations(), access::migrations(), access::sign_in_migrations(),
        identity::migrations(), ledger::witness_migrations()}) {
    all.insert(all.end(), steps.begin(), steps.end());
  }
  return all;
}

Core::Core(const CoreOptions& options, const CoreParts& parts,
           std::shared_ptr<const Policies> policies, ledger::Ledger ledger,
           incident::IncidentBook book, respond::flow::Stored runs, identity::PeopleBook people,
           access::SignIns sign_ins)
    : options_(options),
      parts_(parts),
      policies_(std::move(policies)),
      ledger_(std::move(ledger)),
      book_(std::move(book)),
      runs_(respond::flow::standard_means(
                options_.commands,
                [this](std::string_view name) { return policies_->find_playbook(name); }),
            std::move(runs)),
      correlator_(policies_->rules),
      people_(std::move(people)),
      sign_ins_(std::move(sign_ins)),
      in_force_{.point = policies_->access, .origins = nullptr},
      witness_book_(options.witness_name, options.witnessed) {
  book_.use(policies_->procedure);
}

Result<std::unique_ptr<Core>> Core::open(const CoreOptions& options, const CoreParts& parts,
                                         std::shared_ptr<const Policies> policies) {
  const auto migrations = all_migrations();
  if (auto done = db::migrate(parts.database, migrations, parts.clock.now()); !done) {
    return std::unexpected(done.error());
  }
  if (auto fits = ledger::check_keys(parts.database); !fits) return std::unexpected(fits.error());
  if (auto done = ingest::complete_entities(parts.database); !done) {
    return std::unexpected(done.error());
  }
  auto ledger = ledger::Ledger::open(parts.database, options.origin, parts.entropy);
  if (!ledger) return std::unexpected(ledger.error());
  auto incidents = incident::load_open_incidents(parts.database);
  if (!incidents) return std::unexpected(incidents.error());
  const auto last = incident::last_incident_number(parts.database);
  if (!last) return std::unexpected(last.error());
  auto gathering = incident::load_waiting(parts.database);
  if (!gathering) return std::unexpected(gathering.error());
  auto runs = respond::flow::load_stored(parts.database, parts.clock.now());
  if (!runs) return std::unexpected(runs.error());
  auto standing = access::load_standing(parts.database);
  if (!standing) return std::unexpected(standing.error());
  auto people = identity::PeopleBook::load(parts.database, options.people);
  if (!people) return std::unexpected(people.error());
  auto sign_ins = access::SignIns::load(parts.database, parts.clock.now());
  if (!sign_ins) return std::unexpected(sign_ins.error());
  const auto expired = access::load_expired(parts.database, parts.clock.now());
  if (!expired) return std::unexpected(expired.error());
  auto waiting = alert::load_pending(parts.database);
  if (!waiting) return std::unexpected(waiting.error());
  std::unique_ptr<Core> core(new Core(options, parts, std::move(policies), *std::move(ledger),
                                      incident::IncidentBook(*std::move(incidents), *last),
                                      *std::move(runs), *std::move(people), *std::move(sign_ins)));
  core->grants_ = std::make_unique<access::GrantBook>(*std::move(standing));
  if (auto done = core->witness_book_.load(parts.database); !done) {
    return std::unexpected(done.error());
  }
  auto state = StateBook::open(migrations, parts.database.sealing(), parts.clock.now());
  if (!state) return std::unexpected(state.error());
  core->state_ = *std::move(state);
  if (auto done = core->rebuild(); !done) return std::unexpected(done.error());
  if (auto done = core->adopt(); !done) return std::unexpected(done.error());
  core->forget(*expired);
  if (auto done = core->load_escalations(); !done) return std::unexpected(done.error());
  if (auto done = core->load_posts(); !done) return std::unexpected(done.error());
  if (auto done = core->load_newest(); !done) return std::unexpected(done.error());
  if (auto done = core->take_keys(); !done) return std::unexpected(done.error());
  if (auto done = core->alerting_.load(parts.database); !done) {
    return std::unexpected(done.error());
  }
  core->regroup();
  core->activate();
  core->book_.resume(*std::move(gathering));
  core->regather();
  for (alert::AlertRow& row : *waiting) core->post(std::move(row.alert), core->outgoing_);
  std::vector<ledger::Entry> entries;
  core->take_moves(core->runs_.resume(parts.clock.now()), entries);
  core->append(std::move(entries));
  return core;
}

// Restores the correlator's windows and matches again what came behind the snapshot.
Result<void> Core::rebuild() {
  const auto event = ingest::last_event_number(parts_.database);
  if (!event) return std::unexpected(event.error());
  last_event_ = *event;
  const auto detection = detect::last_detection_number(parts_.database);
  if (!detection) return std::unexpected(detection.error());
  last_detection_ = *detection;
  const auto snapshot = detect::load_snapshot(parts_.database);
  if (!snapshot) return std::unexpected(snapshot.error());
  if (!snapshot->body.empty()) {
    if (auto done = correlator_.restore(snapshot->body); !done) return done;
  }
  Result<void> good;
  detect::MatchScratch scratch;
  auto replay = [&](const ingest::EventRow& row) {
    const auto parsed = parse_event(row.record);
    if (!parsed) {
      good = std::unexpected(parsed.error());
      return false;
    }
    for (const detect::Detection& found : policies_->rules.match(*parsed, scratch)) {
      static_cast<void>(correlator_.advance(found));
    }
    return true;
  };
  if (auto done = ingest::for_each_event(parts_.database, snapshot->event, replay); !done) {
    return done;
  }
  windows_dropped_ = correlator_.dropped();
  return good;
}

// Which rules and policies decided is part of every proof.
void Core::activate() {
  const auto last = ledger::last_of_kind(parts_.database, "policies");
  const auto known = last && *last ? json::parse((*last)->record) : Result<json::Value>();
  if (known && known->text("version") == policies_->version) return;
  record_policies();
}

void Core::use(std::shared_ptr<const Policies> policies) {
  const bool same = policies->version == policies_->version;
  policies_ = std::move(policies);
  in_force_ = {.point = policies_->access, .origins = nullptr};
  book_.use(policies_->procedure);
  correlator_.rebind(policies_->rules);
  if (same) return;
  regroup();
  record_policies();
  regather();
}

void Core::record_policies() {
  record("policies", {{"access_policies", policies_->access == nullptr
                                              ? json::Value()
                                              : json::Value(policies_->access->loaded().hash)},
                      {"chains", policies_->routes.chains().chains().size()},
                      {"correlations", policies_->rules.correlations().size()},
                      {"playbooks", policies_->playbooks.size()},
                      {"receivers", policies_->routes.receivers().size()},
                      {"retention", policies_->retention.size()},
                      {"rules", policies_->rules.rules().size()},
                      {"rules_refused", policies_->rules.refused().size()},
                      {"severity_rows", policies_->severity.rows().size()},
                      {"version", policies_->version}});
  pass_over_incidents();
}

std::int64_t Core::next_entry(const std::vector<ledger::Entry>& entries) const {
  return ledger_.size() + std::ssize(gathered_) + std::ssize(entries);
}

void Core::take_events(WorkedBatch& batch, std::vector<ledger::Entry>& entries) {
  if (batch.events.rows.empty()) return;
  const ingest::EventBatchRow stored{.entry = next_entry(entries),
                                     .stream = batch.events.rows.front().id.stream,
                                     .first = last_event_ + 1,
                                     .count = batch.events.count(),
                                     .earliest = batch.earliest,
                                     .latest = batch.latest};
  entries.push_back({"events",
                     {{"count", stored.count},
                      {"earliest", to_rfc3339(stored.earliest)},
                      {"first", to_string(batch.events.rows.front().id)},
                      {"last", to_string(batch.events.rows.back().id)},
                      {"latest", to_rfc3339(stored.latest)},
                      {"root", crypto::to_hex(batch.root)},
                      {"source", batch.after ? batch.after->source : std::string()}}});
  last_event_ += stored.count;
  totals_.events += stored.count;
  totals_.undecoded += batch.undecoded;
  const auto rows = keep(std::move(batch.events));
  pending_.emplace_back([rows, stored](db::Database& database) -> Result<void> {
    if (auto done = ingest::store_events(database, stored.first, *rows); !done) return done;
    if (auto done = ingest::store_batch(database, stored); !done) return done;
    return ingest::store_entities(database, stored.first, rows->entities);
  });
}

void Core::take(WorkedBatch batch) {
  std::vector<ledger::Entry> entries;
  for (const ingest::Gap& gap : batch.gaps) {
    entries.push_back({"gap", {{"source", gap.source}, {"what", gap.what}}});
    ++totals_.gaps;
  }
  take_events(batch, entries);
  if (batch.after) {
    const auto state = keep(*std::move(batch.after));
    store_state({"stream"},
                [state](db::Database& database) { return ingest::store_stream(database, *state); });
  }
  using Detection = detect::Detection;
  const auto take_one = [&](const Detection& detection, const std::vector<Detection>& completed) {
    if (!detection.silent) report(detection, entries);
    for (const Detection& fired : completed) {
      if (!fired.silent) report(fired, entries);
    }
  };
  correlator_.advance(batch.detections, take_one);
  for (const identity::Observation& seen : batch.observations) {
    take_people(people_.apply(seen, parts_.clock.now()), entries);
  }
  judge(batch.accesses, entries);
  if (const std::int64_t dropped = correlator_.dropped(); dropped > windows_dropped_) {
    entries.push_back(
        {"gap",
         {{"source", "correlation"},
          {"what", std::to_string(dropped - windows_dropped_) +
                       " entries of open windows were given up to stay within limits"}}});
    windows_dropped_ = dropped;
  }
  append(std::move(entries));
  if (++batches_since_merge_ >= ingest::merge_batches) {
    batches_since_merge_ = 0;
    pending_.emplace_back(ingest::merge_entities);
  }
  if (++batches_since_snapshot_ >= options_.snapshot_interval) snapshot();
}

incident::IncidentBook::Applied Core::report(const detect::Detection& detection,
                                             std::vector<ledger::Entry>& entries,
                                             const std::string& who) {
  const std::int64_t number = ++last_detection_;
  auto applied = book_.apply(detection, policies_->severity, parts_.clock.now(), number);
  for (incident::Change& change : applied.changes) {
    if (!who.empty()) change.who = who;
  }
  const auto row = keep(detect::DetectionRow{.number = number,
                                             .incident = applied.incident,
                                             .entry = next_entry(entries),
                                             .detection = detection});
  json::Object record = detect::to_record(detection);
  record["incident"] = applied.incident;
  record["number"] = row->number;
  if (!applied.waits.empty()) record["waits"] = applied.waits;
  entries.push_back({"detection", std::move(record)});
  ++totals_.detections;
  pending_.emplace_back(
      [row](db::Database& database) { return detect::store_detection(database, *row); });
  if (applied.incident != 0) touch(applied.incident);
  take_changes(applied.changes, entries);
  return applied;
}

void Core::take_changes(const std::vector<incident::Change>& changes,
                        std::vector<ledger::Entry>& entries) {
  for (const incident::Change& change : changes) {
    const auto row = keep(incident::ChangeRow{.entry = next_entry(entries), .change = change});
    json::Object record = incident::to_record(change);
    record["when"] = to_rfc3339(change.when);
    entries.push_back({"incident", std::move(record)});
    touch(change.incident);
    ++totals_.changes;
    pending_.emplace_back(
        [row](db::Database& database) { return incident::store_change(database, *row); });
    const incident::Incident incident = incident_of(change.incident);
    notify(change, incident, entries);
    escalate(change, incident, entries);
    take_moves(runs_.start_due(policies_->playbooks, incident, change.when), entries);
  }
}

// One that ended before this process started has no more than its number here.
incident::Incident Core::incident_of(std::int64_t number) const {
  const incident::Incident* const found = book_.find(number);
  return found != nullptr ? *found : incident::Incident{.number = number};
}

ledger::Entry Core::decided(const alert::Alert& alert) const {
  json::Object record = alert::to_record({.key = alert.key}, alert.receiver);
  record["incident"] = alert.incident;
  record["sha256"] = crypto::to_hex(crypto::sha256(json::to_text(alert.event)));
  record["subject"] = alert.subject;
  record["when"] = to_rfc3339(alert.time);
  return {"alert", std::move(record)};
}

void Core::send(const alert::Alert& alert, std::vector<ledger::Entry>& entries) {
  const auto row = keep(alert::AlertRow{.entry = next_entry(entries), .alert = alert});
  entries.push_back(decided(alert));
  ++totals_.alerts;
  pending_.emplace_back(
      [row](db::Database& database) { return alert::store_alert(database, *row); });
  post(alert, pending_outgoing_);
}

// Its outcome is stored with what it said, which may not be readable then.
void Core::post(alert::Alert alert, std::vector<Outgoing>& to) {
  unsettled_[alert.key] = keep(alert);
  to.emplace_back(std::move(alert));
}

void Core::settle(const alert::Outcome& outcome, const std::string& receiver) {
  totals_.alerts_delivered += outcome.standing == alert::Standing::delivered ? 1 : 0;
  totals_.alerts_failed += outcome.standing == alert::Standing::failed ? 1 : 0;
  settle_post(outcome);
  const auto row = keep(outcome);
  const Timestamp now = parts_.clock.now();
  const auto known = unsettled_.find(outcome.key);
  const auto alert = known != unsettled_.end() ? known->second : nullptr;
  if (alert != nullptr && outcome.standing != alert::Standing::pending) unsettled_.erase(known);
  pending_.emplace_back([row, alert, now](db::Database& database) {
    return alert::store_outcome(database, alert.get(), *row, now);
  });
  json::Object record = alert::to_record(outcome, receiver);
  record["when"] = to_rfc3339(now);
  append({ledger::Entry{"alert", std::move(record)}});
}

void Core::record(const std::string& kind, json::Object what) {
  append({ledger::Entry{kind, std::move(what)}});
}

void Core::sweep(const privacy::Sweep& sweep) {
  std::vector<ledger::Entry> entries;
  for (const privacy::DueBatches& due : sweep.due) {
    if (!due.held_because.empty()) continue;
    const std::int64_t entry = next_entry(entries);
    json::Object record = privacy::to_record(due, sweep.now);
    record["when"] = to_rfc3339(sweep.now);
    entries.push_back({"removal", std::move(record)});
    const auto batches = keep(due);
    pending_.emplace_back([batches, entry, now = sweep.now](db::Database& database) {
      return privacy::remove_batches(database, *batches, entry, now);
    });
  }
  append(std::move(entries));
}

void Core::snapshot() {
  if (batches_since_snapshot_ != 0) take_snapshot();
}

void Core::take_snapshot() {
  batches_since_snapshot_ = 0;
  const auto row = keep(detect::Snapshot{.event = last_event_, .body = correlator_.snapshot()});
  store_state({"correlation"},
              [row](db::Database& database) { return detect::store_snapshot(database, *row); });
  append({});
}

Result<db::Transaction> Core::begin() {
  auto transaction = db::Transaction::begin(parts_.database);
  if (transaction || transaction.error().code != Code::conflict) return transaction;
  // What was tried last is in the store after all; what came since is not.
  pending_.erase(pending_.begin(), pending_.begin() + std::exchange(tried_, 0));
  return db::Transaction::begin(parts_.database);
}

void Core::let_out() {
  std::ranges::move(pending_notes_, std::back_inserter(notes_));
  pending_notes_.clear();
  std::ranges::move(pending_outgoing_, std::back_inserter(outgoing_));
  pending_outgoing_.clear();
}

Result<void> Core::write() {
  if (is_gathering_) append_gathered();
  if (pending_.empty()) {
    // What a start asks for again rests on what was stored before.
    let_out();
    return {};
  }
  store_touched();
  auto transaction = begin();
  if (!transaction) return std::unexpected(transaction.error());
  tried_ = std::ssize(pending_);
  for (const Write& write : pending_) {
    if (auto done = write(parts_.database); !done) return done;
  }
  if (auto done = transaction->commit(); !done) return done;
  tried_ = 0;
  pending_.clear();
  grants_->commit();
  // Until then the store does not have them as they are here.
  runs_.forget_ended();
  let_out();
  return {};
}

std::vector<Outgoing> Core::take_outgoing() {
  return std::exchange(outgoing_, {});
}

std::vector<std::string> Core::take_notes() {
  return std::exchange(notes_, {});
}

}  // namespace mailwarden::app
