#include "http/grants_api.h"

#include "access/grant_table.h"
#include "access/who_can.h"
#include "base/text.h"
#include "http/answers.h"

namespace mailwarden::http {
namespace {

using net::Request;
using net::Response;

constexpr std::string_view grants_path = "/api/v1/grants";
constexpr std::string_view who_can_path = "/api/v1/who-can";
constexpr std::string_view what_can_path = "/api/v1/what-can";

std::optional<std::string> asked(const Request& request, std::string_view name) {
  const std::string_view text = request.parameter(name);
  if (text.empty()) return std::nullopt;
  return std::string(text);
}

// Of somebody who has just signed in, as well as one can.
json::Object signed_in(const policy::EntityUid& person, Timestamp now) {
  json::Object token{{"issuer", "https://accounts.google.com"},
                     {"auth_time", access::datetime_text(now)},
                     {"second_factor", true},
                     {"security_key", true}};
  const auto at = person.id.rfind('@');
  if (at != std::string::npos) token["hosted_domain"] = person.id.substr(at + 1);
  return {{"now", access::datetime_text(now)}, {"token", std::move(token)}};
}

json::Value to_json(const access::Findings& findings) {
  json::Array allowed;
  for (const access::Allowed& one : findings.allowed) {
    json::Object made{{"person", one.question.person.id},
                      {"action", one.question.action.id},
                      {"system", one.question.system.id},
                      {"policies", json::Array(one.policies.begin(), one.policies.end())}};
    if (one.grant) made["grant"] = one.grant->value;
    allowed.push_back(std::move(made));
  }
  return json::Object{
      {"allowed", std::move(allowed)},
      {"problems", json::Array(findings.problems.begin(), findings.problems.end())}};
}

}  // namespace

GrantsApi::GrantsApi(GrantsApiParts parts) : parts_(std::move(parts)) {}

Response GrantsApi::answer(const Request& request) const {
  const bool is_list = request.path == grants_path;
  if (request.method == "GET") {
    if (request.path == who_can_path) return who_can(request);
    if (request.path == what_can_path) return what_can(request);
    return is_list ? grants(request)
                   : grant(std::string_view(request.path).substr(grants_path.size() + 1));
  }
  if (!request.local) return trouble(403, "acts are taken through the UNIX socket alone");
  return act(request);
}

Response GrantsApi::grants(const Request& request) const {
  const auto before = number_parameter(request, "before");
  const auto limit = number_parameter(request, "limit");
  if (!before) return trouble(before.error());
  if (!limit) return trouble(limit.error());
  access::GrantQuery query{.person = asked(request, "person"),
                           .system = asked(request, "system"),
                           .state = std::nullopt,
                           .before = *before};
  query.limit = limit->value_or(query.limit);
  if (const auto state = asked(request, "state")) {
    query.state = access::parse_grant_state(*state);
    if (!query.state) return trouble(400, "'state' is not a state of a grant");
  }
  const auto store = open_store(parts_.store);
  if (!store) return trouble(store.error());
  const auto found = access::query_grants(**store, query);
  if (!found) return trouble(found.error());
  json::Array list;
  for (const access::Grant& one : *found) list.push_back(access::to_json(one));
  return json_response(200, json::Object{{"grants", std::move(list)}});
}

Response GrantsApi::grant(std::string_view text) const {
  const auto number = to_integer(text);
  if (!number) return trouble(404, "there is no such grant");
  const auto store = open_store(parts_.store);
  if (!store) return trouble(store.error());
  const auto found = access::load_grant(**store, {*number});
  if (!found) return trouble(found.error());
  const auto changes = access::load_changes(**store, access::GrantId{*number});
  if (!changes) return trouble(changes.error());
  json::Object answer = access::to_json(*found);
  json::Array list;
  for (const access::GrantChangeRow& row : *changes) {
    json::Object change = access::to_record(row.change);
    change["entry"] = row.entry;
    change["at"] = to_rfc3339(row.change.at);
    list.push_back(std::move(change));
  }
  answer["changes"] = std::move(list);
  return json_response(200, std::move(answer));
}

// ask(inquiry, policies in force) over what is in force and live now.
template <class Ask>
Response GrantsApi::inquire(Ask ask) const {
  const auto point = parts_.arbiter.in_force()->point;
  if (point == nullptr) return trouble(404, "no access policies are in force");
  const Timestamp now = parts_.clock.now();
  const auto view = parts_.view();
  const Result<access::Findings> found =
      ask({.point = *point,
           .view = *view,
           .context = [now](const access::Question& one) { return signed_in(one.person, now); },
           .now = now,
           .options = {}},
          *point);
  if (!found) return trouble(found.error());
  return json_response(200, to_json(*found));
}

Response GrantsApi::who_can(const Request& request) const {
  const auto system = asked(request, "system");
  if (!system) return trouble(400, "which system? ?system=NAME");
  const std::string action = asked(request, "action").value_or("read");
  return inquire([&](const access::Inquiry& inquiry, const policy::DecisionPoint& point) {
    const auto people = access::entities_of(point.authorizer().entities(), "User");
    return access::who_can(inquiry, {"Action", action}, {"System", *system}, people);
  });
}

Response GrantsApi::what_can(const Request& request) const {
  const auto person = asked(request, "person");
  if (!person) return trouble(400, "which person? ?person=E-MAIL");
  return inquire([&](const access::Inquiry& inquiry, const policy::DecisionPoint& point) {
    const auto actions = access::actions_of(*point.loaded().schema, "User", "System");
    const auto systems = access::entities_of(point.authorizer().entities(), "System");
    return access::what_can(inquiry, {"User", *person}, actions, systems);
  });
}

Response GrantsApi::act(const Request& request) const {
  const auto body = json::parse(request.body);
  if (!body) return trouble(400, body.error().what);
  const auto kind = access::parse_grant_act(body->text("act"));
  if (!kind) {
    return trouble(400, "'act' is request, approve, refuse, withdraw, end, break_glass or review");
  }
  access::GrantOrder order{.act = *kind, .who = body->text("who"), .why = body->text("why")};
  if (const std::string token = body->text("token"); !token.empty()) {
    const auto claims = parts_.arbiter.claims_of(token);
    if (!claims) return trouble(claims.error());
    if (!claims->email || !claims->email_verified.value_or(false)) {
      return trouble(403, "the token names no verified e-mail address");
    }
    order.who = *claims->email;
    order.is_shown = true;
  }
  order.grant = {body->integer("grant")};
  if (*kind == access::GrantAct::request || *kind == access::GrantAct::break_glass) {
    const auto duration = parse_duration(body->text("duration"));
    if (!duration) return trouble(400, "'duration': " + duration.error().what);
    order.request = {.person = body->text("person", order.who),
                     .system = body->text("system"),
                     .purpose = body->text("purpose"),
                     .ticket = body->text("ticket"),
                     .reason = body->text("reason"),
                     .duration = *duration};
  }
  const auto grant = parts_.order(order);
  if (!grant) return trouble(grant.error());
  return json_response(200, access::to_json(*grant));
}

}  // namespace mailwarden::http
