// Who is told of what.
//
// What     Routes name receivers and say which changes of incidents go to which of them; route()
//          makes the alerts of one change. Read from policies/routes.yaml:
//
//            receivers: […]   # receiver.h
//            routes:
//              - {changes: [opened, severity_raised], severity_from: 1, to: [pager, mail]}
//              - {changes: [opened], severity_from: 2, to: [on-call:primary]}
//
//          on-call:SCHEDULE stands for the receivers of whoever is on call by that schedule
//          (on_call.h) at the change's time; the alert then says in its data, as `on_call`, who was
//          called by which schedules and why.
// Owns     Its content.
// Threads  Routes never change after parse(); route() is pure.
// Errors   parse() reports every mistake in one Error{invalid}, each with file and line, receivers
//          that people in on_call.yaml have and routes.yaml has not among them.
// Limits   receivers_max, routes_max.
// Source   CloudEvents 1.0.2 for the body of an alert.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alert/on_call.h"
#include "alert/receiver.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "incident/incident.h"
#include "json/value.h"
#include "ledger/note.h"

namespace mailwarden::alert {

inline constexpr std::size_t receivers_max = 100;
inline constexpr std::size_t routes_max = 1000;

struct Route {
  std::set<std::string> changes;  // kinds of incident::Change
  incident::Severity severity_from = incident::Severity::low;
  std::vector<std::string> to;  // receivers, and schedules behind on_call_prefix
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
};

class Routes {
 public:
  // A receiver's folder that is no absolute path lies in `folder`. `on_call` is nothing where that
  // file is wrong: mistakes are then found as far as they do not rest on it.
  static Result<Routes> parse(std::string_view yaml, const std::string& file,
                              const std::string& folder,
                              std::optional<OnCallSchedules> on_call = OnCallSchedules());

  const std::vector<Receiver>& receivers() const { return receivers_; }
  const std::vector<Route>& routes() const { return routes_; }
  const OnCallSchedules& on_call() const { return on_call_; }
  const Receiver* find(std::string_view name) const;

 private:
  std::vector<Receiver> receivers_;
  std::vector<Route> routes_;
  OnCallSchedules on_call_;
};

// The alerts of a change that left the incident as it is given; each receiver at most once.
// `origin` is the ledger's name, which makes keys unique among daemons.
std::vector<Alert> route(const Routes& routes, const incident::Change& change,
                         const incident::Incident& incident, const std::string& origin);

// What a playbook tells: `cause` names the step, and makes the key with the receiver.
Alert notice(const std::string& receiver, const std::string& text, const std::string& cause,
             const incident::Incident& incident, const std::string& origin, Timestamp now);

// A signed checkpoint on its way out of the machine; of no incident, which 0 says. A checkpoint has
// one key for a receiver, since no two of a ledger have the same size.
Alert checkpoint_alert(const std::string& receiver, const ledger::Checkpoint& checkpoint,
                       const std::string& note, Timestamp now);
inline constexpr std::string_view checkpoint_type = "mailwarden.ledger.checkpoint";

}  // namespace mailwarden::alert
