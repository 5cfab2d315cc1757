// Alerts from outside and silences, as Alertmanager's clients know them.
//
// What     Paths, each with what it answers:
//            GET, POST /api/v2/alerts        ?filter= &active= &silenced= &inhibited=
//                                            &unprocessed= &receiver=
//            GET /api/v2/alerts/groups       likewise, by group
//            GET, POST /api/v2/silences      ?filter=
//            GET, DELETE /api/v2/silence/{id}
//            GET /api/v2/receivers, GET /api/v2/status
//            POST /api/v1/alerts/test        through the UNIX socket alone: {"receiver"}
//          What is posted is answered with 200 when it is durable. Whoever may use the UNIX socket
//          may post; over TCP that takes a bearer token: one that is for alerts posts alerts and
//          nothing else, so that what a monitored machine holds can silence nobody; one that is for
//          silences does both. Without such a token nothing is taken over TCP.
// Owns     Nothing.
// Threads  Several at once.
// Errors   A JSON text with 400, 401, 403, 404, 405, 409 or 503. Of a post of alerts the good ones
//          are taken, and 400 says what is wrong with the others.
// Limits   Those of the books; alert/signal.h.
// Source   Alertmanager's OpenAPI v2, api/v2/openapi.yaml.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "alert/grouping.h"
#include "alert/routes.h"
#include "alert/signal.h"
#include "alert/silence.h"
#include "base/clock.h"
#include "net/http_server.h"

namespace mailwarden::http {

// What the core holds, while it is looked at.
struct AlertsView {
  const alert::SignalBook& signals;
  const alert::SilenceBook& silences;
  const alert::GroupBook& groups;
  const alert::Routes& routes;
};

struct AlertmanagerParts {
  const Clock& clock;
  std::string version;
  std::string origin;
  std::string signals_token;   // a file; "" for none
  std::string silences_token;  // the same
  // Each answers when it is durable.
  std::function<Result<void>(const std::vector<alert::Signal>&)> take;
  std::function<Result<std::string>(const alert::Silence&)> set_silence;
  std::function<Result<void>(const std::string& id)> expire_silence;
  std::function<Result<std::string>(const std::string& receiver)> test;
  // Calls it while nothing changes.
  std::function<Result<void>(const std::function<void(const AlertsView&)>&)> look;
};

class AlertmanagerApi {
 public:
  explicit AlertmanagerApi(AlertmanagerParts parts);

  net::Response answer(const net::Request& request) const;

 private:
  net::Response alerts(const net::Request& request) const;
  net::Response groups(const net::Request& request) const;
  net::Response post_alerts(const net::Request& request) const;
  net::Response silences(const net::Request& request) const;
  net::Response silence(const std::string& id) const;
  net::Response post_silence(const net::Request& request) const;
  net::Response expire(const std::string& id) const;
  net::Response receivers() const;
  net::Response status() const;
  net::Response test(const net::Request& request) const;
  net::Response written(const net::Request& request) const;

  AlertmanagerParts parts_;
  Timestamp started_;
};

}  // namespace mailwarden::http
