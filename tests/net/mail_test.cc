#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "net/http_client.h"
#include "tests/net/http_fixture.h"
#include "tests/net/smtp_server.h"

namespace mailwarden::net {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

const std::string message = "Subject: a test\r\n\r\nA line.\r\n.\r\n.hidden\r\nThe end.\r\n";

Mail mail(const std::string& server) {
  return {.server = server,
          .start_tls = StartTls::never,
          .from = "warden@example.com",
          .to = {"a@example.com", "b@example.com"},
          .message = message};
}

TEST(Mail, IsHandedOverWhole) {
  SmtpServer server;
  {
    Client client(quick);
    const auto sent = client.send_mail(mail(server.url()));
    ASSERT_TRUE(sent) << sent.error().what;
  }
  std::vector<std::string> envelope;
  for (const std::string& line : server.lines()) {
    if (line.starts_with("MAIL") || line.starts_with("RCPT")) envelope.push_back(line);
  }
  ASSERT_EQ(envelope.size(), 3U);
  EXPECT_THAT(envelope[0], StartsWith("MAIL FROM:<warden@example.com>"));
  EXPECT_EQ(envelope[1], "RCPT TO:<a@example.com>");
  EXPECT_EQ(envelope[2], "RCPT TO:<b@example.com>");
  // RFC 5321, 4.5.2: a line that begins with a dot gets one more, so that none ends the message.
  EXPECT_EQ(server.message(),
            "Subject: a test\r\n\r\nA line.\r\n..\r\n..hidden\r\nThe end.\r\n.\r\n");
}

TEST(Mail, OneAfterTheOtherThroughTheSameClient) {
  SmtpServer server;
  {
    Client client(quick);
    EXPECT_TRUE(client.send_mail(mail(server.url())));
    Mail second = mail(server.url());
    second.to = {"c@example.com"};
    EXPECT_TRUE(client.send_mail(second));
  }
  EXPECT_THAT(server.lines(), Contains("RCPT TO:<a@example.com>").Times(1));
  EXPECT_THAT(server.lines(), Contains("RCPT TO:<c@example.com>").Times(1));
}

TEST(Mail, WithoutTheStartTlsThatIsRequiredNothingIsSent) {
  SmtpServer server(Replies{{"EHLO", "250-mail.example\r\n250-AUTH PLAIN LOGIN\r\n250 HELP\r\n"}});
  {
    Client client(quick);
    Mail one = mail(server.url());
    one.start_tls = StartTls::required;
    one.user = "warden";
    one.password = "secret";
    EXPECT_FALSE(client.send_mail(one));
  }
  for (const std::string& line : server.lines()) {
    EXPECT_THAT(line, Not(StartsWith("AUTH")));
    EXPECT_THAT(line, Not(StartsWith("MAIL")));
    EXPECT_THAT(line, Not(StartsWith("RCPT")));
    EXPECT_THAT(line, Not(StartsWith("DATA")));
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(server.message(), "");
}

// A man in the middle answers STARTTLS with an error, or takes the offer out of the list.
TEST(Mail, AStartTlsThatIsRefusedIsAnError) {
  SmtpServer server(Replies{{"EHLO", "250-mail.example\r\n250-STARTTLS\r\n250 HELP\r\n"},
                            {"STARTTLS", "454 4.7.0 not available\r\n"}});
  {
    Client client(quick);
    Mail one = mail(server.url());
    one.start_tls = StartTls::required;
    EXPECT_FALSE(client.send_mail(one));
  }
  EXPECT_THAT(server.lines(), Contains("STARTTLS"));
  EXPECT_THAT(server.lines(), Not(Contains(StartsWith("MAIL"))));
  EXPECT_EQ(server.message(), "");
}

TEST(Mail, ByDefaultStartTlsIsRequired) {
  EXPECT_EQ(Mail().start_tls, StartTls::required);
}

struct Refusal {
  std::string name;
  std::string verb;
  std::string reply;
  Code code;
};

class RefusedMail : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedMail, TellsWhetherTryingAgainMayHelp) {
  SmtpServer server(Replies{{GetParam().verb, GetParam().reply}});
  Mail one = mail(server.url());
  one.to = {"a@example.com"};
  const auto sent = Client(quick).send_mail(one);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, GetParam().code) << sent.error().what;
  EXPECT_THAT(sent.error().what, HasSubstr(server.url()));
}

INSTANTIATE_TEST_SUITE_P(
    , RefusedMail,
    testing::Values(Refusal{"Greeting4", "", "421 busy\r\n", Code::unavailable},
                    Refusal{"Greeting5", "", "554 not you\r\n", Code::denied},
                    Refusal{"From4", "MAIL", "451 later\r\n", Code::unavailable},
                    Refusal{"From5", "MAIL", "550 not you\r\n", Code::denied},
                    Refusal{"To4", "RCPT", "450 greylisted\r\n", Code::unavailable},
                    Refusal{"To5", "RCPT", "550 no such user\r\n", Code::denied},
                    Refusal{"Data4", "DATA", "452 full\r\n", Code::unavailable},
                    Refusal{"Data5", "DATA", "554 no\r\n", Code::denied},
                    Refusal{"Message4", ".", "451 later\r\n", Code::unavailable},
                    Refusal{"Message5", ".", "554 spam\r\n", Code::denied},
                    Refusal{"ClosedAtOnce", "", "", Code::unavailable},
                    Refusal{"ClosedAtMail", "MAIL", "", Code::unavailable},
                    Refusal{"ClosedAtTheEnd", ".", "", Code::unavailable},
                    Refusal{"NotSmtp", "", "HTTP/1.1 200 OK\r\n", Code::unavailable}),
    [](const auto& tested) { return tested.param.name; });

TEST(Mail, OneRecipientRefusedIsARefusal) {
  // The second answer of the same verb: the first recipient is taken.
  int recipients = 0;
  bool data = false;
  Listener listener([&](Socket& socket) {
    socket.send("220 mail.example\r\n");
    while (true) {
      const std::string line = socket.receive_until("\r\n");
      if (line.empty() || line.starts_with("QUIT")) return;
      data = data || line.starts_with("DATA");
      const bool refused = line.starts_with("RCPT") && ++recipients == 2;
      socket.send(refused ? "550 no such user\r\n" : "250 fine\r\n");
    }
  });
  const auto sent = Client(quick).send_mail(mail("smtp://" + listener.address()));
  listener.stop();
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::denied);
  EXPECT_FALSE(data);
}

TEST(Mail, NobodyAtTheServersAddressIsUnavailable) {
  const Socket bound = Socket::bound(0);
  const auto sent =
      Client(quick).send_mail(mail("smtp://127.0.0.1:" + std::to_string(bound.port())));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::unavailable);
}

TEST(Mail, AServerThatSaysNothingIsUnavailableAfterTheTimeOut) {
  const Socket silent = Socket::bound(1);
  Client client({.total_timeout = milliseconds(200)});
  const auto sent = client.send_mail(mail("smtp://127.0.0.1:" + std::to_string(silent.port())));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::unavailable);
}

struct Injection {
  std::string name;
  void (*spoil)(Mail& mail);
};

class WrongMail : public testing::TestWithParam<Injection> {};

TEST_P(WrongMail, IsInvalidAndNobodyIsCalled) {
  SmtpServer server;
  Mail one = mail(server.url());
  GetParam().spoil(one);
  const auto sent = Client(quick).send_mail(one);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::invalid) << sent.error().what;
  EXPECT_EQ(server.connections(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    , WrongMail,
    testing::Values(
        Injection{"LinesInFrom", [](Mail& m) { m.from += "\r\nRCPT TO:<evil@example.com>"; }},
        Injection{"LineFeedInFrom", [](Mail& m) { m.from += "\nDATA"; }},
        Injection{"LinesInTo", [](Mail& m) { m.to[1] += ">\r\nRCPT TO:<evil@example.com"; }},
        Injection{"CarriageReturnInTo", [](Mail& m) { m.to[0] += "\r"; }},
        Injection{"NulInTo", [](Mail& m) { m.to[0] += std::string("\0x", 2); }},
        Injection{"ParametersInTo", [](Mail& m) { m.to[0] += "> NOTIFY=NEVER"; }},
        Injection{"LinesInServer", [](Mail& m) { m.server += "/\r\nMAIL"; }},
        Injection{"EmptyTo", [](Mail& m) { m.to = {""}; }},
        Injection{"NobodyTo", [](Mail& m) { m.to.clear(); }}),
    [](const auto& tested) { return tested.param.name; });

TEST(Mail, AServerOfAnotherProtocolIsInvalid) {
  SmtpServer server;
  const auto sent = Client(quick).send_mail(mail("http://" + server.url().substr(7)));
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::invalid);
}

TEST(Mail, AnAddressCannotAddParametersToTheCommand) {
  SmtpServer server;
  Mail one = mail(server.url());
  one.from += "> AUTH=<";
  const auto sent = Client(quick).send_mail(one);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, Code::invalid);
  EXPECT_TRUE(server.lines().empty());
}

}  // namespace
}  // namespace mailwarden::net
