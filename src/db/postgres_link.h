// One connection to PostgreSQL, whose exceptions end here.
//
// What     connect() checks what the server is and sets the connection up; guarded() runs what uses
//          libpqxx and makes errors of its exceptions. A connection is never made anew behind the
//          back of whoever uses it: half of a transaction would then stand outside of any.
// Owns     The connection.
// Threads  One at a time.
// Errors   As db/postgres.h.
// Limits   None of its own.
// Source   libpqxx 6.4; SQLSTATE of PostgreSQL 15, appendix A.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "db/open.h"

namespace pqxx {
class connection_base;
class transaction_base;
}  // namespace pqxx

namespace mailwarden::db {

class PostgresLink {
 public:
  static Result<std::unique_ptr<PostgresLink>> connect(const std::string& url,
                                                       const OpenOptions& options);
  PostgresLink(const PostgresLink&) = delete;
  PostgresLink& operator=(const PostgresLink&) = delete;
  ~PostgresLink();

  // Runs what may throw what libpqxx throws.
  Result<void> guarded(const std::function<void(pqxx::transaction_base&)>& use);
  Result<void> execute(const std::string& sql);
  // The first column of the single row; "" where there is no row.
  Result<std::string> text(const std::string& sql);

  bool is_open() const;
  pqxx::connection_base& connection();
  // What no other connection to this server was ever called: its process and when that began.
  const std::string& name() const { return name_; }

 private:
  struct Parts;
  explicit PostgresLink(std::unique_ptr<Parts> parts);
  Result<void> set_up(const OpenOptions& options);
  Result<void> check_server(bool writes);

  std::unique_ptr<Parts> parts_;
  std::string name_;
};

}  // namespace mailwarden::db
