#include "db/open.h"

#include "db/postgres.h"
#include "db/sqlite.h"

namespace mailwarden::db {

Result<std::unique_ptr<Database>> open_url(std::string_view url, const OpenOptions& options) {
  constexpr std::string_view sqlite = "sqlite:";
  if (url.starts_with(sqlite) && url.size() > sqlite.size()) {
    return open_sqlite(std::string(url.substr(sqlite.size())), options);
  }
  if (url.starts_with("postgresql://") || url.starts_with("postgres://")) {
    return open_postgres(std::string(url), options);
  }
  return fail(Code::invalid, "'" + std::string(url) +
                                 "' is not a store; expected sqlite:PATH or "
                                 "postgresql://USER@HOST/DATABASE");
}

}  // namespace mailwarden::db
