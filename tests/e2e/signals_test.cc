// What Alertmanager loses or tells twice when it is killed (tests/bench/against_alertmanager.py
// shows it), and clients of it that find us in its place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/signals_fixture.h"

namespace mailwarden {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::Not;

class Signals : public testing::Test, protected SignalsDaemon {};

TEST_F(Signals, AKillDuringTheWaitLosesNothing) {
  use_routes("4s", "7s");
  start();
  ASSERT_EQ(post("Disk"), 200U);
  const auto deadline = steady_clock::now() + seconds(4);
  kill_and_start();
  ASSERT_EQ(post("Barrier"), 200U);
  wait_for("Disk");
  EXPECT_LT(steady_clock::now() - deadline, seconds(5));
  wait_for("Barrier");
  EXPECT_EQ(told("Disk"), 1U);
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();
  EXPECT_EQ(calls(), 2);
  EXPECT_EQ(daemon_.verify().code, 0);
}

TEST_F(Signals, AKillBehindTheNotificationTellsNothingTwice) {
  use_routes("1s", "3s");
  start();
  ASSERT_EQ(post("Disk"), 200U);
  daemon_.wait_until([&] { return delivered() == 1; });
  kill_and_start();
  ASSERT_EQ(post("Disk"), 200U);
  ASSERT_EQ(post("Barrier"), 200U);
  wait_for("Barrier");
  EXPECT_EQ(told("Disk"), 1U);
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();
  EXPECT_EQ(calls(), 2);
}

TEST_F(Signals, AKillBehindASilenceLeavesIt) {
  use_routes("1s", "3s");
  start();
  const Ran added =
      mailwarden({"alerts", "silence", "add", "--socket", daemon_.path("socket"), "--for", "1h",
                  "--why", "a new disk", "--who", "ada", "alertname=\"Disk\""});
  ASSERT_EQ(added.code, 0) << added.output;
  kill_and_start();
  ASSERT_EQ(post("Disk"), 200U);
  ASSERT_EQ(post("Barrier"), 200U);
  wait_for("Barrier");
  EXPECT_EQ(told("Disk"), 0U);
  const Ran listed = mailwarden({"alerts", "list", "--socket", daemon_.path("socket")});
  EXPECT_THAT(listed.output, HasSubstr("silenced by " + added.output.substr(0, 36)));
  EXPECT_EQ(daemon_.get("/api/v1/status").integer("alerts_silenced"), 1);
}

TEST_F(Signals, TheCommandSetsSilencesAndTriesReceivers) {
  start();
  const auto alerts = [&](std::vector<std::string> more) {
    more.insert(more.begin(), "alerts");
    more.insert(more.end(), {"--socket", daemon_.path("socket")});
    return mailwarden(std::move(more));
  };
  const Ran added = alerts({"silence", "add", "--for", "2h", "--why", "works", "--who", "ada",
                            "alertname=\"Disk\"", "cluster=~\"a|b\""});
  ASSERT_EQ(added.code, 0) << added.output;
  const std::string id = added.output.substr(0, 36);
  EXPECT_THAT(
      alerts({"silence", "list"}).output,
      testing::AllOf(HasSubstr(id), HasSubstr("active"), HasSubstr("ada"),
                     HasSubstr("alertname=\"Disk\", cluster=~\"a|b\""), HasSubstr("works")));
  EXPECT_THAT(alerts({"silence", "list", "alertname=Other"}).output, Not(HasSubstr(id)));
  EXPECT_EQ(alerts({"silence", "expire", id}).code, 0);
  EXPECT_THAT(alerts({"silence", "list"}).output, HasSubstr("expired"));
  const Ran again = alerts({"silence", "expire", id});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.output, HasSubstr("is over already"));

  EXPECT_THAT(alerts({"silence", "add", "--for", "2h", "--who", "ada", "a=b"}).output,
              HasSubstr("what is missing: why"));
  EXPECT_EQ(alerts({"silence", "add", "--for", "2h", "--why", "x", "--who", "ada", "a"}).code, 2);
  EXPECT_EQ(alerts({"silence", "add", "--for", "2h", "--why", " ", "--who", "ada", "a=b"}).code, 2);

  EXPECT_EQ(alerts({"test", "--receiver", "sink"}).output, "delivered\n");
  EXPECT_EQ(calls(), 1);
  const Ran nobody = alerts({"test", "--receiver", "nobody"});
  EXPECT_EQ(nobody.code, 1);
  EXPECT_THAT(nobody.output, HasSubstr("there is no receiver 'nobody'"));
  EXPECT_EQ(alerts({"test"}).code, 2);
}

// Over TCP nothing is taken but with a token, and one for alerts silences nothing.
TEST_F(Signals, WhoMayPostOverTcp) {
  start();
  const std::string alert = R"([{"labels":{"alertname":"Disk"}}])";
  const std::string silence =
      R"({"matchers":[{"name":"a","value":"b","isRegex":false}],"createdBy":"ada","comment":"x",)"
      R"("startsAt":"2026-01-01T00:00:00Z","endsAt":"2190-01-01T00:00:00Z"})";
  struct Case {
    const char* name;
    const char* path;
    std::string body;
    const char* token;
    unsigned status;
  };
  const std::vector<Case> cases{
      {"an alert without one", "/api/v2/alerts", alert, "", 401},
      {"an alert with a wrong one", "/api/v2/alerts", alert, "Bearer for-alert", 401},
      {"an alert", "/api/v2/alerts", alert, "Bearer for-alerts", 200},
      {"an alert with the greater one", "/api/v2/alerts", alert, "Bearer for-silences", 200},
      {"a silence without one", "/api/v2/silences", silence, "", 401},
      {"a silence with one for alerts", "/api/v2/silences", silence, "Bearer for-alerts", 403},
      {"a silence", "/api/v2/silences", silence, "Bearer for-silences", 200},
      {"a test", "/api/v1/alerts/test", R"({"receiver":"sink"})", "Bearer for-silences", 403},
      {"no alerts", "/api/v2/alerts", "{}", "Bearer for-alerts", 400},
      {"no JSON", "/api/v2/alerts", "[", "Bearer for-alerts", 400},
      {"no silence", "/api/v2/silences", "{}", "Bearer for-silences", 400}};
  for (const Case& c : cases) {
    net::HttpCall call{.method = "POST", .url = daemon_.address() + c.path, .body = c.body};
    if (*c.token != '\0') call.headers.emplace_back("Authorization", c.token);
    const auto answer = net::Client().request(call);
    ASSERT_TRUE(answer) << c.name;
    EXPECT_EQ(answer->status, c.status) << c.name << ": " << answer->body;
    const bool is_text = c.status == 200 || json::parse(answer->body)->as_string() != nullptr ||
                         std::string(c.path) == "/api/v1/alerts/test";
    EXPECT_TRUE(is_text) << c.name << ": " << answer->body;
  }
  EXPECT_EQ(daemon_.get("/api/v2/alerts").as_array()->size(), 1U);
}

class Amtool : public Signals {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(program_)) GTEST_SKIP() << "amtool is not there";
    start();
    write_file(daemon_.path("http.yaml"), "authorization: {type: Bearer, credentials_file: '" +
                                              daemon_.path("silences.token") + "'}\n");
  }

  Ran amtool(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), program_);
    arguments.insert(arguments.end(),
                     {"--alertmanager.url", daemon_.address(), "--http.config.file",
                      daemon_.path("http.yaml"), "--no-version-check"});
    const std::string output = daemon_.path("amtool.output");
    std::filesystem::remove(output);
    Process process(std::move(arguments), output);
    const int code = process.wait();
    return {code, read_file(output)};
  }

  const std::string program_ = "/usr/bin/amtool";
};

TEST_F(Amtool, AddsAndQueriesAlerts) {
  const Ran added = amtool({"alert", "add", "alertname=Disk", "instance=db1", "severity=page",
                            "--annotation=summary=the disk is full"});
  ASSERT_EQ(added.code, 0) << added.output;
  ASSERT_EQ(amtool({"alert", "add", "alertname=Other"}).code, 0);
  const Ran asked = amtool({"alert", "query", "instance=~db.", "-o", "json"});
  ASSERT_EQ(asked.code, 0) << asked.output;
  const auto list = json::parse(asked.output);
  ASSERT_TRUE(list) << asked.output;
  ASSERT_EQ(list->as_array()->size(), 1U);
  const json::Value& one = list->as_array()->front();
  EXPECT_EQ(one["labels"].text("alertname"), "Disk");
  EXPECT_EQ(one["annotations"].text("summary"), "the disk is full");
  EXPECT_EQ(one["status"].text("state"), "active");
  EXPECT_EQ(one["receivers"].as_array()->front().text("name"), "sink");
  EXPECT_THAT(amtool({"alert", "query"}).output, HasSubstr("Other"));
  // amtool would take such a word for the name of an alert.
  EXPECT_EQ(daemon_.ask("/api/v2/alerts?filter=instance%3D~%22(%22").status, 400U);
  wait_for("Disk");
}

TEST_F(Amtool, AddsQueriesAndExpiresSilences) {
  ASSERT_EQ(amtool({"alert", "add", "alertname=Disk", "instance=db1"}).code, 0);
  const Ran added = amtool({"silence", "add", "alertname=Disk", "instance=~\"db1|db2\"", "-a",
                            "ada", "-c", "a new disk", "-d", "2h"});
  ASSERT_EQ(added.code, 0) << added.output;
  const std::string id = added.output.substr(0, 36);
  const Ran asked = amtool({"silence", "query", "-o", "json"});
  const auto list = json::parse(asked.output);
  ASSERT_TRUE(list) << asked.output;
  ASSERT_EQ(list->as_array()->size(), 1U);
  EXPECT_EQ(list->as_array()->front().text("id"), id);
  EXPECT_EQ(list->as_array()->front()["status"].text("state"), "active");
  EXPECT_THAT(amtool({"silence", "query", "alertname=Disk"}).output, HasSubstr("a new disk"));
  EXPECT_THAT(amtool({"silence", "query", "alertname=Other"}).output, Not(HasSubstr("a new disk")));
  EXPECT_THAT(amtool({"alert", "query"}).output, Not(HasSubstr("Disk")));
  EXPECT_THAT(amtool({"alert", "query", "--silenced"}).output, HasSubstr("Disk"));
  const Ran longer = amtool({"silence", "update", "-d", "3h", id});
  EXPECT_EQ(longer.code, 0) << longer.output;
  const Ran expired = amtool({"silence", "expire", id});
  EXPECT_EQ(expired.code, 0) << expired.output;
  EXPECT_THAT(amtool({"silence", "query"}).output, Not(HasSubstr("a new disk")));
  EXPECT_THAT(amtool({"silence", "query", "--expired"}).output, HasSubstr("a new disk"));
  EXPECT_NE(amtool({"silence", "add", "alertname=Disk", "-a", "ada", "-c", "", "-d", "2h"}).code,
            0);
}

TEST_F(Signals, APrometheusSendsWhatFires) {
  const std::string program = "/usr/bin/prometheus";
  if (!std::filesystem::exists(program)) GTEST_SKIP() << "Prometheus is not there";
  start();
  write_file(daemon_.path("rules.yml"),
             "groups:\n- name: all\n  interval: 1s\n  rules:\n  - alert: Disk\n"
             "    expr: vector(1) > 0\n    labels: {severity: page}\n"
             "    annotations: {summary: it fires}\n");
  write_file(daemon_.path("prometheus.yml"),
             "global: {evaluation_interval: 1s}\nrule_files: ['" + daemon_.path("rules.yml") +
                 "']\nalerting:\n  alertmanagers:\n  - api_version: v2\n    authorization: "
                 "{credentials_file: '" +
                 daemon_.path("signals.token") + "'}\n    static_configs: [{targets: ['" +
                 daemon_.address().substr(std::string_view("http://").size()) + "']}]\n");
  Process prometheus({program, "--config.file", daemon_.path("prometheus.yml"),
                      "--storage.tsdb.path", daemon_.path("tsdb"), "--web.listen-address",
                      "127.0.0.1:0", "--log.level", "warn", "--rules.alert.resend-delay", "1s"},
                     daemon_.path("prometheus.output"));
  daemon_.wait_until([&] { return told("Disk") > 0 || prometheus.ended(); });
  EXPECT_EQ(told("Disk"), 1U) << read_file(daemon_.path("prometheus.output"));
  const auto shown = daemon_.get("/api/v2/alerts");
  ASSERT_EQ(shown.as_array()->size(), 1U);
  EXPECT_THAT(shown.as_array()->front().text("generatorURL"), HasSubstr("vector"));
  const auto groups = daemon_.get("/api/v2/alerts/groups");
  ASSERT_EQ(groups.as_array()->size(), 1U);
  EXPECT_EQ(groups.as_array()->front()["labels"].text("alertname"), "Disk");
  prometheus.kill(SIGTERM);
  prometheus.wait();
}

}  // namespace
}  // namespace mailwarden
