// The core as a plain loop: a set clock, seeded randomness.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "app/core.h"
#include "crypto/file_key_provider.h"
#include "crypto/sha256.h"
#include "db/sqlite.h"
#include "report/personal_tables.h"
#include "tests/db/store.h"
#include "tests/temporary.h"

namespace mailwarden::app {

inline constexpr Timestamp start{1'764'000'000'000'000};

// The same bytes for the same purpose in the same order, so that two runs have the same salts.
class SeededEntropy final : public Entropy {
 public:
  void fill(std::span<std::byte> out, std::string_view purpose) override {
    const std::string text = std::string(purpose) + "/" + std::to_string(count_++);
    const auto digest = crypto::sha256(text);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = digest[i % digest.size()];
  }

 private:
  std::uint64_t count_ = 0;
};

inline std::string rule_text() {
  return "title: A test line\nid: r1\nname: test_line\nlogsource: {product: linux, service: sshd}\n"
         "level: medium\ndetection:\n  selection:\n    event: login_failed\n  condition: "
         "selection\n"
         "mailwarden: {entity: src_endpoint.ip, facts: {attack_attempted: true}}\n";
}

class CoreTest : public testing::Test {
 protected:
  CoreTest() {
    std::filesystem::create_directories(folder_.path("rules"));
    std::filesystem::create_directories(folder_.path("policies/playbooks"));
    write_file(folder_.path("rules/test.yml"), rule_text());
    std::filesystem::copy(source_folder() + "/policies/severity.yaml",
                          folder_.path("policies/severity.yaml"));
    write_file(folder_.path("policies/routes.yaml"),
               "receivers: [{name: spool, kind: folder, folder: s}]\n"
               "routes: [{changes: [opened], to: [spool]}]\n");
    write_file(folder_.path("policies/playbooks/p.yaml"),
               "name: p\ntitle: T\nwhen: {rules: [test_line]}\nsteps:\n"
               "  - {id: tell, notify: [spool], text: 'see ${incident.entity}'}\n"
               "  - {id: act, command: [/bin/true]}\n  - {id: ask, manual: Ask}\n");
    config_.rules = {folder_.path("rules")};
    config_.policies = folder_.path("policies");
  }

  std::shared_ptr<const Policies> policies() {
    auto loaded = load_policies(config_);
    EXPECT_TRUE(loaded) << loaded.error().what;
    return *loaded;
  }

  std::unique_ptr<Core> open(db::Database& database) {
    auto core = Core::open({.origin = "example.com/test",
                            .commands = {"/bin/true"},
                            .checkpoint_receivers = checkpoint_receivers_},
                           {.database = database,
                            .clock = clock_,
                            .entropy = entropy_,
                            .signer = *signer_,
                            .keys = store_keys_.get(),
                            .kek_uses = &kek_uses_},
                           policies());
    EXPECT_TRUE(core) << core.error().what;
    return *std::move(core);
  }

  // Keys for the store, of a book and a key-encryption key in the folder.
  void make_keys() {
    if (!std::filesystem::exists(folder_.path("kek"))) {
      ASSERT_TRUE(crypto::FileKeyProvider::create(folder_.path("kek"), entropy_));
    }
    auto opened =
        vault::StoreKeys::open({.book = folder_.path("keys.db"),
                                .kek = vault::parse_kek("file:" + folder_.path("kek")).value(),
                                .tables = report::personal_table_names()},
                               entropy_, clock_, kek_uses_.listener());
    ASSERT_TRUE(opened) << opened.error().what;
    store_keys_ = *std::move(opened);
    scratch_.sealing = &store_keys_->sealing();
  }

  // One batch with so many failed sign-ins, as the workers hand it over.
  WorkedBatch batch(std::uint64_t ticket, int lines) {
    const std::string address = "203.0.113." + std::to_string(ticket % 3);
    return batch_of(ticket, std::vector<std::string>(
                                static_cast<std::size_t>(lines),
                                "Failed password for root from " + address + " port 1 ssh2"));
  }
  WorkedBatch batch_of(std::uint64_t ticket, const std::vector<std::string>& lines) {
    ingest::RecordBatch records;
    records.after = ingest::StreamState{.stream = 1, .source = "auth", .path = "auth.log"};
    records.after->position = static_cast<std::int64_t>(ticket + 1) * 1000;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      records.records.push_back(
          {.id = {.stream = 1, .position = static_cast<std::int64_t>(ticket * 1000 + i)},
           .source = "auth",
           .bytes = "2026-11-24T02:20:01Z mail1 sshd[1]: " + lines[i],
           .received = start});
    }
    return work(std::move(records), ticket, *policies(), entropy_, scratch_);
  }

  std::vector<std::string> rows(db::Database& database, const std::string& sql) {
    std::vector<std::string> found;
    const auto statement = database.query(sql);
    EXPECT_TRUE(statement) << statement.error().what;
    while ((*statement)->step().value()) {
      std::string row;
      for (int i = 0; i < (*statement)->columns(); ++i) {
        row += std::string((*statement)->text(i)) + "|";
      }
      found.push_back(std::move(row));
    }
    return found;
  }

  // Everything that was decided, with the bytes of the ledger's records.
  std::map<std::string, std::vector<std::string>> all(db::Database& database) {
    std::map<std::string, std::vector<std::string>> found;
    found["entries"] = rows(database, "SELECT number, record FROM ledger_entry ORDER BY number");
    found["incidents"] = rows(database, "SELECT number, body FROM incident ORDER BY number");
    found["alerts"] = rows(database, "SELECT entry, name, event FROM alert ORDER BY entry");
    found["runs"] = rows(database, "SELECT number, body FROM playbook_run ORDER BY number");
    return found;
  }

  // The first try of a step succeeds.
  static respond::flow::Outcome success(std::int64_t run, const std::string& step) {
    return {.run = run, .step = step, .visit = 1, .tries = 1, .answer = json::Object{}};
  }

  // Keys of what may leave, and of the steps that were let out.
  static std::vector<std::string> keys(const std::vector<Outgoing>& outgoing) {
    std::vector<std::string> found;
    for (const Outgoing& one : outgoing) {
      const auto* const alert = std::get_if<alert::Alert>(&one);
      found.push_back(alert != nullptr ? alert->key : std::get<respond::flow::Effect>(one).key);
    }
    std::ranges::sort(found);
    return found;
  }

  TemporaryFolder folder_;
  config::Config config_;
  std::vector<config::CheckpointReceiver> checkpoint_receivers_;
  ManualClock clock_{start};
  SeededEntropy entropy_;
  WorkScratch scratch_;
  vault::KekUses kek_uses_;
  std::unique_ptr<vault::StoreKeys> store_keys_;
  std::optional<crypto::Signer> signer_ =
      crypto::Signer::create(folder_.path("key"), entropy_).value();
};

}  // namespace mailwarden::app
