// The core's part about escalations: what changes begin and end, steps that are due, the audit.
#include "alert/escalation_table.h"
#include "app/core.h"
#include "app/keep.h"

namespace mailwarden::app {

Result<void> Core::load_escalations() {
  auto loaded = alert::load_escalations(parts_.database);
  if (!loaded) return std::unexpected(loaded.error());
  escalations_ = alert::EscalationBook(*std::move(loaded));
  started_ = parts_.clock.now();
  return {};
}

// What is due at once is told in the same transaction as the change.
void Core::escalate(const incident::Change& change, const incident::Incident& incident,
                    std::vector<ledger::Entry>& entries) {
  take_escalations(escalations_.change(policies_->routes, change, incident), entries);
  take_escalations(
      escalations_.tick(change.when, [this](auto number) { return book_.find(number); }), entries);
}

void Core::take_step(const alert::EscalationMove& move, std::vector<ledger::Entry>& entries) {
  const incident::Incident incident = incident_of(move.escalation.incident);
  const auto alerts = alert::escalation_alerts(policies_->routes, move, incident, options_.origin);
  const std::string untold = alert::untold(policies_->routes, move, incident);
  entries.push_back({"escalation", alert::to_record(move, alerts, untold)});
  for (const alert::Alert& alert : alerts) send(alert, entries);
  const bool is_for_it = incident.severity >= move.escalation.steps[move.step].severity_from;
  if (untold.empty() || !is_for_it) return;
  // Somebody who was to be called is known to nobody any more.
  entries.push_back({"gap",
                     {{"source", "escalation"},
                      {"what", "incident " + std::to_string(incident.number) + ", chain '" +
                                   move.escalation.chain + "': " + untold}}});
  ++totals_.gaps;
}

void Core::take_escalations(const std::vector<alert::EscalationMove>& moves,
                            std::vector<ledger::Entry>& entries) {
  using Kind = alert::EscalationMove::Kind;
  std::map<std::pair<std::int64_t, std::string>, const alert::Escalation*> moved;
  for (const alert::EscalationMove& move : moves) {
    moved[{move.escalation.incident, move.escalation.chain}] = &move.escalation;
    if (move.kind == Kind::reached) {
      take_step(move, entries);
    } else {
      entries.push_back({"escalation", alert::to_record(move, {}, "")});
    }
  }
  for (const auto& [key, escalation] : moved) {
    const auto row = keep(*escalation);
    store_state({"escalation"},
                [row](db::Database& database) { return alert::store_escalation(database, *row); });
  }
  // Nobody must believe that it still goes on.
  for (const alert::EscalationMove& move : moves) {
    if (move.kind != Kind::exhausted) continue;
    take_changes({book_.tell(move.escalation.incident, "escalation_exhausted", move.escalation.why,
                             {{"chain", move.escalation.chain}}, move.when)},
                 entries);
  }
}

// Who names a chain in a route wants to be woken about what comes, not about all that lies there.
void Core::pass_over_incidents() {
  std::vector<ledger::Entry> entries;
  for (const auto& [number, incident] : book_.all()) {
    if (is_over(incident.state)) continue;
    take_escalations(escalations_.pass_over(policies_->routes, incident, parts_.clock.now()),
                     entries);
  }
  if (!entries.empty()) append(std::move(entries));
}

Result<std::vector<alert::Finding>> Core::audit_escalations() {
  auto found = alert::audit_escalations(parts_.database, policies_->routes,
                                        {.now = parts_.clock.now(), .started = started_});
  if (!found) return found;
  std::vector<alert::Finding> fresh = findings_.take(*std::move(found));
  for (const alert::Finding& one : fresh) {
    record("gap", {{"source", "escalation"}, {"what", one.what}});
    ++totals_.gaps;
  }
  return fresh;
}

}  // namespace mailwarden::app
