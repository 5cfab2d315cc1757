// Tickets at a server that takes no request that is not signed as the standard has it.
#include <algorithm>
#include <mutex>

#include "crypto/sha256.h"
#include "net/http_server.h"
#include "respond/signed_request.h"
#include "tests/respond/effects.h"

namespace mailwarden::respond {
namespace {

// The example of the Standard Webhooks specification's libraries.
constexpr const char* key_text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

// What the signature must be, by a program that is not ours.
std::string openssl_signature(const std::string& text, const std::string& folder) {
  write_file(folder + "/signed", text);
  return output_of(
      {"/bin/sh", "-c",
       "key=$(printf %s \"$2\" | base64 -d | od -An -vtx1 | tr -d ' \\n');"
       "printf v1,; openssl dgst -sha256 -mac HMAC -macopt hexkey:\"$key\" -binary \"$1/signed\""
       " | base64 | tr -d '\\n'",
       "sh", folder, std::string(key_text).substr(6)});
}

TEST(SignedRequest, IsTheStandardsOwnExample) {
  const TemporaryFolder folder;
  write_file(folder.path("key"), std::string(key_text) + "\n");
  net::HttpCall call{.body = R"({"test": 2432232314})"};
  const auto done = sign_request(call, {{"k", folder.path("key")}}, "k",
                                 "msg_p5jXN8AQM9LWM0D4loKWxJek", {1'614'265'330'000'000});
  ASSERT_TRUE(done) << done.error().what;
  const std::vector<std::pair<std::string, std::string>> expected{
      {"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
      {"webhook-timestamp", "1614265330"},
      {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}};
  EXPECT_EQ(call.headers, expected);
}

TEST(SignedRequest, WhatCannotBeSignedIsNot) {
  const TemporaryFolder folder;
  write_file(folder.path("good"), key_text);
  write_file(folder.path("short"), "whsec_AAAA");
  write_file(folder.path("bare"), "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  const SigningKeys keys{{"good", folder.path("good")},
                         {"short", folder.path("short")},
                         {"bare", folder.path("bare")},
                         {"away", folder.path("away")}};
  struct Case {
    const char* name;
    const char* id;
    Code code;
  };
  for (const Case& c : {Case{"other", "msg_1", Code::invalid}, Case{"good", "", Code::invalid},
                        Case{"good", "a.b", Code::invalid}, Case{"good", "a\nb", Code::invalid},
                        Case{"short", "msg_1", Code::denied}, Case{"bare", "msg_1", Code::denied},
                        Case{"away", "msg_1", Code::unavailable}}) {
    net::HttpCall call;
    const auto done = sign_request(call, keys, c.name, c.id, {0});
    ASSERT_FALSE(done) << c.name << " " << c.id;
    EXPECT_EQ(done.error().code, c.code) << done.error().what;
    EXPECT_TRUE(call.headers.empty());
  }
}

// A ticket system: a ticket for each reference, numbered from 1.
class Tickets : public testing::Test {
 protected:
  void SetUp() override {
    server_ =
        net::HttpServer::start({.listen = {"127.0.0.1:0"}}, [this](const net::Request& request) {
          return answer(request);
        }).value();
    write_file(folder_.path("key"), key_text);
    write_file(folder_.path("token"), "t0k\n");
    settings_.keep = folder_.path("keep");
    settings_.keys = {{"tickets", folder_.path("key")}};
    settings_.tickets = TicketEffects{.url = "http://" + server_->addresses().front() + "/tickets",
                                      .sign_with = "tickets",
                                      .token_file = folder_.path("token"),
                                      .id_member = "number"};
    settings_.clock = std::make_shared<ManualClock>(Timestamp{1'700'000'000'000'000});
  }

  net::Response answer(const net::Request& request) {
    const std::scoped_lock lock(mutex_);
    const std::string id(request.header("webhook-id"));
    const std::string time(request.header("webhook-timestamp"));
    const bool good = request.header("webhook-signature") ==
                          openssl_signature(id + "." + time + "." + request.body, folder_.path()) &&
                      time == "1700000000" && request.header("authorization") == "Bearer t0k";
    if (!good) return {.status = 401};
    if (request.method == "GET") {
      const std::string reference(request.parameter("reference"));
      const auto found = std::ranges::find(references_, reference);
      if (found == references_.end()) return {.status = 404};
      return ticket(static_cast<std::size_t>(found - references_.begin()) + 1);
    }
    last_ = json::parse(request.body).value();
    references_.push_back(last_.text("reference"));
    if (status_ != 201) return {.status = status_};
    return ticket(references_.size());
  }
  net::Response ticket(std::size_t number) const {
    return {.status = 201, .body = json::to_text(json::Object{{member_, number}})};
  }
  Result<json::Object> open(const std::string& key = "run-1-tell") const {
    ActionCall one = call("open_ticket", {{"title", "It's \"bad\""}, {"text", "line\nline"}});
    one.key = key;
    return perform_action(one, settings_);
  }
  Result<bool> probe(const std::string& key = "run-1-tell") const {
    ActionCall one = call("open_ticket", {{"title", "t"}, {"text", "t"}});
    one.key = key;
    return probe_action(one, settings_);
  }

  TemporaryFolder folder_;
  EffectSettings settings_;
  std::unique_ptr<net::HttpServer> server_;
  std::mutex mutex_;
  std::vector<std::string> references_;  // of the tickets
  json::Value last_;
  unsigned status_ = 201;
  std::string member_ = "number";
};

TEST_F(Tickets, OneIsOpenedOnceForAStep) {
  for (int time = 0; time < 2; ++time) {
    const auto done = open();
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_EQ(json::Value(*done).text("ticket"), "1");
    EXPECT_EQ(references_.size(), 1U);
  }
  EXPECT_EQ(last_.text("title"), "It's \"bad\"");
  EXPECT_EQ(last_.text("text"), "line\nline");
  EXPECT_TRUE(probe().value());
  EXPECT_EQ(json::Value(open("run-2-tell").value()).text("ticket"), "2");
}

TEST_F(Tickets, AnAnswerThatWasLostIsFoundAgain) {
  settings_.tickets->find = settings_.tickets->url;
  EXPECT_FALSE(probe().value());
  ASSERT_TRUE(open());
  std::filesystem::remove_all(folder_.path("keep"));
  EXPECT_TRUE(probe().value());
  const auto done = open();
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(json::Value(*done).text("ticket"), "1");
  EXPECT_EQ(references_.size(), 1U);
}

TEST_F(Tickets, WithoutAWayToFindOneNobodyGuesses) {
  const auto answer = probe();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::denied);
}

TEST_F(Tickets, WhatIsNotTakenIsTriedAgainOrNot) {
  struct Case {
    unsigned status;
    Code code;
  };
  for (const Case& c : {Case{503, Code::unavailable}, Case{429, Code::unavailable},
                        Case{400, Code::denied}, Case{302, Code::denied}}) {
    status_ = c.status;
    const auto done = open("run-" + std::to_string(c.status));
    ASSERT_FALSE(done) << c.status;
    EXPECT_EQ(done.error().code, c.code) << c.status;
  }
  write_file(folder_.path("key"), "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
  const auto done = open("run-9");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().what, settings_.tickets->url + ": answered 401");
}

TEST_F(Tickets, AnAnswerWithoutAnIdIsSaid) {
  member_ = "other";
  const auto done = open();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_NE(done.error().what.find("has no 'number'"), std::string::npos) << done.error().what;
}

}  // namespace
}  // namespace mailwarden::respond
