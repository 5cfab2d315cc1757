// Whose account it is, what groups it is in, and what is erased with a person.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/people_book.h"
#include "tests/identity/people_maker.h"

namespace mailwarden::identity {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string with_person(const std::string& id) {
  return R"("externalIds":[{"type":"organization","value":")" + id + R"("}])";
}

struct Join {
  const char* name;
  std::string user;
  std::string csv;
  std::optional<std::string> owner;
};

class Joining : public testing::TestWithParam<Join> {};

TEST_P(Joining, IsByIdOrWholeAddress) {
  PeopleBook book({});
  ASSERT_TRUE(book.apply(directory(users_page({GetParam().user}), morning), morning));
  ASSERT_TRUE(book.apply(people(GetParam().csv, morning), morning));
  const auto known = book.known_account({"google", "1"}, morning);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->person ? std::optional(known->person->id) : std::nullopt, GetParam().owner);
}

INSTANTIATE_TEST_SUITE_P(
    , Joining,
    testing::Values(
        Join{"ById", user_json("1", "ada@example.com", with_person("7")), "id\n7\n", "7"},
        Join{"ByAddress", user_json("1", "ada@example.com"), "id,email\n7,ada@example.com\n", "7"},
        Join{"DomainsHaveNoCase", user_json("1", "ada@example.com"),
             "id,email\n7,ada@EXAMPLE.com\n", "7"},
        Join{"LocalPartsHaveOne",
             user_json("1", "ada@example.com"),
             "id,email\n7,Ada@example.com\n",
             {}},
        Join{"ByAnotherAddress", user_json("1", "ada@example.com"),
             "id,email\n7,a@home.example ada@example.com\n", "7"},
        Join{"ByAlias", user_json("1", "ada@example.com", R"("aliases":["a@example.com"])"),
             "id,email\n7,a@example.com\n", "7"},
        Join{"NotByTheEndOfAnAddress",
             user_json("1", "ada@example.com"),
             "id,email\n7,xada@example.com\n8,ada@sub.example.com\n9,ada@example.co\n",
             {}},
        Join{"ByIdAndAddress", user_json("1", "ada@example.com", with_person("7")),
             "id,email\n7,ada@example.com\n", "7"},
        Join{"IdAndAddressOfTwo",
             user_json("1", "ada@example.com", with_person("7")),
             "id,email\n7,\n8,ada@example.com\n",
             {}},
        Join{"AddressOfTwo",
             user_json("1", "ada@example.com"),
             "id,email\n7,ada@example.com\n8,ada@example.com\n",
             {}},
        Join{"AddressAndAliasOfTwo",
             user_json("1", "ada@example.com", R"("aliases":["a@example.com"])"),
             "id,email\n7,ada@example.com\n8,a@example.com\n",
             {}},
        Join{"NobodyOfThatId", user_json("1", "ada@example.com", with_person("9")), "id\n7\n", {}}),
    [](const auto& tested) { return tested.param.name; });

TEST(Joins, ConflictsAreTold) {
  PeopleBook book({});
  ASSERT_TRUE(book.apply(
      directory(users_page({user_json("1", "ada@example.com", with_person("7"))}), morning),
      morning));
  const auto applied =
      book.apply(people("id,email\n7,\n8,ada@example.com\n9,ada@example.com\n", morning), morning);
  EXPECT_THAT(
      told(*applied),
      ElementsAre("person 7 added", "person 8 added", "person 9 added",
                  "conflict the account google/1 may be of several people: '7', '8', '9' arose",
                  "conflict the address 'ada@example.com' is of several people: '8', '9' arose"));
  const auto settled = book.apply(people("id,email\n7,ada@example.com\n", morning), morning);
  EXPECT_THAT(book.conflicts(), IsEmpty());
  EXPECT_EQ(settled->changes.back().what, PeopleChange::What::settled);
}

TEST(Joins, HoldNoLongerThanWhatJoins) {
  PeopleBook book({});
  const std::string users = users_page({user_json("1", "ada@example.com")});
  ASSERT_TRUE(book.apply(directory(users, morning), morning));
  ASSERT_TRUE(book.apply(people("id,email\n7,ada@example.com\n", morning), morning));
  const Timestamp later = morning + hours(23);
  ASSERT_TRUE(book.apply(directory(users, later), later));
  ASSERT_TRUE(book.apply(people("id,trained_until\n7,2027-01-01\n", later, "training"), later));
  EXPECT_TRUE(book.known_account({"google", "1"}, later)->person);
  const auto known = book.known_account({"google", "1"}, morning + hours(24));
  EXPECT_FALSE(known->person) << "whose address it is, is known no more";
  EXPECT_TRUE(known->account.suspended);
}

TEST(Joins, ManagersAreFoundByIdOrAddress) {
  PeopleBook book({});
  ASSERT_TRUE(book.apply(
      directory(
          users_page({user_json("1", "ada@example.com",
                                R"("relations":[{"type":"manager","value":"eve@example.com"}])"),
                      user_json("2", "bob@example.com"), user_json("3", "eve@example.com")}),
          morning),
      morning));
  const auto manager = [&] { return book.known_account({"google", "1"}, morning)->manager; };
  EXPECT_EQ(manager(), (DirectoryKey{"google", "3"})) << "the directory's";
  ASSERT_TRUE(book.apply(
      people("id,email,manager\n7,ada@example.com,8\n8,bob@example.com,\n", morning), morning));
  EXPECT_EQ(manager(), (DirectoryKey{"google", "2"})) << "personnel's by id";
  ASSERT_TRUE(book.apply(people("id,email,manager\n7,ada@example.com,eve@example.com\n", morning),
                         morning));
  EXPECT_EQ(manager(), (DirectoryKey{"google", "3"})) << "personnel's by address";
  ASSERT_TRUE(book.apply(people("id,email,manager\n7,ada@example.com,nobody\n", morning), morning));
  EXPECT_EQ(manager(), std::nullopt) << "the directory is not asked where personnel has a word";
  const auto late = book.known_account({"google", "1"}, morning + hours(24));
  EXPECT_EQ(late->manager, std::nullopt);
}

std::string groups() {
  return groups_page({group_json("g1", "team@example.com"), group_json("g2", "all@example.com"),
                      group_json("g3", "everybody@example.com")}) +
         members_page("g1", {member_json("1", "ada@example.com")}) +
         members_page("g2", {member_json("g1", "team@example.com", "GROUP")}) +
         members_page("g3", {R"({"type":"CUSTOMER","id":"C01"})"});
}

TEST(Groups, AreThoseThatAnAccountIsInItself) {
  PeopleBook book({});
  const std::string users =
      users_page({user_json("1", "ada@example.com", R"("customerId":"C01")"),
                  user_json("2", "bob@example.com", R"("customerId":"C02")")});
  ASSERT_TRUE(book.apply(directory(users + groups(), morning), morning));
  const auto known = book.known_account({"google", "1"}, morning);
  EXPECT_THAT(known->groups,
              ElementsAre(DirectoryKey{"google", "g1"}, DirectoryKey{"google", "g3"}));
  EXPECT_TRUE(known->groups_known);
  EXPECT_THAT(book.known_account({"google", "2"}, morning)->groups, IsEmpty());
  EXPECT_THAT(book.known_group({"google", "g1"}, morning)->groups,
              ElementsAre(DirectoryKey{"google", "g2"}));
  EXPECT_EQ(book.known_group({"google", "g9"}, morning).error().code, Code::not_found);
  // The accounts come again and the groups do not.
  const Timestamp later = morning + hours(24);
  ASSERT_TRUE(book.apply(directory(users, later), later));
  const auto stale = book.known_account({"google", "1"}, later);
  EXPECT_TRUE(stale->account.customer);
  EXPECT_THAT(stale->groups, IsEmpty());
  EXPECT_FALSE(stale->groups_known);
}

TEST(Groups, TellWhoCameAndWhoLeft) {
  PeopleBook book({});
  const auto take = [&](const std::vector<std::string>& members) {
    const auto applied = book.apply(
        directory(groups_page({group_json("g1", "team@example.com")}) + members_page("g1", members),
                  morning),
        morning);
    return applied->changes.empty() ? "" : json::to_text(to_record(applied->changes[0]));
  };
  const std::string one = member_json("1", "ada@example.com");
  const std::string two = member_json("2", "bob@example.com");
  const std::string three = member_json("3", "eve@example.com");
  take({one, two});
  EXPECT_EQ(take({one, two}), "");
  EXPECT_EQ(take({three, one}),
            R"({"after":{"members":[{"email":"eve@example.com","id":"3","kind":"user"}]},)"
            R"("before":{"members":[{"email":"bob@example.com","id":"2","kind":"user"}]},)"
            R"("change":"changed","id":"g1","kind":"group","provider":"google",)"
            R"("source":"directory","time":"2026-11-24T08:00:00.000000Z"})");
}

TEST(Groups, AreKnownWhereAllOfThemAreTold) {
  PeopleBook book({});
  const std::string users = users_page({user_json("1", "ada@example.com")});
  ASSERT_TRUE(book.apply(directory(users, morning), morning));
  const auto are_known = [&] { return book.known_account({"google", "1"}, morning)->groups_known; };
  EXPECT_FALSE(are_known()) << "nobody told of any";
  ASSERT_TRUE(book.apply(directory(groups_page({}), morning), morning));
  EXPECT_TRUE(are_known()) << "there are none";
  ASSERT_TRUE(
      book.apply(directory(groups_page({group_json("g1", "team@example.com")}), morning), morning));
  EXPECT_FALSE(are_known()) << "who is in it was not told";
}

TEST(Groups, ThatStandInThemselvesAreInNoneOfEachOther) {
  PeopleBook book({});
  const auto member = [](const char* id) { return member_json(id, "x@example.com", "GROUP"); };
  std::vector<std::string> all;
  for (const char* id : {"a", "b", "c", "before", "behind", "self"}) {
    all.push_back(group_json(id, std::string(id) + "@example.com"));
  }
  const auto applied = book.apply(
      directory(groups_page(all) + members_page("a", {member("b")}) +
                    members_page("b", {member("c")}) +
                    members_page("c", {member("a"), member("behind")}) +
                    members_page("before", {member("a")}) + members_page("self", {member("self")}),
                morning),
      morning);
  ASSERT_TRUE(applied);
  EXPECT_THAT(
      book.conflicts(),
      ElementsAre("the group google/a stands in itself", "the group google/b stands in itself",
                  "the group google/c stands in itself", "the group google/self stands in itself"));
  const auto parents = [&](const char* id) {
    return book.known_group({"google", id}, morning)->groups;
  };
  EXPECT_THAT(parents("a"), ElementsAre(DirectoryKey{"google", "before"}));
  EXPECT_THAT(parents("b"), IsEmpty());
  EXPECT_THAT(parents("behind"), ElementsAre(DirectoryKey{"google", "c"}));
  EXPECT_THAT(parents("self"), IsEmpty());
}

TEST(Erasing, LeavesNothingOfAPerson) {
  PeopleBook book({});
  ASSERT_TRUE(book.apply(
      directory(
          users_page({user_json("1", "ada@example.com", R"("aliases":["countess@example.com"])"),
                      user_json("2", "bob@example.com",
                                R"("relations":[{"type":"manager","value":"ada@example.com"}])")}) +
              groups(),
          morning),
      morning));
  ASSERT_TRUE(book.apply(
      people("id,name,email,manager\n7,Ada,ada@example.com,\n8,Bob,bob@example.com,7\n", morning),
      morning));
  const Applied erased = book.erase_person("7", morning);
  EXPECT_THAT(told(erased), ElementsAre("account 1 erased", "person 7 erased"));
  for (const PeopleChange& change : erased.changes) {
    EXPECT_TRUE(change.before.empty() && change.after.empty()) << "no record of what is erased";
  }
  for (const PeopleRow& row : erased.rows) {
    EXPECT_EQ(row.body.value_or("").find("ada@"), std::string::npos) << *row.body;
    EXPECT_EQ(row.body.value_or("").find("Ada"), std::string::npos) << *row.body;
  }
  EXPECT_EQ(erased.rows.size(), 5U) << "two gone; Bob's manager, twice; the team";
  EXPECT_FALSE(book.known_person("7", morning));
  EXPECT_FALSE(book.known_account({"google", "1"}, morning));
  EXPECT_FALSE(book.records().people.at({"", "8"}).manager);
  EXPECT_FALSE(book.records().accounts.at({"google", "2"}).manager);
  EXPECT_TRUE(book.known_person("8", morning));
  EXPECT_THAT(book.erase_person("7", morning).rows, IsEmpty());
}

TEST(Erasing, TakesNoAccountThatMayBeSomebodyElses) {
  PeopleBook book({});
  ASSERT_TRUE(
      book.apply(directory(users_page({user_json("1", "ada@example.com")}), morning), morning));
  ASSERT_TRUE(
      book.apply(people("id,email\n7,ada@example.com\n8,ada@example.com\n", morning), morning));
  EXPECT_THAT(told(book.erase_person("7", morning)), testing::Contains("person 7 erased").Times(1));
  EXPECT_TRUE(book.known_account({"google", "1"}, morning));
  EXPECT_EQ(book.known_account({"google", "1"}, morning)->person->id, "8");
}

}  // namespace
}  // namespace mailwarden::identity
