#include "daemon/cli/command.h"

#include <algorithm>
#include <cstdio>
#include <sstream>

#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>
#include <unistd.h>

#include "app/core.h"
#include "base/text.h"
#include "db/open.h"
#include "http/api.h"
#include "http/incident_api.h"
#include "http/routes.h"
#include "ledger/ledger.h"
#include "net/http_client.h"

namespace mailwarden::cli {
namespace {

// Keys are of a store, and each of the two settings is nothing without the other.
Result<void> check_keys(const po::variables_map& given, const po::options_description& options) {
  if (options.find_nothrow("store", false) == nullptr) return {};
  if (given.contains("keys") != given.contains("kek")) {
    return fail(Code::invalid, "--keys PATH and --kek KEK go together");
  }
  if (!given.contains("keys") || given.contains("store")) return {};
  return fail(Code::invalid, "--keys and --kek are of a store at rest; add --store URL");
}

Result<void> check_format(const po::variables_map& given, const po::options_description& options) {
  if (!given.contains("format")) return {};
  // Its description names the formats: "table or json".
  const auto format = given["format"].as<std::string>();
  const std::string& known = options.find("format", false).description();
  const std::size_t between = known.find(" or ");
  if (format == known.substr(0, between) || format == known.substr(between + 4)) return {};
  return fail(Code::invalid, "the format '" + printable(format) + "' is not " + known);
}

}  // namespace

int complain(int code, std::string_view what) {
  std::fprintf(stderr, "mailwarden: %.*s\n", static_cast<int>(what.size()), what.data());
  return code;
}

int complain(const Error& error) {
  const bool no = error.code == Code::not_found || error.code == Code::conflict;
  const bool wrong = error.code == Code::invalid;
  return complain(no ? answer_is_no : wrong ? usage : unavailable, error.what);
}

std::optional<po::variables_map> read_options(const Arguments& arguments, std::string_view synopsis,
                                              po::options_description options,
                                              const char* positional, int& code) {
  options.add_options()("help", "print this");
  po::options_description all;
  all.add(options);
  po::positional_options_description words;
  if (positional != nullptr) {
    all.add_options()(positional, po::value<std::vector<std::string>>());
    words.add(positional, -1);
  }
  po::variables_map given;
  try {
    po::store(po::command_line_parser(arguments).options(all).positional(words).run(), given);
  } catch (const po::error& e) {
    code = complain(usage, std::string(e.what()) + "; --help lists the options");
    return std::nullopt;
  }
  if (given.contains("help")) {
    std::ostringstream text;
    text << "Usage: mailwarden " << synopsis << "\n\n" << options;
    print(text.str());
    code = done;
    return std::nullopt;
  }
  for (const auto check : {&check_format, &check_keys}) {
    if (auto good = check(given, options); !good) {
      code = complain(usage, good.error().what);
      return std::nullopt;
    }
  }
  return given;
}

std::optional<po::variables_map> read_needed(const Arguments& arguments, std::string_view synopsis,
                                             const po::options_description& options,
                                             std::initializer_list<const char*> needed, int& code) {
  auto given = read_options(arguments, synopsis, options, nullptr, code);
  if (!given) return given;
  for (const char* name : needed) {
    if (given->contains(name)) continue;
    code = complain(
        usage, "it needs --" + std::string(name) + "; usage: mailwarden " + std::string(synopsis));
    return std::nullopt;
  }
  return given;
}

int run_one_of(std::string_view name, std::span<const Group> commands, const Arguments& arguments) {
  const std::string wanted = arguments.empty() ? "--help" : arguments[0];
  std::string known;
  std::string choice;
  std::size_t width = 0;
  for (const Group& command : commands) {
    if (command.name == wanted) {
      return command.run(Arguments(arguments.begin() + 1, arguments.end()));
    }
    const bool last = &command == &commands.back();
    known += (known.empty() ? "" : last ? " and " : ", ") + std::string(command.name);
    choice += (choice.empty() ? "" : "|") + std::string(command.name);
    width = std::max(width, command.name.size() + 2);
  }
  if (wanted != "--help") {
    return complain(usage, "'" + std::string(name) + "' knows " + known);
  }
  std::string text = "Usage: mailwarden " + std::string(name) + " " + choice + " [OPTION]...\n";
  for (const Group& command : commands) {
    text += "  " + std::string(command.name) + std::string(width - command.name.size(), ' ') +
            std::string(command.meaning) + "\n";
  }
  print(text);
  return done;
}

po::typed_value<std::string>* text_option(const char* placeholder) {
  return po::value<std::string>()->value_name(placeholder);
}

void add_store_option(po::options_description& options) {
  options.add_options()("store", text_option("URL"),
                        "a store at rest: sqlite:PATH or postgresql://...");
  add_key_options(options);
}

void add_key_options(po::options_description& options) {
  auto add = options.add_options();
  add("keys", text_option("PATH"), "the keys of a sealed store: its book of keys");
  add("kek", text_option("KEK"),
      "and the key that wraps them: file:PATH, pkcs11:MODULE,token=,pin= or command:FILE.yaml");
}

void add_socket_option(po::options_description& options) {
  options.add_options()("socket",
                        text_option("PATH")->default_value("/run/mailwarden/mailwarden.sock"),
                        "the daemon's UNIX socket");
}

void add_format_option(po::options_description& options, std::string_view usual,
                       std::string_view other) {
  const std::string meaning = std::string(usual) + " or " + std::string(other);
  options.add_options()("format", text_option("FORMAT")->default_value(std::string(usual)),
                        meaning.c_str());
}

void add_source_options(po::options_description& options) {
  options.add_options()("store", text_option("URL"),
                        "read a store at rest instead of asking the daemon");
  add_key_options(options);
  add_socket_option(options);
  add_format_option(options);
}

void add_act_options(po::options_description& options) {
  add_socket_option(options);
  add_format_option(options);
  auto add = options.add_options();
  add("why", text_option("REASON")->default_value(""), "the reason, which is kept");
  add("who", text_option("PERSON")->default_value(""), "who acts");
}

int order(const po::variables_map& given, const std::string& path, json::Object act,
          void (*show)(const json::Value& answer)) {
  act["who"] = given["who"].as<std::string>();
  act["why"] = given["why"].as<std::string>();
  return print_answer(
      given, ask_daemon(given, {.path = path, .act = json::to_text(std::move(act))}), show);
}

int print_answer(const po::variables_map& given, const Result<json::Value>& answer,
                 void (*show)(const json::Value& answer)) {
  if (!answer) return complain(answer.error());
  if (wants_json(given)) {
    print_json(*answer);
  } else {
    show(*answer);
  }
  return done;
}

std::string text_of(const po::variables_map& given, const char* name) {
  return given.contains(name) ? given[name].as<std::string>() : std::string();
}

std::vector<std::string> words_of(const po::variables_map& given, const char* name) {
  return given.contains(name) ? given[name].as<std::vector<std::string>>()
                              : std::vector<std::string>();
}

bool wants_json(const po::variables_map& given) {
  return given.contains("format") && given["format"].as<std::string>() == "json";
}

Result<std::unique_ptr<OpenedKeys>> OpenedKeys::open(const po::variables_map& given) {
  const auto kek = vault::parse_kek(given["kek"].as<std::string>());
  if (!kek) return fail("--kek", kek.error());
  auto opened = std::make_unique<OpenedKeys>();
  auto keys = vault::StoreKeys::open(
      {.book = given["keys"].as<std::string>(), .kek = *kek, .read_only = true}, opened->entropy_,
      opened->clock_, {});
  if (!keys) return std::unexpected(keys.error());
  opened->keys_ = *std::move(keys);
  return opened;
}

Result<OpenedStore> open_store(const po::variables_map& given) {
  return open_store(given["store"].as<std::string>(), given);
}

Result<OpenedStore> open_store(const std::string& url, const po::variables_map& given) {
  auto store = db::open_url(url, {.read_only = true});
  if (!store && store.error().code == Code::invalid) return std::unexpected(store.error());
  if (!store) return fail(Code::unavailable, store.error().what);
  const auto migrations = app::all_migrations();
  if (auto ours = db::check_migrations(**store, migrations); !ours) {
    return fail(Code::unavailable, url + ": " + ours.error().what);
  }
  if (!given.contains("keys")) return OpenedStore(nullptr, *std::move(store));
  auto keys = OpenedKeys::open(given);
  if (!keys && keys.error().code == Code::invalid) return std::unexpected(keys.error());
  if (!keys) return fail(Code::unavailable, keys.error().what);
  OpenedStore opened(*std::move(keys), *std::move(store));
  if (auto fits = ledger::check_keys(*opened); !fits) return fail(url, fits.error());
  return opened;
}

Result<json::Value> ask_daemon(const po::variables_map& given, Question question) {
  net::Client client;
  const auto socket = given["socket"].as<std::string>();
  const std::string usual = question.act.empty() ? "GET" : "POST";
  const auto answer = client.request({.method = question.method.empty() ? usual : question.method,
                                      .url = "http://localhost" + question.path,
                                      .query = std::move(question.query),
                                      .socket = socket,
                                      .body = std::move(question.act)});
  if (!answer && answer.error().code == Code::invalid) return std::unexpected(answer.error());
  if (!answer) {
    return fail(Code::unavailable, "no daemon answers at " + socket +
                                       "; is it running? A store at rest is read with --store URL");
  }
  auto value = answer->body.empty() ? Result<json::Value>() : json::parse(answer->body);
  if (!value) return fail(Code::unavailable, "the daemon's answer is not JSON");
  if (answer->status == 200) return value;
  const Code code = answer->status == 404   ? Code::not_found
                    : answer->status == 409 ? Code::conflict
                    : answer->status == 400 ? Code::invalid
                    : answer->status == 403 ? Code::denied
                                            : Code::unavailable;
  // Alertmanager's paths say it as a text.
  if (value->as_string() != nullptr) return fail(code, *value->as_string());
  return fail(code, value->text("error", "the daemon refused"));
}

Result<json::Value> ask(const po::variables_map& given, Question question) {
  if (!given.contains("store")) return ask_daemon(given, std::move(question));
  const auto store = open_store(given);
  if (!store) return std::unexpected(store.error());
  const auto at_rest = fail(Code::denied, "a store at rest is read, not written");
  const http::Api api(
      {.store = {given["store"].as<std::string>(), (*store)->sealing()}, .reports = ""},
      [] { return http::Status(); },
      [&](const incident::Act&) -> Result<std::vector<incident::Change>> { return at_rest; },
      {.act = [&](const respond::flow::RunAct&) -> Result<respond::flow::Run> { return at_rest; },
       .start = [&](const respond::flow::StartOrder&, std::int64_t) -> Result<respond::flow::Run> {
         return at_rest;
       }});
  const SystemClock clock;
  const http::IncidentApi incidents(
      {.clock = clock,
       .store = {given["store"].as<std::string>(), (*store)->sealing()},
       .report = [&](const incident::Report&) -> Result<std::vector<incident::Change>> {
         return at_rest;
       },
       .procedure = [] { return nullptr; }});
  const net::Request request{
      .method = "GET", .path = question.path, .query = std::move(question.query)};
  const http::Route* const route = http::find_route(request.method, request.path);
  const bool is_of_incidents = route != nullptr && route->part == http::Part::incidents;
  const auto answer = is_of_incidents ? incidents.answer(request) : api.answer(request);
  auto value = json::parse(answer.body);
  if (!value) return value;
  if (answer.status == 200) return value;
  return fail(answer.status == 404 ? Code::not_found : Code::invalid, value->text("error"));
}

std::vector<std::pair<std::string, std::string>> query_of(
    const po::variables_map& given, std::initializer_list<const char*> names) {
  std::vector<std::pair<std::string, std::string>> query;
  for (const char* name : names) {
    if (given.contains(name)) query.emplace_back(name, given[name].as<std::string>());
  }
  return query;
}

std::string joined(const json::Value& texts) {
  std::string out;
  if (const auto* const items = texts.as_array()) {
    for (const json::Value& item : *items) {
      if (const auto* const text = item.as_string()) out += (out.empty() ? "" : ", ") + *text;
    }
  }
  return out;
}

std::string short_time(const std::string& rfc3339) {
  std::string text = rfc3339.substr(0, 19);
  if (text.size() > 10) text[10] = ' ';
  return text;
}

std::function<void(std::int64_t)> progress(const char* of_what) {
  if (::isatty(2) == 0) return {};
  return [of_what](std::int64_t done) {
    std::fprintf(stderr, "\r%lld %s", static_cast<long long>(done), of_what);
  };
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void print_json(const json::Value& value) {
  print(json::to_pretty_text(value) + "\n");
}

void print_table(const std::vector<std::string>& names,
                 const std::vector<std::vector<std::string>>& rows) {
  auto columns_of = [](const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  };
  std::vector<std::size_t> widths;
  for (const std::string& name : names) widths.push_back(columns_of(name));
  std::vector<std::vector<std::string>> shown{names};
  for (const auto& row : rows) {
    auto& line = shown.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      line.push_back(printable(row[i]));
      widths[i] = std::max(widths[i], columns_of(line.back()));
    }
  }
  for (const auto& line : shown) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      text += line[i];
      if (i + 1 < line.size()) text.append(widths[i] - columns_of(line[i]) + 2, ' ');
    }
    print(text + "\n");
  }
}

}  // namespace mailwarden::cli
