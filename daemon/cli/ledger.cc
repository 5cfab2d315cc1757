#include "ledger/ledger.h"

#include <algorithm>

#include "base/files.h"
#include "base/text.h"
#include "daemon/cli/command.h"
#include "report/prove.h"

namespace mailwarden::cli {
namespace {

int prove_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_store_option(options);
  options.add_options()("output,o", text_option("FILE"), "where the proof is written");
  int code = done;
  const auto given =
      read_options(arguments, "ledger prove ENTRY|EVENT|DECISION --store URL -o FILE.tlog-proof",
                   options, "what", code);
  if (!given) return code;
  const auto what = given->contains("what") ? (*given)["what"].as<std::vector<std::string>>()
                                            : std::vector<std::string>();
  if (what.size() != 1 || !given->contains("store") || !given->contains("output")) {
    return complain(usage,
                    "'ledger prove' needs an entry's number, an event's or a decision's id, "
                    "--store URL and -o FILE");
  }
  const auto store = open_store(*given);
  if (!store) return complain(unavailable, store.error().what);
  const auto proof = report::prove(**store, what[0]);
  if (!proof) return complain(proof.error());
  const std::string file = (*given)["output"].as<std::string>();
  if (auto written = write_file_durably(file, ledger::to_text(*proof)); !written) {
    return complain(written.error());
  }
  print(file + " proves entry " + std::to_string(proof->index) + "\n");
  return done;
}

json::Object to_json(const ledger::Row& row) {
  const auto record = json::parse(row.record);
  const bool is_erased = row.record.empty();
  return {{"erased", is_erased},
          {"kind", row.kind},
          {"leaf", crypto::to_hex(row.leaf)},
          {"number", row.number},
          {"record", record ? *record : json::Value()},
          {"salt", is_erased ? json::Value() : json::Value(crypto::to_hex(row.salt))}};
}

// A line at once, so that a ledger of any length can be printed; the last column is the longest.
void print_row(const std::string& number, const std::string& kind, const std::string& record) {
  constexpr std::size_t number_width = 9;
  constexpr std::size_t kind_width = 11;
  const auto padded = [](std::string text, std::size_t width) {
    text.resize(std::max(text.size() + 1, width), ' ');
    return text;
  };
  print(padded(number, number_width) + padded(printable(kind), kind_width) + printable(record) +
        "\n");
}

int show_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_store_option(options);
  add_format_option(options);
  auto add = options.add_options();
  add("first", po::value<std::int64_t>()->value_name("NUMBER")->default_value(0),
      "the first entry's number");
  add("limit", po::value<std::int64_t>()->value_name("NUMBER")->default_value(100),
      "how many at the most; 0: all");
  add("kind", text_option("KIND"), "entries of that kind alone, for example gap");
  int code = done;
  const auto given =
      read_options(arguments, "ledger show --store URL [--first N] [--limit N] [--kind KIND]",
                   options, nullptr, code);
  if (!given) return code;
  if (!given->contains("store")) return complain(usage, "'ledger show' needs --store URL");
  ledger::EntryQuery query{.first = (*given)["first"].as<std::int64_t>()};
  const auto limit = (*given)["limit"].as<std::int64_t>();
  if (query.first < 0 || limit < 0) return complain(usage, "--first and --limit are not negative");
  if (limit > 0) query.limit = limit;
  if (given->contains("kind")) query.kind = (*given)["kind"].as<std::string>();
  const auto store = open_store(*given);
  if (!store) return complain(unavailable, store.error().what);
  const bool as_json = wants_json(*given);
  if (!as_json) print_row("NUMBER", "KIND", "RECORD");
  const auto shown = ledger::for_each_entry(**store, query, [&](const ledger::Row& row) {
    if (as_json) return print(json::to_text(to_json(row)) + "\n");
    print_row(std::to_string(row.number), row.kind, row.record.empty() ? "(erased)" : row.record);
  });
  if (!shown) return complain(unavailable, shown.error().what);
  return done;
}

}  // namespace

int ledger_command(const Arguments& arguments) {
  const std::string command = arguments.empty() ? "--help" : arguments[0];
  const Arguments rest(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
  if (command == "verify") return ledger_verify_command(rest);
  if (command == "show") return show_command(rest);
  if (command == "prove") return prove_command(rest);
  if (command != "--help") return complain(usage, "'ledger' knows verify, prove and show");
  print(
      "Usage: mailwarden ledger verify|prove|show [OPTION]...\n"
      "  verify   checks stores, logs as they are served or a proof, with nothing but public "
      "keys\n"
      "  prove    writes a proof of one entry, event or decision that stands alone\n"
      "  show     prints entries\n");
  return done;
}

}  // namespace mailwarden::cli
