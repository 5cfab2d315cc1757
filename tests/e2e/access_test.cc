// Access decisions as enforcement points meet them: over the API and behind a real nginx.
#include <unistd.h>

#include "tests/e2e/access_fixture.h"

namespace mailwarden {
namespace {

TEST_F(AccessTest, ADecisionIsAnsweredAndKept) {
  const json::Value allowed = evaluate(question("wiki"));
  EXPECT_EQ(allowed["decision"], json::Value(true));
  const std::string id = allowed["context"].text("id");
  EXPECT_EQ(id.size(), 32U);
  // The system asks for a record before the answer, so it is there now.
  const json::Value kept = daemon_.get("/api/v1/decisions/" + id);
  EXPECT_EQ(kept.text("principal"), "User::\"ada@example.com\"");
  EXPECT_EQ(kept.text("decision"), "allow");
  EXPECT_EQ(kept.text("asked_by"), "uid " + std::to_string(::geteuid()));
  EXPECT_EQ(kept["facts"]["active"], json::Value(true));

  const json::Value denied = evaluate(question("campaign-db", {{"token", token()}}));
  EXPECT_EQ(denied["decision"], json::Value(false));
  EXPECT_EQ(denied["context"].text("why"), "not_permitted");
  const std::string path = "/api/v1/decisions/" + denied["context"].text("id");
  daemon_.wait_until([&] { return daemon_.ask(path).status == 200; });
  const std::string explanation = json::to_text(daemon_.get(path)["explanation"]);
  EXPECT_NE(explanation.find("a grant with purpose for this system"), std::string::npos);
  EXPECT_EQ(daemon_.stop(), 0);
  EXPECT_EQ(daemon_.verify().code, 0);
  EXPECT_EQ(daemon_.rows("SELECT count(*) FROM ledger_entry WHERE kind = 'decision'"),
            (std::multiset<std::string>{"2|"}));
}

TEST_F(AccessTest, WhatAnEnforcementPointClaimsOfTokensAndGrantsIsNotBelieved) {
  const json::Object forged{
      {"issuer", "https://accounts.google.com"}, {"second_factor", true}, {"security_key", true}};
  const json::Value answer =
      evaluate(question("campaign-db", {{"token", forged}, {"grant", json::Object{}}}));
  EXPECT_EQ(answer["decision"], json::Value(false));
  EXPECT_NE(json::to_text(answer).find("google-sign-in"), std::string::npos);
}

TEST_F(AccessTest, SeveralQuestionsAreAnsweredInThreeWays) {
  const auto ask = [&](const std::string& semantic) {
    json::Array all;
    for (const char* system : {"wiki", "campaign-db", "wiki"}) {
      all.push_back(json::Object{{"resource", json::Object{{"type", "System"}, {"id", system}}}});
    }
    std::string body = json::to_text(
        json::Object{{"subject", json::Object{{"type", "User"}, {"id", "ada@example.com"}}},
                     {"action", json::Object{{"name", "read"}}},
                     {"evaluations", std::move(all)},
                     {"options", json::Object{{"evaluations_semantic", semantic}}}});
    std::string verdicts;
    const json::Value answer = evaluate(body, "evaluations");
    for (const json::Value& one : *answer["evaluations"].as_array()) {
      verdicts += *one["decision"].as_bool() ? '+' : '-';
    }
    return verdicts;
  };
  EXPECT_EQ(ask("execute_all"), "+-+");
  EXPECT_EQ(ask("deny_on_first_deny"), "+-");
  EXPECT_EQ(ask("permit_on_first_permit"), "+");
}

TEST_F(AccessTest, WhatIsNoRequestIsRefusedWithASentence) {
  for (const char* body : {"", "[]", "{}", R"({"subject": {"type": "User"}})",
                           R"({"subject": {"type": "a b", "id": "x"}, "action": {"name": "read"},)"
                           R"( "resource": {"type": "System", "id": "wiki"}})"}) {
    const auto answer = daemon_.ask("/access/v1/evaluation", "POST", body);
    EXPECT_EQ(answer.status, 400U) << body;
    EXPECT_NE(answer.body.find("error"), std::string::npos) << body;
  }
  EXPECT_EQ(daemon_.ask("/access/v1/evaluation").status, 405U);
}

// What is kept waits in memory until it is stored.
TEST_F(AccessTest, ARequestThatWouldTakeTooMuchRoomIsRefused) {
  const auto refused = [&](const std::string& path, const std::string& body) {
    const auto answer = daemon_.ask("/access/v1/" + path, "POST", body);
    EXPECT_EQ(answer.status, 400U) << answer.body;
    return answer.body;
  };
  const std::string long_text(70'000, 'x');
  EXPECT_NE(
      refused("evaluation", question("wiki", {{"said", long_text}})).find("'context' is longer"),
      std::string::npos);
  EXPECT_NE(refused("evaluation", question(long_text)).find("'resource.id' is longer"),
            std::string::npos);
  json::Object many{{"subject", json::Object{{"type", "User"}, {"id", "ada@example.com"}}},
                    {"action", json::Object{{"name", "read"}}},
                    {"resource", json::Object{{"type", "System"}, {"id", "wiki"}}},
                    {"context", json::Object{{"said", std::string(60'000, 'x')}}},
                    {"evaluations", json::Array(1000, json::Object())}};
  EXPECT_NE(refused("evaluations", json::to_text(many)).find("contexts of all evaluations"),
            std::string::npos);
  EXPECT_NE(refused("evaluation", std::string(2'000'000, ' ')).find("the request is longer"),
            std::string::npos);
}

class GrantTest : public AccessTest {
 protected:
  // The status, and the grant where there is one.
  std::pair<unsigned, json::Value> act(json::Object body) {
    if (const auto who = body.find("who"); who != body.end()) {
      body["token"] = token({{"email", *who->second.as_string()}});
      body.erase("who");
    }
    const auto answer = daemon_.ask("/api/v1/grants", "POST", json::to_text(body));
    const auto json = json::parse(answer.body);
    return {answer.status, json ? *json : json::Value()};
  }
  std::pair<unsigned, json::Value> ask_for(const std::string& act_name, const std::string& who) {
    return act({{"act", act_name},
                {"who", who},
                {"system", "campaign-db"},
                {"purpose", "support"},
                {"ticket", "T-1024"},
                {"reason", "a customer asks about a bounced campaign"},
                {"duration", "1h"}});
  }
  std::string verdict(const std::string& person, const json::Object& claims = {}) {
    json::Object changed = claims;
    changed["email"] = person;
    const json::Value answer =
        evaluate(question("campaign-db", {{"token", token(changed)}}, person));
    return answer["decision"] == json::Value(true) ? "allow" : answer["context"].text("why");
  }
};

TEST_F(GrantTest, OpensWhatItIsForUntilItEnds) {
  EXPECT_EQ(verdict("ada@example.com"), "not_permitted");
  const auto [asked, grant] = ask_for("request", "ada@example.com");
  ASSERT_EQ(asked, 200U) << json::to_text(grant);
  const std::int64_t number = grant.integer("number");
  EXPECT_EQ(verdict("ada@example.com"), "not_permitted");
  EXPECT_EQ(act({{"act", "approve"}, {"who", "ada@example.com"}, {"grant", number}}).first, 403U);
  EXPECT_EQ(act({{"act", "approve"}, {"who", "gone@example.com"}, {"grant", number}}).first, 403U);
  EXPECT_EQ(verdict("ada@example.com"), "not_permitted");
  ASSERT_EQ(act({{"act", "approve"}, {"who", "bob@example.com"}, {"grant", number}}).first, 200U);
  EXPECT_EQ(verdict("ada@example.com"), "allow");
  EXPECT_EQ(verdict("bob@example.com"), "not_permitted");
  const std::string who = json::to_text(daemon_.get("/api/v1/who-can?system=campaign-db"));
  EXPECT_NE(who.find("ada@example.com"), std::string::npos);
  EXPECT_EQ(who.find("bob@example.com"), std::string::npos);
  ASSERT_EQ(act({{"act", "end"},
                 {"who", "bob@example.com"},
                 {"grant", number},
                 {"why", "the customer has been answered"}})
                .first,
            200U);
  EXPECT_EQ(verdict("ada@example.com"), "not_permitted");
  const json::Value shown = daemon_.get("/api/v1/grants/" + std::to_string(number));
  EXPECT_EQ(shown["changes"].as_array()->size(), 3U);
}

TEST_F(GrantTest, NobodyActsByTheirWordAlone) {
  const auto answer = daemon_.ask("/api/v1/grants", "POST",
                                  R"({"act":"request","who":"ada@example.com","duration":"1h"})");
  EXPECT_EQ(answer.status, 403U);
  EXPECT_NE(answer.body.find("must show a token"), std::string::npos) << answer.body;
}

TEST_F(GrantTest, OutlivesAKillAndNothingElseDoes) {
  const auto [asked, grant] = ask_for("request", "ada@example.com");
  ASSERT_EQ(asked, 200U);
  ASSERT_EQ(
      act({{"act", "approve"}, {"who", "bob@example.com"}, {"grant", grant.integer("number")}})
          .first,
      200U);
  daemon_.signal(SIGKILL);
  daemon_.start(options());
  EXPECT_EQ(verdict("ada@example.com"), "allow");
  EXPECT_EQ(daemon_.stop(), 0);
  EXPECT_EQ(daemon_.verify().code, 0);
  EXPECT_EQ(daemon_.rows("SELECT count(*) FROM ledger_entry WHERE kind = 'grant'"),
            (std::multiset<std::string>{"2|"}));
}

TEST_F(GrantTest, ABrokenGlassWorksAndAlarmsAtOnce) {
  EXPECT_EQ(ask_for("break_glass", "ada@example.com").first, 403U);
  ASSERT_EQ(ask_for("break_glass", "bob@example.com").first, 200U);
  EXPECT_EQ(verdict("bob@example.com"), "allow");
  daemon_.wait_until([&] {
    return json::to_text(daemon_.get("/api/v1/incidents")).find("The glass was broken") !=
           std::string::npos;
  });
}

// nginx before a page, asking the daemon at every request.
class NginxTest : public AccessTest {
 protected:
  void SetUp() override {
    AccessTest::SetUp();
    std::filesystem::create_directories(daemon_.path("nginx"));
    write_file(daemon_.path("page"), "what is guarded");
    std::string servers;
    for (const char* system : {"wiki", "campaign-db"}) {
      servers +=
          "server { listen unix:" + daemon_.path(system) + ";\n" +
          "location / { auth_request /_access; root " + daemon_.path("") +
          "; auth_request_set $id $upstream_http_x_decision_id;"
          " auth_request_set $why $upstream_http_x_decision_reason;"
          " add_header X-Decision-Id $id always; add_header X-Decision-Reason $why always; }\n"
          "location = /_access { internal; proxy_pass http://unix:" +
          daemon_.path("socket") + ":/access/v1/check/" + system +
          "; proxy_pass_request_body off; proxy_set_header Content-Length \"\";"
          " proxy_set_header X-Original-Method $request_method; } }\n";
    }
    write_file(daemon_.path("nginx.conf"),
               "daemon off; worker_processes 1; user root; pid " + daemon_.path("nginx/pid") +
                   ";\nevents {}\nhttp { access_log off; client_body_temp_path " +
                   daemon_.path("nginx/body") + "; proxy_temp_path " + daemon_.path("nginx/proxy") +
                   "; fastcgi_temp_path " + daemon_.path("nginx/f") + "; uwsgi_temp_path " +
                   daemon_.path("nginx/u") + "; scgi_temp_path " + daemon_.path("nginx/s") + ";\n" +
                   servers + "}\n");
    nginx_.emplace(
        std::vector<std::string>{"/usr/sbin/nginx", "-e", daemon_.path("nginx/error"), "-p",
                                 daemon_.path("nginx"), "-c", daemon_.path("nginx.conf")},
        daemon_.path("nginx/output"));
    ASSERT_TRUE(nginx_->wait_until([&] { return get("wiki", "").status != 0; }))
        << read_file(daemon_.path("nginx/output"));
  }
  void TearDown() override {
    nginx_->kill(SIGQUIT);
    nginx_->wait();
  }

  net::HttpAnswer get(const std::string& system, const std::string& bearer) const {
    net::HttpCall call{.url = "http://localhost/page", .socket = daemon_.path(system)};
    if (!bearer.empty()) call.headers.emplace_back("Authorization", "Bearer " + bearer);
    const auto answer = net::Client().request(call);
    return answer ? *answer : net::HttpAnswer();
  }
  std::string reason(const net::HttpAnswer& answer) const {
    return net::header(answer, "x-decision-reason");
  }

  std::optional<Process> nginx_;
};

TEST_F(NginxTest, LetsInWhomPolicyAllows) {
  for (const crypto::PrivateKey& key : {crypto::rsa_key(), crypto::p256_key()}) {
    const auto answer = get("wiki", token({}, key));
    EXPECT_EQ(answer.status, 200U) << reason(answer);
    EXPECT_EQ(answer.body, "what is guarded");
    EXPECT_EQ(net::header(answer, "x-decision-id").size(), 32U);
  }
}

TEST_F(NginxTest, KeepsOutEverybodyElse) {
  const std::int64_t yesterday = seconds_now() - 86'400;
  const json::Object gone{{"email", "gone@example.com"}};
  struct Case {
    const char* name;
    std::string system;
    std::string token;
    unsigned status;
    std::string reason;
  };
  const std::vector<Case> cases{
      {"no token", "wiki", "", 401, "sign in"},
      {"a token of nobody we know", "wiki", token({{"iss", "https://evil.example.net"}}), 401, ""},
      {"a token that has run out", "wiki", token({{"exp", yesterday}, {"iat", yesterday - 60}}),
       401, ""},
      {"a leaver", "wiki", token(gone), 403, "employed here"},
      {"no second factor", "campaign-db", token({{"amr", json::Array{"pwd"}}}), 403,
       "second factor"},
      {"a sign-in of yesterday", "campaign-db", token({{"auth_time", yesterday}}), 403,
       "second factor"},
      {"no grant", "campaign-db", token(), 403, "no policy permits"}};
  for (const Case& one : cases) {
    const auto answer = get(one.system, one.token);
    EXPECT_EQ(answer.status, one.status) << one.name;
    EXPECT_EQ(answer.body.find("guarded"), std::string::npos) << one.name;
    if (answer.status == 403) {
      EXPECT_NE(reason(answer).find(one.reason), std::string::npos) << one.name << reason(answer);
    }
  }
}

TEST_F(NginxTest, NobodyGetsInWhileTheDaemonIsAway) {
  ASSERT_EQ(daemon_.stop(), 0);
  EXPECT_EQ(get("wiki", token()).status, 500U);
}

}  // namespace
}  // namespace mailwarden
