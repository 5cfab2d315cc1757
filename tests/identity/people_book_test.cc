#include "identity/people_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/identity/people_maker.h"

namespace mailwarden::identity {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const DirectoryKey bob{"google", "2"};

const std::string enrolled =
    R"("suspended":false,"archived":false,"isEnrolledIn2Sv":true,"isEnforcedIn2Sv":true)";

std::string two_users() {
  return users_page(
      {user_json("1", "ada@example.com", enrolled), user_json("2", "bob@example.com", enrolled)});
}

PeopleBook book_with(const std::string& text, Timestamp time = morning) {
  PeopleBook book({});
  EXPECT_TRUE(book.apply(directory(text, time), time));
  return book;
}

Observation seen(Timestamp time, Observation what) {
  what.origin = {"event:workspace", time};
  what.provider = "google";
  return what;
}

TEST(PeopleBook, WhatIsTooOldIsUnknown) {
  const PeopleBook book = book_with(two_users());
  const auto before = book.known_account(ada, morning + hours(24) - seconds(1));
  ASSERT_TRUE(before);
  EXPECT_EQ(before->account.suspended->value, false);
  EXPECT_EQ(before->account.second_factor_enrolled->value, true);
  EXPECT_EQ(before->until, morning + hours(24));
  const auto after = book.known_account(ada, morning + hours(24));
  ASSERT_TRUE(after);
  EXPECT_EQ(after->account, Account{.key = ada}) << "nothing is left of it";
}

TEST(PeopleBook, EachSourceHasItsOwnLimit) {
  PeopleBook book({.ages = {.of_source = {{"directory", minutes(30)}}}});
  ASSERT_TRUE(book.apply(directory(two_users(), morning), morning));
  EXPECT_TRUE(book.known_account(ada, morning + minutes(29))->account.suspended);
  EXPECT_FALSE(book.known_account(ada, morning + minutes(30))->account.suspended);
}

TEST(PeopleBook, AClockThatJumpsBackMakesNothingFresh) {
  PeopleBook book = book_with(two_users());
  EXPECT_TRUE(book.known_account(ada, morning - minutes(5))->account.suspended);
  EXPECT_FALSE(book.known_account(ada, morning - minutes(6))->account.suspended);
  // The clock had been ahead. The next snapshot is older than the one that is known, and counts.
  const Timestamp right = morning - hours(24 * 365);
  const auto applied = book.apply(directory(two_users(), right), right);
  ASSERT_TRUE(applied) << applied.error().what;
  EXPECT_TRUE(book.known_account(ada, right)->account.suspended);
  EXPECT_THAT(applied->changes, IsEmpty());
  EXPECT_EQ(applied->rows.size(), 3U) << "both accounts' times and the list's";
}

TEST(PeopleBook, ASnapshotFromATimeToComeIsRefused) {
  PeopleBook book = book_with(two_users());
  const auto refused = book.apply(directory(two_users(), morning + minutes(6)), morning);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_EQ(refused.error().what,
            "a snapshot of directory as of 2026-11-24T08:06:00.000000Z, which is a time to come");
  EXPECT_TRUE(book.apply(directory(two_users(), morning + minutes(5)), morning));
}

TEST(PeopleBook, AnOlderSnapshotIsRefusedAndNothingIsLost) {
  PeopleBook book = book_with(two_users());
  for (const std::string& text :
       {users_page({user_json("1", "ada@example.com", R"("suspended":true)")}),
        user_json("3", "eve@example.com")}) {
    const auto refused = book.apply(directory(text, morning - seconds(1)), morning);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::conflict);
  }
  EXPECT_EQ(book.known_account(ada, morning)->account.suspended->value, false);
  EXPECT_TRUE(book.known_account(bob, morning));
  EXPECT_FALSE(book.known_account({"google", "3"}, morning));
}

TEST(PeopleBook, AnOlderWordOfAnotherSourceFillsGapsAlone) {
  PeopleBook book = book_with(two_users());
  ASSERT_TRUE(
      book.apply(directory(user_json("1", "ada@example.com", R"("suspended":true,"isAdmin":true)"),
                           morning - hours(1), "export"),
                 morning));
  const auto known = book.known_account(ada, morning);
  EXPECT_EQ(known->account.suspended->value, false);
  EXPECT_EQ(known->account.suspended->source, "directory");
  EXPECT_EQ(known->account.admin->value, true);
  EXPECT_EQ(known->account.admin->source, "export");
}

TEST(PeopleBook, WhoIsNotInAWholeSnapshotIsNoMore) {
  PeopleBook book = book_with(two_users());
  const Timestamp later = morning + hours(1);
  const auto applied = book.apply(
      directory(users_page({user_json("1", "ada@example.com", enrolled)}), later), later);
  ASSERT_TRUE(applied);
  EXPECT_THAT(told(*applied), ElementsAre("account 2 removed"));
  EXPECT_EQ(applied->changes[0].before.at("email"), "bob@example.com");
  EXPECT_EQ(book.known_account(bob, later).error().code, Code::not_found);
  EXPECT_EQ(book.known_email("google", "bob@example.com", later).error().code, Code::not_found);
}

TEST(PeopleBook, AnotherSourceKeepsAnAccount) {
  PeopleBook book = book_with(two_users());
  ASSERT_TRUE(book.apply(
      directory(user_json("2", "bob@example.com", R"("isAdmin":false)"), morning, "export"),
      morning));
  ASSERT_TRUE(book.apply(
      directory(users_page({user_json("1", "ada@example.com", enrolled)}), morning), morning));
  const auto known = book.known_account(bob, morning);
  ASSERT_TRUE(known);
  EXPECT_TRUE(known->account.admin);
  EXPECT_FALSE(known->account.suspended) << "the directory says it no more";
}

TEST(PeopleBook, EventsAloneKeepNoAccount) {
  PeopleBook book = book_with(two_users());
  book.apply(seen(morning + minutes(1), {.actor = "bob@example.com"}), morning + minutes(1));
  const Timestamp later = morning + hours(1);
  ASSERT_TRUE(book.apply(
      directory(users_page({user_json("1", "ada@example.com", enrolled)}), later), later));
  EXPECT_FALSE(book.known_account(bob, later));
}

TEST(PeopleBook, ASingleUserSaysNothingOfOthers) {
  PeopleBook book = book_with(two_users());
  const Timestamp later = morning + minutes(1);
  const auto applied =
      book.apply(directory(user_json("1", "ada@example.com", R"("suspended":true)"), later), later);
  ASSERT_TRUE(applied);
  EXPECT_THAT(told(*applied), ElementsAre("account 1 changed"));
  EXPECT_EQ(json::to_text(applied->changes[0].before),
            R"({"archived":false,"second_factor_enforced":true,"second_factor_enrolled":true,)"
            R"("suspended":false})");
  EXPECT_EQ(json::to_text(applied->changes[0].after), R"({"suspended":true})");
  EXPECT_TRUE(book.known_account(bob, later)->account.suspended);
  EXPECT_FALSE(book.known_account(ada, later)->account.second_factor_enrolled)
      << "what the source says no more is not kept from before";
}

TEST(PeopleBook, TheSameAgainWritesOneRow) {
  PeopleBook book = book_with(two_users());
  const Timestamp later = morning + hours(1);
  const auto applied = book.apply(directory(two_users(), later), later);
  ASSERT_TRUE(applied);
  EXPECT_THAT(applied->changes, IsEmpty());
  ASSERT_EQ(applied->rows.size(), 1U);
  EXPECT_EQ(applied->rows[0].key, (DirectoryKey{"directory", "accounts"}));
  EXPECT_TRUE(book.known_account(ada, morning + hours(24))->account.suspended);
}

TEST(PeopleBook, APartialSnapshotReachesItNever) {
  PeopleBook book = book_with(two_users());
  const auto partial =
      read_directory(users_page({user_json("1", "ada@example.com", enrolled)}, "next"), "directory",
                     morning + hours(1));
  ASSERT_FALSE(partial);
  EXPECT_TRUE(book.known_account(bob, morning + hours(1)));
}

TEST(PeopleBook, TheNewestOfDirectoryAndEventsCounts) {
  PeopleBook book = book_with(two_users());
  const auto is_enrolled = [&](Timestamp now) {
    return book.known_account(ada, now)->account.second_factor_enrolled->value;
  };
  const Observation off{.subject = "ada@example.com", .second_factor_enrolled = false};
  EXPECT_THAT(book.apply(seen(morning - minutes(1), off), morning).rows, IsEmpty());
  EXPECT_TRUE(is_enrolled(morning)) << "the snapshot is newer";
  const Timestamp later = morning + minutes(1);
  const Applied applied = book.apply(seen(later, off), later);
  EXPECT_FALSE(is_enrolled(later));
  ASSERT_EQ(applied.changes.size(), 1U);
  EXPECT_EQ(json::to_text(to_record(applied.changes[0])),
            R"({"after":{"second_factor_enrolled":false},"before":{"second_factor_enrolled":true},)"
            R"("change":"changed","id":"1","kind":"account","provider":"google",)"
            R"("source":"event:workspace","time":"2026-11-24T08:01:00.000000Z"})");
  ASSERT_TRUE(book.apply(directory(two_users(), later + minutes(1)), later + minutes(1)));
  EXPECT_TRUE(is_enrolled(later + minutes(1))) << "the next snapshot is newer again";
}

TEST(PeopleBook, AnEventTakesNothingBackThatItDoesNotSay) {
  PeopleBook book = book_with(two_users());
  book.apply(seen(morning + minutes(1), {.subject = "ada@example.com", .suspended = true}),
             morning + minutes(1));
  book.apply(
      seen(morning + minutes(2), {.subject = "ada@example.com", .second_factor_enrolled = true}),
      morning + minutes(2));
  EXPECT_EQ(book.known_account(ada, morning + minutes(2))->account.suspended->value, true);
}

TEST(PeopleBook, EventsOfATimeToComeOrOfNobodyChangeNothing) {
  PeopleBook book = book_with(two_users());
  const Observation off{.subject = "ada@example.com", .suspended = true};
  EXPECT_THAT(book.apply(seen(morning + minutes(6), off), morning).rows, IsEmpty());
  for (const char* email : {"eve@example.com", "ada@example.com.evil.example", "Ada@example.com"}) {
    EXPECT_THAT(
        book.apply(seen(morning, {.actor = email, .subject = email, .suspended = true}), morning)
            .rows,
        IsEmpty())
        << email;
  }
  Observation other = seen(morning, off);
  other.provider = "okta";
  EXPECT_THAT(book.apply(other, morning).rows, IsEmpty()) << "another provider's account";
}

TEST(PeopleBook, UsesAreKeptInSteps) {
  PeopleBook book = book_with(two_users());
  const Observation use{.actor = "ada@example.com", .second_factor_used = true};
  const Applied first = book.apply(seen(morning, use), morning);
  EXPECT_EQ(first.rows.size(), 1U);
  EXPECT_THAT(first.changes, IsEmpty()) << "the event itself is told";
  EXPECT_THAT(book.apply(seen(morning + minutes(9), use), morning + minutes(9)).rows, IsEmpty());
  EXPECT_EQ(book.apply(seen(morning + minutes(10), use), morning + minutes(10)).rows.size(), 1U);
  const auto known = book.known_account(ada, morning + minutes(10));
  EXPECT_EQ(known->account.last_seen->value, morning + minutes(10));
  EXPECT_EQ(known->account.second_factor_used->value, morning + minutes(10));
}

TEST(PeopleBook, ADeletedAccountGivesItsAddressFree) {
  PeopleBook book = book_with(two_users());
  const Timestamp later = morning + minutes(1);
  book.apply(seen(later, {.subject = "ada@example.com", .deleted = true}), later);
  EXPECT_EQ(book.known_email("google", "ada@example.com", later).error().code, Code::not_found);
  ASSERT_TRUE(book.apply(directory(user_json("9", "ada@example.com"), later), later));
  EXPECT_EQ(book.known_email("google", "ada@example.com", later)->account.key.id, "9");
  EXPECT_THAT(book.conflicts(), IsEmpty());
}

TEST(PeopleBook, TwoAccountsOfOneAddressAreTold) {
  PeopleBook book = book_with(two_users());
  const auto applied = book.apply(
      directory(user_json("9", "eve@example.com", R"("aliases":["ada@example.com"])"), morning),
      morning);
  EXPECT_THAT(told(*applied), ElementsAre("account 9 added",
                                          "conflict the address 'ada@example.com' is of several "
                                          "accounts: google/1, google/9 arose"));
  EXPECT_EQ(book.known_email("google", "ada@example.com", morning).error().code, Code::conflict);
  EXPECT_THAT(
      book.apply(seen(morning, {.subject = "ada@example.com", .suspended = true}), morning).rows,
      IsEmpty());
  const auto settled = book.apply(directory(two_users(), morning), morning);
  EXPECT_THAT(told(*settled), ElementsAre("account 9 removed",
                                          "conflict the address 'ada@example.com' is of "
                                          "several accounts: google/1, google/9 settled"));
}

TEST(PeopleBook, HasLimits) {
  PeopleBook book({.people_max = 1, .accounts_max = 2, .groups_max = 0});
  ASSERT_TRUE(book.apply(directory(two_users(), morning), morning));
  ASSERT_TRUE(book.apply(directory(two_users(), morning), morning)) << "nobody is new";
  EXPECT_EQ(book.apply(directory(user_json("3", "c@example.com"), morning), morning).error().code,
            Code::full);
  EXPECT_EQ(book.apply(directory(groups_page({group_json("g", "g@example.com")}), morning), morning)
                .error()
                .code,
            Code::full);
  EXPECT_EQ(book.apply(people("id\n1\n2\n", morning), morning).error().code, Code::full);
  EXPECT_TRUE(book.apply(people("id\n1\n", morning), morning));
}

// What the ledger cannot take would end the daemon.
TEST(PeopleBook, WhatIsTooLongForARecordIsToldByItsHash) {
  PeopleChange change{.kind = "group", .key = {"google", "g"}, .origin = {"directory", morning}};
  change.after = {{"members", json::Array(30'000, "somebody@example.com")}};
  const json::Object record = to_record(change);
  EXPECT_LT(json::to_text(record).size(), 1000U);
  EXPECT_EQ(record.at("sha256").as_string()->size(), 64U);
  EXPECT_FALSE(record.contains("after"));
  change.after = {{"members", json::Array(10, "somebody@example.com")}};
  EXPECT_TRUE(to_record(change).contains("after"));
}

}  // namespace
}  // namespace mailwarden::identity
