// A page behind a real nginx and a real Envoy, opened with tokens of a real issuer.
//
// The policies are those that are shipped, which believe Google alone; in the test's copy of them
// the issuer's name stands in for Google's, and nothing else is changed.
#include "tests/e2e/guard.h"

#include <atomic>

#include "tests/e2e/installed_programs.h"
#include "tests/e2e/issuer.h"
#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

constexpr const char* people_and_systems = R"json([
  {"uid": {"type": "Group", "id": "staff"}, "attrs": {}, "parents": []},
  {"uid": {"type": "Group", "id": "administrators"}, "attrs": {},
   "parents": [{"type": "Group", "id": "staff"}]},
  {"uid": {"type": "User", "id": "ada@example.com"},
   "attrs": {"active": true, "background_checked": "2024-01-01", "trained_until": "2999-01-01",
             "policy_accepted": "2024-01-01"},
   "parents": [{"type": "Group", "id": "staff"}]},
  {"uid": {"type": "User", "id": "bob@example.com"},
   "attrs": {"active": true, "background_checked": "2024-01-01", "trained_until": "2999-01-01",
             "policy_accepted": "2024-01-01"},
   "parents": [{"type": "Group", "id": "administrators"}]},
  {"uid": {"type": "User", "id": "gone@example.com"},
   "attrs": {"active": false, "background_checked": "2024-01-01", "trained_until": "2999-01-01",
             "policy_accepted": "2024-01-01"},
   "parents": [{"type": "Group", "id": "staff"}]},
  {"uid": {"type": "System", "id": "campaign-db"},
   "attrs": {"personal_data": true, "purposes": [{"type": "Purpose", "id": "support"}],
             "must_record": true},
   "parents": []}
])json";

std::string name_of(const testing::TestParamInfo<GuardKind>& kind) {
  return kind.param == GuardKind::nginx ? "Nginx" : "Envoy";
}

class GuardTest : public testing::TestWithParam<GuardKind> {
 protected:
  void SetUp() override {
    const std::string programs = installed_programs("guard");
    if (programs.empty()) GTEST_SKIP() << "the issuer and Envoy cannot be installed here";
    issuer_.emplace(programs);
    start_page();
    start_daemon();
    grant("ada@example.com");
    guard_.emplace(GuardOptions{.kind = GetParam(),
                                .programs = programs,
                                .folder = daemon_.path("guard"),
                                .mailwarden = daemon_.path("socket"),
                                .system = "campaign-db",
                                .page = page_->addresses().front()});
    // The issuer's keys are fetched with the first token, for which Envoy may not wait.
    ask_until_decided(issuer_->token({}));
  }

  void start_page() {
    auto started = net::HttpServer::start({.listen = {"127.0.0.1:0"}}, [this](const net::Request&) {
      ++visits_;
      return net::Response{.content_type = "text/plain", .body = "what is guarded"};
    });
    ASSERT_TRUE(started) << started.error().what;
    page_ = *std::move(started);
  }

  void start_daemon() {
    believe(issuer_->name(), daemon_.copy_policies() + "/access/access.cedar");
    write_file(daemon_.path("entities.json"), people_and_systems);
    // Without the address of its keys, which the issuer itself tells.
    write_file(daemon_.path("issuers.yaml"), "issuers:\n  - name: test\n    issuers: [" +
                                                 issuer_->name() +
                                                 "]\n    audiences: [rs256, es256]\n"
                                                 "    hosted_domains: [example.com]\n");
    write_file(daemon_.path("log"), "");
    daemon_.start(options());
  }
  std::vector<std::string> options() const {
    return {"--entities", daemon_.path("entities.json"), "--issuers", daemon_.path("issuers.yaml"),
            "--source",   "file:" + daemon_.path("log")};
  }

  static void believe(const std::string& issuer, const std::string& file) {
    const std::string google = "\"https://accounts.google.com\"";
    std::string text = read_file(file);
    const std::size_t at = text.find(google);
    ASSERT_NE(at, std::string::npos) << "the shipped policies do not name Google any more";
    write_file(file, text.replace(at, google.size(), "\"" + issuer + "\""));
  }

  void grant(const std::string& person) {
    const auto act = [&](const json::Object& body) {
      const auto answer = daemon_.ask("/api/v1/grants", "POST", json::to_text(body));
      EXPECT_EQ(answer.status, 200U) << answer.body;
      return json::parse(answer.body).value();
    };
    const json::Value asked = act({{"act", "request"},
                                   {"token", issuer_->token({.person = person})},
                                   {"system", "campaign-db"},
                                   {"purpose", "support"},
                                   {"ticket", "T-1024"},
                                   {"reason", "a customer asks about a bounced campaign"},
                                   {"duration", "1h"}});
    act({{"act", "approve"},
         {"token", issuer_->token({.person = "bob@example.com"})},
         {"grant", asked.integer("number")}});
  }

  // On a machine that is busy with other tests Envoy's 200 ms pass now and then; what it answers
  // then is no decision.
  net::HttpAnswer ask_until_decided(const std::string& token, const std::string& method = "GET") {
    constexpr int tries_max = 20;
    net::HttpAnswer answer;
    for (int i = 0; i < tries_max; ++i) {
      answer = guard_->ask(token, method);
      if (answer.status != 403 || !net::header(answer, "x-decision-id").empty()) break;
    }
    return answer;
  }

  std::atomic<int> visits_ = 0;
  std::unique_ptr<net::HttpServer> page_;
  std::optional<Issuer> issuer_;
  RunningDaemon daemon_;
  std::optional<Guard> guard_;
};

INSTANTIATE_TEST_SUITE_P(, GuardTest, testing::Values(GuardKind::nginx, GuardKind::envoy), name_of);

TEST_P(GuardTest, LetsInWhomAGrantIsFor) {
  for (const char* client : {"rs256", "es256"}) {
    const auto answer = ask_until_decided(issuer_->token({.client = client}));
    EXPECT_EQ(answer.status, 200U) << client << ": " << net::header(answer, "x-decision-reason");
    EXPECT_EQ(answer.body, "what is guarded") << client;
  }
}

TEST_P(GuardTest, KeepsOutEverybodyElse) {
  struct Case {
    const char* name;
    SignIn who;
    const char* method;
    const char* reason;
  };
  const Case cases[] = {
      {"no second factor", {.methods = "pwd"}, "GET", "second factor within 12 hours"},
      {"a sign-in of yesterday", {.age = std::chrono::hours(24)}, "GET", "within 12 hours"},
      {"a leaver", {.person = "gone@example.com"}, "GET", "to be employed here"},
      {"no grant", {.person = "bob@example.com"}, "GET", "no policy permits"},
      {"a grant, but not for that", {}, "POST", "no policy permits"}};
  for (const char* client : {"rs256", "es256"}) {
    const int visits = visits_;
    for (Case one : cases) {
      one.who.client = client;
      const auto answer = ask_until_decided(issuer_->token(one.who), one.method);
      const std::string reason = net::header(answer, "x-decision-reason");
      EXPECT_EQ(answer.status, 403U) << client << ", " << one.name << ": " << reason;
      EXPECT_NE(reason.find(one.reason), std::string::npos) << one.name << ": " << reason;
    }
    std::string changed = issuer_->token({.client = client});
    changed[changed.rfind('.') + 10] ^= 1;
    EXPECT_EQ(ask_until_decided(changed).status, 401U) << client;
    EXPECT_EQ(visits_, visits) << "the page was reached";
  }
}

TEST_P(GuardTest, AsksForATokenWhereThereIsNone) {
  const int visits = visits_;
  const auto answer = ask_until_decided("");
  EXPECT_EQ(answer.status, 401U);
  EXPECT_EQ(net::header(answer, "www-authenticate"), "Bearer");
  EXPECT_EQ(visits_, visits);
}

TEST_P(GuardTest, LetsNobodyInWhileTheDaemonIsAway) {
  const int visits = visits_;
  const std::string token = issuer_->token({});
  ASSERT_EQ(daemon_.stop(), 0);
  EXPECT_EQ(guard_->ask(token).status, GetParam() == GuardKind::nginx ? 500U : 403U);
  EXPECT_EQ(visits_, visits);
  daemon_.start(options());
  EXPECT_EQ(ask_until_decided(token).status, 200U);
}

}  // namespace
}  // namespace mailwarden
