// The rows of the book of keys.
//
// What     Wrapped keys by id and version, whose key is whose by blind index, which were shredded,
//          and how far the walks that seal anew have come.
// Owns     Nothing.
// Threads  The database's.
// Errors   As Database.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "crypto/key_provider.h"
#include "db/database.h"
#include "vault/key_cache.h"

namespace mailwarden::vault {

struct KeyRow {
  KeyName name;
  crypto::Wrapped wrapped;
};

// How many keys are wrapped under which version.
struct KekCount {
  crypto::KekName kek;
  std::int64_t keys = 0;
};

// One table's walk; none is at work where there is no row.
struct Walk {
  std::string after;      // the cursor of the last row that is done with
  bool done = false;      // to the end
  bool deferred = false;  // values were sealed for the recipient's share
};

class KeyTable {
 public:
  explicit KeyTable(db::Database& database) : database_(&database) {}

  Result<std::optional<KeyRow>> find(const KeyName& name);
  // The version that is not retired.
  Result<std::optional<KeyRow>> newest(std::uint64_t id);
  Result<std::optional<KeyRow>> newest(const SubjectIndex& subject);
  Result<void> add(const KeyRow& row, Timestamp now);
  // False where the subject has a key already.
  Result<bool> add_subject(const SubjectIndex& subject, std::uint64_t id);

  Result<std::int64_t> count_subjects();
  Result<std::int64_t> count_shredded();

  Result<std::optional<Timestamp>> shredded(std::uint64_t id);
  // All versions of the key, and what led to it.
  Result<void> shred(std::uint64_t id, Timestamp now);

  Result<void> retire(const KeyName& name);
  Result<std::set<KeyName>> retired();
  Result<void> drop_retired();

  // Rows behind `after` that are not wrapped under that version, by name.
  Result<std::vector<KeyRow>> wrapped_otherwise(const crypto::KekName& kek, const KeyName& after,
                                                std::size_t rows_max);
  Result<std::int64_t> count_otherwise(const crypto::KekName& kek);
  // Nothing where the row is gone or no longer wrapped under `before`.
  Result<void> rewrap(const KeyRow& row, const crypto::KekName& before);
  Result<std::vector<KekCount>> counts();

  Result<std::optional<Walk>> walk(std::string_view table);
  // Begins it anew; keeps that there are deferred values until it has come to its end.
  Result<void> begin_walk(std::string_view table, bool deferred);
  Result<void> advance_walk(std::string_view table, std::string_view after, bool done);
  Result<std::int64_t> walks_not_done();
  // The names of the tables with deferred values, sorted.
  Result<std::vector<std::string>> deferred_tables();
  Result<void> end_walks();

  Result<void> add_share(std::uint32_t version, const crypto::Share& share);
  // The newest, with its version; 0 where there is none.
  Result<std::pair<std::uint32_t, crypto::Share>> share();

  db::Database& database() { return *database_; }

 private:
  Result<std::vector<KeyRow>> rows(std::string_view sql, std::initializer_list<db::Value> values);
  Result<std::optional<KeyRow>> row(std::string_view sql, std::initializer_list<db::Value> values);

  db::Database* database_;
};

}  // namespace mailwarden::vault
