// The core's part about access: decisions, grants, people, and policies held against what happened.
#include <algorithm>

#include "access/grant_table.h"
#include "access/replay.h"
#include "app/core.h"
#include "app/keep.h"

namespace mailwarden::app {
namespace {

// A forbid that could not be evaluated: the door stayed shut, and somebody should look at the
// policy.
detect::Detection failed_forbid(const access::DecisionRecord& decision) {
  detect::Detection found{.rule_id = "access-policy-failed",
                          .title = "An access policy could not be evaluated",
                          .rule_version = decision.policies,
                          .level = detect::Level::high,
                          .time = decision.when,
                          .entity = {.kind = "account", .name = decision.principal.id}};
  for (const policy::Decision::Failed& one : decision.decision.failed) {
    found.because.push_back({.selection = one.policy, .field = "policy", .value = one.what});
    if (found.because.size() == detect::Detection::because_max) break;
  }
  return found;
}

// Somebody let themselves in, or nobody has looked at that in time.
detect::Detection broken_glass(const access::GrantChange& change) {
  const access::Grant& grant = change.after;
  const bool is_missed = change.act == access::GrantAct::miss_review;
  detect::Detection found{
      .rule_id = is_missed ? "break-glass-not-reviewed" : "break-glass",
      .title = is_missed ? "A broken glass was not reviewed in time" : "The glass was broken",
      .level = detect::Level::high,
      .time = change.at,
      .entity = {.kind = "account", .name = grant.person}};
  found.because.push_back({.selection = "grant", .field = "system", .value = grant.system});
  found.because.push_back({.selection = "grant", .field = "ticket", .value = grant.ticket});
  found.because.push_back({.selection = "grant", .field = "reason", .value = grant.reason});
  return found;
}

}  // namespace

void Core::take(std::vector<std::unique_ptr<access::Undertaken>> decisions) {
  std::vector<ledger::Entry> entries;
  for (const auto& undertaken : decisions) {
    access::DecisionRecord& decision = undertaken->record;
    access::add_facts(decision, *undertaken->in_force);
    take_decision(decision, entries);
    if (auto sign_in = sign_ins_.learn(decision)) {
      const auto row = keep(*std::move(sign_in));
      store_state({"sign_in"},
                  [row](db::Database& database) { return access::store(database, *row); });
    }
  }
  append(std::move(entries));
}

void Core::take_decision(const access::DecisionRecord& decision,
                         std::vector<ledger::Entry>& entries) {
  json::Object record = access::to_record(decision);
  const auto row = keep(access::DecisionRow{
      .entry = next_entry(entries), .record = decision, .body = json::to_text(record)});
  entries.push_back({"decision", std::move(record)});
  pending_.emplace_back(
      [row](db::Database& database) { return access::store_decision(database, *row); });
  if (decision.decision.raises_alarm()) report(failed_forbid(decision), entries);
}

void Core::judge(const std::vector<access::SeenAccess>& accesses,
                 std::vector<ledger::Entry>& entries) {
  if (accesses.empty() || policies_->access == nullptr) return;
  totals_.accesses += static_cast<std::int64_t>(accesses.size());
  const auto not_judged = [&](const std::string& why) {
    ++totals_.gaps;
    entries.push_back({"gap",
                       {{"source", "replay"},
                        {"what", std::to_string(accesses.size()) +
                                     " accesses were not held against policy: " + why}}});
  };
  if (in_force_.point == nullptr || in_force_.is_stale(parts_.clock.now())) {
    return not_judged("what is known of people cannot be used");
  }
  access::Replay replay({.in_force = in_force_,
                         .sign_ins = sign_ins_,
                         .grants = grants_->view(),
                         .database = parts_.database,
                         .entropy = parts_.entropy});
  const auto judged = replay.judge(accesses);
  if (!judged) return not_judged(judged.error().what);
  for (const access::DecisionRecord& decision : *judged) {
    take_decision(decision, entries);
    if (decision.decision.is_allowed) continue;
    const auto first =
        std::ranges::find(accesses, decision.replayed->events.front(), &access::SeenAccess::event);
    report(access::denied_access(decision, *first), entries);
  }
}

Result<void> Core::take(identity::Told told) {
  const Timestamp now = parts_.clock.now();
  auto applied = std::visit(
      [&](auto& one) -> Result<identity::Applied> { return people_.apply(std::move(one), now); },
      told);
  if (!applied) return std::unexpected(applied.error());
  std::vector<ledger::Entry> entries;
  take_people(*applied, entries);
  append(std::move(entries));
  return {};
}

void Core::take_people(const identity::Applied& applied, std::vector<ledger::Entry>& entries) {
  if (applied.rows.empty() && applied.changes.empty()) return;
  ++people_revision_;
  for (const identity::PeopleChange& change : applied.changes) {
    entries.push_back({"people", identity::to_record(change)});
  }
  // One by one, since a source may tell of a hundred thousand.
  for (const identity::PeopleRow& row : applied.rows) {
    if (row.body) {
      state_->note({identity::table_of(row)}, [&](db::Database& database) {
        return identity::store_rows(database, {&row, 1});
      });
    } else {
      state_->note_gone(identity::table_of(row), {row.key.provider, row.key.id});
    }
  }
  const auto rows = keep(applied.rows);
  pending_.emplace_back(
      [rows](db::Database& database) { return identity::store_rows(database, *rows); });
}

Result<access::Grant> Core::act(const access::GrantOrder& order) {
  if (!policies_->grants) return fail(Code::not_found, "there are no rules for grants");
  if (in_force_.point == nullptr) {
    return fail(Code::unavailable, "who may act on grants is not known now");
  }
  const auto change = access::obey(*grants_, order, *policies_->grants,
                                   in_force_.point->authorizer().entities(), parts_.clock.now());
  if (!change) return std::unexpected(change.error());
  std::vector<ledger::Entry> entries;
  take_grant(*change, entries);
  append(std::move(entries));
  return change->after;
}

void Core::take_grant(const access::GrantChange& change, std::vector<ledger::Entry>& entries) {
  const auto row = keep(access::GrantChangeRow{.entry = next_entry(entries), .change = change});
  json::Object record = access::to_record(change);
  record["when"] = to_rfc3339(change.at);
  entries.push_back({"grant", std::move(record)});
  store_state({"grants", "grant_clock"},
              [row](db::Database& database) { return access::store_change(database, *row); });
  if (change.alarms()) report(broken_glass(change), entries);
}

void Core::pass_time() {
  const Timestamp now = parts_.clock.now();
  grants_->see(now);
  std::vector<ledger::Entry> entries;
  for (const access::GrantChange& change : grants_->expire(now)) take_grant(change, entries);
  append(std::move(entries));
  // How far the clock was set back matters to what is granted alone.
  if (grants_->view()->size() == 0) return;
  if (now - time_stored_ < std::chrono::minutes(1) && now >= time_stored_) return;
  time_stored_ = now;
  store_state({"grant_clock"}, [time = grants_->time()](db::Database& database) {
    return access::store_time(database, time);
  });
  append({});
}

}  // namespace mailwarden::app
