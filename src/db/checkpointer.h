// Carries SQLite's write-ahead log into the store beside the thread that writes.
//
// What     A writer that checkpoints on its own copies every page a second time and waits for the
//          disk a second time. A Checkpointer does that on a thread and a connection of its own,
//          whenever the log has grown by pages_soft; at pages_hard the writer waits for it and does
//          the rest, after which SQLite writes the log from its beginning again.
// Owns     A connection and a thread.
// Threads  start() and grown() from the writer's thread.
// Errors   A checkpoint that fails is tried again when the log has grown: what is committed is in
//          the log, and stays there.
// Limits   The log holds little more than pages_hard pages unless a reader keeps an old state of
//          the store for longer.
// Source   SQLite 3.40, wal.html.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/result.h"

struct sqlite3;

namespace mailwarden::db {

class Checkpointer {
 public:
  static constexpr int pages_soft = 1000;
  static constexpr int pages_hard = 8000;

  static Result<std::unique_ptr<Checkpointer>> start(const std::string& path);
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;
  ~Checkpointer();

  // To be called behind each commit; `writer` is the connection that committed.
  void grown(int pages, sqlite3* writer);

 private:
  explicit Checkpointer(sqlite3* connection) : connection_(connection) {}
  void run(const std::stop_token& stop);

  sqlite3* connection_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int pages_ = 0;  // in the log
  int tried_ = 0;  // in it when a checkpoint was last tried
  bool working_ = false;
  bool writer_waits_ = false;
  std::jthread thread_;
};

}  // namespace mailwarden::db
