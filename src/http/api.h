// What the daemon tells over HTTP.
//
// What     Paths, each with what it answers:
//            GET /                           the console
//            GET /healthz                    200 while the process lives
//            GET /readyz                     200 when the store takes what comes, else 503 and why;
//                                            says what is damaged of the store's files
//            GET /metrics                    Prometheus text format
//            GET /api/v1/openapi.yaml        what is served, as OpenAPI 3.1 (docs/openapi.yaml)
//            GET /api/v1/status              figures, as JSON
//            GET /api/v1/incidents           ?severity= &state= &before= &limit=; newest first
//            GET /api/v1/incidents/{number}  one, with its changes, its detections, its
//                                            escalations, and others about the same entity
//            GET /api/v1/events              ?before= &limit=; newest first
//            GET /api/v1/events/{id}         one, with what proves it
//            GET /api/v1/reports             the reports issued; newest first
//            GET /api/v1/reports/{name}      one of them
//            GET /api/v1/alerts              ?standing= &before= &limit=; newest first
//            GET /api/v1/escalations         ?state= &incident= &limit=; those that run, what is
//                                            due first standing first
//            GET /api/v1/oncall              ?schedule= &at= &until= &days=; who is on call
//            GET /api/v1/runs                ?incident= &before= &limit=; playbook runs
//            GET /api/v1/runs/{number}       one, with its moves
//            POST /api/v1/incidents/{number}/acts   through the UNIX socket alone:
//                                            {"act","value","why","who","with"}
//            POST /api/v1/runs/{number}/acts        likewise: {"act","step","why","who","value",
//                                            "undo"}; without a step about the run as a whole
//            POST /api/v1/runs                      likewise: {"playbook","incident","values",
//                                            "dry_run","why","who"}
// Owns     Nothing; every request opens the store for reading alone.
// Threads  Several at once.
// Errors   JSON {"error": sentence} with 400, 404, 409 or 503.
// Limits   Pages hold at most 1000 rows.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alert/escalation_table.h"
#include "alert/on_call.h"
#include "base/clock.h"
#include "base/result.h"
#include "db/open.h"
#include "incident/incident.h"
#include "json/value.h"
#include "net/http_server.h"
#include "respond/flow_run.h"

namespace mailwarden::http {

// What the running daemon knows and the store does not.
struct Status {
  bool ready = false;
  std::string trouble;  // why not
  // What the check at the start said of the store's files; nothing where it has not said it yet.
  std::optional<bool> store_is_whole;
  std::string store_damage;
  bool settled = false;     // every source was read to its present end at least once
  std::int64_t events = 0;  // since the start
  std::int64_t undecoded = 0;
  std::int64_t detections = 0;
  std::int64_t accesses = 0;
  std::int64_t changes = 0;
  std::int64_t gaps = 0;
  std::int64_t ledger_entries = 0;
  std::int64_t write_failures = 0;
  std::int64_t batches_waiting = 0;
  std::int64_t alerts = 0;
  std::int64_t alerts_delivered = 0;
  std::int64_t alerts_failed = 0;
  std::int64_t escalations_running = 0;
  std::int64_t escalations_exhausted = 0;    // of open incidents: nobody answered
  std::int64_t escalations_overdue = 0;      // what their audit found
  std::string heartbeat;                     // how the last one went; "" where none is sent
  std::map<std::string, std::int64_t> runs;  // of playbooks, those not over, by state
  std::int64_t alerts_silenced = 0;
  std::int64_t alerts_held_back = 0;  // told as part of a storm's summary
  std::int64_t signals = 0;           // alerts from outside that were taken
  std::int64_t signals_firing = 0;
  std::int64_t errands_waiting = 0;  // deliveries and steps to be tried, or tried again
  std::vector<std::string> sources;
  std::string verifier_key;
  std::string policies;  // their version
};

// Who is on call by the policies in force.
using GetOnCall = std::function<std::shared_ptr<const alert::OnCallSchedules>()>;

struct ApiOptions {
  db::StoreAddress store;
  std::string reports;           // folder
  GetOnCall on_call;             // null of a store at rest, which has no policies
  const Clock* clock = nullptr;  // there where `on_call` is
};

using GetStatus = std::function<Status()>;
using DoAct = std::function<Result<std::vector<incident::Change>>(const incident::Act&)>;
struct RunOrders {
  std::function<Result<respond::flow::Run>(const respond::flow::RunAct&)> act;
  // For the incident of that number; 0 for none.
  std::function<Result<respond::flow::Run>(const respond::flow::StartOrder&, std::int64_t)> start;
};

class Api {
 public:
  Api(ApiOptions options, GetStatus status, DoAct act, RunOrders run_orders);

  net::Response answer(const net::Request& request) const;

 private:
  net::Response incidents(const net::Request& request) const;
  net::Response incident(std::string_view number) const;
  net::Response events(const net::Request& request) const;
  net::Response event(std::string_view id) const;
  net::Response reports() const;
  net::Response report(std::string_view name) const;
  net::Response act(const net::Request& request, std::string_view number) const;
  net::Response alerts(const net::Request& request) const;
  net::Response escalations(const net::Request& request) const;
  net::Response on_call(const net::Request& request) const;
  Result<json::Array> escalation_list(db::Database& store,
                                      const alert::EscalationQuery& query) const;
  net::Response runs(const net::Request& request) const;
  net::Response run(std::string_view number) const;
  net::Response run_act(const net::Request& request, std::string_view number) const;
  net::Response start_run(const net::Request& request) const;
  net::Response api(const net::Request& request) const;

  ApiOptions options_;
  GetStatus status_;
  DoAct act_;
  RunOrders run_orders_;
};

// In Prometheus' text format.
std::string render_metrics(const Status& status, const incident::Incident* gravest,
                           std::int64_t open_incidents);
json::Object to_json(const Status& status);

}  // namespace mailwarden::http
