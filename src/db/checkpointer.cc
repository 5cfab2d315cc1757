#include "db/checkpointer.h"

#include <sqlite3.h>

namespace mailwarden::db {
namespace {

// Passive: it waits for nobody, and what a reader still needs in the log is left for the next time.
void checkpoint(sqlite3* connection) {
  sqlite3_wal_checkpoint_v2(connection, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

}  // namespace

Result<std::unique_ptr<Checkpointer>> Checkpointer::start(const std::string& path) {
  sqlite3* connection = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &connection,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Checkpointer> made(new Checkpointer(connection));
  if (result != SQLITE_OK) return fail(Code::io, path + ": " + sqlite3_errstr(result));
  sqlite3_exec(connection, "PRAGMA synchronous=FULL", nullptr, nullptr, nullptr);
  made->thread_ =
      std::jthread([self = made.get()](const std::stop_token& stop) { self->run(stop); });
  return made;
}

Checkpointer::~Checkpointer() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  sqlite3_close_v2(connection_);
}

void Checkpointer::grown(int pages, sqlite3* writer) {
  std::unique_lock lock(mutex_);
  // SQLite has begun the log anew.
  if (pages < pages_) tried_ = 0;
  pages_ = pages;
  if (pages_ < pages_hard) {
    if (pages_ - tried_ >= pages_soft) changed_.notify_all();
    return;
  }
  writer_waits_ = true;
  changed_.wait(lock, [this] { return !working_; });
  writer_waits_ = false;
  checkpoint(writer);
  tried_ = pages_;
}

void Checkpointer::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop,
                       [this] { return pages_ - tried_ >= pages_soft && !writer_waits_; })) {
    working_ = true;
    // Whatever came of it: it is tried again when the log has grown by as much once more.
    tried_ = pages_;
    lock.unlock();
    checkpoint(connection_);
    lock.lock();
    working_ = false;
    changed_.notify_all();
  }
}

}  // namespace mailwarden::db
