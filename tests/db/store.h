// A store for a test: SQLite, or the PostgreSQL that ctest has started for the suites that run on
// both.
#pragma once

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>

#include <unistd.h>

#include "db/open.h"
#include "tests/temporary.h"

namespace mailwarden {

// Where that PostgreSQL is; "" in a run on SQLite.
inline std::string postgres_url() {
  const char* const url = std::getenv("MAILWARDEN_POSTGRES");
  return url != nullptr ? url : "";
}
inline bool is_on_postgres() {
  return !postgres_url().empty();
}

// An empty schema of that server, as a URL of its own.
inline std::string fresh_schema(const std::string& server) {
  static std::atomic<int> made = 0;
  const std::string name = "test_" + std::to_string(::getpid()) + "_" + std::to_string(++made);
  const auto done = db::open_url(server).value()->execute("DROP SCHEMA IF EXISTS " + name +
                                                          " CASCADE; CREATE SCHEMA " + name);
  EXPECT_TRUE(done);
  return server + "&options=-csearch_path%3D" + name;
}

// One that can be opened several times.
class FreshStore {
 public:
  FreshStore()
      : url_(is_on_postgres() ? fresh_schema(postgres_url()) : "sqlite:" + folder_.path("store")) {}

  std::unique_ptr<db::Database> open(const db::OpenOptions& options = {}) const {
    return db::open_url(url_, options).value();
  }
  const std::string& url() const { return url_; }

 private:
  TemporaryFolder folder_;
  std::string url_;
};

// One that is opened once.
inline std::unique_ptr<db::Database> fresh_store() {
  return is_on_postgres() ? FreshStore().open() : db::open_url("sqlite::memory:").value();
}

}  // namespace mailwarden
