// Alerts and playbook runs.
#include <algorithm>

#include "alert/outbox.h"
#include "base/text.h"
#include "http/answers.h"
#include "http/api.h"
#include "respond/flow_run_table.h"
#include "respond/run_table.h"

namespace mailwarden::http {

using net::Request;
using net::Response;

Response Api::alerts(const Request& request) const {
  alert::AlertQuery query;
  const auto before = number_parameter(request, "before");
  if (!before) return trouble(before.error());
  const auto limit = number_parameter(request, "limit");
  if (!limit) return trouble(limit.error());
  const auto incident = number_parameter(request, "incident");
  if (!incident) return trouble(incident.error());
  query.before = *before;
  query.incident = *incident;
  query.limit = limit->value_or(query.limit);
  if (const std::string_view text = request.parameter("standing"); !text.empty()) {
    for (const auto standing : {alert::Standing::pending, alert::Standing::delivered,
                                alert::Standing::failed, alert::Standing::silenced}) {
      if (alert::to_string(standing) == text) query.standing = standing;
    }
    if (!query.standing)
      return trouble(400, "'standing' is none of pending, delivered, failed, silenced");
  }
  const auto store = open_store(options_.store);
  if (!store) return trouble(store.error());
  const auto found = alert::query_alerts(**store, query);
  if (!found) return trouble(found.error());
  json::Array list;
  for (const alert::AlertRow& row : *found) list.push_back(alert::to_json(row));
  json::Object answer;
  const std::int64_t size = std::clamp<std::int64_t>(query.limit, 1, alert::AlertQuery::limit_max);
  if (static_cast<std::int64_t>(found->size()) == size) answer["before"] = found->back().entry;
  answer["alerts"] = std::move(list);
  return json_response(200, std::move(answer));
}

Response Api::runs(const Request& request) const {
  respond::flow::RunQuery query;
  const auto before = number_parameter(request, "before");
  if (!before) return trouble(before.error());
  const auto limit = number_parameter(request, "limit");
  if (!limit) return trouble(limit.error());
  const auto incident = number_parameter(request, "incident");
  if (!incident) return trouble(incident.error());
  query.before = *before;
  query.limit = limit->value_or(query.limit);
  query.incident = *incident;
  const auto store = open_store(options_.store);
  if (!store) return trouble(store.error());
  const auto found = respond::flow::query_runs(**store, query);
  if (!found) return trouble(found.error());
  json::Array list;
  for (const respond::flow::Run& run : *found) list.push_back(respond::flow::to_json(run));
  json::Object answer;
  const std::int64_t size =
      std::clamp<std::int64_t>(query.limit, 1, respond::flow::RunQuery::limit_max);
  if (static_cast<std::int64_t>(found->size()) == size) answer["before"] = found->back().number;
  answer["runs"] = std::move(list);
  return json_response(200, std::move(answer));
}

Response Api::run(std::string_view text) const {
  const auto number = to_integer(text);
  if (!number) return trouble(404, "there is no such playbook run");
  const auto store = open_store(options_.store);
  if (!store) return trouble(store.error());
  const auto found = respond::flow::query_runs(**store, {.number = *number});
  if (!found) return trouble(found.error());
  if (found->empty()) return trouble(404, "there is no playbook run " + std::to_string(*number));
  const auto moves = respond::load_moves(**store, *number);
  if (!moves) return trouble(moves.error());
  json::Object answer = respond::flow::to_json(found->front());
  json::Array list;
  for (const respond::MoveRow& row : *moves) {
    json::Object move = row.record;
    move["entry"] = row.entry;
    move["when"] = to_rfc3339(row.when);
    list.push_back(std::move(move));
  }
  answer["moves"] = std::move(list);
  return json_response(200, std::move(answer));
}

Response Api::run_act(const Request& request, std::string_view text) const {
  const auto number = to_integer(text);
  const auto body = json::parse(request.body);
  if (!number || !body) {
    return trouble(400, "expected {\"act\",\"step\",\"why\",\"who\",\"value\",\"undo\"} as JSON");
  }
  const auto kind = respond::flow::parse_act(body->text("act"));
  if (!kind) {
    return trouble(400, "'act' is none of approve, reject, done, failed, again, undo, cancel");
  }
  const auto run = run_orders_.act({.kind = *kind,
                                    .run = *number,
                                    .step = body->text("step"),
                                    .who = body->text("who"),
                                    .why = body->text("why"),
                                    .value = body->text("value"),
                                    .undo = (*body)["undo"] == json::Value(true)});
  if (!run) return trouble(run.error());
  return json_response(200, respond::flow::to_json(*run));
}

Response Api::start_run(const Request& request) const {
  const auto body = json::parse(request.body);
  if (!body || body->text("playbook").empty()) {
    return trouble(400,
                   "expected {\"playbook\",\"incident\",\"values\",\"dry_run\",\"why\",\"who\"} as "
                   "JSON");
  }
  respond::flow::StartOrder order{.playbook = body->text("playbook"),
                                  .who = body->text("who"),
                                  .why = body->text("why"),
                                  .dry_run = (*body)["dry_run"] == json::Value(true)};
  if (const auto* const values = (*body)["values"].as_object()) order.values = *values;
  const auto run = run_orders_.start(order, body->integer("incident"));
  if (!run) return trouble(run.error());
  return json_response(200, respond::flow::to_json(*run));
}

}  // namespace mailwarden::http
