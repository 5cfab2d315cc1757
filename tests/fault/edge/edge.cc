// Loaded into a program by LD_PRELOAD, kills it just before or behind one of its commits.
//
// What     A commit that wrote something is an edge: before it nothing of it is durable, behind it
//          everything. MAILWARDEN_EDGE_JOURNAL is the file that each edge adds a line to, with its
//          number and the tables that it wrote. MAILWARDEN_EDGE_AT is the number of the edge at
//          which the program is killed, MAILWARDEN_EDGE_SIDE "before" or "behind".
// Limits   Knows the calls of SQLite and libpq with which db/ writes, and a COMMIT that stands at
//          the end of a statement. A connection is used by one thread at a time.
// Source   The C interfaces of SQLite and libpq, a few of whose functions stand here instead.
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <dlfcn.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

namespace {

template <class Function>
Function* next(Function* /*ours*/, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}
#define NEXT(function) next(&::function, #function)

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// The table that a statement writes; "" where it writes none. The mark of a commit is no content.
std::string written_table(std::string_view sql) {
  std::size_t begin = std::string_view::npos;
  for (const std::string_view verb : {"UPDATE ", "DELETE FROM ", "COPY "}) {
    if (sql.starts_with(verb)) begin = verb.size();
  }
  // An INSERT may say what is done about a row that is there already.
  if (sql.starts_with("INSERT ")) begin = sql.find("INTO ") + std::strlen("INTO ");
  if (begin == std::string_view::npos) return {};
  while (begin < sql.size() && !is_name(sql[begin])) ++begin;
  std::size_t end = begin;
  while (end < sql.size() && is_name(sql[end])) ++end;
  std::string table(sql.substr(begin, end - begin));
  return table == "store_commit" ? std::string() : table;
}

class Edges {
 public:
  // Never taken down, since a commit may be the last thing that the process does.
  static Edges& get() {
    static auto* const edges = new Edges;
    return *edges;
  }

  void wrote(const void* connection, std::string_view sql) {
    const std::lock_guard lock(mutex_);
    if (std::string table = written_table(sql); !table.empty()) {
      written_[connection].insert(std::move(table));
    }
  }
  void rolled_back(const void* connection) {
    const std::lock_guard lock(mutex_);
    written_.erase(connection);
  }
  void prepared(const void* connection, std::string_view name, std::string_view sql) {
    const std::lock_guard lock(mutex_);
    statements_[{connection, std::string(name)}] = sql;
  }
  void wrote_prepared(const void* connection, std::string_view name) {
    std::string sql;
    {
      const std::lock_guard lock(mutex_);
      sql = statements_[{connection, std::string(name)}];
    }
    wrote(connection, sql);
  }

  // Whether this is the edge that kills, which is then over unless it kills behind the commit.
  bool reach(const void* connection) {
    const std::lock_guard lock(mutex_);
    const std::set<std::string> tables = std::exchange(written_[connection], {});
    if (tables.empty()) return false;
    std::string line = std::to_string(count_);
    for (const std::string& table : tables) line += " " + table;
    line += "\n";
    if (::write(journal_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
      std::abort();
    }
    const bool is_here = count_++ == at_;
    if (is_here && !is_behind_) ::kill(::getpid(), SIGKILL);
    return is_here;
  }
  static void end_here() { ::kill(::getpid(), SIGKILL); }

 private:
  Edges() {
    const char* const journal = std::getenv("MAILWARDEN_EDGE_JOURNAL");
    const char* const at = std::getenv("MAILWARDEN_EDGE_AT");
    const char* const side = std::getenv("MAILWARDEN_EDGE_SIDE");
    if (journal == nullptr) std::abort();
    journal_ = ::open(journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (journal_ < 0) std::abort();
    if (at != nullptr) at_ = std::atoll(at);
    is_behind_ = side != nullptr && std::strcmp(side, "behind") == 0;
  }

  std::mutex mutex_;
  std::map<const void*, std::set<std::string>> written_;
  std::map<std::pair<const void*, std::string>, std::string> statements_;
  int journal_ = -1;
  long long at_ = -1;
  long long count_ = 0;
  bool is_behind_ = false;
};

// Does what `call` does, which runs the statement.
template <class Call>
auto run(const void* connection, std::string_view sql, const Call& call) {
  Edges& edges = Edges::get();
  edges.wrote(connection, sql);
  const bool is_edge = sql.ends_with("COMMIT") && edges.reach(connection);
  auto result = call();
  if (is_edge) Edges::end_here();
  if (sql.starts_with("ROLLBACK")) edges.rolled_back(connection);
  return result;
}

}  // namespace

extern "C" {

int sqlite3_exec(sqlite3* connection, const char* sql, int (*row)(void*, int, char**, char**),
                 void* first, char** error) {
  static auto* const call = NEXT(sqlite3_exec);
  return run(connection, sql, [&] { return call(connection, sql, row, first, error); });
}

int sqlite3_step(sqlite3_stmt* statement) {
  static auto* const call = NEXT(sqlite3_step);
  sqlite3* const connection = sqlite3_db_handle(statement);
  const char* const sql = sqlite3_sql(statement);
  if (sql == nullptr || sqlite3_stmt_readonly(statement) != 0) return call(statement);
  Edges& edges = Edges::get();
  edges.wrote(connection, sql);
  // Without a transaction it is one of its own.
  const bool is_edge = sqlite3_get_autocommit(connection) != 0 && edges.reach(connection);
  const int result = call(statement);
  if (is_edge) Edges::end_here();
  return result;
}

PGresult* PQexec(PGconn* connection, const char* sql) {
  static auto* const call = NEXT(PQexec);
  return run(connection, sql, [&] { return call(connection, sql); });
}

PGresult* PQprepare(PGconn* connection, const char* name, const char* sql, int count,
                    const Oid* types) {
  static auto* const call = NEXT(PQprepare);
  Edges::get().prepared(connection, name, sql);
  return call(connection, name, sql, count, types);
}

PGresult* PQexecPrepared(PGconn* connection, const char* name, int count, const char* const* values,
                         const int* lengths, const int* formats, int result_format) {
  static auto* const call = NEXT(PQexecPrepared);
  Edges::get().wrote_prepared(connection, name);
  return call(connection, name, count, values, lengths, formats, result_format);
}

PGresult* PQexecParams(PGconn* connection, const char* sql, int count, const Oid* types,
                       const char* const* values, const int* lengths, const int* formats,
                       int result_format) {
  static auto* const call = NEXT(PQexecParams);
  return run(connection, sql, [&] {
    return call(connection, sql, count, types, values, lengths, formats, result_format);
  });
}

}  // extern "C"
