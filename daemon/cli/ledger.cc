#include "ledger/ledger.h"

#include "base/files.h"
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
