#include "http/access_api.h"

#include <algorithm>

#include "base/text.h"
#include "http/answers.h"
#include "policy/entity_json.h"

namespace mailwarden::http {
namespace {

using net::Request;
using net::Response;

constexpr std::string_view evaluation_path = "/access/v1/evaluation";
constexpr std::string_view evaluations_path = "/access/v1/evaluations";
constexpr std::string_view check_path = "/access/v1/check/";
constexpr std::string_view configuration_path = "/.well-known/authzen-configuration";
constexpr std::string_view decisions_path = "/api/v1/decisions";

bool decides(std::string_view path) {
  return path.starts_with("/access/") || path == configuration_path;
}

Result<std::string> text_member(const json::Value& of, std::string_view what,
                                std::string_view name) {
  const std::string* const text = of[name].as_string();
  if (text == nullptr) {
    return fail(Code::invalid,
                "'" + std::string(what) + "." + std::string(name) + "' must be a string");
  }
  if (text->size() > AccessApi::name_bytes_max) {
    return fail(Code::invalid, "'" + std::string(what) + "." + std::string(name) +
                                   "' is longer than " + std::to_string(AccessApi::name_bytes_max) +
                                   " bytes");
  }
  return *text;
}

Result<policy::EntityUid> entity_of(const json::Value& request, std::string_view what) {
  const json::Value& named = request[what];
  auto type = text_member(named, what, "type");
  auto id = text_member(named, what, "id");
  if (!type) return std::unexpected(type.error());
  if (!id) return std::unexpected(id.error());
  if (!policy::type_is_valid(*type)) {
    return fail(Code::invalid, "'" + std::string(what) + ".type' is no entity type");
  }
  return policy::EntityUid{*std::move(type), *std::move(id)};
}

Result<void> check_properties(const json::Value& request) {
  for (const std::string what : {"subject", "action", "resource"}) {
    const json::Value& properties = request[what]["properties"];
    if (properties.is_null() || properties.as_object() != nullptr) continue;
    return fail(Code::invalid, "'" + what + ".properties' must be an object");
  }
  return {};
}

Result<access::Asked> question_of(const json::Value& request) {
  access::Asked question{.point = "authzen"};
  auto subject = entity_of(request, "subject");
  if (!subject) return std::unexpected(subject.error());
  auto action = text_member(request["action"], "action", "name");
  if (!action) return std::unexpected(action.error());
  auto resource = entity_of(request, "resource");
  if (!resource) return std::unexpected(resource.error());
  if (auto checked = check_properties(request); !checked) {
    return std::unexpected(checked.error());
  }
  question.principal = *std::move(subject);
  question.action = {"Action", *std::move(action)};
  question.resource = *std::move(resource);
  const json::Value& context = request["context"];
  if (context.is_null()) return question;
  if (context.as_object() == nullptr) return fail(Code::invalid, "'context' must be an object");
  question.context = *context.as_object();
  return question;
}

// As far as the way that the request came tells.
std::string asker_of(const Request& request) {
  if (!request.peer_certificate.empty()) return request.peer_certificate;
  return request.local ? "uid " + std::to_string(request.uid) : std::string();
}

json::Object context_of(const access::Verdict& verdict) {
  json::Array policies(verdict.decision.policies.begin(), verdict.decision.policies.end());
  json::Object context{{"id", verdict.id},
                       {"why", policy::to_string(verdict.decision.why)},
                       {"policies", std::move(policies)}};
  if (!verdict.needs.empty()) {
    context["needs"] = json::Array(verdict.needs.begin(), verdict.needs.end());
  }
  if (!verdict.decision.invalid.empty()) context["reason"] = verdict.decision.invalid;
  if (!verdict.token_trouble.empty()) context["token"] = verdict.token_trouble;
  return context;
}

// Members of the whole request serve each evaluation that has none of its own.
json::Value with_defaults(const json::Value& one, const json::Value& whole) {
  json::Object made = one.as_object() == nullptr ? json::Object() : *one.as_object();
  for (const char* name : {"subject", "action", "resource", "context"}) {
    if (!made.contains(name) && !whole[name].is_null()) made[name] = whole[name];
  }
  return made;
}

// A decision waits with its context until it is stored, and so do very many.
Result<void> check_contexts(const json::Value& body, std::size_t evaluations) {
  const std::size_t common = json::to_text(body["context"]).size();
  if (common > AccessApi::context_bytes_max) {
    return fail(Code::invalid, "'context' is longer than " +
                                   std::to_string(AccessApi::context_bytes_max) + " bytes");
  }
  if (common * evaluations <= AccessApi::contexts_bytes_max) return {};
  return fail(Code::invalid, "the contexts of all evaluations are longer than " +
                                 std::to_string(AccessApi::contexts_bytes_max) + " bytes");
}

Result<json::Value> body_of(const Request& request) {
  if (request.method != "POST") return fail(Code::not_found, "ask with POST");
  if (request.body.size() > AccessApi::contexts_bytes_max) {
    return fail(Code::invalid, "the request is longer than " +
                                   std::to_string(AccessApi::contexts_bytes_max) + " bytes");
  }
  auto json = json::parse(request.body);
  if (!json) return fail("the request", json.error());
  if (json->as_object() == nullptr) return fail(Code::invalid, "the request must be an object");
  return json;
}

// Stands among the answers where one of several questions is none.
json::Object no_decision(const std::string& why) {
  json::Object error{{"status", 400}, {"message", why}};
  return {{"decision", false}, {"context", json::Object{{"error", std::move(error)}}}};
}

// Whoever asked knows the answer by the name that it gave the question.
Response echoed(const Request& request, Response response) {
  const std::string_view id = request.header("X-Request-ID");
  const bool is_plain =
      id.size() <= 200 && std::ranges::all_of(id, [](char c) { return c > ' ' && c < '\x7f'; });
  if (!id.empty() && is_plain) response.headers.emplace_back("X-Request-ID", std::string(id));
  return response;
}

std::string one_line(std::string_view text) {
  std::string line = printable(text);
  constexpr std::size_t header_bytes_max = 500;
  if (line.size() > header_bytes_max) line.resize(header_bytes_max);
  std::erase_if(line, [](char c) { return static_cast<unsigned char>(c) >= 0x7f; });
  return line;
}

std::string_view bearer_of(const Request& request) {
  const std::string_view header = request.header("Authorization");
  const auto space = header.find(' ');
  if (space == std::string_view::npos || !equal_ignoring_case(header.substr(0, space), "Bearer")) {
    return {};
  }
  return trim(header.substr(space + 1));
}

std::string action_of(std::string_view method) {
  if (method == "GET" || method == "HEAD" || method == "OPTIONS") return "read";
  return method == "DELETE" ? "delete" : "write";
}

Response unauthorized(const std::string& why) {
  Response response = trouble(401, why);
  response.headers.emplace_back("WWW-Authenticate", "Bearer");
  response.headers.emplace_back("X-Decision-Reason", one_line(why));
  return response;
}

}  // namespace

AccessApi::AccessApi(access::Arbiter& arbiter, db::StoreAddress store)
    : arbiter_(arbiter), store_(std::move(store)) {}

Response AccessApi::answer_enforcement_point(const Request& request) const {
  return decides(request.path) ? answer(request) : trouble(404, "there is nothing here");
}

Response AccessApi::answer(const Request& request) const {
  if (request.path == evaluation_path) return echoed(request, evaluation(request));
  if (request.path == evaluations_path) return echoed(request, evaluations(request));
  if (request.path.starts_with(check_path)) return check(request);
  if (request.method != "GET") return trouble(405, "only GET is answered here");
  if (request.path == configuration_path) return configuration(request);
  if (request.path == decisions_path) return decisions(request);
  if (request.path.starts_with(decisions_path) && request.path[decisions_path.size()] == '/') {
    return decision(std::string_view(request.path).substr(decisions_path.size() + 1));
  }
  return trouble(404, "there is nothing here");
}

json::Object AccessApi::evaluate(access::Asked question, const Request& request) const {
  question.asked_by = asker_of(request);
  const access::Verdict verdict = arbiter_.decide(std::move(question));
  return {{"decision", verdict.is_allowed}, {"context", context_of(verdict)}};
}

Response AccessApi::evaluation(const Request& request) const {
  const auto body = body_of(request);
  if (!body)
    return body.error().code == Code::not_found ? trouble(405, body.error().what)
                                                : trouble(400, body.error().what);
  if (request.body.size() > context_bytes_max) {
    if (auto checked = check_contexts(*body, 1); !checked)
      return trouble(400, checked.error().what);
  }
  auto question = question_of(*body);
  if (!question) return trouble(400, question.error().what);
  return json_response(200, evaluate(*std::move(question), request));
}

Response AccessApi::evaluations(const Request& request) const {
  const auto body = body_of(request);
  if (!body)
    return body.error().code == Code::not_found ? trouble(405, body.error().what)
                                                : trouble(400, body.error().what);
  const json::Array* const all = (*body)["evaluations"].as_array();
  if ((*body)["evaluations"].is_null() || (all != nullptr && all->empty())) {
    return evaluation(request);
  }
  if (all == nullptr) return trouble(400, "'evaluations' must be an array");
  if (all->size() > evaluations_max) {
    return trouble(400, "there are more than " + std::to_string(evaluations_max) + " evaluations");
  }
  if (auto checked = check_contexts(*body, all->size()); !checked) {
    return trouble(400, checked.error().what);
  }
  const std::string semantic = (*body)["options"].text("evaluations_semantic", "execute_all");
  const bool stops_at_deny = semantic == "deny_on_first_deny";
  const bool stops_at_permit = semantic == "permit_on_first_permit";
  if (semantic != "execute_all" && !stops_at_deny && !stops_at_permit) {
    return trouble(400,
                   "'evaluations_semantic' is execute_all, deny_on_first_deny or "
                   "permit_on_first_permit");
  }
  json::Array answers;
  for (const json::Value& one : *all) {
    auto question = question_of(with_defaults(one, *body));
    json::Object answer =
        question ? evaluate(*std::move(question), request) : no_decision(question.error().what);
    const bool is_allowed = *answer["decision"].as_bool();
    answers.push_back(std::move(answer));
    if ((stops_at_deny && !is_allowed) || (stops_at_permit && is_allowed)) break;
  }
  return json_response(200, json::Object{{"evaluations", std::move(answers)}});
}

// Nothing but 200, 401 and 403 leaves here: nginx takes any other status for a fault, Envoy may.
Response AccessApi::check(const Request& request) const {
  const std::string_view rest = std::string_view(request.path).substr(check_path.size());
  const std::string guarded(rest.substr(0, rest.find('/')));
  const std::string_view token = bearer_of(request);
  if (token.empty()) return unauthorized("sign in: the request carries no bearer token");
  const auto claims = arbiter_.claims_of(token);
  if (!claims) {
    // Whom nobody can verify now is not let in either.
    return unauthorized(claims.error().what);
  }
  if (!claims->email || !claims->email_verified.value_or(false)) {
    return unauthorized("the token names no verified e-mail address");
  }
  const std::string_view original = request.header("X-Original-Method");
  const access::Verdict verdict = arbiter_.decide(
      {.point = "check",
       .asked_by = asker_of(request),
       .principal = {"User", *claims->email},
       .action = {"Action",
                  action_of(original.empty() ? std::string_view(request.method) : original)},
       .resource = {"System", guarded},
       .context = {{"token", std::string(token)}}});
  Response response = json_response(verdict.is_allowed ? 200 : 403, context_of(verdict));
  response.headers.emplace_back("X-Decision-Id", verdict.id);
  response.headers.emplace_back("X-Decision-Why",
                                std::string(policy::to_string(verdict.decision.why)));
  if (verdict.is_allowed) {
    response.headers.emplace_back("X-Decision-User", one_line(*claims->email));
    return response;
  }
  std::string reason = verdict.decision.invalid;
  for (const std::string& one : verdict.needs) reason += (reason.empty() ? "" : "; ") + one;
  if (reason.empty()) reason = "no policy permits it";
  response.headers.emplace_back("X-Decision-Reason", one_line(reason));
  return response;
}

Response AccessApi::configuration(const Request& request) const {
  const std::string scheme = request.secure ? "https://" : "http://";
  const std::string base = scheme + one_line(request.header("Host"));
  return json_response(
      200, json::Object{{"policy_decision_point", base},
                        {"access_evaluation_endpoint", base + std::string(evaluation_path)},
                        {"access_evaluations_endpoint", base + std::string(evaluations_path)}});
}

Response AccessApi::decisions(const Request& request) const {
  const auto before = number_parameter(request, "before");
  const auto limit = number_parameter(request, "limit");
  if (!before) return trouble(before.error());
  if (!limit) return trouble(limit.error());
  access::DecisionQuery query{.before = *before,
                              .limit = limit->value_or(100),
                              .principal = std::string(request.parameter("principal")),
                              .resource = std::string(request.parameter("resource")),
                              .is_allowed = std::nullopt};
  const std::string_view allowed = request.parameter("allowed");
  if (!allowed.empty()) {
    if (allowed != "true" && allowed != "false") return trouble(400, "'allowed' is true or false");
    query.is_allowed = allowed == "true";
  }
  const auto store = open_store(store_);
  if (!store) return trouble(store.error());
  auto found = access::find_decisions(**store, query);
  if (!found) return trouble(found.error());
  return json_response(200, json::Object{{"decisions", json::Array(*std::move(found))}});
}

Response AccessApi::decision(std::string_view id) const {
  const auto store = open_store(store_);
  if (!store) return trouble(store.error());
  const auto found = access::find_decision(**store, id);
  if (!found) return trouble(found.error());
  if (!*found) return trouble(404, "there is no such decision");
  return json_response(200, **found);
}

}  // namespace mailwarden::http
