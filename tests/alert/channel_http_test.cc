// The requests that alerts become.
#include "alert/channel_http.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "json/base64.h"
#include "tests/alert/alerts.h"
#include "tests/temporary.h"

namespace mailwarden::alert {
namespace {

using incident::Severity;
using incident::State;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using Kind = Receiver::Kind;

constexpr Timestamp sent_at{1'764'000'400'000'000};

const Secrets secrets{.credential = "k-123", .url = "https://service.example.com", .signing = {}};

net::HttpCall one(Calls (*make)(const Sending&), const Alert& alert,
                  const Receiver& receiver = {}) {
  const Calls calls =
      make({.receiver = receiver, .secrets = secrets, .alert = alert, .now = sent_at});
  EXPECT_EQ(calls.size(), 1U);
  return calls.at(0);
}

json::Value body_of(const net::HttpCall& call) {
  const auto value = json::parse(call.body);
  EXPECT_TRUE(value) << call.body;
  return value ? *value : json::Value();
}

std::string header_of(const net::HttpCall& call, const std::string& name) {
  for (const auto& [one, value] : call.headers) {
    if (one == name) return value;
  }
  return "";
}

incident::Incident acknowledged_incident() {
  incident::Incident incident = sample_incident();
  incident.acknowledged = opened_at;
  return incident;
}

incident::Incident closed_incident() {
  incident::Incident incident = acknowledged_incident();
  incident.state = State::closed;
  return incident;
}

std::size_t characters_of(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(
      utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

TEST(PagerDuty, TriggersWithWhatIsKnown) {
  const auto call = one(to_pagerduty, alert_of("opened", sample_incident()),
                        {.console = "https://warden.example.com"});
  EXPECT_EQ(call.method, "POST");
  EXPECT_EQ(call.url, secrets.url);
  EXPECT_EQ(header_of(call, "Content-Type"), "application/json");
  const json::Value event = body_of(call);
  EXPECT_EQ(event.text("routing_key"), "k-123");
  EXPECT_EQ(event.text("event_action"), "trigger");
  EXPECT_EQ(event.text("dedup_key"), "example.com-log.incident-7");
  EXPECT_EQ(event.text("client_url"), "https://warden.example.com/#incident-7");
  EXPECT_EQ(event["payload"].text("summary"),
            "[severity 2 High] incident 7: Password guessing over SSH, 203.0.113.5");
  EXPECT_EQ(event["payload"].text("source"), "203.0.113.5");
  EXPECT_EQ(event["payload"].text("severity"), "error");
  EXPECT_EQ(event["payload"].text("timestamp"), "2025-11-24T16:05:00.000000Z");
  EXPECT_EQ(event["payload"]["custom_details"].text("because"),
            "accounts_affected=3, data_compromised=true");
  EXPECT_EQ(event["payload"]["custom_details"].text("why"), "a reason");
}

TEST(PagerDuty, FollowsTheIncident) {
  struct Case {
    const char* change;
    incident::Incident incident;
    const char* action;
  };
  incident::Incident raised = sample_incident();
  raised.severity = Severity::extreme;
  incident::Incident merged = closed_incident();
  merged.state = State::merged;
  for (const Case& c : {Case{"severity_raised", raised, "trigger"},
                        Case{"deadline_missed", sample_incident(), "trigger"},
                        Case{"acknowledged", acknowledged_incident(), "acknowledge"},
                        Case{"state_changed", closed_incident(), "resolve"},
                        Case{"state_changed", merged, "resolve"}}) {
    const json::Value event = body_of(one(to_pagerduty, alert_of(c.change, c.incident)));
    EXPECT_EQ(event.text("event_action"), c.action) << c.change;
    EXPECT_EQ(event.text("dedup_key"), "example.com-log.incident-7");
    EXPECT_EQ(event["links"], json::Value()) << "nobody told where the console is";
  }
}

TEST(PagerDuty, SeveritiesAndLongTitles) {
  const std::array words{"info", "warning", "error", "critical"};
  for (std::size_t i = 0; i < words.size(); ++i) {
    incident::Incident incident = sample_incident();
    incident.severity = static_cast<Severity>(i);
    incident.title = std::string(1200, 'x') + "ü";
    const json::Value event = body_of(one(to_pagerduty, alert_of("opened", incident)));
    EXPECT_EQ(event["payload"].text("severity"), words[i]);
    EXPECT_EQ(characters_of(event["payload"].text("summary")), 1024U);
  }
}

TEST(Opsgenie, CreatesWithAnAlias) {
  incident::Incident incident = sample_incident();
  incident.title = std::string(200, 'x');
  const auto call =
      one(to_opsgenie, alert_of("opened", incident), {.console = "https://warden.example.com"});
  EXPECT_EQ(call.url, "https://service.example.com/v2/alerts");
  EXPECT_EQ(header_of(call, "Authorization"), "GenieKey k-123");
  const json::Value body = body_of(call);
  EXPECT_EQ(body.text("alias"), "example.com-log.incident-7");
  EXPECT_EQ(characters_of(body.text("message")), 130U);
  EXPECT_EQ(body.text("priority"), "P2");
  EXPECT_EQ(body.text("entity"), "203.0.113.5");
  EXPECT_EQ(body.text("source"), "Mailwarden example.com/log");
  EXPECT_THAT(body.text("description"), HasSubstr("because: accounts_affected=3"));
  EXPECT_EQ(body["details"].text("link"), "https://warden.example.com/#incident-7");
  EXPECT_EQ(body["details"].text("state"), "analysing");
}

TEST(Opsgenie, AcknowledgesAndClosesByTheAlias) {
  struct Case {
    const char* change;
    incident::Incident incident;
    const char* path;
  };
  for (const Case& c : {Case{"acknowledged", acknowledged_incident(), "/acknowledge"},
                        Case{"state_changed", closed_incident(), "/close"}}) {
    const auto call = one(to_opsgenie, alert_of(c.change, c.incident));
    EXPECT_EQ(call.url, "https://service.example.com/v2/alerts/example.com-log.incident-7" +
                            std::string(c.path));
    EXPECT_THAT(call.query,
                ElementsAre(std::pair<std::string, std::string>("identifierType", "alias")));
    EXPECT_EQ(body_of(call).text("user"), "ada");
    EXPECT_EQ(body_of(call).text("note"), "a reason");
  }
}

TEST(Opsgenie, ARaiseRaisesThePriorityOfWhatIsThere) {
  incident::Incident raised = sample_incident();
  raised.severity = Severity::extreme;
  raised.graded = opened_at + std::chrono::minutes(4);
  const Alert alert = alert_of("severity_raised", raised);
  const Calls calls =
      to_opsgenie({.receiver = {}, .secrets = secrets, .alert = alert, .now = sent_at});
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].url, "https://service.example.com/v2/alerts");
  EXPECT_EQ(calls[1].method, "PUT");
  EXPECT_EQ(calls[1].url,
            "https://service.example.com/v2/alerts/example.com-log.incident-7/priority");
  EXPECT_EQ(calls[1].body, R"({"priority":"P1"})");
}

TEST(Slack, NothingOfALogLineIsMarkup) {
  incident::Incident incident = sample_incident();
  incident.entity.name = "<!channel> & <https://evil.example|you>";
  const auto call = one(to_slack, alert_of("opened", incident));
  EXPECT_EQ(call.url, secrets.url);
  EXPECT_THAT(call.body, Not(HasSubstr("<")));
  const json::Value body = body_of(call);
  EXPECT_THAT(body.text("text"),
              HasSubstr("&lt;!channel&gt; &amp; &lt;https://evil.example|you&gt;"));
  EXPECT_EQ(body["mrkdwn"], json::Value(false));
  const json::Value& attachment = body["attachments"].as_array()->at(0);
  EXPECT_EQ(attachment["mrkdwn_in"], json::Value(json::Array()));
}

TEST(Slack, HasTitleLinkColourAndBoundedText) {
  struct Case {
    Severity severity;
    State state;
    const char* colour;
  };
  for (const Case& c : {Case{Severity::low, State::detected, "#439fe0"},
                        Case{Severity::medium, State::detected, "warning"},
                        Case{Severity::extreme, State::detected, "danger"},
                        Case{Severity::extreme, State::closed, "good"}}) {
    incident::Incident incident = sample_incident();
    incident.severity = c.severity;
    incident.state = c.state;
    incident.title = std::string(10'000, '&');
    const json::Value body = body_of(one(to_slack, alert_of("state_changed", incident),
                                         {.console = "https://warden.example.com"}));
    const json::Value& attachment = body["attachments"].as_array()->at(0);
    EXPECT_EQ(attachment.text("color"), c.colour);
    EXPECT_EQ(attachment.text("title_link"), "https://warden.example.com/#incident-7");
    EXPECT_THAT(attachment.text("title"), testing::StartsWith("Incident 7: &amp;&amp;"));
    // Each character may become five.
    EXPECT_LE(attachment.text("title").size(), 5U * 1024U);
    EXPECT_LE(attachment.text("text").size(), 5U * 3000U);
    EXPECT_LE(attachment.text("fallback").size(), 5U * 1024U);
  }
}

TEST(Alertmanager, FiresUntilItIsResolved) {
  const auto call = one(to_alertmanager, alert_of("opened", sample_incident()),
                        {.console = "https://warden.example.com"});
  EXPECT_EQ(call.url, "https://service.example.com/api/v2/alerts");
  const json::Value alerts = body_of(call);
  ASSERT_EQ(alerts.as_array()->size(), 1U);
  const json::Value& alert = alerts.as_array()->at(0);
  EXPECT_EQ(alert["labels"], json::Value(json::Object{{"alertname", "MailwardenIncident"},
                                                      {"entity", "203.0.113.5"},
                                                      {"entity_kind", "address"},
                                                      {"incident", "7"},
                                                      {"origin", "example.com/log"},
                                                      {"severity", "error"}}));
  EXPECT_EQ(alert.text("startsAt"), "2025-11-24T16:00:00.000000Z");
  EXPECT_EQ(alert.text("endsAt"), "2026-11-24T16:05:00.000000Z");
  EXPECT_EQ(alert.text("generatorURL"), "https://warden.example.com/#incident-7");
  const json::Value over =
      body_of(one(to_alertmanager, alert_of("state_changed", closed_incident()))).as_array()->at(0);
  EXPECT_EQ(over["labels"], alert["labels"]);
  EXPECT_EQ(over.text("endsAt"), "2025-11-24T16:05:00.000000Z");
  EXPECT_EQ(over["generatorURL"], json::Value());
}

TEST(Alertmanager, AChangedSeverityEndsWhatFiredAtTheOthers) {
  incident::Incident raised = sample_incident();
  raised.severity = Severity::extreme;
  raised.graded = opened_at + std::chrono::minutes(4);
  const json::Value alerts = body_of(one(to_alertmanager, alert_of("severity_raised", raised)));
  std::map<std::string, std::string> ends;
  for (const json::Value& alert : *alerts.as_array()) {
    ends[alert["labels"].text("severity")] = alert.text("endsAt");
  }
  const std::string over = "2025-11-24T16:05:00.000000Z";
  EXPECT_EQ(ends,
            (std::map<std::string, std::string>{{"info", over},
                                                {"warning", over},
                                                {"error", over},
                                                {"critical", "2026-11-24T16:05:00.000000Z"}}));
}

TEST(Alertmanager, AnEndIsNeverBeforeTheBeginning) {
  incident::Incident incident = closed_incident();
  incident.opened = incident.graded = opened_at + std::chrono::hours(1);  // the clock was set back
  const json::Value alert =
      body_of(one(to_alertmanager, alert_of("state_changed", incident))).as_array()->at(0);
  EXPECT_EQ(alert.text("endsAt"), alert.text("startsAt"));
}

// The example that the libraries of the specification's authors are tested with.
TEST(Webhook, ASignatureIsThatOfStandardWebhooks) {
  EXPECT_EQ(signature(json::from_base64("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").value(),
                      {.id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
                       .moment = 1614265330,
                       .body = R"({"test": 2432232314})"}),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Webhook, IsSignedWithEachSecretAndWithNoneWhereThereIsNone) {
  const Alert alert = alert_of("opened", sample_incident());
  const Secrets two{.url = "https://h/in", .signing = {std::string(24, 'a'), std::string(24, 'b')}};
  const Calls signed_twice =
      to_webhook({.receiver = {}, .secrets = two, .alert = alert, .now = sent_at});
  const std::string signatures = header_of(signed_twice[0], "webhook-signature");
  const Signed content{.id = alert.key, .moment = 1'764'000'400, .body = signed_twice[0].body};
  EXPECT_EQ(signatures,
            signature(two.signing[0], content) + " " + signature(two.signing[1], content));
  EXPECT_EQ(header_of(signed_twice[0], "webhook-id"), alert.key);
  EXPECT_EQ(header_of(signed_twice[0], "webhook-timestamp"), "1764000400");
  const auto plain = one(to_webhook, alert);
  EXPECT_EQ(header_of(plain, "webhook-signature"), "");
  EXPECT_EQ(header_of(plain, "Authorization"), "Bearer k-123");
}

class SecretFiles : public testing::Test {
 protected:
  std::string file(const std::string& text) {
    const std::string path = folder_.path("secret");
    write_file(path, text);
    return path;
  }
  TemporaryFolder folder_;
};

TEST_F(SecretFiles, AreReadAsTheyAre) {
  EXPECT_EQ(read_secrets({.key_file = file(" k-1 \n")})->credential, "k-1");
  EXPECT_EQ(read_secrets({.token_file = file("t-1\n")})->credential, "t-1");
  EXPECT_EQ(read_secrets({.url_file = file("https://h/x\n")})->url, "https://h/x");
  EXPECT_EQ(read_secrets({.url = "https://h/y"})->url, "https://h/y");
  const std::string secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  EXPECT_EQ(read_secrets({.secret_file = file(secret + "\n\n" + secret + "\n")})->signing.size(),
            2U);
}

TEST_F(SecretFiles, ThatAreWrongAreTriedAgainAndNotTold) {
  struct Case {
    const char* name;
    Receiver receiver;
    const char* expected;
  };
  const std::string line = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n";
  std::string nine;
  for (int i = 0; i < 9; ++i) nine += line;
  const auto path = [&](const char* name, const std::string& text) {
    write_file(folder_.path(name), text);
    return folder_.path(name);
  };
  for (const Case& c : {
           Case{"missing", {.key_file = "/nonexistent/key"}, "/nonexistent/key"},
           Case{"empty", {.key_file = path("1", "\n")}, "must hold one key or token"},
           Case{"two lines", {.token_file = path("2", "hidden\nhidden")}, "must hold one key"},
           Case{"two words", {.token_file = path("3", "hidden hidden")}, "must hold one key"},
           Case{"no address", {.url_file = path("4", "hidden")}, "begins with https://"},
           Case{"no prefix", {.secret_file = path("5", "hiddenhiddenhiddenhidden")}, "whsec_"},
           Case{"short", {.secret_file = path("6", "whsec_aGlkZGVu")}, "24 to 64 bytes"},
           Case{"none", {.secret_file = path("7", "\n\n")}, "one secret a line"},
           Case{"many", {.secret_file = path("8", nine)}, "from 1 to 8"},
       }) {
    const auto secrets = read_secrets(c.receiver);
    ASSERT_FALSE(secrets) << c.name;
    EXPECT_EQ(secrets.error().code, Code::unavailable) << c.name;
    EXPECT_THAT(secrets.error().what, HasSubstr(c.expected)) << c.name;
    EXPECT_THAT(secrets.error().what, Not(HasSubstr("hidden"))) << c.name;
  }
}

}  // namespace
}  // namespace mailwarden::alert
