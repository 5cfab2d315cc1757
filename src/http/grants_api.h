// Grants over HTTP.
//
// What     Paths, each with what it answers:
//            GET /api/v1/grants            ?person= &system= &state= &before= &limit=; newest first
//            GET /api/v1/grants/{number}   one, with its changes
//            GET /api/v1/who-can           ?system= &action= (a name, else read): whom of all
//            people GET /api/v1/what-can          ?person=: which systems, to do what
//            POST /api/v1/grants           through the UNIX socket alone: {"act","who",...}
//          Acts are request and break_glass with "person", "system", "purpose", "ticket", "reason"
//          and "duration" ("2h"); approve, refuse, withdraw, end and review with "grant" and "why".
//          With a "token" who acts is whom that names, whatever "who" says; rules may ask for one.
//          Who and what can is asked of the policies in force, the grants that are live, and a
//          person who has just signed in with a second factor and a security key.
// Owns     Nothing.
// Threads  Several at once.
// Errors   JSON {"error": sentence} with 400, 403, 404, 409 or 503.
// Limits   Pages hold at most 1000 grants.
#pragma once

#include <functional>
#include <string>

#include "access/arbiter.h"
#include "access/grant_order.h"
#include "db/open.h"
#include "net/http_server.h"

namespace mailwarden::http {

using OrderGrant = std::function<Result<access::Grant>(const access::GrantOrder&)>;
using ViewGrants = std::function<std::shared_ptr<const access::GrantView>()>;

struct GrantsApiParts {
  const access::Arbiter& arbiter;
  const Clock& clock;
  db::StoreAddress store;
  OrderGrant order;
  ViewGrants view;
};

class GrantsApi {
 public:
  explicit GrantsApi(GrantsApiParts parts);

  net::Response answer(const net::Request& request) const;

 private:
  net::Response grants(const net::Request& request) const;
  net::Response grant(std::string_view number) const;
  template <class Ask>
  net::Response inquire(Ask ask) const;
  net::Response who_can(const net::Request& request) const;
  net::Response what_can(const net::Request& request) const;
  net::Response act(const net::Request& request) const;

  GrantsApiParts parts_;
};

}  // namespace mailwarden::http
