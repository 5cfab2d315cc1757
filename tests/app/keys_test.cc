// The core of a store with keys: what it seals, a key-encryption key that is away, erasing people.
#include <gtest/gtest.h>

#include "app/key_keeper.h"
#include "detect/detection_table.h"
#include "incident/incident_table.h"
#include "ingest/event_query.h"
#include "json/base64.h"
#include "report/verify_store.h"
#include "tests/app/core_fixture.h"

namespace mailwarden::app {
namespace {

std::string recipient_line(const std::string& address) {
  return "message for <" + address + "> bounced";
}
std::string sign_in_line(const std::string& address) {
  return "Failed password for invalid user " + address + " from 203.0.113.9 port 1 ssh2";
}

class CoreKeysTest : public CoreTest {
 protected:
  CoreKeysTest() {
    make_keys();
    database_ = fresh_store();
    database_->set_sealing(&store_keys_->sealing());
  }

  ledger::Verdict verdict() {
    return report::verify_store(*database_, {.key = {"example.com/test", signer_->public_key()},
                                             .from = {},
                                             .check_record = {},
                                             .check_end = {},
                                             .progress = {}})
        .value();
  }
  // How many events name the account, as the index finds them.
  std::size_t found(const std::string& account) {
    return ingest::query_events(*database_, {.account = account}).value().size();
  }
  // Columns that hold sealed texts, and nothing else of their rows.
  std::vector<std::string> sealed(const std::string& sql) {
    auto all = rows(*database_, sql);
    for (const std::string& one : all) EXPECT_TRUE(one.starts_with("sealed:1:")) << one;
    return all;
  }
  static std::size_t erased_in(const std::vector<ingest::EventRow>& events) {
    return static_cast<std::size_t>(std::ranges::count_if(events, &ingest::EventRow::erased));
  }

  std::unique_ptr<db::Database> database_;
};

TEST_F(CoreKeysTest, WhatIsPersonalIsSealedAndReadAgain) {
  {
    const auto core = open(*database_);
    core->take(batch_of(0, {sign_in_line("anna@example.com")}));
    core->snapshot();
    ASSERT_TRUE(core->write());
  }
  for (const char* const sql :
       {"SELECT record FROM event", "SELECT body FROM detection", "SELECT body FROM correlation",
        "SELECT body FROM incident", "SELECT body FROM incident_change",
        "SELECT body FROM playbook_run", "SELECT body FROM playbook_move",
        "SELECT subject FROM alert", "SELECT record FROM ledger_entry WHERE kind = 'detection'"}) {
    EXPECT_FALSE(sealed(sql).empty()) << sql;
  }
  EXPECT_EQ(rows(*database_, "SELECT DISTINCT entity_name FROM incident"),
            std::vector<std::string>{"|"});
  EXPECT_EQ(found("ANNA@example.com"), 1U);
  EXPECT_EQ(found("boris@example.com"), 0U);
  const auto core = open(*database_);
  const auto open_incidents = incident::load_open_incidents(*database_).value();
  ASSERT_EQ(open_incidents.size(), 1U);
  EXPECT_EQ(open_incidents.front().entity.name, "203.0.113.9");
  core->seal();
  ASSERT_TRUE(core->write());
  EXPECT_TRUE(verdict().good()) << ledger::to_words(verdict());
}

TEST_F(CoreKeysTest, AStoreKeepsToWhatItBeganWith) {
  {
    const auto core = open(*database_);
    core->take(batch(0, 1));
    ASSERT_TRUE(core->write());
  }
  const auto reopened = [&](db::Database& database) {
    return Core::open(
        {.origin = "example.com/test"},
        {.database = database, .clock = clock_, .entropy = entropy_, .signer = *signer_},
        policies());
  };
  database_->set_sealing(nullptr);
  const auto without = reopened(*database_);
  ASSERT_FALSE(without);
  EXPECT_TRUE(without.error().what.contains("its keys are not given")) << without.error().what;
  const auto plain = fresh_store();
  scratch_.sealing = nullptr;
  {
    const auto core = reopened(*plain).value();
    core->take(batch(0, 1));
    ASSERT_TRUE(core->write());
  }
  plain->set_sealing(&store_keys_->sealing());
  const auto with = reopened(*plain);
  ASSERT_FALSE(with);
  EXPECT_TRUE(with.error().what.contains("begun without keys")) << with.error().what;
}

TEST_F(CoreKeysTest, AnotherBookOpensNothingAndNothingIsTakenForErased) {
  {
    const auto core = open(*database_);
    core->take(batch_of(0, {sign_in_line("anna@example.com")}));
    ASSERT_TRUE(core->write());
  }
  std::filesystem::rename(folder_.path("keys.db"), folder_.path("keys.db.away"));
  make_keys();
  database_->set_sealing(&store_keys_->sealing());
  const auto core = Core::open({.origin = "example.com/test"},
                               {.database = *database_,
                                .clock = clock_,
                                .entropy = entropy_,
                                .signer = *signer_,
                                .keys = store_keys_.get()},
                               policies());
  ASSERT_FALSE(core);
  EXPECT_TRUE(core.error().what.contains("the keys given do not open it")) << core.error().what;
  const auto event = ingest::query_events(*database_, {});
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, Code::corrupt) << event.error().what;
}

TEST_F(CoreKeysTest, OnlyWhoIsNamedHasAKey) {
  const auto core = open(*database_);
  for (std::uint64_t i = 0; i < 8; ++i) {
    core->take(batch_of(i, std::vector<std::string>(100, "nothing of anybody")));
  }
  ASSERT_TRUE(core->write());
  EXPECT_EQ(store_keys_->vault().state()->subjects, 0);
}

// As if an alert's row, or that of an incident, had gone with its person.
TEST_F(CoreKeysTest, WhatIsLeftOfAnErasedRowIsHeldAgainstTheLedger) {
  const auto core = open(*database_);
  core->take(batch_of(0, {sign_in_line("anna@example.com")}));
  core->seal();
  ASSERT_TRUE(core->write());
  ASSERT_TRUE(verdict().good()) << ledger::to_words(verdict());
  // Sealed for somebody who is shredded, of those very rows.
  const std::vector<std::string_view> nobody{"gone@example.com"};
  const auto gone = [&](std::string_view table, std::string_view column, std::string_view row) {
    const auto bytes =
        store_keys_->vault().seal({.table = table, .column = column, .row = row}, nobody, "{}");
    return "sealed:1:" + json::to_base64(crypto::as_text(*bytes));
  };
  const std::string incident = gone("incident", "body", "1");
  const auto entries = rows(*database_, "SELECT entry FROM alert ORDER BY entry LIMIT 1");
  const std::string entry = entries.front().substr(0, entries.front().size() - 1);
  const std::string alert = gone("alert", "subject", entry);
  ASSERT_EQ(store_keys_->vault().shred("gone@example.com"), true);
  const auto changed = [&](const std::string& sql) {
    ASSERT_TRUE(database_->execute(sql)) << sql;
    const auto found = verdict();
    EXPECT_FALSE(found.good()) << sql << "\n" << ledger::to_words(found);
  };
  changed("UPDATE incident SET state = 'closed', body = '" + incident + "' WHERE number = 1");
  ASSERT_TRUE(database_->execute("UPDATE incident SET state = 'detected' WHERE number = 1"));
  EXPECT_TRUE(verdict().good()) << "what is erased of it, only a key could tell";
  changed("UPDATE alert SET standing = 'delivered', subject = '" + alert +
          "' WHERE entry = " + entry);
}

TEST_F(CoreKeysTest, UsesOfTheKeyEncryptionKeyAreEntries) {
  const auto core = open(*database_);
  core->take(
      batch_of(0, {recipient_line("anna@example.com"), recipient_line("boris@example.com")}));
  ASSERT_TRUE(core->write());
  core->tell_key_uses();
  ASSERT_TRUE(core->write());
  std::string told;
  for (const auto& row :
       rows(*database_, "SELECT record FROM ledger_entry WHERE kind = 'key_use'")) {
    told += row;
  }
  EXPECT_TRUE(told.contains("\"act\":\"wrap\"")) << told;
  EXPECT_TRUE(told.contains("\"kek\":\"mailwarden\"")) << told;
  const auto before = core->ledger().size();
  core->tell_key_uses();
  EXPECT_EQ(core->ledger().size(), before) << "nothing new to tell";
}

TEST_F(CoreKeysTest, WhileTheKeyIsAwayIngestGoesOn) {
  const auto core = open(*database_);
  core->take(batch_of(0, {recipient_line("anna@example.com")}));
  ASSERT_TRUE(core->write());
  std::filesystem::rename(folder_.path("kek"), folder_.path("kek.away"));
  core->take(batch_of(1, {sign_in_line("boris@example.com"), recipient_line("clara@example.com")}));
  ASSERT_TRUE(core->write());
  vault::Vault& vault = store_keys_->vault();
  EXPECT_TRUE(vault.locked());
  EXPECT_FALSE(vault.state()->waiting.empty());
  EXPECT_EQ(vault.shred("clara@example.com").error().code, Code::conflict);
  EXPECT_EQ(found("boris@example.com"), 1U);
  Log log(LogLevel::error);
  KeyKeeper keeper(*store_keys_, log);
  keeper.look();
  EXPECT_TRUE(vault.locked());
  std::filesystem::rename(folder_.path("kek.away"), folder_.path("kek"));
  keeper.look();
  EXPECT_FALSE(vault.locked());
  for (int i = 0; i < 200 && !vault.state()->waiting.empty(); ++i) {
    clock_.advance(std::chrono::seconds(11));
    core->tend_keys();
    ASSERT_TRUE(core->write());
  }
  EXPECT_TRUE(vault.state()->waiting.empty());
  EXPECT_EQ(found("boris@example.com"), 1U);
  core->seal();
  ASSERT_TRUE(core->write());
  EXPECT_TRUE(verdict().good()) << ledger::to_words(verdict());
  EXPECT_EQ(vault.shred("clara@example.com"), true) << "it was sealed for her";
  EXPECT_EQ(erased_in(ingest::query_events(*database_, {}).value()), 1U);
}

TEST_F(CoreKeysTest, KeysAreWrappedUnderANewVersion) {
  const auto core = open(*database_);
  core->take(batch_of(0, {recipient_line("anna@example.com")}));
  ASSERT_TRUE(core->write());
  ASSERT_EQ(crypto::FileKeyProvider::add_version(folder_.path("kek"), entropy_), 2U);
  Log log(LogLevel::error);
  KeyKeeper(*store_keys_, log).look();
  const auto counts = store_keys_->vault().counts().value();
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts.front().kek.version, 2U);
  ASSERT_TRUE(crypto::FileKeyProvider::drop_version(folder_.path("kek"), 1));
  make_keys();
  database_->set_sealing(&store_keys_->sealing());
  EXPECT_EQ(erased_in(ingest::query_events(*database_, {}).value()), 0U);
}

TEST_F(CoreKeysTest, ErasingTakesWhatNamesThePersonAndNothingElse) {
  auto core = open(*database_);
  core->take(
      batch_of(0, {recipient_line("anna@example.com"), recipient_line("boris@example.com"),
                   recipient_line("Anna@Example.COM and boris@example.com"), "nobody at all"}));
  core->snapshot();
  ASSERT_TRUE(core->write());
  const auto erased =
      core->erase({.subject = " Anna@example.com", .reason = "asked", .who = "dpo"});
  ASSERT_TRUE(erased) << erased.error().what;
  EXPECT_EQ(erased->at("key"), json::Value("shredded"));
  ASSERT_TRUE(core->write());
  const auto events = ingest::query_events(*database_, {}).value();
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(erased_in(events), 2U);
  EXPECT_TRUE(events[0].record.contains("nobody at all"));
  EXPECT_TRUE(events[2].record.contains("boris@example.com"));
  const auto again = core->erase({.subject = "anna@example.com", .reason = "asked", .who = "dpo"});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->at("key"), json::Value("none"));
  core->seal();
  ASSERT_TRUE(core->write());
  EXPECT_TRUE(verdict().good()) << ledger::to_words(verdict());
  // It goes on as if nothing had been, after a start, too.
  core.reset();
  core = open(*database_);
  core->take(batch_of(1, {recipient_line("anna@example.com")}));
  core->seal();
  ASSERT_TRUE(core->write());
  EXPECT_EQ(erased_in(ingest::query_events(*database_, {}).value()), 2U)
      << "what comes later is under a key of its own";
  EXPECT_TRUE(verdict().good()) << ledger::to_words(verdict());
}

TEST_F(CoreKeysTest, WhoIsErasedIsNotFoundInTheIndexOrTheWindows) {
  write_file(folder_.path("rules/count.yml"),
             "title: Base\nname: base\nlogsource: {product: linux, service: sshd}\nlevel: low\n"
             "detection:\n  selection:\n    event: login_failed\n  condition: selection\n---\n"
             "title: Many\nname: many\ncorrelation:\n  type: event_count\n  rules: [base]\n"
             "  group-by: [user]\n  timespan: 10m\n  condition: {gte: 10}\nlevel: low\n"
             "mailwarden: {entity: src_endpoint.ip}\n");
  const auto core = open(*database_);
  core->take(batch_of(0, {sign_in_line("anna@example.com"), sign_in_line("boris@example.com")}));
  ASSERT_TRUE(core->write());
  const auto entity =
      ingest::entity_number(ingest::EntityKind::account, "anna@example.com", database_->sealing())
          .value();
  const auto places = [&] {
    const auto run = ingest::load_run(*database_, 0, 1).value();
    return std::ranges::count(run, entity, &ingest::EntityPlace::entity);
  };
  EXPECT_EQ(places(), 1);
  // Its incident is about an address, and remembers whom events named only while it is open.
  const privacy::Erasure order{.subject = "anna@example.com", .reason = "asked", .who = "dpo"};
  const auto refused = core->erase(order);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what, "incident 1 is open and names them");
  ASSERT_TRUE(core->act({.kind = incident::Act::Kind::move,
                         .incident = 1,
                         .value = "dismissed",
                         .why = "nothing",
                         .who = "ann"}));
  const auto erased = core->erase(order);
  ASSERT_TRUE(erased) << erased.error().what;
  ASSERT_TRUE(core->write());
  EXPECT_EQ(incident::load_incident(*database_, 1)->entity.name, "203.0.113.9");
  EXPECT_EQ(places(), 0);
  EXPECT_EQ(found("anna@example.com"), 0U);
  EXPECT_EQ(found("boris@example.com"), 1U);
  const auto windows = detect::load_snapshot(*database_).value();
  EXPECT_TRUE(windows.body.contains("boris@example.com")) << windows.body;
  EXPECT_FALSE(windows.body.contains("anna@example.com")) << windows.body;
  core->seal();
  ASSERT_TRUE(core->write());
  EXPECT_TRUE(verdict().good()) << ledger::to_words(verdict());
}

TEST_F(CoreKeysTest, WhatIsStillAtWorkStandsInTheWay) {
  write_file(
      folder_.path("rules/test.yml"),
      "title: A test line\nid: r1\nname: test_line\nlogsource: {product: linux, service: "
      "sshd}\nlevel: medium\ndetection:\n  selection:\n    event: login_failed\n  condition: "
      "selection\nmailwarden: {entity: user.name, facts: {attack_attempted: true}}\n");
  const auto core = open(*database_);
  core->take(batch_of(0, {sign_in_line("anna@example.com")}));
  const auto erased = core->erase({.subject = "anna@example.com", .reason = "asked", .who = "dpo"});
  ASSERT_FALSE(erased);
  EXPECT_EQ(erased.error().code, Code::conflict);
  for (const char* const part :
       {"incident 1 is open", "run 1 of a playbook", "not delivered yet"}) {
    EXPECT_TRUE(erased.error().what.contains(part)) << erased.error().what;
  }
  EXPECT_EQ(found("anna@example.com"), 1U);
}

TEST_F(CoreKeysTest, AnOrderThatIsWrongChangesNothing) {
  const auto core = open(*database_);
  core->take(batch_of(0, {recipient_line("anna@example.com")}));
  ASSERT_TRUE(core->write());
  for (const privacy::Erasure& wrong :
       {privacy::Erasure{"anna", "asked", "dpo"}, privacy::Erasure{"anna@example.com", " ", "dpo"},
        privacy::Erasure{"anna@example.com", "ANNA@example.com asked", "dpo"},
        privacy::Erasure{"anna@example.com", std::string(2001, 'x'), "dpo"},
        privacy::Erasure{"anna@example.com", "asked", std::string(501, 'x')},
        privacy::Erasure{"anna@example.com", "anna%40example.com asked", "dpo"},
        privacy::Erasure{"anna@example.com", "asked", "anna@example.com"}}) {
    const auto erased = core->erase(wrong);
    ASSERT_FALSE(erased) << wrong.reason;
    EXPECT_EQ(erased.error().code, Code::invalid) << erased.error().what;
  }
  EXPECT_EQ(erased_in(ingest::query_events(*database_, {}).value()), 0U);
}

}  // namespace
}  // namespace mailwarden::app
