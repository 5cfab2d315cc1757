// A book of keys in a folder of its own, and a table with sealed values.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/entropy.h"
#include "crypto/file_key_provider.h"
#include "db/sqlite.h"
#include "tests/temporary.h"
#include "vault/vault.h"

namespace mailwarden::vault {

// The file's keys, until somebody says that the way to them is cut.
class CutProvider final : public crypto::KeyProvider {
 public:
  CutProvider(const std::string& path, Listener listener)
      : KeyProvider(std::move(listener)), file_(path, "test", {}) {}

  std::string description() const override { return file_.description(); }

  bool cut = false;
  int asked = 0;

 private:
  Result<crypto::KekName> do_newest() override {
    if (cut) return fail(Code::unavailable, "the way is cut");
    return file_.newest();
  }
  Result<crypto::Bytes> do_wrap(const crypto::KekName&, crypto::Piece plain) override {
    ++asked;
    auto wrapped = file_.wrap(plain, "");
    if (!wrapped) return std::unexpected(wrapped.error());
    return std::move(wrapped->bytes);
  }
  Result<crypto::SecretBytes> do_unwrap(const crypto::KekName& kek,
                                        crypto::Piece wrapped) override {
    ++asked;
    if (cut) return fail(Code::unavailable, "the way is cut");
    return file_.unwrap(kek, wrapped, "");
  }

  crypto::FileKeyProvider file_;
};

class BookTest : public testing::Test {
 protected:
  BookTest() {
    EXPECT_TRUE(crypto::FileKeyProvider::create(kek, entropy));
    provider = provider_of(kek);
  }

  std::unique_ptr<CutProvider> provider_of(const std::string& path) {
    return std::make_unique<CutProvider>(
        path, [this](const crypto::KekUse& use) { uses.push_back(use); });
  }

  Result<std::unique_ptr<Vault>> try_open(crypto::KeyProvider& with,
                                          const std::string& path = "book.db") {
    auto database =
        db::open_sqlite(folder.path(path), {.busy_timeout = std::chrono::milliseconds(50)}).value();
    EXPECT_TRUE(db::migrate(*database, migrations(), clock.now()));
    return Vault::open(std::move(database), with, entropy, clock, {.tables = {"note", "other"}});
  }
  std::unique_ptr<Vault> open() { return try_open(*provider).value(); }

  TemporaryFolder folder;
  std::string kek = folder.path("kek");
  crypto::SystemEntropy entropy;
  ManualClock clock{Timestamp{1'800'000'000'000'000}};
  std::vector<crypto::KekUse> uses;
  std::unique_ptr<CutProvider> provider;
};

using Subjects = std::vector<std::string_view>;

inline std::string user(int i) {
  return "user" + std::to_string(i) + "@example.com";
}

inline crypto::Place note(std::string_view row) {
  return {.table = "note", .column = "body", .row = row};
}

// The table "note" of a store.
class Notes final : public SealedTable {
 public:
  explicit Notes(const std::string& path) : database_(db::open_sqlite(path).value()) {
    EXPECT_TRUE(database_->execute(
        "CREATE TABLE IF NOT EXISTS note (id TEXT PRIMARY KEY, body BLOB NOT NULL)"));
  }

  std::string_view name() const override { return "note"; }

  Result<SealedRows> after(const std::string& cursor, std::size_t rows_max) override {
    const auto rows =
        database_->query("SELECT id, body FROM note WHERE id > $1 ORDER BY id LIMIT $2",
                         {std::string_view(cursor), std::int64_t(rows_max)});
    if (!rows) return std::unexpected(rows.error());
    SealedRows found;
    while ((*rows)->step().value()) {
      const db::Blob body = (*rows)->blob(1);
      found.last = (*rows)->text(0);
      found.values.push_back({found.last, "body", {body.begin(), body.end()}});
    }
    return found;
  }

  Result<void> replace(std::span<const Resealed> values) override {
    auto transaction = db::Transaction::begin(*database_).value();
    for (const Resealed& value : values) {
      EXPECT_TRUE(database_->run("UPDATE note SET body = $1 WHERE id = $2 AND body = $3",
                                 {db::Blob(value.sealed), std::string_view(value.before->row),
                                  db::Blob(value.before->sealed)}));
    }
    EXPECT_TRUE(transaction.commit());
    if (dies_behind_replace) return fail(Code::io, "killed behind the commit");
    return {};
  }

  void put(const std::string& id, const crypto::Bytes& body) {
    EXPECT_TRUE(database_->run(
        "INSERT INTO note (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = $2",
        {std::string_view(id), db::Blob(body)}));
  }
  crypto::Bytes get(const std::string& id) {
    const auto row =
        database_->query("SELECT body FROM note WHERE id = $1", {std::string_view(id)}).value();
    EXPECT_TRUE(row->step().value()) << id;
    const db::Blob body = row->blob(0);
    crypto::Bytes bytes(body.begin(), body.end());
    EXPECT_FALSE(row->step().value());
    return bytes;
  }
  db::Database& database() { return *database_; }

  bool dies_behind_replace = false;

 private:
  std::unique_ptr<db::Database> database_;
};

}  // namespace mailwarden::vault
