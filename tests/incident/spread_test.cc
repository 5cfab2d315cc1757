#include "incident/spread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "db/sqlite.h"
#include "event/event_json.h"
#include "ingest/event_entities.h"
#include "ingest/event_table.h"

namespace mailwarden::incident {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr Timestamp seen_at{1'800'000'000'000'000};

struct SignIn {
  std::string account;
  std::string address;
  std::string host;
  Outcome outcome = Outcome::success;
  Duration behind{};
};

class SpreadTest : public testing::Test {
 protected:
  SpreadTest() { EXPECT_TRUE(db::migrate(*database_, ingest::migrations(), {})); }

  void store(const std::vector<SignIn>& sign_ins) {
    ingest::NewEvents rows;
    ingest::EntityGatherer entities(nullptr);
    ingest::EventBatchRow row{.entry = 1,
                              .stream = 1,
                              .first = 1,
                              .count = std::ssize(sign_ins),
                              .earliest = seen_at - hours(1000),
                              .latest = seen_at + hours(1000)};
    for (const SignIn& one : sign_ins) {
      Event event{.id = {.stream = 1, .position = std::ssize(rows.rows)},
                  .time = seen_at + one.behind};
      event.ocsf.class_uid = ocsf_class::authentication;
      event.ocsf.activity_id = 1;
      event.ocsf.status = one.outcome;
      event.ocsf.user = one.account;
      event.ocsf.src_ip = one.address;
      event.ocsf.device = one.host;
      event.ocsf.service = "sshd";
      append_json(rows.records, event);
      rows.rows.push_back({.id = event.id, .time = event.time, .end = rows.records.size()});
      rows.salts.emplace_back();
      entities.add(event);
    }
    ASSERT_TRUE(ingest::store_events(*database_, row.first, rows));
    ASSERT_TRUE(ingest::store_batch(*database_, row));
    ASSERT_TRUE(ingest::store_entities(*database_, row.first, entities.take().value()));
  }

  Spread about(const detect::Entity& entity, std::int64_t depth = 3) {
    const Incident incident{.entity = entity, .first_event = seen_at, .last_event = seen_at};
    SpreadOptions options = around(incident);
    options.depth = depth;
    return about(incident, options);
  }
  Spread about(const Incident& incident, const SpreadOptions& options) {
    auto found = spread(*database_, incident, options);
    EXPECT_TRUE(found) << found.error().what;
    return *std::move(found);
  }
  static std::vector<std::string> names(const Spread& spread) {
    std::vector<std::string> found;
    for (const SpreadNode& node : spread.nodes) {
      found.push_back(std::to_string(node.depth) + " " + node.entity.kind + " " + node.entity.name);
    }
    return found;
  }

  std::unique_ptr<db::Database> database_ = db::open_sqlite(":memory:").value();
};

TEST_F(SpreadTest, FollowsWhoeverGotInFromHostToHost) {
  store({{"alice", "203.0.113.7", "web1"},
         {"bob", "203.0.113.7", "web2"},
         // From the host that bob reached somebody goes on as root.
         {"root", "web2", "db1"},
         // Nobody of them.
         {"carol", "192.0.2.1", "web3"}});
  EXPECT_THAT(names(about({"account", "alice"})),
              UnorderedElementsAre("0 account alice", "1 address 203.0.113.7", "1 host web1",
                                   "2 account bob", "2 host web2", "3 account root", "3 host db1",
                                   "3 address web2"));
}

TEST_F(SpreadTest, StopsAtItsDepth) {
  store({{"alice", "203.0.113.7", "web1"}, {"bob", "203.0.113.7", "web2"}});
  EXPECT_THAT(names(about({"account", "alice"}, 1)),
              ElementsAre("0 account alice", "1 address 203.0.113.7", "1 host web1"));
}

TEST_F(SpreadTest, FailuresAreCountedAndNotFollowed) {
  store({{"alice", "203.0.113.7", "web1", Outcome::failure, -minutes(2)},
         {"bob", "203.0.113.7", "web1", Outcome::failure},
         {"alice", "203.0.113.7", "web1", Outcome::success, minutes(1)}});
  const Spread found = about({"address", "203.0.113.7"});
  EXPECT_THAT(names(found), ElementsAre("0 address 203.0.113.7", "1 account alice", "1 host web1"));
  EXPECT_THAT(found.paths, ElementsAre(SpreadPath{.account = "alice",
                                                  .address = "203.0.113.7",
                                                  .host = "web1",
                                                  .service = "sshd",
                                                  .succeeded = 1,
                                                  .failed = 1,
                                                  .first = seen_at - minutes(2),
                                                  .last = seen_at + minutes(1)},
                                       SpreadPath{.account = "bob",
                                                  .address = "203.0.113.7",
                                                  .host = "web1",
                                                  .service = "sshd",
                                                  .failed = 1,
                                                  .first = seen_at,
                                                  .last = seen_at}));
}

TEST_F(SpreadTest, LooksADayAroundTheIncident) {
  store({{"alice", "203.0.113.7", "web1", Outcome::success, -hours(25)},
         {"alice", "203.0.113.8", "web1", Outcome::success, -hours(23)},
         {"alice", "203.0.113.9", "web1", Outcome::success, hours(25)}});
  EXPECT_THAT(names(about({"account", "alice"})),
              ElementsAre("0 account alice", "1 address 203.0.113.8", "1 host web1"));
}

TEST_F(SpreadTest, SaysWhatItsLimitsCutOff) {
  store({{"alice", "203.0.113.7", "web1"}, {"alice", "203.0.113.8", "web2"}});
  const Incident incident{
      .entity = {"account", "alice"}, .first_event = seen_at, .last_event = seen_at};
  SpreadOptions options = around(incident);
  options.nodes_max = 2;
  const Spread found = about(incident, options);
  EXPECT_THAT(found.nodes, SizeIs(2));
  EXPECT_THAT(found.cut, HasSubstr("no more than 2 accounts"));
  options = around(incident);
  options.events_max = 1;
  EXPECT_THAT(about(incident, options).cut, HasSubstr("no more than 1 events"));
}

TEST_F(SpreadTest, BeginsWithAllThatWasMergedAndWithNothingElse) {
  store({{"alice", "203.0.113.7", "web1"}, {"bob", "203.0.113.8", "web2"}});
  Incident incident{.entity = {"rule", "r1"}, .first_event = seen_at, .last_event = seen_at};
  EXPECT_THAT(about(incident, around(incident)).nodes, IsEmpty());
  incident.others = {{"account", "bob"}};
  EXPECT_THAT(names(about(incident, around(incident))),
              ElementsAre("0 account bob", "1 address 203.0.113.8", "1 host web2"));
}

TEST_F(SpreadTest, TellsItsBreadthAtEachDepth) {
  store({{"alice", "203.0.113.7", "web1"}, {"bob", "203.0.113.7", "web2"}});
  const json::Value told(to_json(about({"account", "alice"}, 2)));
  const auto& breadth = *told["breadth"].as_array();
  ASSERT_EQ(breadth.size(), 3U);
  EXPECT_EQ(breadth[1], json::Value(json::Object{{"address", 1}, {"depth", 1}, {"host", 1}}));
  EXPECT_EQ(breadth[2], json::Value(json::Object{{"account", 1}, {"depth", 2}, {"host", 1}}));
}

}  // namespace
}  // namespace mailwarden::incident
