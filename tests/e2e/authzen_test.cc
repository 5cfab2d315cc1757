// AuthZEN 1.0 as enforcement points speak it, from other machines over TLS and on this one through
// the UNIX socket, held against the schemas that the OpenID Foundation published.
#include <gmock/gmock.h>

#include "tests/e2e/access_fixture.h"
#include "tests/e2e/json_schema.h"
#include "tests/net/tls_client.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;

class AuthzenTest : public AccessTest {
 protected:
  void SetUp() override {
    write_file(daemon_.path("authority.pem"), authority_.pem());
    install(authority_.issue({.name = "warden", .names = "IP:127.0.0.1, DNS:warden.example"}));
    AccessTest::SetUp();
  }
  std::vector<std::string> options() const override {
    std::vector<std::string> all = AccessTest::options();
    all.insert(all.end(), {"--access-listen", "127.0.0.1:0", "--tls-certificate",
                           daemon_.path("certificate.pem"), "--tls-key", daemon_.path("key.pem"),
                           "--tls-clients", daemon_.path("authority.pem")});
    return all;
  }
  void install(const net::Identity& identity) const {
    write_file(daemon_.path("certificate.pem"), identity.certificate);
    net::write_key(daemon_.path("key.pem"), identity.key);
  }

  // "127.0.0.1:PORT", as the daemon has said it.
  std::string address() const {
    const std::string said = daemon_.output();
    const std::size_t begin = said.find("https://127.0.0.1:") + 8;
    return said.substr(begin, said.find('/', begin) - begin);
  }
  net::TlsClient connect(const net::Identity& identity) const {
    const std::string at = address();
    const int port = std::stoi(at.substr(at.find(':') + 1));
    return {static_cast<unsigned short>(port),
            {.authority = daemon_.path("authority.pem"), .identity = identity}};
  }
  // The whole answer, header and all; "" where none came.
  std::string exchange(net::TlsClient client, const std::string& path, const std::string& method,
                       const std::string& body, const std::string& header = "") const {
    client.send(method + " " + path + " HTTP/1.1\r\nHost: " + address() + "\r\n" + header +
                "Connection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                body);
    return client.receive_all();
  }
  net::HttpAnswer ask_over_tls(const std::string& path, const std::string& method = "GET",
                               const std::string& body = "", const std::string& header = "") const {
    const std::string text = exchange(connect(gate_), path, method, body, header);
    const std::size_t end = text.find("\r\n\r\n");
    if (!text.starts_with("HTTP/1.1 ") || end == std::string::npos) return {};
    return {.status = static_cast<unsigned>(std::stoi(text.substr(9, 3))),
            .content_type = {},
            .body = text.substr(end + 4),
            .headers = {{"all", text.substr(0, end)}}};
  }

  net::Authority authority_;
  net::Identity gate_ = authority_.issue({.name = "gate 1", .usage = "clientAuth"});
};

enum class Way { unix_socket, tls };

// The same questions in both ways, all of them and their answers held against the schemas.
class AuthzenSchema : public AuthzenTest, public testing::WithParamInterface<Way> {
 protected:
  void SetUp() override {
    if (corpus_folder().empty()) GTEST_SKIP() << "the schemas of AuthZEN are not there";
    AuthzenTest::SetUp();
  }
  net::HttpAnswer ask(const std::string& path, const json::Value& body) {
    const std::string text = json::to_text(body);
    return GetParam() == Way::tls ? ask_over_tls("/access/v1/" + path, "POST", text)
                                  : daemon_.ask("/access/v1/" + path, "POST", text);
  }
  json::Value answer(const std::string& path, const json::Value& body) {
    const auto answered = ask(path, body);
    EXPECT_EQ(answered.status, 200U) << answered.body;
    auto json = json::parse(answered.body);
    return json ? *std::move(json) : json::Value();
  }
  static json::Object entity(const std::string& type, const std::string& id) {
    return {{"type", type}, {"id", id}};
  }
  static json::Object request(const std::string& person, const std::string& system) {
    return {{"subject", entity("User", person)},
            {"action", json::Object{{"name", "read"}}},
            {"resource", entity("System", system)}};
  }

  JsonSchema requests_{"authzen-evaluation-request.schema.json"};
  JsonSchema responses_{"authzen-evaluation-response.schema.json"};
};

TEST_P(AuthzenSchema, OneDecision) {
  json::Object adorned = request("ada@example.com", "wiki");
  for (const char* part : {"subject", "action", "resource"}) {
    (*adorned[part].as_object())["properties"] = json::Object{{"ip_address", "192.0.2.1"}};
  }
  adorned["context"] = json::Object{{"token", token()}};
  json::Object without_factor = request("ada@example.com", "campaign-db");
  without_factor["context"] = json::Object{{"token", "no token"}};
  const std::vector<std::pair<json::Value, bool>> cases{
      {request("ada@example.com", "wiki"), true},
      {adorned, true},
      {request("ada@example.com", "campaign-db"), false},
      {without_factor, false},
      {request("gone@example.com", "wiki"), false},
      {request("nobody", "nothing"), false},
      {request("", ""), false}};
  std::vector<json::Value> asked;
  std::vector<json::Value> answered;
  for (const auto& [question, is_allowed] : cases) {
    asked.push_back(question);
    answered.push_back(answer("evaluation", question));
    EXPECT_EQ(answered.back()["decision"], json::Value(is_allowed)) << json::to_text(question);
  }
  EXPECT_EQ(requests_.complaints(asked), "");
  EXPECT_EQ(responses_.complaints(answered), "");
}

// A batch has a schema of its own nowhere: each of its questions is a request when the members of
// the whole are put into it, and each of its answers a response.
TEST_P(AuthzenSchema, SeveralDecisionsInThreeWays) {
  const json::Object whole{{"subject", entity("User", "ada@example.com")},
                           {"action", json::Object{{"name", "read"}}}};
  const std::vector<json::Object> parts{
      {{"resource", entity("System", "wiki")}},
      {{"resource", entity("System", "campaign-db")}},
      {{"resource", entity("System", "wiki")}, {"subject", entity("User", "gone@example.com")}},
      {{"resource", entity("System", "wiki")}, {"context", json::Object{{"token", token()}}}}};
  std::vector<json::Value> asked;
  for (json::Object one : parts) {
    one.insert(whole.begin(), whole.end());
    asked.emplace_back(one);
  }
  EXPECT_EQ(requests_.complaints(asked), "");
  std::vector<json::Value> answered;
  for (const auto& [semantic, expected] : {std::pair{"", "+--+"},
                                           {"execute_all", "+--+"},
                                           {"deny_on_first_deny", "+-"},
                                           {"permit_on_first_permit", "+"}}) {
    json::Object batch = whole;
    batch["evaluations"] = json::Array(parts.begin(), parts.end());
    if (*semantic != '\0') batch["options"] = json::Object{{"evaluations_semantic", semantic}};
    std::string verdicts;
    const json::Value answers = answer("evaluations", batch);
    for (const json::Value& one : *answers["evaluations"].as_array()) {
      verdicts += one["decision"] == json::Value(true) ? '+' : '-';
      answered.push_back(one);
    }
    EXPECT_EQ(verdicts, expected) << semantic;
  }
  EXPECT_EQ(responses_.complaints(answered), "");
}

TEST_P(AuthzenSchema, WhatIsWrongInABatchIsAnswered) {
  const json::Object wrong{
      {"evaluations", json::Array{request("ada@example.com", "wiki"), json::Object{},
                                  json::Value(7), request("ada@example.com", "wiki")}}};
  const json::Value answered = answer("evaluations", wrong);
  ASSERT_EQ(answered["evaluations"].as_array()->size(), 4U);
  EXPECT_EQ(responses_.complaints(*answered["evaluations"].as_array()), "");
  const json::Value& refused = (*answered["evaluations"].as_array())[1];
  EXPECT_EQ(refused["decision"], json::Value(false));
  EXPECT_EQ(refused["context"]["error"].integer("status"), 400);
  // Without a batch it is one question, and its answer that of one.
  const json::Value one = answer("evaluations", request("ada@example.com", "wiki"));
  EXPECT_EQ(one["decision"], json::Value(true));
  EXPECT_EQ(responses_.complaints({one}), "");
}

// What the schema refuses is no question here either.
TEST_P(AuthzenSchema, WhatIsNoRequestIsRefused) {
  std::vector<std::pair<std::string, json::Object>> cases;
  for (const char* part : {"subject", "action", "resource"}) {
    json::Object one = request("ada@example.com", "wiki");
    one.erase(part);
    cases.emplace_back(std::string("without ") + part, one);
    one[part] = "a text";
    cases.emplace_back(std::string(part) + " as a text", one);
    one = request("ada@example.com", "wiki");
    (*one[part].as_object())["properties"] = json::Array{"a"};
    cases.emplace_back(std::string(part) + " with a list of properties", one);
    for (const char* member : {"type", "id", "name"}) {
      one = request("ada@example.com", "wiki");
      if (one[part].as_object()->erase(member) == 0) continue;
      cases.emplace_back(std::string(part) + " without " + member, one);
      (*one[part].as_object())[member] = 7;
      cases.emplace_back(std::string(part) + " with a number for " + member, one);
    }
  }
  cases.emplace_back("context as a list", request("ada@example.com", "wiki"));
  cases.back().second["context"] = json::Array{"a"};
  for (const auto& [name, body] : cases) {
    EXPECT_NE(requests_.complaints({body}), "") << name;
    const auto answered = ask("evaluation", body);
    EXPECT_EQ(answered.status, 400U) << name << answered.body;
  }
}

// A schema that takes anything would prove nothing.
TEST_P(AuthzenSchema, ASpoiltAnswerWouldBeSeen) {
  const json::Value good = answer("evaluation", request("ada@example.com", "wiki"));
  EXPECT_EQ(responses_.complaints({good}), "");
  json::Object without = *good.as_object();
  without.erase("decision");
  EXPECT_THAT(responses_.complaints({without}), HasSubstr("'decision' is a required property"));
  json::Object text = *good.as_object();
  text["decision"] = "true";
  EXPECT_THAT(responses_.complaints({good, text}), HasSubstr("is not of type 'boolean'"));
  json::Object list = *good.as_object();
  list["context"] = json::Array();
  EXPECT_THAT(responses_.complaints({list}), HasSubstr("is not of type 'object'"));
}

INSTANTIATE_TEST_SUITE_P(, AuthzenSchema, testing::Values(Way::unix_socket, Way::tls),
                         [](const auto& tested) {
                           return tested.param == Way::tls ? "OverTls" : "ThroughTheUnixSocket";
                         });

TEST_F(AuthzenTest, SaysWhereItIsByTheNameThatItWasAskedFor) {
  const auto over_tls = ask_over_tls("/.well-known/authzen-configuration");
  EXPECT_EQ(over_tls.status, 200U);
  EXPECT_THAT(over_tls.headers.at(0).second, HasSubstr("Content-Type: application/json"));
  const auto said = json::parse(over_tls.body);
  ASSERT_TRUE(said) << over_tls.body;
  EXPECT_EQ(
      *said,
      json::Value(json::Object{
          {"policy_decision_point", "https://" + address()},
          {"access_evaluation_endpoint", "https://" + address() + "/access/v1/evaluation"},
          {"access_evaluations_endpoint", "https://" + address() + "/access/v1/evaluations"}}));
  EXPECT_EQ(daemon_.get("/.well-known/authzen-configuration").text("policy_decision_point"),
            "http://localhost");
}

TEST_F(AuthzenTest, DecidesOverTlsAndShowsNothingElse) {
  const auto decided =
      ask_over_tls("/access/v1/evaluation", "POST", question("wiki"), "X-Request-ID: 7-11\r\n");
  EXPECT_EQ(decided.status, 200U);
  EXPECT_THAT(decided.headers.at(0).second, HasSubstr("X-Request-ID: 7-11"));
  const std::string bearer = "Authorization: Bearer " + token() + "\r\n";
  EXPECT_EQ(ask_over_tls("/access/v1/check/wiki/page", "GET", "", bearer).status, 200U);
  EXPECT_EQ(ask_over_tls("/access/v1/check/campaign-db", "GET", "", bearer).status, 403U);
  const auto decision = json::parse(decided.body);
  ASSERT_TRUE(decision);
  const std::string kept = "/api/v1/decisions/" + (*decision)["context"].text("id");
  EXPECT_EQ(daemon_.get(kept).text("asked_by"), "CN=gate 1,O=Example");
  for (const std::string& path :
       {kept, std::string("/api/v1/decisions"), std::string("/api/v1/grants"), std::string("/"),
        std::string("/api/v1/status"), std::string("/api/v1/incidents"), std::string("/metrics"),
        std::string("/healthz"), std::string("/api/v1/who-can?system=wiki")}) {
    const auto answered = ask_over_tls(path);
    EXPECT_EQ(answered.status, 404U) << path << answered.body;
  }
  EXPECT_EQ(daemon_.stop(), 0);
  EXPECT_EQ(daemon_.verify().code, 0);
  EXPECT_EQ(daemon_.rows("SELECT count(*) FROM ledger_entry WHERE kind = 'decision'"),
            (std::multiset<std::string>{"3|"}));
}

TEST_F(AuthzenTest, WhoIsNotKnownIsNotAnswered) {
  const std::string path = "/access/v1/evaluation";
  EXPECT_EQ(exchange(connect({}), path, "POST", question("wiki")), "");
  const net::Authority other("another authority");
  EXPECT_EQ(exchange(connect(other.issue({})), path, "POST", question("wiki")), "");
  EXPECT_THAT(exchange(connect(gate_), path, "POST", question("wiki")), HasSubstr(" 200 "));
  EXPECT_EQ(daemon_.stop(), 0);
  EXPECT_EQ(daemon_.rows("SELECT count(*) FROM ledger_entry WHERE kind = 'decision'"),
            (std::multiset<std::string>{"1|"}));
}

// As docs/policies.md says. Files stand beside it, the socket and what nginx makes in its folder.
std::string nginx_configuration(const std::string& folder, const std::string& warden) {
  std::string text = ::geteuid() == 0 ? "user root;\n" : "";
  text += "daemon off; worker_processes 1; pid pid; events {}\nhttp { access_log off;\n";
  for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    text += std::string(kind) + "_temp_path " + kind + ";\n";
  }
  return text + "upstream mailwarden { server " + warden +
         "; keepalive 16; }\nserver { listen unix:" + folder + R"(/socket;
           location / { auth_request /_access; root ..; }
           location = /_access {
             internal;
             proxy_pass https://mailwarden/access/v1/check/wiki;
             proxy_http_version 1.1;
             proxy_set_header Connection "";
             proxy_ssl_certificate gate.pem;
             proxy_ssl_certificate_key gate.key;
             proxy_ssl_trusted_certificate authority.pem;
             proxy_ssl_verify on;
             proxy_ssl_name warden.example;
             proxy_pass_request_body off;
             proxy_set_header Content-Length "";
             proxy_set_header X-Original-Method $request_method;
           } } })";
}

TEST_F(AuthzenTest, NginxOnAnotherMachineAsks) {
  std::filesystem::create_directories(daemon_.path("nginx"));
  write_file(daemon_.path("page"), "what is guarded");
  write_file(daemon_.path("gate.pem"), gate_.certificate);
  net::write_key(daemon_.path("gate.key"), gate_.key);
  write_file(daemon_.path("nginx.conf"), nginx_configuration(daemon_.path("nginx"), address()));
  Process nginx({"/usr/sbin/nginx", "-e", daemon_.path("nginx/error"), "-p", daemon_.path("nginx"),
                 "-c", daemon_.path("nginx.conf")},
                daemon_.path("nginx/output"));
  const auto get = [&](const std::string& bearer) {
    const auto answer = net::Client().request({.url = "http://localhost/page",
                                               .socket = daemon_.path("nginx/socket"),
                                               .headers = {{"Authorization", bearer}}});
    return answer ? *answer : net::HttpAnswer();
  };
  ASSERT_TRUE(nginx.wait_until([&] { return get("").status != 0; }))
      << read_file(daemon_.path("nginx/output"));
  for (int i = 0; i < 3; ++i) {
    const auto answer = get("Bearer " + token());
    EXPECT_EQ(answer.status, 200U) << read_file(daemon_.path("nginx/error"));
    EXPECT_EQ(answer.body, "what is guarded");
  }
  EXPECT_EQ(get("").status, 401U);
  EXPECT_EQ(get("Bearer " + token({{"email", "gone@example.com"}})).status, 403U);
  nginx.kill(SIGQUIT);
  nginx.wait();
}

TEST_F(AuthzenTest, ARenewedCertificateIsShownAfterAReload) {
  EXPECT_EQ(connect(gate_).server(), "warden");
  install(authority_.issue({.name = "renewed"}));
  daemon_.signal(SIGHUP);
  daemon_.wait_until([&] { return connect(gate_).server() == "renewed"; });
  write_file(daemon_.path("key.pem"), "spoilt");
  daemon_.signal(SIGHUP);
  const std::string trouble =
      "the old certificates stay, since the new ones are wrong: " + daemon_.path("key.pem") +
      ": there is no private key in PEM in it";
  daemon_.wait_until([&] { return daemon_.output().contains(trouble); });
  EXPECT_EQ(connect(gate_).server(), "renewed");
  EXPECT_EQ(ask_over_tls("/access/v1/evaluation", "POST", question("wiki")).status, 200U);
}

TEST_F(AuthzenTest, AKeyThatEverybodyMayReadKeepsItFromStarting) {
  ASSERT_EQ(daemon_.stop(), 0);
  ASSERT_EQ(::chmod(daemon_.path("key.pem").c_str(), 0644), 0);
  std::vector<std::string> arguments = options();
  arguments.insert(arguments.end(),
                   {"--socket", daemon_.path("socket"), "--listen", "127.0.0.1:0"});
  Process refused(daemon_.arguments(arguments), daemon_.path("refused"));
  EXPECT_NE(refused.wait(), 0);
  EXPECT_THAT(read_file(daemon_.path("refused")),
              HasSubstr("access-listen: " + daemon_.path("key.pem") + ": everybody may open"));
}

}  // namespace
}  // namespace mailwarden
