// Escalations, and who is on call.
#include "alert/escalation_table.h"
#include "alert/on_call_answer.h"
#include "http/answers.h"
#include "http/api.h"

namespace mailwarden::http {
namespace {

using net::Request;
using net::Response;

// Whom the next step calls when it is due, as far as that is known now.
json::Array who_is_next(const json::Value& next, const alert::OnCallSchedules& schedules) {
  json::Array who;
  const auto due = parse_rfc3339(next.text("due"));
  const auto* const to = next["to"].as_array();
  if (!due || to == nullptr) return who;
  for (const json::Value& name : *to) {
    const std::string text = name.as_string() == nullptr ? "" : *name.as_string();
    if (!text.starts_with(alert::on_call_prefix)) {
      who.emplace_back(text);
      continue;
    }
    const auto* const schedule = schedules.find(text.substr(alert::on_call_prefix.size()));
    if (schedule != nullptr) who.emplace_back(alert::on_call(*schedule, *due).person);
  }
  return who;
}

}  // namespace

Result<json::Array> Api::escalation_list(db::Database& store,
                                         const alert::EscalationQuery& query) const {
  const auto found = alert::query_escalations(store, query);
  if (!found) return std::unexpected(found.error());
  const auto schedules = options_.on_call ? options_.on_call() : nullptr;
  json::Array list;
  for (const alert::Escalation& one : *found) {
    json::Object object = alert::to_json(one);
    if (json::Object* const next = object["next"].as_object();
        next != nullptr && schedules != nullptr) {
      (*next)["who"] = who_is_next(*next, *schedules);
    }
    list.push_back(std::move(object));
  }
  return list;
}

Response Api::escalations(const Request& request) const {
  alert::EscalationQuery query;
  const auto incident = number_parameter(request, "incident");
  if (!incident) return trouble(incident.error());
  const auto limit = number_parameter(request, "limit");
  if (!limit) return trouble(limit.error());
  query.incident = *incident;
  query.limit = limit->value_or(query.limit);
  if (const std::string_view state = request.parameter("state"); !state.empty()) {
    const auto parsed = alert::parse_escalation_state(state);
    if (!parsed) {
      return trouble(400, "'state' is none of running, ended, exhausted, passed_over");
    }
    query.state = *parsed;
  }
  const auto store = open_store(options_.store);
  if (!store) return trouble(store.error());
  auto list = escalation_list(**store, query);
  if (!list) return trouble(list.error());
  return json_response(200, json::Object{{"escalations", *std::move(list)}});
}

Response Api::on_call(const Request& request) const {
  if (!options_.on_call || options_.clock == nullptr) {
    return trouble(404, "a store at rest does not know who is on call; ask with --policies DIR");
  }
  const auto told = alert::answer(*options_.on_call(),
                                  {.schedule = std::string(request.parameter("schedule")),
                                   .at = std::string(request.parameter("at")),
                                   .until = std::string(request.parameter("until")),
                                   .days = std::string(request.parameter("days"))},
                                  options_.clock->now());
  if (!told) return trouble(told.error());
  return json_response(200, *told);
}

}  // namespace mailwarden::http
