// Alerts, and playbooks and their runs.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "daemon/cli/command.h"

namespace mailwarden::cli {
namespace {

constexpr std::array run_acts{"approve", "reject", "done", "failed", "again"};
constexpr std::array cacao_acts{"import", "export", "sign", "verify"};

void print_run(const json::Value& run) {
  print("Run " + std::to_string(run.integer("number")) + " of " + printable(run.text("playbook")) +
        " on incident " + std::to_string(run.integer("incident")) + ": " + run.text("state") +
        (run["dry_run"] == json::Value(true) ? " (a dry run)" : "") + "\n\n");
  std::vector<std::vector<std::string>> rows;
  if (const auto* steps = run["steps"].as_array()) {
    for (const json::Value& step : *steps) {
      rows.push_back({step.text("id"), step.text("kind"), step.text("state"), step.text("who"),
                      step.text("does"), step.text("why")});
    }
  }
  print_table({"STEP", "KIND", "STATE", "WHO", "DOES", "WHY"}, rows);
}

// The step that a run waits at, if it waits.
std::string stands_at(const json::Value& run) {
  if (const auto* steps = run["steps"].as_array()) {
    for (const json::Value& step : *steps) {
      const std::string state = step.text("state");
      if (state == "done" || state == "skipped" || state == "waiting") continue;
      return step.text("id") + " " + state + ": " + step.text("does");
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

int act(const std::string& kind, const Arguments& arguments) {
  po::options_description options("Options");
  add_act_options(options);
  int code = done;
  const auto given = read_options(arguments, "playbook " + kind + " RUN STEP --who P --why W",
                                  options, "step", code);
  if (!given) return code;
  const auto words = given->contains("step") ? (*given)["step"].as<std::vector<std::string>>()
                                             : std::vector<std::string>();
  if (words.size() != 2) return complain(usage, "'playbook " + kind + "' needs a run and a step");
  return order(*given, "/api/v1/runs/" + words[0] + "/acts", {{"act", kind}, {"step", words[1]}},
               print_run);
}

int show(const Arguments& arguments) {
  po::options_description options("Options");
  add_source_options(options);
  auto add = options.add_options();
  add("incident", text_option("NUMBER"), "only those of this incident");
  add("before", text_option("NUMBER"), "numbers below this one");
  add("limit", text_option("NUMBER"), "how many at the most");
  int code = done;
  const auto given = read_options(arguments,
                                  "playbook [RUN] [OPTION]...\n"
                                  "       mailwarden playbook check PATH...\n"
                                  "       mailwarden playbook plan FILE --incident NUMBER\n"
                                  "       mailwarden playbook import|export|sign|verify FILE\n"
                                  "       mailwarden playbook approve|reject|done|failed|again RUN "
                                  "STEP --who P --why W",
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
  if (arguments.empty()) return show(arguments);
  const Arguments rest(arguments.begin() + 1, arguments.end());
  if (arguments[0] == "check") return playbook_check(rest);
  if (arguments[0] == "plan") return playbook_plan(rest);
  if (std::ranges::find(cacao_acts, arguments[0]) != cacao_acts.end()) {
    return playbook_cacao_command(arguments);
  }
  for (const char* kind : run_acts) {
    if (arguments[0] == kind) return act(kind, rest);
  }
  return show(arguments);
}

int alerts_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_source_options(options);
  auto add = options.add_options();
  add("standing", text_option("STANDING"), "pending, delivered or failed");
  add("before", text_option("NUMBER"), "ledger entries below this one");
  add("limit", text_option("NUMBER"), "how many at the most");
  int code = done;
  const auto given = read_options(arguments, "alerts [OPTION]...", options, nullptr, code);
  if (!given) return code;
  const auto answer =
      ask(*given, {"/api/v1/alerts", query_of(*given, {"standing", "before", "limit"})});
  if (!answer) return complain(answer.error());
  if (wants_json(*given)) {
    print_json(*answer);
    return done;
  }
  std::vector<std::vector<std::string>> rows;
  if (const auto* alerts = (*answer)["alerts"].as_array()) {
    for (const json::Value& alert : *alerts) {
      rows.push_back({short_time(alert.text("time")), alert.text("receiver"),
                      alert.text("standing"), std::to_string(alert.integer("tries")),
                      alert.text("subject"), alert.text("trouble")});
    }
  }
  print_table({"WHEN (UTC)", "RECEIVER", "STANDING", "TRIES", "WHAT", "TROUBLE"}, rows);
  return done;
}

}  // namespace mailwarden::cli
