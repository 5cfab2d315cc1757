// When the dead man's switch outside is told, and when it is not.
#include "app/heartbeat.h"

#include <condition_variable>

#include <gtest/gtest.h>

#include "net/http_server.h"
#include "tests/temporary.h"

namespace mailwarden::app {
namespace {

using std::chrono::seconds;

TEST(Pulse, AllowsABeatOnlyWhileAllIsWell) {
  const Pulse::Time begin{};
  struct Case {
    const char* name;
    std::string trouble;
    seconds since_turn;
    const char* why_not;  // "" where one may be sent
  };
  const std::vector<Case> cases{
      {"well", "", seconds(1), ""},
      {"just in time", "", Pulse::stall_max, ""},
      {"stands still", "", Pulse::stall_max + seconds(1), "stood still for more than 30 s"},
      {"in trouble", "the disk is full", seconds(0), "the disk is full"}};
  for (const Case& c : cases) {
    Pulse pulse;
    pulse.turn(begin, c.trouble);
    const std::string why = pulse.why_not(begin + c.since_turn);
    EXPECT_EQ(why.empty(), std::string(c.why_not).empty()) << c.name << ": " << why;
    EXPECT_NE(why.find(c.why_not), std::string::npos) << c.name << ": " << why;
  }
  EXPECT_EQ(Pulse().why_not(begin), "the daemon has not come to work yet");
  Pulse pulse;
  pulse.turn(begin, "the disk is full");
  pulse.turn(begin, "");
  EXPECT_EQ(pulse.why_not(begin), "");
}

// A switch on loopback that counts, and that can be slow.
class Switch {
 public:
  Switch() {
    server_ =
        net::HttpServer::start({.listen = {"127.0.0.1:0"}}, [this](const net::Request& asked) {
          std::unique_lock lock(mutex_);
          methods_.push_back(asked.method);
          changed_.notify_all();
          changed_.wait(lock, [this] { return !is_slow_; });
          return net::Response{.status = status_, .content_type = "text/plain", .body = ""};
        }).value();
  }

  std::string url() const { return "http://" + server_->addresses().front() + "/ping"; }
  void set(bool is_slow, unsigned status = 200) {
    const std::lock_guard lock(mutex_);
    is_slow_ = is_slow;
    status_ = status;
    changed_.notify_all();
  }
  void wait_for(std::size_t beats) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return methods_.size() >= beats; });
  }
  std::vector<std::string> methods() const {
    const std::lock_guard lock(mutex_);
    return methods_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> methods_;
  bool is_slow_ = false;
  unsigned status_ = 200;
  std::unique_ptr<net::HttpServer> server_;
};

class HeartbeatTest : public testing::Test {
 protected:
  config::HeartbeatConfig options(Duration interval = std::chrono::hours(1)) const {
    return {.url = switch_.url(), .interval = interval};
  }
  // Until the thread has come to say so.
  static void wait_for(const Heartbeat& heartbeat, const std::string& standing) {
    while (!heartbeat.standing().starts_with(standing)) std::this_thread::yield();
  }

  Switch switch_;
  Log log_{LogLevel::error};
  ManualClock clock_{Timestamp{1'764'000'000'000'000}};
};

TEST_F(HeartbeatTest, BeatsAtOnceWhenTheLoopTurnsAndThenAtTheInterval) {
  Heartbeat heartbeat(options(std::chrono::milliseconds(1)), clock_, log_);
  heartbeat.start();
  EXPECT_TRUE(switch_.methods().empty()) << "nothing has turned yet";
  heartbeat.turn("");
  switch_.wait_for(3);
  wait_for(heartbeat, "sent at 2025-11-24T16:00:00");
  heartbeat.stop();
  EXPECT_EQ(switch_.methods().front(), "POST");
}

TEST_F(HeartbeatTest, IsWithheldWithTheReasonAndGoesOn) {
  Heartbeat heartbeat(options(std::chrono::milliseconds(1)), clock_, log_);
  heartbeat.start();
  heartbeat.turn("the store refuses: full");
  wait_for(heartbeat, "withheld: the store refuses: full");
  EXPECT_TRUE(switch_.methods().empty());
  heartbeat.turn("");
  switch_.wait_for(1);
}

TEST_F(HeartbeatTest, ASlowSwitchStallsNothing) {
  switch_.set(true);
  Heartbeat heartbeat(options(), clock_, log_);
  heartbeat.start();
  heartbeat.turn("");
  switch_.wait_for(1);
  // The request hangs; the core goes on all the same.
  for (int i = 0; i < 1000; ++i) heartbeat.turn("");
  EXPECT_EQ(heartbeat.standing(), "");
  switch_.set(false);
  wait_for(heartbeat, "sent at ");
}

TEST_F(HeartbeatTest, WhatTheSwitchDoesNotTakeIsSaidWithoutItsAddress) {
  switch_.set(false, 404);
  Heartbeat refused(options(), clock_, log_);
  EXPECT_EQ(refused.beat().error().what, "the switch answered 404");
  Heartbeat nowhere({.url = "http://127.0.0.1:1/secret"}, clock_, log_);
  EXPECT_EQ(nowhere.beat().error().what, "the switch was not reached");
  const TemporaryFolder folder;
  Heartbeat without_token(
      {.url = switch_.url(), .token_file = folder.path("token"), .method = "GET"}, clock_, log_);
  EXPECT_FALSE(without_token.beat());
  switch_.set(false);
  write_file(folder.path("token"), "t\n");
  EXPECT_TRUE(without_token.beat());
  EXPECT_EQ(switch_.methods().back(), "GET");
}

}  // namespace
}  // namespace mailwarden::app
