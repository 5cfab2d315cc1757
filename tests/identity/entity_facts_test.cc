#include "identity/entity_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/authorizer.h"
#include "policy/entity_json.h"
#include "policy/policy_set.h"
#include "policy/schema_fragment.h"
#include "policy/validate.h"
#include "tests/identity/people_maker.h"

namespace mailwarden::identity {
namespace {

using std::chrono::hours;

const Timestamp midday = at("2026-11-24T12:00:00Z");

json::Value attribute(const PeopleBook& book, const char* name, Timestamp now = midday) {
  const auto facts = user_entity(book, ada, {}, now);
  return facts ? facts->entity.at("attrs")[name] : json::Value("nobody");
}

struct Case {
  const char* name;
  std::string user;  // members of the directory's user
  std::string employment;
  std::string active;  // "true", "false", "null" for unknown
  std::string enabled;
  std::string employed;
  Duration age = Duration::zero();
};

class Active : public testing::TestWithParam<Case> {};

TEST_P(Active, IsOnlySaidWhereItIsKnown) {
  PeopleBook book({});
  const Timestamp told = midday - GetParam().age;
  ASSERT_TRUE(book.apply(
      directory(users_page({user_json("1", "ada@example.com", GetParam().user)}), told), midday));
  ASSERT_TRUE(book.apply(people("id,email,employed_from,employed_until\n7,ada@example.com," +
                                    GetParam().employment + "\n",
                                told),
                         midday));
  EXPECT_EQ(json::to_text(attribute(book, "active")), GetParam().active);
  EXPECT_EQ(json::to_text(attribute(book, "account_enabled")), GetParam().enabled);
  EXPECT_EQ(json::to_text(attribute(book, "employed")), GetParam().employed);
}

const std::string in_order = R"("suspended":false,"archived":false)";

INSTANTIATE_TEST_SUITE_P(
    , Active,
    testing::Values(
        Case{"EmployedAndEnabled", in_order, "2024-02-01,", "true", "true", "true"},
        Case{"Leaver", in_order, "2024-02-01,2026-11-23", "false", "true", "false"},
        Case{"LastDay", in_order, "2024-02-01,2026-11-24", "true", "true", "true"},
        Case{"NotYetBegun", in_order, "2026-11-25,", "false", "true", "false"},
        Case{"FirstDay", in_order, "2026-11-24,", "true", "true", "true"},
        Case{"EndsThisMoment", in_order, "2024-02-01,2026-11-24T12:00:00Z", "false", "true",
             "false"},
        Case{"Suspended", R"("suspended":true,"archived":false)", "2024-02-01,", "false", "false",
             "true"},
        Case{"Archived", R"("suspended":false,"archived":true)", "2024-02-01,", "false", "false",
             "true"},
        Case{"Deleted", in_order + R"(,"deletionTime":"2026-11-01T00:00:00Z")", "2024-02-01,",
             "\"nobody\"", "\"nobody\"", "\"nobody\""},
        Case{"SuspensionIsUnknown", R"("archived":false)", "2024-02-01,", "null", "null", "true"},
        Case{"ArchivingIsUnknown", R"("suspended":false)", "2024-02-01,", "null", "null", "true"},
        Case{"SuspendedIsEnough", R"("suspended":true)", "2024-02-01,", "false", "false", "true"},
        Case{"EmploymentIsUnknown", in_order, ",", "null", "true", "null"},
        Case{"SuspendedAndEmploymentUnknown", R"("suspended":true)", ",", "false", "false", "null"},
        Case{"JustNotTooOld", in_order, "2024-02-01,", "true", "true", "true",
             hours(24) - Duration(1)},
        Case{"TooOld", in_order, "2024-02-01,", "\"nobody\"", "\"nobody\"", "\"nobody\"",
             hours(24)}),
    [](const auto& tested) { return tested.param.name; });

TEST(EntityFacts, ARehiredPersonIsEmployedAgain) {
  PeopleBook book({});
  const auto hire = [&](const std::string& dates) {
    EXPECT_TRUE(book.apply(
        people("id,email,employed_from,employed_until\n7,ada@example.com," + dates + "\n", midday),
        midday));
    return json::to_text(attribute(book, "employed"));
  };
  ASSERT_TRUE(book.apply(
      directory(users_page({user_json("1", "ada@example.com", in_order)}), midday), midday));
  EXPECT_EQ(hire("2024-02-01,2026-10-31"), "false");
  EXPECT_EQ(hire("2026-11-01,"), "true") << "no end of the former employment is left";
  EXPECT_EQ(hire("2026-12-01,"), "false");
}

TEST(EntityFacts, WhoLeftTheRegisterIsNotKnownToBeEmployed) {
  PeopleBook book({});
  ASSERT_TRUE(book.apply(
      directory(users_page({user_json("1", "ada@example.com", in_order)}), midday), midday));
  ASSERT_TRUE(book.apply(
      people("id,email,employed_from,employed_until\n7,ada@example.com,2024-02-01,\n", midday),
      midday));
  EXPECT_EQ(attribute(book, "active"), json::Value(true));
  ASSERT_TRUE(book.apply(people("id\n8\n", midday), midday));
  EXPECT_TRUE(attribute(book, "active").is_null());
}

TEST(EntityFacts, EnrolledIsNotEnforced) {
  PeopleBook book({});
  ASSERT_TRUE(book.apply(
      directory(users_page({user_json("1", "ada@example.com",
                                      R"("isEnrolledIn2Sv":true,"isEnforcedIn2Sv":false)")}),
                midday),
      midday));
  EXPECT_EQ(attribute(book, "second_factor_enrolled"), json::Value(true));
  EXPECT_EQ(attribute(book, "second_factor_enforced"), json::Value(false));
  EXPECT_TRUE(attribute(book, "second_factor_used").is_null());
  Observation seen{.origin = {"event:workspace", midday},
                   .provider = "google",
                   .actor = "ada@example.com",
                   .second_factor_used = true};
  book.apply(seen, midday);
  EXPECT_EQ(json::to_text(attribute(book, "second_factor_used")),
            R"({"__extn":{"arg":"2026-11-24T12:00:00.000Z","fn":"datetime"}})");
}

PeopleBook full_book() {
  PeopleBook book({});
  const std::string user =
      R"("suspended":false,"archived":false,"isAdmin":false,"isDelegatedAdmin":true,)"
      R"("isEnrolledIn2Sv":true,"isEnforcedIn2Sv":true,"orgUnitPath":"/Mail",)"
      R"("lastLoginTime":"2026-11-23T07:00:00.000Z","name":{"fullName":"A. Lovelace"},)"
      R"("organizations":[{"title":"Countess","department":"Engines"}])";
  EXPECT_TRUE(
      book.apply(directory(users_page({user_json("1", "ada@example.com", user),
                                       user_json("2", "grace@example.com", in_order)}) +
                               groups_page({group_json("g1", "team@example.com"),
                                            group_json("g2", "all@example.com")}) +
                               members_page("g1", {member_json("1", "ada@example.com")}) +
                               members_page("g2", {member_json("g1", "team@example.com", "GROUP")}),
                           midday),
                 midday));
  EXPECT_TRUE(book.apply(
      people("id,email,role,manager,employed_from,employed_until,trained,trained_until,"
             "background_checked,policy_accepted,policy_version\n"
             "7,ada@example.com,engineer,8,2024-02-01,2026-12-31,2026-01-10,2026-11-24,2024-01-15,"
             "2024-02-01,v3\n"
             "8,grace@example.com,,,,,,2026-11-23,,,\n",
             midday),
      midday));
  return book;
}

TEST(EntityFacts, SayWhatIsKnownAndNothingElse) {
  const PeopleBook book = full_book();
  const json::Value entities = all_entities(book, {}, midday);
  ASSERT_EQ(entities.as_array()->size(), 4U);
  EXPECT_EQ(
      json::to_text((*entities.as_array())[0]),
      R"({"attrs":{"account_enabled":true,"active":true,"admin":false,)"
      R"("background_checked":{"__extn":{"arg":"2024-01-15T00:00:00.000Z","fn":"datetime"}},)"
      R"("delegated_admin":true,"department":"Engines","email":"ada@example.com","employed":true,)"
      R"("employed_from":{"__extn":{"arg":"2024-02-01T00:00:00.000Z","fn":"datetime"}},)"
      R"("employed_until":{"__extn":{"arg":"2027-01-01T00:00:00.000Z","fn":"datetime"}},)"
      R"("groups_known":true,)"
      R"("last_use":{"__extn":{"arg":"2026-11-23T07:00:00.000Z","fn":"datetime"}},)"
      R"("manager":{"__entity":{"id":"grace@example.com","type":"User"}},"name":"A. Lovelace",)"
      R"("org_unit":"/Mail","person":"7",)"
      R"("policy_accepted":{"__extn":{"arg":"2024-02-01T00:00:00.000Z","fn":"datetime"}},)"
      R"("policy_version":"v3","role":"engineer","second_factor_enforced":true,)"
      R"("second_factor_enrolled":true,"trained":true,)"
      R"("trained_at":{"__extn":{"arg":"2026-01-10T00:00:00.000Z","fn":"datetime"}},)"
      R"("trained_until":{"__extn":{"arg":"2026-11-25T00:00:00.000Z","fn":"datetime"}}},)"
      R"("parents":[{"id":"team@example.com","type":"Group"}],)"
      R"("uid":{"id":"ada@example.com","type":"User"}})");
  EXPECT_EQ(json::to_text((*entities.as_array())[1]),
            R"({"attrs":{"account_enabled":true,"email":"grace@example.com","groups_known":true,)"
            R"("person":"8","trained":false,)"
            R"("trained_until":{"__extn":{"arg":"2026-11-24T00:00:00.000Z","fn":"datetime"}}},)"
            R"("parents":[],"uid":{"id":"grace@example.com","type":"User"}})");
  EXPECT_EQ(json::to_text((*entities.as_array())[2]),
            R"({"attrs":{"email":"team@example.com","name":"Group g1"},)"
            R"("parents":[{"id":"all@example.com","type":"Group"}],)"
            R"("uid":{"id":"team@example.com","type":"Group"}})");
}

TEST(EntityFacts, NamesAndTypesAreTheCallers) {
  const PeopleBook book = full_book();
  const EntityNames names{.user_type = "Corp::Person",
                          .group_type = "Corp::Team",
                          .user_id = EntityNames::Id::directory,
                          .group_id = EntityNames::Id::directory};
  const auto facts = user_entity(book, ada, names, midday);
  ASSERT_TRUE(facts);
  EXPECT_EQ(json::to_text(facts->entity.at("uid")), R"({"id":"1","type":"Corp::Person"})");
  EXPECT_EQ(json::to_text(facts->entity.at("parents")), R"([{"id":"g1","type":"Corp::Team"}])");
  EXPECT_EQ(json::to_text(facts->entity.at("attrs")["manager"]),
            R"({"__entity":{"id":"2","type":"Corp::Person"}})");
  EXPECT_EQ(all_entities(book, {.provider = "okta"}, midday).as_array()->size(), 0U);
}

TEST(EntityFacts, AnAddressOfSeveralNamesNobody) {
  PeopleBook book = full_book();
  ASSERT_TRUE(book.apply(
      directory(user_json("9", "eve@example.com", R"("aliases":["ada@example.com"])"), midday),
      midday));
  EXPECT_FALSE(user_entity(book, ada, {}, midday));
  EXPECT_TRUE(user_entity(book, ada, {.user_id = EntityNames::Id::directory}, midday));
}

TEST(EntityFacts, TellUntilWhenTheyHold) {
  const PeopleBook book = full_book();
  const auto until = [&](Timestamp now) { return user_entity(book, ada, {}, now)->until; };
  EXPECT_EQ(until(midday), at("2026-11-25T00:00:00Z")) << "the training ends";
  EXPECT_EQ(until(at("2026-11-25T00:00:00Z")), midday + hours(24)) << "the facts are too old";
  EXPECT_EQ(each_entity(book, {}, midday, [](const EntityFacts&) {}), at("2026-11-25T00:00:00Z"));
}

// The whole way: what a directory and personnel say, as a policy sees it.
constexpr const char* schema_text = R"(
  entity Group in [Group] { email?: String, name?: String };
  entity User in [Group] {
    account_enabled?: Bool, active?: Bool, admin?: Bool, background_checked?: datetime,
    delegated_admin?: Bool, department?: String, email?: String, employed?: Bool,
    employed_from?: datetime, employed_until?: datetime, groups_known?: Bool,
    last_use?: datetime, manager?: User, name?: String, org_unit?: String, person?: String,
    policy_accepted?: datetime, policy_version?: String, role?: String,
    second_factor_enforced?: Bool, second_factor_enrolled?: Bool, second_factor_used?: datetime,
    trained?: Bool, trained_at?: datetime, trained_until?: datetime,
  };
  entity Mailbox;
  action read appliesTo { principal: User, resource: Mailbox };
)";
constexpr const char* policy_text = R"(
  permit (principal in Group::"all@example.com", action == Action::"read", resource)
  when {
    principal has active && principal.active && principal has trained && principal.trained &&
    principal has second_factor_enrolled && principal.second_factor_enrolled &&
    principal has second_factor_enforced && principal.second_factor_enforced &&
    principal has policy_accepted && principal.policy_accepted > datetime("2024-01-01") &&
    principal has manager && principal.manager == User::"grace@example.com"
  };
)";

bool allows(const PeopleBook& book, Timestamp now) {
  const auto schema = policy::Schema::resolve(policy::parse_schema(schema_text).value());
  EXPECT_TRUE(schema) << schema.error().what;
  auto policies = std::make_shared<policy::PolicySet>();
  EXPECT_TRUE(policies->add_text(policy_text));
  EXPECT_TRUE(policy::validate(*policies, *schema).passed());
  auto entities = policy::read_entities(json::to_text(all_entities(book, {}, now)), &*schema);
  EXPECT_TRUE(entities) << entities.error().what;
  const policy::Authorizer authorizer(
      policies, std::make_shared<const policy::Entities>(*std::move(entities)));
  policy::Request request{.principal = {"User", "ada@example.com"},
                          .action = {"Action", "read"},
                          .resource = {"Mailbox", "inbox"}};
  policy::Authorizer::Scratch scratch;
  policy::Answer answer;
  authorizer.authorize(request, scratch, answer);
  EXPECT_TRUE(answer.errors.empty());
  return answer.is_allowed;
}

// What the schema of a company must agree with.
TEST(EntityFacts, EveryAttributeIsAmongTheTypes) {
  const PeopleBook book = full_book();
  const auto facts = user_entity(book, ada, {}, midday);
  ASSERT_TRUE(facts);
  std::set<std::string> typed;
  for (const FactType& type : fact_types()) typed.emplace(type.attribute);
  const json::Object& attributes = *facts->entity.at("attrs").as_object();
  for (const FactType& type : fact_types()) {
    const auto found = attributes.find(type.attribute);
    if (found == attributes.end()) continue;
    const json::Value& value = found->second;
    const std::string_view is = value.as_bool() != nullptr                 ? "Bool"
                                : value.as_string() != nullptr             ? "String"
                                : !value["__entity"].is_null()             ? "User"
                                : value["__extn"].text("fn") == "datetime" ? "datetime"
                                                                           : "?";
    EXPECT_EQ(is, type.type) << type.attribute;
  }
  for (const auto& [name, value] : attributes) EXPECT_TRUE(typed.contains(name)) << name;
}

TEST(EntityFacts, WhatItRestsOnIsTold) {
  PeopleBook book({});
  ASSERT_TRUE(book.apply(
      directory(users_page({user_json("1", "ada@example.com", in_order)}), midday - hours(2)),
      midday));
  ASSERT_TRUE(
      book.apply(people("id,email,employed_from,employed_until\n7,ada@example.com,2024-02-01,\n",
                        midday - hours(1)),
                 midday));
  const auto facts = user_entity(book, ada, {}, midday);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->origins,
            (Origins{{"directory", midday - hours(2)}, {"personnel", midday - hours(1)}}));
}

TEST(EntityFacts, UnknownNeverAllows) {
  PeopleBook book = full_book();
  EXPECT_TRUE(allows(book, midday));
  EXPECT_FALSE(allows(book, at("2026-11-25T00:00:00Z"))) << "the training has ended";
  EXPECT_FALSE(allows(book, midday + hours(24))) << "all of it is too old";
  EXPECT_FALSE(allows(book, midday - hours(1))) << "the clock has jumped back";
  book.apply(Observation{.origin = {"event:workspace", midday},
                         .provider = "google",
                         .subject = "ada@example.com",
                         .second_factor_enrolled = false},
             midday);
  EXPECT_FALSE(allows(book, midday));
}

}  // namespace
}  // namespace mailwarden::identity
