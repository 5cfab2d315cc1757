// Incidents: looked at, and acted on.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "daemon/cli/command.h"

namespace mailwarden::cli {
namespace {

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

void print_deadlines(const json::Value& one) {
  struct Line {
    std::string_view deadline;
    std::string_view label;
    std::string_view met;
  };
  constexpr std::array lines{Line{"acknowledge", "ack by    ", "acknowledged"},
                             Line{"contain", "contain by", "contained"},
                             Line{"resolve", "resolve by", "resolved"}};
  const auto* deadlines = one["deadlines"].as_object();
  if (deadlines == nullptr) return;
  for (const Line& line : lines) {
    const auto deadline = deadlines->find(line.deadline);
    if (deadline == deadlines->end()) continue;
    const std::string met = one.text(line.met);
    print("  " + std::string(line.label) + " " + short_time(deadline->second.text("due")) + " UTC" +
          (deadline->second["missed"] == json::Value(true) ? ", MISSED" : "") +
          (met.empty() ? "" : ", done " + short_time(met)) + "\n");
  }
}

// "security: step 2 of 3 at 2026-11-24 02:14:43 UTC, to ann".
std::string escalation_text(const json::Value& one) {
  const json::Value& next = one["next"];
  const auto* const steps = one["steps"].as_array();
  std::string text = one.text("chain") + ": ";
  if (!next.is_null()) {
    text += "step " + std::to_string(next.integer("step")) + " of " +
            std::to_string(steps == nullptr ? 0 : steps->size()) + " at " +
            short_time(next.text("due")) + " UTC, to " +
            joined(next["who"].is_null() ? next["to"] : next["who"]);
    if (const std::int64_t repeat = one.integer("repeat"); repeat > 0) {
      text +=
          ", round " + std::to_string(next.integer("round")) + " of " + std::to_string(repeat + 1);
    }
    return text;
  }
  if (one.text("state") == "running") return text + "the last step was reached, no answer yet";
  const bool is_exhausted = one.text("state") == "exhausted";
  return text + (is_exhausted ? "EXHAUSTED" : one.text("state")) + " since " +
         short_time(one.text("ended")) + " UTC: " + one.text("why");
}

void print_escalation_lines(const json::Value& incident) {
  const auto* const escalations = incident["escalations"].as_array();
  if (escalations == nullptr) return;
  for (const json::Value& one : *escalations) {
    print("  escalation " + printable(escalation_text(one)) + "\n");
  }
}

void print_similar(const json::Value& one) {
  const auto* similar = one["similar"].as_array();
  if (similar == nullptr || similar->empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const json::Value& other : *similar) {
    rows.push_back({std::to_string(other.integer("number")),
                    std::to_string(other.integer("severity")), other.text("state"),
                    other.text("title"), short_time(other.text("changed"))});
  }
  print("\nAbout the same:\n");
  print_table({"NO", "SEVERITY", "STATE", "WHAT", "CHANGED (UTC)"}, rows);
}

void print_related(const json::Value& one) {
  const auto* related = one["related"].as_array();
  if (related == nullptr || related->empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const json::Value& other : *related) {
    rows.push_back({std::to_string(other.integer("number")), other.text("why")});
  }
  print("\nRelated:\n");
  print_table({"NO", "WHY"}, rows);
}

// "merged into 3", "with 4, 5".
std::string merges_of(const json::Value& one) {
  if (const std::int64_t into = one.integer("merged_into"); into != 0) {
    return ", into incident " + std::to_string(into);
  }
  std::string with;
  if (const auto* absorbed = one["absorbed"].as_array()) {
    for (const json::Value& number : *absorbed) {
      with += (with.empty() ? ", with " : ", ") + json::to_text(number);
    }
  }
  return with;
}

void print_tasks(const json::Value& one) {
  const auto* tasks = one["tasks"].as_array();
  if (tasks == nullptr || tasks->empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const json::Value& task : *tasks) {
    const bool missed = task["missed"] == json::Value(true);
    rows.push_back({std::to_string(task.integer("number")), task.text("phase"), task.text("state"),
                    task.text("title"), task.text("owner"),
                    short_time(task.text("due")) + (missed ? " MISSED" : ""), task.text("result")});
  }
  print("\nTo be done:\n");
  print_table({"NO", "PHASE", "STATE", "WHAT", "OWNER", "DUE (UTC)", "RESULT"}, rows);
}

void print_duties(const json::Value& one) {
  const auto* duties = one["duties"].as_object();
  if (duties == nullptr || duties->empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, duty] : *duties) {
    std::string sent;
    if (const auto* notices = duty["notices"].as_array()) {
      for (const json::Value& notice : *notices) {
        sent += (sent.empty() ? "" : "; ") + short_time(notice.text("sent")) + " to " +
                notice.text("to");
      }
    }
    const bool missed = duty["missed"] == json::Value(true);
    rows.push_back({name, duty.text("state") + (missed ? ", MISSED" : ""),
                    short_time(duty.text("aware")), short_time(duty.text("due")),
                    sent + duty.text("why")});
  }
  print("\nTo be notified:\n");
  print_table({"DUTY", "STATE", "KNOWN SINCE (UTC)", "DUE (UTC)", "SENT, OR WHY NOT"}, rows);
}

void print_evidence(const json::Value& one) {
  const auto* evidence = one["evidence"].as_array();
  if (evidence == nullptr || evidence->empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const json::Value& piece : *evidence) {
    rows.push_back({std::to_string(piece.integer("number")), piece.text("name"),
                    piece.text("where"), piece.text("holder"), short_time(piece.text("taken")),
                    piece.text("sha256")});
  }
  print("\nEvidence:\n");
  print_table({"NO", "WHAT", "WHERE", "WHO HAS IT", "TAKEN (UTC)", "SHA-256"}, rows);
}

void print_remarks(const json::Value& one) {
  const auto* parts = one["remarks"].as_object();
  if (parts == nullptr || parts->empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const auto& [part, remarks] : *parts) {
    if (remarks.as_array() == nullptr) continue;
    for (const json::Value& remark : *remarks.as_array()) {
      rows.push_back(
          {part, remark.text("who"), short_time(remark.text("when")), remark.text("text")});
    }
  }
  print("\nRemarks:\n");
  print_table({"ON", "WHO", "WHEN (UTC)", "WHAT"}, rows);
}

std::string roles_of(const json::Value& one) {
  std::string roles;
  if (const auto* people = one["roles"].as_object()) {
    for (const auto& [role, person] : *people) {
      const auto* name = person.as_string();
      if (name != nullptr) roles += (roles.empty() ? "" : ", ") + role + " " + *name;
    }
  }
  return roles;
}

void print_incident(const json::Value& one) {
  print("Incident " + std::to_string(one.integer("number")) + ": " + printable(one.text("title")) +
        "\n  severity   " + severity_of(one) + " (" + printable(reason_of(one)) +
        ")\n  state      " + one.text("state") + merges_of(one) + "\n  about      " +
        printable(one["entity"].text("kind") + " " + one["entity"].text("name")) +
        "\n  events     " + std::to_string(one.integer("detection_count")) + " detections from " +
        short_time(one.text("first_event")) + " to " + short_time(one.text("last_event")) +
        " UTC\n");
  if (const std::string type = one.text("type"); !type.empty()) {
    print("  type       " + type + "\n");
  }
  if (const std::string roles = roles_of(one); !roles.empty()) {
    print("  roles      " + printable(roles) + "\n");
  }
  print_deadlines(one);
  print_escalation_lines(one);
  print_duties(one);
  print_tasks(one);
  print_evidence(one);
  print_remarks(one);
  print("\n");
  print_changes(one);
  print_related(one);
  print_similar(one);
}

struct Verb {
  std::string_view name;
  std::string_view act;
  std::string_view value;        // "" where it is told
  std::string_view placeholder;  // of what is told, "" for nothing
};

constexpr std::array verbs{Verb{"ack", "acknowledge", "", ""},
                           Verb{"assign", "assign", "", "PERSON"},
                           Verb{"fact", "assert_fact", "", "FACT=WORTH"},
                           Verb{"lower", "lower_severity", "", "SEVERITY"},
                           Verb{"merge", "merge", "", "INTO"},
                           Verb{"note", "note", "", ""},
                           Verb{"analyse", "move", "analysing", ""},
                           Verb{"contain", "move", "contained", ""},
                           Verb{"eradicate", "move", "eradicating", ""},
                           Verb{"recover", "move", "recovering", ""},
                           Verb{"resolve", "move", "post_incident", ""},
                           Verb{"close", "move", "closed", ""},
                           Verb{"dismiss", "move", "dismissed", ""}};

int act_on_incident(const Verb& verb, const Arguments& arguments) {
  po::options_description options("Options");
  add_act_options(options);
  const std::string command = "incidents " + std::string(verb.name);
  const std::string told = verb.placeholder.empty() ? "" : " " + std::string(verb.placeholder);
  int code = done;
  const auto given = read_options(arguments, command + " NUMBER" + told + " --who P --why W",
                                  options, "number", code);
  if (!given) return code;
  const auto words = given->contains("number") ? (*given)["number"].as<std::vector<std::string>>()
                                               : std::vector<std::string>();
  if (words.size() != (told.empty() ? 1U : 2U)) {
    return complain(usage, "'" + command + "' needs the incident's number" +
                               (told.empty() ? " alone" : " and" + told));
  }
  const std::string value = told.empty() ? std::string(verb.value) : words[1];
  return order(*given, "/api/v1/incidents/" + words[0] + "/acts",
               {{"act", verb.act}, {"value", value}}, print_changes);
}

std::string incidents_synopsis() {
  std::string text = "incidents [list] [OPTION]...\n       mailwarden incidents show NUMBER";
  for (const Verb& verb : verbs) {
    text += "\n       mailwarden incidents " + std::string(verb.name) + " NUMBER" +
            (verb.placeholder.empty() ? "" : " " + std::string(verb.placeholder)) +
            " --who P --why W";
  }
  return text + std::string(incident_work_synopsis());
}

int show_incident(const Arguments& arguments) {
  po::options_description options("Options");
  add_source_options(options);
  int code = done;
  const auto given =
      read_options(arguments, "incidents show NUMBER [OPTION]...", options, "number", code);
  if (!given) return code;
  if (!given->contains("number")) return complain(usage, "'incidents show' needs a number");
  const auto answer = ask(
      *given,
      {.path = "/api/v1/incidents/" + (*given)["number"].as<std::vector<std::string>>().front()});
  return print_answer(*given, answer, print_incident);
}

int list_incidents(const Arguments& arguments) {
  po::options_description options("Options");
  add_source_options(options);
  auto add = options.add_options();
  add("severity", text_option("SEVERITY"), "0, 1, 2 or 3");
  add("state", text_option("STATE"), "detected, analysing, …");
  add("before", text_option("NUMBER"), "numbers below this one");
  add("limit", text_option("NUMBER"), "how many at the most");
  int code = done;
  const auto given = read_options(arguments, incidents_synopsis(), options, nullptr, code);
  if (!given) return code;
  const auto answer = ask(
      *given, {"/api/v1/incidents", query_of(*given, {"severity", "state", "before", "limit"})});
  return print_answer(*given, answer, print_incidents);
}

}  // namespace

void print_changes(const json::Value& of) {
  std::vector<std::vector<std::string>> rows;
  if (const auto* changes = of["changes"].as_array()) {
    for (const json::Value& change : *changes) {
      const std::int64_t other = change["after"].integer("incident");
      rows.push_back({short_time(change.text("when")),
                      change.text("kind") + (other != 0 ? " " + std::to_string(other) : ""),
                      change.text("who"), change.text("why")});
    }
  }
  print_table({"WHEN (UTC)", "CHANGE", "WHO", "WHY"}, rows);
}

int incidents_command(const Arguments& arguments) {
  if (arguments.empty()) return list_incidents(arguments);
  const Arguments rest(arguments.begin() + 1, arguments.end());
  const auto* const verb = std::ranges::find(verbs, arguments[0], &Verb::name);
  if (verb != verbs.end()) return act_on_incident(*verb, rest);
  if (arguments[0] == "list") return list_incidents(rest);
  if (arguments[0] == "show") return show_incident(rest);
  if (const auto work = incident_work(arguments[0], rest); work) return *work;
  if (arguments[0].starts_with('-')) return list_incidents(arguments);
  return complain(usage, "'incidents' does not know '" + printable(arguments[0]) +
                             "'; --help lists what it does");
}

}  // namespace mailwarden::cli
