// A store that refuses: SQLite, but for one statement or the commit.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "db/database.h"

namespace mailwarden::access {

class FailingDatabase final : public db::Database {
 public:
  explicit FailingDatabase(db::Database& store) : store_(store) {}

  // The n-th step of a statement from now on fails, or the commit behind the last of them; 0: none.
  void fail_at(int step) { left_ = step; }
  bool has_failed() const { return failed_; }

  Result<void> execute(std::string_view sql) override { return store_.execute(sql); }
  Result<db::Statement*> prepare(std::string_view sql) override {
    auto made = store_.prepare(sql);
    if (!made) return made;
    auto& known = statements_[std::string(sql)];
    if (!known) known = std::make_unique<Failing>(*this, **made);
    return known.get();
  }
  std::int64_t changes() const override { return store_.changes(); }
  Result<void> begin() override { return store_.begin(); }
  Result<void> commit() override { return is_due() ? full() : store_.commit(); }
  void rollback() override { store_.rollback(); }
  Result<std::vector<std::string>> begin_reading(bool checks_files) override {
    return store_.begin_reading(checks_files);
  }

 private:
  class Failing final : public db::Statement {
   public:
    Failing(FailingDatabase& owner, db::Statement& statement)
        : owner_(owner), statement_(statement) {}

    using Statement::bind;
    Result<void> bind(std::span<const db::Value> values) override {
      return statement_.bind(values);
    }
    Result<bool> step() override {
      if (owner_.is_due()) return std::unexpected(full().error());
      return statement_.step();
    }
    bool is_null(int column) const override { return statement_.is_null(column); }
    std::int64_t integer(int column) const override { return statement_.integer(column); }
    double number(int column) const override { return statement_.number(column); }
    std::string_view text(int column) const override { return statement_.text(column); }
    db::Blob blob(int column) const override { return statement_.blob(column); }
    int columns() const override { return statement_.columns(); }

   private:
    FailingDatabase& owner_;
    db::Statement& statement_;
  };

  bool is_due() {
    const bool due = left_ > 0 && --left_ == 0;
    failed_ = failed_ || due;
    return due;
  }
  static Result<void> full() { return fail(Code::full, "the disk is full"); }

  db::Database& store_;
  std::map<std::string, std::unique_ptr<Failing>> statements_;
  int left_ = 0;
  bool failed_ = false;
};

}  // namespace mailwarden::access
