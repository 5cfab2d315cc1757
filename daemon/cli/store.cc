// mailwarden store: the tables as a whole, on either database.
#include <array>
#include <filesystem>

#include "app/core.h"
#include "base/clock.h"
#include "base/files.h"
#include "daemon/cli/command.h"
#include "db/open.h"
#include "db/roles.h"
#include "ledger/ledger.h"
#include "store/copy.h"

namespace mailwarden::cli {
namespace {

constexpr std::string_view urls = "sqlite:PATH or postgresql://USER@HOST/DATABASE";

void add_url(po::options_description& options, const char* name, std::string_view meaning) {
  const std::string text = std::string(meaning) + ": " + std::string(urls);
  options.add_options()(name, text_option("URL"), text.c_str());
}

int tell(const po::variables_map& given, const Result<std::vector<store::TableSum>>& sums) {
  if (!sums) return complain(sums.error());
  json::Array all;
  std::vector<std::vector<std::string>> table;
  for (const store::TableSum& one : *sums) {
    const std::string digest = crypto::to_hex(one.digest);
    all.push_back(json::Object{{"digest", digest}, {"rows", one.rows}, {"table", one.name}});
    table.push_back({one.name, std::to_string(one.rows), digest.substr(0, 16)});
  }
  if (wants_json(given)) {
    print_json(all);
  } else {
    print_table({"TABLE", "ROWS", "DIGEST"}, table);
  }
  return done;
}

// With all tables; nobody else may write while they are made or filled.
Result<std::unique_ptr<db::Database>> open_migrated(const std::string& url) {
  auto store = db::open_url(url, {.sole_writer = true, .statement_timeout = {}});
  if (!store) return store;
  const auto migrations = app::all_migrations();
  if (auto made = db::migrate(**store, migrations, SystemClock().now()); !made) {
    return std::unexpected(made.error());
  }
  return store;
}

int migrate_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_url(options, "store", "the store, as its owner");
  int code = done;
  const auto given = read_needed(arguments, "store migrate --store URL", options, {"store"}, code);
  if (!given) return code;
  const auto store = open_migrated((*given)["store"].as<std::string>());
  if (!store) return complain(store.error());
  print("the store has all " + std::to_string(app::all_migrations().size()) + " table steps\n");
  return done;
}

int check_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_url(options, "store", "the store");
  add_format_option(options);
  int code = done;
  const auto given = read_needed(arguments, "store check --store URL", options, {"store"}, code);
  if (!given) return code;
  const auto store = open_store(*given);
  if (!store) return complain(store.error());
  return tell(*given, store::sum(**store, progress("rows")));
}

int copy_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_url(options, "store", "what is copied, while a daemon writes to it or not");
  add_url(options, "to", "where to; it must hold no rows");
  add_format_option(options);
  int code = done;
  const auto given =
      read_needed(arguments, "store copy --store URL --to URL", options, {"store", "to"}, code);
  if (!given) return code;
  const auto from = open_store(*given);
  if (!from) return complain(from.error());
  const auto to = open_migrated((*given)["to"].as<std::string>());
  if (!to) return complain(to.error());
  return tell(*given, store::copy(**from, **to, progress("rows")));
}

// Written beside its name, so that what has the name is whole.
int backup_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_url(options, "store", "what is backed up, while a daemon writes to it or not");
  options.add_options()("output,o", text_option("FILE"), "a new file, which is a SQLite store");
  add_format_option(options);
  int code = done;
  const auto given = read_needed(arguments, "store backup --store URL -o FILE", options,
                                 {"store", "output"}, code);
  if (!given) return code;
  const auto file = (*given)["output"].as<std::string>();
  if (std::filesystem::exists(file)) return complain(usage, file + " is there already");
  const auto from = open_store(*given);
  if (!from) return complain(from.error());
  const std::string unfinished = file + ".new";
  std::error_code ignored;
  for (const char* end : {"", "-journal", "-wal", "-shm"})
    std::filesystem::remove(unfinished + end, ignored);
  Result<std::vector<store::TableSum>> sums;
  {
    const auto to = open_migrated("sqlite:" + unfinished);
    if (!to) return complain(to.error());
    sums = store::copy(**from, **to, progress("rows"));
  }
  if (!sums) return complain(sums.error());
  if (auto named = rename_durably(unfinished, file); !named) return complain(named.error());
  return tell(*given, sums);
}

int restore_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_url(options, "store", "where to; it must hold no rows");
  options.add_options()("input,i", text_option("FILE"), "what 'store backup' wrote");
  add_format_option(options);
  int code = done;
  const auto given = read_needed(arguments, "store restore -i FILE --store URL", options,
                                 {"store", "input"}, code);
  if (!given) return code;
  const auto from =
      db::open_url("sqlite:" + (*given)["input"].as<std::string>(), {.read_only = true});
  if (!from) return complain(from.error());
  const auto migrations = app::all_migrations();
  if (auto ours = db::check_migrations(**from, migrations); !ours) return complain(ours.error());
  const auto to = open_migrated((*given)["store"].as<std::string>());
  if (!to) return complain(to.error());
  return tell(*given, store::copy(**from, **to, progress("rows")));
}

int grant_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_url(options, "store", "the store, as its owner");
  auto add = options.add_options();
  add("writer", text_option("ROLE"), "as whom the daemon runs");
  add("reader", text_option("ROLE"), "for auditors");
  int code = done;
  const auto given = read_needed(arguments, "store grant --store URL --writer ROLE --reader ROLE",
                                 options, {"store", "writer", "reader"}, code);
  if (!given) return code;
  const auto store = db::open_url((*given)["store"].as<std::string>());
  if (!store) return complain(store.error());
  const auto migrations = app::all_migrations();
  if (auto ours = db::check_migrations(**store, migrations); !ours) return complain(ours.error());
  const db::Roles roles{.writer = (*given)["writer"].as<std::string>(),
                        .reader = (*given)["reader"].as<std::string>()};
  if (auto granted = db::grant(**store, roles, ledger::append_only()); !granted) {
    return complain(granted.error());
  }
  print(roles.writer + " may write this store but not change its ledger, " + roles.reader +
        " may read it\n");
  return done;
}

constexpr std::array store_commands{
    Group{"migrate", "makes or completes the tables", migrate_command},
    Group{"check", "reads every row; prints rows and digests, which copies share", check_command},
    Group{"copy", "takes a whole store to another place or database, and proves the copy",
          copy_command},
    Group{"backup", "copies a store, live or at rest, into a file", backup_command},
    Group{"restore", "takes a backup into an empty store", restore_command},
    Group{"grant", "lets two roles of PostgreSQL write and read a store", grant_command}};

}  // namespace

int store_command(const Arguments& arguments) {
  return run_one_of("store", store_commands, arguments);
}

}  // namespace mailwarden::cli
