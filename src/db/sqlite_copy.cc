#include "db/sqlite_copy.h"

#include <filesystem>

#include <sqlite3.h>

#include "base/files.h"
#include "db/sqlite.h"
#include "db/sqlite_errors.h"

namespace mailwarden::db {
namespace {

constexpr int busy_milliseconds = 2000;

std::string copy_path(const std::string& path_of_store) {
  return path_of_store + ".trial";
}

struct Closer {
  void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
};
using Connection = std::unique_ptr<sqlite3, Closer>;

Result<Connection> connect(const std::string& path, int flags) {
  sqlite3* opened = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Connection connection(opened);
  if (result != SQLITE_OK) return fail(path, sqlite_failure(opened, result).error());
  sqlite3_busy_timeout(opened, busy_milliseconds);
  return connection;
}

Result<std::int64_t> system_free_bytes(const std::string& folder) {
  std::error_code failed;
  const auto space = std::filesystem::space(folder, failed);
  if (failed) return fail(Code::io, folder + ": " + failed.message());
  return static_cast<std::int64_t>(space.available);
}

std::string megabytes(std::int64_t bytes) {
  constexpr std::int64_t megabyte = 1'000'000;
  return std::to_string((bytes + megabyte - 1) / megabyte) + " MB";
}

// The copy, and half as much again for what is tried on it and for the store's log afterwards.
Result<void> check_room(const SqliteCopyOptions& options) {
  const std::int64_t needed = options.pages * options.page_bytes / 2 * 3;
  const std::string folder = std::filesystem::path(options.path).parent_path().string();
  const auto free = options.free_bytes ? options.free_bytes(folder) : system_free_bytes(folder);
  if (!free) return std::unexpected(free.error());
  if (*free >= needed) return {};
  return fail(Code::full, "the new tables are tried on a copy of the store first, for which " +
                              folder + " needs " + megabytes(needed) + " of free space and has " +
                              megabytes(*free));
}

Result<void> copy_pages(const std::string& from, const std::string& to) {
  const auto source = connect(from, SQLITE_OPEN_READONLY);
  if (!source) return std::unexpected(source.error());
  const auto target = connect(to, SQLITE_OPEN_READWRITE);
  if (!target) return std::unexpected(target.error());
  sqlite3_exec(target->get(), "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", nullptr, nullptr,
               nullptr);
  sqlite3_backup* const backup = sqlite3_backup_init(target->get(), "main", source->get(), "main");
  if (backup == nullptr) {
    return sqlite_failure(target->get(), sqlite3_extended_errcode(target->get()));
  }
  // All pages at once, so that they are of one state.
  const int stepped = sqlite3_backup_step(backup, -1);
  const int finished = sqlite3_backup_finish(backup);
  if (stepped == SQLITE_DONE && finished == SQLITE_OK) return {};
  return sqlite_failure(nullptr, stepped == SQLITE_DONE ? finished : stepped);
}

Result<std::unique_ptr<Database>> open_copy(const SqliteCopyOptions& options,
                                            const std::string& path) {
  if (auto made = create_private_file_durably(path, ""); !made) {
    return std::unexpected(made.error());
  }
  if (auto copied = copy_pages(options.path, path); !copied) {
    return fail("the new tables could not be tried on a copy of the store", copied.error());
  }
  return open_sqlite(
      path, {.store_bytes_max = options.pages_max * options.page_bytes, .is_scratch = true});
}

}  // namespace

Result<std::unique_ptr<StoreCopy>> copy_sqlite(const SqliteCopyOptions& options) {
  remove_sqlite_copy(options.path);
  if (auto room = check_room(options); !room) return std::unexpected(room.error());
  auto copy = open_copy(options, copy_path(options.path));
  if (!copy) {
    remove_sqlite_copy(options.path);
    return std::unexpected(copy.error());
  }
  return std::make_unique<StoreCopy>(*std::move(copy),
                                     [path = options.path] { remove_sqlite_copy(path); });
}

void remove_sqlite_copy(const std::string& path_of_store) {
  std::error_code ignored;
  for (const char* const end : {"", "-journal", "-wal", "-shm"}) {
    std::filesystem::remove(copy_path(path_of_store) + end, ignored);
  }
}

}  // namespace mailwarden::db
