// Debian's Alertmanager beside us: it takes our alerts, and what it sends to PagerDuty, Opsgenie
// and Slack has the shape of what we send.
#include <map>
#include <mutex>
#include <set>

#include <gmock/gmock.h>

#include "alert/channel.h"
#include "base/clock.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "tests/alert/alerts.h"
#include "tests/free_port.h"
#include "tests/process.h"

namespace mailwarden::alert {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = Receiver::Kind;

// PagerDuty, Opsgenie and Slack, twice each: below /theirs and below /ours.
class Services {
 public:
  Services() {
    server_ =
        net::HttpServer::start({.listen = {"127.0.0.1:0"}}, [this](const net::Request& request) {
          const std::lock_guard lock(mutex_);
          requests_.push_back(request);
          return net::Response{.status = 202, .body = "{}"};
        }).value();
  }
  std::string url() const { return "http://" + server_->addresses().front(); }

  // The first POST whose path begins and body goes on like that, if it came.
  std::optional<net::Request> find(const std::string& path, const std::string& part = "") const {
    const std::lock_guard lock(mutex_);
    for (const net::Request& request : requests_) {
      if (request.path.starts_with(path) && request.body.contains(part)) return request;
    }
    return std::nullopt;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<net::Request> requests_;
  std::unique_ptr<net::HttpServer> server_;
};

const char* type_of(const json::Value& value) {
  if (value.as_object() != nullptr) return "object";
  if (value.as_array() != nullptr) return "array";
  if (value.as_string() != nullptr) return "string";
  if (value.as_bool() != nullptr) return "bool";
  return value.is_null() ? "null" : "number";
}

// Each member's type by its place, such as "/payload/severity". An array's items share a place, and
// what stands in the maps that everybody fills as he likes is only of a type.
void add_types(const json::Value& value, const std::string& place,
               std::map<std::string, std::set<std::string>>& types) {
  types[place].insert(type_of(value));
  const bool is_map = place.ends_with("/custom_details") || place.ends_with("/details");
  if (const auto* object = value.as_object(); object != nullptr) {
    for (const auto& [name, member] : *object) {
      add_types(member, is_map ? place + "/*" : place + "/" + name, types);
    }
  }
  if (const auto* array = value.as_array(); array != nullptr) {
    for (const json::Value& item : *array) add_types(item, place + "/0", types);
  }
}

std::map<std::string, std::set<std::string>> types_of(const std::string& body) {
  std::map<std::string, std::set<std::string>> types;
  const auto value = json::parse(body);
  EXPECT_TRUE(value) << body;
  if (value) add_types(*value, "", types);
  return types;
}

std::string last_of(const std::string& place) {
  return place.substr(place.rfind('/') + 1);
}

// What differs between the two where both know something, a sentence a place.
std::vector<std::string> differences(const std::string& ours, const std::string& theirs) {
  const auto our_types = types_of(ours);
  const auto their_types = types_of(theirs);
  std::vector<std::string> found;
  for (const auto& [place, types] : our_types) {
    if (const auto there = their_types.find(place); there != their_types.end()) {
      if (there->second != types) found.push_back(place + " is of another type");
      continue;
    }
    for (const auto& [other, unused] : their_types) {
      if (last_of(other) == last_of(place) && last_of(place) != "0" && !our_types.contains(other)) {
        found.push_back(place + " stands at " + other + " there");
      }
    }
  }
  return found;
}

class AlertmanagerTest : public testing::Test {
 protected:
  void SetUp() override {
    write_file(folder_.path("key"), "0123456789abcdef0123456789abcdef\n");
    write_file(folder_.path("config.yml"), config());
    url_ = "http://127.0.0.1:" + port_;
    alertmanager_.emplace(std::vector<std::string>{"/usr/bin/prometheus-alertmanager",
                                                   "--config.file=" + folder_.path("config.yml"),
                                                   "--storage.path=" + folder_.path("data"),
                                                   "--web.listen-address=127.0.0.1:" + port_,
                                                   "--cluster.listen-address="},
                          folder_.path("output"));
    wait_until([&] { return get("/-/ready").status == 200; });
  }
  void TearDown() override {
    alertmanager_->kill(SIGTERM);
    alertmanager_->wait();
  }

  std::string config() const {
    const std::string at = services_.url() + "/theirs/";
    return "route: {receiver: all, group_by: [incident], group_wait: 0s, group_interval: 1s,"
           " repeat_interval: 4h}\n"
           "receivers:\n- name: all\n"
           "  pagerduty_configs:\n  - routing_key: 0123456789abcdef0123456789abcdef\n"
           "    url: " +
           at +
           "pagerduty\n"
           "    component: host\n    group: g\n    class: c\n"
           "    links: [{href: 'https://warden.example.com', text: Mailwarden}]\n"
           "  opsgenie_configs:\n  - api_key: 0123456789abcdef0123456789abcdef\n"
           "    api_url: " +
           at +
           "opsgenie/\n"
           "    priority: P2\n    tags: 'a,b'\n    entity: e\n"
           "  slack_configs:\n  - api_url: " +
           at +
           "slack\n"
           "    channel: '#alerts'\n    send_resolved: true\n"
           "    fields: [{title: t, value: v, short: true}]\n"
           "    footer: f\n    text: x\n";
  }

  template <class Question>
  void wait_until(Question question) {
    ASSERT_TRUE(alertmanager_->wait_until(question)) << read_file(folder_.path("output"));
  }
  net::HttpAnswer get(const std::string& target) {
    const auto answer = net::Client().request({.url = url_ + target});
    return answer ? *answer : net::HttpAnswer();
  }
  // Those that fire there.
  json::Array firing() {
    const auto alerts = json::parse(get("/api/v2/alerts?active=true").body);
    return alerts && alerts->as_array() != nullptr ? *alerts->as_array() : json::Array();
  }

  Receiver receiver(Kind kind, const std::string& url) const {
    const bool has_key = kind == Kind::pagerduty || kind == Kind::opsgenie;
    return {.name = "r",
            .kind = kind,
            .url = url,
            .key_file = has_key ? folder_.path("key") : "",
            .console = "https://warden.example.com"};
  }
  void tell(Kind kind, const std::string& url, const Alert& alert) {
    const auto done = deliver(receiver(kind, url), alert, SystemClock().now());
    EXPECT_TRUE(done) << done.error().what;
  }
  void tell_services(const Alert& alert) {
    const std::string at = services_.url() + "/ours/";
    tell(Kind::pagerduty, at + "pagerduty", alert);
    tell(Kind::opsgenie, at + "opsgenie", alert);
    tell(Kind::slack, at + "slack", alert);
  }

  // Incidents of now, since Alertmanager compares their times with its clock.
  static incident::Incident present() {
    incident::Incident incident = sample_incident();
    incident.opened = incident.graded = SystemClock().now();
    return incident;
  }
  static Alert alert_now(const std::string& change, const incident::Incident& incident) {
    Alert alert = alert_of(change, incident);
    alert.time = SystemClock().now();
    return alert;
  }

  // Both of a kind, theirs in `theirs` once it came.
  void hold_against(const std::string& service, const std::string& part = "") {
    std::optional<net::Request> theirs;
    wait_until([&] {
      theirs = services_.find("/theirs/" + service, part);
      return theirs.has_value();
    });
    const auto ours = services_.find("/ours/" + service, part);
    ASSERT_TRUE(ours) << service;
    EXPECT_THAT(differences(ours->body, theirs->body), IsEmpty()) << ours->body << "\n"
                                                                  << theirs->body;
    EXPECT_EQ(ours->method, theirs->method);
    EXPECT_EQ(ours->header("Content-Type"), theirs->header("Content-Type"));
    EXPECT_EQ(ours->header("Authorization"), theirs->header("Authorization"));
  }

  TemporaryFolder folder_;
  Services services_;
  std::string port_ = free_port();
  std::string url_;
  std::optional<Process> alertmanager_;
};

TEST_F(AlertmanagerTest, TakesOursAndSendsTheSameShapes) {
  incident::Incident incident = present();
  tell(Kind::alertmanager, url_, alert_now("opened", incident));
  const auto alerts = firing();
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0]["labels"].text("alertname"), "MailwardenIncident");
  EXPECT_EQ(alerts[0]["labels"].text("incident"), "7");
  EXPECT_EQ(alerts[0]["labels"].text("severity"), "error");
  EXPECT_EQ(alerts[0]["annotations"].text("entity"), "203.0.113.5");
  EXPECT_EQ(alerts[0].text("generatorURL"), "https://warden.example.com/#incident-7");
  EXPECT_EQ(alerts[0]["status"].text("state"), "active");
  const auto ends = parse_rfc3339(alerts[0].text("endsAt"));
  ASSERT_TRUE(ends);
  EXPECT_GT(*ends - SystemClock().now(), std::chrono::days(300)) << "it fires until it is resolved";

  tell_services(alert_now("opened", incident));
  hold_against("pagerduty", "trigger");
  hold_against("opsgenie/v2/alerts");
  hold_against("slack");
  // What the services' documents ask for.
  const auto pager = json::parse(services_.find("/ours/pagerduty")->body).value();
  for (const char* const name : {"routing_key", "event_action"}) EXPECT_NE(pager.text(name), "");
  for (const char* const name : {"summary", "source", "severity"}) {
    EXPECT_NE(pager["payload"].text(name), "") << name;
  }
  EXPECT_NE(json::parse(services_.find("/ours/opsgenie")->body)->text("message"), "");
  EXPECT_NE(json::parse(services_.find("/ours/slack")->body)->text("text"), "");

  incident.state = incident::State::closed;
  const Alert closed = alert_now("state_changed", incident);
  tell(Kind::alertmanager, url_, closed);
  wait_until([&] { return firing().empty(); });
  tell_services(closed);
  hold_against("pagerduty", "\"resolve\"");
  wait_until([&] { return services_.find("/theirs/opsgenie/v2/alerts/").has_value(); });
  const auto ours = services_.find("/ours/opsgenie/v2/alerts/");
  const auto theirs = services_.find("/theirs/opsgenie/v2/alerts/");
  ASSERT_TRUE(ours);
  for (const auto& request : {*ours, *theirs}) {
    EXPECT_TRUE(request.path.ends_with("/close")) << request.path;
    EXPECT_EQ(request.parameter("identifierType"), "alias");
  }
  EXPECT_THAT(differences(ours->body, theirs->body), IsEmpty());
}

TEST_F(AlertmanagerTest, AnIncidentFiresAtOneSeverityAndIsRepeatedWithoutHarm) {
  incident::Incident incident = present();
  tell(Kind::alertmanager, url_, alert_now("opened", incident));
  incident.severity = incident::Severity::extreme;
  incident.graded = incident.opened + Duration(1);
  const Alert raised = alert_now("severity_raised", incident);
  tell(Kind::alertmanager, url_, raised);
  tell(Kind::alertmanager, url_, raised);
  wait_until([&] { return firing().size() == 1; });
  EXPECT_EQ(firing()[0]["labels"].text("severity"), "critical");
}

TEST_F(AlertmanagerTest, ARefusalIsFinalAndSaysWhy) {
  // A server that is there and no Alertmanager at that place.
  const auto done = deliver(receiver(Kind::alertmanager, url_ + "/elsewhere"),
                            alert_of("opened", sample_incident()), opened_at);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_THAT(done.error().what, HasSubstr("r: alertmanager " + url_ + "/elsewhere: answered 404"));
}

// The comparison itself finds what it is for.
TEST(Shapes, ThatDifferAreTold) {
  EXPECT_THAT(differences(R"({"a":"x"})", R"({"a":1})"), Contains("/a is of another type"));
  EXPECT_THAT(differences(R"({"a":{"b":"x"}})", R"({"a":{},"b":"x"})"),
              Contains("/a/b stands at /b there"));
  EXPECT_THAT(differences(R"({"a":[{"c":1}]})", R"({"a":[{"c":""}],"d":1})"),
              Contains("/a/0/c is of another type"));
  EXPECT_THAT(differences(R"({"details":{"a":"x"},"e":1})", R"({"details":{"b":"x"},"f":1})"),
              IsEmpty());
}

}  // namespace
}  // namespace mailwarden::alert
