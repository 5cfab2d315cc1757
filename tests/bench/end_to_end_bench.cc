// Durable events a second, from a log file through decoders, rules and ledger into SQLite, beside
// two floors of the same run: decoding alone, and SQLite inserting the same rows alone.
//
//   end_to_end_bench [LINES [FOLDER]]    300,000 lines in a folder of its own unless told
//
// FOLDER must be on the disk to be measured. Also told: memory when it is done, and how long a
// start over the filled store takes until the API answers.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include <unistd.h>

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

struct Floors {
  double decode_seconds = 0;
  double work_seconds = 0;  // all that a worker does: decode, match, serialise, hash
  double insert_seconds = 0;
};

ingest::RecordBatch records(int first, int end) {
  ingest::RecordBatch batch;
  batch.after = ingest::StreamState{.stream = 1, .source = "auth"};
  for (int i = first; i < end; ++i) {
    batch.records.push_back({.id = {.stream = 1, .position = i * 100LL},
                             .source = "auth",
                             .bytes = line_of(i),
                             .received = {1'795'500'000'000'000}});
  }
  return batch;
}

// What the daemon makes of so many lines, and SQLite taking the rows of their events and nothing
// else, in transactions of the size that the daemon's have at full speed. One after the other, so
// that neither waits for the other and memory stays small.
Floors measure_floors(const std::string& folder, int lines) {
  constexpr int batch_records = 256;
  constexpr std::size_t batches_per_write = 32;
  crypto::SystemEntropy entropy;
  const auto policies = app::load_policies(config_in(folder)).value();
  const auto store = db::open_sqlite(folder + "/floor.db").value();
  const auto migrations = app::all_migrations();
  CHECK(db::migrate(*store, migrations, {0}));
  Floors floors;
  ::sync();
  std::int64_t number = 0;
  app::WorkScratch scratch;
  for (int i = 0; i < lines;) {
    std::vector<app::WorkedBatch> batches;
    for (; batches.size() < batches_per_write && i < lines; i += batch_records) {
      auto batch = records(i, std::min(lines, i + batch_records));
      auto begun = steady_clock::now();
      for (const RawRecord& record : batch.records) {
        static_cast<void>(ingest::decode(record, policies->decoders));
      }
      floors.decode_seconds += seconds_since(begun);
      begun = steady_clock::now();
      batches.push_back(app::work(std::move(batch), batches.size(), *policies, entropy, scratch));
      floors.work_seconds += seconds_since(begun);
    }
    const auto begun = steady_clock::now();
    auto transaction = db::Transaction::begin(*store).value();
    for (const app::WorkedBatch& batch : batches) {
      CHECK(ingest::store_events(*store, number + 1, batch.events));
      number += batch.events.count();
    }
    CHECK(transaction.commit());
    floors.insert_seconds += seconds_since(begun);
  }
  return floors;
}

std::int64_t resident_kilobytes() {
  const std::string status = read_file("/proc/self/status");
  const std::size_t at = status.find("VmRSS:");
  return std::atoll(status.c_str() + at + 6);
}

struct Ran {
  double started = 0;   // seconds until its threads run
  double answered = 0;  // seconds from then until the answer has what is asked for
};

// Runs a daemon until its answer at `target` has what is asked for; another thread asks.
template <class Question>
Ran run_daemon(const config::Config& config, const std::string& target, Question question) {
  const SystemClock clock;
  crypto::SystemEntropy entropy;
  Log log(LogLevel::error);
  std::atomic<bool> enough = false;
  Ran ran;
  ::sync();  // what an earlier part has written is not this one's to wait for
  const auto begun = steady_clock::now();
  auto daemon = app::Daemon::start(
      config, {.clock = clock,
               .entropy = entropy,
               .log = log,
               .poll_signal = [&] { return enough ? app::Signal::stop : app::Signal::none; },
               .notify = [](const char*) {}});
  CHECK(daemon);
  ran.started = seconds_since(begun);
  const std::jthread asking([&] {
    net::Client client;
    while (!enough) {
      const auto answer =
          client.request({.url = "http://localhost" + target, .socket = config.socket});
      const auto value = answer ? json::parse(answer->body) : Result<json::Value>();
      if (answer && value && question(*value)) {
        ran.answered = seconds_since(begun) - ran.started;
        enough = true;
      } else {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    }
  });
  CHECK((*daemon)->run());
  return ran;
}

int bench(int lines, const std::string& folder) {
  const Floors floors = measure_floors(folder, lines);
  std::filesystem::remove(folder + "/floor.db");
  {
    std::ofstream log(folder + "/auth.log");
    for (int i = 0; i < lines; ++i) log << line_of(i) << "\n";
  }
  config::Config config = config_in(folder);
  config.socket = folder + "/socket";
  config.listen = {"127.0.0.1:0"};
  const Ran ran = run_daemon(config, "/api/v1/status", [&](const json::Value& status) {
    return status.integer("events") >= lines;
  });
  const std::int64_t resident = resident_kilobytes();
  const Ran again = run_daemon(config, "/api/v1/incidents", [](const json::Value& incidents) {
    return incidents["incidents"].as_array() != nullptr;
  });
  auto print_rate = [lines](const char* name, double seconds) {
    std::printf("%-28s %10.0f events/s\n", name, lines / seconds);
  };
  print_rate("decoding alone, one thread", floors.decode_seconds);
  print_rate("a worker's whole work", floors.work_seconds);
  print_rate("SQLite inserting the rows", floors.insert_seconds);
  print_rate("end to end, durable", ran.answered);
  std::printf("end to end / inserting alone %10.0f %%\n",
              100 * floors.insert_seconds / ran.answered);
  std::printf("resident when done           %10.0f MB\n", static_cast<double>(resident) / 1024);
  std::printf("start until the API answers  %10.2f s on %d events\n",
              again.started + again.answered, lines);
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
