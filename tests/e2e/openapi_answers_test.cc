// That a running daemon answers as docs/openapi.yaml says.
#include <gmock/gmock.h>

#include "base/clock.h"
#include "crypto/entropy.h"
#include "crypto/file_key_provider.h"
#include "http/routes.h"
#include "ledger/note.h"
#include "ledger/tile.h"
#include "tests/e2e/access_fixture.h"
#include "tests/e2e/openapi_file.h"
#include "tests/identity/people_maker.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;

// A daemon with something of everything, asked for everything.
class OpenApiAnswers : public AccessTest {
 protected:
  void SetUp() override {
    daemon_.copy_policies();
    write_file(daemon_.path("policies/routes.yaml"),
               "receivers: [{name: spool, kind: folder, folder: spool}]\nroutes:\n"
               "- {changes: [opened, severity_raised], to: [spool, 'escalation:security']}\n"
               "- {signals: ['alertname=~\".+\"'], group_by: [alertname], wait: 1s, interval: 1s,"
               " repeat: 4h, to: [spool]}\n");
    write_file(
        daemon_.path("policies/escalations.yaml"),
        "chains: [{name: security, steps: [{after: 1h, to: ['on-call:primary', spool]}]}]\n");
    write_file(daemon_.path("policies/on_call.yaml"),
               "people: [{name: ada, receivers: [spool]}]\nschedules:\n- name: primary\n"
               "  zone: Europe/Berlin\n  layers: [{name: l, people: [ada], start: 2020-01-01 "
               "00:00, shift: daily}]\n  overrides: [{person: ada, from: 2020-02-01 00:00, until: "
               "2020-02-02 00:00, reason: a swap}]\n");
    write_file(daemon_.path("policies/playbooks/asks.yaml"),
               "name: asks\ntitle: Somebody is asked\ndescription: One question\nsteps:\n"
               "- {id: may, approve: 'May everybody know?'}\n"
               "- {id: tell, notify: [spool], text: everybody knows}\n");
    crypto::SystemEntropy entropy;
    ASSERT_TRUE(crypto::FileKeyProvider::create(daemon_.path("kek"), entropy));
    write_file(daemon_.path("auth.log"), ssh_log(200) + "\xff is no text\n");
    AccessTest::SetUp();
    daemon_.wait_until(
        [&] { return daemon_.get("/api/v1/status")["settled"] == json::Value(true); });
  }
  std::vector<std::string> options() const override {
    std::vector<std::string> all = AccessTest::options();
    all.insert(all.end(), {"--source", "file:" + daemon_.path("auth.log") + ",name=auth,year=2026",
                           "--keys", daemon_.path("keys.db"), "--kek",
                           "file:" + daemon_.path("kek"), "--reports-interval", "1s"});
    return all;
  }

  // `operation` as the file has it, the path with its parameters and query filled in.
  json::Value ask(const std::string& operation, const std::string& target,
                  const std::string& body = "", unsigned status = 200) {
    const auto answer = daemon_.ask(target, operation.substr(0, operation.find(' ')), body);
    EXPECT_EQ(answer.status, status) << operation << ", " << target << ": " << answer.body;
    answers_.add(operation, answer);
    auto value = json::parse(answer.body);
    return value ? *std::move(value) : json::Value();
  }
  json::Value get(const std::string& path, unsigned status = 200) {
    return ask("GET " + path, path, "", status);
  }
  void act(const std::string& body, unsigned status = 200) {
    ask("POST /api/v1/incidents/{number}/acts", "/api/v1/incidents/1/acts", body, status);
  }

  void handle_incidents();
  void read_incidents();
  void work_through_a_run();
  void read_the_rest();
  void take_signals();
  void decide();
  void grant();
  void tell_of_people();
  void order_keys();
  void prove();

  OpenApiFile file_;
  Answers answers_{file_};
};

void OpenApiAnswers::handle_incidents() {
  const json::Value reported =
      ask("POST /api/v1/incidents", "/api/v1/incidents",
          R"({"title":"A laptop is gone","what":"From a train","type":"lost_device","entity":)"
          R"("account:ann@example.com","facts":["subjects_affected=12"],"who":"ben"})");
  EXPECT_FALSE(reported["changes"].as_array()->empty());
  ask("POST /api/v1/incidents", "/api/v1/incidents", "[]", 400);
  const std::string by = R"(,"who":"ann","why":"as it must be"})";
  for (const char* const one :
       {R"({"act":"acknowledge","value":"")", R"({"act":"move","value":"analysing")",
        R"({"act":"assign","value":"ben")", R"({"act":"assign_role","value":"lead=ann")",
        R"({"act":"assert_fact","value":"subjects_affected=40")", R"({"act":"note","value":"")",
        R"({"act":"add_task","value":"Ask","with":{"phase":"analysis","owner":"ann"})",
        R"({"act":"end_task","value":"1")", R"({"act":"remark","value":"nature")",
        R"({"act":"add_evidence","value":"a disk","with":{"bytes":"7","where":"the safe",)"
        R"("sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})",
        R"({"act":"hand_over","value":"1","with":{"to":"the police"})",
        R"({"act":"send_notice","value":"authority","with":{"to":"Berlin","how":"portal",)"
        R"("sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})"}) {
    act(one + by);
  }
  act(R"({"act":"move","value":"closed")" + by, 409);
  act(R"({"act":"dance","value":"")" + by, 400);
  act(R"({"act":"move","value":"contained"})", 403);
  ask("POST /api/v1/incidents/{number}/acts", "/api/v1/incidents/999/acts",
      R"({"act":"note","value":"")" + by, 404);
}

void OpenApiAnswers::read_incidents() {
  const json::Value list = get("/api/v1/incidents");
  ASSERT_GT(list.integer("total"), 1);
  ask("GET /api/v1/incidents", "/api/v1/incidents?limit=1&severity=0&state=detected");
  ask("GET /api/v1/incidents", "/api/v1/incidents?severity=7", "", 400);
  get("/api/v1/waiting");
  const std::string one = "GET /api/v1/incidents/{number}";
  for (std::int64_t number = 1; number <= list.integer("total"); ++number) {
    const std::string path = "/api/v1/incidents/" + std::to_string(number);
    const json::Value shown = ask(one, path);
    EXPECT_FALSE(shown["escalations"].as_array()->empty()) << number;
    ask(one + "/spread", path + "/spread?depth=3");
    ask(one + "/export", path + "/export?limit=5");
    ask(one + "/notice", path + "/notice?duty=authority");
  }
  ask(one, "/api/v1/incidents/999", "", 404);
  ask(one + "/spread", "/api/v1/incidents/1/spread?depth=9", "", 400);
  ask(one + "/spread", "/api/v1/incidents/999/spread", "", 404);
  ask(one + "/export", "/api/v1/incidents/1/export?after=x", "", 400);
  ask(one + "/export", "/api/v1/incidents/999/export", "", 404);
  ask(one + "/notice", "/api/v1/incidents/1/notice?duty=nobody", "", 404);
  EXPECT_FALSE(get("/api/v1/figures")["figures"].as_array()->empty());
  ask("GET /api/v1/figures", "/api/v1/figures?from=now", "", 400);
  EXPECT_FALSE(get("/api/v1/breaches")["breaches"].as_array()->empty());
}

void OpenApiAnswers::work_through_a_run() {
  const std::string run = "GET /api/v1/runs/{number}";
  const std::string by = R"(,"why":"as it must be","who":"ann"})";
  const auto start = [&](const std::string& body, unsigned status = 200) {
    return ask("POST /api/v1/runs", "/api/v1/runs", body, status);
  };
  const json::Value asking = start(R"({"playbook":"asks","incident":1)" + by);
  EXPECT_THAT(json::to_text(asking), HasSubstr("if_approved"));
  start(R"({"playbook":"brute-force-success","incident":1,"dry_run":true)" + by);
  start(R"({"playbook":"none")" + by, 404);
  start("{}", 400);
  const std::string path = "/api/v1/runs/" + std::to_string(asking.integer("number"));
  const auto decide = [&](const std::string& body, unsigned status = 200) {
    ask("POST /api/v1/runs/{number}/acts", path + "/acts", body, status);
  };
  ask(run, path);
  decide(R"({"act":"approve","step":"nothing")" + by, 404);
  decide(R"({"act":"approve","step":"may","why":"","who":""})", 403);
  decide(R"({"act":"dance"})", 400);
  decide(R"({"act":"cancel")" + by);
  decide(R"({"act":"cancel")" + by, 409);
  for (std::size_t i = 1; i <= get("/api/v1/runs")["runs"].as_array()->size(); ++i) {
    ask(run, "/api/v1/runs/" + std::to_string(i));
  }
  ask("GET /api/v1/runs", "/api/v1/runs?limit=1&incident=1");
  ask("GET /api/v1/runs", "/api/v1/runs?limit=x", "", 400);
  ask(run, "/api/v1/runs/999", "", 404);
}

void OpenApiAnswers::read_the_rest() {
  for (const char* const path : {"/", "/console.css", "/console.js", "/healthz", "/readyz",
                                 "/metrics", "/api/v1/openapi.yaml", "/api/v1/status"}) {
    get(path);
  }
  EXPECT_EQ(daemon_.ask("/api/v1/openapi.yaml").body, read_file(OpenApiFile::path()));
  const json::Value events = get("/api/v1/events");
  EXPECT_THAT(json::to_text(events), HasSubstr("raw_base64"));
  const std::string event = (*events["events"].as_array())[0].text("id");
  ask("GET /api/v1/events", "/api/v1/events?address=203.0.113.0&limit=2");
  ask("GET /api/v1/events", "/api/v1/events?rule=x&account=y", "", 400);
  ask("GET /api/v1/events/{id}", "/api/v1/events/" + event);
  ask("GET /api/v1/events/{id}", "/api/v1/events/x", "", 400);
  ask("GET /api/v1/events/{id}", "/api/v1/events/ffffffffffffffff-0000000000000000", "", 404);
  EXPECT_FALSE(get("/api/v1/alerts")["alerts"].as_array()->empty());
  ask("GET /api/v1/alerts", "/api/v1/alerts?standing=delivered&limit=1");
  ask("GET /api/v1/alerts", "/api/v1/alerts?standing=lost", "", 400);
  EXPECT_FALSE(get("/api/v1/escalations")["escalations"].as_array()->empty());
  ask("GET /api/v1/escalations", "/api/v1/escalations?state=ended&limit=3");
  ask("GET /api/v1/escalations", "/api/v1/escalations?state=lost", "", 400);
  get("/api/v1/oncall");
  ask("GET /api/v1/oncall", "/api/v1/oncall?at=2020-01-30T00:00:00Z&days=7");
  ask("GET /api/v1/oncall", "/api/v1/oncall?schedule=none", "", 404);
  ask("GET /api/v1/oncall", "/api/v1/oncall?days=0", "", 400);
  json::Value reports;
  daemon_.wait_until([&] {
    reports = daemon_.get("/api/v1/reports");
    return !reports["reports"].as_array()->empty();
  });
  get("/api/v1/reports");
  for (const json::Value& file : *(*reports["reports"].as_array())[0]["files"].as_array()) {
    ask("GET /api/v1/reports/{name}", *file.as_string());
  }
  ask("GET /api/v1/reports/{name}", "/api/v1/reports/none.html", "", 404);
}

void OpenApiAnswers::take_signals() {
  const std::string signals = R"([{"labels":{"alertname":"Disk","instance":"web1"}}])";
  ask("POST /api/v2/alerts", "/api/v2/alerts", signals);
  ask("POST /api/v2/alerts", "/api/v2/alerts", R"([{"labels":{}}])", 400);
  const std::string silence =
      R"({"matchers":[{"name":"alertname","value":"Disk","isRegex":false}],"createdBy":"ann",)"
      R"("comment":"known","startsAt":"2020-01-01T00:00:00Z","endsAt":"2999-01-01T00:00:00Z"})";
  const json::Value set = ask("POST /api/v2/silences", "/api/v2/silences", silence);
  ask("POST /api/v2/silences", "/api/v2/silences", "{}", 400);
  daemon_.wait_until([&] { return daemon_.ask("/api/v2/alerts/groups").body.contains("web1"); });
  for (const char* const path : {"/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences",
                                 "/api/v2/receivers", "/api/v2/status"}) {
    get(path);
  }
  ask("GET /api/v2/alerts", "/api/v2/alerts?filter=x", "", 400);
  ask("GET /api/v2/alerts/groups", "/api/v2/alerts/groups?active=x", "", 400);
  ask("GET /api/v2/silences", "/api/v2/silences?filter=x", "", 400);
  const std::string one = "/api/v2/silence/" + set.text("silenceID");
  ask("GET /api/v2/silence/{id}", one);
  ask("DELETE /api/v2/silence/{id}", one);
  ask("GET /api/v2/silence/{id}", "/api/v2/silence/none", "", 404);
  ask("POST /api/v1/alerts/test", "/api/v1/alerts/test", R"({"receiver":"spool"})");
  ask("POST /api/v1/alerts/test", "/api/v1/alerts/test", R"({"receiver":"none"})", 404);
  ask("POST /api/v1/alerts/test", "/api/v1/alerts/test", "?", 400);
}

void OpenApiAnswers::decide() {
  get("/.well-known/authzen-configuration");
  const auto evaluated =
      ask("POST /access/v1/evaluation", "/access/v1/evaluation", question("wiki"));
  ask("POST /access/v1/evaluation", "/access/v1/evaluation",
      question("campaign-db", {{"token", "no token"}}));
  ask("POST /access/v1/evaluation", "/access/v1/evaluation", "{}", 400);
  auto several = *json::parse(question("wiki"));
  const std::string single = json::to_text(several);
  (*several.as_object())["evaluations"] = json::Array{json::Object(), json::Object{{"subject", 7}}};
  const std::string batch = "POST /access/v1/evaluations";
  ask(batch, "/access/v1/evaluations", json::to_text(several));
  ask(batch, "/access/v1/evaluations", single);
  ask(batch, "/access/v1/evaluations", "[]", 400);
  const std::string check = " /access/v1/check/{system}";
  for (const char* const method :
       {"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"}) {
    for (const auto& [operation, path] :
         {std::pair(check, "/access/v1/check/wiki"),
          std::pair(check + "/{path}", "/access/v1/check/wiki/a/b")}) {
      for (const auto& [person, status] :
           {std::pair("ada@example.com", 200U), std::pair("gone@example.com", 403U),
            std::pair("", 401U)}) {
        const std::string bearer = *person == '\0' ? "" : "Bearer " + token({{"email", person}});
        const auto answer = net::Client().request(
            {.method = method,
             .url = std::string("http://localhost") + path,
             .socket = daemon_.path("socket"),
             .headers = {{"Authorization", bearer}, {"X-Original-Method", "GET"}}});
        ASSERT_TRUE(answer) << method;
        EXPECT_EQ(answer->status, status) << method << " " << answer->body;
        // A HEAD has no body to judge.
        if (std::string(method) != "HEAD") answers_.add(method + operation, *answer);
      }
    }
  }
  const std::string kept = "/api/v1/decisions/" + evaluated["context"].text("id");
  daemon_.wait_until([&] { return daemon_.ask(kept).status == 200; });
  ask("GET /api/v1/decisions/{id}", kept);
  ask("GET /api/v1/decisions/{id}", "/api/v1/decisions/none", "", 404);
  daemon_.wait_until([&] { return daemon_.ask("/api/v1/decisions").body.contains("\"ways\""); });
  get("/api/v1/decisions");
  ask("GET /api/v1/decisions", "/api/v1/decisions?allowed=perhaps", "", 400);
}

void OpenApiAnswers::grant() {
  const auto order = [&](json::Object body, const std::string& who, unsigned status = 200) {
    body["token"] = token({{"email", who}});
    return ask("POST /api/v1/grants", "/api/v1/grants", json::to_text(body), status);
  };
  const json::Object wanted{{"act", "request"},     {"system", "campaign-db"},
                            {"purpose", "support"}, {"ticket", "T-1024"},
                            {"duration", "1h"},     {"reason", "a customer asks about a campaign"}};
  order(wanted, "ada@example.com");
  order({{"act", "approve"}, {"grant", 1}}, "ada@example.com", 403);
  order({{"act", "approve"}, {"grant", 1}}, "bob@example.com");
  order({{"act", "approve"}, {"grant", 1}}, "bob@example.com", 409);
  order({{"act", "approve"}, {"grant", 999}}, "bob@example.com", 404);
  order({{"act", "dance"}}, "bob@example.com", 400);
  get("/api/v1/grants");
  ask("GET /api/v1/grants", "/api/v1/grants?state=lost", "", 400);
  ask("GET /api/v1/grants/{number}", "/api/v1/grants/1");
  ask("GET /api/v1/grants/{number}", "/api/v1/grants/999", "", 404);
  daemon_.wait_until([&] {
    return daemon_.ask("/api/v1/who-can?system=campaign-db").body.contains("\"grant\":1");
  });
  ask("GET /api/v1/who-can", "/api/v1/who-can?system=campaign-db");
  ask("GET /api/v1/who-can", "/api/v1/who-can", "", 400);
  ask("GET /api/v1/what-can", "/api/v1/what-can?person=ada@example.com");
  ask("GET /api/v1/what-can", "/api/v1/what-can", "", 400);
}

void OpenApiAnswers::tell_of_people() {
  // From now on sources alone say who works here.
  ASSERT_EQ(daemon_.stop(), 0) << daemon_.output();
  std::vector<std::string> all = options();
  all.insert(all.end(), {"--people", "google,name=directory", "--people", "personnel,name=hr"});
  daemon_.start(all);
  const std::string now = to_rfc3339(SystemClock().now());
  const std::string tell = "POST /api/v1/people/{name}";
  ask(tell, "/api/v1/people/directory?as_of=" + now,
      identity::users_page({identity::user_json("1", "cleo@example.com")}) + "\n" +
          identity::groups_page({identity::group_json("g", "team@example.com")}) + "\n" +
          identity::members_page("g", {identity::member_json("1", "cleo@example.com")}));
  ask(tell, "/api/v1/people/hr?as_of=" + now,
      "id,email,employed_from,employed_until,trained_until,background_checked,policy_accepted\n"
      "7,cleo@example.com,2024-02-01,,2999-01-01,2024-01-15,2024-02-01\n");
  ask(tell, "/api/v1/people/nobody", "", 404);
  ask(tell, "/api/v1/people/hr?as_of=" + now, "no table", 400);
  EXPECT_THAT(json::to_text(get("/api/v1/people")), HasSubstr("\"known\""));
  ask("GET /api/v1/people", "/api/v1/people?limit=x", "", 400);
  const json::Value shown = ask("GET /api/v1/people/{name}", "/api/v1/people/cleo@example.com");
  EXPECT_FALSE(shown["person"].is_null());
  ask("GET /api/v1/people/{name}", "/api/v1/people/nobody@example.com", "", 404);
  ask("GET /api/v1/people/{name}", "/api/v1/people/nobody", "", 400);
}

void OpenApiAnswers::order_keys() {
  const std::string of = R"(,"reason":"asked for by themselves","who":"ann"})";
  const std::string erase = "POST /api/v1/erasures";
  const std::string renew = "POST /api/v1/key-renewals";
  ask(erase, "/api/v1/erasures", R"({"subject":"ann@example.com")" + of, 409);
  ask(erase, "/api/v1/erasures", R"({"subject":"dora@example.com")" + of);
  ask(erase, "/api/v1/erasures", "[]", 400);
  ask(renew, "/api/v1/key-renewals", R"({"subject":"")" + of);
  ask(renew, "/api/v1/key-renewals", R"({"subject":"ann@example.com")" + of);
  ask(renew, "/api/v1/key-renewals", R"({"subject":"dora@example.com")" + of, 404);
  ask(renew, "/api/v1/key-renewals", "[]", 400);
}

void OpenApiAnswers::prove() {
  get("/checkpoint");
  const std::string checkpoint = daemon_.ask("/checkpoint").body;
  const auto parsed = ledger::parse_checkpoint(checkpoint);
  ASSERT_TRUE(parsed);
  const auto tile = ledger::tile_at(0, 0, parsed->size);
  ASSERT_TRUE(tile);
  ask("GET /tile/{tile}", "/" + ledger::path_of(*tile));
  ask("GET /tile/{tile}", "/tile/7/999", "", 404);
  ask("POST /witness/add-checkpoint", "/witness/add-checkpoint", "old 0\n", 404);
  ask("GET /witness/{log}/checkpoint", "/witness/none/checkpoint", "", 404);
}

// Each body with a member more, in the whole or in what it lists.
std::map<std::string, json::Array> with_more(const std::map<std::string, json::Array>& bodies,
                                             bool in_lists) {
  std::map<std::string, json::Array> spoilt;
  for (const auto& [name, all] : bodies) {
    for (json::Value body : all) {
      json::Object* const object = body.as_object();
      if (object == nullptr || name.contains("/reports/")) continue;
      if (!in_lists) (*object)["not_described"] = "x";
      bool changed = !in_lists;
      for (auto& [member, value] : *object) {
        if (!in_lists || value.as_array() == nullptr || value.as_array()->empty()) continue;
        if (json::Object* const first = value.as_array()->front().as_object()) {
          (*first)["not_described"] = "x";
          changed = true;
        }
      }
      if (changed) spoilt[name].push_back(body);
    }
  }
  return spoilt;
}

TEST_F(OpenApiAnswers, AreAsTheFileSays) {
  handle_incidents();
  work_through_a_run();
  take_signals();
  decide();
  grant();
  tell_of_people();
  read_incidents();
  read_the_rest();
  order_keys();
  prove();
  EXPECT_EQ(answers_.complaints(), "");
  // Nothing of what is described was left out. A witness that has cosigned is witness_test.cc's.
  for (const std::string& operation : file_.operations()) {
    if (operation.contains("/witness/") || operation.starts_with("HEAD ")) continue;
    const auto seen = answers_.statuses().find(operation);
    ASSERT_NE(seen, answers_.statuses().end()) << operation << " was never asked";
    EXPECT_TRUE(seen->second.contains(200)) << operation << " never answered with 200";
  }
  // A schema that takes anything would prove nothing.
  for (const bool in_lists : {false, true}) {
    const auto spoilt = with_more(answers_.bodies(), in_lists);
    const std::string complaints = answers_.complaints(spoilt);
    for (const auto& [name, bodies] : spoilt) {
      for (std::size_t i = 0; i < bodies.size(); ++i) {
        EXPECT_THAT(complaints, HasSubstr("$." + name + "[" + std::to_string(i) + "]"));
      }
    }
  }
}

// Whatever changes something is for whoever may open the socket's file.
TEST_F(OpenApiAnswers, WhatIsPostedOverTcpIsRefused) {
  int refused = 0;
  for (const std::string& operation : file_.operations()) {
    const std::string path = operation.substr(operation.find(' ') + 1);
    const bool acts = operation.starts_with("POST /api/") || operation.starts_with("DELETE /api/");
    if (!acts) continue;
    std::string target = path;
    if (const std::size_t name = path.find('{'); name != path.npos) {
      target.replace(name, path.find('}') - name + 1, "1");
    }
    const auto answer = net::Client().request({.method = operation.substr(0, operation.find(' ')),
                                               .url = daemon_.address() + target,
                                               .body = "{}"});
    ASSERT_TRUE(answer) << operation;
    EXPECT_EQ(answer->status, 403U) << operation << answer->body;
    answers_.add(operation, *answer);
    ++refused;
  }
  EXPECT_EQ(refused, 12);
  EXPECT_EQ(answers_.complaints(), "");
}

// What is no path, what takes other methods, and HEAD.
TEST_F(OpenApiAnswers, WhatIsNotServedIsSaid) {
  for (const char* const path : {"/api/v1/", "/api/v1/nothing", "/api/v1/incidents/1/", "/tile/",
                                 "/api/v1/incidents/1/acts/1", "/api/v3/alerts", "//"}) {
    EXPECT_EQ(daemon_.ask(path).status, 404U) << path;
  }
  const auto refused = daemon_.ask("/api/v1/runs", "DELETE");
  EXPECT_EQ(refused.status, 405U);
  EXPECT_EQ(net::header(refused, "allow"), "GET, HEAD, POST");
  const auto text = json::parse(daemon_.ask("/api/v2/receivers", "PUT").body);
  ASSERT_TRUE(text);
  EXPECT_NE(text->as_string(), nullptr) << "as Alertmanager's clients expect it";
  for (const http::Route& route : http::routes()) {
    if (route.method != "GET" || route.path.contains('{')) continue;
    const std::string path(route.path);
    const auto head = daemon_.ask(path, "HEAD");
    EXPECT_EQ(head.status, daemon_.ask(path).status) << path;
    EXPECT_EQ(head.body, "") << path;
  }
}

}  // namespace
}  // namespace mailwarden
