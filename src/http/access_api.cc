#include "http/access_api.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/text.h"
#include "http/answers.h"
#include "json/document.h"
#include "json/writer.h"
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

Result<std::string> text_member(json::View of, std::string_view what, std::string_view name) {
  const auto text = of[name].text();
  if (!text) {
    return fail(Code::invalid,
                "'" + std::string(what) + "." + std::string(name) + "' must be a string");
  }
  if (text->size() > AccessApi::name_bytes_max) {
    return fail(Code::invalid, "'" + std::string(what) + "." + std::string(name) +
                                   "' is longer than " + std::to_string(AccessApi::name_bytes_max) +
                                   " bytes");
  }
  return std::string(*text);
}

Result<policy::EntityUid> entity_of(json::View named, std::string_view what) {
  auto type = text_member(named, what, "type");
  auto id = text_member(named, what, "id");
  if (!type) return std::unexpected(type.error());
  if (!id) return std::unexpected(id.error());
  if (!policy::type_is_valid(*type)) {
    return fail(Code::invalid, "'" + std::string(what) + ".type' is no entity type");
  }
  return policy::EntityUid{*std::move(type), *std::move(id)};
}

Result<void> check_properties(json::View of, std::string_view what) {
  const json::View properties = of["properties"];
  if (properties.is_null() || properties.is_object()) return {};
  return fail(Code::invalid, "'" + std::string(what) + ".properties' must be an object");
}

Result<access::Asked> question_of(json::View request) {
  const json::View subject = request["subject"];
  const json::View action = request["action"];
  const json::View resource = request["resource"];
  const json::View context = request["context"];
  auto principal = entity_of(subject, "subject");
  if (!principal) return std::unexpected(principal.error());
  auto name = text_member(action, "action", "name");
  if (!name) return std::unexpected(name.error());
  auto system = entity_of(resource, "resource");
  if (!system) return std::unexpected(system.error());
  for (const auto& [what, part] : {std::pair{"subject", subject}, std::pair{"action", action},
                                   std::pair{"resource", resource}}) {
    if (auto checked = check_properties(part, what); !checked) {
      return std::unexpected(checked.error());
    }
  }
  Result<access::Asked> question(access::Asked{.point = "authzen",
                                               .principal = *std::move(principal),
                                               .action = {"Action", *std::move(name)},
                                               .resource = *std::move(system)});
  if (context.is_null()) return question;
  if (!context.is_object()) return fail(Code::invalid, "'context' must be an object");
  question->context = std::move(*context.to_value().as_object());
  return question;
}

// As far as the way that the request came tells.
std::string asker_of(const Request& request) {
  if (!request.peer_certificate.empty()) return request.peer_certificate;
  return request.local ? "uid " + std::to_string(request.uid) : std::string();
}

void write_list(json::Writer& out, std::span<const std::string> texts) {
  out.raw('[');
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out.raw(',');
    out.string(texts[i]);
  }
  out.raw(']');
}

// Members stand in the order of their names, as everywhere.
void write_context(json::Writer& out, const access::Verdict& verdict) {
  out.raw(R"({"id":)");
  out.string(verdict.id);
  if (!verdict.decision.needs.empty()) {
    out.raw(R"(,"needs":)");
    write_list(out, verdict.decision.needs);
  }
  out.raw(R"(,"policies":)");
  write_list(out, verdict.decision.policies);
  if (!verdict.decision.invalid.empty()) {
    out.raw(R"(,"reason":)");
    out.string(verdict.decision.invalid);
  }
  if (!verdict.token_trouble.empty()) {
    out.raw(R"(,"token":)");
    out.string(verdict.token_trouble);
  }
  out.raw(R"(,"why":)");
  out.string(policy::to_string(verdict.decision.why));
  out.raw('}');
}

void write_answer(json::Writer& out, const access::Verdict& verdict) {
  out.raw(R"({"context":)");
  write_context(out, verdict);
  out.raw(verdict.is_allowed ? R"(,"decision":true})" : R"(,"decision":false})");
}

// Of what one of these writes.
template <class Write>
std::string text_of(Write write) {
  std::string text;
  json::Writer out(text);
  write(out);
  out.flush();
  return text;
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
Result<void> check_contexts(json::View body, std::size_t evaluations) {
  const std::size_t common = json::to_text(body["context"].to_value()).size();
  if (common > AccessApi::context_bytes_max) {
    return fail(Code::invalid, "'context' is longer than " +
                                   std::to_string(AccessApi::context_bytes_max) + " bytes");
  }
  if (common * evaluations <= AccessApi::contexts_bytes_max) return {};
  return fail(Code::invalid, "the contexts of all evaluations are longer than " +
                                 std::to_string(AccessApi::contexts_bytes_max) + " bytes");
}

// The body, if it is one to read.
Result<std::string_view> body_of(const Request& request) {
  if (request.method != "POST") return fail(Code::not_found, "ask with POST");
  if (request.body.size() > AccessApi::contexts_bytes_max) {
    return fail(Code::invalid, "the request is longer than " +
                                   std::to_string(AccessApi::contexts_bytes_max) + " bytes");
  }
  return request.body;
}

Response refused(const Error& error) {
  return trouble(error.code == Code::not_found ? 405 : 400, error.what);
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

access::Verdict AccessApi::evaluate(access::Asked question, const Request& request) const {
  question.asked_by = asker_of(request);
  return arbiter_.decide(std::move(question));
}

Response AccessApi::evaluation(const Request& request) const {
  const auto text = body_of(request);
  if (!text) return refused(text.error());
  thread_local json::Document document;
  json::Value whole;
  const auto body = document.read(*text, whole);
  if (!body) return trouble(400, "the request: " + body.error().what);
  if (!body->is_object()) return trouble(400, "the request must be an object");
  if (text->size() > context_bytes_max) {
    if (auto checked = check_contexts(*body, 1); !checked) return refused(checked.error());
  }
  auto question = question_of(*body);
  if (!question) return refused(question.error());
  const access::Verdict verdict = evaluate(*std::move(question), request);
  return json_text_response(200, text_of([&](json::Writer& out) { write_answer(out, verdict); }));
}

Response AccessApi::evaluations(const Request& request) const {
  const auto text = body_of(request);
  if (!text) return refused(text.error());
  const auto body = json::parse(*text);
  if (!body) return trouble(400, "the request: " + body.error().what);
  const json::Array* const all = (*body)["evaluations"].as_array();
  if ((*body)["evaluations"].is_null() || (all != nullptr && all->empty())) {
    return evaluation(request);
  }
  if (all == nullptr) return trouble(400, "'evaluations' must be an array");
  if (all->size() > evaluations_max) {
    return trouble(400, "there are more than " + std::to_string(evaluations_max) + " evaluations");
  }
  if (auto checked = check_contexts(json::View(*body), all->size()); !checked) {
    return refused(checked.error());
  }
  const std::string semantic = (*body)["options"].text("evaluations_semantic", "execute_all");
  const bool stops_at_deny = semantic == "deny_on_first_deny";
  const bool stops_at_permit = semantic == "permit_on_first_permit";
  if (semantic != "execute_all" && !stops_at_deny && !stops_at_permit) {
    return trouble(400,
                   "'evaluations_semantic' is execute_all, deny_on_first_deny or "
                   "permit_on_first_permit");
  }
  return json_text_response(
      200, text_of([&](json::Writer& out) {
        out.raw(R"({"evaluations":[)");
        for (std::size_t i = 0; i < all->size(); ++i) {
          if (i > 0) out.raw(',');
          bool is_allowed = false;
          const json::Value one = with_defaults((*all)[i], *body);
          if (auto question = question_of(json::View(one)); question) {
            const access::Verdict verdict = evaluate(*std::move(question), request);
            is_allowed = verdict.is_allowed;
            write_answer(out, verdict);
          } else {
            out.raw(json::to_text(no_decision(question.error().what)));
          }
          if ((stops_at_deny && !is_allowed) || (stops_at_permit && is_allowed)) break;
        }
        out.raw("]}");
      }));
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
  Response response =
      json_text_response(verdict.is_allowed ? 200 : 403,
                         text_of([&](json::Writer& out) { write_context(out, verdict); }));
  response.headers.emplace_back("X-Decision-Id", verdict.id);
  response.headers.emplace_back("X-Decision-Why",
                                std::string(policy::to_string(verdict.decision.why)));
  if (verdict.is_allowed) {
    response.headers.emplace_back("X-Decision-User", one_line(*claims->email));
    return response;
  }
  std::string reason = verdict.decision.invalid;
  for (const std::string& one : verdict.decision.needs) {
    reason += (reason.empty() ? "" : "; ") + one;
  }
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
