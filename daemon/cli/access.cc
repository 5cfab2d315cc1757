// Commands about access: grants, who can reach what, and what was decided.
#include <algorithm>
#include <array>

#include "base/files.h"
#include "base/text.h"
#include "daemon/cli/command.h"

namespace mailwarden::cli {
namespace {

constexpr std::string_view access_synopsis =
    "access COMMAND [OPTION]...\n"
    "  request --system S --purpose P --ticket T --duration D --reason R   asks for a grant\n"
    "  break-glass, with the same options                                  works and alarms at "
    "once\n"
    "  approve|refuse|withdraw|end|review GRANT [--why W]                  acts on one\n"
    "  list, show GRANT                                                    grants, one with its "
    "history\n"
    "  who-can --system S [--action A], what-can --person P                who reaches what now\n"
    "  decisions [--person P] [--system S] [--denied]                      what was decided\n"
    "Who acts is said by --who, or shown by --token FILE.";

constexpr std::array deeds{"approve", "refuse", "withdraw", "end", "review"};

void print_grants(const json::Value& answer) {
  std::vector<std::vector<std::string>> rows;
  for (const json::Value& one : *answer["grants"].as_array()) {
    rows.push_back({std::to_string(one.integer("number")), one.text("state"), one.text("person"),
                    one.text("system"), one.text("purpose"), one.text("ticket"),
                    short_time(one.text("until")), one.text("reason")});
  }
  print_table({"GRANT", "STATE", "PERSON", "SYSTEM", "PURPOSE", "TICKET", "UNTIL (UTC)", "REASON"},
              rows);
}

void print_allowed(const json::Value& answer) {
  std::vector<std::vector<std::string>> rows;
  for (const json::Value& one : *answer["allowed"].as_array()) {
    std::string policies;
    for (const json::Value& id : *one["policies"].as_array()) {
      policies += (policies.empty() ? "" : ", ") + *id.as_string();
    }
    const std::int64_t grant = one.integer("grant");
    rows.push_back({one.text("person"), one.text("action"), one.text("system"), policies,
                    grant == 0 ? "" : std::to_string(grant)});
  }
  print_table({"PERSON", "ACTION", "SYSTEM", "BY POLICIES", "GRANT"}, rows);
}

void print_decisions(const json::Value& answer) {
  std::vector<std::vector<std::string>> rows;
  for (const json::Value& one : *answer["decisions"].as_array()) {
    rows.push_back({short_time(one.text("when")), one.text("decision"), one.text("why"),
                    one.text("principal"), one.text("action"), one.text("resource"),
                    one.text("id")});
  }
  print_table({"WHEN (UTC)", "DECISION", "WHY", "PRINCIPAL", "ACTION", "RESOURCE", "ID"}, rows);
}

void print_grant(const json::Value& grant) {
  print_grants(json::Object{{"grants", json::Array{grant}}});
}

// Of an act; false where the token cannot be read.
Result<json::Object> body_of(const po::variables_map& given, std::string act) {
  std::ranges::replace(act, '-', '_');
  json::Object body{{"act", act}, {"who", text_of(given, "who")}, {"why", text_of(given, "why")}};
  for (const char* name : {"person", "system", "purpose", "ticket", "reason", "duration"}) {
    if (given.contains(name)) body[name] = text_of(given, name);
  }
  if (!given.contains("token")) return body;
  const auto token = read_whole_file(text_of(given, "token"), 64 * 1024);
  if (!token) return std::unexpected(token.error());
  body["token"] = std::string(trim(*token));
  return body;
}

int act(const po::variables_map& given, const std::string& name, std::int64_t grant) {
  auto body = body_of(given, name);
  if (!body) return complain(body.error());
  if (grant != 0) (*body)["grant"] = grant;
  return print_answer(given,
                      ask_daemon(given, {.path = "/api/v1/grants", .act = json::to_text(*body)}),
                      print_grant);
}

std::string as_cedar(const char* type, const std::string& id) {
  return id.empty() || id.find("::") != std::string::npos ? id
                                                          : std::string(type) + "::\"" + id + "\"";
}

int look(const po::variables_map& given, const std::string& name) {
  if (name == "list") {
    return print_answer(
        given,
        ask_daemon(given, {.path = "/api/v1/grants",
                           .query = query_of(given, {"person", "system", "state"})}),
        print_grants);
  }
  if (name == "who-can") {
    return print_answer(given,
                        ask_daemon(given, {.path = "/api/v1/who-can",
                                           .query = query_of(given, {"system", "action"})}),
                        print_allowed);
  }
  if (name == "what-can") {
    return print_answer(
        given,
        ask_daemon(given, {.path = "/api/v1/what-can", .query = query_of(given, {"person"})}),
        print_allowed);
  }
  std::vector<std::pair<std::string, std::string>> query{
      {"principal", as_cedar("User", text_of(given, "person"))},
      {"resource", as_cedar("System", text_of(given, "system"))}};
  if (given.contains("denied")) query.emplace_back("allowed", "false");
  return print_answer(given, ask_daemon(given, {.path = "/api/v1/decisions", .query = query}),
                      print_decisions);
}

}  // namespace

int access_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_socket_option(options);
  add_format_option(options);
  auto add = options.add_options();
  for (const char* name : {"person", "system", "action", "purpose", "ticket", "reason", "duration",
                           "who", "why", "state"}) {
    add(name, text_option("TEXT"), "");
  }
  add("token", text_option("FILE"), "the token of who acts");
  add("denied", "decisions: denials alone");
  int code = done;
  const std::string name = arguments.empty() ? "--help" : arguments[0];
  const bool is_option = name.starts_with('-');
  const auto given = read_options(
      Arguments(arguments.begin() + (is_option || arguments.empty() ? 0 : 1), arguments.end()),
      access_synopsis, options, "grant", code);
  if (!given) return code;
  if (is_option) return complain(usage, "'access' needs a command");
  const auto words = given->contains("grant") ? (*given)["grant"].as<std::vector<std::string>>()
                                              : std::vector<std::string>();
  const auto grant = words.size() == 1 ? to_integer(words[0]) : std::nullopt;
  if (name == "request" || name == "break-glass") return act(*given, name, 0);
  if (std::ranges::find(deeds, name) != deeds.end()) {
    if (!grant) return complain(usage, "which grant? 'mailwarden access " + name + " NUMBER'");
    return act(*given, name, *grant);
  }
  if (name == "show") {
    if (!grant) return complain(usage, "which grant? 'mailwarden access show NUMBER'");
    return print_answer(*given,
                        ask_daemon(*given, {.path = "/api/v1/grants/" + std::to_string(*grant)}),
                        print_json);
  }
  constexpr std::array looks{"list", "who-can", "what-can", "decisions"};
  if (std::ranges::find(looks, name) != looks.end()) return look(*given, name);
  return complain(usage,
                  "'access' knows request, break-glass, approve, refuse, withdraw, end, "
                  "review, list, show, who-can, what-can and decisions");
}

}  // namespace mailwarden::cli
