// Incidents beyond their list: reported, put together in figures, notified.
//
// What     Paths, each with what it answers:
//            POST /api/v1/incidents                  through the UNIX socket alone: a report,
//                                                    {"title","what","type","entity","facts","who"}
//            GET  /api/v1/incidents/{number}/notice  ?duty=: a draft, as plain text
//            GET  /api/v1/incidents/{number}/spread  ?depth=: who signed in where, from where
//            GET  /api/v1/incidents/{number}/export  ?after= &limit=: all that is known of it, a
//                                                    page (report/incident_export.h)
//            GET  /api/v1/waiting                    detections that wait for others, by groups
//            GET  /api/v1/figures                    ?from= &until=: times by month and severity
//            GET  /api/v1/breaches                   the register of breaches
// Owns     Nothing; every request opens the store for reading alone.
// Threads  Several at once.
// Errors   JSON {"error": sentence} with 400, 403, 404 or 503.
// Limits   None of its own.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "db/open.h"
#include "incident/incident.h"
#include "incident/report.h"
#include "net/http_server.h"

namespace mailwarden::http {

struct IncidentApiParts {
  const Clock& clock;
  db::StoreAddress store;
  std::function<Result<std::vector<incident::Change>>(const incident::Report&)> report;
  std::function<std::shared_ptr<const incident::Procedure>()> procedure;
};

class IncidentApi {
 public:
  explicit IncidentApi(IncidentApiParts parts) : parts_(std::move(parts)) {}

  net::Response answer(const net::Request& request) const;

 private:
  net::Response report(const net::Request& request) const;
  net::Response notice(const net::Request& request) const;
  net::Response spread(const net::Request& request) const;
  net::Response export_one(const net::Request& request) const;
  net::Response figures(const net::Request& request) const;
  net::Response breaches() const;
  net::Response waiting() const;

  IncidentApiParts parts_;
};

}  // namespace mailwarden::http
