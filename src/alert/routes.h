// Who is told of what.
//
// What     Routes name receivers and say which changes of incidents go to which of them; route()
//          makes the alerts of one change. Read from policies/routes.yaml:
//
//            receivers: […]   # receiver.h
//            routes:
//              - {changes: [opened, severity_raised], severity_from: 1, to: [pager, mail]}
//              - {changes: [opened, typed], types: [data_exposure], to: [on-call:primary]}
//
//          on-call:SCHEDULE stands for the receivers of whoever is on call by that schedule
//          (on_call.h) at the change's time; the alert then says in its data, as `on_call`, who was
//          called by which schedules and why. escalation:CHAIN begins a chain of escalations.yaml
//          (escalation_chains.h, escalation.h) and makes no alert by itself. What a route may say
//          besides is in route_terms.h.
// Owns     Its content.
// Threads  Routes never change after parse(); route() is pure.
// Errors   parse() reports every mistake in one Error{invalid}, each with file and line, receivers
//          that people in on_call.yaml or steps in escalations.yaml have and routes.yaml has not
//          among them.
// Limits   receivers_max, routes_max.
// Source   CloudEvents 1.0.2 for the body of an alert.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alert/escalation_chains.h"
#include "alert/on_call.h"
#include "alert/receiver.h"
#include "alert/route_terms.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "incident/incident.h"
#include "incident/procedure.h"
#include "json/value.h"
#include "ledger/note.h"

namespace mailwarden::alert {

inline constexpr std::size_t receivers_max = 100;
inline constexpr std::size_t routes_max = 1000;

struct Route {
  std::string id;                 // of what it takes; the same wherever in the file it stands
  std::set<std::string> changes;  // kinds of incident::Change
  incident::Severity severity_from = incident::Severity::low;
  std::set<std::string> types;  // of incidents; empty for all
  std::string where;            // in the file
  // Receivers, schedules behind on_call_prefix and chains behind escalation_prefix.
  std::vector<std::string> to;
  RouteTerms terms;

  // `type` is null for an incident of whatever type.
  bool takes(std::string_view change, incident::Severity severity, const std::string* type) const {
    return changes.contains(std::string(change)) && severity >= severity_from &&
           (type == nullptr || types.empty() || types.contains(*type));
  }
  bool takes(const Labels& signal) const {
    return terms.takes_signals && match_all(terms.signals, signal);
  }
};
inline constexpr std::string_view on_call_prefix = "on-call:";

// One message to one receiver. The key is the same for every try, and no other alert has it.
struct Alert {
  std::string key;
  std::string receiver;
  std::int64_t incident = 0;
  Timestamp time;
  std::string subject;  // one line for people
  json::Object event;   // a CloudEvent
  std::string route;    // by which it goes there; "" for none, and it is not kept
};

class Routes {
 public:
  // A receiver's folder that is no absolute path lies in `folder`. `on_call` is nothing where that
  // file is wrong, and so is `chains`: mistakes are then found as far as they do not rest on it.
  static Result<Routes> parse(std::string_view yaml, const std::string& file,
                              const std::string& folder,
                              std::optional<OnCallSchedules> on_call = OnCallSchedules(),
                              std::optional<EscalationChains> chains = EscalationChains());

  const std::vector<Receiver>& receivers() const { return receivers_; }
  const std::vector<Route>& routes() const { return routes_; }
  // Null for one that is not there any more.
  const Route* find_route(std::string_view id) const;
  const FileTerms& terms() const { return terms_; }
  const OnCallSchedules& on_call() const { return on_call_; }
  const EscalationChains& chains() const { return chains_; }
  const Receiver* find(std::string_view name) const;

 private:
  std::vector<Receiver> receivers_;
  std::vector<Route> routes_;
  FileTerms terms_;
  OnCallSchedules on_call_;
  EscalationChains chains_;
};

// Sentences about types that routes name and incidents.yaml has not.
std::vector<std::string> unknown_types(const Routes& routes, const incident::Procedure& procedure);

// A receiver, and the shifts because of which it is one.
struct Told {
  std::string receiver;
  json::Array on_call;
};
// Whom that of a route means at that time; each receiver once. A schedule that is not there (any
// more) leads to nobody, and a chain has its own way of telling.
std::vector<Told> told(const Routes& routes, const std::vector<std::string>& to, Timestamp when);

// Letters that may stand in a file's name and in a header. `origin` is the ledger's name, which
// makes keys unique among daemons.
std::string key_of(const std::string& origin, const std::string& cause,
                   const std::string& receiver);
std::string severity_words(incident::Severity severity);  // "0 Low"

// What silences and groups know an incident's notice by: alertname (its title), incident, severity
// ("0" to "3"), type ("" for none), entity_kind, entity, rule (all of its rules, with commas), and
// change.
Labels labels_of(const incident::Incident& incident, const std::string& change);

// The alerts of a change that left the incident as it is given; each receiver at most once. Routes
// that gather it are left to the GroupBook (grouping.h).
std::vector<Alert> route(const Routes& routes, const incident::Change& change,
                         const incident::Incident& incident, const std::string& origin);

// What several are told at once beside the routes: a step of an escalation.
struct Summons {
  std::vector<std::string> to;  // receivers, and schedules behind on_call_prefix
  std::string cause;            // makes the keys, with the receivers
  std::string type;             // of the CloudEvent
  std::string subject;          // behind what the incident is
  json::Object data;            // beside the incident
  Timestamp when;               // also of who is on call
};
// Each receiver at most once. A schedule that is not there (any more) leads to nobody.
std::vector<Alert> summon(const Routes& routes, const Summons& summons,
                          const incident::Incident& incident, const std::string& origin);

// What a playbook tells: `cause` names the step, and makes the key with the receiver.
Alert notice(const std::string& receiver, const std::string& text, const std::string& cause,
             const incident::Incident& incident, const std::string& origin, Timestamp now);

// A signed checkpoint on its way out of the machine; of no incident, which 0 says. A checkpoint has
// one key for a receiver, since no two of a ledger have the same size.
Alert checkpoint_alert(const std::string& receiver, const ledger::Checkpoint& checkpoint,
                       const std::string& note, Timestamp now);
inline constexpr std::string_view checkpoint_type = "mailwarden.ledger.checkpoint";

// One that only asks whether the receiver can be reached.
Alert test_alert(const std::string& receiver, const std::string& origin, Timestamp now);

}  // namespace mailwarden::alert
