#include "alert/escalation_audit.h"

#include <algorithm>
#include <array>

#include "alert/escalation.h"
#include "alert/escalation_table.h"
#include "incident/incident_table.h"

namespace mailwarden::alert {
namespace {

constexpr std::string_view overdue_sql =
    "SELECT incident, chain, due FROM escalation WHERE state = 'running' AND due < $1"
    " ORDER BY due LIMIT $2";
constexpr std::string_view unescalated_sql =
    "SELECT i.number FROM incident i WHERE i.state IN ('detected', 'analysing', 'contained',"
    " 'eradicating', 'recovering', 'post_incident') AND i.severity >= $1 AND NOT EXISTS"
    " (SELECT 1 FROM escalation e WHERE e.incident = i.number AND e.chain = $2)"
    " ORDER BY i.number DESC LIMIT $3";
constexpr std::string_view untried_sql =
    "SELECT name, receiver, time FROM alert WHERE standing = 'pending' AND tries = 0 AND time < $1"
    " ORDER BY entry LIMIT $2";
constexpr std::array questions{overdue_sql, escalations_by_state_sql, unescalated_sql, untried_sql};

std::string of_incident(std::int64_t incident, const std::string& chain) {
  return "the escalation of incident " + std::to_string(incident) + " by the chain '" + chain + "'";
}
std::string key_of(std::string_view kind, std::int64_t incident, const std::string& chain) {
  return std::string(kind) + " " + std::to_string(incident) + " " + chain;
}

class Audit {
 public:
  Audit(db::Database& database, const Routes& routes, const EscalationAudit& audit)
      : database_(database), routes_(routes), audit_(audit) {}

  Result<std::vector<Finding>> run() {
    for (const auto question : {&Audit::find_overdue, &Audit::find_unended,
                                &Audit::find_unescalated, &Audit::find_untried}) {
      found_of_kind_ = 0;
      if (auto done = (this->*question)(); !done) return std::unexpected(done.error());
    }
    return std::move(findings_);
  }

 private:
  static constexpr std::int64_t asked_for = EscalationAudit::findings_max + 1;

  void add(std::string_view kind, std::string key, std::string what) {
    if (found_of_kind_++ < EscalationAudit::findings_max) {
      findings_.push_back({std::move(key), std::move(what)});
    } else if (found_of_kind_ == asked_for) {
      findings_.push_back({std::string(kind) + " more",
                           "there are more escalations or alerts like "
                           "those before (" +
                               std::string(kind) + ")"});
    }
  }

  Result<void> find_overdue() {
    const Timestamp limit = audit_.now - EscalationAudit::late_max;
    const auto rows = database_.query(overdue_sql, {limit.us, asked_for});
    if (!rows) return std::unexpected(rows.error());
    while (true) {
      const auto more = (*rows)->step();
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
      const std::int64_t incident = (*rows)->integer(0);
      const std::string chain((*rows)->text(1));
      const std::string due = to_rfc3339({(*rows)->integer(2)});
      add("overdue", key_of("overdue", incident, chain) + " " + due,
          of_incident(incident, chain) + " stands still: its next step was due at " + due);
    }
  }

  Result<void> find_unended() {
    const auto running =
        query_escalations(database_, {.incident = {}, .limit = EscalationAudit::rows_max});
    if (!running) return std::unexpected(running.error());
    for (const Escalation& one : *running) {
      const auto incident = incident::load_incident(database_, one.incident);
      const bool is_gone = !incident && incident.error().code == Code::not_found;
      if (!incident && !is_gone) return std::unexpected(incident.error());
      const std::string why =
          is_gone ? "there is no such incident" : over_because(one.until, *incident);
      if (why.empty()) continue;
      add("unended", key_of("unended", one.incident, one.chain),
          of_incident(one.incident, one.chain) + " still runs, although it is over: " + why);
    }
    return {};
  }

  Result<void> find_unescalated() {
    for (const Chain& chain : routes_.chains().chains()) {
      const auto least = least_severity(chain.name);
      if (!least) continue;
      const auto numbers = open_without(chain.name, *least);
      if (!numbers) return std::unexpected(numbers.error());
      for (const std::int64_t number : *numbers) {
        const auto lacks = lacks_escalation(chain, number);
        if (!lacks) return std::unexpected(lacks.error());
        if (!*lacks) continue;
        add("missing", key_of("missing", number, chain.name),
            "incident " + std::to_string(number) +
                " is open and not acknowledged, and its routes "
                "name the chain '" +
                chain.name + "', but no escalation of it has begun");
      }
    }
    return {};
  }

  // From which on incidents reach the chain; nothing where none does by its severity.
  std::optional<incident::Severity> least_severity(const std::string& chain) const {
    for (const auto severity : {incident::Severity::low, incident::Severity::medium,
                                incident::Severity::high, incident::Severity::extreme}) {
      if (reaches(routes_, chain, "opened", severity, nullptr) ||
          reaches(routes_, chain, "severity_raised", severity, nullptr)) {
        return severity;
      }
    }
    return std::nullopt;
  }

  Result<std::vector<std::int64_t>> open_without(const std::string& chain,
                                                 incident::Severity least) {
    const auto rows = database_.query(
        unescalated_sql,
        {static_cast<std::int64_t>(least), std::string_view(chain), EscalationAudit::rows_max});
    if (!rows) return std::unexpected(rows.error());
    std::vector<std::int64_t> numbers;
    while (true) {
      const auto more = (*rows)->step();
      if (!more) return std::unexpected(more.error());
      if (!*more) return numbers;
      numbers.push_back((*rows)->integer(0));
    }
  }

  // Whether a change was routed to the chain and still waits for an answer.
  Result<bool> lacks_escalation(const Chain& chain, std::int64_t number) {
    const auto incident = incident::load_incident(database_, number);
    if (!incident) return std::unexpected(incident.error());
    if (incident->acknowledged != Timestamp() || is_met(chain.until, *incident)) return false;
    const auto changes = incident::load_changes(database_, number);
    if (!changes) return std::unexpected(changes.error());
    const auto types = types_by_time(*changes);
    return std::ranges::any_of(*changes, [&](const incident::ChangeRow& row) {
      const json::Value after(row.change.after);
      const std::int64_t severity = after.integer("severity", -1);
      const bool grades = row.change.kind == "opened" || row.change.kind == "severity_raised";
      return grades && severity >= 0 &&
             reaches(routes_, chain.name, row.change.kind,
                     static_cast<incident::Severity>(severity), &types.at(row.change.when));
    });
  }

  // Of an incident, as it was behind what changed at that time.
  static std::map<Timestamp, std::string> types_by_time(
      const std::vector<incident::ChangeRow>& changes) {
    std::map<Timestamp, std::string> types;
    std::string type;
    for (const incident::ChangeRow& row : changes) {
      if (const json::Value after(row.change.after); after["type"].as_string() != nullptr) {
        type = after.text("type");
      }
      types[row.change.when] = type;
    }
    return types;
  }

  Result<void> find_untried() {
    const Timestamp limit = audit_.now - EscalationAudit::untried_max;
    // What waited while no daemon ran has not been waiting for this one.
    if (limit < audit_.started) return {};
    const auto rows = database_.query(untried_sql, {limit.us, asked_for});
    if (!rows) return std::unexpected(rows.error());
    while (true) {
      const auto more = (*rows)->step();
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
      const std::string name((*rows)->text(0));
      add("untried", "untried " + name,
          "the alert " + name + " to " + std::string((*rows)->text(1)) + " waits since " +
              to_rfc3339({(*rows)->integer(2)}) + " and was not tried once");
    }
  }

  db::Database& database_;
  const Routes& routes_;
  const EscalationAudit& audit_;
  std::vector<Finding> findings_;
  std::int64_t found_of_kind_ = 0;
};

}  // namespace

Result<std::vector<Finding>> audit_escalations(db::Database& database, const Routes& routes,
                                               const EscalationAudit& audit) {
  return Audit(database, routes, audit).run();
}

std::span<const std::string_view> audit_questions() {
  return questions;
}

std::vector<Finding> FindingBook::take(std::vector<Finding> findings) {
  std::set<std::string> keys;
  for (const Finding& one : findings) keys.insert(one.key);
  summary_ = findings.empty() ? "" : findings.front().what;
  if (findings.size() > 1) summary_ += "; and " + std::to_string(findings.size() - 1) + " more";
  std::erase_if(findings, [this](const Finding& one) { return keys_.contains(one.key); });
  keys_ = std::move(keys);
  return findings;
}

}  // namespace mailwarden::alert
