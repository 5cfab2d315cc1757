// The daemon as it runs for days: following, reloading, answering, telling, stopping.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;
using testing::Not;

class Running : public testing::Test {
 protected:
  void start(std::vector<std::string> more = {}) {
    if (!std::filesystem::exists(log())) write_file(log(), ssh_log(300));
    more.insert(more.end(), {"--source", "file:" + log() + ",name=auth,year=2026"});
    daemon_.start(std::move(more));
  }
  std::string log() const { return daemon_.path("auth.log"); }

  RunningDaemon daemon_;
};

TEST_F(Running, FollowsItsFilesAndEndsWithEverythingDurable) {
  start();
  daemon_.wait_for_events(300);
  append_file(log(), ssh_log(100));
  daemon_.wait_for_events(400);
  std::filesystem::rename(log(), log() + ".1");
  write_file(log(), ssh_log(50));
  daemon_.wait_for_events(450);
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();
  EXPECT_EQ(daemon_.rows("SELECT number FROM event").size(), 450U);
  const Ran verified = daemon_.verify();
  EXPECT_EQ(verified.code, 0) << verified.output;
  EXPECT_THAT(verified.output, HasSubstr("0 not sealed yet"));
  EXPECT_FALSE(std::filesystem::exists(daemon_.path("socket")));
}

TEST_F(Running, ReloadsRulesAndPoliciesAsAWholeOrKeepsTheOldOnes) {
  const std::string marker =
      "title: Any line\nid: any\nlogsource: {product: linux}\nlevel: medium\n"
      "detection: {s: {program: marker}, condition: s}\n";
  daemon_.copy_rules();
  start();
  const auto policies = [&] { return daemon_.get("/api/v1/status").text("policies"); };
  const std::string before = policies();
  write_file(daemon_.path("rules/marker.yml"), marker);
  write_file(daemon_.path("rules/wrong.yml"), "title: wrong\nlogsource: {product: linux}\n");
  daemon_.signal(SIGHUP);
  daemon_.wait_until([&] { return policies() != before; });
  EXPECT_THAT(daemon_.output(), HasSubstr("a rule is not in force: " + daemon_.path("rules/") +
                                          "wrong.yml, line 1: a rule must have a 'detection'"));
  const std::string loaded = policies();
  write_file(daemon_.path("rules/marker.yml"), marker + "level: dire\n");
  daemon_.signal(SIGHUP);
  daemon_.wait_until([&] { return daemon_.output().contains("stay in force"); });
  EXPECT_THAT(daemon_.output(), HasSubstr("marker.yml, line "));
  EXPECT_EQ(policies(), loaded);
  append_file(log(), "Nov 24 05:00:00 mail1 marker[1]: hello\n");
  daemon_.wait_until(
      [&] { return daemon_.ask("/api/v1/incidents").body.find("Any line") != std::string::npos; });
  EXPECT_EQ(daemon_.stop(), 0);
  EXPECT_EQ(daemon_.verify().code, 0);
}

TEST_F(Running, AnAlertThatItsReceiverRefusesIsTriedAgainUnderTheSameKey) {
  Receiver receiver;
  receiver.refuse(1);
  daemon_.alert_to(receiver.url());
  start();
  daemon_.wait_until([&] {
    const json::Value status = daemon_.get("/api/v1/status");
    return status.integer("alerts") > 0 &&
           status.integer("alerts") == status.integer("alerts_delivered");
  });
  EXPECT_THAT(daemon_.output(), HasSubstr("answered 503, saying: later; it is tried again"));
  EXPECT_EQ(daemon_.stop(), 0);
  const auto tried = daemon_.rows("SELECT name FROM alert WHERE tries > 1");
  ASSERT_EQ(tried.size(), 1U);
  const std::string key = tried.begin()->substr(0, tried.begin()->size() - 1);
  EXPECT_EQ(receiver.taken().count(key), 1U);
  EXPECT_EQ(receiver.taken().size(), daemon_.rows("SELECT name FROM alert").size());
  // Decided, tried in vain, delivered.
  EXPECT_EQ(daemon_
                .rows("SELECT number FROM ledger_entry WHERE kind = 'alert' AND"
                      " json_extract(record, '$.key') = '" +
                      key + "'")
                .size(),
            3U);
}

TEST_F(Running, PersonsActThroughTheSocketAloneAndAreNamedInTheLedger) {
  start();
  daemon_.wait_until(
      [&] { return daemon_.ask("/api/v1/runs").body.find("needs_person") != std::string::npos; });
  const std::string act =
      R"({"act":"done","step":"block-by-hand","who":"ann","why":"blocked upstream"})";
  const auto answer = daemon_.ask("/api/v1/runs/1/acts", "POST", act);
  EXPECT_EQ(answer.status, 200U) << answer.body;
  EXPECT_EQ(daemon_.ask("/api/v1/runs/1/acts", "POST", act).status, 409U);
  EXPECT_EQ(daemon_.ask("/api/v1/runs/99/acts", "POST", act).status, 404U);
  EXPECT_EQ(daemon_.ask("/api/v1/runs/1/acts", "POST", "{}").status, 400U);
  const auto moved = daemon_.ask("/api/v1/incidents/1/acts", "POST",
                                 R"({"act":"move","value":"analysing","who":"ann","why":"mine"})");
  EXPECT_EQ(moved.status, 200U) << moved.body;
  const auto over_tcp = net::Client().request(
      {.method = "POST", .url = daemon_.address() + "/api/v1/runs/1/acts", .body = act});
  ASSERT_TRUE(over_tcp) << over_tcp.error().what;
  EXPECT_EQ(over_tcp->status, 403U);
  EXPECT_EQ(daemon_.stop(), 0);
  EXPECT_EQ(daemon_
                .rows("SELECT number FROM ledger_entry WHERE json_extract(record, '$.who')"
                      " = 'ann'")
                .size(),
            2U);
  const Ran listed = run({"mailwarden", "playbook", "1", "--store", daemon_.store()});
  EXPECT_THAT(listed.output, HasSubstr("blocked upstream"));
}

TEST_F(Running, MetricsAreWhatPrometheusReads) {
  start();
  daemon_.wait_for_events(300);
  const auto metrics = daemon_.ask("/metrics");
  EXPECT_EQ(metrics.status, 200U);
  EXPECT_THAT(metrics.body, HasSubstr("mailwarden_events_total 300"));
  EXPECT_THAT(metrics.body, HasSubstr("mailwarden_ready 1"));
  write_file(daemon_.path("metrics"), metrics.body);
  Process promtool({"/usr/bin/promtool", "check", "metrics"}, daemon_.path("promtool"),
                   daemon_.path("metrics"));
  EXPECT_EQ(promtool.wait(), 0) << read_file(daemon_.path("promtool"));
}

TEST_F(Running, TheApiAnswersWhatIsThereAndSaysWhatIsWrong) {
  start();
  daemon_.wait_for_events(300);
  daemon_.wait_until([&] { return daemon_.get("/api/v1/status")["settled"] == json::Value(true); });
  const json::Value incidents = daemon_.get("/api/v1/incidents");
  EXPECT_EQ(incidents.integer("total"), 6);
  const json::Value one = daemon_.get("/api/v1/incidents/1");
  EXPECT_EQ(one.integer("number"), 1);
  EXPECT_FALSE(one["changes"].as_array()->empty());
  EXPECT_FALSE(one["detections"].as_array()->empty());
  const json::Value page = daemon_.get("/api/v1/events?limit=2");
  EXPECT_EQ(page["events"].as_array()->size(), 2U);
  const std::string id = (*page["events"].as_array())[0].text("id");
  EXPECT_EQ(daemon_.get("/api/v1/events/" + id)["event"].text("id"), id);
  EXPECT_FALSE(
      daemon_.get("/api/v1/alerts?standing=delivered&limit=1")["alerts"].as_array()->empty());
  daemon_.wait_until(
      [&] { return !daemon_.get("/api/v1/reports")["reports"].as_array()->empty(); });
  const json::Value report = (*daemon_.get("/api/v1/reports")["reports"].as_array())[0];
  EXPECT_EQ(report.text("kind"), "audit");
  EXPECT_THAT(daemon_.ask(report.text("path")).body, HasSubstr("<h1>Audit report</h1>"));
  EXPECT_EQ(daemon_.get(report.text("json")).text("report"), "audit");
  EXPECT_EQ(daemon_.ask("/healthz").body, "alive\n");
  struct Case {
    const char* target;
    unsigned status;
    const char* sentence;
  };
  for (const Case& c :
       {Case{"/api/v1/incidents/999", 404, "there is no incident 999"},
        Case{"/api/v1/incidents/x", 404, "there is no such incident"},
        Case{"/api/v1/incidents?severity=4", 400, "'severity' is 0, 1, 2 or 3"},
        Case{"/api/v1/incidents?state=lost", 400, "'state' is not a state of an incident"},
        Case{"/api/v1/incidents?limit=x", 400, "'limit' is not a number"},
        Case{"/api/v1/alerts?standing=lost", 400, "'standing' is none of"},
        Case{"/api/v1/alerts?before=-1", 400, "'before' is not a number"},
        Case{"/api/v1/runs?incident=x", 400, "'incident' is not a number"},
        Case{"/api/v1/runs/999", 404, "there is no playbook run 999"},
        Case{"/api/v1/events/zzz", 400, ""},
        Case{"/api/v1/reports/..%2Fkey", 404, "there is no /api/v1/reports/../key"},
        Case{"/api/v1/reports/.hidden", 404, "no such report"}, Case{"/nothing", 404, "/nothing"},
        Case{"/api/v1/nothing", 404, "/api/v1/nothing"}}) {
    const auto answer = daemon_.ask(c.target);
    EXPECT_EQ(answer.status, c.status) << c.target;
    EXPECT_THAT(answer.body, HasSubstr(c.sentence)) << c.target;
  }
  EXPECT_EQ(daemon_.ask("/", "POST").status, 405U);
  EXPECT_EQ(daemon_.ask("/api/v1/status", "DELETE").status, 405U);
}

TEST_F(Running, ASecondDaemonOnTheSameSocketIsRefused) {
  start();
  TestDaemon second;
  Process process(second.arguments({"--socket", daemon_.path("socket"), "--listen", "127.0.0.1:0",
                                    "--source", "file:" + log()}),
                  second.path("output"));
  EXPECT_EQ(process.wait(), 3);
  EXPECT_THAT(second.output(), HasSubstr("another process serves it"));
}

// What a real browser makes of the page; text out of log lines stays text.
TEST_F(Running, TheConsoleShowsIncidentsInARealBrowser) {
  std::string lines;
  for (int i = 0; i < 3; ++i) {
    lines += "Nov 24 02:20:0" + std::to_string(i) +
             " mail1 su[1]: FAILED SU (to root) <img/src=x/onerror=alert(1)> on pts/0\n";
  }
  write_file(log(), ssh_log(300) + lines);
  start();
  daemon_.wait_for_events(303);
  daemon_.wait_until([&] { return daemon_.get("/api/v1/status")["settled"] == json::Value(true); });
  daemon_.wait_until(
      [&] { return !daemon_.get("/api/v1/reports")["reports"].as_array()->empty(); });
  const std::string picture = daemon_.path("console.png");
  const std::vector<std::string> browser{"/usr/bin/chromium",
                                         "--headless",
                                         "--no-sandbox",
                                         "--disable-gpu",
                                         "--disable-dev-shm-usage",
                                         "--user-data-dir=" + daemon_.path("browser"),
                                         "--window-size=1280,900",
                                         "--virtual-time-budget=5000"};
  auto dump = browser;
  // Incident 1 has a playbook at work.
  dump.insert(dump.end(), {"--dump-dom", daemon_.address() + "/#incident-1"});
  Process reading(dump, daemon_.path("dom"));
  ASSERT_EQ(reading.wait(), 0) << read_file(daemon_.path("dom"));
  const std::string dom = read_file(daemon_.path("dom"));
  EXPECT_THAT(dom, HasSubstr("Password guessing over SSH succeeded"));
  EXPECT_THAT(dom, HasSubstr("Incident 1: "));
  EXPECT_THAT(dom, HasSubstr("Playbook brute-force-success: waits for person"));
  EXPECT_THAT(dom, HasSubstr("Audit report"));
  EXPECT_THAT(dom, HasSubstr("severity-1"));
  EXPECT_THAT(dom, HasSubstr("1 Medium"));
  EXPECT_THAT(dom, HasSubstr("detected"));
  EXPECT_THAT(dom, HasSubstr("203.0.113.0"));
  EXPECT_THAT(dom, HasSubstr("an account was taken over: account_compromised"));
  EXPECT_THAT(dom, HasSubstr("&lt;img/src=x/onerror=alert(1)&gt;"));
  EXPECT_THAT(dom, Not(HasSubstr("<img")));
  auto shoot = browser;
  shoot.insert(shoot.end(), {"--screenshot=" + picture, daemon_.address() + "/"});
  Process shooting(shoot, daemon_.path("shot"));
  ASSERT_EQ(shooting.wait(), 0) << read_file(daemon_.path("shot"));
  const std::string image = read_file(picture);
  EXPECT_TRUE(image.starts_with("\x89PNG"));
  EXPECT_GT(image.size(), 20'000U) << "more than an empty page";
}

}  // namespace
}  // namespace mailwarden
