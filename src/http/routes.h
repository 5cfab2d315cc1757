// What is answered at all: each method and path, and the part of the API that answers it.
//
// What     The table by which the daemon hands a request on. What does not stand there is not
//          served, whoever might answer it; docs/openapi.yaml describes the same, which tests hold
//          against this table in both directions.
//          In a path "{name}" stands for one segment, "{+name}" at the end for one or more, as RFC
//          6570 has it. HEAD is answered wherever GET is.
// Owns     Nothing; the table is constant.
// Threads  Any.
// Errors   None; no_route() is what a request without a route is answered with: 404, or 405 with
//          the methods that the path knows.
// Limits   None of its own.
// Source   RFC 9110, sections 9.3.2, 10.2.1 and 15.5.6; OpenAPI 3.1.0 for paths.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "net/http_server.h"

namespace mailwarden::http {

enum class Part : std::uint8_t {
  api,        // Api
  incidents,  // IncidentApi
  grants,     // GrantsApi
  people,     // PeopleApi
  decisions,  // AccessApi
  ledger,     // LedgerApi
  witness,    // WitnessApi
  keys,       // KeysApi
  signals,    // AlertmanagerApi
};

// Stands for every method; whoever guards a page passes its visitor's on.
inline constexpr std::string_view any_method = "*";

struct Route {
  std::string_view method;
  std::string_view path;
  Part part = Part::api;
};

std::span<const Route> routes();
// nullptr where nothing answers.
const Route* find_route(std::string_view method, std::string_view path);
net::Response no_route(const net::Request& request);

}  // namespace mailwarden::http
