// Incidents: reported, worked through, notified, looked back on.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/text.h"
#include "crypto/sha256.h"
#include "daemon/cli/command.h"
#include "net/mail_reader.h"

namespace mailwarden::cli {
namespace {

// An act of one or two words on an incident, with what it is about and what may be told besides.
struct Work {
  std::string_view verb;
  std::string_view second;  // "" for none
  std::string_view act;
  std::string_view placeholder;
  std::array<std::string_view, 5> with;  // options, "" behind the last
  std::string_view state;                // told as 'state'; "" for none
};

constexpr std::array works{
    Work{"type", "", "set_type", "TYPE", {}, ""},
    Work{"role", "", "assign_role", "ROLE=PERSON", {}, ""},
    Work{"split", "", "split", "KIND:NAME", {"facts"}, ""},
    Work{"remark", "", "remark", "PART", {}, ""},
    Work{"task", "add", "add_task", "WHAT", {"phase", "owner", "due"}, ""},
    Work{"task", "change", "change_task", "TASK", {"owner", "due"}, ""},
    Work{"task", "done", "end_task", "TASK", {}, "done"},
    Work{"task", "drop", "end_task", "TASK", {}, "dropped"},
    Work{"notice", "sent", "send_notice", "DUTY", {"to", "how", "sha256", "sent", "last"}, ""},
    Work{"notice", "aware", "tell_aware", "DUTY", {"since"}, ""},
    Work{"notice", "waive", "waive_duty", "DUTY", {}, ""},
    Work{"evidence", "hand-over", "hand_over", "EVIDENCE", {"to", "where"}, ""}};

constexpr std::size_t mail_bytes_max = std::size_t{64} * 1024 * 1024;  // what is read of one

constexpr std::string_view synopses =
    "\n       mailwarden incidents report --title T --who P [OPTION]..."
    "\n       mailwarden incidents type|role|split|remark NUMBER WHAT --who P --why W"
    "\n       mailwarden incidents task add|change|done|drop NUMBER TASK --who P --why W"
    "\n       mailwarden incidents evidence add NUMBER FILE --who P --why W"
    "\n       mailwarden incidents evidence hand-over NUMBER EVIDENCE --to P --who P --why W"
    "\n       mailwarden incidents evidence verify NUMBER"
    "\n       mailwarden incidents notice draft NUMBER DUTY"
    "\n       mailwarden incidents notice sent|aware|waive NUMBER DUTY --who P --why W"
    "\n       mailwarden incidents spread NUMBER [OPTION]..."
    "\n       mailwarden incidents export NUMBER [-o FILE]"
    "\n       mailwarden incidents figures|breaches|waiting [OPTION]...";

int do_work(const Work& work, const Arguments& arguments) {
  po::options_description options("Options");
  add_act_options(options);
  auto add = options.add_options();
  for (const std::string_view name : work.with) {
    if (!name.empty()) add(name.data(), text_option("TEXT"), "told along");
  }
  const std::string command = "incidents " + std::string(work.verb) +
                              (work.second.empty() ? "" : " " + std::string(work.second));
  int code = done;
  const auto given = read_options(
      arguments, command + " NUMBER " + std::string(work.placeholder) + " --who P --why W", options,
      "number", code);
  if (!given) return code;
  const auto words = words_of(*given, "number");
  if (words.size() != 2) {
    return complain(usage, "'" + command + "' needs the incident's number and " +
                               std::string(work.placeholder));
  }
  json::Object with;
  for (const std::string_view name : work.with) {
    const std::string option(name);
    if (!name.empty() && given->contains(option)) with[option] = (*given)[option].as<std::string>();
  }
  if (!work.state.empty()) with["state"] = work.state;
  return order(*given, "/api/v1/incidents/" + words[0] + "/acts",
               {{"act", work.act}, {"value", words[1]}, {"with", std::move(with)}}, print_changes);
}

// What a mail server's pipe understands (sysexits.h): it keeps the mail and tries again later.
constexpr int try_again = 75;

void print_report(const json::Value& answer) {
  const auto* changes = answer["changes"].as_array();
  if (changes != nullptr && !changes->empty()) {
    print("Incident " + std::to_string(changes->front().integer("incident")) + "\n");
  }
  print_changes(answer);
}

// A mail on the standard input. Nothing is lost: what the daemon does not take is tried again.
int report_mail(const po::variables_map& given) {
  std::string bytes;
  std::string portion(std::size_t{1} << 16, '\0');
  while (std::cin.read(portion.data(), std::ssize(portion)) || std::cin.gcount() > 0) {
    const auto got = static_cast<std::size_t>(std::cin.gcount());
    if (bytes.size() < mail_bytes_max) bytes.append(portion, 0, got);
  }
  const net::ReceivedMail mail = net::read_mail(bytes);
  std::string what = mail.text;
  for (const std::string& name : mail.attachments) what += "\nAttached: " + name;
  json::Object body{{"entity", mail.thread.empty() ? "" : "mail:" + mail.thread},
                    {"title", mail.subject.empty() ? "A mail without a subject" : mail.subject},
                    {"type", given["type"].as<std::string>()},
                    {"what", std::move(what)},
                    {"who", mail.from.empty() ? "a mail without a sender" : mail.from}};
  const auto answer =
      ask_daemon(given, {.path = "/api/v1/incidents", .act = json::to_text(std::move(body))});
  if (!answer) {
    complain(answer.error());
    return try_again;
  }
  return print_answer(given, answer, print_report);
}

int report_incident(const Arguments& arguments) {
  po::options_description options("Options");
  add_socket_option(options);
  add_format_option(options);
  auto add = options.add_options();
  add("mail", po::bool_switch(), "read a mail from the standard input; exit code 75: try again");
  add("title", text_option("TEXT"), "what happened, in a line");
  add("what", text_option("TEXT")->default_value(""), "the same in full");
  add("type", text_option("TYPE")->default_value(""), "one of policies/incidents.yaml");
  add("entity", text_option("KIND:NAME")->default_value(""),
      "whom or what it is about, such as account:alice@example.com");
  add("fact", po::value<std::vector<std::string>>()->value_name("FACT=WORTH"),
      "what is known of its impact; several times for several");
  add("who", text_option("PERSON"), "who reports it");
  int code = done;
  const auto given = read_options(arguments,
                                  "incidents report --title T --who P [OPTION]...\n"
                                  "       mailwarden incidents report --mail [--type TYPE]",
                                  options, nullptr, code);
  if (!given) return code;
  if ((*given)["mail"].as<bool>()) return report_mail(*given);
  if (!given->contains("title") || !given->contains("who")) {
    return complain(usage, "'incidents report' needs --title and --who, or --mail");
  }
  json::Array facts;
  for (std::string& fact : words_of(*given, "fact")) facts.emplace_back(std::move(fact));
  json::Object body{{"facts", std::move(facts)}};
  for (const char* name : {"title", "what", "type", "entity", "who"}) {
    body[name] = (*given)[name].as<std::string>();
  }
  return print_answer(*given,
                      ask_daemon(*given, {.path = "/api/v1/incidents", .act = json::to_text(body)}),
                      print_report);
}

int draft_notice(const Arguments& arguments) {
  po::options_description options("Options");
  add_socket_option(options);
  add_format_option(options);
  int code = done;
  const auto given =
      read_options(arguments, "incidents notice draft NUMBER DUTY", options, "number", code);
  if (!given) return code;
  const auto words = words_of(*given, "number");
  if (words.size() != 2) {
    return complain(usage, "'incidents notice draft' needs the incident's number and the duty");
  }
  return print_answer(*given,
                      ask_daemon(*given, {.path = "/api/v1/incidents/" + words[0] + "/notice",
                                          .query = {{"duty", words[1]}}}),
                      [](const json::Value& answer) { print(answer.text("text")); });
}

std::string times_of(const json::Value& times) {
  if (times.integer("count") == 0) return "-";
  const auto words = [&](std::string_view name) {
    return to_words(std::chrono::seconds(times.integer(name)));
  };
  return words("median_s") + " / " + words("p90_s");
}

void print_figures(const json::Value& answer) {
  std::vector<std::vector<std::string>> rows;
  if (const auto* figures = answer["figures"].as_array()) {
    for (const json::Value& row : *figures) {
      rows.push_back({row.text("month"), std::to_string(row.integer("severity")),
                      std::to_string(row.integer("incidents")),
                      std::to_string(row.integer("missed")), times_of(row["detect"]),
                      times_of(row["acknowledge"]), times_of(row["contain"]),
                      times_of(row["resolve"])});
    }
  }
  print("Times are the median and the 90th percentile.\n");
  print_table(
      {"MONTH", "SEVERITY", "INCIDENTS", "LATE", "DETECT", "ACKNOWLEDGE", "CONTAIN", "RESOLVE"},
      rows);
}

// "address 192.0.2.7, account ann".
std::string common_of(const json::Value& group) {
  std::string text;
  if (const auto* common = group["common"].as_array()) {
    for (const json::Value& one : *common) {
      text += (text.empty() ? "" : ", ") + one.text("kind") + " " + one.text("name");
    }
  }
  return text;
}

void print_waiting(const json::Value& answer) {
  std::vector<std::vector<std::string>> rows;
  if (const auto* groups = answer["waiting"].as_array()) {
    for (const json::Value& group : *groups) {
      const std::string distinct = group.text("distinct");
      rows.push_back({common_of(group),
                      std::to_string(group.integer("count")) + " of " +
                          std::to_string(group.integer("threshold")) +
                          (distinct.empty() ? "" : ", each another " + distinct),
                      group.text("within"), group.text("rule"), group.text("title"),
                      short_time(group.text("until"))});
    }
  }
  print_table({"IN COMMON", "SO MANY", "WITHIN", "RULE", "THE LAST", "KEPT UNTIL (UTC)"}, rows);
}

void print_breaches(const json::Value& answer) {
  std::vector<std::vector<std::string>> rows;
  if (const auto* breaches = answer["breaches"].as_array()) {
    for (const json::Value& one : *breaches) {
      std::string duties;
      if (const auto* all = one["duties"].as_object()) {
        for (const auto& [name, duty] : *all) {
          const bool missed = duty["missed"] == json::Value(true);
          duties += (duties.empty() ? "" : ", ") + name + " " + duty.text("state") +
                    (missed ? " (late)" : "");
        }
      }
      rows.push_back({std::to_string(one.integer("number")), short_time(one.text("opened")),
                      std::to_string(one.integer("severity")), one.text("state"), one.text("title"),
                      duties});
    }
  }
  print_table({"NO", "OPENED (UTC)", "SEVERITY", "STATE", "WHAT", "DUTIES"}, rows);
}

struct Hashed {
  std::string sha256;
  std::int64_t bytes = 0;
};

Result<Hashed> hash_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::io, path + ": it cannot be read");
  crypto::Sha256 hash;
  Hashed hashed;
  std::string portion(std::size_t{1} << 20, '\0');
  while (file.read(portion.data(), std::ssize(portion)) || file.gcount() > 0) {
    hash.add(std::string_view(portion).substr(0, static_cast<std::size_t>(file.gcount())));
    hashed.bytes += file.gcount();
  }
  if (file.bad()) return fail(Code::io, path + ": it cannot be read to its end");
  hashed.sha256 = crypto::to_hex(hash.end());
  return hashed;
}

// The file stays where it is; its hash is what the ledger keeps.
int add_evidence(const Arguments& arguments) {
  po::options_description options("Options");
  add_act_options(options);
  options.add_options()("name", text_option("TEXT"), "what it is; the file's name unless told");
  int code = done;
  const auto given = read_options(arguments, "incidents evidence add NUMBER FILE --who P --why W",
                                  options, "number", code);
  if (!given) return code;
  const auto words = words_of(*given, "number");
  if (words.size() != 2) {
    return complain(usage, "'incidents evidence add' needs the incident's number and a file");
  }
  const auto hashed = hash_file(words[1]);
  if (!hashed) return complain(hashed.error());
  const std::filesystem::path path = std::filesystem::absolute(words[1]);
  const std::string name =
      given->contains("name") ? (*given)["name"].as<std::string>() : path.filename().string();
  return order(*given, "/api/v1/incidents/" + words[0] + "/acts",
               {{"act", "add_evidence"},
                {"value", name},
                {"with", json::Object{{"bytes", std::to_string(hashed->bytes)},
                                      {"sha256", hashed->sha256},
                                      {"where", path.string()}}}},
               print_changes);
}

// Whether each file is still what it was; the exit code says whether all are.
int verify_evidence(const Arguments& arguments) {
  po::options_description options("Options");
  add_source_options(options);
  int code = done;
  const auto given =
      read_options(arguments, "incidents evidence verify NUMBER", options, "number", code);
  if (!given) return code;
  const auto words = words_of(*given, "number");
  if (words.size() != 1) {
    return complain(usage, "'incidents evidence verify' needs the incident's number");
  }
  const auto answer = ask(*given, {.path = "/api/v1/incidents/" + words[0]});
  if (!answer) return complain(answer.error());
  std::vector<std::vector<std::string>> rows;
  if (const auto* evidence = (*answer)["evidence"].as_array()) {
    for (const json::Value& one : *evidence) {
      const auto hashed = hash_file(one.text("where"));
      const bool same = hashed && hashed->sha256 == one.text("sha256");
      if (!same) code = answer_is_no;
      rows.push_back({std::to_string(one.integer("number")), one.text("name"), one.text("where"),
                      same     ? "the same"
                      : hashed ? "CHANGED"
                               : "not to be read here"});
    }
  }
  print_table({"NO", "WHAT", "WHERE", "IS"}, rows);
  return code;
}

void print_spread(const json::Value& answer) {
  if (const auto* breadth = answer["breadth"].as_array()) {
    for (const json::Value& depth : *breadth) {
      print("depth " + std::to_string(depth.integer("depth")) + ": " +
            std::to_string(depth.integer("account")) + " accounts, " +
            std::to_string(depth.integer("address")) + " addresses, " +
            std::to_string(depth.integer("host")) + " hosts\n");
    }
  }
  std::vector<std::vector<std::string>> rows;
  if (const auto* paths = answer["paths"].as_array()) {
    for (const json::Value& path : *paths) {
      rows.push_back({path.text("account"), path.text("address"), path.text("host"),
                      path.text("service"), std::to_string(path.integer("succeeded")),
                      std::to_string(path.integer("failed")), short_time(path.text("first")),
                      short_time(path.text("last"))});
    }
  }
  print_table(
      {"ACCOUNT", "FROM", "TO HOST", "BY", "SUCCEEDED", "FAILED", "FIRST (UTC)", "LAST (UTC)"},
      rows);
  if (const std::string cut = answer.text("cut"); !cut.empty()) print(cut + "\n");
}

int show_spread(const Arguments& arguments) {
  po::options_description options("Options");
  add_source_options(options);
  options.add_options()("depth", text_option("STEPS"), "how many steps to follow; 3 unless told");
  int code = done;
  const auto given =
      read_options(arguments, "incidents spread NUMBER [OPTION]...", options, "number", code);
  if (!given) return code;
  const auto words = words_of(*given, "number");
  if (words.size() != 1) return complain(usage, "'incidents spread' needs the incident's number");
  return print_answer(
      *given,
      ask(*given, {"/api/v1/incidents/" + words[0] + "/spread", query_of(*given, {"depth"})}),
      print_spread);
}

int look(const Arguments& arguments, const std::string& name,
         void (*show)(const json::Value& answer)) {
  po::options_description options("Options");
  add_source_options(options);
  if (name == "figures") {
    auto add = options.add_options();
    add("from", text_option("TIME"), "incidents opened not before this time");
    add("until", text_option("TIME"), "and before this one");
  }
  int code = done;
  const auto given =
      read_options(arguments, "incidents " + name + " [OPTION]...", options, nullptr, code);
  if (!given) return code;
  return print_answer(*given, ask(*given, {"/api/v1/" + name, query_of(*given, {"from", "until"})}),
                      show);
}

}  // namespace

std::string_view incident_work_synopsis() {
  return synopses;
}

std::optional<int> incident_work(std::string_view verb, const Arguments& arguments) {
  if (verb == "report") return report_incident(arguments);
  if (verb == "spread") return show_spread(arguments);
  if (verb == "export") return export_incident(arguments);
  if (verb == "figures") return look(arguments, "figures", print_figures);
  if (verb == "breaches") return look(arguments, "breaches", print_breaches);
  if (verb == "waiting") return look(arguments, "waiting", print_waiting);
  const std::string second = arguments.empty() ? "" : arguments[0];
  const Arguments rest(arguments.empty() ? arguments.end() : arguments.begin() + 1,
                       arguments.end());
  if (verb == "notice" && second == "draft") return draft_notice(rest);
  if (verb == "evidence" && second == "add") return add_evidence(rest);
  if (verb == "evidence" && second == "verify") return verify_evidence(rest);
  if (std::ranges::find(works, verb, &Work::verb) == works.end()) return std::nullopt;
  for (const Work& work : works) {
    if (work.verb != verb) continue;
    if (work.second.empty()) return do_work(work, arguments);
    if (work.second == second) return do_work(work, rest);
  }
  std::string seconds;
  for (const Work& work : works) {
    if (work.verb == verb) seconds += (seconds.empty() ? "" : ", ") + std::string(work.second);
  }
  if (verb == "notice") seconds = "draft, " + seconds;
  if (verb == "evidence") seconds = "add, verify, " + seconds;
  return complain(usage, "'incidents " + std::string(verb) + "' needs one of " + seconds);
}

}  // namespace mailwarden::cli
