#include "ledger/ledger.h"

#include <cstdio>

#include <unistd.h>

#include "base/files.h"
#include "base/text.h"
#include "daemon/cli/command.h"
#include "ledger/verify.h"
#include "report/report.h"

namespace mailwarden::cli {
namespace {

int verify_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_store_option(options);
  add_format_option(options);
  auto add = options.add_options();
  add("key", text_option("FILE"),
      "the verifier key, as the daemon leaves it beside its signing key (….pub)");
  add("from", text_option("FILE"),
      "a checkpoint kept elsewhere: whatever it covers must still be there");
  int code = done;
  const auto given = read_options(arguments, "ledger verify --store URL --key FILE [--from FILE]",
                                  options, nullptr, code);
  if (!given) return code;
  if (!given->contains("store") || !given->contains("key")) {
    return complain(usage, "'ledger verify' needs --store URL and --key FILE");
  }
  const auto key_text = read_whole_file((*given)["key"].as<std::string>());
  if (!key_text) return complain(unavailable, key_text.error().what);
  const auto key = ledger::parse_verifier_key(trim(*key_text));
  if (!key) return complain(key.error());
  ledger::VerifyOptions verify{.key = *key};
  if (given->contains("from")) {
    auto note = read_whole_file((*given)["from"].as<std::string>());
    if (!note) return complain(unavailable, note.error().what);
    verify.from = *std::move(note);
  }
  const auto store = open_store(*given);
  if (!store) return complain(unavailable, store.error().what);
  verify.check_record = [&](std::int64_t entry, const json::Value& record) {
    return report::check_events(**store, entry, record);
  };
  if (::isatty(2) != 0) {
    verify.progress = [](std::int64_t entries) {
      std::fprintf(stderr, "\r%lld entries", static_cast<long long>(entries));
    };
  }
  const auto verdict = ledger::verify(**store, verify);
  if (!verdict) return complain(unavailable, verdict.error().what);
  if (wants_json(*given)) {
    print_json(ledger::to_json(*verdict));
  } else {
    print(ledger::to_words(*verdict));
  }
  return verdict->good() ? done : answer_is_no;
}

int show_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_store_option(options);
  add_format_option(options);
  auto add = options.add_options();
  add("first", po::value<std::int64_t>()->value_name("NUMBER")->default_value(0),
      "the first entry's number");
  add("limit", po::value<std::int64_t>()->value_name("NUMBER")->default_value(100),
      "how many at the most");
  int code = done;
  const auto given =
      read_options(arguments, "ledger show --store URL [--first N]", options, nullptr, code);
  if (!given) return code;
  if (!given->contains("store")) return complain(usage, "'ledger show' needs --store URL");
  const auto store = open_store(*given);
  if (!store) return complain(unavailable, store.error().what);
  const auto rows = ledger::load_entries(**store, (*given)["first"].as<std::int64_t>(),
                                         (*given)["limit"].as<std::int64_t>());
  if (!rows) return complain(unavailable, rows.error().what);
  std::vector<std::vector<std::string>> table;
  for (const ledger::Row& row : *rows) {
    if (wants_json(*given)) {
      const auto record = json::parse(row.record);
      print(json::to_text(json::Object{{"leaf", crypto::to_hex(row.leaf)},
                                       {"number", row.number},
                                       {"record", record ? *record : json::Value()},
                                       {"salt", crypto::to_hex(row.salt)}}) +
            "\n");
    } else {
      table.push_back(
          {std::to_string(row.number), row.kind, row.record.empty() ? "(erased)" : row.record});
    }
  }
  if (!wants_json(*given)) print_table({"NUMBER", "KIND", "RECORD"}, table);
  return done;
}

}  // namespace

int ledger_command(const Arguments& arguments) {
  const std::string command = arguments.empty() ? "--help" : arguments[0];
  const Arguments rest(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
  if (command == "verify") return verify_command(rest);
  if (command == "show") return show_command(rest);
  if (command != "--help") return complain(usage, "'ledger' knows verify and show");
  print(
      "Usage: mailwarden ledger verify|show [OPTION]...\n"
      "  verify   checks a store or a copy of one with nothing but the public key\n"
      "  show     prints entries\n");
  return done;
}

}  // namespace mailwarden::cli
