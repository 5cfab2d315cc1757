#include "http/api.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/text.h"
#include "console.h"
#include "detect/detection_table.h"
#include "http/answers.h"
#include "http/incident_json.h"
#include "incident/incident_table.h"
#include "openapi.h"

namespace mailwarden::http {
namespace {

namespace fs = std::filesystem;
using net::Request;
using net::Response;

constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
constexpr std::string_view report_policy =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

Response page(std::string_view body, std::string content_type) {
  Response response{.content_type = std::move(content_type), .body = std::string(body)};
  response.headers.emplace_back("Content-Security-Policy", page_policy);
  return response;
}

Result<incident::IncidentQuery> incident_query(const Request& request) {
  incident::IncidentQuery query;
  const auto before = number_parameter(request, "before");
  const auto limit = number_parameter(request, "limit");
  const auto severity = number_parameter(request, "severity");
  for (const auto* parameter : {&before, &limit, &severity}) {
    if (!*parameter) return std::unexpected(parameter->error());
  }
  query.before = *before;
  query.limit = limit->value_or(query.limit);
  if (*severity) {
    if (**severity > 3) return fail(Code::invalid, "'severity' is 0, 1, 2 or 3");
    query.severity = static_cast<incident::Severity>(**severity);
  }
  if (const std::string_view state = request.parameter("state"); !state.empty()) {
    query.state = incident::parse_state(state);
    if (!query.state) return fail(Code::invalid, "'state' is not a state of an incident");
  }
  return query;
}

json::Object detection_json(const detect::DetectionRow& row) {
  json::Object object = detect::to_record(row.detection);
  object["number"] = row.number;
  object["entry"] = row.entry;
  object["time"] = object["event_time"];
  return object;
}

// The rows of those that had waited say still that they were of no incident then.
Result<void> add_gathered(db::Database& database, const incident::Incident& incident,
                          std::vector<detect::DetectionRow>& rows, std::int64_t limit) {
  const std::vector<std::int64_t> newest(
      incident.gathered.rbegin(),
      std::next(incident.gathered.rbegin(),
                std::min<std::ptrdiff_t>(std::ssize(incident.gathered), limit)));
  auto gathered = detect::load_detections(database, newest);
  if (!gathered) return std::unexpected(gathered.error());
  std::ranges::move(*gathered, std::back_inserter(rows));
  std::ranges::sort(rows, std::greater<>(), &detect::DetectionRow::number);
  if (std::ssize(rows) > limit) rows.resize(static_cast<std::size_t>(limit));
  return {};
}

std::string content_type_of(const std::string& name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".json")) return "application/json";
  if (name.ends_with(".csv")) return "text/csv; charset=utf-8";
  if (name.ends_with(".pdf")) return "application/pdf";
  return "text/plain; charset=utf-8";
}

bool is_report_name(std::string_view name) {
  return !name.empty() && !name.starts_with('.') && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

}  // namespace

json::Object to_json(const Status& status) {
  json::Array sources;
  for (const std::string& source : status.sources) sources.push_back(source);
  return {{"accesses", status.accesses},
          {"alerts", status.alerts},
          {"alerts_delivered", status.alerts_delivered},
          {"alerts_failed", status.alerts_failed},
          {"alerts_held_back", status.alerts_held_back},
          {"alerts_silenced", status.alerts_silenced},
          {"runs", json::Object(status.runs.begin(), status.runs.end())},
          {"batches_waiting", status.batches_waiting},
          {"changes", status.changes},
          {"detections", status.detections},
          {"errands_waiting", status.errands_waiting},
          {"escalations_exhausted", status.escalations_exhausted},
          {"escalations_overdue", status.escalations_overdue},
          {"escalations_running", status.escalations_running},
          {"events", status.events},
          {"gaps", status.gaps},
          {"heartbeat", status.heartbeat},
          {"ledger_entries", status.ledger_entries},
          {"policies", status.policies},
          {"ready", status.ready},
          {"settled", status.settled},
          {"sources", std::move(sources)},
          {"store_damage", status.store_damage},
          {"store_is_whole",
           status.store_is_whole ? json::Value(*status.store_is_whole) : json::Value()},
          {"trouble", status.trouble},
          {"undecoded", status.undecoded},
          {"verifier_key", status.verifier_key},
          {"write_failures", status.write_failures}};
}

Api::Api(ApiOptions options, GetStatus status, DoAct act, RunOrders run_orders)
    : options_(std::move(options)),
      status_(std::move(status)),
      act_(std::move(act)),
      run_orders_(std::move(run_orders)) {}

Response Api::incidents(const Request& request) const {
  const auto query = incident_query(request);
  if (!query) return trouble(query.error());
  const auto store = open_store(options_.store);
  if (!store) return trouble(store.error());
  const auto found = incident::query_incidents(**store, *query);
  if (!found) return trouble(found.error());
  const auto counts = incident::count_incidents(**store);
  if (!counts) return trouble(counts.error());
  json::Array list;
  for (const incident::Incident& one : *found) list.push_back(incident::to_json(one));
  json::Object answer{{"open", counts->open}, {"total", counts->total}};
  const std::int64_t limit =
      std::clamp<std::int64_t>(query->limit, 1, incident::IncidentQuery::limit_max);
  if (static_cast<std::int64_t>(found->size()) == limit) {
    answer["before"] = found->back().number;
  }
  answer["incidents"] = std::move(list);
  return json_response(200, std::move(answer));
}

Response Api::incident(std::string_view text) const {
  const auto number = to_integer(text);
  if (!number) return trouble(404, "there is no such incident");
  const auto store = open_store(options_.store);
  if (!store) return trouble(store.error());
  const auto found = incident::load_incident(**store, *number);
  if (!found) return trouble(found.error());
  const auto changes = incident::load_changes(**store, *number);
  if (!changes) return trouble(changes.error());
  constexpr std::int64_t detections_shown = 100;
  auto detections = detect::load_incident_detections(**store, *number, INT64_MAX, detections_shown);
  if (!detections) return trouble(detections.error());
  if (auto done = add_gathered(**store, *found, *detections, detections_shown); !done) {
    return trouble(done.error());
  }
  constexpr std::int64_t similar_shown = 20;
  const auto similar = incident::load_similar(**store, *found, similar_shown);
  if (!similar) return trouble(similar.error());
  auto escalations = escalation_list(**store, {.incident = *number});
  if (!escalations) return trouble(escalations.error());
  json::Object answer = incident::to_json(*found);
  answer["escalations"] = *std::move(escalations);
  json::Array similar_list;
  for (const incident::Incident& one : *similar) {
    similar_list.push_back(json::Object{{"changed", to_rfc3339(one.changed)},
                                        {"number", one.number},
                                        {"severity", static_cast<int>(one.severity)},
                                        {"state", to_string(one.state)},
                                        {"title", one.title}});
  }
  answer["similar"] = std::move(similar_list);
  json::Array change_list;
  for (const auto& change : *changes) change_list.push_back(change_json(change));
  json::Array detection_list;
  for (const auto& detection : *detections) detection_list.push_back(detection_json(detection));
  answer["changes"] = std::move(change_list);
  answer["detections"] = std::move(detection_list);
  return json_response(200, std::move(answer));
}

Response Api::reports() const {
  std::error_code failed;
  // By when they were issued, which stands behind the dash, and what kind they are.
  std::map<std::pair<std::string, std::string>, std::set<std::string>> found;
  for (fs::directory_iterator entry(options_.reports, failed);
       !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
    const std::string file = entry->path().filename().string();
    const std::string name = file.substr(0, file.find('.'));
    const std::size_t dash = name.find('-');
    const bool whole = entry->is_regular_file(failed) && !file.ends_with(".new");
    if (!whole || !is_report_name(file) || dash == std::string::npos) continue;
    found[{name.substr(dash + 1), name.substr(0, dash)}].insert(file);
  }
  std::vector<json::Object> ordered;
  for (const auto& [of, files] : found) {
    const auto& [issued, kind] = of;
    const std::string path = "/api/v1/reports/" + kind + "-" + issued;
    if (!files.contains(kind + "-" + issued + ".html")) continue;
    json::Array all;
    for (const std::string& file : files) all.emplace_back("/api/v1/reports/" + file);
    ordered.push_back({{"files", std::move(all)},
                       {"issued", issued},
                       {"json", path + ".json"},
                       {"kind", kind},
                       {"path", path + ".html"}});
  }
  std::ranges::stable_sort(ordered, std::ranges::greater{}, [](const json::Object& one) {
    return *one.find("issued")->second.as_string();
  });
  return json_response(200, json::Object{{"reports", json::Array(ordered.begin(), ordered.end())}});
}

Response Api::report(std::string_view name) const {
  const fs::path path = fs::path(options_.reports) / name;
  std::error_code failed;
  if (!is_report_name(name) || !fs::is_regular_file(path, failed)) {
    return trouble(404, "there is no such report");
  }
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  Response response{.content_type = content_type_of(std::string(name)),
                    .body = std::move(text).str()};
  response.headers.emplace_back("Content-Security-Policy", report_policy);
  return response;
}

Response Api::act(const Request& request, std::string_view text) const {
  const auto number = to_integer(text);
  const auto body = json::parse(request.body);
  if (!number || !body) {
    return trouble(400, "expected {\"act\",\"value\",\"why\",\"who\",\"with\"} as JSON");
  }
  const auto kind = incident::parse_act(body->text("act"));
  if (!kind) return trouble(400, "'act' is none of " + incident::act_names());
  incident::Act act{.kind = *kind,
                    .incident = *number,
                    .value = body->text("value"),
                    .why = body->text("why"),
                    .who = body->text("who")};
  if (const auto* with = (*body)["with"].as_object(); with != nullptr) {
    for (const auto& [name, value] : *with) {
      if (value.as_string() == nullptr) return trouble(400, "'with' holds texts by name");
      act.with[name] = *value.as_string();
    }
  }
  const auto changes = act_(act);
  if (!changes) return trouble(changes.error());
  return json_response(200, changes_json(*changes));
}

Response Api::api(const Request& request) const {
  const std::string_view path =
      std::string_view(request.path).substr(std::string_view("/api/v1/").size());
  const std::size_t slash = path.find('/');
  const std::string_view name = path.substr(0, slash);
  const std::string_view rest =
      slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  constexpr std::string_view acts = "/acts";
  if (request.method == "POST") {
    const bool is_act = rest.ends_with(acts);
    const bool is_start = name == "runs" && rest.empty();
    // Who may act is told by the socket's file; there is no sign-in over TCP.
    if ((is_act || is_start) && !request.local) {
      return trouble(403, "acts are taken through the UNIX socket alone");
    }
    const std::string_view number = rest.substr(0, is_act ? rest.size() - acts.size() : 0);
    if (is_start) return start_run(request);
    if (is_act && name == "incidents") return act(request, number);
    if (is_act && name == "runs") return run_act(request, number);
  }
  if (name == "incidents") return rest.empty() ? incidents(request) : incident(rest);
  if (name == "events") return rest.empty() ? events(request) : event(rest);
  if (name == "alerts" && rest.empty()) return alerts(request);
  if (name == "escalations" && rest.empty()) return escalations(request);
  if (name == "oncall" && rest.empty()) return on_call(request);
  if (name == "runs") return rest.empty() ? runs(request) : run(rest);
  if (name == "reports") return rest.empty() ? reports() : report(rest);
  if (name == "status" && rest.empty()) return json_response(200, to_json(status_()));
  if (name == "openapi.yaml" && rest.empty()) {
    return {.content_type = "application/yaml", .body = std::string(openapi::openapi_yaml)};
  }
  return trouble(404, "there is no " + printable(request.path.substr(0, 100)));
}

Response Api::answer(const Request& request) const {
  if (request.path.starts_with("/api/v1/")) return api(request);
  if (request.path == "/") return page(console::index_html, "text/html; charset=utf-8");
  if (request.path == "/console.css") return page(console::console_css, "text/css; charset=utf-8");
  if (request.path == "/console.js") {
    return page(console::console_js, "text/javascript; charset=utf-8");
  }
  if (request.path == "/healthz") return {.content_type = "text/plain", .body = "alive\n"};
  if (request.path == "/readyz") {
    const Status status = status_();
    if (status.ready && status.store_damage.empty()) {
      return {.content_type = "text/plain", .body = "ready\n"};
    }
    // What comes is still taken, and whoever asks before sending must not be turned away.
    if (status.ready) {
      return {.content_type = "text/plain", .body = "ready, but " + status.store_damage + "\n"};
    }
    return {
        .status = 503, .content_type = "text/plain", .body = "not ready: " + status.trouble + "\n"};
  }
  if (request.path == "/metrics") {
    const auto store = open_store(options_.store);
    const auto counts = store ? incident::count_incidents(**store)
                              : Result<incident::IncidentCounts>(std::unexpected(store.error()));
    const auto open =
        store ? incident::load_open_incidents(**store) : Result<std::vector<incident::Incident>>();
    const incident::Incident* gravest = nullptr;
    if (open && !open->empty()) {
      gravest = &*std::ranges::max_element(*open, {}, &incident::Incident::severity);
    }
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = render_metrics(status_(), gravest, counts ? counts->open : 0)};
  }
  return trouble(404, "there is no " + printable(request.path.substr(0, 100)));
}

}  // namespace mailwarden::http
