// A database that remembers what it was asked.
#pragma once

#include <set>
#include <string>

#include "tests/db/forwarding.h"

namespace mailwarden {

class RecordingDatabase final : public ForwardingDatabase {
 public:
  using ForwardingDatabase::ForwardingDatabase;

  // Every text that was prepared, for few rows or many.
  const std::set<std::string, std::less<>>& asked() const { return asked_; }

  Result<db::Statement*> prepare(std::string_view sql) override {
    asked_.emplace(sql);
    return store_.prepare(sql);
  }
  Result<db::Statement*> prepare_scan(std::string_view sql) override {
    asked_.emplace(sql);
    return store_.prepare_scan(sql);
  }

 private:
  std::set<std::string, std::less<>> asked_;
};

}  // namespace mailwarden
