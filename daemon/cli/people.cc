// Commands about people: what is known of them, and telling it.
#include "base/files.h"
#include "base/text.h"
#include "daemon/cli/command.h"
#include "http/people_api.h"

namespace mailwarden::cli {
namespace {

constexpr std::size_t told_bytes_max = std::size_t{256} * 1024 * 1024;

constexpr std::string_view people_synopsis =
    "people COMMAND [OPTION]...\n"
    "  list                                  accounts, and what is known of each now\n"
    "  show ADDRESS                          every fact about one, who told it and when\n"
    "  import SOURCE FILE [--as-of TIME]     tells what a source says: a register as CSV, or a\n"
    "                                        directory's pages as JSON; '-' for standard input\n"
    "A SOURCE is one that the daemon's setting 'people' names. TIME is as of when FILE is true\n"
    "(RFC 3339); a directory's pages may say it themselves.";

std::string yes_or_no(const json::Value& truth) {
  const bool* const known = truth.as_bool();
  return known == nullptr ? "?" : *known ? "yes" : "no";
}

void print_people(const json::Value& answer) {
  std::vector<std::vector<std::string>> rows;
  for (const json::Value& one : *answer["people"].as_array()) {
    const json::Value& known = one["known"];
    rows.push_back({one.text("email"), known.text("name", one.text("name")),
                    yes_or_no(known["active"]), yes_or_no(known["second_factor_enrolled"]),
                    yes_or_no(known["second_factor_enforced"]), yes_or_no(known["trained"]),
                    short_time(one.text("known_until"))});
  }
  print_table(
      {"ADDRESS", "NAME", "ACTIVE", "2ND FACTOR", "ENFORCED", "TRAINED", "KNOWN UNTIL (UTC)"},
      rows);
  for (const json::Value& conflict : *answer["conflicts"].as_array()) {
    print("conflict: " + printable(*conflict.as_string()) + "\n");
  }
  if (const std::string next = answer.text("next"); !next.empty()) {
    print("more: --after " + printable(next) + "\n");
  }
}

void print_facts(const std::string& of, const json::Value& facts,
                 std::vector<std::vector<std::string>>& rows) {
  if (facts.as_array() == nullptr) return;
  for (const json::Value& told : *facts.as_array()) {
    if (told["facts"].as_object() == nullptr) continue;
    for (const auto& [name, value] : *told["facts"].as_object()) {
      const std::string* const text = value.as_string();
      rows.push_back({of, name, text == nullptr ? json::to_text(value) : *text, told.text("source"),
                      short_time(told.text("time"))});
    }
  }
}

// As a person reads it: moments and entities stand in objects of Cedar's.
std::string plain(const json::Value& value) {
  if (!value["__extn"].is_null()) return short_time(value["__extn"].text("arg"));
  if (!value["__entity"].is_null()) return value["__entity"].text("id");
  const std::string* const text = value.as_string();
  return text == nullptr ? json::to_text(value) : *text;
}

void print_known(const json::Value& one) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : *one["known"].as_object()) rows.push_back({name, plain(value)});
  for (const json::Value& group : *one["groups"].as_array()) rows.push_back({"in", plain(group)});
  print("\n");
  print_table({"KNOWN NOW", "VALUE"}, rows);
  print("until " + short_time(one.text("known_until")) + " UTC\n");
}

void print_person(const json::Value& one) {
  std::vector<std::vector<std::string>> rows;
  print_facts("account", one["facts"], rows);
  print_facts("person", one["person"]["facts"], rows);
  print_table({"OF", "FACT", "VALUE", "TOLD BY", "AS OF (UTC)"}, rows);
  if (one["known"].as_object() != nullptr) print_known(one);
}

// Of a store at rest only what was told is shown: how long it holds, the daemon's settings say.
Result<json::Value> at_rest(const po::variables_map& given, const http::LookAtPeople& look) {
  const auto store = open_store(given);
  if (!store) return std::unexpected(store.error());
  const auto book = identity::PeopleBook::load(**store, {});
  if (!book) return std::unexpected(book.error());
  return look(*book);
}

int list(const po::variables_map& given) {
  if (!given.contains("store")) {
    return print_answer(
        given,
        ask_daemon(given, {.path = "/api/v1/people", .query = query_of(given, {"after", "limit"})}),
        print_people);
  }
  const std::string after = given.contains("after") ? given["after"].as<std::string>() : "";
  const auto limit = to_integer(given.contains("limit") ? given["limit"].as<std::string>() : "100");
  if (!limit || *limit < 1) return complain(usage, "--limit is a number from 1");
  return print_answer(given,
                      at_rest(given,
                              [&](const identity::PeopleBook& book) {
                                return http::list_people(
                                    book, after, static_cast<std::size_t>(*limit), std::nullopt);
                              }),
                      print_people);
}

int show_one(const po::variables_map& given, const std::string& address) {
  if (!given.contains("store")) {
    return print_answer(given, ask_daemon(given, {.path = "/api/v1/people/" + address}),
                        print_person);
  }
  return print_answer(given,
                      at_rest(given,
                              [&](const identity::PeopleBook& book) {
                                return http::show_person(book, address, std::nullopt);
                              }),
                      print_person);
}

int import(const po::variables_map& given, const std::string& source, const std::string& file) {
  const auto text = file == "-" ? read_to_end(0, "standard input", told_bytes_max)
                                : read_whole_file(file, told_bytes_max);
  if (!text) return complain(text.error());
  if (text->empty()) return complain(answer_is_no, file + " is empty");
  Question question{.path = "/api/v1/people/" + source, .act = *text};
  if (given.contains("as-of")) {
    question.query.emplace_back("as_of", given["as-of"].as<std::string>());
  }
  const auto answer = ask_daemon(given, std::move(question));
  if (!answer) return complain(answer.error());
  if (wants_json(given)) {
    print_json(*answer);
  } else {
    print("taken; " + std::to_string(answer->integer("changes")) + " changes are in the ledger\n");
  }
  return done;
}

}  // namespace

int people_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_source_options(options);
  options.add_options()("as-of", text_option("TIME"), "import: when FILE was true")(
      "after", text_option("ACCOUNT"), "list: those behind this one")("limit", text_option("N"),
                                                                      "list: at most so many");
  int code = done;
  const auto given = read_options(arguments, people_synopsis, options, "word", code);
  if (!given) return code;
  const auto words = given->contains("word") ? (*given)["word"].as<std::vector<std::string>>()
                                             : std::vector<std::string>();
  const std::string name = words.empty() ? "" : words[0];
  if (name == "list" && words.size() == 1) return list(*given);
  if (name == "show" && words.size() == 2) return show_one(*given, words[1]);
  if (name == "import" && words.size() == 3) return import(*given, words[1], words[2]);
  return complain(usage, "'people' knows list, show ADDRESS and import SOURCE FILE");
}

}  // namespace mailwarden::cli
