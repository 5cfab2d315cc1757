#include "identity/people_source.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/identity/people_maker.h"
#include "tests/temporary.h"

namespace mailwarden::identity {
namespace {

using testing::HasSubstr;

TEST(MomentInName, IsTheFirstDateOfTheName) {
  const auto moment = [](const char* path) {
    const auto found = moment_in_name(path);
    return found ? to_rfc3339(*found).substr(0, 19) : "none";
  };
  EXPECT_EQ(moment("/a/people-2026-11-29.csv"), "2026-11-29T00:00:00");
  EXPECT_EQ(moment("2026-11-29T0315Z.csv"), "2026-11-29T03:15:00");
  EXPECT_EQ(moment("p_2026-11-29T031507Z_2027-01-01.csv"), "2026-11-29T03:15:07");
  EXPECT_EQ(moment("p-2026-11-29T0315.csv"), "2026-11-29T00:00:00") << "a time of no zone";
  EXPECT_EQ(moment("p-2026-02-30-2026-03-01"), "2026-03-01T00:00:00") << "no such day";
  EXPECT_EQ(moment("/2026-11-29/people.csv"), "none");
  EXPECT_EQ(moment("p12026-11-29.csv"), "none") << "the end of a longer number";
  EXPECT_EQ(moment("people.csv"), "none");
}

PeopleSource source(PeopleSourceOptions options) {
  auto made = PeopleSource::make(options);
  EXPECT_TRUE(made) << made.error().what;
  return *std::move(made);
}

class FilesOfPeople : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return folder_.path(name); }

  const TemporaryFolder folder_;
};

TEST_F(FilesOfPeople, TheLatestByNameCountsAndIsTakenOnce) {
  write_file(path("people-2026-11-23.csv"), "id,name\n1,Ada\n2,Bob\n");
  write_file(path("people-2026-11-24T0300Z.csv"), "id,name\n1,Ada\n");
  write_file(path("people-old.csv"), "no register");
  PeopleSource hr = source({.name = "hr", .place = path("people-*.csv")});
  const auto first = hr.take(morning);
  ASSERT_TRUE(first && *first) << first.error().what;
  const auto& people = std::get<Register>(**first);
  EXPECT_EQ(people.origin, (Origin{"hr", at("2026-11-24T03:00:00Z")}));
  EXPECT_EQ(people.people.size(), 1U);
  const auto again = hr.take(morning);
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again);
  write_file(path("people-2026-11-25.csv"), "id,name\n3,Eve\n");
  const auto next = hr.take(morning);
  ASSERT_TRUE(next && *next);
  EXPECT_EQ(std::get<Register>(**next).people.front().id, "3");
}

TEST_F(FilesOfPeople, AMistakeIsToldWithTheFileAndTriedAgain) {
  write_file(path("people-2026-11-24.csv"), "id\n=1\n");
  PeopleSource hr = source({.name = "hr", .place = path("people-*.csv")});
  const auto told = hr.take(morning);
  ASSERT_FALSE(told);
  EXPECT_THAT(told.error().what, HasSubstr("'hr', " + path("people-2026-11-24.csv")));
  EXPECT_THAT(told.error().what, HasSubstr("line 2: id begins with '='"));
  EXPECT_FALSE(hr.take(morning)) << "it is still wrong";
}

TEST_F(FilesOfPeople, WhatHasNoTimeIsNotBelieved) {
  write_file(path("people.csv"), "id,name\n1,Ada\n");
  EXPECT_EQ(source({.name = "hr", .place = path("people.csv")}).take(morning).error().what,
            "'hr', " + path("people.csv") + ": it is not said as of when the register is true");
  write_file(path("users.json"), users_page({user_json("1", "a@example.com")}));
  EXPECT_THAT(source({.name = "dir", .teller = Teller::google, .place = path("users.json")})
                  .take(morning)
                  .error()
                  .what,
              HasSubstr("no time is told for it"));
  write_file(path("people2.csv"), "id,name\n1,Ada\n");
  EXPECT_THAT(source({.name = "hr", .place = path("people*.csv")}).take(morning).error().what,
              HasSubstr("none has a date in its name"));
}

TEST_F(FilesOfPeople, LinksAndNothingAreNoFiles) {
  write_file(path("register"), "id,name\n1,Ada\n");
  std::filesystem::create_symlink(path("register"), path("people-2026-11-24.csv"));
  EXPECT_FALSE(source({.name = "hr", .place = path("people-*.csv")}).take(morning));
  EXPECT_EQ(source({.name = "hr", .place = path("none-*")}).take(morning).error().code,
            Code::not_found);
}

TEST(PeopleSource, ByHandAloneGivesNothingByItself) {
  PeopleSource hr = source({.name = "hr"});
  const auto told = hr.take(morning);
  ASSERT_TRUE(told);
  EXPECT_FALSE(*told);
}

TEST(PeopleSource, ADirectoryIsAskedAtEachCall) {
  const TemporaryFolder folder;
  write_file(folder.path("token"), "secret\n");
  int asked = 0;
  const auto fetch = [&](const net::HttpCall&) -> Result<net::HttpAnswer> {
    ++asked;
    return net::HttpAnswer{.status = 200, .body = users_page({user_json("1", "a@example.com")})};
  };
  auto directory = PeopleSource::make({.name = "dir",
                                       .teller = Teller::google,
                                       .place = "https://directory.example.com/v1",
                                       .token_file = folder.path("token"),
                                       .groups = false},
                                      fetch);
  ASSERT_TRUE(directory) << directory.error().what;
  for (int i = 1; i <= 2; ++i) {
    const auto told = directory->take(morning);
    ASSERT_TRUE(told && *told) << told.error().what;
    EXPECT_EQ(std::get<DirectorySnapshot>(**told).origin, (Origin{"dir", morning}));
    EXPECT_EQ(asked, i);
  }
  EXPECT_FALSE(PeopleSource::make({.name = "hr", .place = "https://hr.example.com/people.csv"}));
}

}  // namespace
}  // namespace mailwarden::identity
