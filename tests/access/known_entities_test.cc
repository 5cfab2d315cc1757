#include "access/known_entities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/decide.h"
#include "policy/entity_json.h"
#include "policy/schema_fragment.h"
#include "tests/identity/people_maker.h"

namespace mailwarden::access {
namespace {

using identity::at;
using identity::directory;
using identity::morning;
using identity::people;
using identity::PeopleBook;
using identity::user_json;
using identity::users_page;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

policy::Schema schema_of(const std::string& user) {
  const auto fragment = policy::parse_schema(
      "entity Group in [Group]; entity System; entity User in "
      "[Group] " +
      user +
      "; action read appliesTo {principal: User, "
      "resource: System};");
  EXPECT_TRUE(fragment) << fragment.error().what;
  return policy::Schema::resolve(*fragment).value();
}

const std::string user_type = "{active?: Bool, role?: String}";

class KnownEntitiesTest : public testing::Test {
 protected:
  void tell(const std::string& pages) {
    ASSERT_TRUE(book_.apply(directory(pages, morning), morning));
  }

  void know(const std::string& file = "[]", Timestamp now = morning) {
    const std::vector<EntityText> texts{{"staff.json", file}};
    auto known =
        known_entities(texts, {.book = &book_, .is_complete = is_complete_}, {}, schema_, now);
    ASSERT_TRUE(known) << known.error().what;
    known_ = *std::move(known);
  }

  std::string attributes(const std::string& user) const {
    const auto* const found = find(*known_.entities, {"User", user});
    return found == nullptr ? "nobody" : json::to_text(policy::to_json(found->attributes));
  }

  std::vector<std::string> above(const std::string& user) const {
    std::vector<std::string> ids;
    const auto* const name = known_.entities->find("User", user);
    for (const std::uint32_t number : known_.entities->ancestors(name->number)) {
      ids.emplace_back(known_.entities->name(number).id);
    }
    return ids;
  }

  PeopleBook book_{identity::PeopleBookOptions()};
  policy::Schema schema_ = schema_of(user_type);
  KnownEntities known_;
  bool is_complete_ = false;
};

TEST_F(KnownEntitiesTest, PeopleOfTheDirectoryAndSystemsOfTheFileStandTogether) {
  tell(users_page({user_json("1", "ada@example.com")}));
  ASSERT_TRUE(book_.apply(people("id,email,employed_from,employed_until,role,department\n"
                                 "7,ada@example.com,2024-02-01,,engineer,mail\n",
                                 morning),
                          morning));
  know(R"([{"uid": {"type": "System", "id": "wiki"}, "attrs": {}, "parents": []}])");
  EXPECT_EQ(attributes("ada@example.com"), R"({"active":true,"role":"engineer"})")
      << "what the schema does not have is not there";
  EXPECT_NE(find(*known_.entities, {"System", "wiki"}), nullptr);
  EXPECT_THAT(known_.left_out, IsEmpty());
  EXPECT_THAT(
      known_.origins->at("ada@example.com"),
      UnorderedElementsAre(std::pair("directory", morning), std::pair("personnel", morning)));
}

TEST_F(KnownEntitiesTest, AFileKeepsNobodyInOfWhomTheDirectoryTells) {
  const std::string file =
      R"([{"uid": {"type": "User", "id": "ada@example.com"}, "attrs": {"active": true},)"
      R"( "parents": [{"type": "Group", "id": "staff"}]},)"
      R"( {"uid": {"type": "User", "id": "robot@example.com"}, "attrs": {"active": true},)"
      R"( "parents": []}])";
  tell(users_page({user_json("1", "ada@example.com", R"("suspended":true)")}));
  know(file);
  EXPECT_EQ(attributes("ada@example.com"), R"({"active":false})");
  EXPECT_THAT(above("ada@example.com"), IsEmpty());
  EXPECT_EQ(attributes("robot@example.com"), R"({"active":true})");
  EXPECT_THAT(known_.left_out, ElementsAre(HasSubstr("staff.json: User::\"ada@example.com\"")));
  know(file, morning + std::chrono::hours(25));
  EXPECT_EQ(attributes("ada@example.com"), "nobody")
      << "what is too old to be believed does not bring the file's word back";
}

// Whom the directory has dropped no file brings back.
TEST_F(KnownEntitiesTest, WhereADirectoryTellsOfPeopleFilesTellOfNone) {
  is_complete_ = true;
  tell(users_page({user_json("1", "ada@example.com")}));
  const std::string file =
      R"([{"uid": {"type": "User", "id": "old@example.com"}, "attrs": {"active": true},)"
      R"( "parents": []}])";
  know(file);
  EXPECT_EQ(attributes("old@example.com"), "nobody");
  EXPECT_THAT(known_.left_out, ElementsAre(HasSubstr("User::\"old@example.com\"")));
}

TEST_F(KnownEntitiesTest, AFileSaysInWhatADirectorysGroupStands) {
  tell(users_page({user_json("1", "ada@example.com")}) + "\n" +
       identity::groups_page({identity::group_json("g", "team@example.com")}) + "\n" +
       identity::members_page("g", {identity::member_json("1", "ada@example.com")}));
  know(R"([{"uid": {"type": "Group", "id": "staff"}, "attrs": {}, "parents": []},)"
       R"( {"uid": {"type": "Group", "id": "team@example.com"}, "attrs": {},)"
       R"( "parents": [{"type": "Group", "id": "staff"}]}])");
  EXPECT_THAT(above("ada@example.com"), UnorderedElementsAre("team@example.com", "staff"));
  EXPECT_THAT(known_.left_out, IsEmpty());
}

TEST_F(KnownEntitiesTest, SaysUntilWhenItHolds) {
  tell(users_page({user_json("1", "ada@example.com")}));
  know();
  EXPECT_EQ(known_.until, morning + std::chrono::hours(24));
}

TEST_F(KnownEntitiesTest, WithoutABookTheFilesAreAll) {
  const std::vector<EntityText> texts{
      {"a.json", R"([{"uid": {"type": "User", "id": "a"}, "attrs": {}, "parents": []}])"},
      {"b.json", R"([{"uid": {"type": "User"}}])"}};
  EXPECT_THAT(known_entities(texts, {}, {}, schema_, morning).error().what,
              HasSubstr("b.json: entity 1: 'uid'"));
  const auto known = known_entities(std::span(texts).first(1), {}, {}, schema_, morning);
  ASSERT_TRUE(known) << known.error().what;
  EXPECT_NE(find(*known->entities, {"User", "a"}), nullptr);
}

TEST(FitsPeople, TellsEveryDifference) {
  EXPECT_TRUE(fits_people(schema_of("{active?: Bool, trained_until?: datetime, manager?: User, "
                                    "own?: Set<Long>}"),
                          {}));
  EXPECT_EQ(fits_people(schema_of("{active?: String, background_checked?: Bool, level: Long}"), {})
                .error()
                .what,
            "the schema has User.active as String; of people it is known as Bool\n"
            "the schema has User.background_checked as Bool; of people it is known as datetime\n"
            "the schema asks for User.level, which is not known of everybody; it must be level?");
  const auto alone = policy::Schema::resolve(policy::parse_schema("entity User;").value()).value();
  EXPECT_THAT(fits_people(alone, {}).error().what, HasSubstr("no User in Group"));
  const auto none = policy::Schema::resolve(policy::parse_schema("entity Who;").value()).value();
  EXPECT_THAT(fits_people(none, {}).error().what, HasSubstr("no type User"));
}

}  // namespace
}  // namespace mailwarden::access
