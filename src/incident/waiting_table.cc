#include "incident/waiting_table.h"

#include <algorithm>
#include <array>

#include "detect/detection_table.h"
#include "incident/incident_json.h"

namespace mailwarden::incident {
namespace {

constexpr std::array waiting_steps{db::Migration{"waiting", 1, R"sql(
CREATE TABLE waiting_detection (
  number BIGINT PRIMARY KEY,
  rule TEXT NOT NULL,
  ends BIGINT NOT NULL,
  body TEXT NOT NULL
);
)sql"}};

json::Object to_json(const WaitingRow& row) {
  return {{"by", json::Array(row.by.begin(), row.by.end())},
          {"distinct", row.distinct},
          {"threshold", row.threshold},
          {"within_us", row.within.count()}};
}

Result<WaitingRow> read_row(const db::Statement& row) {
  const auto body = json::parse(row.text(3));
  if (!body || (*body)["by"].as_array() == nullptr) {
    return fail(Code::corrupt, "what is stored of the waiting detection " +
                                   std::string(row.text(0)) + " is damaged");
  }
  WaitingRow waiting{.number = row.integer(0),
                     .rule = std::string(row.text(1)),
                     .threshold = body->integer("threshold"),
                     .distinct = body->text("distinct"),
                     .within = Duration(body->integer("within_us")),
                     .until = {row.integer(2)}};
  for (const json::Value& one : *(*body)["by"].as_array()) {
    if (const auto* kind = one.as_string()) waiting.by.push_back(*kind);
  }
  return waiting;
}

}  // namespace

std::span<const db::Migration> waiting_migrations() {
  return waiting_steps;
}

Result<void> store_waiting(db::Database& database, const WaitingRow& row) {
  const std::string body = json::to_text(to_json(row));
  return database.run(
      "INSERT INTO waiting_detection (number, rule, ends, body) VALUES ($1, $2, $3, $4)"
      " ON CONFLICT (number) DO UPDATE SET rule = $2, ends = $3, body = $4",
      {row.number, std::string_view(row.rule), row.until.us, std::string_view(body)});
}

Result<void> remove_waiting(db::Database& database, std::int64_t number) {
  return database.run("DELETE FROM waiting_detection WHERE number = $1", {number});
}

Result<std::vector<StoredWaiting>> load_waiting(db::Database& database) {
  const auto rows = database.query(
      "SELECT w.number, w.rule, w.ends, w.body, d.body FROM waiting_detection w"
      " JOIN detection d ON d.number = w.number ORDER BY w.number");
  if (!rows) return std::unexpected(rows.error());
  std::vector<StoredWaiting> stored;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return stored;
    auto row = read_row(**rows);
    if (!row) return std::unexpected(row.error());
    auto detection = detect::read_body(database, row->number, (*rows)->text(4));
    if (!detection && detection.error().code != Code::not_found) {
      return std::unexpected(detection.error());
    }
    stored.push_back({*std::move(row), std::nullopt});
    if (detection) stored.back().detection = *std::move(detection);
  }
}

Result<json::Array> waiting_groups(db::Database& database) {
  const auto stored = load_waiting(database);
  if (!stored) return std::unexpected(stored.error());
  struct Group {
    const StoredWaiting* last = nullptr;
    std::set<std::string> counted;
    json::Array detections;
  };
  std::map<std::pair<std::string, GroupKey>, Group> groups;
  for (const StoredWaiting& one : *stored) {
    if (!one.detection) continue;
    const detect::Detection& detection = *one.detection;
    const GroupKey key = key_of(one.row.by, detection).value_or(GroupKey());
    Group& group = groups[{one.row.rule, key}];
    group.last = &one;
    group.counted.insert(counted_as(one.row.number, detection, one.row.distinct));
    group.detections.emplace_back(json::Object{{"level", detect::to_string(detection.level)},
                                               {"number", one.row.number},
                                               {"time", to_rfc3339(detection.time)},
                                               {"title", detection.title}});
  }
  std::vector<json::Object> found;
  for (auto& [of, group] : groups) {
    json::Array common;
    for (const detect::Entity& entity : of.second) common.emplace_back(entity_json(entity));
    const WaitingRow& row = group.last->row;
    found.push_back({{"common", std::move(common)},
                     {"count", static_cast<std::int64_t>(group.counted.size())},
                     {"detections", std::move(group.detections)},
                     {"distinct", row.distinct},
                     {"rule", of.first},
                     {"threshold", row.threshold},
                     {"title", group.last->detection->title},
                     {"until", to_rfc3339(row.until)},
                     {"within", to_words(row.within)}});
  }
  std::ranges::stable_sort(found, std::greater<>(), [](const json::Object& one) {
    const auto* const count = one.find("count")->second.as_integer();
    return count == nullptr ? 0 : *count;
  });
  return json::Array(std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
}

}  // namespace mailwarden::incident
