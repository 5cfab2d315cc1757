// People whom a directory and a register tell of, and what their accesses come to.
#include <gmock/gmock.h>

#include "base/clock.h"
#include "tests/e2e/running.h"
#include "tests/identity/people_maker.h"

namespace mailwarden {
namespace {

using identity::group_json;
using identity::groups_page;
using identity::member_json;
using identity::members_page;
using identity::user_json;
using identity::users_page;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* systems = R"json([
  {"uid": {"type": "Group", "id": "staff"}, "attrs": {}, "parents": []},
  {"uid": {"type": "Group", "id": "team@example.com"}, "attrs": {},
   "parents": [{"type": "Group", "id": "staff"}]},
  {"uid": {"type": "System", "id": "wiki"}, "attrs": {"personal_data": false, "purposes": []},
   "parents": []},
  {"uid": {"type": "System", "id": "campaign-db"},
   "attrs": {"personal_data": true, "purposes": [{"type": "Purpose", "id": "support"}]},
   "parents": []}
])json";

constexpr const char* in_order = R"("suspended":false,"archived":false)";

// Ada and Bob, who are in the team and employed.
std::string directory(const std::string& bob = in_order) {
  return users_page({user_json("1", "ada@example.com", in_order),
                     user_json("2", "bob@example.com", bob)}) +
         "\n" + groups_page({group_json("g", "team@example.com")}) + "\n" +
         members_page("g",
                      {member_json("1", "ada@example.com"), member_json("2", "bob@example.com")});
}

constexpr const char* employees =
    "id,email,employed_from,employed_until,trained_until,background_checked,policy_accepted\n"
    "7,ada@example.com,2024-02-01,,2999-01-01,2024-01-15,2024-02-01\n"
    "8,bob@example.com,2024-02-01,,2999-01-01,2024-01-15,2024-02-01\n";

std::string now_text() {
  return to_rfc3339(SystemClock().now());
}

// A line of sshd about a sign-in to the campaign database's host, some seconds ago.
std::string sign_in(const std::string& user) {
  return to_rfc3339(SystemClock().now() - std::chrono::seconds(2)) +
         " campaign-db-1 sshd[1]: Accepted publickey for " + user +
         " from 203.0.113.5 port 40000 ssh2: ED25519 SHA256:abcdefg\n";
}

class PeopleTest : public testing::Test {
 protected:
  void SetUp() override {
    write_file(daemon_.path("systems.json"), systems);
    write_file(daemon_.path("auth.log"), "");
    write_file(daemon_.path("directory.json"), directory());
    write_file(daemon_.path("employees.csv"), employees);
  }

  std::vector<std::string> options() const {
    return {"--entities", daemon_.path("systems.json"),
            "--source",   "file:" + daemon_.path("auth.log") + ",name=auth",
            "--people",   "google,name=directory",
            "--people",   "personnel,name=hr,limit=7d"};
  }

  Ran import(const std::string& source, const std::string& file,
             const std::string& as_of = now_text()) {
    return mailwarden({"people", "import", source, daemon_.path(file), "--as-of", as_of, "--socket",
                       daemon_.path("socket")});
  }

  std::string may_read(const std::string& person, const std::string& system = "wiki") {
    return daemon_
        .ask("/access/v1/evaluation", "POST",
             json::to_text(
                 json::Object{{"subject", json::Object{{"type", "User"}, {"id", person}}},
                              {"action", json::Object{{"name", "read"}}},
                              {"resource", json::Object{{"type", "System"}, {"id", system}}}}))
        .body;
  }
  // Within the second after which what was told counts.
  void wait_for(const std::string& person, const std::string& answer) {
    daemon_.wait_until([&] { return may_read(person).contains(answer); });
  }

  RunningDaemon daemon_;
};

TEST_F(PeopleTest, WhatSourcesTellDecides) {
  daemon_.start(options());
  EXPECT_THAT(may_read("ada@example.com"), HasSubstr(R"("decision":false)"));
  const Ran told = import("directory", "directory.json");
  EXPECT_EQ(told.code, 0) << told.output;
  EXPECT_EQ(import("hr", "employees.csv").code, 0);
  wait_for("ada@example.com", R"("decision":true)");
  // The record says who told the facts.
  json::Value found;
  daemon_.wait_until([&] {
    found = daemon_.get("/api/v1/decisions?principal=User::%22ada@example.com%22&allowed=true");
    return !found["decisions"].as_array()->empty();
  });
  const json::Value& one = found["decisions"].as_array()->front();
  EXPECT_THAT(json::to_text(one["sources"]), AllOf(HasSubstr("directory"), HasSubstr("hr")));
  EXPECT_THAT(json::to_text(one["groups"]), HasSubstr("team@example.com"));

  // Bob leaves: the directory suspends him.
  write_file(daemon_.path("directory.json"), directory(R"("suspended":true,"archived":false)"));
  EXPECT_EQ(import("directory", "directory.json").code, 0);
  wait_for("bob@example.com", "leavers");
  EXPECT_THAT(may_read("ada@example.com"), HasSubstr(R"("decision":true)"));
  const std::string ledger = json::to_text(json::Array(
      {*daemon_.rows("SELECT record FROM ledger_entry WHERE kind = 'people'").begin()}));
  EXPECT_THAT(ledger, HasSubstr("change"));
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();
  EXPECT_EQ(daemon_.verify().code, 0);
}

TEST_F(PeopleTest, TheCommandTellsEachFactAndItsSource) {
  daemon_.start(options());
  ASSERT_EQ(import("directory", "directory.json").code, 0);
  ASSERT_EQ(import("hr", "employees.csv").code, 0);
  const auto people = [&](std::vector<std::string> more) {
    more.insert(more.begin(), "people");
    more.insert(more.end(), {"--socket", daemon_.path("socket")});
    return mailwarden(more);
  };
  const Ran list = people({"list"});
  EXPECT_EQ(list.code, 0) << list.output;
  EXPECT_THAT(list.output, HasSubstr("ada@example.com"));
  const Ran shown = people({"show", "ada@example.com"});
  EXPECT_THAT(shown.output, AllOf(HasSubstr("suspended"), HasSubstr("directory"),
                                  HasSubstr("background_checked"), HasSubstr("hr")));
  EXPECT_EQ(people({"show", "nobody@example.com"}).code, 1);
  EXPECT_EQ(people({"show"}).code, 2);
  const Ran unknown = import("payroll", "employees.csv");
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.output, HasSubstr("no source of people is configured by that name"));
  const Ran older = import("hr", "employees.csv", "2026-01-01T00:00:00Z");
  EXPECT_EQ(older.code, 1);
  EXPECT_THAT(older.output, HasSubstr("is known"));
  const Ran coming = import("hr", "employees.csv", "2999-01-01T00:00:00Z");
  EXPECT_THAT(coming.output, HasSubstr("a time to come"));
  write_file(daemon_.path("employees.csv"), "id,colour\n1,red\n");
  EXPECT_THAT(import("hr", "employees.csv").output, HasSubstr("colour"));
  EXPECT_EQ(daemon_.stop(), 0);
  const Ran at_rest = mailwarden({"people", "show", "ada@example.com", "--store", daemon_.store()});
  EXPECT_EQ(at_rest.code, 0) << at_rest.output;
  EXPECT_THAT(at_rest.output, AllOf(HasSubstr("background_checked"), Not(HasSubstr("KNOWN NOW"))));
}

TEST_F(PeopleTest, AnAccessThatPolicyDeniesIsAnIncidentWithItsExplanation) {
  daemon_.start(options());
  ASSERT_EQ(import("directory", "directory.json").code, 0);
  ASSERT_EQ(import("hr", "employees.csv").code, 0);
  wait_for("ada@example.com", R"("decision":true)");
  append_file(daemon_.path("auth.log"), sign_in("ada") + sign_in("ada") + sign_in("mallory"));
  daemon_.wait_for_events(3);
  daemon_.wait_until([&] {
    return json::to_text(daemon_.get("/api/v1/incidents")).contains("mallory@example.com");
  });
  const std::string incidents = json::to_text(daemon_.get("/api/v1/incidents"));
  EXPECT_THAT(incidents, AllOf(HasSubstr("ada@example.com"),
                               HasSubstr("An access happened that policy denies")));
  const std::string shown = json::to_text(daemon_.get("/api/v1/incidents/1"));
  EXPECT_THAT(shown,
              AllOf(HasSubstr("google-sign-in"), HasSubstr("confidential data was compromised")));
  EXPECT_EQ(daemon_.get("/api/v1/status").integer("accesses"), 3);
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();
  EXPECT_EQ(daemon_.rows(
                "SELECT principal, allowed FROM decision WHERE body LIKE '%\"point\":\"replay\"%'"),
            (std::multiset<std::string>{"User::\"ada@example.com\"|0|",
                                        "User::\"mallory@example.com\"|0|"}));
  EXPECT_EQ(daemon_.verify().code, 0);
}

// As Google's API answers: a leaver is out when the next question is answered.
TEST_F(PeopleTest, ADirectoryIsAskedOverHttp) {
  std::atomic<bool> bob_has_left = false;
  std::atomic<bool> token_was_shown = true;
  auto api = net::HttpServer::start({.listen = {"127.0.0.1:0"}}, [&](const net::Request& request) {
    if (request.header("Authorization") != "Bearer secret") token_was_shown = false;
    const std::string bob =
        bob_has_left ? R"("suspended":true,"archived":false)" : std::string(in_order);
    const std::map<std::string, std::string> pages{
        {"/v1/users", users_page({user_json("1", "ada@example.com", in_order),
                                  user_json("2", "bob@example.com", bob)})},
        {"/v1/groups", groups_page({group_json("g", "team@example.com")})},
        {"/v1/groups/g/members", members_page("g", {member_json("1", "ada@example.com"),
                                                    member_json("2", "bob@example.com")})}};
    const auto page = pages.find(request.path);
    return page == pages.end() ? net::Response{.status = 404} : net::Response{.body = page->second};
  });
  ASSERT_TRUE(api) << api.error().what;
  write_file(daemon_.path("token"), "secret\n");
  std::vector<std::string> all = options();
  std::ranges::replace(all, std::string("google,name=directory"),
                       "google:http://" + (*api)->addresses().front() +
                           "/v1,name=directory,interval=1s,token=" + daemon_.path("token"));
  daemon_.start(all);
  ASSERT_EQ(import("hr", "employees.csv").code, 0);
  wait_for("bob@example.com", R"("decision":true)");
  bob_has_left = true;
  wait_for("bob@example.com", "leavers");
  EXPECT_THAT(may_read("ada@example.com"), HasSubstr(R"("decision":true)"));
  EXPECT_TRUE(token_was_shown);
}

// The newest file of each counts, without a server to tell anything to.
TEST_F(PeopleTest, FilesTellWithOnceToo) {
  const std::string day = now_text().substr(0, 10);
  write_file(daemon_.path("people-" + day + ".csv"), employees);
  write_file(daemon_.path("directory-" + day + ".json"), directory());
  write_file(daemon_.path("auth.log"), sign_in("ada"));
  EXPECT_EQ(daemon_.once("file:" + daemon_.path("auth.log") + ",name=auth",
                         {"--entities", daemon_.path("systems.json"), "--people",
                          "personnel:" + daemon_.path("people-*.csv") + ",limit=7d", "--people",
                          "google:" + daemon_.path("directory-*.json") + ",limit=7d"}),
            0)
      << daemon_.output();
  const auto decisions = daemon_.rows("SELECT body FROM decision");
  ASSERT_EQ(decisions.size(), 1U);
  EXPECT_THAT(*decisions.begin(), AllOf(HasSubstr(R"("active":true)"), HasSubstr("google-sign-in"),
                                        Not(HasSubstr("leavers"))));
  EXPECT_EQ(daemon_.verify().code, 0);
}

TEST_F(PeopleTest, ASourceThatCannotBeReadIsToldAndAGap) {
  write_file(daemon_.path("people-2026-11-24.csv"), "id\n=1\n");
  EXPECT_EQ(daemon_.once("file:" + daemon_.path("auth.log") + ",name=auth",
                         {"--people", "personnel:" + daemon_.path("people-*.csv")}),
            0);
  EXPECT_THAT(daemon_.output(), HasSubstr("line 2: id begins with '='"));
  EXPECT_EQ(daemon_.rows("SELECT count(*) FROM ledger_entry WHERE kind = 'gap'"),
            (std::multiset<std::string>{"1|"}));
}

TEST_F(PeopleTest, ASchemaThatHasPeopleOtherwiseIsRefused) {
  daemon_.alert_to("http://127.0.0.1:1/");
  const std::string schema = daemon_.path("policies/access/access.cedarschema");
  std::string text = read_file(schema);
  text.replace(text.find("role?: String"), std::string_view("role?: String").size(), "role?: Long");
  write_file(schema, text);
  EXPECT_NE(daemon_.once("file:" + daemon_.path("auth.log") + ",name=auth",
                         {"--people", "personnel,name=hr"}),
            0);
  EXPECT_THAT(daemon_.output(),
              HasSubstr("the schema has User.role as Long; of people it is known as String"));
}

}  // namespace
}  // namespace mailwarden
