// A store that refuses: SQLite, but for one statement or the commit.
#pragma once

#include <map>
#include <memory>

#include "tests/db/forwarding.h"

namespace mailwarden::access {

class FailingDatabase final : public ForwardingDatabase {
 public:
  using ForwardingDatabase::ForwardingDatabase;

  // The n-th step of a statement from now on fails, or the commit behind the last of them; 0: none.
  void fail_at(int step) { left_ = step; }
  bool has_failed() const { return failed_; }

  Result<db::Statement*> prepare(std::string_view sql) override {
    return failing(store_.prepare(sql));
  }
  Result<db::Statement*> prepare_scan(std::string_view sql) override {
    return failing(store_.prepare_scan(sql));
  }
  // Each row is a step.
  Result<void> insert_rows(std::string_view table, std::span<const std::string_view> columns,
                           const db::RowSource& next) override {
    const auto due_or_next = [&](std::span<db::Value> row) { return !is_due() && next(row); };
    auto done = store_.insert_rows(table, columns, due_or_next);
    return done && failed_ ? full() : done;
  }
  Result<void> commit() override { return is_due() ? full() : store_.commit(); }

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

  Result<db::Statement*> failing(const Result<db::Statement*>& made) {
    if (!made) return made;
    auto& known = statements_[*made];
    if (!known) known = std::make_unique<Failing>(*this, **made);
    return known.get();
  }
  bool is_due() {
    const bool due = left_ > 0 && --left_ == 0;
    failed_ = failed_ || due;
    return due;
  }
  static Result<void> full() { return fail(Code::full, "the disk is full"); }

  std::map<db::Statement*, std::unique_ptr<Failing>> statements_;
  int left_ = 0;
  bool failed_ = false;
};

}  // namespace mailwarden::access
