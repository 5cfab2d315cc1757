// Escalations in the programs: over a kill, ended by an answer, seen by the command, watched from
// outside.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class EscalationTest : public testing::Test {
 protected:
  void prepare(const std::string& second_step) {
    daemon_.copy_policies();
    write_file(daemon_.path("policies/routes.yaml"),
               "receivers:\n- {name: spool, kind: folder, folder: spool}\n"
               "- {name: mail-ada, kind: folder, folder: ada}\n"
               "routes: [{changes: [opened], to: [escalation:security]}]\n");
    write_file(daemon_.path("policies/escalations.yaml"),
               "chains:\n- name: security\n  steps: [{to: [spool]}, {after: " + second_step +
                   ", to: [spool, on-call:primary]}]\n");
    write_file(daemon_.path("policies/on_call.yaml"),
               "people: [{name: ada, receivers: [mail-ada]}]\n"
               "schedules: [{name: primary, zone: UTC, layers: [{name: l, people: [ada],"
               " start: 2020-01-01 00:00, shift: daily}]}]\n");
    std::string text;
    for (int i = 0; i < 12; ++i) {
      text += "Nov 24 05:00:0" + std::to_string(i % 10) + " mail1 sshd[" +
              std::to_string(4000 + i) + "]: Failed password for root from 203.0.113.5 port 2000" +
              " ssh2\n";
    }
    write_file(daemon_.path("auth.log"), text);
  }
  void start(std::vector<std::string> more = {}) {
    more.insert(more.end(),
                {"--source", "file:" + daemon_.path("auth.log") + ",name=auth,year=2026"});
    daemon_.start(std::move(more));
  }
  Ran command(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--socket", daemon_.path("socket")});
    return mailwarden(std::move(arguments));
  }

  std::vector<std::string> files(const std::string& receiver) const {
    std::vector<std::string> names;
    std::error_code failed;
    for (fs::directory_iterator entry(daemon_.path("alerts/" + receiver), failed);
         !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
      // One that is being written has another name.
      const std::string name = entry->path().filename().string();
      if (!name.ends_with(".new")) names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
  }
  std::string step(int number) const {
    return "example.com-test.escalation-1-security-1-1-" + std::to_string(number) + ".";
  }
  json::Value escalation() { return daemon_.get("/api/v1/incidents/1")["escalations"]; }
  Timestamp due() {
    const json::Value found = escalation();
    const auto* const list = found.as_array();
    if (list == nullptr || list->empty()) return Timestamp::latest;
    return parse_rfc3339(list->front()["next"].text("due")).value_or(Timestamp::latest);
  }

  RunningDaemon daemon_;
  SystemClock clock_;
};

TEST_F(EscalationTest, AStepThatCameDueWhileTheDaemonWasDeadIsToldOnceAtItsStart) {
  prepare("5s");
  start();
  daemon_.wait_until([&] { return !files("spool").empty(); });
  const Timestamp second = due();
  daemon_.signal(SIGKILL);
  ASSERT_LT(clock_.now(), second) << "it was to be killed before";
  while (clock_.now() < second) std::this_thread::yield();
  ASSERT_THAT(files("spool"), ElementsAre(step(1) + "spool.json"));

  const Timestamp begun = clock_.now();
  start();
  daemon_.wait_until([&] { return files("spool").size() >= 2 && !files("ada").empty(); });
  EXPECT_LT(clock_.now() - begun, std::chrono::seconds(5));
  EXPECT_THAT(files("spool"), ElementsAre(step(1) + "spool.json", step(2) + "spool.json"));
  EXPECT_THAT(files("ada"), ElementsAre(step(2) + "mail-ada.json"));
  EXPECT_THAT(read_file(daemon_.path("alerts/ada/" + files("ada").front())),
              HasSubstr(R"("on_call":[{"cause":"layer","layer":"l","person":"ada")"));
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();
  start();
  daemon_.wait_until([&] { return daemon_.get("/api/v1/status")["settled"] == json::Value(true); });
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();
  EXPECT_EQ(files("spool").size(), 2U);
  EXPECT_EQ(daemon_.rows("SELECT name FROM alert").size(), 3U);
  const Ran verified = daemon_.verify();
  EXPECT_EQ(verified.code, 0) << verified.output;
}

TEST_F(EscalationTest, TheCommandShowsItAndAnAnswerEndsIt) {
  prepare("30m");
  start();
  daemon_.wait_until([&] { return !files("spool").empty(); });
  const Ran listed = command({"alerts", "escalations"});
  EXPECT_EQ(listed.code, 0) << listed.output;
  EXPECT_THAT(listed.output, HasSubstr("security  running  1 of 1  2 of 2"));
  EXPECT_THAT(listed.output, HasSubstr("spool, ada"));
  EXPECT_THAT(command({"incidents", "show", "1"}).output,
              HasSubstr("  escalation security: step 2 of 2 at "));
  EXPECT_THAT(command({"status"}).output, HasSubstr("escalations_running   1"));
  const Ran on_call = command({"oncall", "show"});
  EXPECT_EQ(on_call.code, 0) << on_call.output;
  EXPECT_THAT(on_call.output, HasSubstr("ada     layer 'l'"));
  EXPECT_EQ(command({"oncall", "show", "--schedule", "nobodys"}).code, 1);
  EXPECT_EQ(command({"oncall", "show", "--days", "0"}).code, 2);

  const Ran answered = command({"incidents", "ack", "1", "--who", "ann", "--why", "on it"});
  EXPECT_EQ(answered.code, 0) << answered.output;
  EXPECT_THAT(command({"incidents", "show", "1"}).output, HasSubstr(": acknowledged by ann"));
  EXPECT_THAT(command({"alerts", "escalations"}).output, Not(HasSubstr("security")));
  EXPECT_THAT(command({"alerts", "escalations", "--state", "ended"}).output,
              HasSubstr("acknowledged by ann"));
  EXPECT_EQ(command({"alerts", "escalations", "--state", "odd"}).code, 2);
  EXPECT_THAT(daemon_.ask("/metrics").body, HasSubstr("mailwarden_escalations_overdue 0"));
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();
  const Ran at_rest =
      mailwarden({"alerts", "escalations", "--incident", "1", "--store", daemon_.store()});
  EXPECT_EQ(at_rest.code, 0) << at_rest.output;
  EXPECT_THAT(at_rest.output, HasSubstr("security"));
}

// A switch outside hears of each start at once, and of nothing while there is something to hide.
TEST_F(EscalationTest, TheSwitchOutsideIsToldAtTheStart) {
  prepare("30m");
  std::atomic<int> beats = 0;
  const auto server = net::HttpServer::start({.listen = {"127.0.0.1:0"}}, [&](const net::Request&) {
                        ++beats;
                        return net::Response{.body = ""};
                      }).value();
  const std::string url = "http://" + server->addresses().front() + "/secret-of-the-switch";
  start({"--heartbeat", url + ",interval=1h"});
  daemon_.wait_until([&] { return beats > 0; });
  daemon_.wait_until(
      [&] { return daemon_.get("/api/v1/status").text("heartbeat").starts_with("sent at "); });
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();
  EXPECT_THAT(daemon_.output(), Not(HasSubstr("secret-of-the-switch")));
  for (const std::string& row : daemon_.rows("SELECT record FROM ledger_entry")) {
    EXPECT_THAT(row, Not(HasSubstr("secret-of-the-switch")));
  }
}

TEST_F(EscalationTest, MistakesAndSlipsAreToldByTheCheck) {
  prepare("30m");
  const auto check = [&] {
    return mailwarden({"config", "check", "--source", "stdin", "--store",
                       "sqlite:" + daemon_.path("x.db"), "--policies", daemon_.path("policies"),
                       "--rules", source_folder() + "/rules/sigma"});
  };
  EXPECT_EQ(check().code, 0) << check().output;
  EXPECT_THAT(check().output, HasSubstr("1 escalation chains"));
  append_file(daemon_.path("policies/escalations.yaml"),
              "- name: spare\n  steps: [{to: [spool]}]\n");
  EXPECT_EQ(check().code, 0);
  EXPECT_THAT(check().output, HasSubstr("escalations.yaml, line 4: no route names the chain"));
  append_file(daemon_.path("policies/escalations.yaml"),
              "- name: bad\n  steps: [{to: [nobody]}]\n");
  EXPECT_EQ(check().code, 1);
  EXPECT_THAT(check().output, HasSubstr("escalations.yaml, line 7: there is no receiver 'nobody'"));
}

}  // namespace
}  // namespace mailwarden
