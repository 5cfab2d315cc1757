#include "db/file_check.h"

#include "db/open.h"

namespace mailwarden::db {
namespace {

constexpr std::int64_t check_cache_bytes = std::int64_t{4} * 1024 * 1024;

Result<FileCheck> check_server(Database& database) {
  const auto keeps =
      database.integer("SELECT CASE current_setting('data_checksums') WHEN 'on' THEN 1 ELSE 0 END");
  if (!keeps) return std::unexpected(keeps.error());
  return FileCheck{.way = "data_checksums", .damage = {}, .is_unguarded = *keeps == 0};
}

Result<FileCheck> check_file(Database& database, std::int64_t thorough_bytes_max) {
  const auto pages = database.integer("PRAGMA page_count");
  if (!pages) return std::unexpected(pages.error());
  const auto page_bytes = database.integer("PRAGMA page_size");
  if (!page_bytes) return std::unexpected(page_bytes.error());
  const bool is_small = *pages * *page_bytes <= thorough_bytes_max;
  FileCheck check{.way = is_small ? "integrity_check" : "quick_check", .damage = {}};
  auto damage = ask_for_damage(database, check.way);
  if (!damage) return std::unexpected(damage.error());
  check.damage = *std::move(damage);
  return check;
}

Result<FileCheck> check_opened(const std::string& url, const FileCheckOptions& options,
                               const std::stop_token& stop) {
  const auto opened = open_url(url, {.read_only = true, .cache_bytes = check_cache_bytes});
  if (!opened) return std::unexpected(opened.error());
  Database& database = **opened;
  if (is_postgres(url)) return check_server(database);
  // It stays open to the end. So it holds the state, and an interruption counts whenever it comes:
  // without a statement at work SQLite would forget it.
  const auto held = database.query("SELECT COUNT(*) FROM sqlite_schema");
  if (!held) return std::unexpected(held.error());
  if (auto row = (*held)->step(); !row) return std::unexpected(row.error());
  const std::stop_callback interrupted(stop, [&database] { database.interrupt(); });
  if (options.begun) options.begun();
  auto check = check_file(database, options.thorough_bytes_max);
  // It may have said something before it saw that it was to end, which is no finding.
  if (check && stop.stop_requested()) return fail(Code::unavailable, "the check was stopped");
  return check;
}

}  // namespace

Result<std::vector<std::string>> ask_for_damage(Database& database, const std::string& way) {
  std::vector<std::string> damage;
  const auto rows =
      database.query("PRAGMA " + way + "(" + std::to_string(FileCheck::findings_max) + ")");
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more && more.error().code == Code::unavailable) return std::unexpected(more.error());
    // So damaged that the check itself ends: that is its finding.
    if (!more) damage.push_back(more.error().what);
    if (!more || !*more) return damage;
    if ((*rows)->text(0) != "ok") damage.emplace_back((*rows)->text(0));
  }
}

Result<FileCheck> check_files(const std::string& url, const FileCheckOptions& options,
                              const std::stop_token& stop) {
  auto check = check_opened(url, options, stop);
  if (check || check.error().code != Code::corrupt) return check;
  // So damaged that it cannot even be asked.
  return FileCheck{.way = "integrity_check", .damage = {check.error().what}};
}

}  // namespace mailwarden::db
