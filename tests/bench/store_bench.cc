// Event rows a second into a store, beside the database taking the same rows bare, and how long
// questions take on the filled store.
//
//   store_bench URL [EVENTS [QUESTIONS]]     1,000,000 events and 1,000 questions unless told
//
// URL names an empty store, sqlite:PATH or postgresql://..., on the disk to be measured; of one
// that this program has filled, questions alone are asked. Bare is
// sqlite3_step() of one prepared INSERT, or PQputCopyData() of lines that stand ready, into a table
// with the same columns and indexes, in transactions of the same size. Rates are of the time in the
// database alone, in turns within one run.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>

#include <libpq-fe.h>
#include <sqlite3.h>

#include "base/check.h"
#include "db/open.h"
#include "event/event_json.h"
#include "ingest/event_query.h"

namespace mailwarden {
namespace {

using std::chrono::steady_clock;

constexpr std::int64_t batch_events = 256;
constexpr std::int64_t batches_per_write = 32;
constexpr std::int64_t begin_us = 1'795'500'000'000'000;

double seconds_since(steady_clock::time_point begun) {
  return std::chrono::duration<double>(steady_clock::now() - begun).count();
}

// Few names are frequent and many are rare, as in a company's logs.
std::string name_of(std::mt19937_64& random, const std::string& kind, std::uint64_t names) {
  const double part = static_cast<double>(random() >> 11) / 9007199254740992.0;
  return kind + std::to_string(
                    static_cast<std::uint64_t>(part * part * part * static_cast<double>(names)));
}

struct Batch {
  ingest::NewEvents events;
  ingest::EventBatchRow row;
};

Batch make_batch(std::mt19937_64& random, std::int64_t number) {
  Batch batch;
  batch.row = {.entry = number,
               .stream = 1 + number % 7,
               .first = 1 + number * batch_events,
               .count = batch_events,
               .earliest = {INT64_MAX},
               .latest = {0}};
  ingest::EntityGatherer entities(nullptr);
  for (std::int64_t i = 0; i < batch_events; ++i) {
    Event event{.id = {.stream = batch.row.stream, .position = (number * batch_events + i) * 120},
                .time = {begin_us + (number * batch_events + i) * 8640},
                .source = "auth",
                .logsource = {.product = "linux", .service = "sshd"},
                .decoder = "sshd"};
    event.ocsf.class_uid = ocsf_class::authentication;
    event.ocsf.user = name_of(random, "user", 20'000) + "@example.com";
    event.ocsf.src_ip = name_of(random, "2001:db8::", 100'000);
    event.ocsf.message = "Failed password for user from an address, port 22 ssh2";
    event.raw = "Nov 24 02:14:40 mail1 sshd[4711]: " + event.ocsf.message + event.ocsf.user +
                event.ocsf.src_ip;
    batch.row.earliest = std::min(batch.row.earliest, event.time);
    batch.row.latest = std::max(batch.row.latest, event.time);
    entities.add(event);
    append_json(batch.events.records, event);
    batch.events.rows.push_back(
        {.id = event.id, .time = event.time, .end = batch.events.records.size()});
    batch.events.salts.emplace_back();
  }
  batch.events.entities = entities.take().value();
  return batch;
}

constexpr std::string_view bare_table =
    "CREATE TABLE bare (number BIGINT PRIMARY KEY, stream BIGINT NOT NULL,"
    " position BIGINT NOT NULL, time BIGINT NOT NULL, salt BLOB NOT NULL, record TEXT NOT NULL);"
    "CREATE UNIQUE INDEX bare_id ON bare (stream, position)";

// The database without us.
class Bare {
 public:
  virtual ~Bare() = default;
  // Seconds for the rows of these batches, in one transaction.
  virtual double insert(const std::vector<Batch>& batches) = 0;
};

class BareSqlite final : public Bare {
 public:
  explicit BareSqlite(const std::string& path) {
    CHECK(sqlite3_open(path.c_str(), &connection_) == SQLITE_OK);
    run("PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "PRAGMA secure_delete=ON; PRAGMA cache_size=-16384;");
    std::string table(bare_table);
    table.replace(table.find("BIGINT PRIMARY"), 6, "INTEGER");
    run(table);
    CHECK(sqlite3_prepare_v2(connection_, "INSERT INTO bare VALUES (?,?,?,?,?,?)", -1, &insert_,
                             nullptr) == SQLITE_OK);
  }
  ~BareSqlite() override {
    sqlite3_finalize(insert_);
    sqlite3_close(connection_);
  }

  double insert(const std::vector<Batch>& batches) override {
    const auto begun = steady_clock::now();
    run("BEGIN IMMEDIATE");
    for (const Batch& batch : batches) {
      for (std::size_t i = 0; i < batch.events.rows.size(); ++i) add(batch, i);
    }
    run("COMMIT");
    return seconds_since(begun);
  }

 private:
  void run(const std::string& sql) {
    CHECK(sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  void add(const Batch& batch, std::size_t i) {
    const auto& row = batch.events.rows[i];
    const std::string_view record = batch.events.record(i);
    sqlite3_bind_int64(insert_, 1, batch.row.first + static_cast<std::int64_t>(i));
    sqlite3_bind_int64(insert_, 2, row.id.stream);
    sqlite3_bind_int64(insert_, 3, row.id.position);
    sqlite3_bind_int64(insert_, 4, row.time.us);
    sqlite3_bind_blob(insert_, 5, batch.events.salts[i].data(), 16, SQLITE_STATIC);
    sqlite3_bind_text(insert_, 6, record.data(), static_cast<int>(record.size()), SQLITE_STATIC);
    CHECK(sqlite3_step(insert_) == SQLITE_DONE);
    sqlite3_reset(insert_);
  }

  sqlite3* connection_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

class BarePostgres final : public Bare {
 public:
  explicit BarePostgres(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
    CHECK(PQstatus(connection_) == CONNECTION_OK);
  }
  ~BarePostgres() override { PQfinish(connection_); }

  double insert(const std::vector<Batch>& batches) override {
    std::vector<std::string> lines;
    for (const Batch& batch : batches) {
      for (std::size_t i = 0; i < batch.events.rows.size(); ++i) lines.push_back(line(batch, i));
    }
    const auto begun = steady_clock::now();
    run("BEGIN", PGRES_COMMAND_OK);
    run("COPY bare FROM STDIN", PGRES_COPY_IN);
    for (const std::string& one : lines) {
      CHECK(PQputCopyData(connection_, one.data(), static_cast<int>(one.size())) == 1);
    }
    CHECK(PQputCopyEnd(connection_, nullptr) == 1);
    while (PGresult* const result = PQgetResult(connection_)) PQclear(result);
    run("COMMIT", PGRES_COMMAND_OK);
    return seconds_since(begun);
  }

 private:
  static std::string line(const Batch& batch, std::size_t i) {
    const auto& row = batch.events.rows[i];
    std::string text = std::to_string(batch.row.first + static_cast<std::int64_t>(i)) + "\t" +
                       std::to_string(row.id.stream) + "\t" + std::to_string(row.id.position) +
                       "\t" + std::to_string(row.time.us) + "\t\\\\x" + std::string(32, '0') + "\t";
    for (const char c : batch.events.record(i)) {
      if (c == '\\') text += '\\';
      text += c;
    }
    return text + "\n";
  }
  void run(const char* sql, ExecStatusType wanted) {
    PGresult* const result = PQexec(connection_, sql);
    CHECK(PQresultStatus(result) == wanted);
    PQclear(result);
  }

  PGconn* connection_;
};

struct Times {
  double bare = 0;
  double events = 0;  // our event rows alone
  double whole = 0;   // with batches and the index of entities, as the daemon writes them
};

double timed(db::Database& store, const std::function<void()>& write) {
  const auto begun = steady_clock::now();
  auto transaction = db::Transaction::begin(store).value();
  write();
  CHECK(transaction.commit());
  return seconds_since(begun);
}

Times fill(db::Database& store, db::Database& rows_alone, Bare& bare, std::int64_t events,
           std::int64_t events_bare) {
  std::mt19937_64 random(1);
  Times times;
  for (std::int64_t number = 0; number * batch_events < events;) {
    std::vector<Batch> batches;
    for (std::int64_t i = 0; i < batches_per_write && number * batch_events < events; ++i) {
      batches.push_back(make_batch(random, number++));
    }
    if (number * batch_events <= events_bare) {
      times.bare += bare.insert(batches);
      times.events += timed(rows_alone, [&] {
        for (const Batch& batch : batches) {
          CHECK(ingest::store_events(rows_alone, batch.row.first, batch.events));
        }
      });
    }
    times.whole += timed(store, [&] {
      for (const Batch& batch : batches) {
        CHECK(ingest::store_events(store, batch.row.first, batch.events));
        CHECK(ingest::store_batch(store, batch.row));
        CHECK(ingest::store_entities(store, batch.row.first, batch.events.entities));
      }
      if (number % ingest::merge_batches == 0) CHECK(ingest::merge_entities(store));
    });
  }
  return times;
}

void ask(db::Database& store, const char* what, int questions, std::int64_t events,
         const std::function<ingest::EventQuery(std::mt19937_64&)>& question) {
  std::mt19937_64 random(2);
  std::vector<double> milliseconds;
  std::size_t rows = 0;
  for (int i = 0; i < questions; ++i) {
    ingest::EventQuery query = question(random);
    // Half of them on a page that is not the first.
    if (i % 2 == 0)
      query.before = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(events));
    const auto begun = steady_clock::now();
    const auto found = ingest::query_events(store, query);
    milliseconds.push_back(1e3 * seconds_since(begun));
    CHECK(found);
    rows += found->size();
  }
  std::ranges::sort(milliseconds);
  const auto at = [&](double part) {
    return milliseconds[static_cast<std::size_t>(part * static_cast<double>(questions - 1))];
  };
  std::printf("%-34s p50 %7.2f  p95 %7.2f  worst %7.2f ms, %5.1f rows each\n", what, at(0.5),
              at(0.95), at(1), static_cast<double>(rows) / questions);
}

void ask_all(db::Database& store, int questions, std::int64_t events) {
  const auto time_in = [events](std::mt19937_64& random) {
    return Timestamp{
        begin_us + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(events)) * 8640};
  };
  ask(store, "by account", questions, events, [](auto& random) {
    return ingest::EventQuery{.account = name_of(random, "user", 20'000) + "@example.com"};
  });
  ask(store, "by address", questions, events, [](auto& random) {
    return ingest::EventQuery{.address = name_of(random, "2001:db8::", 100'000)};
  });
  ask(store, "by an hour", questions, events, [&](auto& random) {
    const Timestamp from = time_in(random);
    return ingest::EventQuery{.from = from, .until = Timestamp{from.us + 3'600'000'000}};
  });
  ask(store, "by account, in an hour", questions, events, [&](auto& random) {
    const Timestamp from = time_in(random);
    return ingest::EventQuery{.account = name_of(random, "user", 20'000) + "@example.com",
                              .from = from,
                              .until = Timestamp{from.us + 3'600'000'000}};
  });
  ask(store, "by account and address", questions, events, [](auto& random) {
    return ingest::EventQuery{.account = name_of(random, "user", 2'000) + "@example.com",
                              .address = name_of(random, "2001:db8::", 2'000)};
  });
}

int bench(const std::string& url, std::int64_t events, int questions) {
  const auto store = db::open_url(url, {.checkpoints_beside = true});
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().what.c_str());
    return 1;
  }
  CHECK(db::migrate(**store, ingest::migrations(), {}));
  if (const auto filled = ingest::last_event_number(**store).value(); filled > 0) {
    ask_all(**store, questions, filled);
    return 0;
  }
  const bool is_sqlite = url.starts_with("sqlite:");
  std::unique_ptr<Bare> bare;
  std::unique_ptr<db::Database> rows_alone;
  if (is_sqlite) {
    bare = std::make_unique<BareSqlite>(url.substr(7) + ".bare");
    rows_alone = db::open_url(url + ".rows", {.checkpoints_beside = true}).value();
    CHECK(db::migrate(*rows_alone, ingest::migrations(), {}));
  } else {
    CHECK((*store)->execute(bare_table));
    CHECK((*store)->execute("CREATE SCHEMA rows_alone"));
    bare = std::make_unique<BarePostgres>(url);
    rows_alone =
        db::open_url(url + (url.contains('?') ? "&" : "?") + "options=-csearch_path%3Drows_alone")
            .value();
    CHECK(db::migrate(*rows_alone, ingest::migrations(), {}));
  }
  const std::int64_t events_bare = std::min<std::int64_t>(events, 2'000'000);
  const Times times = fill(**store, *rows_alone, *bare, events, events_bare);
  const auto rate = [](const char* what, std::int64_t rows, double seconds) {
    std::printf("%-34s %9.0f events/s\n", what, static_cast<double>(rows) / seconds);
  };
  rate("the same rows bare", events_bare, times.bare);
  rate("event rows", events_bare, times.events);
  rate("with batches and entities", events, times.whole);
  std::printf("event rows / bare                  %9.0f %%\n", 100 * times.bare / times.events);
  if (!is_sqlite) CHECK((*store)->execute("ANALYZE"));
  ask_all(**store, questions, events);
  return 0;
}

}  // namespace
}  // namespace mailwarden

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: store_bench URL [EVENTS [QUESTIONS]]\n");
    return 2;
  }
  return mailwarden::bench(argv[1], argc > 2 ? std::atoll(argv[2]) : 1'000'000,
                           argc > 3 ? std::atoi(argv[3]) : 1000);
}
