#include "ledger/ledger.h"

#include <cstdio>

#include <unistd.h>

#include "base/files.h"
#include "base/text.h"
#include "daemon/cli/command.h"
#include "ledger/remote.h"
#include "ledger/verify.h"
#include "net/http_client.h"
#include "report/prove.h"
#include "report/verify_store.h"

namespace mailwarden::cli {
namespace {

Result<ledger::VerifierKey> key_of(const po::variables_map& given) {
  const auto text = read_whole_file(given["key"].as<std::string>());
  if (!text) return fail(Code::unavailable, text.error().what);
  return ledger::parse_verifier_key(trim(*text));
}

std::function<void(std::int64_t)> progress() {
  if (::isatty(2) == 0) return {};
  return [](std::int64_t entries) {
    std::fprintf(stderr, "\r%lld entries", static_cast<long long>(entries));
  };
}

int tell(const po::variables_map& given, const Result<ledger::Verdict>& verdict) {
  if (!verdict) return complain(unavailable, verdict.error().what);
  if (wants_json(given)) {
    print_json(ledger::to_json(*verdict));
  } else {
    print(ledger::to_words(*verdict));
  }
  return verdict->good() ? done : answer_is_no;
}

int verify_store(const po::variables_map& given, const ledger::VerifierKey& key,
                 std::optional<std::string> from) {
  const auto store = open_store(given);
  if (!store) return complain(unavailable, store.error().what);
  return tell(given, report::verify_store(**store, {.key = key,
                                                    .from = std::move(from),
                                                    .check_record = {},
                                                    .check_end = {},
                                                    .progress = progress()}));
}

// "https://HOST/PREFIX" with nothing but the parts behind it.
ledger::FetchPart remote_log(std::string prefix) {
  while (prefix.ends_with('/')) prefix.pop_back();
  const auto client = std::make_shared<net::Client>();
  return [prefix, client](const std::string& part) -> Result<std::string> {
    const auto answer = client->request({.url = prefix + "/" + part});
    if (!answer) return std::unexpected(answer.error());
    if (answer->status == 200) return answer->body;
    return fail(answer->status == 404 ? Code::not_found : Code::unavailable,
                prefix + "/" + part + ": answer " + std::to_string(answer->status));
  };
}

int verify_proof(const po::variables_map& given, const ledger::VerifierKey& key) {
  const std::string file = given["proof"].as<std::string>();
  const auto text = read_whole_file(file, ledger::Proof::proof_bytes_max);
  if (!text) return complain(unavailable, text.error().what);
  const auto proven = report::check(*text, key);
  if (!proven) return complain(answer_is_no, file + ": " + proven.error().what);
  if (wants_json(given)) {
    print_json(json::Object{{"entry", static_cast<std::int64_t>(proven->index)},
                            {"event", proven->event.value_or(json::Value())},
                            {"origin", proven->checkpoint.origin},
                            {"record", proven->record},
                            {"size", static_cast<std::int64_t>(proven->checkpoint.size)}});
    return done;
  }
  print("good: entry " + std::to_string(proven->index) + " of the log " +
        printable(proven->checkpoint.origin) + ", which had " +
        std::to_string(proven->checkpoint.size) + " entries, says\n" +
        json::to_pretty_text(proven->record) + "\n");
  if (proven->event) {
    print("and one of the events that it commits to is\n" + json::to_pretty_text(*proven->event) +
          "\n");
  }
  return done;
}

int verify_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_store_option(options);
  add_format_option(options);
  auto add = options.add_options();
  add("key", text_option("FILE"),
      "the verifier key, as the daemon leaves it beside its signing key (….pub)");
  add("from", text_option("FILE"),
      "a checkpoint kept elsewhere: whatever it covers must still be there");
  add("url", text_option("URL"), "a log as it is served: https://HOST/PREFIX");
  add("folder", text_option("DIR"), "a copy of what is served: checkpoint, tile/...");
  add("proof", text_option("FILE"), "a proof that 'ledger prove' wrote");
  int code = done;
  const auto given = read_options(
      arguments, "ledger verify --store URL|--url URL|--folder DIR|--proof FILE --key FILE",
      options, nullptr, code);
  if (!given) return code;
  const int subjects = static_cast<int>(given->count("store") + given->count("url") +
                                        given->count("folder") + given->count("proof"));
  if (subjects != 1 || !given->contains("key")) {
    return complain(usage,
                    "'ledger verify' needs --key FILE and one of --store, --url, --folder, "
                    "--proof");
  }
  const auto key = key_of(*given);
  if (!key) return complain(key.error());
  if (given->contains("proof")) return verify_proof(*given, *key);
  std::optional<std::string> from;
  if (given->contains("from")) {
    auto note = read_whole_file((*given)["from"].as<std::string>());
    if (!note) return complain(unavailable, note.error().what);
    from = *std::move(note);
  }
  if (given->contains("store")) return verify_store(*given, *key, std::move(from));
  const ledger::FetchPart fetch = given->contains("url")
                                      ? remote_log((*given)["url"].as<std::string>())
                                      : ledger::folder_log((*given)["folder"].as<std::string>());
  return tell(*given, ledger::check_log(
                          fetch, {.key = *key, .from = std::move(from), .progress = progress()}));
}

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
  if (command == "verify") return verify_command(rest);
  if (command == "show") return show_command(rest);
  if (command == "prove") return prove_command(rest);
  if (command != "--help") return complain(usage, "'ledger' knows verify, prove and show");
  print(
      "Usage: mailwarden ledger verify|prove|show [OPTION]...\n"
      "  verify   checks a store, a log as it is served or a proof, with nothing but the public "
      "key\n"
      "  prove    writes a proof of one entry, event or decision that stands alone\n"
      "  show     prints entries\n");
  return done;
}

}  // namespace mailwarden::cli
