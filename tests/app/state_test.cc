// What the ledger is told of rows that stand for the present, and stores that know nothing of it.
#include <gtest/gtest.h>

#include "app/core.h"
#include "app/state_book.h"
#include "crypto/entropy.h"
#include "incident/incident_table.h"
#include "report/verify_store.h"
#include "tests/report/sample.h"
#include "tests/temporary.h"

namespace mailwarden::app {
namespace {

constexpr Timestamp now{1'800'000'000'000'000};

report::StateRow row(const std::string& person, std::optional<std::string> hash) {
  return {.table = "identity_person", .key = {"", person}, .hash = std::move(hash)};
}

TEST(StateBook, TellsTheLastOfEachRowOnce) {
  const auto book = StateBook::open(all_migrations(), nullptr, now).value();
  EXPECT_TRUE(book->take().empty());
  book->note(row("ada", "1"));
  book->note(row("bob", "2"));
  book->note(row("ada", std::nullopt));
  const auto entries = book->take();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].kind, "state");
  EXPECT_EQ(json::to_text(entries[0].record),
            R"({"tables":{"identity_person":[["","ada",null],["","bob","2"]]}})");
  EXPECT_TRUE(book->take().empty());
}

TEST(StateBook, HashesWhatAWriteLeavesAndForgetsIt) {
  const auto book = StateBook::open(all_migrations(), nullptr, now).value();
  const auto hash_of = [&](const std::string& title) {
    book->note({"incident"}, [&](db::Database& database) {
      return incident::store_incident(database, {.number = 1, .title = title});
    });
    return json::to_text(book->take().at(0).record);
  };
  const std::string one = hash_of("one");
  EXPECT_NE(hash_of("two"), one);
  EXPECT_EQ(hash_of("one"), one);
}

TEST(StateBook, SpreadsManyRowsOverEntries) {
  const auto book = StateBook::open(all_migrations(), nullptr, now).value();
  constexpr int count = 10'000;
  for (int i = 0; i < count; ++i) book->note(row("p" + std::to_string(i), std::string(64, 'a')));
  const auto entries = book->take();
  EXPECT_GT(entries.size(), 2U);
  std::size_t told = 0;
  for (const ledger::Entry& entry : entries) {
    const json::Value record(entry.record);
    EXPECT_LT(json::to_text(record).size(), ledger::record_bytes_max);
    told += record["tables"]["identity_person"].as_array()->size();
  }
  EXPECT_EQ(told, static_cast<std::size_t>(count));
}

// A store as an older version left it, which knew no entries of state.
class OldStoreTest : public testing::Test {
 protected:
  OldStoreTest() { report::fill(store_); }

  ledger::Verdict verdict() {
    auto verdict = report::verify_store(store_.database(), {.key = store_.key()});
    EXPECT_TRUE(verdict) << verdict.error().what;
    return *std::move(verdict);
  }

  report::ReportStore store_;
};

TEST_F(OldStoreTest, IsGoodAndSaysWhatIsNotHeld) {
  const ledger::Verdict told = verdict();
  EXPECT_TRUE(told.good()) << ledger::to_words(told);
  EXPECT_NE(std::ranges::find(told.not_held, "incident: 3 rows"), told.not_held.end())
      << ledger::to_words(told);
  EXPECT_NE(ledger::to_words(told).find("not held against the ledger"), std::string::npos);
}

TEST_F(OldStoreTest, IsHeldFromTheFirstStartOn) {
  crypto::SystemEntropy entropy;
  const ManualClock clock{now};
  const crypto::Signer signer = crypto::Signer::from_seed({std::byte{1}});
  config::Config config;
  config.policies = source_folder() + "/policies";
  config.rules = {source_folder() + "/rules/sigma"};
  auto policies = load_policies(config);
  ASSERT_TRUE(policies) << policies.error().what;
  for (int start = 0; start < 2; ++start) {
    const auto core = Core::open(
        {.origin = "example.com/log"},
        {.database = store_.database(), .clock = clock, .entropy = entropy, .signer = signer},
        *policies);
    ASSERT_TRUE(core) << core.error().what;
    ASSERT_TRUE((*core)->write());
    const ledger::Verdict held = verdict();
    EXPECT_TRUE(held.good()) << ledger::to_words(held);
    EXPECT_EQ(std::ranges::find(held.not_held, "incident: 3 rows"), held.not_held.end());
  }
  EXPECT_EQ(
      store_.database().integer("SELECT COUNT(*) FROM ledger_entry WHERE kind = 'schema'").value(),
      1);
  ASSERT_TRUE(store_.database().run("UPDATE incident SET severity = 0 WHERE number = 3", {}));
  const ledger::Verdict changed = verdict();
  ASSERT_EQ(changed.failures.size(), 1U) << ledger::to_words(changed);
  EXPECT_EQ(changed.failures[0].place, "incident 3");
}

}  // namespace
}  // namespace mailwarden::app
