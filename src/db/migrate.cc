// Steps of tables: which are missing, the try on what the store holds, the run.
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <ranges>

#include "db/database.h"

namespace mailwarden::db {
namespace {

using Key = std::pair<std::string, std::int64_t>;

// FNV-1a, 64 bits: it guards against a mistake of ours in a released step, not against an attacker,
// who would change the tables and not their description.
std::string checksum(std::string_view sql) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : sql) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return std::to_string(hash);
}

Result<std::map<Key, std::string>> applied(Database& database) {
  std::map<Key, std::string> found;
  const auto rows = database.query("SELECT module, number, checksum FROM schema_migration");
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return found;
    found[{std::string((*rows)->text(0)), (*rows)->integer(1)}] = (*rows)->text(2);
  }
}

// Takes out of `found` every step known here, and judges the rest.
Result<std::vector<const Migration*>> missing(std::map<Key, std::string> found,
                                              std::span<const Migration> migrations) {
  std::vector<const Migration*> steps;
  for (const Migration& step : migrations) {
    const auto done = found.find({std::string(step.module), step.number});
    if (done == found.end()) {
      steps.push_back(&step);
      continue;
    }
    if (done->second != checksum(step.sql)) {
      return fail(Code::corrupt, "the store's table step " + std::string(step.module) + " " +
                                     std::to_string(step.number) +
                                     " differs from what this program would have run");
    }
    found.erase(done);
  }
  if (!found.empty()) {
    const auto& [module, number] = found.begin()->first;
    return fail(Code::invalid, "the store was made by a newer program (it has table step " +
                                   module + " " + std::to_string(number) +
                                   "); use that program or a backup from before it");
  }
  return steps;
}

std::string name_of(const Migration& step) {
  return "table step " + std::string(step.module) + " " + std::to_string(step.number);
}

Result<void> apply(Database& database, const Migration& step, Timestamp now) {
  if (auto done = database.execute(step.sql); !done) return fail(name_of(step), done.error());
  return database.run(
      "INSERT INTO schema_migration (module, number, checksum, applied) VALUES ($1, $2, $3, $4)",
      {step.module, step.number, std::string_view(checksum(step.sql)), value(now)});
}

constexpr std::string_view steps_table = "schema_migration";

Result<void> make_steps_table(Database& database) {
  if (auto done = database.prepare_store(); !done) return done;
  return database.execute(
      "CREATE TABLE IF NOT EXISTS schema_migration ("
      "module TEXT NOT NULL, number BIGINT NOT NULL,"
      "checksum TEXT NOT NULL, applied BIGINT NOT NULL,"
      "PRIMARY KEY (module, number))");
}

using Steps = std::vector<const Migration*>;
using Counts = std::map<std::string, std::int64_t>;

// Rows of every table but that of the steps, which grows with each.
Result<Counts> count_rows(Database& database) {
  const auto tables = database.tables();
  if (!tables) return std::unexpected(tables.error());
  Counts counts;
  for (const Table& table : *tables) {
    if (table.name == steps_table) continue;
    const auto rows = database.integer("SELECT COUNT(*) FROM \"" + table.name + "\"");
    if (!rows) return fail(table.name, rows.error());
    counts[table.name] = *rows;
  }
  return counts;
}

bool is_of_a_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool mentions(std::string_view sql, std::string_view name) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  };
  while (true) {
    const auto found = std::ranges::search(sql, name, same);
    if (found.empty()) return false;
    const bool begins = found.begin() == sql.begin() || !is_of_a_name(*(found.begin() - 1));
    const bool ends = found.end() == sql.end() || !is_of_a_name(*found.end());
    if (begins && ends) return true;
    sql = {found.begin() + 1, sql.end()};
  }
}

Result<void> check_kept(const Migration& step, const Counts& before, const Counts& behind) {
  for (const auto& [table, rows] : before) {
    if (mentions(step.sql, table)) continue;
    const auto left = behind.find(table);
    if (left != behind.end() && left->second == rows) continue;
    const std::string now = left == behind.end() ? "it is not there any more"
                                                 : "it has " + std::to_string(left->second);
    return fail(Code::invalid, name_of(step) + " does not mention the table " + table +
                                   ", but of its " + std::to_string(rows) + " rows " + now);
  }
  return {};
}

Result<void> run(Database& database, const Steps& steps, Timestamp now) {
  for (const Migration* step : steps) {
    if (auto done = apply(database, *step, now); !done) return done;
  }
  return {};
}

// The same, held against what there was before each of them.
Result<void> run_asking(Database& database, const Steps& steps, Timestamp now) {
  auto before = count_rows(database);
  if (!before) return std::unexpected(before.error());
  for (const Migration* step : steps) {
    if (auto done = apply(database, *step, now); !done) return done;
    auto behind = count_rows(database);
    if (!behind) return fail("behind " + name_of(*step), behind.error());
    if (auto kept = check_kept(*step, *before, *behind); !kept) return kept;
    before = std::move(behind);
  }
  const auto damage = database.find_damage();
  if (!damage) return fail("behind " + name_of(*steps.back()), damage.error());
  if (damage->empty()) return {};
  return fail(Code::corrupt, "behind " + name_of(*steps.back()) + ": " + damage->front());
}

Result<void> try_on(Database& copy, const Steps& steps, Timestamp now) {
  auto transaction = Transaction::begin(copy);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto done = make_steps_table(copy); !done) return done;
  if (auto done = run_asking(copy, steps, now); !done) return done;
  return transaction->commit();
}

Result<void> run_on_content(Database& database, const Steps& steps, Timestamp now,
                            const MigrateOptions& options) {
  auto copy = database.copy_beside(options.free_bytes);
  if (!copy) return std::unexpected(copy.error());
  if (*copy == nullptr) return run_asking(database, steps, now);
  if (auto tried = try_on((*copy)->database(), steps, now); !tried) {
    if (tried.error().code != Code::corrupt) return tried;
    const auto damage = database.find_damage();
    if (!damage || damage->empty()) return tried;
    return fail(Code::corrupt, "no table step is run on a damaged store: " + damage->front());
  }
  // Its room is the store's now.
  copy->reset();
  return run(database, steps, now);
}

}  // namespace

Result<void> migrate(Database& database, std::span<const Migration> migrations, Timestamp now,
                     const MigrateOptions& options) {
  database.remove_copy();
  // A role that may not make tables can use a store that has them all.
  if (check_migrations(database, migrations)) return {};
  auto transaction = Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto done = make_steps_table(database); !done) return done;
  auto found = applied(database);
  if (!found) return std::unexpected(found.error());
  const bool is_fresh = found->empty();
  const auto steps = missing(*std::move(found), migrations);
  if (!steps) return std::unexpected(steps.error());
  const bool has_content = !is_fresh && !steps->empty();
  const auto done =
      has_content ? run_on_content(database, *steps, now, options) : run(database, *steps, now);
  if (!done && has_content) {
    return fail(done.error().code, done.error().what + "; the store stays as it was");
  }
  if (!done) return done;
  return transaction->commit();
}

Result<void> check_migrations(Database& database, std::span<const Migration> migrations) {
  auto found = applied(database);
  if (!found)
    return fail(Code::invalid, "this is not a store of mailwarden: " + found.error().what);
  const auto steps = missing(*std::move(found), migrations);
  if (!steps) return std::unexpected(steps.error());
  if (!steps->empty()) {
    return fail(Code::not_found, "the store lacks table step " +
                                     std::string(steps->front()->module) + " " +
                                     std::to_string(steps->front()->number) +
                                     "; start the daemon on it once to bring it up to date");
  }
  return {};
}

}  // namespace mailwarden::db
