// Incidents that need several detections, and incidents that belong together, by the commands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;
using testing::Not;

class GroupingOrders : public testing::Test {
 protected:
  GroupingOrders() {
    daemon_.copy_rules();
    write_file(daemon_.path("rules") + "/one.yml",
               "title: One wrong password\nid: one\nname: one_wrong\n"
               "logsource: {product: linux, service: sshd}\nlevel: low\n"
               "detection:\n  selection: {event: attempts_exceeded}\n  condition: selection\n"
               "mailwarden: {entity: src_endpoint.ip}\n");
    write_file(daemon_.copy_policies() + "/grouping.yaml",
               "rules:\n  - {name: slowly, for: {rules: [one_wrong]}, by: [address],"
               " within: 12h, threshold: 2, distinct: account}\n"
               "links:\n  - {name: same_account, by: [account], within: 1d}\n");
    write_file(log_, "");
  }

  static std::string line(const std::string& account, const std::string& address) {
    return "Nov 24 02:20:01 mail1 sshd[101]: error: maximum authentication attempts exceeded for " +
           account + " from " + address + " port 35757 ssh2 [preauth]\n";
  }
  void log(const std::string& lines) {
    std::ofstream(log_, std::ios::app) << lines;
    events_ += std::ranges::count(lines, '\n');
    daemon_.wait_for_events(events_);
  }
  std::string incidents(std::vector<std::string> more) {
    more.insert(more.begin(), "incidents");
    more.insert(more.end(), {"--socket", daemon_.path("socket")});
    const Ran ran = mailwarden(std::move(more));
    EXPECT_EQ(ran.code, 0) << ran.output;
    return ran.output;
  }
  void start() { daemon_.start({"--source", "file:" + log_}); }

  RunningDaemon daemon_;
  std::string log_ = daemon_.path("auth.log");
  std::int64_t events_ = 0;
};

TEST_F(GroupingOrders, WaitOverAKillAndAreShown) {
  start();
  log(line("ann", "203.0.113.5"));
  daemon_.wait_until([&] { return incidents({"waiting"}).contains("1 of 2"); });
  EXPECT_THAT(incidents({"waiting"}), HasSubstr("address 203.0.113.5"));
  EXPECT_THAT(incidents({"waiting"}), HasSubstr("slowly"));
  EXPECT_EQ(daemon_.get("/api/v1/incidents").integer("total"), 0);
  daemon_.signal(SIGKILL);
  daemon_.wait_until([&] { return daemon_.ask("/readyz").status != 200; });
  start();
  events_ = 0;  // since the start
  log(line("ben", "203.0.113.5"));
  daemon_.wait_until([&] { return daemon_.get("/api/v1/incidents").integer("total") == 1; });
  const json::Value incident = daemon_.get("/api/v1/incidents/1");
  // A shipped rule of a low level may hold for the line, too, and join.
  EXPECT_GE(incident.integer("detection_count"), 2);
  EXPECT_EQ(static_cast<std::int64_t>(incident["detections"].as_array()->size()),
            incident.integer("detection_count"));
  EXPECT_EQ(incident["gathered"].as_array()->size(), 1U);
  EXPECT_EQ(incident["entity"].text("name"), "203.0.113.5");
  EXPECT_THAT(incidents({"waiting"}), Not(HasSubstr("203.0.113.5")));

  // Another incident about one of the accounts.
  log(line("ben", "203.0.113.6") + line("eve", "203.0.113.6"));
  daemon_.wait_until([&] { return daemon_.get("/api/v1/incidents").integer("total") == 2; });
  EXPECT_EQ(daemon_.get("/api/v1/incidents/2")["related"],
            json::Value(json::Array{
                json::Object{{"number", 1}, {"why", "the same account, by 'same_account'"}}}));
  EXPECT_THAT(incidents({"show", "2"}), HasSubstr("the same account, by 'same_account'"));
  EXPECT_THAT(incidents({"show", "1"}), HasSubstr("the same account, by 'same_account': ben"));
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();
  const Ran verified = daemon_.verify();
  EXPECT_EQ(verified.code, 0) << verified.output;
}

}  // namespace
}  // namespace mailwarden
