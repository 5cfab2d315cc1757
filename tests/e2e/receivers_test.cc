// An incident's life as PagerDuty hears of it from the daemon.
#include <gmock/gmock.h>

#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class PagerDutyTest : public testing::Test {
 protected:
  void SetUp() override {
    server_ =
        net::HttpServer::start({.listen = {"127.0.0.1:0"}}, [this](const net::Request& request) {
          return take(request);
        }).value();
    daemon_.copy_policies();
    write_file(daemon_.path("pager.key"), "0123456789abcdef0123456789abcdef\n");
    write_file(daemon_.path("policies/routes.yaml"),
               "receivers:\n- {name: spool, kind: folder, folder: spool}\n"
               "- {name: pager, kind: pagerduty, url: 'http://" +
                   server_->addresses().front() +
                   "/v2/enqueue', key_file: " + daemon_.path("pager.key") +
                   "}\n"
                   "routes:\n- {changes: [opened, acknowledged, state_changed], to: [pager]}\n");
    write_file(daemon_.path("auth.log"), ssh_log(20));
    daemon_.start({"--source", "file:" + daemon_.path("auth.log") + ",name=auth"});
  }

  // The first is told to come again.
  net::Response take(const net::Request& request) {
    const std::lock_guard lock(mutex_);
    if (refusals_ > 0) {
      --refusals_;
      return {.status = 503, .body = "0123456789abcdef0123456789abcdef is busy"};
    }
    events_.push_back(json::parse(request.body).value());
    return {.status = 202};
  }
  std::vector<json::Value> events() {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  void act(const std::string& act) {
    const auto answer = daemon_.ask("/api/v1/incidents/1/acts", "POST", act);
    EXPECT_EQ(answer.status, 200U) << answer.body;
  }

  std::mutex mutex_;
  int refusals_ = 1;
  std::vector<json::Value> events_;
  std::unique_ptr<net::HttpServer> server_;
  RunningDaemon daemon_;
};

TEST_F(PagerDutyTest, IsToldInOrderUnderOneKey) {
  daemon_.wait_until([&] { return daemon_.ask("/api/v1/incidents/1").status == 200; });
  // The trigger was refused for the moment and is not there yet.
  act(R"({"act":"acknowledge","value":"","who":"ann","why":"mine"})");
  act(R"({"act":"move","value":"dismissed","who":"ann","why":"a test"})");
  daemon_.wait_until([&] { return events().size() >= 3; });
  std::vector<std::string> actions;
  std::set<std::string> keys;
  for (const json::Value& event : events()) {
    actions.push_back(event.text("event_action"));
    keys.insert(event.text("dedup_key"));
    EXPECT_EQ(event.text("routing_key"), "0123456789abcdef0123456789abcdef");
  }
  EXPECT_THAT(actions, ElementsAre("trigger", "acknowledge", "resolve"));
  EXPECT_THAT(keys, ElementsAre("example.com-test.incident-1"));
  daemon_.wait_until([&] {
    return daemon_
               .rows("SELECT name FROM alert WHERE standing = 'delivered' AND receiver = 'pager'")
               .size() == 3;
  });
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();
  EXPECT_THAT(daemon_.output(), HasSubstr("answered 503, saying: … is busy"));
  EXPECT_THAT(daemon_.output(), Not(HasSubstr("0123456789abcdef0123456789abcdef")));
}

}  // namespace
}  // namespace mailwarden
