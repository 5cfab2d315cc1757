// Playbooks and their runs.
#include <array>

#include "base/files.h"
#include "base/text.h"
#include "daemon/cli/command.h"
#include "respond/playbook.h"

namespace mailwarden::cli {
namespace {

constexpr std::array run_acts{"approve", "reject", "done", "failed", "again"};

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

Result<std::vector<respond::Playbook>> read_playbooks(const std::vector<std::string>& files) {
  std::vector<respond::PlaybookText> texts;
  for (const std::string& file : files) {
    auto text = read_whole_file(file);
    if (!text) return std::unexpected(text.error());
    texts.push_back({file, *std::move(text)});
  }
  return respond::parse_playbooks(texts);
}

int check(const Arguments& arguments) {
  const po::options_description options("Options");
  int code = done;
  const auto given = read_options(arguments, "playbook check FILE...", options, "file", code);
  if (!given) return code;
  if (!given->contains("file")) return complain(usage, "'playbook check' needs a file");
  const auto playbooks = read_playbooks((*given)["file"].as<std::vector<std::string>>());
  if (!playbooks) return complain(answer_is_no, playbooks.error().what);
  for (const respond::Playbook& playbook : *playbooks) {
    print(printable(playbook.name) + ": " + std::to_string(playbook.steps.size()) + " steps\n");
  }
  return done;
}

void print_plan(const respond::Playbook& playbook, const incident::Incident& incident,
                const std::vector<std::string>& commands) {
  std::vector<std::vector<std::string>> rows;
  for (const respond::Step& step : respond::plan(playbook, incident, commands)) {
    rows.push_back(
        {step.id, std::string(to_string(step.kind)), respond::describe(step), step.approval});
  }
  print(printable(playbook.title) + "\n");
  print_table({"STEP", "KIND", "DOES", "ASKS FOR APPROVAL"}, rows);
}

// What the playbook would do about an incident, without doing it.
int plan(const Arguments& arguments) {
  po::options_description options("Options");
  add_source_options(options);
  auto add = options.add_options();
  add("incident", text_option("NUMBER"), "the incident's number");
  add("command", po::value<std::vector<std::string>>()->value_name("PATH"),
      "an executable that the daemon may run; several times for several");
  int code = done;
  const auto given =
      read_options(arguments, "playbook plan FILE --incident NUMBER", options, "file", code);
  if (!given) return code;
  if (!given->contains("file") || !given->contains("incident")) {
    return complain(usage, "'playbook plan' needs a file and --incident");
  }
  const auto playbooks = read_playbooks((*given)["file"].as<std::vector<std::string>>());
  if (!playbooks) return complain(answer_is_no, playbooks.error().what);
  const auto found =
      ask(*given, {.path = "/api/v1/incidents/" + (*given)["incident"].as<std::string>()});
  if (!found) return complain(found.error());
  const incident::Incident incident{
      .number = found->integer("number"),
      .title = found->text("title"),
      .entity = {(*found)["entity"].text("kind"), (*found)["entity"].text("name")},
      .severity = static_cast<incident::Severity>(found->integer("severity")),
      .row = found->text("row")};
  const auto commands = given->contains("command")
                            ? (*given)["command"].as<std::vector<std::string>>()
                            : std::vector<std::string>();
  for (const respond::Playbook& playbook : *playbooks) print_plan(playbook, incident, commands);
  return done;
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
                                  "       mailwarden playbook check FILE...\n"
                                  "       mailwarden playbook plan FILE --incident NUMBER\n"
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
  if (arguments[0] == "check") return check(rest);
  if (arguments[0] == "plan") return plan(rest);
  for (const char* kind : run_acts) {
    if (arguments[0] == kind) return act(kind, rest);
  }
  return show(arguments);
}

}  // namespace mailwarden::cli
