#include "vault/key_table.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "db/each_row.h"
#include "vault/vault.h"

namespace mailwarden::vault {
namespace {

constexpr std::array steps{db::Migration{"vault", 1, R"sql(
CREATE TABLE vault_key (
  key_id BIGINT NOT NULL,
  version BIGINT NOT NULL,
  kek_name TEXT NOT NULL,
  kek_version BIGINT NOT NULL,
  wrapped BLOB NOT NULL,
  made BIGINT NOT NULL,
  retired BIGINT NOT NULL,
  PRIMARY KEY (key_id, version)
);
CREATE INDEX vault_key_by_kek ON vault_key (kek_name, kek_version);
CREATE TABLE vault_subject (
  subject BLOB PRIMARY KEY,
  key_id BIGINT NOT NULL UNIQUE
);
CREATE TABLE vault_shredded (
  key_id BIGINT PRIMARY KEY,
  at BIGINT NOT NULL
);
CREATE TABLE vault_share (
  version BIGINT PRIMARY KEY,
  share BLOB NOT NULL
);
CREATE TABLE vault_walk (
  table_name TEXT PRIMARY KEY,
  row_after TEXT NOT NULL,
  done BIGINT NOT NULL,
  deferred BIGINT NOT NULL
);
)sql"}};

// Ids have 63 bits, as databases count.
std::int64_t value(std::uint64_t id) {
  CHECK(id <= INT64_MAX);
  return static_cast<std::int64_t>(id);
}

KeyRow read_row(const db::Statement& row) {
  const db::Blob wrapped = row.blob(4);
  return {.name = {static_cast<std::uint64_t>(row.integer(0)),
                   static_cast<std::uint32_t>(row.integer(1))},
          .wrapped = {.kek = {std::string(row.text(2)), static_cast<std::uint32_t>(row.integer(3))},
                      .bytes = {wrapped.begin(), wrapped.end()}}};
}

}  // namespace

std::span<const db::Migration> migrations() {
  return steps;
}

Result<std::vector<KeyRow>> KeyTable::rows(std::string_view sql,
                                           std::initializer_list<db::Value> values) {
  std::vector<KeyRow> found;
  auto done = db::each_row(*database_, sql, values,
                           [&](const db::Statement& row) { found.push_back(read_row(row)); });
  if (!done) return std::unexpected(done.error());
  return found;
}

Result<std::optional<KeyRow>> KeyTable::row(std::string_view sql,
                                            std::initializer_list<db::Value> values) {
  auto found = rows(sql, values);
  if (!found) return std::unexpected(found.error());
  if (found->empty()) return std::nullopt;
  return std::move(found->front());
}

Result<std::optional<KeyRow>> KeyTable::find(const KeyName& name) {
  return row(
      "SELECT key_id, version, kek_name, kek_version, wrapped FROM vault_key "
      "WHERE key_id = $1 AND version = $2",
      {value(name.id), std::int64_t{name.version}});
}

Result<std::optional<KeyRow>> KeyTable::newest(std::uint64_t id) {
  return row(
      "SELECT key_id, version, kek_name, kek_version, wrapped FROM vault_key "
      "WHERE key_id = $1 AND retired = 0",
      {value(id)});
}

Result<std::optional<KeyRow>> KeyTable::newest(const SubjectIndex& subject) {
  return row(
      "SELECT k.key_id, k.version, k.kek_name, k.kek_version, k.wrapped "
      "FROM vault_subject s JOIN vault_key k ON k.key_id = s.key_id "
      "WHERE s.subject = $1 AND k.retired = 0",
      {db::Blob(subject)});
}

Result<void> KeyTable::add(const KeyRow& row, Timestamp now) {
  return database_->run(
      "INSERT INTO vault_key (key_id, version, kek_name, kek_version, wrapped, made, retired) "
      "VALUES ($1, $2, $3, $4, $5, $6, 0)",
      {value(row.name.id), std::int64_t{row.name.version}, std::string_view(row.wrapped.kek.name),
       std::int64_t{row.wrapped.kek.version}, db::Blob(row.wrapped.bytes), db::value(now)});
}

Result<bool> KeyTable::add_subject(const SubjectIndex& subject, std::uint64_t id) {
  auto done = database_->run(
      "INSERT INTO vault_subject (subject, key_id) VALUES ($1, $2) "
      "ON CONFLICT (subject) DO NOTHING",
      {db::Blob(subject), value(id)});
  if (!done) return std::unexpected(done.error());
  return database_->changes() == 1;
}

Result<std::int64_t> KeyTable::count_subjects() {
  return database_->integer("SELECT COUNT(*) FROM vault_subject");
}

Result<std::int64_t> KeyTable::count_shredded() {
  return database_->integer("SELECT COUNT(*) FROM vault_shredded");
}

Result<std::optional<Timestamp>> KeyTable::shredded(std::uint64_t id) {
  std::optional<Timestamp> at;
  auto done =
      db::each_row(*database_, "SELECT at FROM vault_shredded WHERE key_id = $1", {value(id)},
                   [&](const db::Statement& row) { at = Timestamp{row.integer(0)}; });
  if (!done) return std::unexpected(done.error());
  return at;
}

Result<void> KeyTable::shred(std::uint64_t id, Timestamp now) {
  for (const std::string_view sql :
       {"DELETE FROM vault_key WHERE key_id = $1", "DELETE FROM vault_subject WHERE key_id = $1"}) {
    if (auto done = database_->run(sql, {value(id)}); !done) return done;
  }
  return database_->run(
      "INSERT INTO vault_shredded (key_id, at) VALUES ($1, $2) ON CONFLICT (key_id) DO NOTHING",
      {value(id), db::value(now)});
}

Result<void> KeyTable::retire(const KeyName& name) {
  return database_->run("UPDATE vault_key SET retired = 1 WHERE key_id = $1 AND version = $2",
                        {value(name.id), std::int64_t{name.version}});
}

Result<std::set<KeyName>> KeyTable::retired() {
  std::set<KeyName> names;
  auto done = db::each_row(*database_, "SELECT key_id, version FROM vault_key WHERE retired = 1",
                           {}, [&](const db::Statement& row) {
                             names.insert({static_cast<std::uint64_t>(row.integer(0)),
                                           static_cast<std::uint32_t>(row.integer(1))});
                           });
  if (!done) return std::unexpected(done.error());
  return names;
}

Result<void> KeyTable::drop_retired() {
  return database_->run("DELETE FROM vault_key WHERE retired = 1", {});
}

Result<std::vector<KeyRow>> KeyTable::wrapped_otherwise(const crypto::KekName& kek,
                                                        const KeyName& after,
                                                        std::size_t rows_max) {
  return rows(
      "SELECT key_id, version, kek_name, kek_version, wrapped FROM vault_key "
      "WHERE (kek_name <> $1 OR kek_version <> $2) "
      "AND (key_id > $3 OR (key_id = $3 AND version > $4)) ORDER BY key_id, version LIMIT $5",
      {std::string_view(kek.name), std::int64_t{kek.version}, value(after.id),
       std::int64_t{after.version}, static_cast<std::int64_t>(rows_max)});
}

Result<std::int64_t> KeyTable::count_otherwise(const crypto::KekName& kek) {
  return database_->integer(
      "SELECT COUNT(*) FROM vault_key WHERE kek_name <> $1 OR kek_version <> $2",
      {std::string_view(kek.name), std::int64_t{kek.version}});
}

Result<void> KeyTable::rewrap(const KeyRow& row, const crypto::KekName& before) {
  return database_->run(
      "UPDATE vault_key SET kek_name = $1, kek_version = $2, wrapped = $3 "
      "WHERE key_id = $4 AND version = $5 AND kek_name = $6 AND kek_version = $7",
      {std::string_view(row.wrapped.kek.name), std::int64_t{row.wrapped.kek.version},
       db::Blob(row.wrapped.bytes), value(row.name.id), std::int64_t{row.name.version},
       std::string_view(before.name), std::int64_t{before.version}});
}

Result<std::vector<KekCount>> KeyTable::counts() {
  std::vector<KekCount> found;
  auto done = db::each_row(*database_,
                           "SELECT kek_name, kek_version, COUNT(*) FROM vault_key "
                           "GROUP BY kek_name, kek_version ORDER BY kek_name, kek_version",
                           {}, [&](const db::Statement& row) {
                             found.push_back({.kek = {std::string(row.text(0)),
                                                      static_cast<std::uint32_t>(row.integer(1))},
                                              .keys = row.integer(2)});
                           });
  if (!done) return std::unexpected(done.error());
  return found;
}

Result<std::optional<Walk>> KeyTable::walk(std::string_view table) {
  std::optional<Walk> found;
  auto done = db::each_row(*database_,
                           "SELECT row_after, done, deferred FROM vault_walk WHERE table_name = $1",
                           {table}, [&](const db::Statement& row) {
                             found = Walk{.after = std::string(row.text(0)),
                                          .done = row.integer(1) != 0,
                                          .deferred = row.integer(2) != 0};
                           });
  if (!done) return std::unexpected(done.error());
  return found;
}

Result<void> KeyTable::begin_walk(std::string_view table, bool deferred) {
  return database_->run(
      "INSERT INTO vault_walk (table_name, row_after, done, deferred) VALUES ($1, '', 0, $2) "
      "ON CONFLICT (table_name) DO UPDATE SET row_after = '', done = 0, "
      "deferred = CASE WHEN vault_walk.deferred = 1 THEN 1 ELSE excluded.deferred END",
      {table, db::value(deferred)});
}

Result<void> KeyTable::advance_walk(std::string_view table, std::string_view after, bool done) {
  return database_->run(
      "UPDATE vault_walk SET row_after = $2, done = $3, deferred = deferred * $4 "
      "WHERE table_name = $1",
      {table, after, db::value(done), db::value(!done)});
}

Result<std::int64_t> KeyTable::walks_not_done() {
  return database_->integer("SELECT COUNT(*) FROM vault_walk WHERE done = 0");
}

Result<std::vector<std::string>> KeyTable::deferred_tables() {
  std::vector<std::string> names;
  auto done = db::each_row(
      *database_, "SELECT table_name FROM vault_walk WHERE deferred = 1 ORDER BY table_name", {},
      [&](const db::Statement& row) { names.emplace_back(row.text(0)); });
  if (!done) return std::unexpected(done.error());
  return names;
}

Result<void> KeyTable::end_walks() {
  return database_->run("DELETE FROM vault_walk", {});
}

Result<void> KeyTable::add_share(std::uint32_t version, const crypto::Share& share) {
  return database_->run("INSERT INTO vault_share (version, share) VALUES ($1, $2)",
                        {std::int64_t{version}, db::Blob(share)});
}

Result<std::pair<std::uint32_t, crypto::Share>> KeyTable::share() {
  std::pair<std::uint32_t, crypto::Share> found{0, {}};
  auto done = db::each_row(*database_,
                           "SELECT version, share FROM vault_share ORDER BY version DESC LIMIT 1",
                           {}, [&](const db::Statement& row) {
                             if (row.blob(1).size() != found.second.size()) return;
                             found.first = static_cast<std::uint32_t>(row.integer(0));
                             std::ranges::copy(row.blob(1), found.second.begin());
                           });
  if (!done) return std::unexpected(done.error());
  return found;
}

}  // namespace mailwarden::vault
