#include "http/routes.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "http/answers.h"

namespace mailwarden::http {
namespace {

constexpr auto all_routes = std::to_array<Route>({
    {"GET", "/", Part::api},
    {"GET", "/console.css", Part::api},
    {"GET", "/console.js", Part::api},
    {"GET", "/healthz", Part::api},
    {"GET", "/readyz", Part::api},
    {"GET", "/metrics", Part::api},
    {"GET", "/api/v1/openapi.yaml", Part::api},
    {"GET", "/api/v1/status", Part::api},
    {"GET", "/api/v1/incidents", Part::api},
    {"POST", "/api/v1/incidents", Part::incidents},
    {"GET", "/api/v1/incidents/{number}", Part::api},
    {"POST", "/api/v1/incidents/{number}/acts", Part::api},
    {"GET", "/api/v1/incidents/{number}/notice", Part::incidents},
    {"GET", "/api/v1/incidents/{number}/spread", Part::incidents},
    {"GET", "/api/v1/incidents/{number}/export", Part::incidents},
    {"GET", "/api/v1/waiting", Part::incidents},
    {"GET", "/api/v1/figures", Part::incidents},
    {"GET", "/api/v1/breaches", Part::incidents},
    {"GET", "/api/v1/events", Part::api},
    {"GET", "/api/v1/events/{id}", Part::api},
    {"GET", "/api/v1/alerts", Part::api},
    {"POST", "/api/v1/alerts/test", Part::signals},
    {"GET", "/api/v1/escalations", Part::api},
    {"GET", "/api/v1/oncall", Part::api},
    {"GET", "/api/v1/runs", Part::api},
    {"POST", "/api/v1/runs", Part::api},
    {"GET", "/api/v1/runs/{number}", Part::api},
    {"POST", "/api/v1/runs/{number}/acts", Part::api},
    {"GET", "/api/v1/reports", Part::api},
    {"GET", "/api/v1/reports/{name}", Part::api},
    {"GET", "/api/v1/grants", Part::grants},
    {"POST", "/api/v1/grants", Part::grants},
    {"GET", "/api/v1/grants/{number}", Part::grants},
    {"GET", "/api/v1/who-can", Part::grants},
    {"GET", "/api/v1/what-can", Part::grants},
    {"GET", "/api/v1/decisions", Part::decisions},
    {"GET", "/api/v1/decisions/{id}", Part::decisions},
    {"GET", "/api/v1/people", Part::people},
    {"GET", "/api/v1/people/{+name}", Part::people},
    {"POST", "/api/v1/people/{+name}", Part::people},
    {"POST", "/api/v1/erasures", Part::keys},
    {"POST", "/api/v1/key-renewals", Part::keys},
    {"GET", "/.well-known/authzen-configuration", Part::decisions},
    {"POST", "/access/v1/evaluation", Part::decisions},
    {"POST", "/access/v1/evaluations", Part::decisions},
    {any_method, "/access/v1/check/{system}", Part::decisions},
    {any_method, "/access/v1/check/{system}/{+path}", Part::decisions},
    {"GET", "/api/v2/alerts", Part::signals},
    {"POST", "/api/v2/alerts", Part::signals},
    {"GET", "/api/v2/alerts/groups", Part::signals},
    {"GET", "/api/v2/silences", Part::signals},
    {"POST", "/api/v2/silences", Part::signals},
    {"GET", "/api/v2/silence/{id}", Part::signals},
    {"DELETE", "/api/v2/silence/{id}", Part::signals},
    {"GET", "/api/v2/receivers", Part::signals},
    {"GET", "/api/v2/status", Part::signals},
    {"GET", "/checkpoint", Part::ledger},
    {"GET", "/tile/{+tile}", Part::ledger},
    {"POST", "/witness/add-checkpoint", Part::witness},
    {"GET", "/witness/{log}/checkpoint", Part::witness},
});

bool is_at(std::string_view route, std::string_view path) {
  for (;;) {
    const std::size_t route_slash = route.find('/');
    const std::size_t path_slash = path.find('/');
    const std::string_view wanted = route.substr(0, route_slash);
    const std::string_view given = path.substr(0, path_slash);
    if (wanted.starts_with("{+")) return !path.empty();
    if (wanted.starts_with('{') ? given.empty() : wanted != given) return false;
    if (route_slash == route.npos || path_slash == path.npos) return route_slash == path_slash;
    route.remove_prefix(route_slash + 1);
    path.remove_prefix(path_slash + 1);
  }
}

bool takes(const Route& route, std::string_view method) {
  return route.method == any_method || route.method == method ||
         (method == "HEAD" && route.method == "GET");
}

}  // namespace

std::span<const Route> routes() {
  return all_routes;
}

const Route* find_route(std::string_view method, std::string_view path) {
  const auto* const found = std::ranges::find_if(all_routes, [&](const Route& route) {
    return takes(route, method) && is_at(route.path, path);
  });
  return found == all_routes.end() ? nullptr : found;
}

net::Response no_route(const net::Request& request) {
  std::string allowed;
  for (const Route& route : all_routes) {
    if (!is_at(route.path, request.path)) continue;
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
    if (route.method == "GET") allowed += ", HEAD";
  }
  const std::string path = printable(std::string_view(request.path).substr(0, 100));
  const std::string why = allowed.empty() ? "there is no " + path : path + " takes " + allowed;
  const unsigned status = allowed.empty() ? 404 : 405;
  // Alertmanager's clients expect a text.
  net::Response response = request.path.starts_with("/api/v2/")
                               ? json_response(status, json::Value(why))
                               : trouble(status, why);
  if (!allowed.empty()) response.headers.emplace_back("Allow", allowed);
  return response;
}

}  // namespace mailwarden::http
