#include "http/incident_api.h"

#include "base/text.h"
#include "crypto/sha256.h"
#include "http/answers.h"
#include "http/incident_json.h"
#include "incident/figures.h"
#include "incident/incident_table.h"
#include "incident/notice.h"
#include "incident/spread.h"
#include "incident/waiting_table.h"
#include "report/incident_export.h"

namespace mailwarden::http {
namespace {

using net::Request;
using net::Response;

constexpr std::string_view incidents_path = "/api/v1/incidents";
constexpr std::string_view notice_end = "/notice";

constexpr std::string_view spread_end = "/spread";
constexpr std::string_view export_end = "/export";
constexpr std::string_view waiting_path = "/api/v1/waiting";

bool is_of_one(std::string_view path, std::string_view end) {
  return path.starts_with(incidents_path) && path.ends_with(end);
}

// The number in "/api/v1/incidents/{number}/notice".
std::optional<std::int64_t> number_in(std::string_view path, std::string_view end) {
  path.remove_prefix(incidents_path.size());
  path.remove_suffix(end.size());
  return path.starts_with('/') ? to_integer(path.substr(1)) : std::nullopt;
}

Result<std::vector<std::string>> texts_of(const json::Value& list) {
  std::vector<std::string> texts;
  if (list.is_null()) return texts;
  if (list.as_array() == nullptr) return fail(Code::invalid, "'facts' must be a list of texts");
  for (const json::Value& item : *list.as_array()) {
    if (item.as_string() == nullptr) return fail(Code::invalid, "'facts' must be a list of texts");
    texts.push_back(*item.as_string());
  }
  return texts;
}

}  // namespace

Response IncidentApi::answer(const Request& request) const {
  if (request.path == incidents_path) return report(request);
  if (is_of_one(request.path, notice_end)) return notice(request);
  if (is_of_one(request.path, spread_end)) return spread(request);
  if (is_of_one(request.path, export_end)) return export_one(request);
  if (request.path == waiting_path) return waiting();
  return request.path == "/api/v1/figures" ? figures(request) : breaches();
}

Response IncidentApi::report(const Request& request) const {
  // Who may report is told by the socket's file; there is no sign-in over TCP.
  if (!request.local) return trouble(403, "reports are taken through the UNIX socket alone");
  const auto body = json::parse(request.body);
  if (!body || body->as_object() == nullptr) {
    return trouble(400,
                   "expected {\"title\",\"what\",\"type\",\"entity\",\"facts\",\"who\"} as JSON");
  }
  auto facts = texts_of((*body)["facts"]);
  if (!facts) return trouble(facts.error());
  const auto changes = parts_.report({.title = body->text("title"),
                                      .what = body->text("what"),
                                      .type = body->text("type"),
                                      .entity = body->text("entity"),
                                      .facts = *std::move(facts),
                                      .who = body->text("who")});
  if (!changes) return trouble(changes.error());
  return json_response(200, changes_json(*changes));
}

Response IncidentApi::notice(const Request& request) const {
  const auto number = number_in(request.path, notice_end);
  if (!number) return trouble(404, "there is no such incident");
  const std::string name(request.parameter("duty"));
  const auto procedure = parts_.procedure();
  const incident::DutyRule* const duty = procedure ? procedure->find_duty(name) : nullptr;
  if (duty == nullptr) return trouble(404, "there is no duty '" + printable(name) + "'");
  const auto store = open_store(parts_.store);
  if (!store) return trouble(store.error());
  const auto found = incident::load_incident(**store, *number);
  if (!found) return trouble(found.error());
  const std::string text =
      incident::draft_notice(*found, *duty, *procedure, {}, parts_.clock.now());
  return json_response(200, json::Object{{"duty", name}, {"incident", *number}, {"text", text}});
}

Response IncidentApi::spread(const Request& request) const {
  const auto number = number_in(request.path, spread_end);
  if (!number) return trouble(404, "there is no such incident");
  const auto depth = number_parameter(request, "depth");
  if (!depth) return trouble(depth.error());
  const auto store = open_store(parts_.store);
  if (!store) return trouble(store.error());
  const auto found = incident::load_incident(**store, *number);
  if (!found) return trouble(found.error());
  incident::SpreadOptions options = incident::around(*found);
  options.depth = depth->value_or(options.depth);
  if (options.depth < 1 || options.depth > incident::SpreadOptions::depth_max) {
    return trouble(400, "'depth' is 1 to " + std::to_string(incident::SpreadOptions::depth_max));
  }
  const auto spread = incident::spread(**store, *found, options);
  if (!spread) return trouble(spread.error());
  return json_response(200, incident::to_json(*spread));
}

Response IncidentApi::export_one(const Request& request) const {
  const auto number = number_in(request.path, export_end);
  if (!number) return trouble(404, "there is no such incident");
  const auto after = number_parameter(request, "after");
  if (!after) return trouble(after.error());
  const auto limit = number_parameter(request, "limit");
  if (!limit) return trouble(limit.error());
  const auto store = open_store(parts_.store);
  if (!store) return trouble(store.error());
  report::ExportQuery query{.incident = *number};
  query.after = after->value_or(query.after);
  query.limit = limit->value_or(query.limit);
  auto page = report::export_incident(**store, query);
  if (!page) return trouble(page.error());
  return json_response(200, *std::move(page));
}

Response IncidentApi::figures(const Request& request) const {
  const auto from = time_parameter(request, "from");
  const auto until = time_parameter(request, "until");
  for (const auto* parameter : {&from, &until}) {
    if (!*parameter) return trouble(parameter->error());
  }
  const auto store = open_store(parts_.store);
  if (!store) return trouble(store.error());
  const auto rows = incident::load_figures(**store, from->value_or(Timestamp{INT64_MIN}),
                                           until->value_or(Timestamp::latest));
  if (!rows) return trouble(rows.error());
  json::Array list;
  for (const incident::FigureRow& row : *rows) list.emplace_back(incident::to_json(row));
  return json_response(200, json::Object{{"figures", std::move(list)}});
}

Response IncidentApi::waiting() const {
  const auto store = open_store(parts_.store);
  if (!store) return trouble(store.error());
  auto groups = incident::waiting_groups(**store);
  if (!groups) return trouble(groups.error());
  return json_response(200, json::Object{{"waiting", *std::move(groups)}});
}

Response IncidentApi::breaches() const {
  const auto store = open_store(parts_.store);
  if (!store) return trouble(store.error());
  auto entries = incident::load_register(**store);
  if (!entries) return trouble(entries.error());
  return json_response(200, json::Object{{"breaches", *std::move(entries)}});
}

}  // namespace mailwarden::http
