// Durable events a second, from a log file through decoders, rules and ledger into SQLite, beside
// two floors of the same run: decoding alone, and SQLite inserting the same rows alone.
//
//   end_to_end_bench [LINES [FOLDER]]    300,000 lines in a folder of its own unless told
//
// FOLDER must be on the disk to be measured. Also told: memory when it is done, and how long a
// start over the filled store takes until the API answers.
#include <chrono>
#include <cstdio>

#include "app/core.h"
#include "app/daemon.h"
#include "app/policies.h"
#include "app/work.h"
#include "base/check.h"
#include "base/log.h"
#include "crypto/entropy.h"
#include "db/sqlite.h"
#include "net/http_client.h"
#include "tests/temporary.h"

namespace mailwarden {
namespace {

using std::chrono::steady_clock;

double seconds_since(steady_clock::time_point begun) {
  return std::chrono::duration<double>(steady_clock::now() - begun).count();
}

// Sign-ins, refusals, sudo and web requests as a small company's day has them.
std::string line_of(int i) {
  char time[32];
  std::snprintf(time, sizeof time, "Nov 24 %02d:%02d:%02d", i / 3600 / 40 % 24, i / 60 / 40 % 60,
                i / 40 % 60);
  const std::string begin =
      std::string(time) + " mail1 sshd[" + std::to_string(1000 + i % 30000) + "]: ";
  const std::string number = std::to_string(i % 250);
  switch (i % 10) {
    case 0:
      return begin + "Failed password for invalid user admin" + number + " from 203.0.113." +
             number + " port " + std::to_string(2000 + i % 50000) + " ssh2";
    case 1:
      return begin + "Accepted publickey for deploy from 198.51.100." + number + " port " +
             std::to_string(2000 + i % 50000) +
             " ssh2: ED25519 SHA256:bRl9BruL0MGybMT2yBrGnVV0y3AVjfojTCZpjilbOgU";
    case 2:
      return std::string(time) +
             " mail1 sudo:    alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; "
             "COMMAND=/usr/bin/systemctl reload nginx";
    case 3:
      return std::string(time) +
             " mail1 postfix/qmgr[640]: 74692BA: from=<bob@example.com>, size=712, nrcpt=1 (queue "
             "active)";
    default:
      return begin + "Connection closed by 198.51.100." + number + " port " +
             std::to_string(2000 + i % 50000) + " [preauth]";
  }
}

config::Config config_in(const std::string& folder) {
  config::Config config;
  config.store = "sqlite:" + folder + "/m.db";
  config.key = folder + "/key";
  config.origin = "example.com/bench";
  config.rules = {source_folder() + "/rules/sigma"};
  config.policies = source_folder() + "/policies";
  config.reports = folder + "/reports";
  config.alerts = folder + "/alerts";
  config.sources = {{.name = "auth", .file = folder + "/auth.log", .zone = "UTC", .year = "2026"}};
  return config;
}

// Everything that the daemon makes of the lines before it stores them.
std::vector<app::WorkedBatch> worked(const std::string& folder, int lines, double& decode_seconds) {
  crypto::SystemEntropy entropy;
  const auto policies = app::load_policies(config_in(folder)).value();
  std::vector<app::WorkedBatch> batches;
  for (int i = 0; i < lines;) {
    ingest::RecordBatch batch;
    batch.after = ingest::StreamState{.stream = 1, .source = "auth"};
    for (int k = 0; k < 256 && i < lines; ++k, ++i) {
      batch.records.push_back({.id = {.stream = 1, .position = i * 100LL},
                               .source = "auth",
                               .bytes = line_of(i),
                               .received = {1'795'500'000'000'000}});
    }
    const auto begun = steady_clock::now();
    for (const RawRecord& record : batch.records) {
      static_cast<void>(ingest::decode(record, policies->decoders));
    }
    decode_seconds += seconds_since(begun);
    batches.push_back(app::work(std::move(batch), batches.size(), *policies, entropy));
  }
  return batches;
}

double insert_alone(const std::string& folder, std::vector<app::WorkedBatch> batches) {
  const auto store = db::open_sqlite(folder + "/floor.db").value();
  const auto migrations = app::all_migrations();
  CHECK(db::migrate(*store, migrations, {0}));
  constexpr std::size_t batches_per_write = 32;  // as the daemon's own transactions at full speed
  std::int64_t number = 0;
  const auto begun = steady_clock::now();
  for (std::size_t i = 0; i < batches.size();) {
    auto transaction = db::Transaction::begin(*store).value();
    for (std::size_t k = 0; k < batches_per_write && i < batches.size(); ++k, ++i) {
      for (ingest::EventRow& row : batches[i].events) row.number = ++number;
      CHECK(ingest::store_events(*store, batches[i].events));
    }
    CHECK(transaction.commit());
  }
  return seconds_since(begun);
}

std::int64_t resident_kilobytes() {
  const std::string status = read_file("/proc/self/status");
  const std::size_t at = status.find("VmRSS:");
  return std::atoll(status.c_str() + at + 6);
}

// Seconds from the start of a daemon until it is asked at `target` and its answer has what is asked
// for; then it is told to stop.
template <class Question>
double run_daemon(const config::Config& config, const std::string& target, Question question) {
  const SystemClock clock;
  crypto::SystemEntropy entropy;
  Log log(LogLevel::error);
  constexpr std::chrono::milliseconds between_questions{20};
  const auto begun = steady_clock::now();
  auto asked = begun;
  double seconds = 0;
  const auto poll = [&] {
    if (steady_clock::now() - asked < between_questions) return app::Signal::none;
    asked = steady_clock::now();
    const auto answer =
        net::Client().request({.url = "http://localhost" + target, .socket = config.socket});
    const auto value = answer ? json::parse(answer->body) : Result<json::Value>();
    if (!answer || !value || !question(*value)) return app::Signal::none;
    seconds = seconds_since(begun);
    return app::Signal::stop;
  };
  auto daemon = app::Daemon::start(config, {.clock = clock,
                                            .entropy = entropy,
                                            .log = log,
                                            .poll_signal = poll,
                                            .notify = [](const char*) {}});
  CHECK(daemon);
  CHECK((*daemon)->run());
  return seconds;
}

int bench(int lines, const std::string& folder) {
  double decode_seconds = 0;
  double insert_seconds = 0;
  // The floors hold all rows in memory, so they are measured over no more than a part.
  const int part = std::min(lines, 300'000);
  insert_seconds = insert_alone(folder, worked(folder, part, decode_seconds));
  {
    std::ofstream log(folder + "/auth.log");
    for (int i = 0; i < lines; ++i) log << line_of(i) << "\n";
  }
  config::Config config = config_in(folder);
  config.socket = folder + "/socket";
  config.listen = {"127.0.0.1:0"};
  const double whole = run_daemon(config, "/api/v1/status", [&](const json::Value& status) {
    return status.integer("events") >= lines;
  });
  const std::int64_t resident = resident_kilobytes();
  const double start = run_daemon(config, "/api/v1/incidents", [](const json::Value& incidents) {
    return incidents["incidents"].as_array() != nullptr;
  });
  const double decode_rate = part / decode_seconds;
  const double insert_rate = part / insert_seconds;
  const double rate = lines / whole;
  std::printf("decoding alone, one thread   %10.0f events/s\n", decode_rate);
  std::printf("SQLite inserting the rows    %10.0f events/s\n", insert_rate);
  std::printf("end to end, durable          %10.0f events/s, %.0f %% of inserting alone\n", rate,
              100 * rate / insert_rate);
  std::printf("resident when done           %10.0f MB\n", static_cast<double>(resident) / 1024);
  std::printf("start until the API answers  %10.2f s on %d events\n", start, lines);
  return 0;
}

}  // namespace
}  // namespace mailwarden

int main(int argc, char** argv) {
  using namespace mailwarden;
  const int lines = argc > 1 ? std::atoi(argv[1]) : 300'000;
  if (argc > 2) {
    std::filesystem::create_directories(argv[2]);
    return bench(lines, argv[2]);
  }
  const TemporaryFolder folder;
  return bench(lines, folder.path());
}
