// Alerts from outside: how many are durably accepted a second, how soon the first byte of their
// webhook comes, and what a storm of detections does.
//
//   signals_bench [FOLDER]    in a folder of its own unless told; it must be on the disk to measure
//
// Floors of the same run: one fsync, and one round trip over the loopback.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <mutex>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "app/daemon.h"
#include "base/check.h"
#include "base/log.h"
#include "crypto/entropy.h"
#include "db/open.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "tests/temporary.h"

namespace mailwarden {
namespace {

using std::chrono::steady_clock;

double seconds_since(steady_clock::time_point begun) {
  return std::chrono::duration<double>(steady_clock::now() - begun).count();
}

struct Spread {
  double p50 = 0;
  double p95 = 0;
  double p99 = 0;
};
Spread spread_of(std::vector<double> seconds) {
  std::ranges::sort(seconds);
  const auto at = [&](double share) {
    const auto place = static_cast<std::size_t>(share * static_cast<double>(seconds.size() - 1));
    return 1e3 * seconds[place];
  };
  return {.p50 = at(0.50), .p95 = at(0.95), .p99 = at(0.99)};
}

void print_spread(const char* name, const Spread& spread) {
  std::printf("%-44s p50 %7.2f  p95 %7.2f  p99 %7.2f ms\n", name, spread.p50, spread.p95,
              spread.p99);
}

// When the webhook of an alert came, by a word of its body.
class Sink {
 public:
  Sink() {
    server_ = net::HttpServer::start({.listen = {"127.0.0.1:0"}, .threads = 4},
                                     [this](const net::Request& request) {
                                       const auto now = steady_clock::now();
                                       const std::lock_guard lock(mutex_);
                                       bodies_.emplace_back(request.body, now);
                                       changed_.notify_all();
                                       return net::Response{.status = 202, .body = ""};
                                     })
                  .value();
  }
  std::string url() const { return "http://" + server_->addresses().front() + "/in"; }
  steady_clock::time_point wait_for(const std::string& word) {
    std::unique_lock lock(mutex_);
    std::size_t seen = 0;
    while (true) {
      for (; seen < bodies_.size(); ++seen) {
        if (bodies_[seen].first.contains(word)) return bodies_[seen].second;
      }
      changed_.wait(lock);
    }
  }
  std::size_t count(const std::string& word) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::ranges::count_if(bodies_, [&](const auto& one) { return one.first.contains(word); }));
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::string, steady_clock::time_point>> bodies_;
  std::unique_ptr<net::HttpServer> server_;
};

std::int64_t resident_megabytes() {
  const std::string status = read_file("/proc/self/status");
  return std::atoll(status.c_str() + status.find("VmRSS:") + 6) / 1024;
}

// A daemon in this process, until it is let go of.
class Running {
 public:
  explicit Running(const config::Config& config) : config_(config) {
    daemon_ =
        app::Daemon::start(
            config,
            {.clock = clock_,
             .entropy = entropy_,
             .log = log_,
             .poll_signal = [this] { return enough_ ? app::Signal::stop : app::Signal::none; },
             .notify = [](const char*) {}})
            .value();
    thread_ = std::jthread([this] { CHECK(daemon_->run()); });
  }
  ~Running() {
    enough_ = true;
    thread_.join();
  }
  net::HttpAnswer ask(net::Client& client, const std::string& target,
                      const std::string& body = "") const {
    const auto answer = client.request({.method = body.empty() ? "GET" : "POST",
                                        .url = "http://localhost" + target,
                                        .socket = config_.socket,
                                        .body = body});
    CHECK(answer);
    return *answer;
  }

 private:
  config::Config config_;
  SystemClock clock_;
  crypto::SystemEntropy entropy_;
  Log log_{LogLevel::error};
  std::atomic<bool> enough_ = false;
  std::unique_ptr<app::Daemon> daemon_;
  std::jthread thread_;
};

std::string alert_json(const std::string& name, int instance) {
  return R"({"labels":{"alertname":")" + name + R"(","instance":"i)" + std::to_string(instance) +
         R"(","severity":"page"},"annotations":{"summary":"something is wrong"}})";
}

// `posts` posts of `size` alerts each over so many connections; alerts a second.
double post_rate(const Running& daemon, const std::string& name, int connections, int posts,
                 int size, std::vector<double>& latencies) {
  std::mutex mutex;
  std::atomic<int> next = 0;
  const auto begun = steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < connections; ++i) {
      threads.emplace_back([&] {
        net::Client client;
        for (int post = next++; post < posts; post = next++) {
          std::string body = "[";
          for (int k = 0; k < size; ++k) {
            const int number = post * size + k;
            body += (k == 0 ? "" : ",") + alert_json(name + std::to_string(number % 40), number);
          }
          const auto sent = steady_clock::now();
          CHECK(daemon.ask(client, "/api/v2/alerts", body + "]").status == 200);
          const std::lock_guard lock(mutex);
          latencies.push_back(seconds_since(sent));
        }
      });
    }
  }
  return posts * size / seconds_since(begun);
}

void measure_floors(const std::string& folder, const std::string& url) {
  std::vector<double> syncs;
  std::vector<double> trips;
  const int file = ::open((folder + "/floor").c_str(), O_CREAT | O_WRONLY, 0600);
  const std::string page(16384, 'x');
  net::Client client;
  for (int i = 0; i < 200; ++i) {
    auto begun = steady_clock::now();
    CHECK(::write(file, page.data(), page.size()) > 0 && ::fsync(file) == 0);
    syncs.push_back(seconds_since(begun));
    begun = steady_clock::now();
    CHECK(client.request({.method = "POST", .url = url, .body = "floor"}));
    trips.push_back(seconds_since(begun));
  }
  ::close(file);
  print_spread("floor: one fsync of 16 KiB", spread_of(syncs));
  print_spread("floor: one loopback round trip", spread_of(trips));
}

config::Config config_in(const std::string& folder, const std::string& url) {
  std::filesystem::copy(source_folder() + "/policies", folder + "/policies",
                        std::filesystem::copy_options::recursive);
  write_file(folder + "/policies/routes.yaml",
             "receivers: [{name: sink, kind: webhook, url: '" + url +
                 "'}, {name: spool, kind: folder, folder: spool}]\nroutes:\n"
                 "- {signals: ['alertname=~\"Now.*\"'], group_by: [alertname], wait: 0s, to: "
                 "[sink]}\n"
                 "- {signals: ['alertname=~\"Key.*\"'], group_by: [alertname], wait: 5s, to: "
                 "[sink]}\n"
                 "- {changes: [opened, rule_joined, detections_doubled, facts_changed], to: "
                 "[sink]}\n"
                 "storm: {notices: 500, per: 10s}\n");
  // The shipped one names shipped rules.
  write_file(folder + "/policies/grouping.yaml", "within: 4h\n");
  std::filesystem::create_directories(folder + "/rules");
  write_file(folder + "/rules/test.yml",
             "title: A test line\nid: r1\nlogsource: {product: linux, service: sshd}\n"
             "level: medium\ndetection:\n  selection:\n    event: login_failed\n  condition: "
             "selection\nmailwarden: {entity: src_endpoint.ip, facts: {attack_attempted: true}}\n");
  std::filesystem::remove_all(folder + "/policies/playbooks");
  config::Config config;
  config.store = "sqlite:" + folder + "/m.db";
  config.key = folder + "/key";
  config.origin = "example.com/bench";
  config.rules = {folder + "/rules"};
  config.policies = folder + "/policies";
  config.reports = folder + "/reports";
  config.alerts = folder + "/alerts";
  config.socket = folder + "/socket";
  config.listen = {"127.0.0.1:0"};
  config.sources = {{.name = "auth", .file = folder + "/auth.log", .zone = "UTC", .year = "2026"}};
  return config;
}

void measure_posts(const Running& daemon, Sink& sink) {
  std::vector<double> latencies;
  for (const int connections : {1, 4, 16, 32}) {
    latencies.clear();
    const double rate = post_rate(daemon, "Single" + std::to_string(connections) + "x", connections,
                                  1'000 * connections, 1, latencies);
    std::printf("single alerts, %2d connections %29.0f alerts/s\n", connections, rate);
    print_spread("  until accepted", spread_of(latencies));
  }
  latencies.clear();
  const double rate = post_rate(daemon, "Key", 4, 200, 100, latencies);
  std::printf("batches of 100, 4 connections  %28.0f alerts/s\n", rate);
  print_spread("  until accepted", spread_of(latencies));
  for (int key = 0; key < 40; ++key) {
    static_cast<void>(sink.wait_for(R"("alertname":"Key)" + std::to_string(key) + "\""));
  }
  std::printf("20,000 alerts of 40 keys  %33zu notifications\n", sink.count("\"alertname\":\"Key"));
}

void measure_webhooks(const Running& daemon, Sink& sink) {
  std::vector<double> seconds;
  net::Client client;
  for (int i = 0; i < 300; ++i) {
    const std::string name = "Now" + std::to_string(i) + "z";
    const auto begun = steady_clock::now();
    CHECK(daemon.ask(client, "/api/v2/alerts", "[" + alert_json(name, i) + "]").status == 200);
    const auto came = sink.wait_for("\"alertname\":\"" + name + "\"");
    seconds.push_back(std::chrono::duration<double>(came - begun).count());
  }
  print_spread("post until the webhook's first byte", spread_of(seconds));
}

// As fast as they can be read, which is more than a minute's worth in a minute.
void measure_storm(const Running& daemon, Sink& sink, const std::string& folder) {
  constexpr int lines = 100'000;
  constexpr int addresses = 900;
  const std::int64_t before = resident_megabytes();
  {
    std::ofstream log(folder + "/auth.log", std::ios::app);
    for (int i = 0; i < lines; ++i) {
      log << "Nov 24 10:00:00 mail1 sshd[7]: Failed password for root from 10.0."
          << i % addresses / 250 << "." << i % addresses % 250 << " port 1 ssh2\n";
    }
  }
  std::vector<double> answers;
  net::Client client;
  const auto begun = steady_clock::now();
  json::Value status;
  while (status.integer("detections") < lines) {
    const auto asked = steady_clock::now();
    CHECK(daemon.ask(client, "/api/v1/incidents").status == 200);
    answers.push_back(seconds_since(asked));
    status = json::parse(daemon.ask(client, "/api/v1/status").body).value();
  }
  std::printf("storm: %d detections in %.1f s, %lld events, %lld gaps\n", lines,
              seconds_since(begun), static_cast<long long>(status.integer("events")),
              static_cast<long long>(status.integer("gaps")));
  print_spread("  GET /api/v1/incidents meanwhile", spread_of(answers));
  static_cast<void>(sink.wait_for("mailwarden.storm"));
  status = json::parse(daemon.ask(client, "/api/v1/status").body).value();
  std::printf("  resident %lld MB before, %lld MB behind it\n", static_cast<long long>(before),
              static_cast<long long>(resident_megabytes()));
  std::printf("  notices held back %lld, summaries %zu\n",
              static_cast<long long>(status.integer("alerts_held_back")),
              sink.count("mailwarden.storm"));
}

int bench(const std::string& folder) {
  Sink sink;
  measure_floors(folder, sink.url());
  const config::Config config = config_in(folder, sink.url());
  const Running daemon(config);
  measure_webhooks(daemon, sink);
  measure_posts(daemon, sink);
  measure_storm(daemon, sink, folder);
  return 0;
}

}  // namespace
}  // namespace mailwarden

int main(int argc, char** argv) {
  using namespace mailwarden;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc > 1) {
    std::filesystem::create_directories(argv[1]);
    return bench(argv[1]);
  }
  const TemporaryFolder folder;
  return bench(folder.path());
}
