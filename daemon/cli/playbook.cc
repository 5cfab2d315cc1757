// Playbooks as files: what is wrong with them, and what they would do.
#include <algorithm>
#include <filesystem>

#include "alert/routes.h"
#include "app/policies.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "daemon/cli/command.h"
#include "detect/rule.h"
#include "respond/check.h"
#include "respond/flow_file.h"
#include "respond/incident_values.h"
#include "respond/outline.h"
#include "respond/start_values.h"

namespace mailwarden::cli {
namespace {

namespace flow = respond::flow;
using respond::CheckContext;
using respond::Finding;

bool is_yaml(const std::string& name) {
  return name.ends_with(".yaml") || name.ends_with(".yml");
}

Result<std::vector<flow::PlaybookText>> read_texts(const std::vector<std::string>& paths) {
  std::vector<flow::PlaybookText> texts;
  for (const std::string& path : paths) {
    const auto files = files_below(path, is_yaml);
    if (!files) return std::unexpected(files.error());
    for (const std::string& file : *files) {
      auto text = read_whole_file(file, app::file_bytes_max);
      if (!text) return std::unexpected(text.error());
      texts.push_back({file, *std::move(text)});
    }
  }
  return texts;
}

std::vector<std::string> several(const po::variables_map& given, const char* name) {
  return given.contains(name) ? given[name].as<std::vector<std::string>>()
                              : std::vector<std::string>();
}

po::typed_value<std::vector<std::string>>* texts_option(const char* placeholder) {
  return po::value<std::vector<std::string>>()->value_name(placeholder);
}

Result<CheckContext::Names> names_of_rules(const std::vector<std::string>& folders) {
  const auto texts = detect::load_rules(folders);
  if (!texts) return std::unexpected(texts.error());
  CheckContext::Names names;
  const auto add = [&](const detect::Header& header) {
    names.insert(header.id);
    names.insert(header.name);
  };
  for (const detect::Rule& rule : texts->rules) add(rule.header);
  for (const detect::Correlation& correlation : texts->correlations) add(correlation.header);
  return names;
}

// Receivers, schedules and types of incidents of a folder of policies.
Result<void> read_policies(CheckContext& context, const std::string& folder) {
  auto on_call = app::load_on_call(folder, SystemClock().now());
  if (!on_call) return std::unexpected(on_call.error());
  context.schedules.emplace();
  for (const alert::Schedule& schedule : on_call->schedules()) {
    context.schedules->insert(schedule.name);
  }
  const auto procedure = app::load_procedure(folder);
  if (!procedure) return std::unexpected(procedure.error());
  context.types.emplace();
  for (const incident::IncidentType& type : (*procedure)->types()) {
    context.types->insert(type.name);
  }
  context.receivers.emplace();
  const std::string file = folder + "/routes.yaml";
  if (!std::filesystem::exists(file)) return {};
  const auto text = read_whole_file(file, app::file_bytes_max);
  if (!text) return std::unexpected(text.error());
  const auto routes = alert::Routes::parse(*text, file, "", *std::move(on_call), std::nullopt);
  if (!routes) return std::unexpected(routes.error());
  for (const alert::Receiver& receiver : routes->receivers()) {
    context.receivers->insert(receiver.name);
  }
  return {};
}

Result<CheckContext> context_of(const po::variables_map& given) {
  CheckContext context;
  if (given.contains("command")) {
    const auto commands = several(given, "command");
    context.commands.emplace(commands.begin(), commands.end());
  }
  if (given.contains("rules")) {
    auto rules = names_of_rules(several(given, "rules"));
    if (!rules) return std::unexpected(rules.error());
    context.rules = *std::move(rules);
  }
  if (!given.contains("policies")) return context;
  auto read = read_policies(context, given["policies"].as<std::string>());
  if (!read) return std::unexpected(read.error());
  return context;
}

// "p.yaml, line 7: warning: step 'lock': …"
std::string sentence(const Finding& finding, const std::vector<flow::PlaybookFile>& files) {
  std::string text = finding.playbook;
  for (const flow::PlaybookFile& file : files) {
    if (file.playbook.name != finding.playbook) continue;
    text = file.playbook.file;
    const auto line = file.lines.find(finding.step);
    if (line != file.lines.end()) text += ", line " + std::to_string(line->second);
  }
  text += finding.weight == Finding::Weight::error ? ": " : ": warning: ";
  if (!finding.step.empty()) text += "step '" + finding.step + "': ";
  return printable(text + finding.what);
}

json::Value to_json(const std::vector<Finding>& findings) {
  json::Array array;
  for (const Finding& finding : findings) {
    array.push_back(
        json::Object{{"weight", finding.weight == Finding::Weight::error ? "error" : "warning"},
                     {"playbook", finding.playbook},
                     {"step", finding.step},
                     {"what", finding.what}});
  }
  return json::Object{{"findings", std::move(array)}};
}

std::vector<flow::Playbook> playbooks_of(const std::vector<flow::PlaybookFile>& files) {
  std::vector<flow::Playbook> playbooks;
  for (const flow::PlaybookFile& file : files) playbooks.push_back(file.playbook);
  return playbooks;
}

// Those of the policies' folder that were not given themselves, as parts of those that were.
Result<void> add_parts(std::vector<flow::Playbook>& playbooks, const po::variables_map& given) {
  if (!given.contains("policies")) return {};
  const std::string folder = given["policies"].as<std::string>() + "/playbooks";
  if (!std::filesystem::exists(folder)) return {};
  const auto texts = read_texts({folder});
  if (!texts) return std::unexpected(texts.error());
  auto parts = flow::parse_playbooks(*texts);
  if (!parts) return std::unexpected(parts.error());
  for (flow::Playbook& part : *parts) {
    const bool is_given = std::ranges::any_of(
        playbooks, [&](const auto& playbook) { return playbook.name == part.name; });
    if (!is_given) playbooks.push_back(std::move(part));
  }
  return {};
}

int tell(const po::variables_map& given, const std::vector<Finding>& findings,
         const std::vector<flow::PlaybookFile>& files) {
  if (wants_json(given)) {
    print_json(to_json(findings));
  } else {
    std::size_t errors = 0;
    for (const Finding& finding : findings) {
      if (finding.weight == Finding::Weight::error) ++errors;
      print(sentence(finding, files) + "\n");
    }
    print(std::to_string(files.size()) + " playbooks, " + std::to_string(errors) + " errors, " +
          std::to_string(findings.size() - errors) + " warnings\n");
  }
  return respond::has_error(findings) ? answer_is_no : done;
}

bool is_about(const Finding& finding, const std::vector<flow::PlaybookFile>& files) {
  return std::ranges::any_of(
      files, [&](const auto& file) { return file.playbook.name == finding.playbook; });
}

// What the incident gives; nothing where none is named.
Result<json::Object> incident_given(const po::variables_map& given) {
  if (!given.contains("incident")) return json::Object();
  const auto found =
      ask(given, {.path = "/api/v1/incidents/" + given["incident"].as<std::string>()});
  if (!found) return std::unexpected(found.error());
  incident::Incident incident{
      .number = found->integer("number"),
      .title = found->text("title"),
      .entity = {(*found)["entity"].text("kind"), (*found)["entity"].text("name")},
      .severity = static_cast<incident::Severity>(found->integer("severity")),
      .row = found->text("row"),
      .type = found->text("type")};
  if (const auto* facts = (*found)["facts"].as_object()) {
    for (const auto& [name, worth] : *facts) {
      if (worth.as_integer() != nullptr) incident.facts[name] = *worth.as_integer();
    }
  }
  return respond::incident_values(incident);
}

Result<respond::GivenTexts> texts_given(const po::variables_map& given) {
  respond::GivenTexts texts;
  for (const std::string& one : several(given, "set")) {
    const std::size_t sign = one.find('=');
    if (sign == std::string::npos) {
      return fail(Code::invalid, "--set: '" + printable(one) + "' is not NAME=VALUE");
    }
    texts[one.substr(0, sign)] = one.substr(sign + 1);
  }
  return texts;
}

void print_outline(const po::variables_map& given, const flow::Playbook& playbook,
                   const std::vector<respond::OutlineStep>& steps) {
  if (!wants_json(given)) {
    print(printable(playbook.title) + "\n" + to_text(steps));
    return;
  }
  json::Array array;
  for (const respond::OutlineStep& step : steps) array.emplace_back(respond::to_json(step));
  print_json(json::Object{{"playbook", playbook.name}, {"steps", std::move(array)}});
}

int outline_of(const po::variables_map& given, const flow::Playbook& playbook,
               const json::Object& incident, const respond::GivenTexts& texts) {
  const auto values = respond::start_values(playbook, incident, texts);
  if (!values) return complain(answer_is_no, values.error().what);
  std::optional<std::vector<std::string>> commands;
  if (given.contains("command")) commands = several(given, "command");
  print_outline(given, playbook, respond::outline(playbook, *values, commands));
  return done;
}

}  // namespace

int playbook_check(const Arguments& arguments) {
  po::options_description options("Options");
  add_format_option(options);
  auto add = options.add_options();
  add("policies", text_option("DIR"), "whose receivers, schedules and playbooks there are");
  add("rules", texts_option("DIR"), "whose rules there are; several times for several");
  add("command", texts_option("PATH"), "an executable that the daemon may run");
  int code = done;
  const auto given = read_options(arguments, "playbook check PATH...", options, "path", code);
  if (!given) return code;
  if (!given->contains("path")) {
    return complain(usage, "'playbook check' needs a file or folder");
  }
  const auto texts = read_texts(several(*given, "path"));
  if (!texts) return complain(texts.error());
  const auto files = flow::read_playbooks(*texts);
  if (!files) return complain(answer_is_no, files.error().what);
  const auto context = context_of(*given);
  if (!context) return complain(context.error());
  auto playbooks = playbooks_of(*files);
  if (auto added = add_parts(playbooks, *given); !added) return complain(added.error());
  auto findings = respond::check(playbooks, *context);
  std::erase_if(findings, [&](const Finding& finding) { return !is_about(finding, *files); });
  return tell(*given, findings, *files);
}

int playbook_plan(const Arguments& arguments) {
  po::options_description options("Options");
  add_source_options(options);
  auto add = options.add_options();
  add("incident", text_option("NUMBER"), "the incident's number");
  add("set", texts_option("NAME=VALUE"), "an external variable; several times for several");
  add("command", texts_option("PATH"),
      "an executable that the daemon may run; several times for several");
  int code = done;
  const auto given =
      read_options(arguments, "playbook plan FILE... [--incident NUMBER] [--set NAME=VALUE]...",
                   options, "file", code);
  if (!given) return code;
  if (!given->contains("file")) return complain(usage, "'playbook plan' needs a file");
  const auto values = texts_given(*given);
  if (!values) return complain(usage, values.error().what);
  const auto texts = read_texts(several(*given, "file"));
  if (!texts) return complain(texts.error());
  const auto files = flow::read_playbooks(*texts);
  if (!files) return complain(answer_is_no, files.error().what);
  const auto incident = incident_given(*given);
  if (!incident) return complain(incident.error());
  for (const flow::PlaybookFile& file : *files) {
    code = outline_of(*given, file.playbook, *incident, *values);
    if (code != done) return code;
  }
  return done;
}

}  // namespace mailwarden::cli
