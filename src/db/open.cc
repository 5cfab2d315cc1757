#include "db/open.h"

#include "db/postgres.h"
#include "db/sqlite.h"

namespace mailwarden::db {

namespace {

constexpr std::string_view sqlite = "sqlite:";

}  // namespace

bool is_postgres(std::string_view url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

Result<void> check_url(std::string_view url) {
  if (is_postgres(url) || (url.starts_with(sqlite) && url.size() > sqlite.size())) return {};
  return fail(Code::invalid, "'" + std::string(url) +
                                 "' is not a store; expected sqlite:PATH or "
                                 "postgresql://USER@HOST/DATABASE");
}

Result<std::unique_ptr<Database>> open_url(std::string_view url, const OpenOptions& options) {
  if (auto good = check_url(url); !good) return std::unexpected(good.error());
  if (is_postgres(url)) return open_postgres(std::string(url), options);
  return open_sqlite(std::string(url.substr(sqlite.size())), options);
}

Result<std::unique_ptr<Database>> open_with_keys(const StoreAddress& store,
                                                 const OpenOptions& options) {
  auto opened = open_url(store.url, options);
  if (opened) (*opened)->set_sealing(store.sealing);
  return opened;
}

}  // namespace mailwarden::db
