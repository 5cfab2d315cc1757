// ledger_bench [--entries N] [--store URL] [--keep]: how fast a ledger is appended to and verified.
//
// Appends, durable at each commit, in batches of several sizes, each beside its floor: SHA-256 of
// the same bytes and the same bytes written to a file with one fsync a batch. Then a ledger of N
// entries (1,000,000) is made and verified, beside SHA-256 of the same records. --store names where
// the ledger lies (sqlite:PATH); what is there must be empty. --keep leaves it, so that 'mailwarden
// ledger verify' can be measured too.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "app/core.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/files.h"
#include "crypto/entropy.h"
#include "db/sqlite.h"
#include "ledger/verify.h"
#include "report/check_rows.h"

namespace mailwarden {
namespace {

constexpr std::array batch_sizes{1, 16, 256, 1024, 4096};
const std::string origin = "example.com/bench";

struct Settings {
  std::int64_t entries = 1'000'000;
  std::string folder = (std::filesystem::temp_directory_path() / "ledger_bench").string();
  std::string store = "sqlite:" + folder + "/m.db";
  bool keep = false;
};

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// As large as what most entries say.
ledger::Entry entry_of(std::int64_t number) {
  const std::string text = std::to_string(number);
  return {"gap",
          {{"source", "auth"},
           {"stream", number % 1000},
           {"what", "the file /var/log/auth.log." + text +
                        " was cut off while it was read; what stood behind position " + text +
                        " may be missing"}}};
}

std::vector<ledger::Entry> entries_of(std::int64_t first, std::int64_t count) {
  std::vector<ledger::Entry> entries;
  for (std::int64_t i = 0; i < count; ++i) entries.push_back(entry_of(first + i));
  return entries;
}

class Bench {
 public:
  explicit Bench(Settings settings) : settings_(std::move(settings)) {
    std::filesystem::create_directories(settings_.folder);
    auto opened = db::open_url(settings_.store, {.checkpoints_beside = true});
    CHECK(opened);
    database_ = *std::move(opened);
    const auto steps = app::all_migrations();
    CHECK(db::migrate(*database_, steps, clock_.now()));
    ledger_.emplace(ledger::Ledger::open(*database_, origin, entropy_).value());
    CHECK(ledger_->size() == 0);
    const ledger::VerifierKey key{.name = origin, .key = signer_.public_key()};
    CHECK(write_file_durably(settings_.folder + "/key.pub", to_text(key) + "\n"));
  }
  ~Bench() {
    std::error_code ignored;
    if (!settings_.keep) std::filesystem::remove_all(settings_.folder, ignored);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  void run() {
    std::printf("%8s %16s %16s %7s\n", "batch", "appended a s", "floor a s", "ratio");
    for (const std::int64_t batch : batch_sizes) measure_appends(batch);
    fill();
    measure_verify();
  }

 private:
  void append(std::span<const ledger::Entry> entries) {
    const ledger::Prepared prepared = ledger_->prepare(entries, clock_.now());
    auto transaction = db::Transaction::begin(*database_);
    CHECK(transaction);
    CHECK(ledger::Ledger::write(*database_, prepared));
    CHECK(transaction->commit());
  }

  void measure_appends(std::int64_t batch) {
    constexpr std::int64_t batches_max = 2000;
    const std::int64_t count = std::min<std::int64_t>(batches_max, 100'000 / batch);
    const auto entries = entries_of(0, batch);
    const double took = seconds_of([&] {
      for (std::int64_t i = 0; i < count; ++i) append(entries);
    });
    const double floor = seconds_of([&] { write_floor(entries, count); });
    const auto total = static_cast<double>(batch * count);
    std::printf("%8lld %16.0f %16.0f %6.0f%%\n", static_cast<long long>(batch), total / took,
                total / floor, 100 * floor / took);
  }

  // What cannot be saved: both hashes of an entry, its salt, its bytes on the disk.
  void write_floor(std::span<const ledger::Entry> entries, std::int64_t count) {
    const std::string path = settings_.folder + "/floor";
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(file >= 0);
    std::vector<std::string> records;
    for (const ledger::Entry& entry : entries) records.push_back(json::to_text(entry.record));
    for (std::int64_t i = 0; i < count; ++i) {
      std::string bytes;
      for (const std::string& record : records) {
        ledger::Salt salt{};
        entropy_.fill(salt, record);
        const auto commitment = ledger::commitment(salt, record);
        const auto leaf = ledger::leaf_hash(commitment);
        bytes += record;
        for (const std::span<const std::byte> part :
             {std::span<const std::byte>(salt), std::span<const std::byte>(commitment),
              std::span<const std::byte>(leaf)}) {
          bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
        }
      }
      CHECK(::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
      CHECK(::fsync(file) == 0);
    }
    ::close(file);
    ::unlink(path.c_str());
  }

  void fill() {
    constexpr std::int64_t batch = 4096;
    constexpr std::int64_t sealed_every = 64 * batch;
    while (ledger_->size() < settings_.entries) {
      append(entries_of(ledger_->size(), std::min(batch, settings_.entries - ledger_->size())));
      if (ledger_->size() % sealed_every < batch) seal();
    }
    seal();
  }
  void seal() {
    const auto sealed = ledger_->prepare_seal(signer_);
    if (sealed) CHECK(ledger::Ledger::write_seal(*database_, *sealed));
  }

  void measure_verify() {
    const auto reader = db::open_url(settings_.store, {.read_only = true});
    CHECK(reader);
    const ledger::VerifierKey key{.name = origin, .key = signer_.public_key()};
    const double floor = seconds_of([&] { hash_all(**reader); });
    const auto show = [&](const char* what, double took) {
      std::printf("%-34s %6.2f s, %9.0f a s, floor %5.2f s\n", what, took,
                  static_cast<double>(ledger_->size()) / took, floor);
    };
    show("verified, entries alone",
         seconds_of([&] { CHECK(ledger::verify(**reader, {.key = key})->good()); }));
    show("verified, with all tables", seconds_of([&] {
           const report::Checks checks = report::all_checks(**reader);
           CHECK(ledger::verify(
                     **reader, {.key = key, .check_record = checks.record, .check_end = checks.end})
                     ->good());
         }));
  }

  // Reads every row once and hashes what must be hashed.
  static void hash_all(db::Database& database) {
    const auto rows = database.query("SELECT record, salt, leaf FROM ledger_entry ORDER BY number");
    CHECK(rows);
    ledger::Frontier frontier;
    while ((*rows)->step().value()) {
      frontier.append(ledger::leaf_hash(ledger::commitment((*rows)->blob(1), (*rows)->text(0))));
    }
    CHECK(frontier.size() > 0);
  }

  Settings settings_;
  SystemClock clock_;
  crypto::SystemEntropy entropy_;
  crypto::Signer signer_ = crypto::Signer::from_seed({std::byte{1}});
  std::unique_ptr<db::Database> database_;
  std::optional<ledger::Ledger> ledger_;
};

}  // namespace
}  // namespace mailwarden

int main(int argc, char** argv) {
  mailwarden::Settings settings;
  const std::vector<std::string> words(argv + 1, argv + argc);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--keep") {
      settings.keep = true;
    } else if (words[i] == "--entries" && i + 1 < words.size()) {
      settings.entries = std::atoll(words[++i].c_str());
    } else if (words[i] == "--store" && i + 1 < words.size()) {
      settings.store = words[++i];
    } else {
      std::fprintf(stderr, "usage: ledger_bench [--entries N] [--store URL] [--keep]\n");
      return 2;
    }
  }
  mailwarden::Bench(std::move(settings)).run();
  return 0;
}
