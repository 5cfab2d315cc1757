// A daemon that decides about a few people and systems, with an issuer of tokens of its own.
#pragma once

#include <chrono>

#include "tests/e2e/running.h"
#include "tests/identity/token_maker.h"

namespace mailwarden {

inline constexpr const char* access_entities = R"json([
  {"uid": {"type": "Group", "id": "staff"}, "attrs": {}, "parents": []},
  {"uid": {"type": "User", "id": "ada@example.com"},
   "attrs": {"active": true, "background_checked": "2024-01-01", "trained_until": "2999-01-01",
             "policy_accepted": "2024-01-01"},
   "parents": [{"type": "Group", "id": "staff"}]},
  {"uid": {"type": "Group", "id": "administrators"}, "attrs": {},
   "parents": [{"type": "Group", "id": "staff"}]},
  {"uid": {"type": "Group", "id": "on-call"}, "attrs": {},
   "parents": [{"type": "Group", "id": "staff"}]},
  {"uid": {"type": "User", "id": "bob@example.com"},
   "attrs": {"active": true, "background_checked": "2024-01-01", "trained_until": "2999-01-01",
             "policy_accepted": "2024-01-01"},
   "parents": [{"type": "Group", "id": "administrators"}, {"type": "Group", "id": "on-call"}]},
  {"uid": {"type": "User", "id": "gone@example.com"},
   "attrs": {"active": false, "background_checked": "2024-01-01", "trained_until": "2999-01-01",
             "policy_accepted": "2024-01-01"},
   "parents": [{"type": "Group", "id": "staff"}]},
  {"uid": {"type": "System", "id": "wiki"},
   "attrs": {"personal_data": false, "purposes": [], "must_record": true}, "parents": []},
  {"uid": {"type": "System", "id": "campaign-db"},
   "attrs": {"personal_data": true, "purposes": [{"type": "Purpose", "id": "support"}]},
   "parents": []}
])json";

inline std::int64_t seconds_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

class AccessTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = net::HttpServer::start({.listen = {"127.0.0.1:0"}}, [](const net::Request&) {
      return net::Response{.body =
                               identity::key_set_text({identity::jwk(identity::rsa_key(), "r"),
                                                       identity::jwk(identity::p256_key(), "e")})};
    });
    ASSERT_TRUE(started) << started.error().what;
    keys_ = *std::move(started);
    write_file(daemon_.path("entities.json"), access_entities);
    write_file(
        daemon_.path("issuers.yaml"),
        "issuers:\n  - name: google\n    issuers: [https://accounts.google.com]\n"
        "    audiences: [app.example]\n    hosted_domains: [example.com]\n    keys: http://" +
            keys_->addresses().front() + "/keys\n");
    write_file(daemon_.path("log"), "");
    daemon_.start(options());
  }

  virtual std::vector<std::string> options() const {
    return {"--entities", daemon_.path("entities.json"), "--issuers", daemon_.path("issuers.yaml"),
            "--source",   "file:" + daemon_.path("log")};
  }

  static std::string token(const json::Object& changed = {},
                           const crypto::PrivateKey& key = crypto::rsa_key()) {
    json::Object claims{{"iat", seconds_now()},
                        {"exp", seconds_now() + 3600},
                        {"auth_time", seconds_now() - 60},
                        {"amr", json::Array{"pwd", "mfa"}}};
    for (const auto& [name, value] : changed) claims[name] = value;
    return identity::token_of(key, identity::header_of(key, key.is_rsa() ? "r" : "e"),
                              identity::payload_with(claims));
  }

  static std::string question(const std::string& system, const json::Object& context = {},
                              const std::string& person = "ada@example.com") {
    return json::to_text(
        json::Object{{"subject", json::Object{{"type", "User"}, {"id", person}}},
                     {"action", json::Object{{"name", "read"}}},
                     {"resource", json::Object{{"type", "System"}, {"id", system}}},
                     {"context", context}});
  }

  json::Value evaluate(const std::string& body, const std::string& path = "evaluation") {
    const auto answer = daemon_.ask("/access/v1/" + path, "POST", body);
    EXPECT_EQ(answer.status, 200U) << answer.body;
    const auto json = json::parse(answer.body);
    return json ? *json : json::Value();
  }

  RunningDaemon daemon_;
  std::unique_ptr<net::HttpServer> keys_;
};

}  // namespace mailwarden
