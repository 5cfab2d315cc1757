// The command mailwarden: what its groups share.
//
// What     Each group of commands is one function that takes its arguments and answers an exit
//          code.
// Owns     Nothing.
// Threads  One.
// Errors   Exit codes: 0 done, 1 the answer is no, 2 usage, 3 unavailable; a sentence on stderr.
// Limits   None.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/entropy.h"
#include "db/database.h"
#include "json/value.h"
#include "vault/opening.h"

namespace mailwarden::cli {

namespace po = boost::program_options;

enum Exit { done = 0, answer_is_no = 1, usage = 2, unavailable = 3 };

using Arguments = std::vector<std::string>;

// A group of commands, or one of a group's.
struct Group {
  std::string_view name;
  std::string_view meaning;
  int (*run)(const Arguments& arguments);
};
std::span<const Group> groups();
// Runs the one of the commands of group `name` that the first argument names.
int run_one_of(std::string_view name, std::span<const Group> commands, const Arguments& arguments);

int decode_command(const Arguments& arguments);
int rules_command(const Arguments& arguments);
int detect_command(const Arguments& arguments);
int scan_command(const Arguments& arguments);
int access_command(const Arguments& arguments);
int people_command(const Arguments& arguments);
int policy_command(const Arguments& arguments);
int config_command(const Arguments& arguments);
int ledger_command(const Arguments& arguments);
int ledger_verify_command(const Arguments& arguments);
int events_command(const Arguments& arguments);
int incidents_command(const Arguments& arguments);
// What the procedure asks for: tasks, roles, notices, reviews. Nothing where there is no such verb.
std::optional<int> incident_work(std::string_view verb, const Arguments& arguments);
std::string_view incident_work_synopsis();
void print_changes(const json::Value& answer);
int export_incident(const Arguments& arguments);
int alerts_command(const Arguments& arguments);
int escalations_command(const Arguments& arguments);
int oncall_command(const Arguments& arguments);
int playbook_command(const Arguments& arguments);
int playbook_check(const Arguments& arguments);
int playbook_plan(const Arguments& arguments);
// import, export, sign or verify, which the first argument names.
int playbook_cacao_command(const Arguments& arguments);
int report_command(const Arguments& arguments);
int erase_command(const Arguments& arguments);
int retention_command(const Arguments& arguments);
int keys_command(const Arguments& arguments);
int store_command(const Arguments& arguments);
int status_command(const Arguments& arguments);

// Says what is wrong and gives the code for it.
int complain(int code, std::string_view what);
int complain(const Error& error);

// Reads options behind a group's and a command's name; words without a name go to `positional`.
// Nothing: --help was printed, or the usage was wrong and said so; `code` is then the exit code.
std::optional<po::variables_map> read_options(const Arguments& arguments, std::string_view synopsis,
                                              po::options_description options,
                                              const char* positional, int& code);

// For a command without words that needs these options.
std::optional<po::variables_map> read_needed(const Arguments& arguments, std::string_view synopsis,
                                             const po::options_description& options,
                                             std::initializer_list<const char*> needed, int& code);

// With those of its keys.
void add_store_option(po::options_description& options);
void add_key_options(po::options_description& options);
void add_socket_option(po::options_description& options);
void add_format_option(po::options_description& options, std::string_view usual = "table",
                       std::string_view other = "json");
// All three, for what the daemon or a store at rest may be asked.
void add_source_options(po::options_description& options);
po::typed_value<std::string>* text_option(const char* placeholder);
bool wants_json(const po::variables_map& given);
// Of an option; "" without.
std::string text_of(const po::variables_map& given, const char* name);
// Of an option that may be given often; empty without.
std::vector<std::string> words_of(const po::variables_map& given, const char* name);

// The keys that --keys and --kek name, for reading.
class OpenedKeys {
 public:
  static Result<std::unique_ptr<OpenedKeys>> open(const po::variables_map& given);

  vault::StoreKeys& operator*() { return *keys_; }
  vault::StoreKeys* operator->() { return keys_.get(); }

 private:
  SystemClock clock_;
  crypto::SystemEntropy entropy_;
  std::unique_ptr<vault::StoreKeys> keys_;
};

// A store opened for reading, with the keys of a sealed one.
class OpenedStore {
 public:
  OpenedStore(std::unique_ptr<OpenedKeys> keys, std::unique_ptr<db::Database> database)
      : keys_(std::move(keys)), database_(std::move(database)) {
    if (keys_ != nullptr) database_->set_sealing(&(*keys_)->sealing());
  }

  db::Database& operator*() const { return *database_; }
  db::Database* operator->() const { return database_.get(); }

 private:
  std::unique_ptr<OpenedKeys> keys_;  // null without
  std::unique_ptr<db::Database> database_;
};

// The store that --store names, checked to be ours, with the keys that --keys and --kek name.
Result<OpenedStore> open_store(const po::variables_map& given);
// One of several stores.
Result<OpenedStore> open_store(const std::string& url, const po::variables_map& given);
// Asks the daemon over its UNIX socket.
struct Question {
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  std::string act;     // the body of a POST; "" for a GET
  std::string method;  // "" for those
};
Result<json::Value> ask_daemon(const po::variables_map& given, Question question);
// As JSON where that is wanted, else by `show`; its exit code, or that of complain().
int print_answer(const po::variables_map& given, const Result<json::Value>& answer,
                 void (*show)(const json::Value& answer));
// Of commands that act: socket and format, the reason and the person, which order() sends along
// with `act`.
void add_act_options(po::options_description& options);
int order(const po::variables_map& given, const std::string& path, json::Object act,
          void (*show)(const json::Value& answer));

// What the API answers, from the daemon or out of a store at rest: the same function makes both.
Result<json::Value> ask(const po::variables_map& given, Question question);
// The named options that were given, as a query.
std::vector<std::pair<std::string, std::string>> query_of(const po::variables_map& given,
                                                          std::initializer_list<const char*> names);

// The texts of an array: "a, b".
std::string joined(const json::Value& texts);

// "2026-11-24 02:14:43"
std::string short_time(const std::string& rfc3339);

// Tells on a terminal how many of what ("rows") are done; nothing elsewhere.
std::function<void(std::int64_t)> progress(const char* of_what);

void print(std::string_view text);
void print_json(const json::Value& value);
// Columns as wide as their widest cell, control characters made harmless.
void print_table(const std::vector<std::string>& names,
                 const std::vector<std::vector<std::string>>& rows);

}  // namespace mailwarden::cli
