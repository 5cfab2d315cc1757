// The core's part about playbooks: their runs, moves and effects.
#include "alert/on_call.h"
#include "app/core.h"
#include "app/keep.h"
#include "respond/flow_run_table.h"
#include "respond/run_table.h"

namespace mailwarden::app {
namespace {

constexpr std::string_view collect_evidence = "collect_evidence";

// Whoever is on call by that name at the time; of a schedule that there is no more the name itself,
// so that its delivery fails and is said to.
std::vector<std::string> receivers_of(const alert::Routes& routes, const std::string& name,
                                      Timestamp when) {
  if (!name.starts_with(alert::on_call_prefix)) return {name};
  const alert::Schedule* const schedule =
      routes.on_call().find(name.substr(alert::on_call_prefix.size()));
  if (schedule == nullptr) return {name};
  const auto* const person = routes.on_call().find_person(alert::on_call(*schedule, when).person);
  return person == nullptr ? std::vector<std::string>{name} : person->receivers;
}

}  // namespace

void Core::take_moves(const respond::flow::Moves& moves, std::vector<ledger::Entry>& entries) {
  using respond::flow::StepKind;
  for (const respond::flow::StepChange& change : moves.changes) {
    const respond::flow::Run& run = *runs_.find(change.run);
    const auto row = keep(respond::MoveRow{.entry = next_entry(entries),
                                           .run = change.run,
                                           .when = change.when,
                                           .record = respond::flow::to_record(change, run)});
    json::Object record = row->record;
    record["when"] = to_rfc3339(change.when);
    entries.push_back({"step", std::move(record)});
    pending_.emplace_back(
        [row](db::Database& database) { return respond::store_move(database, *row); });
  }
  for (const std::int64_t number : moves.runs()) {
    const auto run = keep(*runs_.find(number));
    store_state({"playbook_run"},
                [run](db::Database& database) { return respond::flow::store_run(database, *run); });
  }
  for (const respond::flow::Effect& effect : moves.effects) {
    if (effect.operation.kind != StepKind::notify) {
      pending_outgoing_.emplace_back(effect);
      continue;
    }
    const Timestamp now = parts_.clock.now();
    std::set<std::string> receivers;
    for (const std::string& name : effect.operation.to) {
      for (std::string& one : receivers_of(policies_->routes, name, now)) {
        receivers.insert(std::move(one));
      }
    }
    for (const std::string& receiver : receivers) {
      send(alert::notice(receiver, effect.operation.text, effect.key, incident_of(effect.incident),
                         options_.origin, now),
           entries);
    }
  }
}

Result<respond::flow::Run> Core::act(const respond::flow::RunAct& act) {
  if (runs_.find(act.run) == nullptr) {
    // What a run did can be taken back when it is over.
    auto family = respond::flow::load_family(parts_.database, act.run);
    if (!family) return std::unexpected(family.error());
    runs_.recall(*std::move(family));
  }
  const auto moves = runs_.act(act, parts_.clock.now());
  if (!moves) return std::unexpected(moves.error());
  respond::flow::Run run = *runs_.find(act.run);
  std::vector<ledger::Entry> entries;
  take_moves(*moves, entries);
  append(std::move(entries));
  return run;
}

Result<respond::flow::Run> Core::start(respond::flow::StartOrder order, std::int64_t number) {
  const incident::Incident* const incident = book_.find(number);
  if (number != 0 && incident == nullptr) {
    return fail(Code::not_found, "there is no open incident " + std::to_string(number));
  }
  order.incident = incident;
  auto started = runs_.start(order, parts_.clock.now());
  if (!started) return std::unexpected(started.error());
  respond::flow::Run run = *runs_.find(started->run);
  std::vector<ledger::Entry> entries;
  take_moves(started->moves, entries);
  append(std::move(entries));
  return run;
}

// What a playbook has collected is evidence of its incident, with its hash.
void Core::take_evidence(const respond::flow::Outcome& outcome,
                         std::vector<ledger::Entry>& entries) {
  const respond::flow::Run* const run = runs_.find(outcome.run);
  if (run == nullptr || !outcome.answer || outcome.is_undo) return;
  const auto step = run->playbook().steps.find(outcome.step);
  if (step == run->playbook().steps.end() || step->second.operation.action != collect_evidence) {
    return;
  }
  const auto pieces = outcome.answer->find("evidence");
  if (pieces == outcome.answer->end() || pieces->second.as_array() == nullptr) return;
  for (const json::Value& text : *pieces->second.as_array()) {
    const auto piece =
        text.as_string() == nullptr ? Result<json::Value>() : json::parse(*text.as_string());
    if (!piece) continue;
    // One that is over, or has as much as it may have, keeps what it has; the move has all of it.
    const auto changes = book_.act(
        {.kind = incident::Act::Kind::add_evidence,
         .incident = run->incident,
         .value = piece->text("kind") + (piece->text("of").empty() ? "" : " " + piece->text("of")),
         .why = "collected by run " + std::to_string(run->number) + ", step " + outcome.step,
         .who = "mailwarden",
         .with = {{"bytes", std::to_string(piece->integer("bytes"))},
                  {"sha256", piece->text("sha256")},
                  {"where", piece->text("file")}}},
        policies_->severity, parts_.clock.now());
    if (changes) take_changes(*changes, entries);
  }
}

void Core::settle(const respond::flow::Outcome& outcome) {
  std::vector<ledger::Entry> entries;
  const auto moves = runs_.settle(outcome, parts_.clock.now());
  // One that came too late moves nothing.
  if (!moves.changes.empty()) take_evidence(outcome, entries);
  take_moves(moves, entries);
  append(std::move(entries));
}

}  // namespace mailwarden::app
