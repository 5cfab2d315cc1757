// Playbooks and their runs.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "daemon/cli/command.h"

namespace mailwarden::cli {
namespace {

constexpr std::array run_acts{"approve", "reject", "done", "failed", "again", "undo", "cancel"};
constexpr std::array cacao_acts{"import", "export", "sign", "verify"};

// What whoever is asked for approval should know.
void print_plan(const json::Value& step) {
  const json::Value& plan = step["plan"];
  print("\nStep " + step.text("id") + " asks: " + printable(step.text("why")) + "\n");
  print("  It would " + printable(plan.text("does")) + "\n");
  if (!plan.text("undo").empty()) {
    print("  It is taken back by: " + printable(plan.text("undo")) + "\n");
  }
  for (const auto& [name, words] :
       {std::pair{"if_approved", "If approved"}, std::pair{"if_rejected", "If rejected"}}) {
    print(std::string("  ") + words + ":\n");
    if (const auto* steps = plan[name].as_array()) {
      for (const json::Value& next : *steps) {
        print("    " + next.text("id") + ": " + printable(next.text("does")) + "\n");
      }
    }
  }
}

void print_run(const json::Value& run) {
  const std::int64_t incident = run.integer("incident");
  print("Run " + std::to_string(run.integer("number")) + " of " + printable(run.text("playbook")) +
        (incident == 0 ? "" : " on incident " + std::to_string(incident)) + ": " +
        run.text("state") + (run["dry_run"] == json::Value(true) ? " (a dry run)" : "") + "\n\n");
  std::vector<std::vector<std::string>> rows;
  if (const auto* steps = run["steps"].as_array()) {
    for (const json::Value& step : *steps) {
      rows.push_back({step.text("id"), step.text("kind"), step.text("state"), step.text("who"),
                      step.text("does"), step.text("why")});
    }
  }
  print_table({"STEP", "KIND", "STATE", "WHO", "DOES", "WHY"}, rows);
  if (const auto* steps = run["steps"].as_array()) {
    for (const json::Value& step : *steps) {
      if (step.text("state") == "needs_approval") print_plan(step);
    }
  }
}

// The step that a run waits at, if it waits.
std::string stands_at(const json::Value& run) {
  const auto* steps = run["steps"].as_array();
  if (steps == nullptr) return "";
  // What somebody has to answer comes before what is at work, and that before what has failed.
  for (const bool answers : {true, false}) {
    for (const json::Value& step : *steps) {
      const std::string state = step.text("state");
      const bool asks = state.starts_with("needs_") || state == "unknown";
      const bool rests = state == "done" || state == "skipped" || state == "waiting" ||
                         (state == "failed" && run.text("state") != "failed");
      if (answers ? asks : !rests) return step.text("id") + " " + state + ": " + step.text("does");
    }
  }
  return "";
}

void print_runs(const json::Value& answer) {
  std::vector<std::vector<std::string>> rows;
  if (const auto* runs = answer["runs"].as_array()) {
    for (const json::Value& run : *runs) {
      rows.push_back({std::to_string(run.integer("number")), run.text("playbook"),
                      std::to_string(run.integer("incident")), run.text("state"),
                      short_time(run.text("changed")), stands_at(run)});
    }
  }
  print_table({"RUN", "PLAYBOOK", "INCIDENT", "STATE", "CHANGED (UTC)", "STANDS AT"}, rows);
}

// Of the run as a whole, where that makes sense.
bool needs_step(const std::string& kind) {
  return kind == "done" || kind == "failed" || kind == "again";
}

int act(const std::string& kind, const Arguments& arguments) {
  po::options_description options("Options");
  add_act_options(options);
  auto add = options.add_options();
  add("answer", text_option("TEXT"), "what a step asked for");
  add("undo", po::bool_switch(), "cancel: and take back what was done");
  int code = done;
  const std::string step_word = needs_step(kind) ? " STEP" : " [STEP]";
  const auto given =
      read_options(arguments, "playbook " + kind + " RUN" + step_word + " --who P --why W", options,
                   "step", code);
  if (!given) return code;
  const auto words = given->contains("step") ? (*given)["step"].as<std::vector<std::string>>()
                                             : std::vector<std::string>();
  const std::size_t least = needs_step(kind) ? 2 : 1;
  if (words.size() < least || words.size() > 2) {
    return complain(usage, "'playbook " + kind + "' needs a run" +
                               (needs_step(kind) ? " and a step" : ", and may name a step"));
  }
  json::Object act{{"act", kind}, {"undo", (*given)["undo"].as<bool>()}};
  if (words.size() == 2) act["step"] = words[1];
  if (given->contains("answer")) act["value"] = (*given)["answer"].as<std::string>();
  return order(*given, "/api/v1/runs/" + words[0] + "/acts", std::move(act), print_run);
}

// Starts a playbook by hand.
int start(const Arguments& arguments) {
  po::options_description options("Options");
  add_act_options(options);
  auto add = options.add_options();
  add("incident", text_option("NUMBER"), "the incident that it is about");
  add("set", po::value<std::vector<std::string>>()->value_name("NAME=VALUE"),
      "the value of an external variable; several times for several");
  add("dry-run", po::bool_switch(), "do nothing, tell what would be done");
  int code = done;
  const auto given =
      read_options(arguments, "playbook run NAME --who P --why W", options, "name", code);
  if (!given) return code;
  const auto names = given->contains("name") ? (*given)["name"].as<std::vector<std::string>>()
                                             : std::vector<std::string>();
  if (names.size() != 1) return complain(usage, "'playbook run' needs the name of a playbook");
  json::Object asked{{"dry_run", (*given)["dry-run"].as<bool>()}, {"playbook", names[0]}};
  if (given->contains("incident")) {
    const auto number = to_integer((*given)["incident"].as<std::string>());
    if (!number) return complain(usage, "--incident needs a number");
    asked["incident"] = *number;
  }
  json::Object values;
  if (given->contains("set")) {
    for (const std::string& one : (*given)["set"].as<std::vector<std::string>>()) {
      const std::size_t sign = one.find('=');
      if (sign == std::string::npos) return complain(usage, "--set needs NAME=VALUE");
      values[one.substr(0, sign)] = one.substr(sign + 1);
    }
  }
  asked["values"] = std::move(values);
  return order(*given, "/api/v1/runs", std::move(asked), print_run);
}

int show_runs(const Arguments& arguments) {
  po::options_description options("Options");
  add_source_options(options);
  auto add = options.add_options();
  add("incident", text_option("NUMBER"), "only those of this incident");
  add("before", text_option("NUMBER"), "numbers below this one");
  add("limit", text_option("NUMBER"), "how many at the most");
  int code = done;
  const auto given = read_options(arguments,
                                  "playbook [status] [RUN] [OPTION]...\n"
                                  "       mailwarden playbook check PATH...\n"
                                  "       mailwarden playbook plan FILE --incident NUMBER\n"
                                  "       mailwarden playbook run NAME [--incident NUMBER]"
                                  " --who P --why W\n"
                                  "       mailwarden playbook import|export|sign|verify FILE\n"
                                  "       mailwarden playbook approve|reject|done|failed|again RUN "
                                  "STEP --who P --why W\n"
                                  "       mailwarden playbook undo|cancel RUN [STEP] --who P "
                                  "--why W",
                                  options, "run", code);
  if (!given) return code;
  std::string path = "/api/v1/runs";
  const bool one = given->contains("run");
  if (one) path += "/" + (*given)["run"].as<std::vector<std::string>>().front();
  const auto answer = ask(*given, {path, query_of(*given, {"incident", "before", "limit"})});
  return print_answer(*given, answer, one ? print_run : print_runs);
}

}  // namespace

int playbook_command(const Arguments& arguments) {
  if (arguments.empty()) return show_runs(arguments);
  const Arguments rest(arguments.begin() + 1, arguments.end());
  if (arguments[0] == "check") return playbook_check(rest);
  if (arguments[0] == "plan") return playbook_plan(rest);
  if (arguments[0] == "run") return start(rest);
  if (arguments[0] == "status") return show_runs(rest);
  if (std::ranges::find(cacao_acts, arguments[0]) != cacao_acts.end()) {
    return playbook_cacao_command(arguments);
  }
  for (const char* kind : run_acts) {
    if (arguments[0] == kind) return act(kind, rest);
  }
  return show_runs(arguments);
}

}  // namespace mailwarden::cli
