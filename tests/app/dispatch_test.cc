// Alerts on their way to a receiver that has limits of its own.
#include "app/dispatch.h"

#include <deque>
#include <mutex>
#include <thread>

#include "net/http_server.h"
#include "tests/alert/alerts.h"
#include "tests/app/core_fixture.h"

namespace mailwarden::app {
namespace {

class DispatchTest : public CoreTest {
 protected:
  DispatchTest() {
    server_ =
        net::HttpServer::start({.listen = {"127.0.0.1:0"}}, [this](const net::Request& request) {
          const std::lock_guard lock(mutex_);
          came_.push_back(std::string(request.header("webhook-id")));
          return response_;
        }).value();
    write_file(folder_.path("secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
  }

  void set_receiver(const std::string& more) {
    write_file(folder_.path("policies/routes.yaml"),
               "receivers:\n- {name: spool, kind: folder, folder: s}\n"
               "- {name: hook, kind: webhook, secret_file: " +
                   folder_.path("secret") + ", url: 'http://" + server_->addresses().front() +
                   "/'" + more + "}\nroutes: [{changes: [opened], to: [hook]}]\n");
    config_.alerts = folder_.path("alerts");
  }
  void answer(net::Response response) {
    const std::lock_guard lock(mutex_);
    response_ = std::move(response);
  }
  std::vector<std::string> came() {
    const std::lock_guard lock(mutex_);
    return came_;
  }
  static alert::Alert alert_of(const std::string& key) {
    alert::Alert alert = alert::alert_of("opened", alert::sample_incident());
    alert.key = key;
    alert.receiver = "hook";
    return alert;
  }
  // The next outcome.
  alert::Outcome settled(Dispatch& dispatch) {
    while (settled_.empty()) {
      for (Settled& one : dispatch.take_settled()) settled_.push_back(std::move(one));
      std::this_thread::yield();
    }
    const alert::Outcome outcome = std::get<AlertSettled>(settled_.front()).outcome;
    settled_.pop_front();
    return outcome;
  }

  std::deque<Settled> settled_;
  std::mutex mutex_;
  net::Response response_;
  std::vector<std::string> came_;
  std::unique_ptr<net::HttpServer> server_;
  Log log_{LogLevel::error};
};

using AlertKeys = std::vector<std::string>;

TEST_F(DispatchTest, WhatAReceiverAsksForIsWaitedFor) {
  set_receiver("");
  const auto policies = this->policies();
  answer({.status = 429, .headers = {{"Retry-After", "600"}}});
  Dispatch dispatch({}, clock_, log_);
  dispatch.send({alert_of("first")}, *policies);
  EXPECT_EQ(settled(dispatch).standing, alert::Standing::pending);
  dispatch.send({alert_of("second")}, *policies);
  clock_.advance(std::chrono::seconds(599));
  EXPECT_TRUE(dispatch.all_tried());
  EXPECT_EQ(came(), (AlertKeys{"first"}));
  answer({.status = 200});
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(settled(dispatch).standing, alert::Standing::delivered);
  EXPECT_EQ(settled(dispatch).key, "second");
  EXPECT_EQ(came(), (AlertKeys{"first", "first", "second"}));
}

TEST_F(DispatchTest, AReceiverGetsNoMoreThanItTakesAndAllOfIt) {
  set_receiver(", per_minute: 2");
  const auto policies = this->policies();
  Dispatch dispatch({}, clock_, log_);
  dispatch.send({alert_of("1"), alert_of("2"), alert_of("3")}, *policies);
  EXPECT_EQ(settled(dispatch).key, "1");
  EXPECT_EQ(settled(dispatch).key, "2");
  EXPECT_FALSE(dispatch.all_tried());
  clock_.advance(std::chrono::seconds(59));
  EXPECT_EQ(came().size(), 2U);
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(settled(dispatch).key, "3");
}

TEST_F(DispatchTest, ReceiversOfIncidentsTakeNoCheckpoints) {
  write_file(folder_.path("policies/routes.yaml"),
             "receivers: [{name: pager, kind: pagerduty, key_file: /k},"
             " {name: spool, kind: folder, folder: s}]\n"
             "routes: [{changes: [opened], to: [pager]}]\n");
  config_.checkpoint_receivers = {{.name = "pager"}};
  const auto loaded = load_policies(config_);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().what.find("checkpoint-receiver: 'pager' is of kind pagerduty, which "
                                     "takes no checkpoints"),
            std::string::npos)
      << loaded.error().what;
}

}  // namespace
}  // namespace mailwarden::app
