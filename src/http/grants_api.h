// Grants over HTTP.
//
// What     Paths, each with what it answers:
//            GET /api/v1/grants            ?person= &system= &state= &before= &limit=; newest first
//            GET /api/v1/grants/{number}   one, with its changes
//            POST /api/v1/grants           through the UNIX socket alone: {"act","who",...}
//          Acts are request and break_glass with "person", "system", "purpose", "ticket", "reason"
//          and "duration" ("2h"); approve, refuse, withdraw, end and review with "grant" and "why".
//          With a "token" who acts is whom that names, whatever "who" says.
// Owns     Nothing.
// Threads  Several at once.
// Errors   JSON {"error": sentence} with 400, 403, 404, 405, 409 or 503.
// Limits   Pages hold at most 1000 grants.
#pragma once

#include <functional>
#include <string>

#include "access/arbiter.h"
#include "access/grant_order.h"
#include "net/http_server.h"

namespace mailwarden::http {

using OrderGrant = std::function<Result<access::Grant>(const access::GrantOrder&)>;

class GrantsApi {
 public:
  GrantsApi(const access::Arbiter& arbiter, std::string store, OrderGrant order);

  bool takes(std::string_view path) const;
  net::Response answer(const net::Request& request) const;

 private:
  net::Response grants(const net::Request& request) const;
  net::Response grant(std::string_view number) const;
  net::Response act(const net::Request& request) const;

  const access::Arbiter& arbiter_;
  std::string store_;
  OrderGrant order_;
};

}  // namespace mailwarden::http
