#include "report/check_rows.h"

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/timestamp.h"
#include "event/event.h"
#include "report/report.h"

namespace mailwarden::report {
namespace {

// How a column stands in the record.
enum class As : std::uint8_t { text, integer, time, event };

struct Column {
  int index = 0;
  As as = As::text;
  std::string_view member;   // of the record
  std::string_view in = {};  // the member that this one stands in; "" for the record itself
};

struct Table {
  std::string_view name;
  std::string_view kind;
  std::string_view sql;  // entry and body first
  std::span<const Column> columns;
  std::int64_t more = 2;  // members that the record has beside the body: kind and time at least
};

constexpr std::array decision_columns{
    Column{2, As::text, "id"},     Column{3, As::text, "principal"},
    Column{4, As::text, "action"}, Column{5, As::text, "resource"},
    Column{6, As::text, "why"},    Column{7, As::text, "decision"},
    Column{8, As::time, "when"}};
constexpr std::array detection_columns{
    Column{2, As::text, "rule"},           Column{3, As::text, "kind", "entity"},
    Column{4, As::text, "name", "entity"}, Column{5, As::integer, "number"},
    Column{6, As::integer, "incident"},    Column{7, As::time, "event_time"},
    Column{8, As::event, "event"}};
constexpr std::array incident_columns{Column{2, As::integer, "incident"},
                                      Column{3, As::integer, "sequence"}};
constexpr std::array move_columns{Column{2, As::integer, "run"}};

constexpr std::array tables{
    Table{"decision", "decision",
          "SELECT entry, body, id, principal, action, resource, why,"
          " CASE allowed WHEN 1 THEN 'allow' ELSE 'deny' END, time FROM decision ORDER BY entry",
          decision_columns},
    Table{"detection", "detection",
          "SELECT entry, body, rule, entity_kind, entity_name, number, incident, time, stream,"
          " position FROM detection ORDER BY entry",
          detection_columns, 4},
    Table{"incident_change", "incident",
          "SELECT entry, body, incident, sequence FROM incident_change ORDER BY entry",
          incident_columns},
    Table{"playbook_move", "step", "SELECT entry, body, run FROM playbook_move ORDER BY entry",
          move_columns},
    Table{"grant_changes", "grant", "SELECT entry, body FROM grant_changes ORDER BY entry", {}}};

bool agrees(const db::Statement& row, const Column& column, const json::Value& record) {
  const json::Value& of = column.in.empty() ? record : record[column.in];
  switch (column.as) {
    case As::text:
      return row.text(column.index) == of.text(column.member);
    case As::integer:
      return row.integer(column.index) == of.integer(column.member, INT64_MIN);
    case As::time:
      return to_rfc3339({row.integer(column.index)}) == of.text(column.member);
    case As::event:
      return to_string(EventId{row.integer(column.index), row.integer(column.index + 1)}) ==
             of.text(column.member);
  }
  return false;
}

// What the row of an entry says otherwise; "" where all is alike.
std::string difference(const Table& table, const db::Statement& row, const json::Value& record) {
  const std::string place = "its row in " + std::string(table.name);
  const auto body = json::parse(row.text(1));
  if (!body || body->as_object() == nullptr || record.as_object() == nullptr) {
    return place + " is damaged";
  }
  for (const auto& [name, value] : *body->as_object()) {
    if (record[name] != value) return place + " says otherwise of '" + name + "'";
  }
  const auto missing = static_cast<std::int64_t>(record.as_object()->size()) -
                       static_cast<std::int64_t>(body->as_object()->size());
  if (missing != table.more) return place + " does not say all that it should";
  for (const Column& column : table.columns) {
    if (agrees(row, column, record)) continue;
    return place + " is found under another '" + std::string(column.member) + "'";
  }
  return {};
}

}  // namespace

struct RowCheck::Cursor {
  const Table* table = nullptr;
  db::Statement* rows = nullptr;
  std::optional<std::int64_t> entry;  // of the row it stands at
};

RowCheck::RowCheck(db::Database& database) : database_(database) {}

RowCheck::~RowCheck() = default;

Result<void> RowCheck::step(Cursor& cursor) {
  const auto more = cursor.rows->step();
  if (!more) return std::unexpected(more.error());
  cursor.entry = *more ? std::optional(cursor.rows->integer(0)) : std::nullopt;
  return {};
}

Result<void> RowCheck::open() {
  for (const Table& table : tables) {
    const auto rows = database_.scan(table.sql);
    if (!rows) return std::unexpected(rows.error());
    cursors_.push_back({.table = &table, .rows = *rows, .entry = std::nullopt});
    if (auto done = step(cursors_.back()); !done) return done;
  }
  return {};
}

void RowCheck::add_stray(const Cursor& cursor) {
  if (strays_.size() >= ledger::failures_max) return;
  strays_.push_back({.place = std::string(cursor.table->name),
                     .what = "it has a row of entry " + std::to_string(*cursor.entry) +
                             ", which is of no such kind or erased"});
}

Result<std::string> RowCheck::record(std::int64_t entry, const json::Value& record) {
  if (cursors_.empty()) {
    if (auto done = open(); !done) return std::unexpected(done.error());
  }
  entries_ = entry + 1;
  const std::string kind = record.text("kind");
  for (Cursor& cursor : cursors_) {
    while (cursor.entry && *cursor.entry < entry) {
      add_stray(cursor);
      if (auto done = step(cursor); !done) return std::unexpected(done.error());
    }
    if (cursor.table->kind != kind) continue;
    if (cursor.entry != entry) return "its row in " + std::string(cursor.table->name) + " is gone";
    std::string wrong = difference(*cursor.table, *cursor.rows, record);
    if (auto done = step(cursor); !done) return std::unexpected(done.error());
    return wrong;
  }
  return std::string();
}

Result<std::vector<ledger::Failure>> RowCheck::end() {
  for (Cursor& cursor : cursors_) {
    // What the daemon has written since is not looked at.
    while (cursor.entry && *cursor.entry < entries_) {
      add_stray(cursor);
      if (auto done = step(cursor); !done) return std::unexpected(done.error());
    }
  }
  return std::move(strays_);
}

Checks all_checks(db::Database& database) {
  const auto rows = std::make_shared<RowCheck>(database);
  return {.record = [rows, &database](std::int64_t entry,
                                      const json::Value& record) -> Result<std::string> {
            auto wrong = check_events(database, entry, record);
            auto row = rows->record(entry, record);
            return wrong && wrong->empty() ? std::move(row) : std::move(wrong);
          },
          .end = [rows] { return rows->end(); }};
}

}  // namespace mailwarden::report
