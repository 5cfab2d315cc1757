// A daemon of its own for a test: its folder, its options, its store.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>

#include "db/open.h"
#include "json/value.h"
#include "net/http_server.h"
#include "tests/db/store.h"
#include "tests/process.h"

namespace mailwarden {

class TestDaemon {
 public:
  // In a run on PostgreSQL its store is there.
  TestDaemon() : url_(is_on_postgres() ? fresh_schema(postgres_url()) : "") {}
  explicit TestDaemon(std::string url) : url_(std::move(url)) {}

  std::string path(const std::string& name) const { return folder_.path(name); }
  std::string store() const { return url_.empty() ? "sqlite:" + path(store_name_) : url_; }
  void keep_store_in(const std::string& folder) { store_name_ = folder + "/m.db"; }

  std::vector<std::string> arguments(std::vector<std::string> more) const {
    std::vector<std::string> all{program_folder() + "/mailwardend",
                                 "--store",
                                 store(),
                                 "--key",
                                 path("key"),
                                 "--origin",
                                 "example.com/test",
                                 "--reports",
                                 path("reports"),
                                 "--alerts",
                                 path("alerts"),
                                 "--rules",
                                 rules_,
                                 "--policies",
                                 policies_};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  // A copy of the shipped policies, which the test may change; its folder.
  std::string copy_policies() {
    policies_ = path("policies");
    std::filesystem::copy(source_folder() + "/policies", policies_,
                          std::filesystem::copy_options::recursive);
    return policies_;
  }

  // The shipped policies, with every alert going to this URL instead.
  void alert_to(const std::string& url) {
    if (std::filesystem::exists(path("policies"))) return;
    copy_policies();
    write_file(policies_ + "/routes.yaml",
               "receivers: [{name: spool, kind: webhook, url: '" + url +
                   "'}]\nroutes: [{changes: [opened, severity_raised], to: [spool]}]\n");
  }

  // A copy of the shipped rules, which the test may change.
  void copy_rules() {
    rules_ = path("rules");
    std::filesystem::copy(source_folder() + "/rules/sigma", rules_,
                          std::filesystem::copy_options::recursive);
  }

  // --once over the source; its exit code.
  int once(const std::string& source, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--once", "--source", source});
    Process process(arguments(more), path("output"));
    return process.wait();
  }

  std::string output() const { return read_file(path("output")); }

  Ran verify(std::vector<std::string> more = {}) const {
    std::vector<std::string> all{"mailwarden", "ledger", "verify",       "--store",
                                 store(),      "--key",  path("key.pub")};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  }

  // On PostgreSQL a copy in SQLite, so that one SQL reads both.
  std::unique_ptr<db::Database> open() const {
    if (!url_.empty()) {
      const std::string copy = path("copy.db");
      std::filesystem::remove(copy);
      const Ran copied = run({"mailwarden", "store", "backup", "--store", url_, "-o", copy});
      EXPECT_EQ(copied.code, 0) << copied.output;
      return db::open_url("sqlite:" + copy, {.read_only = true}).value();
    }
    return db::open_url(store(), {.read_only = true}).value();
  }

  // Every row of the query, its columns joined.
  std::multiset<std::string> rows(const std::string& sql) const { return rows(*open(), sql); }
  static std::multiset<std::string> rows(db::Database& database, const std::string& sql) {
    const auto statement = database.query(sql);
    EXPECT_TRUE(statement) << statement.error().what;
    std::multiset<std::string> found;
    while ((*statement)->step().value()) {
      std::string row;
      for (int i = 0; i < (*statement)->columns(); ++i) {
        row += std::string((*statement)->text(i)) + "|";
      }
      found.insert(std::move(row));
    }
    return found;
  }

  // Every table's name with all of its rows.
  std::map<std::string, std::multiset<std::string>> dump() const {
    const auto database = open();
    std::map<std::string, std::multiset<std::string>> all;
    for (const std::string& row :
         rows(*database, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")) {
      const std::string name = row.substr(0, row.size() - 1);
      all[name] = rows(*database, "SELECT * FROM " + name);
    }
    return all;
  }

  // What was decided and done, without the clock's times and the order in which outcomes of
  // deliveries came between other entries.
  std::map<std::string, std::multiset<std::string>> decisions() const {
    const auto database = open();
    std::map<std::string, std::multiset<std::string>> all;
    all["event"] = rows(*database, "SELECT number, record FROM event");
    all["detection"] = rows(*database, "SELECT number, incident, body FROM detection");
    all["incident"] = rows(*database,
                           "SELECT number, state, severity, entity_name,"
                           " json_remove(body, '$.opened', '$.changed', '$.graded',"
                           " '$.deadlines') FROM incident");
    all["change"] = rows(*database, "SELECT incident, sequence, body FROM incident_change");
    all["alert"] = rows(*database, "SELECT name, receiver, incident, standing, subject FROM alert");
    // The playbook has the path of its file, which lies in another folder.
    all["run"] = rows(*database,
                      "SELECT number, json_extract(body, '$.playbook.name'), json_remove(body,"
                      " '$.started', '$.changed', '$.playbook', '$.uses') FROM playbook_run");
    all["move"] = rows(*database, "SELECT run, body FROM playbook_move");
    // The files lie in different folders, which a stream's number tells.
    all["entry"] = rows(*database,
                        "SELECT kind, json_remove(record, '$.time', '$.root', '$.sha256', '$.due',"
                        " CASE kind WHEN 'decision' THEN '$.root' ELSE '$.when' END) FROM"
                        " ledger_entry WHERE kind NOT IN"
                        " ('report', 'schema', 'seal', 'start', 'state', 'stop')");
    for (const char* const table : {"incident", "change", "run", "move", "entry"}) {
      std::multiset<std::string> timeless;
      for (const std::string& row : all[table]) timeless.insert(without_moments(row));
      all[table] = std::move(timeless);
    }
    return all;
  }

 private:
  // Deadlines follow from when something was decided.
  static std::string without_moments(std::string row) {
    for (const std::string_view name : {R"("due":")", R"("aware":")"}) {
      for (std::size_t at = row.find(name); at != std::string::npos; at = row.find(name, at)) {
        at += name.size();
        row.erase(at, row.find('"', at) - at);
      }
    }
    return row;
  }

  TemporaryFolder folder_;
  std::string url_;
  std::string store_name_ = "m.db";
  std::string rules_ = source_folder() + "/rules/sigma";
  std::string policies_ = source_folder() + "/policies";
};

// Takes alerts on loopback, and does something about each key once.
class Receiver {
 public:
  Receiver() {
    auto started = net::HttpServer::start(
        {.listen = {"127.0.0.1:0"}}, [this](const net::Request& request) { return take(request); });
    server_ = std::move(started).value();
  }

  std::string url() const { return "http://" + server_->addresses().front() + "/in"; }

  // Bodies by key; a key that came with two bodies has both.
  std::map<std::string, std::set<std::string>> taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
  }
  void forget() {
    const std::lock_guard lock(mutex_);
    taken_.clear();
  }
  // Called with each key before its alert is answered; before the first alert comes.
  void watch(std::function<void(const std::string& key)> seen) { seen_ = std::move(seen); }
  // The next so many are answered with 503.
  void refuse(int times) { refusals_ = times; }

 private:
  net::Response take(const net::Request& request) {
    const std::lock_guard lock(mutex_);
    if (refusals_ > 0) {
      --refusals_;
      return {.status = 503, .content_type = "text/plain", .body = "later"};
    }
    const auto event = json::parse(request.body);
    const std::string key = event ? event->text("id") : "no JSON";
    taken_[key].insert(request.body);
    if (seen_) seen_(key);
    return {.status = 202, .content_type = "text/plain", .body = ""};
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::set<std::string>> taken_;
  std::function<void(const std::string& key)> seen_;
  std::atomic<int> refusals_ = 0;
  std::unique_ptr<net::HttpServer> server_;
};

// Guessing from several addresses, some of it successful, among ordinary lines.
inline std::string ssh_log(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i) {
    const int second = i / 4;
    char time[32];
    std::snprintf(time, sizeof time, "Nov 24 %02d:%02d:%02d", second / 3600 % 24, second / 60 % 60,
                  second % 60);
    const std::string begin = std::string(time) + " mail1 sshd[" + std::to_string(1000 + i) + "]: ";
    const std::string address = "203.0.113." + std::to_string(i / 50 % 200);
    if (i % 50 < 12) {
      text += begin + "Failed password for root from " + address + " port " +
              std::to_string(2000 + i % 1000) + " ssh2\n";
    } else if (i % 150 == 12) {
      text += begin + "Accepted password for deploy from " + address + " port 22 ssh2\n";
    } else {
      text += begin + "Connection closed by 198.51.100." + std::to_string(i % 100) + " port 22\n";
    }
  }
  return text;
}

}  // namespace mailwarden
