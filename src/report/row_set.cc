#include "report/row_set.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/check.h"
#include "json/base64.h"
#include "report/csv.h"
#include "report/personal_tables.h"

namespace mailwarden::report {
namespace {

constexpr std::string_view entries_sql =
    "SELECT number, record, salt, leaf FROM ledger_entry"
    " WHERE kind = $1 AND number >= $2 AND number < $3 ORDER BY number";
constexpr std::array entry_fields{Field{"entry", Cell::integer}, Field{"record", Cell::object},
                                  Field{"salt", Cell::hash}, Field{"leaf", Cell::hash}};

constexpr std::string_view incidents_sql =
    "SELECT number, body FROM incident WHERE number IN"
    " (SELECT incident FROM incident_change WHERE entry >= $1 AND entry < $2) ORDER BY number";
constexpr std::array incident_fields{Field{"number", Cell::integer},
                                     Field{"incident", Cell::object}};

constexpr std::string_view alerts_sql =
    "SELECT entry, name, receiver, incident, time, standing, tries, trouble, settled, subject"
    " FROM alert WHERE entry >= $1 AND entry < $2 ORDER BY entry";
constexpr std::array alert_fields{Field{"entry", Cell::integer}, Field{"key", Cell::text},
                                  Field{"receiver", Cell::text}, Field{"incident", Cell::integer},
                                  Field{"time", Cell::time},     Field{"standing", Cell::text},
                                  Field{"tries", Cell::integer}, Field{"trouble", Cell::text},
                                  Field{"settled", Cell::time},  Field{"subject", Cell::text}};

constexpr std::string_view stored_sql =
    "SELECT stream.source, SUM(count), MIN(earliest), MAX(latest), MIN(latest) FROM event_batch"
    " JOIN stream ON stream.stream = event_batch.stream WHERE event_batch.entry < $1 AND NOT EXISTS"
    " (SELECT 1 FROM removed_batch WHERE removed_batch.batch = event_batch.entry"
    " AND removed_batch.entry < $1) GROUP BY stream.source ORDER BY stream.source";
constexpr std::array stored_fields{Field{"source", Cell::text}, Field{"events", Cell::integer},
                                   Field{"earliest", Cell::time}, Field{"latest", Cell::time},
                                   Field{"oldest_batch", Cell::time}};

constexpr std::array incident_personal_fields{-1, 1};
constexpr std::array alert_personal_fields{7, -1, 9};

using Cells = std::string_view;
constexpr std::array event_cells{
    Cells("entry"),  Cells("time"), Cells("source"), Cells("count"), Cells("earliest"),
    Cells("latest"), Cells("root"), Cells("record"), Cells("salt"),  Cells("leaf")};
constexpr std::array detection_cells{
    Cells("entry"),  Cells("time"),  Cells("incident"), Cells("title"), Cells("rule"),
    Cells("entity"), Cells("event"), Cells("record"),   Cells("salt"),  Cells("leaf")};
constexpr std::array change_cells{Cells("entry"),    Cells("time"),   Cells("incident"),
                                  Cells("sequence"), Cells("change"), Cells("who"),
                                  Cells("why"),      Cells("before"), Cells("after"),
                                  Cells("record"),   Cells("salt"),   Cells("leaf")};
constexpr std::array step_cells{Cells("entry"),    Cells("time"), Cells("playbook"), Cells("run"),
                                Cells("incident"), Cells("step"), Cells("before"),   Cells("after"),
                                Cells("who"),      Cells("why"),  Cells("record"),   Cells("salt"),
                                Cells("leaf")};
constexpr std::array gap_cells{Cells("entry"),  Cells("time"), Cells("source"), Cells("what"),
                               Cells("record"), Cells("salt"), Cells("leaf")};
constexpr std::array policy_cells{Cells("entry"), Cells("time"),         Cells("version"),
                                  Cells("rules"), Cells("correlations"), Cells("record"),
                                  Cells("salt"),  Cells("leaf")};
constexpr std::array removal_cells{Cells("entry"),  Cells("time"),   Cells("category"),
                                   Cells("source"), Cells("events"), Cells("earliest"),
                                   Cells("latest"), Cells("cutoff"), Cells("record"),
                                   Cells("salt"),   Cells("leaf")};
constexpr std::array incident_cells{
    Cells("number"),          Cells("severity_word"), Cells("state"),   Cells("title"),
    Cells("entity"),          Cells("opened"),        Cells("changed"), Cells("assignee"),
    Cells("detection_count"), Cells("row"),           Cells("because"), Cells("incident")};
constexpr std::array alert_cells{
    Cells("entry"),    Cells("time"),  Cells("receiver"), Cells("subject"), Cells("incident"),
    Cells("standing"), Cells("tries"), Cells("trouble"),  Cells("settled"), Cells("key")};
constexpr std::array stored_cells{Cells("source"), Cells("events"), Cells("earliest"),
                                  Cells("latest"), Cells("oldest_batch")};

constexpr Question entries_of(std::string_view name, std::string_view kind, std::string_view about,
                              std::span<const std::string_view> cells) {
  return {.name = name,
          .about = about,
          .sql = entries_sql,
          .kind = kind,
          .fields = entry_fields,
          .cells = cells};
}

constexpr std::array audit_questions{
    entries_of("events", "events", "batches of events that were taken in", event_cells),
    entries_of("detections", "detection", "rules that held", detection_cells),
    Question{.name = "incidents",
             .about = "incidents with a change in the period, as they stood",
             .sql = incidents_sql,
             .stays = Stays::standing,
             .fields = incident_fields,
             .cells = incident_cells,
             .personal_table = "incident",
             .personal_fields = incident_personal_fields},
    entries_of("changes", "incident", "changes of incidents", change_cells),
    Question{.name = "alerts",
             .about = "alerts that were decided, as they stood",
             .sql = alerts_sql,
             .stays = Stays::standing,
             .fields = alert_fields,
             .cells = alert_cells,
             .personal_table = "alert",
             .personal_fields = alert_personal_fields},
    entries_of("steps", "step", "moves of playbooks", step_cells),
    entries_of("gaps", "gap", "what may have been missed", gap_cells),
    entries_of("policies", "policies", "rules and policies that came into force", policy_cells),
    entries_of("removals", "removal", "what retention removed", removal_cells)};

constexpr std::array retention_questions{
    Question{.name = "stored",
             .about = "what was stored at the end of the period, by source",
             .sql = stored_sql,
             .from_beginning = true,
             .fields = stored_fields,
             .cells = stored_cells},
    entries_of("removals", "removal", "what retention removed", removal_cells)};

Result<json::Value> read_cell(const db::Statement& row, int column, Cell cell) {
  if (row.is_null(column)) return json::Value();
  switch (cell) {
    case Cell::integer:
      return json::Value(row.integer(column));
    case Cell::text:
      return json::Value(row.text(column));
    case Cell::time:
      return row.integer(column) == 0 ? json::Value()
                                      : json::Value(to_rfc3339({row.integer(column)}));
    case Cell::object:
      return json::parse(row.text(column));
    case Cell::hash:
      return json::Value(crypto::to_hex(row.blob(column)));
  }
  return json::Value();
}

// Instead of what a field's column holds.
using Instead = std::map<std::size_t, json::Value>;

Result<Instead> read_entry(db::Database& database, const db::Statement& row) {
  Instead instead;
  const auto content = ledger::read_content(database, row.integer(0), row, 1, 2);
  if (!content) return std::unexpected(content.error());
  if (content->erased) return Instead{{1, json::Value()}, {2, json::Value()}};
  auto record = json::parse(content->record);
  if (!record) return fail(Code::corrupt, record.error().what);
  instead[1] = *std::move(record);
  instead[2] = crypto::to_hex(content->salt);
  return instead;
}

Result<Instead> read_personal(db::Database& database, const db::Statement& row,
                              const Question& question) {
  const db::PersonalTable& table = personal_table(question.personal_table);
  CHECK(table.columns.size() == question.personal_fields.size());
  const std::string_view carrier = row.text(question.personal_fields.back());
  if (!db::is_sealed(carrier)) return Instead();
  const auto plain = db::open_row(database, table, row.text(0), carrier);
  const bool is_erased = !plain && plain.error().code == Code::not_found;
  if (!plain && !is_erased) return std::unexpected(plain.error());
  Instead instead;
  for (std::size_t i = 0; i < question.personal_fields.size(); ++i) {
    if (question.personal_fields[i] < 0) continue;
    const auto at = static_cast<std::size_t>(question.personal_fields[i]);
    const bool is_object = question.fields[at].cell == Cell::object;
    auto value = !is_object  ? json::Value(is_erased ? db::erased_text : (*plain)[i])
                 : is_erased ? json::Value(json::Object{{"erased", true}})
                             : json::parse((*plain)[i]);
    if (!value) return fail(Code::corrupt, value.error().what);
    instead[at] = *std::move(value);
  }
  return instead;
}

Result<json::Value> read_row(db::Database& database, const db::Statement& row,
                             const Question& question) {
  auto instead = !question.kind.empty()             ? read_entry(database, row)
                 : !question.personal_table.empty() ? read_personal(database, row, question)
                                                    : Result<Instead>();
  if (!instead && instead.error().code != Code::corrupt) return std::unexpected(instead.error());
  json::Object object;
  for (std::size_t i = 0; i < question.fields.size(); ++i) {
    const Field& field = question.fields[i];
    const bool is_read = instead && instead->contains(i);
    auto value = !instead  ? Result<json::Value>(std::unexpected(instead.error()))
                 : is_read ? Result<json::Value>(std::move((*instead)[i]))
                           : read_cell(row, static_cast<int>(i), field.cell);
    if (!value) {
      return fail(Code::corrupt, "a row of '" + std::string(question.name) +
                                     "' is damaged: " + value.error().what);
    }
    object.emplace(field.name, *std::move(value));
  }
  return json::Value(std::move(object));
}

// A cell is a column of the answer or a member of the object in it.
const json::Value& find_cell(const Question& question, const json::Value& row,
                             std::string_view name) {
  for (const Field& field : question.fields) {
    if (field.name == name) return row[name];
  }
  for (const Field& field : question.fields) {
    if (field.cell == Cell::object) return row[field.name][name];
  }
  return row[name];
}

std::string csv_head(const Question& question) {
  std::string line;
  for (const std::string_view name : question.cells) {
    line += (line.empty() ? "" : ",") + csv_cell(name);
  }
  return line + "\r\n";
}

std::string csv_line(const Question& question, const json::Value& row) {
  std::string line;
  bool first = true;
  for (const std::string_view name : question.cells) {
    if (!std::exchange(first, false)) line += ',';
    line += csv_cell(find_cell(question, row, name));
  }
  return line + "\r\n";
}

// Takes in the rows of one set.
class Collector {
 public:
  Collector(const Question& question, const RowLimits& limits)
      : question_(question), limits_(limits) {
    set_.question = &question;
    set_.rows.emplace();
    set_.csv = csv_head(question);
  }

  void add(json::Value row) {
    const std::string line = json::to_text(row) + "\n";
    ++set_.count;
    bytes_ += line.size();
    digest_.add(line);
    leaves_.add(row.text("leaf") + "\n");
    if (!question_.kind.empty() && row["record"].is_null()) ++set_.erased;
    if (set_.csv) *set_.csv += csv_line(question_, row);
    if (set_.csv && set_.csv->size() > limits_.csv_bytes_max) set_.csv.reset();
    if (set_.count > limits_.rows_max || bytes_ > limits_.bytes_max) set_.rows.reset();
    if (set_.rows) set_.rows->push_back(std::move(row));
  }

  RowSet end() {
    set_.digest = digest_.end();
    if (!question_.kind.empty()) set_.leaves = leaves_.end();
    return std::move(set_);
  }

 private:
  const Question& question_;
  const RowLimits& limits_;
  RowSet set_;
  std::size_t bytes_ = 0;
  crypto::Sha256 digest_;
  crypto::Sha256 leaves_;
};

Result<db::Statement*> begin_question(db::Database& database, const Question& question,
                                      const ledger::EntryRange& entries, RowSet& set) {
  if (question.from_beginning) {
    set.parameters = {entries.end};
    return database.scan(question.sql, {entries.end});
  }
  if (question.kind.empty()) {
    set.parameters = {entries.first, entries.end};
    return database.scan(question.sql, {entries.first, entries.end});
  }
  set.parameters = {question.kind, entries.first, entries.end};
  return database.scan(question.sql, {question.kind, entries.first, entries.end});
}

}  // namespace

std::vector<const Question*> questions_of(std::string_view report) {
  std::vector<const Question*> list;
  if (report == "audit") {
    for (const Question& one : audit_questions) list.push_back(&one);
  } else if (report == "retention") {
    for (const Question& one : retention_questions) list.push_back(&one);
  }
  return list;
}

const Question* find_question(std::string_view report, std::string_view name) {
  const auto all = questions_of(report);
  const auto found = std::ranges::find(all, name, &Question::name);
  return found == all.end() ? nullptr : *found;
}

Result<RowSet> ask(db::Database& database, const Question& question,
                   const ledger::EntryRange& entries, const RowLimits& limits,
                   const EachRow& each) {
  RowSet asked;
  const auto rows = begin_question(database, question, entries, asked);
  if (!rows) return std::unexpected(rows.error());
  Collector collector(question, limits);
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    auto row = read_row(database, **rows, question);
    if (!row) return std::unexpected(row.error());
    if (each) each(*row);
    collector.add(*std::move(row));
  }
  RowSet set = collector.end();
  set.parameters = std::move(asked.parameters);
  return set;
}

json::Object to_json(const RowSet& set) {
  json::Object object{{"about", set.question->about},
                      {"count", set.count},
                      {"name", set.question->name},
                      {"parameters", set.parameters},
                      {"sha256", crypto::to_hex(set.digest)},
                      {"sql", set.question->sql},
                      {"stays", set.question->stays == Stays::always ? "always" : "as it stood"}};
  if (set.leaves) object["leaves_sha256"] = crypto::to_hex(*set.leaves);
  if (set.rows) object["rows"] = *set.rows;
  return object;
}

RowDigests digests_of(const json::Array& rows) {
  crypto::Sha256 lines;
  crypto::Sha256 leaves;
  for (const json::Value& row : rows) {
    lines.add(json::to_text(row) + "\n");
    leaves.add(row.text("leaf") + "\n");
  }
  return {.rows = lines.end(), .leaves = leaves.end()};
}

std::string csv_of(const Question& question, const json::Array& rows) {
  std::string csv = csv_head(question);
  for (const json::Value& row : rows) csv += csv_line(question, row);
  return csv;
}

}  // namespace mailwarden::report
