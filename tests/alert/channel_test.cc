// Deliveries to real receivers on loopback.
#include "alert/channel.h"

#include <atomic>
#include <mutex>

#include <gtest/gtest.h>

#include "crypto/ed25519.h"
#include "json/base64.h"
#include "ledger/mailed_note.h"
#include "net/http_server.h"
#include "tests/temporary.h"

namespace mailwarden::alert {
namespace {

constexpr Timestamp delivered_at{1'764'000'100'000'000};

Alert sample() {
  return {.key = "example.com.incident-1-1.spool",
          .receiver = "spool",
          .incident = 1,
          .time = {1'764'000'000'000'000},
          .subject = "[severity 1 Medium] incident 1: Prüfung, 203.0.113.5",
          .event = {{"id", "example.com.incident-1-1.spool"}, {"specversion", "1.0"}}};
}

class Server {
 public:
  explicit Server(unsigned status) : Server(net::Response{.status = status, .body = "x"}) {}
  explicit Server(const net::Response& response) {
    server_ = net::HttpServer::start({.listen = {"127.0.0.1:0"}}, [this, response](
                                                                      const net::Request& request) {
                const std::lock_guard lock(mutex_);
                requests_.push_back(request);
                return response;
              }).value();
  }
  Receiver receiver() const {
    return {.name = "hook",
            .kind = Receiver::Kind::webhook,
            .url = "http://" + server_->addresses().front() + "/in"};
  }
  std::vector<net::Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<net::Request> requests_;
  std::unique_ptr<net::HttpServer> server_;
};

TEST(Webhook, PostsTheCloudEvent) {
  const Server server(202);
  ASSERT_TRUE(deliver(server.receiver(), sample(), delivered_at));
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].method, "POST");
  EXPECT_EQ(requests[0].path, "/in");
  EXPECT_EQ(requests[0].body, R"({"id":"example.com.incident-1-1.spool","specversion":"1.0"})");
}

TEST(Webhook, TheAnswerSaysWhetherAnotherTryMayHelp) {
  struct Case {
    unsigned status;
    std::optional<Code> expected;
  };
  for (const Case& c :
       {Case{200, {}}, Case{204, {}}, Case{400, Code::denied}, Case{401, Code::denied},
        Case{410, Code::denied}, Case{409, Code::unavailable}, Case{429, Code::unavailable},
        Case{500, Code::unavailable}, Case{503, Code::unavailable}, Case{302, Code::denied}}) {
    const Server server(c.status);
    const auto done = deliver(server.receiver(), sample(), delivered_at);
    EXPECT_EQ(done.has_value(), !c.expected.has_value()) << c.status;
    if (!done && c.expected) {
      EXPECT_EQ(done.error().code, *c.expected) << c.status;
    }
  }
}

TEST(Webhook, NobodyThereIsUnavailable) {
  const auto done =
      deliver({.name = "hook", .kind = Receiver::Kind::webhook, .url = "http://127.0.0.1:1/in"},
              sample(), delivered_at);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unavailable);
}

TEST(Webhook, ATokenThatCannotBeReadIsTriedAgain) {
  const Server server(200);
  Receiver receiver = server.receiver();
  receiver.token_file = "/nonexistent/token";
  const auto done = deliver(receiver, sample(), delivered_at);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::unavailable);
  EXPECT_TRUE(server.requests().empty()) << "nothing goes out without the token";
}

TEST(Http, AnAnswerSaysWhenToTryAgain) {
  struct Case {
    unsigned status;
    const char* retry_after;
    Duration expected;
  };
  for (const Case& c : {Case{429, "30", std::chrono::seconds(30)},
                        Case{503, "Mon, 24 Nov 2025 16:02:00 GMT", std::chrono::seconds(20)},
                        Case{429, "soon", Duration(0)}, Case{400, "30", Duration(0)}}) {
    const Server server(
        net::Response{.status = c.status, .headers = {{"Retry-After", c.retry_after}}});
    const auto done = deliver(server.receiver(), sample(), delivered_at);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().pause, c.expected) << c.status << " " << c.retry_after;
  }
}

TEST(Http, TheSentenceHasReceiverAndAnswerButNoSecret) {
  const TemporaryFolder folder;
  const Server server(net::Response{
      .status = 400, .body = "bad \x1b[31mrouting_key k-123" + std::string(10'000, 'x')});
  write_file(folder.path("key"), "k-123\n");
  Receiver receiver = server.receiver();
  receiver.kind = Receiver::Kind::pagerduty;
  receiver.key_file = folder.path("key");
  const auto done = deliver(receiver, sample(), delivered_at);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_TRUE(done.error().what.starts_with("hook: pagerduty " + receiver.url +
                                            ": answered 400, saying: bad \\x1b[31mrouting_key …xx"))
      << done.error().what;
  EXPECT_LT(done.error().what.size(), 400U);
}

TEST(Http, AnAddressThatIsASecretIsNeverTold) {
  const TemporaryFolder folder;
  const Server server(404);
  struct Case {
    const char* name;
    std::string url;
  };
  for (const Case& c : {Case{"nobody there", "http://127.0.0.1:1/services/hidden"},
                        Case{"no port", "http://127.0.0.1:port/services/hidden"},
                        Case{"refused", server.receiver().url + "/hidden"}}) {
    write_file(folder.path("url"), c.url);
    const auto done =
        deliver({.name = "chat", .kind = Receiver::Kind::slack, .url_file = folder.path("url")},
                sample(), delivered_at);
    ASSERT_FALSE(done) << c.name;
    EXPECT_EQ(done.error().what.find("hidden"), std::string::npos) << done.error().what;
    EXPECT_TRUE(done.error().what.starts_with("chat: slack " + folder.path("url")))
        << done.error().what;
  }
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(Folder, AnAlertIsOneFileHoweverOftenItIsTried) {
  const TemporaryFolder folder;
  const Receiver receiver{
      .name = "spool", .kind = Receiver::Kind::folder, .folder = folder.path("a/b")};
  ASSERT_TRUE(deliver(receiver, sample(), delivered_at));
  ASSERT_TRUE(deliver(receiver, sample(), delivered_at));
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path("a/b"))) {
    names.push_back(entry.path().filename().string());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"example.com.incident-1-1.spool.json"}));
}

TEST(Folder, OneThatCannotBeMadeIsTriedAgain) {
  const TemporaryFolder folder;
  write_file(folder.path("file"), "x");
  const auto done = deliver(
      {.name = "spool", .kind = Receiver::Kind::folder, .folder = folder.path("file/below")},
      sample(), delivered_at);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::io);
}

std::string header_of(const std::string& mail, const std::string& name) {
  const std::size_t begin = mail.find("\r\n" + name + ": ");
  if (begin == std::string::npos) return "";
  const std::size_t from = begin + name.size() + 4;
  return mail.substr(from, mail.find("\r\n", from) - from);
}

TEST(Mail, HasWhatRfc5322AsksForAndAKeyInItsMessageId) {
  const Receiver receiver{.name = "mail",
                          .kind = Receiver::Kind::smtp,
                          .server = "smtp://127.0.0.1:25",
                          .from = "warden@example.com",
                          .to = {"a@example.com", "b@example.com"}};
  const std::string mail = to_mail(receiver, sample());
  EXPECT_TRUE(mail.starts_with("Date: Mon, 24 Nov 2025 16:00:00 +0000\r\n")) << mail;
  EXPECT_EQ(header_of(mail, "From"), "Mailwarden <warden@example.com>");
  EXPECT_EQ(header_of(mail, "Message-ID"), "<example.com.incident-1-1.spool@example.com>");
  EXPECT_EQ(header_of(mail, "Auto-Submitted"), "auto-generated");
  EXPECT_TRUE(header_of(mail, "Subject").starts_with("=?utf-8?B?"));
  std::size_t begin = 0;
  for (std::size_t end = mail.find("\r\n"); end != std::string::npos;
       end = mail.find("\r\n", begin)) {
    EXPECT_LE(end - begin, 78U) << mail.substr(begin, end - begin);
    begin = end + 2;
  }
  std::string body = mail.substr(mail.find("\r\n\r\n") + 4);
  std::erase_if(body, [](char c) { return c == '\r' || c == '\n'; });
  const auto text = json::from_base64(body);
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->starts_with("[severity 1 Medium] incident 1: Prüfung, 203.0.113.5\r\n"));
}

TEST(Mail, SaysWhoIsOnCallAndWhy) {
  Alert alert = sample();
  alert.event["data"] =
      json::Object{{"on_call", json::Array{json::Object{{"schedule", "primary"},
                                                        {"person", "ada"},
                                                        {"cause", "override"},
                                                        {"reason", "swapped"},
                                                        {"until", "2025-11-25T08:00:00.000000Z"}},
                                           json::Object{{"schedule", "secondary"},
                                                        {"person", "ada"},
                                                        {"cause", "holiday"},
                                                        {"holiday", "Christmas"},
                                                        {"layer", "feasts"},
                                                        {"until", json::Value()}}}}};
  const std::string mail = to_mail({.from = "warden@example.com", .to = {"a@example.com"}}, alert);
  std::string body = mail.substr(mail.find("\r\n\r\n") + 4);
  std::erase_if(body, [](char c) { return c == '\r' || c == '\n'; });
  const auto text = json::from_base64(body);
  ASSERT_TRUE(text);
  EXPECT_NE(text->find("\r\n\r\nOn call: ada by schedule primary, override swapped, until "
                       "2025-11-25T08:00:00.000000Z\r\n"
                       "On call: ada by schedule secondary, holiday Christmas feasts\r\n\r\n"),
            std::string::npos)
      << *text;
}

TEST(Mail, OfACheckpointVerifiesAsItIsSaved) {
  const ledger::Checkpoint checkpoint{.origin = "example.com/log", .size = 120};
  const auto signer = crypto::Signer::from_seed({std::byte{1}});
  const std::string note = ledger::sign_note(to_text(checkpoint), checkpoint.origin, signer);
  const Alert alert =
      checkpoint_alert("auditor", checkpoint, note, Timestamp{1'764'000'000'000'000});
  EXPECT_EQ(alert.subject, "checkpoint of example.com/log at size 120");
  const std::string mail = to_mail({.from = "warden@example.com", .to = {"a@example.com"}}, alert);
  EXPECT_EQ(header_of(mail, "Message-ID"), "<example.com-log.checkpoint-120.auditor@example.com>");
  EXPECT_EQ(ledger::checkpoint_note(mail), note);
}

TEST(Mail, ASubjectFromALogLineStaysOneHeader) {
  Alert alert = sample();
  alert.subject = "x\r\nBcc: everyone@example.com\r\n\r\nbody";
  const std::string mail = to_mail({.from = "warden@example.com", .to = {"a@example.com"}}, alert);
  EXPECT_EQ(mail.find("Bcc:"), std::string::npos) << mail;
}

}  // namespace
}  // namespace mailwarden::alert
