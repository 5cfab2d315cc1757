#include "report/check_rows.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/timestamp.h"
#include "event/event.h"
#include "report/check_state.h"
#include "report/personal_tables.h"
#include "report/report.h"

namespace mailwarden::report {
namespace {

// How a column stands in the record.
enum class As : std::uint8_t { text, integer, time, event };

struct CheckedColumn {
  int index = 0;
  As as = As::text;
  std::string_view member;   // of the record
  std::string_view in = {};  // the member that this one stands in; "" for the record itself
};

struct Table {
  std::string_view name;
  std::string_view kind;
  std::string_view sql;  // entry and body first
  std::span<const CheckedColumn> columns;
  std::span<const std::string_view> beside;  // members that the record has and the body has not
  bool tells_when = false;        // a member "when" beside the body, which older entries have not
  std::span<const int> key = {};  // columns that name a row
  std::span<const int> personal = {};  // those that are personal, as the module has them
};

// A row with what is personal of it, read.
struct OpenedRow {
  const db::Statement& row;
  const Table& table;
  std::vector<std::string> plain;

  std::string_view text(int column) const {
    const auto found = std::ranges::find(table.personal, column);
    if (found == table.personal.end()) return row.text(column);
    return plain[static_cast<std::size_t>(found - table.personal.begin())];
  }
  std::int64_t integer(int column) const { return row.integer(column); }
};

// not_found where it was erased.
Result<OpenedRow> open_row(db::Database& database, const Table& table, const db::Statement& row) {
  const auto texts = [&](std::span<const int> columns) {
    std::vector<std::string_view> all;
    for (const int column : columns) all.push_back(row.text(column));
    return all;
  };
  auto plain = db::to_plain(database, personal_table(table.name), db::row_name(texts(table.key)),
                            texts(table.personal));
  if (!plain) return std::unexpected(plain.error());
  return OpenedRow{.row = row, .table = table, .plain = *std::move(plain)};
}

constexpr std::array by_entry{0};
constexpr std::array by_number{5};
constexpr std::array by_sequence{2, 3};
constexpr std::array body_alone{1};
constexpr std::array decision_personal{3, 5, 1};
constexpr std::array detection_personal{4, 1};

constexpr std::array<std::string_view, 2> beside_all{"kind", "time"};
constexpr std::array<std::string_view, 5> beside_detection{"incident", "kind", "number", "time",
                                                           "waits"};

constexpr std::array decision_columns{
    CheckedColumn{2, As::text, "id"},     CheckedColumn{3, As::text, "principal"},
    CheckedColumn{4, As::text, "action"}, CheckedColumn{5, As::text, "resource"},
    CheckedColumn{6, As::text, "why"},    CheckedColumn{7, As::text, "decision"},
    CheckedColumn{8, As::time, "when"}};
constexpr std::array detection_columns{
    CheckedColumn{2, As::text, "rule"},           CheckedColumn{3, As::text, "kind", "entity"},
    CheckedColumn{4, As::text, "name", "entity"}, CheckedColumn{5, As::integer, "number"},
    CheckedColumn{6, As::integer, "incident"},    CheckedColumn{7, As::time, "event_time"},
    CheckedColumn{8, As::event, "event"}};
constexpr std::array incident_columns{CheckedColumn{2, As::integer, "incident"},
                                      CheckedColumn{3, As::integer, "sequence"},
                                      CheckedColumn{4, As::time, "when"}};
constexpr std::array move_columns{CheckedColumn{2, As::integer, "run"},
                                  CheckedColumn{3, As::time, "when"}};
constexpr std::array grant_columns{CheckedColumn{2, As::integer, "grant"},
                                   CheckedColumn{3, As::integer, "sequence"},
                                   CheckedColumn{4, As::time, "when"}};

constexpr std::array tables{
    Table{"decision", "decision",
          "SELECT entry, body, id, principal, action, resource, why,"
          " CASE allowed WHEN 1 THEN 'allow' WHEN 0 THEN 'deny' ELSE '' END, time FROM decision "
          "ORDER BY entry",
          decision_columns, beside_all, false, by_entry, decision_personal},
    Table{"detection", "detection",
          "SELECT entry, body, rule, entity_kind, entity_name, number, incident, time, stream,"
          " position FROM detection ORDER BY entry",
          detection_columns, beside_detection, false, by_number, detection_personal},
    Table{"incident_change", "incident",
          "SELECT entry, body, incident, sequence, time FROM incident_change ORDER BY entry",
          incident_columns, beside_all, true, by_sequence, body_alone},
    Table{"playbook_move", "step",
          "SELECT entry, body, run, time FROM playbook_move ORDER BY entry", move_columns,
          beside_all, true, by_entry, body_alone},
    Table{"grant_changes", "grant",
          "SELECT entry, body, number, sequence, time FROM grant_changes ORDER BY entry",
          grant_columns, beside_all, true, by_sequence, body_alone}};

bool agrees(const OpenedRow& row, const CheckedColumn& column, const json::Value& record) {
  const json::Value& of = column.in.empty() ? record : record[column.in];
  switch (column.as) {
    case As::text:
      return row.text(column.index) == of.text(column.member);
    case As::integer:
      return row.text(column.index) == std::to_string(of.integer(column.member, INT64_MIN));
    case As::time: {
      const auto time = parse_rfc3339(of.text(column.member));
      return time && row.text(column.index) == std::to_string(time->us);
    }
    case As::event:
      return to_string(EventId{row.integer(column.index), row.integer(column.index + 1)}) ==
             of.text(column.member);
  }
  return false;
}

// The record without what it has beside the body, as text.
std::string body_text(const Table& table, const json::Object& record) {
  std::string text = "{";
  for (const auto& [name, value] : record) {
    const bool is_when = table.tells_when && name == "when";
    if (is_when || std::ranges::find(table.beside, name) != table.beside.end()) continue;
    if (text.size() > 1) text += ',';
    json::append_string(text, name);
    text += ':';
    json::append_text(text, value);
  }
  return text + "}";
}

// In what a body differs from that text.
std::string body_difference(std::string_view stored, const std::string& expected) {
  const auto body = json::parse(stored);
  const auto told = json::parse(expected);
  if (!body || body->as_object() == nullptr || !told) return " is damaged";
  for (const auto& [name, value] : *body->as_object()) {
    if ((*told)[name] != value) return " says otherwise of '" + name + "'";
  }
  return *body == *told ? " is not canonical JSON" : " does not say all that it should";
}

// What the row of an entry says otherwise; "" where all is alike.
std::string difference(const Table& table, const OpenedRow& row, const json::Value& record) {
  if (record.as_object() == nullptr) return {};
  const std::string place = "its row in " + std::string(table.name);
  const std::string expected = body_text(table, *record.as_object());
  if (expected != row.text(1)) return place + body_difference(row.text(1), expected);
  for (const CheckedColumn& column : table.columns) {
    const bool is_untold = table.tells_when && column.member == "when" && record["when"].is_null();
    if (is_untold || agrees(row, column, record)) continue;
    return place + " is found under another '" + std::string(column.member) + "'";
  }
  return {};
}

}  // namespace

struct RowCheck::Cursor {
  const Table* table = nullptr;
  db::Statement* rows = nullptr;
  std::optional<std::int64_t> entry;  // of the row it stands at
  std::int64_t untold = 0;            // rows of whose time their entry tells nothing
  std::int64_t erased = 0;            // rows that went with their entries
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

Result<void> RowCheck::add_stray(Cursor& cursor) {
  // What an entry said and its row went together.
  const auto opened = open_row(database_, *cursor.table, *cursor.rows);
  if (!opened && opened.error().code == Code::not_found) {
    ++cursor.erased;
    return {};
  }
  if (!opened && opened.error().code != Code::corrupt) return std::unexpected(opened.error());
  if (found_.failures.size() >= ledger::failures_max) return {};
  found_.failures.push_back({.place = std::string(cursor.table->name),
                             .what = "it has a row of entry " + std::to_string(*cursor.entry) +
                                     ", which is of no such kind or erased"});
  return {};
}

Result<std::string> RowCheck::record(std::int64_t entry, const json::Value& record) {
  if (cursors_.empty()) {
    if (auto done = open(); !done) return std::unexpected(done.error());
  }
  const std::string kind = record.text("kind");
  for (Cursor& cursor : cursors_) {
    if (auto done = run_out(cursor, entry); !done) return std::unexpected(done.error());
    if (cursor.table->kind != kind) continue;
    if (cursor.entry != entry) return "its row in " + std::string(cursor.table->name) + " is gone";
    auto compared = compare(cursor, record);
    if (!compared) return compared;
    std::string wrong = *std::move(compared);
    if (cursor.table->tells_when && record["when"].is_null()) ++cursor.untold;
    if (auto done = step(cursor); !done) return std::unexpected(done.error());
    return wrong;
  }
  return std::string();
}

Result<std::string> RowCheck::compare(const Cursor& cursor, const json::Value& record) {
  const Table& table = *cursor.table;
  const auto opened = open_row(database_, table, *cursor.rows);
  if (opened) return difference(table, *opened, record);
  if (opened.error().code == Code::not_found) {
    return "its row in " + std::string(table.name) + " is erased, but it is not";
  }
  if (opened.error().code == Code::corrupt) {
    return "its row in " + std::string(table.name) + ": " + opened.error().what;
  }
  return std::unexpected(opened.error());
}

Result<void> RowCheck::run_out(Cursor& cursor, std::int64_t before) {
  while (cursor.entry && *cursor.entry < before) {
    if (auto done = add_stray(cursor); !done) return done;
    if (auto done = step(cursor); !done) return done;
  }
  return {};
}

Result<ledger::Findings> RowCheck::end() {
  if (cursors_.empty()) {
    if (auto done = open(); !done) return std::unexpected(done.error());
  }
  for (Cursor& cursor : cursors_) {
    if (auto done = run_out(cursor, INT64_MAX); !done) return std::unexpected(done.error());
  }
  for (const Cursor& cursor : cursors_) {
    if (cursor.erased > 0) {
      found_.not_held.push_back(std::string(cursor.table->name) + ": " +
                                std::to_string(cursor.erased) + " rows that were erased");
    }
    if (cursor.untold == 0) continue;
    found_.not_held.push_back(std::string(cursor.table->name) + ": the time of " +
                              std::to_string(cursor.untold) + " rows");
  }
  return std::move(found_);
}

Checks closed_checks(db::Database& database) {
  return {
      .record = [&database](std::int64_t entry, const json::Value& record) -> Result<std::string> {
        return check_events(database, entry, record, true);
      },
      .end = []() -> Result<ledger::Findings> {
        ledger::Findings found;
        found.not_held.emplace_back(
            "every table beside the events and the ledger: the store is encrypted, and its "
            "keys are not given");
        return found;
      }};
}

Checks all_checks(db::Database& database) {
  const auto rows = std::make_shared<RowCheck>(database);
  const auto state = std::make_shared<StateCheck>(database);
  return {.record = [rows, state, &database](std::int64_t entry,
                                             const json::Value& record) -> Result<std::string> {
            // Each of them has to see every entry, and what each finds is told.
            auto wrong = check_events(database, entry, record, false);
            for (auto also : {rows->record(entry, record), state->record(entry, record)}) {
              if (!wrong || (also && also->empty())) continue;
              if (!also || wrong->empty()) {
                wrong = std::move(also);
              } else {
                *wrong += "; " + *also;
              }
            }
            return wrong;
          },
          .end = [rows, state]() -> Result<ledger::Findings> {
            auto found = rows->end();
            if (!found) return found;
            auto more = state->end();
            if (!more) return more;
            std::ranges::move(more->failures, std::back_inserter(found->failures));
            std::ranges::move(more->not_held, std::back_inserter(found->not_held));
            return found;
          }};
}

}  // namespace mailwarden::report
