#include "identity/people_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/fact_json.h"
#include "identity/people_book.h"
#include "tests/db/store.h"
#include "tests/identity/people_maker.h"

namespace mailwarden::identity {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class PeopleTable : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(db::migrate(*database_, migrations(), morning)); }

  void store(const Applied& applied) {
    auto transaction = db::Transaction::begin(*database_);
    ASSERT_TRUE(store_rows(*database_, applied.rows));
    ASSERT_TRUE(transaction->commit());
  }
  void take(const Result<Applied>& applied) {
    ASSERT_TRUE(applied) << applied.error().what;
    store(*applied);
  }
  // What is stored says the same as the book in memory.
  void expect_same() {
    const auto loaded = PeopleBook::load(*database_, {});
    ASSERT_TRUE(loaded) << loaded.error().what;
    EXPECT_EQ(loaded->records().people, book_.records().people);
    EXPECT_EQ(loaded->records().accounts, book_.records().accounts);
    EXPECT_EQ(loaded->records().groups, book_.records().groups);
    EXPECT_EQ(loaded->conflicts(), book_.conflicts());
  }
  std::int64_t count(const std::string& table) {
    return database_->integer("SELECT COUNT(*) FROM " + table).value();
  }

  std::unique_ptr<db::Database> database_ = fresh_store();
  PeopleBook book_{{}};
};

std::string everything(const std::string& more = "") {
  return users_page(
             {user_json("1", "ada@example.com",
                        R"("suspended":false,"archived":false,"isEnrolledIn2Sv":true,)"
                        R"("lastLoginTime":"2026-11-23T07:00:00.000Z",)"
                        R"("aliases":["countess@example.com"],"customerId":"C01")" +
                            more),
              user_json("2", "bob@example.com", R"("lastLoginTime":"1970-01-01T00:00:00.000Z")")}) +
         groups_page({group_json("g1", "team@example.com")}) +
         members_page("g1", {member_json("1", "ada@example.com"),
                             member_json("g2", "other@example.com", "GROUP"),
                             R"({"type":"CUSTOMER","id":"C01"})",
                             member_json("x", "out@other.example", "EXTERNAL")});
}

const std::string table =
    "id,email,name,manager,employed_from,employed_until,trained_until,policy_accepted,"
    "policy_version\n"
    "7,ada@example.com,Ada,8,2024-02-01,,2027-01-01,2024-02-01,v3\n"
    "8,bob@example.com,Bob,,2024-02-01,9999-12-31,,2024-02-01,\n";

TEST_F(PeopleTable, KeepsEveryKindOfFact) {
  take(book_.apply(directory(everything(), morning), morning));
  take(book_.apply(people(table, morning), morning));
  store(book_.apply(Observation{.origin = {"event:workspace", morning},
                                .provider = "google",
                                .actor = "ada@example.com",
                                .second_factor_used = true},
                    morning));
  expect_same();
  EXPECT_EQ(count("identity_person"), 2);
  EXPECT_EQ(count("identity_account"), 2);
  EXPECT_EQ(count("identity_group"), 1);
  EXPECT_EQ(count("identity_source"), 3);
}

TEST_F(PeopleTable, FactsAreAsNewAsTheLastSnapshotThatLeftThem) {
  take(book_.apply(directory(everything(), morning), morning));
  take(book_.apply(people(table, morning), morning));
  const Timestamp later = morning + hours(5);
  take(book_.apply(directory(everything(), later), later));
  expect_same();
  take(
      book_.apply(directory(everything(R"(,"isAdmin":true)"), later + hours(1)), later + hours(1)));
  expect_same();
  const auto loaded = PeopleBook::load(*database_, {});
  EXPECT_TRUE(loaded->known_account({"google", "2"}, later + hours(24))->account.last_sign_in);
}

TEST_F(PeopleTable, FollowsWhatIsTakenBack) {
  take(book_.apply(directory(everything(), morning), morning));
  take(book_.apply(people(table, morning), morning));
  const auto seen = [&](int after, Observation what) {
    what.origin = {"event:workspace", morning + minutes(after)};
    what.provider = "google";
    store(book_.apply(what, morning + minutes(after)));
    expect_same();
  };
  seen(1, {.subject = "ada@example.com", .suspended = true});
  seen(2, {.subject = "bob@example.com", .deleted = true});
  seen(3, {.actor = "ada@example.com"});
  take(book_.apply(directory(user_json("3", "eve@example.com"), morning + minutes(4)),
                   morning + minutes(4)));
  expect_same();
  const Timestamp later = morning + hours(1);
  take(book_.apply(directory(users_page({user_json("1", "ada@example.com")}), later), later));
  expect_same();
  EXPECT_EQ(count("identity_account"), 1);
  take(book_.apply(people("id\n8\n", later), later));
  expect_same();
  EXPECT_EQ(count("identity_person"), 1);
}

TEST_F(PeopleTable, FollowsAClockThatWasAhead) {
  const Timestamp ahead = morning + hours(24 * 365);
  take(book_.apply(directory(everything(), ahead), ahead));
  take(book_.apply(directory(everything(), morning), morning));
  expect_same();
  EXPECT_TRUE(
      PeopleBook::load(*database_, {})->known_account({"google", "1"}, morning)->account.suspended);
}

TEST_F(PeopleTable, ATransactionThatFailedIsTriedAgainWithTheSameRows) {
  const auto applied = book_.apply(directory(everything(), morning), morning);
  ASSERT_TRUE(applied);
  {
    auto transaction = db::Transaction::begin(*database_);
    ASSERT_TRUE(store_rows(*database_, applied->rows));
  }
  EXPECT_EQ(count("identity_account"), 0);
  store(*applied);
  store(*applied);
  expect_same();
}

TEST_F(PeopleTable, NothingOfAnErasedPersonIsStored) {
  take(book_.apply(directory(everything(), morning), morning));
  take(book_.apply(people(table, morning), morning));
  store(book_.erase_person("7", morning));
  expect_same();
  for (const char* name : {"identity_person", "identity_account", "identity_group"}) {
    for (const char* trace : {"ada@example.com", "countess", "Ada"}) {
      EXPECT_EQ(database_
                    ->integer("SELECT COUNT(*) FROM " + std::string(name) +
                                  " WHERE body LIKE '%' || $1 || '%'",
                              {std::string_view(trace)})
                    .value(),
                0)
          << name << " " << trace;
    }
  }
  EXPECT_EQ(count("identity_person"), 1);
}

TEST_F(PeopleTable, DamageIsTold) {
  take(book_.apply(directory(everything(), morning), morning));
  for (const char* body :
       {"", "{}", "[{}]", "[1]", R"([{"facts":{},"source":"d","time":"now"}])",
        R"([{"facts":{"suspended":"no"},"source":"d","time":"2026-11-24T08:00:00Z"}])",
        R"([{"facts":{"salary":1},"source":"d","time":"2026-11-24T08:00:00Z"}])",
        R"([{"facts":{"aliases":[1]},"source":"d","time":"2026-11-24T08:00:00Z"}])"}) {
    ASSERT_TRUE(database_->run("UPDATE identity_account SET body = $1 WHERE id = '2'",
                               {std::string_view(body)}));
    const auto loaded = PeopleBook::load(*database_, {});
    ASSERT_FALSE(loaded) << body;
    EXPECT_EQ(loaded.error().code, Code::corrupt);
    EXPECT_EQ(loaded.error().what, "the stored record 'google', '2' of people is damaged");
  }
  ASSERT_TRUE(database_->run("DELETE FROM identity_account", {}));
  ASSERT_TRUE(database_->run("UPDATE identity_source SET body = '{}'", {}));
  EXPECT_EQ(PeopleBook::load(*database_, {}).error().code, Code::corrupt);
}

}  // namespace
}  // namespace mailwarden::identity
