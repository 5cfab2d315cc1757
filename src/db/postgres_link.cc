#include "db/postgres_link.h"

#include <array>
#include <pqxx/pqxx>

#include "base/text.h"
#include "db/postgres.h"

namespace mailwarden::db {
namespace {

Code to_code(std::string_view state) {
  struct Known {
    std::string_view prefix;
    Code code;
  };
  // The longest that fits stands first.
  constexpr std::array known{
      Known{"53100", Code::full},         // disk full
      Known{"53", Code::unavailable},     // memory, connections
      Known{"54", Code::full},            // limits of the program
      Known{"25006", Code::denied},       // a read-only transaction
      Known{"42501", Code::denied},       // privileges
      Known{"28", Code::denied},          // authorization
      Known{"3D", Code::not_found},       // no such database
      Known{"23", Code::conflict},        // constraints
      Known{"40", Code::unavailable},     // rolled back: serialization, deadlock
      Known{"55P03", Code::unavailable},  // no lock in time
      Known{"57", Code::unavailable},     // cancelled, time-out, the server stops or starts
      Known{"08", Code::unavailable},     // connection
      Known{"25", Code::invalid},        Known{"22", Code::invalid},   Known{"26", Code::invalid},
      Known{"42", Code::invalid},        Known{"55", Code::invalid},   Known{"0A", Code::invalid},
      Known{"P0", Code::denied},  // refused by one of our triggers
      Known{"XX001", Code::corrupt},     Known{"XX002", Code::corrupt}};
  for (const Known& one : known) {
    if (state.starts_with(one.prefix)) return one.code;
  }
  return Code::io;
}

// Some of libpqxx's exceptions tell their SQLSTATE by their type alone.
Code to_code(const pqxx::sql_error& error) {
  if (!error.sqlstate().empty()) return to_code(std::string_view(error.sqlstate()));
  if (dynamic_cast<const pqxx::insufficient_privilege*>(&error) != nullptr) return Code::denied;
  if (dynamic_cast<const pqxx::plpgsql_error*>(&error) != nullptr) return Code::denied;
  if (dynamic_cast<const pqxx::integrity_constraint_violation*>(&error) != nullptr) {
    return Code::conflict;
  }
  if (dynamic_cast<const pqxx::disk_full*>(&error) != nullptr) return Code::full;
  if (dynamic_cast<const pqxx::insufficient_resources*>(&error) != nullptr) {
    return Code::unavailable;
  }
  const bool wrong = dynamic_cast<const pqxx::syntax_error*>(&error) != nullptr ||
                     dynamic_cast<const pqxx::data_exception*>(&error) != nullptr ||
                     dynamic_cast<const pqxx::feature_not_supported*>(&error) != nullptr;
  return wrong ? Code::invalid : Code::io;
}

// PostgreSQL's sentence without its label and what it adds on further lines.
std::string sentence(std::string_view message) {
  message = split(trim(message), '\n').front();
  for (const std::string_view label : {"ERROR:", "FATAL:", "PANIC:"}) {
    if (const auto at = message.find(label); at != message.npos && at < 2) {
      message.remove_prefix(at + label.size());
    }
  }
  return "database: " + printable(trim(message));
}

std::string lost(std::string_view what) {
  const std::string said = sentence(what);
  return said == "database: " ? "database: the connection was lost" : said;
}

// What a try must not wait for without end, unless the URL says so itself.
std::string with_defaults(std::string url, bool writes) {
  std::vector<std::pair<std::string, std::string>> defaults{
      {"application_name", "mailwarden"}, {"connect_timeout", "5"},  {"keepalives_idle", "10"},
      {"keepalives_interval", "5"},       {"keepalives_count", "3"}, {"tcp_user_timeout", "30000"}};
  // Of several hosts the one that takes writes, so that a failover is followed.
  if (writes) defaults.emplace_back("target_session_attrs", "read-write");
  for (const auto& [name, value] : defaults) {
    if (url.find(name + "=") != url.npos) continue;
    url += url.find('?') == url.npos ? '?' : '&';
    url += name + "=" + value;
  }
  return url;
}

std::string milliseconds(std::chrono::milliseconds time) {
  return "'" + std::to_string(time.count()) + "ms'";
}

}  // namespace

struct PostgresLink::Parts {
  explicit Parts(const std::string& url) : connection(url), quiet(connection) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    // The only way to forbid it that there is in this version.
    connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
    transaction = std::make_unique<pqxx::nontransaction>(connection);
  }

  pqxx::connection connection;
  pqxx::quiet_errorhandler quiet;
  bool ended = false;
  // Transactions are begun and ended by our own statements, so that many may follow in this one.
  std::unique_ptr<pqxx::nontransaction> transaction;
};

PostgresLink::PostgresLink(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

PostgresLink::~PostgresLink() = default;

Result<std::unique_ptr<PostgresLink>> PostgresLink::connect(const std::string& url,
                                                            const OpenOptions& options) {
  try {
    std::unique_ptr<PostgresLink> link(
        new PostgresLink(std::make_unique<Parts>(with_defaults(url, !options.read_only))));
    if (auto done = link->set_up(options); !done) return std::unexpected(done.error());
    return link;
  } catch (const std::exception& error) {
    return fail(Code::unavailable, lost(error.what()));
  }
}

Result<void> PostgresLink::guarded(const std::function<void(pqxx::transaction_base&)>& use) {
  try {
    use(*parts_->transaction);
    return {};
  } catch (const pqxx::sql_error& error) {
    // The server ends the connection, which shows only with the next statement.
    parts_->ended =
        parts_->ended || error.sqlstate().starts_with("57P") || error.sqlstate().starts_with("08");
    if (!is_open()) return fail(Code::unavailable, lost(error.what()));
    return fail(to_code(error), sentence(error.what()));
  } catch (const pqxx::transaction_rollback& error) {
    return fail(Code::unavailable, sentence(error.what()));
  } catch (const pqxx::broken_connection& error) {
    return fail(Code::unavailable, lost(error.what()));
  } catch (const std::exception& error) {
    // What libpqxx finds missing then (an encoding, a result) is not what has happened.
    if (!is_open()) return fail(Code::unavailable, lost(""));
    return fail(Code::io, sentence(error.what()));
  }
}

Result<void> PostgresLink::execute(const std::string& sql) {
  return guarded([&sql](pqxx::transaction_base& transaction) { transaction.exec(sql); });
}

Result<std::string> PostgresLink::text(const std::string& sql) {
  std::string found;
  const auto done = guarded([&](pqxx::transaction_base& transaction) {
    const pqxx::result rows = transaction.exec(sql);
    if (!rows.empty() && rows.columns() > 0) found = rows[0][0].c_str();
  });
  if (!done) return std::unexpected(done.error());
  return found;
}

bool PostgresLink::is_open() const {
  return !parts_->ended && parts_->connection.is_open();
}

pqxx::connection_base& PostgresLink::connection() {
  return parts_->connection;
}

Result<void> PostgresLink::set_up(const OpenOptions& options) {
  std::string sql =
      "SET client_encoding = 'UTF8'; SET standard_conforming_strings = on;"
      "SET bytea_output = 'hex'; SET extra_float_digits = 3; SET client_min_messages = 'error';";
  // One that stands still in a transaction is dead, and holds locks that its successor needs.
  sql += "SET idle_in_transaction_session_timeout = '60s';";
  if (options.read_only) sql += "SET default_transaction_read_only = on;";
  if (auto done = execute(sql); !done) return done;
  const auto name = text(
      "SELECT pid || '.' || extract(epoch FROM backend_start) FROM pg_stat_activity"
      " WHERE pid = pg_backend_pid()");
  if (!name) return std::unexpected(name.error());
  name_ = *name;
  if (auto good = check_server(!options.read_only); !good) return good;
  return execute("SET lock_timeout = " + milliseconds(options.busy_timeout) +
                 "; SET statement_timeout = " + milliseconds(options.statement_timeout));
}

Result<void> PostgresLink::check_server(bool writes) {
  const auto version = text("SHOW server_version_num");
  if (!version) return std::unexpected(version.error());
  if (to_integer(*version).value_or(0) < postgres_version_min) {
    return fail(Code::invalid, "database: the server is older than PostgreSQL " +
                                   std::to_string(postgres_version_min / 10000));
  }
  const auto encoding = text("SHOW server_encoding");
  if (!encoding) return std::unexpected(encoding.error());
  if (*encoding != "UTF8") {
    return fail(Code::invalid,
                "database: it keeps text as " + *encoding + "; make one with ENCODING 'UTF8'");
  }
  if (!writes) return {};
  for (const std::string setting : {"fsync", "full_page_writes", "synchronous_commit"}) {
    const auto value = text("SHOW " + setting);
    if (!value) return std::unexpected(value.error());
    if (*value != "off") continue;
    if (setting == "synchronous_commit") return execute("SET synchronous_commit = on");
    return fail(Code::invalid, "database: the server runs with " + setting +
                                   " = off, so that what is committed can be lost");
  }
  return {};
}

}  // namespace mailwarden::db
