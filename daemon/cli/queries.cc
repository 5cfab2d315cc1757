// Commands that look at what is stored: through the daemon, or in a store at rest.
#include "base/text.h"
#include "daemon/cli/command.h"

namespace mailwarden::cli {
namespace {

std::string joined(const json::Value& texts) {
  std::string out;
  if (const auto* items = texts.as_array()) {
    for (const json::Value& item : *items) {
      if (const auto* text = item.as_string()) out += (out.empty() ? "" : ", ") + *text;
    }
  }
  return out;
}

std::string severity_of(const json::Value& incident) {
  return std::to_string(incident.integer("severity")) + " " + incident.text("severity_word");
}

std::string reason_of(const json::Value& incident) {
  const std::string row = incident.text("row");
  const std::string because = joined(incident["because"]);
  if (row.empty()) return "no row of the severity table applies";
  return because.empty() ? row : row + ": " + because;
}

void print_incidents(const json::Value& answer) {
  std::vector<std::vector<std::string>> rows;
  if (const auto* incidents = answer["incidents"].as_array()) {
    for (const json::Value& one : *incidents) {
      rows.push_back({std::to_string(one.integer("number")), severity_of(one), one.text("state"),
                      one.text("title"),
                      one["entity"].text("kind") + " " + one["entity"].text("name"),
                      short_time(one.text("changed")), reason_of(one)});
    }
  }
  print_table({"NO", "SEVERITY", "STATE", "WHAT", "ABOUT", "CHANGED (UTC)", "WHY"}, rows);
}

void print_changes(const json::Value& of) {
  std::vector<std::vector<std::string>> rows;
  if (const auto* changes = of["changes"].as_array()) {
    for (const json::Value& change : *changes) {
      rows.push_back({short_time(change.text("when")), change.text("kind"), change.text("who"),
                      change.text("why")});
    }
  }
  print_table({"WHEN (UTC)", "CHANGE", "WHO", "WHY"}, rows);
}

void print_incident(const json::Value& one) {
  print("Incident " + std::to_string(one.integer("number")) + ": " + printable(one.text("title")) +
        "\n  severity  " + severity_of(one) + " (" + printable(reason_of(one)) + ")\n  state     " +
        one.text("state") + "\n  about     " +
        printable(one["entity"].text("kind") + " " + one["entity"].text("name")) +
        "\n  events    " + std::to_string(one.integer("detection_count")) + " detections from " +
        short_time(one.text("first_event")) + " to " + short_time(one.text("last_event")) +
        " UTC\n\n");
  print_changes(one);
}

int act_on_incident(const Arguments& arguments) {
  po::options_description options("Options");
  add_socket_option(options);
  add_format_option(options);
  auto add = options.add_options();
  add("act", text_option("ACT"), "move, assign, assert_fact, lower_severity or note");
  add("value", text_option("VALUE")->default_value(""),
      "the state, the person, fact=worth, the severity");
  add("why", text_option("REASON")->default_value(""), "the reason, which is kept");
  add("who", text_option("PERSON")->default_value(""), "who acts");
  int code = done;
  const auto given =
      read_options(arguments, "incidents act NUMBER --act ACT --value V --why W --who P", options,
                   "number", code);
  if (!given) return code;
  if (!given->contains("number") || !given->contains("act")) {
    return complain(usage, "'incidents act' needs a number and --act");
  }
  const auto number = (*given)["number"].as<std::vector<std::string>>().front();
  const auto answer = ask_daemon(
      *given, {.path = "/api/v1/incidents/" + number + "/acts",
               .act = json::to_text(json::Object{{"act", (*given)["act"].as<std::string>()},
                                                 {"value", (*given)["value"].as<std::string>()},
                                                 {"who", (*given)["who"].as<std::string>()},
                                                 {"why", (*given)["why"].as<std::string>()}})});
  if (!answer) return complain(answer.error());
  if (wants_json(*given)) {
    print_json(*answer);
  } else {
    print_changes(*answer);
  }
  return done;
}

}  // namespace

int incidents_command(const Arguments& arguments) {
  if (!arguments.empty() && arguments[0] == "act") {
    return act_on_incident(Arguments(arguments.begin() + 1, arguments.end()));
  }
  po::options_description options("Options");
  add_source_options(options);
  auto add = options.add_options();
  add("severity", text_option("SEVERITY"), "0, 1, 2 or 3");
  add("state", text_option("STATE"), "detected, analysing, …");
  add("before", text_option("NUMBER"), "numbers below this one");
  add("limit", text_option("NUMBER"), "how many at the most");
  int code = done;
  const auto given = read_options(
      arguments, "incidents [NUMBER] [OPTION]...\n       mailwarden incidents act NUMBER --help",
      options, "number", code);
  if (!given) return code;
  std::string path = "/api/v1/incidents";
  const bool one = given->contains("number");
  if (one) path += "/" + (*given)["number"].as<std::vector<std::string>>().front();
  const auto answer =
      ask(*given, {path, query_of(*given, {"severity", "state", "before", "limit"})});
  if (!answer) return complain(answer.error());
  if (wants_json(*given)) {
    print_json(*answer);
  } else if (one) {
    print_incident(*answer);
  } else {
    print_incidents(*answer);
  }
  return done;
}

int events_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_source_options(options);
  auto add = options.add_options();
  add("account", text_option("NAME"), "who acted, or whose account it is");
  add("address", text_option("ADDRESS"), "where it came from");
  add("from", text_option("TIME"), "not before this time, such as 2026-11-24T02:00:00Z");
  add("until", text_option("TIME"), "before this time");
  add("rule", text_option("ID"), "what a rule found, by the rule's id");
  add("before", text_option("NUMBER"), "the next page: what the page before it said behind 'more'");
  add("limit", text_option("NUMBER"), "how many at the most");
  int code = done;
  const auto given = read_options(arguments, "events [ID] [OPTION]...", options, "id", code);
  if (!given) return code;
  std::string path = "/api/v1/events";
  const bool one = given->contains("id");
  if (one) path += "/" + (*given)["id"].as<std::vector<std::string>>().front();
  const auto answer = ask(
      *given,
      {path, query_of(*given, {"account", "address", "from", "until", "rule", "before", "limit"})});
  if (!answer) return complain(answer.error());
  if (one || wants_json(*given)) {
    print_json(*answer);
    return done;
  }
  std::vector<std::vector<std::string>> rows;
  if (const auto* events = (*answer)["events"].as_array()) {
    for (const json::Value& event : *events) {
      rows.push_back({event.text("id"), short_time(event.text("time")), event.text("source"),
                      event.text("decoder"),
                      event.text("undecoded").empty()
                          ? event["ocsf"].text("message", event.text("raw"))
                          : "UNDECODED: " + event.text("undecoded")});
    }
  }
  print_table({"ID", "TIME (UTC)", "SOURCE", "DECODER", "MESSAGE"}, rows);
  if (const std::int64_t before = answer->integer("before", -1); before >= 0) {
    print("more: --before " + std::to_string(before) + "\n");
  }
  return done;
}

int status_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_socket_option(options);
  add_format_option(options);
  int code = done;
  const auto given = read_options(arguments, "status [OPTION]...", options, nullptr, code);
  if (!given) return code;
  const auto answer = ask_daemon(*given, {.path = "/api/v1/status"});
  if (!answer) return complain(answer.error());
  if (wants_json(*given)) {
    print_json(*answer);
    return done;
  }
  const bool ready = (*answer)["ready"] == json::Value(true);
  print(ready ? "ready\n" : "NOT READY: " + printable(answer->text("trouble")) + "\n");
  if (const std::string damage = answer->text("store_damage"); !damage.empty()) {
    print("DAMAGED: " + printable(damage) + "\n");
  }
  for (const char* name : {"events", "undecoded", "detections", "changes", "gaps", "alerts",
                           "alerts_delivered", "alerts_failed", "errands_waiting", "ledger_entries",
                           "batches_waiting", "write_failures"}) {
    print("  " + std::string(name) + std::string(18 - std::string_view(name).size(), ' ') +
          std::to_string(answer->integer(name)) + "\n");
  }
  return ready ? done : answer_is_no;
}

}  // namespace mailwarden::cli
