#include "report/expected_rows.h"

#include "base/text.h"
#include "db/sqlite.h"

namespace mailwarden::report {
namespace {

std::string told_by(std::int64_t entry) {
  return "entry " + std::to_string(entry);
}

// The name of the first value that differs; nothing where all are alike.
std::optional<std::string> first_difference(const json::Value& expected, const json::Array& says,
                                            std::string_view names) {
  const json::Array* const values = expected.as_array();
  const auto columns = split(names, ',');
  for (std::size_t i = 0; i < says.size(); ++i) {
    const bool is_known = values != nullptr && i < values->size();
    if (says[i].is_null() || (is_known && ((*values)[i].is_null() || (*values)[i] == says[i]))) {
      continue;
    }
    return std::string(trim(columns[std::min(i, columns.size() - 1)]));
  }
  return std::nullopt;
}

}  // namespace

std::string row_place(std::string_view table, const json::Array& key) {
  std::string place(table);
  for (std::size_t i = 0; i < key.size(); ++i) {
    const std::string* const text = key[i].as_string();
    place += (i == 0 ? " " : " / ") + (text != nullptr ? *text : json::to_text(key[i]));
  }
  return place;
}

Result<ExpectedRows> ExpectedRows::open() {
  // A database without a name is SQLite's for what is thrown away.
  auto scratch = db::open_sqlite("");
  if (!scratch) return std::unexpected(scratch.error());
  auto made = (*scratch)->execute(
      "CREATE TABLE expected (name TEXT NOT NULL, row TEXT NOT NULL, part TEXT NOT NULL,"
      " at BIGINT NOT NULL, said TEXT NOT NULL, entry BIGINT NOT NULL, seen BIGINT NOT NULL,"
      " PRIMARY KEY (name, row));"
      "CREATE INDEX expected_part ON expected (name, part, at);");
  if (!made) return std::unexpected(made.error());
  // Never ended: nothing of it is to stay.
  if (auto begun = (*scratch)->begin(); !begun) return std::unexpected(begun.error());
  return ExpectedRows(*std::move(scratch));
}

Result<void> ExpectedRows::put(const Row& row) {
  const std::string key = json::to_text(row.key);
  const std::string said = json::to_text(row.said);
  return scratch_->run(
      "INSERT INTO expected (name, row, part, at, said, entry, seen)"
      " VALUES ($1, $2, $3, $4, $5, $6, 0)"
      " ON CONFLICT (name, row) DO UPDATE SET said = $5, entry = $6",
      {row.table, std::string_view(key), std::string_view(row.part), row.at, std::string_view(said),
       row.entry});
}

Result<void> ExpectedRows::remove(std::string_view table, const json::Array& key) {
  const std::string text = json::to_text(key);
  return scratch_->run("DELETE FROM expected WHERE name = $1 AND row = $2",
                       {table, std::string_view(text)});
}

Result<std::optional<ExpectedRows::Row>> ExpectedRows::find(std::string_view table,
                                                            const std::string& part) {
  const auto found =
      scratch_->query("SELECT row, said, entry FROM expected WHERE name = $1 AND part = $2",
                      {table, std::string_view(part)});
  if (!found) return std::unexpected(found.error());
  const auto more = (*found)->step();
  if (!more) return std::unexpected(more.error());
  std::optional<Row> row;
  if (*more) {
    auto key = json::parse((*found)->text(0));
    auto said = json::parse((*found)->text(1));
    if (key && said && key->as_array() != nullptr && said->as_array() != nullptr) {
      row = Row{.table = table,
                .key = *std::move(key)->as_array(),
                .said = *std::move(said)->as_array(),
                .entry = (*found)->integer(2),
                .part = part};
    }
  }
  if (auto ended = (*found)->bind(std::span<const db::Value>()); !ended) {
    return std::unexpected(ended.error());
  }
  return row;
}

Result<std::optional<ledger::Failure>> ExpectedRows::check(std::string_view table,
                                                           const json::Array& key,
                                                           const json::Array& says,
                                                           std::string_view names) {
  const std::string text = json::to_text(key);
  const auto failure = [&](std::string what) {
    return ledger::Failure{.place = row_place(table, key), .what = std::move(what)};
  };
  const auto found =
      scratch_->query("SELECT said, entry FROM expected WHERE name = $1 AND row = $2",
                      {table, std::string_view(text)});
  if (!found) return std::unexpected(found.error());
  const auto more = (*found)->step();
  if (!more) return std::unexpected(more.error());
  if (!*more) return failure("no entry of the ledger tells of this row");
  const std::int64_t entry = (*found)->integer(1);
  const std::string says_text = json::to_text(says);
  std::optional<std::string> differs;
  if ((*found)->text(0) != says_text) {
    const auto expected = json::parse((*found)->text(0));
    differs = first_difference(expected ? *expected : json::Value(), says, names);
  }
  if (auto done = see(table, key); !done) return std::unexpected(done.error());
  if (!differs) return std::optional<ledger::Failure>();
  return failure("it is not what " + told_by(entry) + " says" +
                 (differs->empty() ? "" : ": '" + *differs + "' differs"));
}

Result<bool> ExpectedRows::has(std::string_view table, const json::Array& key) {
  const std::string text = json::to_text(key);
  const auto count = scratch_->integer("SELECT COUNT(*) FROM expected WHERE name = $1 AND row = $2",
                                       {table, std::string_view(text)});
  if (!count) return std::unexpected(count.error());
  return *count > 0;
}

Result<void> ExpectedRows::see(std::string_view table, const json::Array& key) {
  const std::string text = json::to_text(key);
  return scratch_->run("UPDATE expected SET seen = 1 WHERE name = $1 AND row = $2",
                       {table, std::string_view(text)});
}

Result<std::vector<ledger::Failure>> ExpectedRows::missing(std::string_view table,
                                                           std::optional<std::int64_t> horizon) {
  const auto rows = scratch_->query(
      "SELECT row, entry FROM expected AS one WHERE name = $1 AND seen = 0 AND NOT EXISTS"
      " (SELECT 1 FROM expected AS other WHERE $2 >= 0 AND other.name = one.name"
      " AND other.part = one.part AND other.at >= one.at + $2) ORDER BY entry, row LIMIT $3",
      {table, horizon.value_or(-1), static_cast<std::int64_t>(ledger::failures_max)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<ledger::Failure> found;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return found;
    const auto key = json::parse((*rows)->text(0));
    found.push_back(
        {.place =
             row_place(table, key && key->as_array() != nullptr ? *key->as_array() : json::Array()),
         .what = "its row is gone, of which " + told_by((*rows)->integer(1)) + " tells"});
  }
}

}  // namespace mailwarden::report
