#include "app/state_book.h"

#include <utility>

#include "base/check.h"
#include "db/sqlite.h"

namespace mailwarden::app {
namespace {

constexpr std::string_view known_table = "stream";

}  // namespace

Result<std::unique_ptr<StateBook>> StateBook::open(std::span<const db::Migration> migrations,
                                                   db::Sealing* sealing, Timestamp now) {
  auto mirror = db::open_sqlite(":memory:");
  if (!mirror) return std::unexpected(mirror.error());
  if (auto done = db::migrate(**mirror, migrations, now); !done) {
    return std::unexpected(done.error());
  }
  return std::unique_ptr<StateBook>(new StateBook(*std::move(mirror), sealing));
}

void StateBook::note(std::initializer_list<std::string_view> tables,
                     const std::function<Result<void>(db::Database&)>& write) {
  // Undone at its end.
  auto transaction = db::Transaction::begin(*mirror_);
  CHECK(transaction);
  const auto written = write(*mirror_);
  CHECK(written);
  for (const std::string_view name : tables) {
    const report::StateTable& table = report::state_table(name);
    const auto read = report::each_state(*mirror_, table, [&](report::StateRow row) {
      row.key = stored_key(table, std::move(row.key));
      if (row.hash) {
        auto hash = report::kept_hash(table, *std::move(row.hash), sealing_);
        CHECK(hash);
        row.hash = *std::move(hash);
      }
      note(std::move(row));
      return Result<void>();
    });
    CHECK(read);
  }
}

// What makes the indexes stays in memory as long as the daemon runs.
std::vector<std::string> StateBook::stored_key(const report::StateTable& table,
                                               std::vector<std::string> key) const {
  auto stored = report::stored_key(table, std::move(key), sealing_);
  CHECK(stored);
  return *std::move(stored);
}

void StateBook::note_gone(std::string_view table, std::vector<std::string> key) {
  note({.table = table,
        .key = stored_key(report::state_table(table), std::move(key)),
        .hash = std::nullopt});
}

void StateBook::know(const report::StateRow& row) {
  CHECK(row.table == known_table && row.hash);
  known_[row.key] = *row.hash;
}

void StateBook::note(report::StateRow row) {
  if (row.table == known_table && row.hash) {
    if (std::string& known = known_[row.key]; std::exchange(known, *row.hash) == *row.hash) return;
  }
  Said said{.hash = row.hash ? json::Value(*std::move(row.hash)) : json::Value(), .open_hash = {}};
  // Where a row may be erased, what is left of it is held against this.
  const bool may_be_erased =
      sealing_ != nullptr && report::state_table(row.table).personal != nullptr;
  if (may_be_erased && !said.hash.is_null()) said.open_hash = std::move(row.open_hash);
  rows_[row.table][std::move(row.key)] = std::move(said);
}

std::vector<ledger::Entry> StateBook::take() {
  std::vector<ledger::Entry> entries;
  json::Object tables;
  std::size_t bytes = 0;
  const auto cut = [&] {
    if (tables.empty()) return;
    entries.push_back({"state", {{"tables", std::exchange(tables, {})}}});
    bytes = 0;
  };
  for (auto& [table, rows] : std::exchange(rows_, {})) {
    json::Array lines;
    const auto keep_lines = [&] {
      if (!lines.empty()) tables[std::string(table)] = std::exchange(lines, {});
    };
    for (auto& [key, said] : rows) {
      json::Array line;
      for (const std::string& value : key) {
        line.emplace_back(value);
        bytes += value.size();
      }
      line.push_back(std::move(said.hash));
      if (!said.open_hash.empty()) line.emplace_back(std::move(said.open_hash));
      lines.emplace_back(std::move(line));
      bytes += 150;
      if (bytes < record_bytes_soft) continue;
      keep_lines();
      cut();
    }
    keep_lines();
  }
  cut();
  return entries;
}

}  // namespace mailwarden::app
