// The core's part about what people do about incidents.
#include "app/core.h"
#include "incident/waiting_table.h"

namespace mailwarden::app {

// Nothing is closed while somebody still eradicates (claim W17).
Result<void> Core::may_close(std::int64_t incident) const {
  const std::vector<std::int64_t> open = runs_.open_runs(incident);
  if (open.empty()) return {};
  std::string numbers;
  for (const std::int64_t number : open) {
    numbers += (numbers.empty() ? "" : ", ") + std::to_string(number);
  }
  return fail(Code::conflict, "incident " + std::to_string(incident) +
                                  " cannot be closed yet: playbooks are still at work on it (run " +
                                  numbers + "); see them through, or cancel them");
}

Result<std::vector<incident::Change>> Core::act(const incident::Act& act) {
  const bool closes = act.kind == incident::Act::Kind::move &&
                      act.value == incident::to_string(incident::State::closed);
  if (auto may = closes ? may_close(act.incident) : Result<void>(); !may) {
    return std::unexpected(may.error());
  }
  auto changes = book_.act(act, policies_->severity, parts_.clock.now());
  if (!changes) return changes;
  std::vector<ledger::Entry> entries;
  take_changes(*changes, entries);
  append(std::move(entries));
  return changes;
}

Result<std::vector<incident::Change>> Core::act(const incident::Report& told) {
  const Timestamp now = parts_.clock.now();
  const auto detection =
      incident::to_detection(told, policies_->severity, *policies_->procedure, now);
  if (!detection) return std::unexpected(detection.error());
  std::vector<ledger::Entry> entries;
  auto [number, changes, waits] = report(*detection, entries, told.who);
  const incident::Incident* const found = book_.find(number);
  if (!told.type.empty() && found != nullptr && found->type != told.type) {
    const auto typed = book_.act({.kind = incident::Act::Kind::set_type,
                                  .incident = number,
                                  .value = told.type,
                                  .why = told.what.empty() ? told.title : told.what,
                                  .who = told.who},
                                 policies_->severity, now);
    if (!typed) return std::unexpected(typed.error());
    take_changes(*typed, entries);
    changes.insert(changes.end(), typed->begin(), typed->end());
  }
  append(std::move(entries));
  return changes;
}

void Core::regather() {
  std::vector<ledger::Entry> entries;
  take_changes(book_.use(policies_->grouping, policies_->severity, parts_.clock.now()), entries);
  append(std::move(entries));
}

void Core::store_waiting() {
  for (const incident::WaitingMove& move : book_.take_waiting()) {
    if (move.row) {
      store_state({"waiting_detection"}, [row = *move.row](db::Database& database) {
        return incident::store_waiting(database, row);
      });
      continue;
    }
    state_->note_gone("waiting_detection", {std::to_string(move.number)});
    pending_.emplace_back([number = move.number](db::Database& database) {
      return incident::remove_waiting(database, number);
    });
  }
}

void Core::tick() {
  std::vector<ledger::Entry> entries;
  const Timestamp now = parts_.clock.now();
  take_changes(book_.tick(now), entries);
  take_escalations(escalations_.tick(now, [this](auto number) { return book_.find(number); }),
                   entries);
  take_moves(runs_.tick(now), entries);
  tick_alerts(entries);
  append(std::move(entries));
}

}  // namespace mailwarden::app
