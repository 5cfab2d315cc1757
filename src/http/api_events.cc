// Events: found by what they are about, and one with what proves it.
#include <algorithm>

#include "detect/detection_table.h"
#include "http/answers.h"
#include "http/api.h"
#include "ingest/event_query.h"

namespace mailwarden::http {

using net::Request;
using net::Response;

namespace {

std::string hex(std::span<const std::byte> bytes) {
  return crypto::to_hex(bytes);
}

json::Value event_json(const ingest::EventRow& row) {
  if (row.erased) {
    return json::Object{{"id", to_string(row.id)},
                        {"number", row.number},
                        {"time", to_rfc3339(row.time)},
                        {"erased", true}};
  }
  auto event = json::parse(row.record);
  if (!event) return json::Object{{"id", to_string(row.id)}, {"error", event.error().what}};
  (*event->as_object())["number"] = row.number;
  return *std::move(event);
}

Result<ingest::EventQuery> event_query(const Request& request) {
  ingest::EventQuery query;
  const auto before = number_parameter(request, "before");
  const auto limit = number_parameter(request, "limit");
  for (const auto* parameter : {&before, &limit}) {
    if (!*parameter) return std::unexpected(parameter->error());
  }
  const auto from = time_parameter(request, "from");
  const auto until = time_parameter(request, "until");
  for (const auto* parameter : {&from, &until}) {
    if (!*parameter) return std::unexpected(parameter->error());
  }
  query.before = *before;
  query.limit =
      std::clamp<std::int64_t>(limit->value_or(query.limit), 1, ingest::EventQuery::limit_max);
  query.from = *from;
  query.until = *until;
  query.account = request.parameter("account");
  query.address = request.parameter("address");
  return query;
}

struct Page {
  json::Array events;
  std::optional<std::int64_t> before;  // where the next page goes on
};

Result<Page> page_of(db::Database& database, const ingest::EventQuery& query) {
  const auto found = ingest::query_events(database, query);
  if (!found) return std::unexpected(found.error());
  Page page;
  for (const ingest::EventRow& row : *found) page.events.push_back(event_json(row));
  if (std::ssize(*found) == query.limit) page.before = found->back().number;
  return page;
}

// By the detections of a rule, whose numbers `before` then counts. One whose event has been removed
// is passed over.
Result<Page> page_of_rule(db::Database& database, const std::string& rule,
                          const ingest::EventQuery& query) {
  const auto detections =
      detect::load_rule_detections(database, rule, query.before.value_or(INT64_MAX), query.limit);
  if (!detections) return std::unexpected(detections.error());
  Page page;
  for (const detect::DetectionRow& row : *detections) {
    const auto event = ingest::load_event(database, row.detection.event);
    if (!event && event.error().code != Code::not_found) return std::unexpected(event.error());
    if (event) page.events.push_back(event_json(*event));
  }
  if (std::ssize(*detections) == query.limit) page.before = detections->back().number;
  return page;
}

}  // namespace

Response Api::events(const Request& request) const {
  const auto query = event_query(request);
  if (!query) return trouble(query.error());
  const std::string rule(request.parameter("rule"));
  const bool narrowed =
      !query->account.empty() || !query->address.empty() || query->from || query->until;
  if (!rule.empty() && narrowed) {
    return trouble(400, "'rule' stands alone: its events are not searched for anything else");
  }
  const auto store = open_store(options_.store);
  if (!store) return trouble(store.error());
  auto page = rule.empty() ? page_of(**store, *query) : page_of_rule(**store, rule, *query);
  if (!page) return trouble(page.error());
  json::Object answer{{"events", std::move(page->events)}};
  if (page->before) answer["before"] = *page->before;
  return json_response(200, std::move(answer));
}

Response Api::event(std::string_view text) const {
  const auto id = parse_event_id(text);
  if (!id) return trouble(id.error());
  const auto store = open_store(options_.store);
  if (!store) return trouble(store.error());
  const auto found = ingest::load_event(**store, *id);
  if (!found) return trouble(found.error());
  if (found->erased) return json_response(200, json::Object{{"event", event_json(*found)}});
  return json_response(200, json::Object{{"event", event_json(*found)},
                                         {"record", found->record},
                                         {"salt", hex(found->salt)}});
}

}  // namespace mailwarden::http
