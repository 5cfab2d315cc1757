// Schedules in the programs: who is alerted, reloading, and what the command says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;

// Whoever is named has an override for as long as this test may be run.
std::string on_call_yaml(const std::string& person) {
  return "people:\n- {name: ada, receivers: [mail-ada]}\n- {name: ben, receivers: [mail-ben]}\n"
         "schedules:\n- name: primary\n  zone: Europe/Berlin\n  layers:\n"
         "  - {name: turns, people: [ada, ben], start: 2020-01-01 09:00, shift: 1h}\n"
         "  overrides:\n"
         "  - {person: " +
         person + ", from: 2020-01-01 09:00, until: 2190-01-01 09:00, reason: a test}\n";
}

class OnCall : public testing::Test {
 protected:
  OnCall() {
    daemon_.copy_policies();
    write_file(daemon_.path("policies/routes.yaml"),
               "receivers:\n- {name: spool, kind: folder, folder: spool}\n"
               "- {name: mail-ada, kind: folder, folder: ada}\n"
               "- {name: mail-ben, kind: folder, folder: ben}\n"
               "routes: [{changes: [opened], to: [on-call:primary]}]\n");
    write_file(on_call_, on_call_yaml("ada"));
  }

  Ran show(std::vector<std::string> more) {
    more.insert(more.begin(), {"oncall", "show", "--policies", daemon_.path("policies")});
    return mailwarden(std::move(more));
  }

  RunningDaemon daemon_;
  std::string on_call_ = daemon_.path("policies/on_call.yaml");
};

std::string failures(const std::string& address) {
  std::string text;
  for (int i = 0; i < 12; ++i) {
    text += "Nov 24 05:00:0" + std::to_string(i % 10) + " mail1 sshd[" + std::to_string(4000 + i) +
            "]: Failed password for root from " + address + " port 2000 ssh2\n";
  }
  return text;
}

TEST_F(OnCall, AReloadedScheduleDecidesAndABadOneDoesNot) {
  const auto told = [&](const std::string& receiver) {
    return daemon_.rows("SELECT name FROM alert WHERE receiver = '" + receiver + "'").size();
  };
  const auto opened = [&](const std::string& address) {
    return daemon_.ask("/api/v1/incidents").body.contains(address);
  };
  const auto policies = [&] { return daemon_.get("/api/v1/status").text("policies"); };
  const std::string log = daemon_.path("auth.log");
  write_file(log, failures("203.0.113.5"));
  daemon_.start({"--source", "file:" + log + ",name=auth,year=2026"});
  daemon_.wait_until([&] { return opened("203.0.113.5"); });
  const std::string before = policies();

  write_file(on_call_, on_call_yaml("eve"));
  daemon_.signal(SIGHUP);
  daemon_.wait_until([&] { return daemon_.output().contains("stay in force"); });
  EXPECT_THAT(daemon_.output(), HasSubstr("on_call.yaml, line 10: there is no person 'eve'"));
  EXPECT_EQ(policies(), before);
  append_file(log, failures("203.0.113.6"));
  daemon_.wait_until([&] { return opened("203.0.113.6"); });

  write_file(on_call_, on_call_yaml("ben"));
  daemon_.signal(SIGHUP);
  daemon_.wait_until([&] { return policies() != before; });
  append_file(log, failures("203.0.113.7"));
  daemon_.wait_until([&] { return opened("203.0.113.7"); });
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();

  EXPECT_EQ(told("mail-ada"), 2U);
  EXPECT_EQ(told("mail-ben"), 1U);
  const auto events = daemon_.rows("SELECT event FROM alert WHERE receiver = 'mail-ben'");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_THAT(*events.begin(),
              HasSubstr(R"("on_call":[{"cause":"override","person":"ben","reason":"a test",)"));
  const Ran verified = daemon_.verify();
  EXPECT_EQ(verified.code, 0) << verified.output;
}

// Berlin set its clocks back on 25 October 2026, and an hour of it came twice.
TEST_F(OnCall, TheCommandTellsShiftsInTheZoneAndInUtc) {
  write_file(on_call_,
             "people: [{name: ada, receivers: [mail-ada, spool]}, {name: ben, receivers: "
             "[mail-ben]}]\n"
             "schedules:\n- name: primary\n  zone: Europe/Berlin\n  fallback: ben\n  layers:\n"
             "  - {name: turns, people: [ada, ben], start: 2026-10-23 09:00, shift: daily}\n"
             "- {name: secondary, zone: UTC, layers: [{name: alone, people: [ben], start: "
             "2020-01-01 00:00, shift: daily}]}\n");
  const Ran days = show({"--schedule", "primary", "--at", "2026-10-24T12:00:00+02:00", "--until",
                         "2026-10-26T09:00:00+01:00"});
  EXPECT_EQ(days.code, 0) << days.output;
  EXPECT_EQ(days.output,
            "primary (Europe/Berlin)\n"
            "PERSON  BECAUSE OF     FROM                  UNTIL                 "
            "FROM (UTC)        UNTIL (UTC)\n"
            "ben     layer 'turns'  Sat 2026-10-24 12:00  Sun 2026-10-25 09:00  "
            "2026-10-24 10:00  2026-10-25 08:00\n"
            "ada     layer 'turns'  Sun 2026-10-25 09:00  Mon 2026-10-26 09:00  "
            "2026-10-25 08:00  2026-10-26 08:00\n");

  const Ran now = show({"--at", "2026-10-25T10:00:00Z", "--format", "json"});
  EXPECT_EQ(now.code, 0) << now.output;
  const auto value = json::parse(now.output);
  ASSERT_TRUE(value) << now.output;
  const std::string expected =
      R"({"schedules":[{"name":"primary","shifts":[{"because":"layer 'turns'",)"
      R"("cause":"layer",)"
      R"("from":"2026-10-25T10:00:00.000000Z","from_local":"2026-10-25T11:00:00+01:00",)"
      R"("layer":"turns","person":"ada","receivers":["mail-ada","spool"],"schedule":"primary",)"
      R"("until":"2026-10-26T08:00:00.000000Z","until_local":"2026-10-26T09:00:00+01:00"}],)"
      R"("zone":"Europe/Berlin"},{"name":"secondary","shifts":[{"because":"layer 'alone'",)"
      R"("cause":"layer",)"
      R"("from":"2026-10-25T10:00:00.000000Z","from_local":"2026-10-25T10:00:00+00:00",)"
      R"("layer":"alone","person":"ben","receivers":["mail-ben"],"schedule":"secondary",)"
      R"("until":null}],"zone":"UTC"}]})";
  EXPECT_EQ(json::to_text(*value), expected);

  EXPECT_EQ(show({"--days", "3"}).code, 0);
}

TEST_F(OnCall, TheCommandSaysWhatItCannotDo) {
  struct Case {
    const char* name;
    std::vector<std::string> options;
    int code;
    const char* sentence;
  };
  const std::vector<Case> cases{
      {"schedule", {"--schedule", "x"}, 1, "there is no schedule 'x'; there are: primary"},
      {"time", {"--at", "noon"}, 2, "--at: 'noon' is not a date and time"},
      {"days", {"--days", "0"}, 2, "--days must be a number from 1 to 1830"},
      {"both", {"--days", "1", "--until", "2190-01-01T00:00:00Z"}, 2, "do not go together"},
      {"before", {"--until", "2020-01-01T00:00:00Z"}, 2, "--until must be later than --at"},
      {"far", {"--until", "2190-01-01T00:00:00Z"}, 2, "at most 1830 days behind"}};
  for (const Case& c : cases) {
    const Ran ran = show(c.options);
    EXPECT_EQ(ran.code, c.code) << c.name << ": " << ran.output;
    EXPECT_THAT(ran.output, HasSubstr(c.sentence)) << c.name;
  }
  write_file(on_call_, on_call_yaml("eve"));
  EXPECT_THAT(show({}).output, HasSubstr("on_call.yaml, line 10: there is no person 'eve'"));
  const Ran checked = mailwarden(
      {"config", "check", "--source", "stdin", "--store", "sqlite:" + daemon_.path("x.db"),
       "--policies", daemon_.path("policies"), "--rules", source_folder() + "/rules/sigma"});
  EXPECT_EQ(checked.code, 1);
  EXPECT_THAT(checked.output, HasSubstr("on_call.yaml, line 10: there is no person 'eve'"));
  std::filesystem::remove(on_call_);
  EXPECT_EQ(show({}).code, 1);
}

}  // namespace
}  // namespace mailwarden
