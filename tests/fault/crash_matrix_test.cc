// The daemon, killed on either side of each of its commits while it opens an incident, tells it,
// escalates, works through a playbook and is answered by a person; on SQLite, and on PostgreSQL
// where ctest has started one. MAILWARDEN_EDGES=all takes every commit and prints the matrix.
#include <iomanip>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/text.h"
#include "net/http_client.h"
#include "tests/e2e/daemon.h"
#include "tests/fault/crash.h"

namespace mailwarden::fault {
namespace {

// Where alerts and requests of playbooks come to. It does something about each key once.
class Sink {
 public:
  Sink() {
    auto started = net::HttpServer::start(
        {.listen = {"127.0.0.1:0"}}, [this](const net::Request& request) { return take(request); });
    server_ = std::move(started).value();
  }

  struct Taken {
    std::set<std::string> bodies;
    int times = 0;
    Timestamp first;
  };

  std::string url(const std::string& path) const {
    return "http://" + server_->addresses().front() + path;
  }
  std::map<std::string, Taken> taken(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    const auto found = taken_.find(path);
    return found == taken_.end() ? std::map<std::string, Taken>() : found->second;
  }

 private:
  net::Response take(const net::Request& request) {
    const std::lock_guard lock(mutex_);
    const std::string key(request.header("Idempotency-Key"));
    auto [one, is_new] = taken_[request.path].try_emplace(key);
    if (is_new) one->second.first = clock_.now();
    one->second.bodies.insert(request.body);
    ++one->second.times;
    return {.status = 200, .content_type = "application/json", .body = "{}"};
  }

  SystemClock clock_;
  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, Taken>> taken_;
  std::unique_ptr<net::HttpServer> server_;
};

enum class Side { before, behind };

// What an edge is about, by the tables that its commit writes.
std::string kind_of(const std::string& edge) {
  const auto writes = [&](std::string_view table) {
    return (edge + " ").contains(" " + std::string(table) + " ");
  };
  std::string kind;
  const auto add = [&](const std::string& name) { kind += (kind.empty() ? "" : " + ") + name; };
  if (writes("incident_change")) add("incident");
  if (writes("playbook_move")) add("run");
  if (writes("escalation")) add("escalation");
  if (writes("alert")) add("delivery");
  if (kind.empty()) add(writes("event") ? "events" : "ledger and the rest");
  return kind;
}

// A daemon with a log to read, killed at most once.
class Life {
 public:
  Life() {
    prepare_policies();
    write_file(daemon_.path("effect"),
               "#!/bin/sh\ncase $1 in\n  add) echo \"$2\" >>\"$3\" ;;\n"
               "  seen) /usr/bin/grep -qx \"$2\" \"$3\" ;;\nesac\n");
    std::filesystem::permissions(daemon_.path("effect"), std::filesystem::perms(0755));
    std::string text;
    for (int i = 0; i < 12; ++i) {
      text += "Nov 24 05:00:0" + std::to_string(i % 10) + " mail1 sshd[" +
              std::to_string(4000 + i) +
              "]: Failed password for root from 203.0.113.5 port 20001 ssh2\n";
    }
    write_file(daemon_.path("auth.log"), text);
  }

  // From the start to the end of all work. `at` < 0: it is not killed.
  void live(std::int64_t at, Side side) {
    begin({"/usr/bin/env", "LD_PRELOAD=" + program_folder() + "/edge_killer.so",
           "MAILWARDEN_EDGE_JOURNAL=" + daemon_.path("edges"),
           "MAILWARDEN_EDGE_AT=" + std::to_string(at),
           std::string("MAILWARDEN_EDGE_SIDE=") + (side == Side::before ? "before" : "behind")});
    until([&] { return is_worked_through(); });
    until([&] { return is_done("acknowledged", "ack"); });
    until([&] { return is_done("noted", "note"); });
    until([&] { return is_settled(); });
    process_->kill(SIGTERM);
    if (const int code = process_->wait(); code != 0) {
      restart(code);
      until([&] { return is_settled(); });
      process_->kill(SIGTERM);
      ASSERT_EQ(process_->wait(), 0) << daemon_.output();
    }
  }

  std::vector<std::string> edges() const {
    std::vector<std::string> lines;
    const std::string text = read_file(daemon_.path("edges"));
    for (const std::string_view line : split(text, '\n')) {
      if (!line.empty()) lines.emplace_back(line);
    }
    return lines;
  }
  bool was_killed() const { return restarted_.has_value(); }
  std::optional<Timestamp> restarted() const { return restarted_; }
  const Sink& sink() const { return sink_; }
  const TestDaemon& daemon() const { return daemon_; }

 private:
  void prepare_policies() {
    const std::string policies = daemon_.copy_policies();
    std::filesystem::remove_all(policies + "/playbooks");
    std::filesystem::create_directory(policies + "/playbooks");
    write_file(policies + "/routes.yaml",
               "receivers: [{name: hook, kind: webhook, url: '" + sink_.url("/alert") +
                   "'}]\nroutes: [{changes: [opened], to: [hook, escalation:security]}]\n");
    write_file(policies + "/escalations.yaml",
               "chains:\n- name: security\n  steps: [{to: [hook]}, {after: 1s, to: [hook]}]\n");
    write_file(policies + "/playbooks/matrix.yaml",
               "name: matrix\ntitle: Everything that has an edge\nwhen: {severity_from: 0}\n"
               "steps:\n- id: both\n  parallel:\n"
               "  - - {id: asked, http: POST, url: '" +
                   sink_.url("/effect") +
                   "'}\n"
                   "  - - {id: ran, command: ['" +
                   daemon_.path("effect") + "', add, ran, '" + daemon_.path("done") +
                   "'],\n"
                   "       probe: {command: ['" +
                   daemon_.path("effect") + "', seen, ran, '" + daemon_.path("done") +
                   "'],"
                   " holds: exit == 0}}\n"
                   "- {id: told, notify: [hook], text: it is contained}\n"
                   "- {id: pause, wait: 1s}\n"
                   "- {id: last, http: POST, url: '" +
                   sink_.url("/effect") + "'}\n");
  }

  void begin(std::vector<std::string> words) {
    for (std::string& word : daemon_.arguments(
             {"--socket", daemon_.path("socket"), "--listen", "127.0.0.1:0", "--seal-interval",
              "1s", "--command", daemon_.path("effect"), "--source",
              "file:" + daemon_.path("auth.log") + ",name=auth,year=2026"})) {
      words.push_back(std::move(word));
    }
    process_.emplace(std::move(words), daemon_.path("output"));
  }
  void restart(int code) {
    ASSERT_EQ(code, 128 + SIGKILL) << daemon_.output();
    ASSERT_FALSE(restarted_) << "it ended a second time\n" << daemon_.output();
    restarted_ = clock_.now();
    begin({});
  }
  template <class Question>
  void until(Question question) {
    while (!process_->wait_until(question)) {
      restart(process_->wait());
      if (testing::Test::HasFatalFailure()) return;
    }
  }

  json::Value get(const std::string& target) {
    const auto answer = net::Client().request(
        {.url = "http://localhost" + target, .socket = daemon_.path("socket")});
    auto value = json::parse(answer && answer->status == 200 ? answer->body : "");
    return value ? *std::move(value) : json::Value();
  }
  bool is_settled() { return get("/api/v1/status")["settled"] == json::Value(true); }
  bool is_worked_through() {
    const json::Value run = get("/api/v1/runs/1");
    const json::Value escalations = get("/api/v1/escalations");
    const auto* const list = escalations["escalations"].as_array();
    return run.text("state") == "done" && list != nullptr && !list->empty() &&
           list->front()["next"].is_null() && is_settled();
  }
  // A person does it where the incident shows that it is not done, and looks again.
  bool is_done(const std::string& change, const std::string& verb) {
    const json::Value incident = get("/api/v1/incidents/1");
    const auto* const changes = incident["changes"].as_array();
    if (changes == nullptr) return false;  // nobody answers
    const auto is_it = [&](const json::Value& one) { return one.text("change") == change; };
    if (std::ranges::any_of(*changes, is_it)) return true;
    run({"mailwarden", "incidents", verb, "1", "--who", "ada", "--why", "it is looked into",
         "--socket", daemon_.path("socket")});
    return false;
  }

  SystemClock clock_;
  Sink sink_;
  TestDaemon daemon_;
  std::optional<Process> process_;
  std::optional<Timestamp> restarted_;
};

// What all lives that ended at such an edge came to.
struct Tally {
  int kills = 0;
  int alerts_again = 0;  // told a second time, under the same key
  Duration latest{};     // of the steps of an escalation, behind the deadline or the restart
};

class CrashMatrix : public testing::Test {
 protected:
  static std::set<std::string> keys(const std::map<std::string, Sink::Taken>& taken) {
    std::set<std::string> all;
    for (const auto& [key, one] : taken) all.insert(key);
    return all;
  }

  void live_undisturbed() {
    undisturbed_.live(-1, Side::before);
    ASSERT_FALSE(HasFatalFailure());
    ASSERT_FALSE(undisturbed_.was_killed());
    alerts_ = keys(undisturbed_.sink().taken("/alert"));
    // The incident, both steps of its escalation, and what the playbook told.
    ASSERT_EQ(alerts_.size(), 4U) << testing::PrintToString(alerts_);
    effects_ = keys(undisturbed_.sink().taken("/effect"));
    ASSERT_EQ(effects_.size(), 2U) << testing::PrintToString(effects_);
  }

  void judge(const Life& life, Tally& tally) {
    for (const auto& [key, one] : life.sink().taken("/effect")) {
      EXPECT_EQ(one.bodies.size(), 1U) << key << " came with two meanings";
    }
    EXPECT_EQ(keys(life.sink().taken("/effect")), effects_);
    EXPECT_EQ(read_file(life.daemon().path("done")), "ran\n");
    const auto alerts = life.sink().taken("/alert");
    EXPECT_EQ(keys(alerts), alerts_);
    for (const auto& [key, one] : alerts) {
      EXPECT_EQ(one.bodies.size(), 1U) << key << " came with two meanings";
      tally.alerts_again += one.times - 1;
      const auto event = json::parse(*one.bodies.begin()).value();
      const auto due = parse_rfc3339(event["data"]["escalation"].text("due"));
      if (!due) continue;
      const Duration late = one.first - std::max(*due, life.restarted().value_or(*due));
      EXPECT_LT(late, std::chrono::seconds(5)) << key;
      tally.latest = std::max(tally.latest, late);
    }
    const TestDaemon& daemon = life.daemon();
    EXPECT_EQ(daemon.rows("SELECT COUNT(*) FROM incident"), (std::multiset<std::string>{"1|"}));
    for (const char* const what : {"acknowledged", "noted"}) {
      EXPECT_EQ(daemon.rows("SELECT COUNT(*) FROM incident_change WHERE json_extract(body,"
                            " '$.change') = '" +
                            std::string(what) + "'"),
                (std::multiset<std::string>{"1|"}))
          << what;
    }
    const Ran verified = daemon.verify();
    EXPECT_EQ(verified.code, 0) << verified.output;
  }

  void print() const {
    std::cout << std::left << std::setw(44) << "commit" << std::right << std::setw(8) << "before"
              << std::setw(8) << "behind" << std::setw(8) << "again" << std::setw(12) << "latest\n";
    for (const auto& [kind, sides] : tallies_) {
      const Duration latest = std::max(sides[0].latest, sides[1].latest);
      std::cout << std::left << std::setw(44) << kind << std::right << std::setw(8)
                << sides[0].kills << std::setw(8) << sides[1].kills << std::setw(8)
                << sides[0].alerts_again + sides[1].alerts_again << std::setw(8)
                << std::chrono::duration_cast<std::chrono::milliseconds>(latest).count() << " ms\n";
    }
  }

  Life undisturbed_;
  std::set<std::string> alerts_;
  std::set<std::string> effects_;
  std::map<std::string, std::array<Tally, 2>> tallies_;
};

TEST_F(CrashMatrix, EachEffectOnceEachAlertAtLeastOnceNoEscalationLate) {
  if (!is_recordable) GTEST_SKIP() << "nothing can be loaded before a sanitizer";
  ASSERT_NO_FATAL_FAILURE(live_undisturbed());
  const auto edges = static_cast<std::int64_t>(undisturbed_.edges().size());
  ASSERT_GT(edges, 10);
  const char* const told = std::getenv("MAILWARDEN_EDGES");
  const bool takes_all = told != nullptr && std::string_view(told) == "all";
  std::mt19937 random(20261130);
  for (std::int64_t at = 0; at < edges; ++at) {
    for (const Side side : {Side::before, Side::behind}) {
      if (!takes_all && random() % static_cast<std::uint32_t>(2 * edges) >= 6) continue;
      SCOPED_TRACE((side == Side::before ? "before" : "behind") +
                   (" commit " + std::to_string(at)));
      Life life;
      life.live(at, side);
      ASSERT_FALSE(HasFatalFailure());
      // Commits are fewer where more came together.
      const std::vector<std::string> reached = life.edges();
      if (!life.was_killed()) continue;
      Tally& tally = tallies_[kind_of(reached.back())][static_cast<std::size_t>(side)];
      ++tally.kills;
      judge(life, tally);
      ASSERT_FALSE(HasFailure()) << reached.back() << "\n" << life.daemon().output();
    }
  }
  print();
  EXPECT_FALSE(tallies_.empty());
}

}  // namespace
}  // namespace mailwarden::fault
