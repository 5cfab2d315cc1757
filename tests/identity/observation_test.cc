#include "identity/observation.h"

#include <gtest/gtest.h>

#include "tests/identity/people_maker.h"

namespace mailwarden::identity {
namespace {

Event event_of(Ocsf ocsf, const char* product = "google_workspace") {
  return {.time = morning, .source = "workspace", .logsource = {.product = product}, .ocsf = ocsf};
}

Observation observation(Observation seen) {
  seen.origin = {"event:workspace", morning};
  if (seen.provider.empty()) seen.provider = "google";
  return seen;
}

struct ObservationCase {
  const char* name;
  Event event;
  std::optional<Observation> expected;
};

class Observe : public testing::TestWithParam<ObservationCase> {};

TEST_P(Observe, SaysWhatAnEventSaysOfAnAccount) {
  EXPECT_EQ(observe(GetParam().event), GetParam().expected);
}

constexpr auto ok = Outcome::success;

INSTANTIATE_TEST_SUITE_P(
    , Observe,
    testing::Values(
        ObservationCase{
            "SignIn",
            event_of(
                {.class_uid = 3002, .activity_id = 1, .status = ok, .user = "ada@Example.com"}),
            observation({.actor = "ada@example.com"})},
        ObservationCase{"SignInWithSecondFactor",
                        event_of({.class_uid = 3002,
                                  .activity_id = 1,
                                  .status = ok,
                                  .user = "a@example.com",
                                  .is_mfa = true}),
                        observation({.actor = "a@example.com", .second_factor_used = true})},
        ObservationCase{"SignInWithoutSecondFactor",
                        event_of({.class_uid = 3002,
                                  .activity_id = 1,
                                  .status = ok,
                                  .user = "a@example.com",
                                  .is_mfa = false}),
                        observation({.actor = "a@example.com"})},
        ObservationCase{"FailedSignIn",
                        event_of({.class_uid = 3002,
                                  .activity_id = 1,
                                  .status = Outcome::failure,
                                  .user = "a@example.com",
                                  .is_mfa = true}),
                        {}},
        ObservationCase{"Challenge",
                        event_of({.class_uid = 3002,
                                  .activity_id = 99,
                                  .status = Outcome::unknown,
                                  .user = "a@example.com",
                                  .is_mfa = true}),
                        {}},
        ObservationCase{"SignOutSaysNothingOfAFactor",
                        event_of({.class_uid = 3002,
                                  .activity_id = 2,
                                  .status = ok,
                                  .actor_user = "a@example.com",
                                  .is_mfa = true}),
                        observation({.actor = "a@example.com"})},
        ObservationCase{
            "AnyDeed",
            event_of(
                {.class_uid = 6003, .activity_id = 2, .status = ok, .actor_user = "a@example.com"}),
            observation({.actor = "a@example.com"})},
        ObservationCase{"Enrolled",
                        event_of({.class_uid = 3001,
                                  .activity_id = 10,
                                  .status = ok,
                                  .actor_user = "a@example.com",
                                  .user = "a@example.com"}),
                        observation({.actor = "a@example.com",
                                     .subject = "a@example.com",
                                     .second_factor_enrolled = true})},
        ObservationCase{
            "Disabled",
            event_of({.class_uid = 3001, .activity_id = 11, .status = ok, .user = "a@example.com"}),
            observation({.subject = "a@example.com", .second_factor_enrolled = false})},
        ObservationCase{"Suspended",
                        event_of({.class_uid = 3001,
                                  .activity_id = 5,
                                  .status = ok,
                                  .actor_user = "admin@example.com",
                                  .user = "a@example.com"}),
                        observation({.actor = "admin@example.com",
                                     .subject = "a@example.com",
                                     .suspended = true})},
        ObservationCase{
            "TakenBack",
            event_of({.class_uid = 3001, .activity_id = 2, .status = ok, .user = "a@example.com"}),
            observation({.subject = "a@example.com", .suspended = false})},
        ObservationCase{
            "Deleted",
            event_of({.class_uid = 3001, .activity_id = 6, .status = ok, .user = "a@example.com"}),
            observation({.subject = "a@example.com", .deleted = true})},
        ObservationCase{
            "AnotherChangeOfNobodyKnown",
            event_of({.class_uid = 3001, .activity_id = 3, .status = ok, .user = "a@example.com"}),
            {}},
        ObservationCase{
            "NoAddress",
            event_of({.class_uid = 3002, .activity_id = 1, .status = ok, .user = "root"}),
            {}},
        ObservationCase{
            "AnotherProvider",
            event_of({.class_uid = 3002, .activity_id = 1, .status = ok, .user = "a@example.com"},
                     "okta"),
            observation({.provider = "okta", .actor = "a@example.com"})},
        ObservationCase{
            "GoogleCloud",
            event_of(
                {.class_uid = 6003, .activity_id = 2, .status = ok, .actor_user = "a@example.com"},
                "gcp"),
            observation({.actor = "a@example.com"})},
        ObservationCase{
            "NoProduct",
            event_of({.class_uid = 3002, .activity_id = 1, .status = ok, .user = "a@example.com"},
                     ""),
            {}}),
    [](const auto& tested) { return tested.param.name; });

TEST(Observation, WhatNobodyCouldReadSaysNothing) {
  Event event =
      event_of({.class_uid = 3002, .activity_id = 1, .status = ok, .user = "a@example.com"});
  ASSERT_TRUE(observe(event));
  event.undecoded = "no decoder";
  EXPECT_FALSE(observe(event));
}

}  // namespace
}  // namespace mailwarden::identity
