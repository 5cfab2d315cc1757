#include "identity/google_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/object_texts.h"
#include "tests/identity/people_maker.h"

namespace mailwarden::identity {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// As users.list answers with projection=full, shortened where nothing is read.
constexpr const char* full_user = R"({
  "kind": "admin#directory#user",
  "id": "103456789012345678901",
  "etag": "\"a/b\"",
  "primaryEmail": "ada@Example.com",
  "name": {"givenName": "Ada", "familyName": "Lovelace", "fullName": "Ada Lovelace"},
  "isAdmin": false,
  "isDelegatedAdmin": true,
  "lastLoginTime": "2026-11-24T07:31:05.000Z",
  "creationTime": "2024-02-01T09:00:00.000Z",
  "agreedToTerms": true,
  "suspended": false,
  "archived": false,
  "changePasswordAtNextLogin": false,
  "ipWhitelisted": false,
  "emails": [{"address": "ada@example.com", "primary": true}, {"address": "ada@home.example"}],
  "externalIds": [{"value": "4711", "type": "organization"}, {"value": "x", "type": "login_id"}],
  "relations": [{"value": "grace@example.com", "type": "manager"},
    {"value": "Bob", "type": "friend"}],
  "organizations": [{"title": "Engineer", "primary": true, "customType": "", "department": "Mail"}],
  "aliases": ["countess@example.com", "ada@example.net"],
  "nonEditableAliases": ["ada@example.com.test-google-a.com", "countess@example.com"],
  "customerId": "C01abcdef",
  "orgUnitPath": "/Engineering",
  "isMailboxSetup": true,
  "isEnrolledIn2Sv": true,
  "isEnforcedIn2Sv": false,
  "includeInGlobalAddressList": true,
  "customSchemas": {"Odd": {"suspended": "yes"}}
})";

Account only_account(const std::string& user) {
  const DirectorySnapshot snapshot = directory(user, morning);
  EXPECT_EQ(snapshot.accounts.size(), 1U);
  return snapshot.accounts.empty() ? Account() : snapshot.accounts.front();
}

TEST(GoogleDirectory, ReadsAUser) {
  const auto fact = [](auto value) { return Fact<decltype(value)>{value, "directory", morning}; };
  const auto text = [&](const char* value) { return fact(std::string(value)); };
  const Account expected{
      .key = {"google", "103456789012345678901"},
      .email = text("ada@example.com"),
      .aliases = fact(std::vector<std::string>{"countess@example.com", "ada@example.net",
                                               "ada@example.com.test-google-a.com"}),
      .name = text("Ada Lovelace"),
      .person = text("4711"),
      .customer = text("C01abcdef"),
      .suspended = fact(false),
      .archived = fact(false),
      .admin = fact(false),
      .delegated_admin = fact(true),
      .second_factor_enrolled = fact(true),
      .second_factor_enforced = fact(false),
      .org_unit = text("/Engineering"),
      .role = text("Engineer"),
      .department = text("Mail"),
      .manager = text("grace@example.com"),
      .last_sign_in = fact(std::optional(at("2026-11-24T07:31:05Z")))};
  EXPECT_EQ(only_account(full_user), expected);
}

TEST(GoogleDirectory, WhatIsAbsentStaysUnknown) {
  const auto email = Fact<std::string>{"ada@example.com", "directory", morning};
  const Account bare{.key = {"google", "1"}, .email = email};
  EXPECT_EQ(only_account(user_json("1", "ada@example.com", "")), bare);
  EXPECT_EQ(only_account(user_json("1", "ada@example.com",
                                   R"("suspended":null,"archived":null,"isEnrolledIn2Sv":null,)"
                                   R"("orgUnitPath":"","relations":null,"name":null)")),
            bare);
}

TEST(GoogleDirectory, NeverIsNotUnknown) {
  const auto never = only_account(
      user_json("1", "ada@example.com", R"("lastLoginTime":"1970-01-01T00:00:00.000Z")"));
  ASSERT_TRUE(never.last_sign_in);
  EXPECT_FALSE(never.last_sign_in->value);
}

TEST(GoogleDirectory, ADeletedUserIsSo) {
  const auto gone = only_account(
      user_json("1", "ada@example.com", R"("deletionTime":"2026-11-01T00:00:00.000Z")"));
  ASSERT_TRUE(gone.deleted);
  EXPECT_TRUE(gone.deleted->value);
}

TEST(GoogleDirectory, WhereOneIsMeantAndTwoAreToldNoneIsKnown) {
  const auto account = only_account(user_json(
      "1", "ada@example.com",
      R"("externalIds":[{"type":"organization","value":"1"},{"type":"organization","value":"2"}],)"
      R"("relations":[{"type":"manager","value":"a@example.com"},)"
      R"({"type":"manager","value":"b@example.com"}],)"
      R"("organizations":[{"title":"A","primary":true},{"title":"B","primary":true}])"));
  EXPECT_FALSE(account.person);
  EXPECT_FALSE(account.manager);
  EXPECT_FALSE(account.role);
  EXPECT_FALSE(only_account(user_json("1", "ada@example.com",
                                      R"("relations":[{"type":"manager","value":"Grace"}])"))
                   .manager)
      << "a name is no address";
}

TEST(GoogleDirectory, ReadsPagesHoweverTheyStand) {
  const std::string first =
      users_page({user_json("2", "b@example.com"), user_json("1", "a@example.com")}, "next");
  const std::string second = users_page({user_json("3", "c@example.com")});
  for (const std::string& text :
       {first + "\n" + second, first + second, "[" + first + "," + second + "]",
        " \r\n[ " + first + " , " + second + " ] \n"}) {
    const DirectorySnapshot snapshot = directory(text, morning);
    EXPECT_TRUE(snapshot.all_accounts) << text;
    EXPECT_FALSE(snapshot.all_groups);
    ASSERT_EQ(snapshot.accounts.size(), 3U) << text;
    EXPECT_EQ(snapshot.accounts[0].key.id, "1");
    EXPECT_EQ(snapshot.accounts[2].key.id, "3");
  }
}

TEST(GoogleDirectory, ASingleUserIsNotAllOfThem) {
  EXPECT_FALSE(directory(full_user, morning).all_accounts);
}

TEST(GoogleDirectory, OneUserOnTwoPagesIsOne) {
  const std::string user = user_json("1", "a@example.com");
  EXPECT_EQ(directory(users_page({user}, "next") + users_page({user}), morning).accounts.size(),
            1U);
}

TEST(GoogleDirectory, ReadsMembersOfEveryKind) {
  const DirectorySnapshot snapshot = directory(
      groups_page({group_json("g1", "Team@Example.com"), group_json("g2", "all@example.com"),
                   group_json("g3", "untold@example.com")}) +
          members_page("g1", {member_json("1", "a@example.com")}, "more") +
          members_page("g1", {member_json("x", "out@other.example", "EXTERNAL"),
                              member_json("y", "odd@example.com", "ROBOT")}) +
          members_page("all@EXAMPLE.com", {member_json("g1", "Team@example.com", "GROUP"),
                                           R"({"type":"CUSTOMER","id":"C01"})"}),
      morning);
  EXPECT_TRUE(snapshot.all_groups);
  ASSERT_EQ(snapshot.groups.size(), 3U);
  EXPECT_EQ(snapshot.groups[0].email->value, "Team@example.com");
  EXPECT_EQ(snapshot.groups[0].name->value, "Group g1");
  ASSERT_TRUE(snapshot.groups[0].members);
  EXPECT_THAT(snapshot.groups[0].members->value,
              ElementsAre(Member{MemberKind::user, "1", "a@example.com"},
                          Member{MemberKind::other, "x", "out@other.example"},
                          Member{MemberKind::other, "y", "odd@example.com"}));
  ASSERT_TRUE(snapshot.groups[1].members);
  EXPECT_THAT(snapshot.groups[1].members->value,
              ElementsAre(Member{MemberKind::group, "g1", "Team@example.com"},
                          Member{MemberKind::customer, "C01", ""}));
  EXPECT_FALSE(snapshot.groups[2].members) << "nobody said who is in it";
}

TEST(GoogleDirectory, AGroupOfNobodyIsKnownToBeSo) {
  const DirectorySnapshot snapshot =
      directory(groups_page({group_json("g1", "team@example.com")}) +
                    R"({"kind":"admin#directory#members","group":"g1"})",
                morning);
  ASSERT_TRUE(snapshot.groups.at(0).members);
  EXPECT_TRUE(snapshot.groups.at(0).members->value.empty());
}

TEST(GoogleDirectory, TheEarliestTimeCounts) {
  const auto page = [](const std::string& generated, const std::string& id, const char* next) {
    return R"({"kind":"admin#directory#users","generated":")" + generated + R"(","users":[)" +
           user_json(id, id + "@example.com") + R"(],"nextPageToken":")" + next + "\"}";
  };
  const std::string pages =
      page("2026-11-24T08:00:00Z", "1", "next") + page("2026-11-24T07:00:00Z", "2", "");
  EXPECT_EQ(read_directory(pages, "d", {})->origin.time, at("2026-11-24T07:00:00Z"));
  EXPECT_EQ(read_directory(pages, "d", at("2026-11-24T09:00:00Z"))->origin.time,
            at("2026-11-24T07:00:00Z"));
  EXPECT_EQ(read_directory(pages, "d", at("2026-11-24T06:00:00Z"))->origin.time,
            at("2026-11-24T06:00:00Z"));
  const std::string half =
      page("2026-11-24T08:00:00Z", "1", "next") + users_page({user_json("2", "b@example.com")});
  EXPECT_THAT(read_directory(half, "d", {}).error().what, HasSubstr("no time is told"));
}

struct PageMistake {
  const char* name;
  std::string text;
  const char* sentence;
};

class DirectoryMistake : public testing::TestWithParam<PageMistake> {};

TEST_P(DirectoryMistake, IsToldInOneSentence) {
  const auto read = read_directory(GetParam().text, "directory", morning);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::invalid);
  EXPECT_EQ(read.error().what, GetParam().sentence);
}

std::string page_with(const std::string& member) {
  return users_page({user_json("7", "a@example.com", member)});
}

INSTANTIATE_TEST_SUITE_P(
    , DirectoryMistake,
    testing::Values(
        PageMistake{"Nothing", "", "directory: it holds no page"},
        PageMistake{"EmptyArray", "[]", "directory: it holds no page"},
        PageMistake{"NoJson", "suspended: no", "byte 0: a page must stand here, in { and }"},
        PageMistake{"Cut", R"({"kind":"admin#directory#users","users":[{"id":"}"})",
                    "byte 0: the page that begins here is not closed"},
        PageMistake{"ArrayCut", "[" + users_page({user_json("1", "a@example.com")}),
                    "byte 165: the array of pages is not closed"},
        PageMistake{"NoComma", "[{}{}]", "byte 3: a comma must stand between two pages"},
        PageMistake{"SomethingBehind", "[{}] {}",
                    "byte 5: something stands behind the array of pages"},
        PageMistake{"BadJsonInside", R"({"kind":nonsense})", "page 1: not valid JSON at byte 10"},
        PageMistake{"DoubledMember", page_with(R"("suspended":true,"suspended":false)"),
                    "page 1: the member 'suspended' stands twice"},
        PageMistake{"AnError", R"({"error":{"code":403,"message":"Not Authorized"}})",
                    "page 1: it is no page but an error: 'Not Authorized'"},
        PageMistake{"SomethingElse", R"({"kind":"calendar#events","items":[]})",
                    "page 1: it is no page of users, groups or members"},
        PageMistake{"UsersAreNoArray", R"({"kind":"admin#directory#users","users":{}})",
                    "page 1: users is not an array; list of users: nobody is in it"},
        PageMistake{"AUserIsNoObject", R"({"kind":"admin#directory#users","users":["x"]})",
                    "page 1: users holds what is not an object; list of users: nobody is in it"},
        PageMistake{"NobodyAtAll", R"({"kind":"admin#directory#users"})",
                    "list of users: nobody is in it"},
        PageMistake{"NoId", users_page({R"({"primaryEmail":"a@example.com"})"}),
                    "page 1, user 1: id is missing"},
        PageMistake{"NoEmail", users_page({R"({"id":"7"})"}),
                    "page 1, user '7': primaryEmail is missing"},
        PageMistake{"NumberAsId", users_page({R"({"id":7,"primaryEmail":"a@example.com"})"}),
                    "page 1, user 1: id is not a text"},
        PageMistake{"NoAddress", users_page({user_json("7", "example.com")}),
                    "page 1, user '7': primaryEmail is 'example.com', which is no e-mail address"},
        PageMistake{"TextAsTruth", page_with(R"("suspended":"false")"),
                    "page 1, user '7': suspended is neither true nor false"},
        PageMistake{"NumberAsTruth", page_with(R"("isEnrolledIn2Sv":1)"),
                    "page 1, user '7': isEnrolledIn2Sv is neither true nor false"},
        PageMistake{"NoTime", page_with(R"("lastLoginTime":"yesterday")"),
                    "page 1, user '7': lastLoginTime is 'yesterday', which is no RFC 3339 time"},
        PageMistake{"AliasesAreNoArray", page_with(R"("aliases":"b@example.com")"),
                    "page 1, user '7': aliases is not an array"},
        PageMistake{"AnAliasIsNoAddress", page_with(R"("aliases":["\u001b[2J"])"),
                    R"(page 1, user '7': aliases holds '\x1b[2J', which is no e-mail address)"},
        PageMistake{"NameIsNoObject", page_with(R"("name":"Ada")"),
                    "page 1, user '7': name is not an object"},
        PageMistake{"ControlCharacters", page_with(R"("orgUnitPath":"/\n")"),
                    "page 1, user '7': orgUnitPath holds control characters"},
        PageMistake{"AllOfThem", page_with(R"("suspended":0,"archived":0)"),
                    "page 1, user '7': suspended is neither true nor false; "
                    "page 1, user '7': archived is neither true nor false"},
        PageMistake{"TwiceAndDifferently",
                    users_page({user_json("7", "a@example.com"), user_json("7", "b@example.com")}),
                    "user '7': it stands there twice and differently"},
        PageMistake{"LastPageMissing", users_page({user_json("7", "a@example.com")}, "next"),
                    "list of users: its last page names a next one, which is not there"},
        PageMistake{"TwoLists",
                    users_page({user_json("7", "a@example.com")}) +
                        users_page({user_json("8", "b@example.com")}),
                    "page 2: it goes on with users, of which the last page was there"},
        PageMistake{
            "PageOfMembersMissing",
            groups_page({group_json("g1", "t@example.com")}) + members_page("g1", {}, "next"),
            "list of members of 'g1': its last page names a next one, which is not there"},
        PageMistake{"TokenIsNoText",
                    R"({"kind":"admin#directory#users","users":[],"nextPageToken":5})",
                    "page 1: nextPageToken is not a text; list of users: nobody is in it"},
        PageMistake{"MembersOfNobody", R"({"kind":"admin#directory#members","members":[]})",
                    "page 1: group is missing"},
        PageMistake{"MembersOfAnUnknownGroup", groups_page({}) + members_page("g9", {}),
                    "list of members of 'g9': no page holds that group"},
        PageMistake{"MembersTwice",
                    groups_page({group_json("g1", "t@example.com")}) + members_page("g1", {}) +
                        members_page("t@example.com", {}),
                    "list of members of 't@example.com': it is there by the group's id and its "
                    "address"},
        PageMistake{"MemberWithoutName",
                    groups_page({group_json("g1", "t@example.com")}) + members_page("g1", {"{}"}),
                    "page 2, member 1: id is missing"}),
    [](const auto& tested) { return tested.param.name; });

TEST(GoogleDirectory, ANameOfTenMegabytesIsTold) {
  const std::string page =
      page_with(R"("name":{"fullName":")" + std::string(10'000'000, 'a') + "\"}");
  EXPECT_EQ(read_directory(page, "directory", morning).error().what,
            "page 1, user '7': fullName has 10000000 bytes; at most 1024 are read");
}

TEST(GoogleDirectory, TellsSomeMistakesAndHowManyMore) {
  std::vector<std::string> users;
  for (int i = 0; i < 25; ++i) users.push_back(user_json(std::to_string(i), "x"));
  const auto read = read_directory(users_page(users), "directory", morning);
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error().what.ends_with("; and 5 more")) << read.error().what;
}

TEST(GoogleDirectory, HasLimits) {
  const std::string page =
      users_page({user_json("1", "a@example.com"), user_json("2", "b@example.com")});
  const std::string group = groups_page({group_json("g", "g@example.com")});
  const auto refused = [&](const DirectoryLimits& limits, const std::string& text) {
    const auto read = read_directory(text, "directory", morning, limits);
    return !read && read.error().code == Code::full;
  };
  EXPECT_FALSE(refused({}, page));
  EXPECT_TRUE(refused({.users_max = 1}, page));
  EXPECT_TRUE(refused({.bytes_max = 10}, page));
  EXPECT_TRUE(refused({.page_bytes_max = 10}, page));
  EXPECT_TRUE(refused({.pages_max = 1}, page + page));
  EXPECT_TRUE(refused({.groups_max = 0}, group));
  EXPECT_TRUE(
      refused({.members_max = 1}, group + members_page("g", {member_json("1", "a@example.com"),
                                                             member_json("2", "b@example.com")})));
}

TEST(ObjectTexts, BracesInTextsDoNotCount) {
  ObjectTexts texts(R"({"a":"}\"{"} {"b":{}})");
  EXPECT_EQ(texts.next().value(), R"({"a":"}\"{"})");
  EXPECT_EQ(texts.next().value(), R"({"b":{}})");
  EXPECT_EQ(texts.next().value(), std::nullopt);
  EXPECT_EQ(texts.next().value(), std::nullopt);
}

}  // namespace
}  // namespace mailwarden::identity
