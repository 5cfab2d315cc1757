// A database in front of another one, of which a test replaces a part.
#pragma once

#include "db/database.h"

namespace mailwarden {

class ForwardingDatabase : public db::Database {
 public:
  explicit ForwardingDatabase(db::Database& store) : store_(store) {}

  Result<void> execute(std::string_view sql) override { return store_.execute(sql); }
  Result<db::Statement*> prepare(std::string_view sql) override { return store_.prepare(sql); }
  Result<db::Statement*> prepare_scan(std::string_view sql) override {
    return store_.prepare_scan(sql);
  }
  Result<void> insert_rows(std::string_view table, std::span<const std::string_view> columns,
                           const db::RowSource& next) override {
    return store_.insert_rows(table, columns, next);
  }
  std::int64_t changes() const override { return store_.changes(); }
  Result<std::vector<db::Table>> tables() override { return store_.tables(); }
  Result<void> begin() override { return store_.begin(); }
  Result<void> commit() override { return store_.commit(); }
  void rollback() override { store_.rollback(); }
  Result<std::vector<std::string>> begin_reading(bool checks_files) override {
    return store_.begin_reading(checks_files);
  }

 protected:
  db::Database& store_;
};

}  // namespace mailwarden
