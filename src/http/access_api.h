// Access decisions over HTTP.
//
// What     Paths, each with what it answers:
//            POST /access/v1/evaluation            one decision (AuthZEN)
//            POST /access/v1/evaluations           several, in three ways
//            GET /.well-known/authzen-configuration   where those are, by the name asked for
//            any /access/v1/check/{system}/...     for nginx auth_request and Envoy ext_authz: 200,
//                                                  401 or 403 and nothing else; the token is the
//                                                  bearer of Authorization, the action follows
//                                                  from the original method
//            GET /api/v1/decisions                 ?before= &limit= &principal= &resource=
//            &allowed= GET /api/v1/decisions/{id}            one, with what proves it
//          A subject's type and id name the principal, an action's name the action of that id, a
//          resource's type and id the resource. `properties` are not believed: what is known of
//          entities is known here. A member that is null is as if it were not there.
// Owns     Nothing.
// Threads  Several at once.
// Errors   AuthZEN: 400 with a sentence for what is no request; a denial is 200 with decision
//          false.
// Limits   evaluations_max of one request; name_bytes_max, context_bytes_max, contexts_bytes_max.
// Source   OpenID AuthZEN Authorization API 1.0; nginx ngx_http_auth_request_module; Envoy
//          envoy.extensions.filters.http.ext_authz.v3, HTTP service.
#pragma once

#include <functional>
#include <string>

#include "access/arbiter.h"
#include "db/open.h"
#include "net/http_server.h"

namespace mailwarden::http {

class AccessApi {
 public:
  static constexpr std::size_t evaluations_max = 1000;
  static constexpr std::size_t name_bytes_max = 1024;  // of a type, an id or an action
  static constexpr std::size_t context_bytes_max = 64 * 1024;
  static constexpr std::size_t contexts_bytes_max = 1024 * 1024;  // of one request's evaluations

  // `store` is for reading what was kept.
  AccessApi(access::Arbiter& arbiter, db::StoreAddress store);

  net::Response answer(const net::Request& request) const;
  // The same where only enforcement points ask: 404 for the paths that show what was decided.
  net::Response answer_enforcement_point(const net::Request& request) const;

 private:
  net::Response evaluation(const net::Request& request) const;
  net::Response evaluations(const net::Request& request) const;
  net::Response check(const net::Request& request) const;
  net::Response configuration(const net::Request& request) const;
  net::Response decisions(const net::Request& request) const;
  net::Response decision(std::string_view id) const;
  access::Verdict evaluate(access::Asked question, const net::Request& request) const;

  access::Arbiter& arbiter_;
  db::StoreAddress store_;
};

}  // namespace mailwarden::http
