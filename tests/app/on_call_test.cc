// On-call schedules in the whole: who is alerted, what is kept of it, and what mistakes do.
#include "alert/channel.h"
#include "ledger/verify.h"
#include "tests/app/core_fixture.h"

namespace mailwarden::app {
namespace {

class OnCallTest : public CoreTest {
 protected:
  OnCallTest() {
    write_file(folder_.path("policies/routes.yaml"),
               "receivers:\n- {name: spool, kind: folder, folder: s}\n"
               "- {name: mail-ada, kind: folder, folder: ada}\n"
               "- {name: mail-ben, kind: folder, folder: ben}\n"
               "routes: [{changes: [opened], to: [on-call:primary]}]\n");
    config_.alerts = folder_.path("alerts");
    write_schedule("12h");
  }

  // Ada has the days from 08:00 to 20:00 in Berlin.
  void write_schedule(const std::string& shift) {
    write_file(on_call_,
               "people:\n- {name: ada, receivers: [mail-ada]}\n"
               "- {name: ben, receivers: [mail-ben]}\n"
               "schedules:\n- name: primary\n  zone: Europe/Berlin\n  fallback: ben\n"
               "  layers:\n  - {name: turns, people: [ada, ben],"
               " start: 2025-11-01 08:00, shift: " +
                   shift + "}\n");
  }

  // Delivers what may leave; the receivers of alerts among it.
  static std::vector<std::string> deliver_all(const Policies& policies,
                                              const std::vector<Outgoing>& outgoing) {
    std::vector<std::string> receivers;
    for (const Outgoing& one : outgoing) {
      const auto* const alert = std::get_if<alert::Alert>(&one);
      if (alert == nullptr || alert->receiver == "spool") continue;
      receivers.push_back(alert->receiver);
      EXPECT_TRUE(alert::deliver(*policies.routes.find(alert->receiver), *alert, {}));
    }
    return receivers;
  }

  // The only file in the folder of a receiver, as JSON.
  json::Value delivered(const std::string& receiver) {
    json::Value found;
    int files = 0;
    for (const auto& entry :
         std::filesystem::directory_iterator(folder_.path("alerts/" + receiver))) {
      found = json::parse(read_file(entry.path().string())).value();
      ++files;
    }
    EXPECT_EQ(files, 1);
    return found;
  }

  std::string on_call_ = folder_.path("policies/on_call.yaml");
};

using Receivers = std::vector<std::string>;

// The clock begins at 17:00 in Berlin.
TEST_F(OnCallTest, AnAlertReachesWhoIsOnCallWhenTheIncidentChanges) {
  const auto database = fresh_store();
  auto core = open(*database);
  core->take(batch(0, 1));
  ASSERT_TRUE(core->write());
  EXPECT_EQ(deliver_all(core->policies(), core->take_outgoing()), (Receivers{"mail-ada"}));
  clock_.advance(std::chrono::hours(3));
  core->take(batch(1, 1));
  ASSERT_TRUE(core->write());
  EXPECT_EQ(deliver_all(core->policies(), core->take_outgoing()), (Receivers{"mail-ben"}));

  const json::Value called = delivered("ben")["data"]["on_call"];
  EXPECT_EQ(json::to_text(called),
            R"([{"cause":"layer","layer":"turns","person":"ben","schedule":"primary",)"
            R"("until":"2025-11-25T07:00:00.000000Z"}])");
  // What was said stands in the ledger as a hash, and a start sends the same again.
  const auto hashes = rows(*database, "SELECT event FROM alert WHERE receiver = 'mail-ben'");
  ASSERT_EQ(hashes.size(), 1U);
  const std::string event = hashes[0].substr(0, hashes[0].size() - 1);
  EXPECT_EQ(event, json::to_text(delivered("ben")));
  EXPECT_EQ(
      rows(*database, "SELECT number FROM ledger_entry WHERE kind = 'alert' AND record LIKE '%" +
                          crypto::to_hex(crypto::sha256(event)) + "%'")
          .size(),
      1U);
  clock_.advance(std::chrono::hours(24));
  core = open(*database);
  EXPECT_EQ(deliver_all(core->policies(), core->take_outgoing()),
            (Receivers{"mail-ada", "mail-ben"}));
  EXPECT_EQ(json::to_text(delivered("ben")), event);
  ASSERT_TRUE(core->write());
  core->seal();
  ASSERT_TRUE(core->write());
  const auto verdict = ledger::verify(
      *database, {.key = {.name = "example.com/test", .key = signer_->public_key()}});
  ASSERT_TRUE(verdict);
  EXPECT_TRUE(verdict->good()) << ledger::to_words(*verdict);
}

TEST_F(OnCallTest, AChangeOfTheScheduleIsAChangeOfThePoliciesThatDecided) {
  const auto database = fresh_store();
  const auto core = open(*database);
  ASSERT_TRUE(core->write());
  const std::string before = core->policies().version;
  write_schedule("12h");
  EXPECT_EQ(policies()->version, before) << "the same text";
  write_schedule("1w");
  core->use(policies());
  ASSERT_TRUE(core->write());
  EXPECT_NE(core->policies().version, before);
  EXPECT_EQ(rows(*database, "SELECT number FROM ledger_entry WHERE kind = 'policies'").size(), 2U);
  // 17:00 of Monday, 24 November: the fourth week began on Saturday.
  core->take(batch(0, 1));
  ASSERT_TRUE(core->write());
  EXPECT_EQ(deliver_all(core->policies(), core->take_outgoing()), (Receivers{"mail-ben"}));
}

TEST_F(OnCallTest, MistakesOfBothFilesAreToldTogether) {
  write_file(folder_.path("policies/routes.yaml"),
             "receivers:\n- {name: mail-ada, kind: pigeon}\n"
             "routes: [{changes: [opened], to: [on-call:primary, nobody]}]\n");
  write_schedule("soon");
  const auto refused = load_policies(config_);
  ASSERT_FALSE(refused);
  for (const char* part :
       {"on_call.yaml, line 9: 'shift' must be", "routes.yaml, line 2: 'pigeon' is none of",
        "routes.yaml, line 3: there is no receiver 'nobody'"}) {
    EXPECT_NE(refused.error().what.find(part), std::string::npos) << refused.error().what;
  }
  EXPECT_EQ(refused.error().what.find("no schedule"), std::string::npos) << refused.error().what;
}

TEST_F(OnCallTest, ReceiversOfPeopleMustBeThere) {
  write_file(folder_.path("policies/routes.yaml"),
             "receivers: [{name: spool, kind: folder, folder: s}]\n"
             "routes: [{changes: [opened], to: [on-call:primary]}]\n");
  const auto refused = load_policies(config_);
  ASSERT_FALSE(refused);
  for (const char* part : {"on_call.yaml, line 2: there is no receiver 'mail-ada' in ",
                           "on_call.yaml, line 3: there is no receiver 'mail-ben' in "}) {
    EXPECT_NE(refused.error().what.find(part), std::string::npos) << refused.error().what;
  }
  std::filesystem::remove(folder_.path("policies/playbooks/p.yaml"));
  std::filesystem::remove(folder_.path("policies/routes.yaml"));
  const auto without = load_policies(config_);
  ASSERT_FALSE(without);
  EXPECT_NE(without.error().what.find("on_call.yaml, line 2: people have receivers, but there is"),
            std::string::npos)
      << without.error().what;
}

TEST_F(OnCallTest, TheComingYearBeginsAtTheMomentOfLoading) {
  write_file(on_call_,
             "people: [{name: ada, receivers: [mail-ada]}]\nschedules:\n"
             "- {name: primary, zone: UTC, layers: [{name: l, people: [ada],"
             " start: 2026-02-01 00:00, shift: daily}]}\n");
  EXPECT_FALSE(load_policies(config_, parse_rfc3339("2026-01-31T23:59:00Z").value()));
  EXPECT_TRUE(load_policies(config_, parse_rfc3339("2026-02-01T00:00:00Z").value()));
}

}  // namespace
}  // namespace mailwarden::app
