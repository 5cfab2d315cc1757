// Commands about access policies.
#include <algorithm>
#include <iostream>
#include <map>

#include "access/recorded.h"
#include "base/files.h"
#include "base/text.h"
#include "daemon/cli/command.h"
#include "policy/conform.h"
#include "policy/entity_json.h"
#include "policy/explain.h"
#include "policy/format.h"
#include "policy/policy_tests.h"

namespace mailwarden::cli {
namespace {

using policy::DecisionPoint;

constexpr std::string_view policy_synopsis =
    "policy check|evaluate|test|diff|format PATH... [OPTION]...\n"
    "  check     reads policies and their schema and tells every mistake\n"
    "  evaluate  decides requests, a line of JSON out for each line in\n"
    "  test      runs the tests beside the policies (X.test.yml)\n"
    "  diff      OLD NEW: whose access would change, for requests in a file, or with --store for\n"
    "            those that were decided between --from and --until\n"
    "  format    writes policies as they should look, comments and all\n"
    "A PATH is a file or a folder of *.cedar, *.cedar.json and one *.cedarschema.";

policy::LoadOptions load_options(const po::variables_map& given, std::vector<std::string> paths) {
  policy::LoadOptions options{.paths = std::move(paths)};
  if (given.contains("schema")) options.schema = given["schema"].as<std::string>();
  if (given.contains("level")) options.validate.level = given["level"].as<std::size_t>();
  return options;
}

int check(const po::variables_map& given, const std::vector<std::string>& paths) {
  auto options = load_options(given, paths);
  options.needs_schema = true;
  const auto loaded = policy::load_policies(options);
  if (!loaded) return complain(answer_is_no, loaded.error().what);
  const std::size_t policies = loaded->policies->policies().size();
  const std::size_t templates = loaded->policies->templates().size();
  if (wants_json(given)) {
    json::Array warnings(loaded->warnings.begin(), loaded->warnings.end());
    print_json(json::Object{{"hash", loaded->hash},
                            {"policies", policies},
                            {"templates", templates},
                            {"warnings", std::move(warnings)}});
    return done;
  }
  for (const std::string& one : loaded->warnings) print("warning: " + one + "\n");
  print(std::to_string(policies) + " policies and " + std::to_string(templates) +
        " templates are valid; their hash is " + loaded->hash + "\n");
  return done;
}

Result<policy::Entities> entities_of(const po::variables_map& given, const policy::Schema* schema) {
  if (!given.contains("entities")) return policy::read_entities("[]", schema);
  const std::string path = given["entities"].as<std::string>();
  const auto text = read_whole_file(path, std::size_t{1024} * 1024 * 1024);
  if (!text) return std::unexpected(text.error());
  auto entities = policy::read_entities(*text, schema);
  if (!entities) return fail(path, entities.error());
  return entities;
}

Result<std::shared_ptr<const DecisionPoint>> decision_point(const po::variables_map& given,
                                                            std::vector<std::string> paths) {
  auto loaded = policy::load_policies(load_options(given, std::move(paths)));
  if (!loaded) return std::unexpected(loaded.error());
  auto entities = entities_of(given, loaded->schema.get());
  if (!entities) return std::unexpected(entities.error());
  return std::make_shared<const DecisionPoint>(
      *std::move(loaded), std::make_shared<const policy::Entities>(*std::move(entities)));
}

// An entity as text or as an object.
Result<policy::EntityUid> uid_of(const json::Value& value) {
  if (const std::string* const text = value.as_string()) return policy::parse_entity_uid(*text);
  return policy::read_uid(value);
}

Result<policy::Request> request_of(const json::Value& line, const policy::Schema* schema) {
  policy::Request request;
  const std::pair<std::string_view, policy::EntityUid*> parts[] = {
      {"principal", &request.principal},
      {"action", &request.action},
      {"resource", &request.resource}};
  for (const auto& [name, into] : parts) {
    auto uid = uid_of(line[name]);
    if (!uid) return fail(name, uid.error());
    *into = *std::move(uid);
  }
  const json::Value& context = line["context"];
  const auto value = policy::read_context(context.is_null() ? json::Value(json::Object()) : context,
                                          *request.memory, schema, request.action);
  if (!value) return std::unexpected(value.error());
  request.context = *value;
  return request;
}

// act(number, request) for each line; a line that is no request is told of and leaves the code 1.
template <class Act>
int each_request(const po::variables_map& given, const policy::Schema* schema, Act act) {
  if (!given.contains("requests")) return complain(usage, "which requests? --requests FILE");
  const std::string path = given["requests"].as<std::string>();
  const auto text = path == "-" ? read_to_end(0, "standard input", std::size_t{1} << 30)
                                : read_whole_file(path, std::size_t{1} << 30);
  if (!text) return complain(text.error());
  int code = done;
  std::size_t number = 0;
  for (const std::string_view line : split(*text, '\n')) {
    ++number;
    if (trim(line).empty()) continue;
    const auto json = json::parse(line);
    auto request = json ? request_of(*json, schema) : std::unexpected(json.error());
    if (!request) {
      complain(answer_is_no,
               path + ", line " + std::to_string(number) + ": " + request.error().what);
      code = answer_is_no;
      continue;
    }
    act(number, *request);
  }
  return code;
}

int evaluate(const po::variables_map& given, const std::vector<std::string>& paths) {
  const auto point = decision_point(given, paths);
  if (!point) return complain(answer_is_no, point.error().what);
  policy::Authorizer::Scratch scratch;
  const policy::Schema* const schema = (*point)->loaded().schema.get();
  return each_request(given, schema, [&](std::size_t number, const policy::Request& request) {
    const policy::Decision decision = (*point)->decide(request, scratch);
    json::Value line = policy::to_json(decision);
    (*line.as_object())["request"] = number;
    (*line.as_object())["explanation"] =
        policy::to_json(policy::explain(**point, request, decision));
    print(json::to_text(line) + "\n");
  });
}

int test(const po::variables_map& given, const std::vector<std::string>& paths) {
  const auto tested = policy::test_policies(load_options(given, paths));
  if (!tested) return complain(answer_is_no, tested.error().what);
  if (wants_json(given)) {
    json::Array failures(tested->failures.begin(), tested->failures.end());
    print_json(json::Object{{"cases", tested->cases},
                            {"failures", std::move(failures)},
                            {"policies", tested->policies}});
  } else {
    for (const std::string& failure : tested->failures) print(failure + "\n");
    print(std::to_string(tested->policies) + " policies, " + std::to_string(tested->cases) +
          " cases, " + std::to_string(tested->failures.size()) + " failures\n");
  }
  return tested->failures.empty() ? done : answer_is_no;
}

std::string verdict(const policy::Decision& decision) {
  std::string text = decision.is_allowed ? "allow" : "deny";
  text += " (" + std::string(policy::to_string(decision.why));
  for (std::size_t at = 0; at < decision.policies.size(); ++at) {
    text += (at == 0 ? ": " : ", ") + decision.policies[at];
  }
  return text + ")";
}

Result<access::RecordedPeriod> period_of(const po::variables_map& given) {
  access::RecordedPeriod period;
  const std::pair<const char*, Timestamp*> ends[] = {{"from", &period.from},
                                                     {"until", &period.until}};
  for (const auto& [name, into] : ends) {
    if (!given.contains(name)) continue;
    const auto time = parse_rfc3339(given[name].as<std::string>());
    if (!time) return fail(std::string("--") + name, time.error());
    *into = *time;
  }
  return period;
}

void print_recasting(const access::Recasting& recasting) {
  for (const access::AccessChange& one : recasting.changes) {
    const access::Recorded& first = one.first;
    print(policy::to_text(first.principal) + " " + policy::to_text(first.action) + " " +
          policy::to_text(first.resource) + ": " + verdict(one.before) + " becomes " +
          verdict(one.after) + ", " + std::to_string(one.requests) + " requests, the last at " +
          short_time(to_rfc3339(one.last)) + "\n");
  }
  print(std::to_string(recasting.changed) + " of " + std::to_string(recasting.requests) +
        " recorded requests change");
  if (recasting.differ_from_record > 0) {
    print("; the old policies decide " + std::to_string(recasting.differ_from_record) +
          " otherwise than it was recorded");
  }
  if (recasting.not_decidable > 0) {
    print("; " + std::to_string(recasting.not_decidable) + " do not fit the schema");
  }
  print("\n");
}

json::Value to_json(const access::Recasting& recasting) {
  json::Array changes;
  for (const access::AccessChange& one : recasting.changes) {
    changes.push_back(json::Object{{"principal", policy::to_text(one.first.principal)},
                                   {"action", policy::to_text(one.first.action)},
                                   {"resource", policy::to_text(one.first.resource)},
                                   {"old", policy::to_json(one.before)},
                                   {"new", policy::to_json(one.after)},
                                   {"requests", one.requests},
                                   {"decision", one.first.id},
                                   {"first", to_rfc3339(one.first.when)},
                                   {"last", to_rfc3339(one.last)}});
  }
  return json::Object{{"changes", std::move(changes)},
                      {"changed", recasting.changed},
                      {"requests", recasting.requests},
                      {"differ_from_record", recasting.differ_from_record},
                      {"not_decidable", recasting.not_decidable}};
}

int diff_recorded(const po::variables_map& given, const std::vector<std::string>& paths) {
  const auto period = period_of(given);
  if (!period) return complain(usage, period.error().what);
  const auto store = open_store(given);
  if (!store) return complain(store.error());
  auto before = policy::load_policies(load_options(given, {paths[0]}));
  if (!before) return complain(answer_is_no, before.error().what);
  auto after = policy::load_policies(load_options(given, {paths[1]}));
  if (!after) return complain(answer_is_no, after.error().what);
  std::vector<access::EntityText> entities;
  if (given.contains("entities")) {
    const std::string file = given["entities"].as<std::string>();
    auto text = read_whole_file(file, std::size_t{1024} * 1024 * 1024);
    if (!text) return complain(text.error());
    entities.push_back({file, *std::move(text)});
  }
  const auto recasting = access::recast({.database = **store,
                                         .period = *period,
                                         .before = *std::move(before),
                                         .after = *std::move(after),
                                         .entities = std::move(entities)});
  if (!recasting) return complain(recasting.error());
  if (wants_json(given)) {
    print_json(to_json(*recasting));
  } else {
    print_recasting(*recasting);
  }
  return recasting->changed == 0 ? done : answer_is_no;
}

int diff(const po::variables_map& given, const std::vector<std::string>& paths) {
  if (paths.size() != 2) return complain(usage, "'policy diff' needs OLD and NEW");
  if (given.contains("store")) return diff_recorded(given, paths);
  const auto before = decision_point(given, {paths[0]});
  if (!before) return complain(answer_is_no, before.error().what);
  const auto after = decision_point(given, {paths[1]});
  if (!after) return complain(answer_is_no, after.error().what);
  policy::Authorizer::Scratch scratch;
  std::size_t asked = 0;
  std::size_t changed = 0;
  const bool as_json = wants_json(given);
  const policy::Schema* const schema = (*before)->loaded().schema.get();
  const int code =
      each_request(given, schema, [&](std::size_t number, const policy::Request& request) {
        ++asked;
        const policy::Decision old_one = (*before)->decide(request, scratch);
        const policy::Decision new_one = (*after)->decide(request, scratch);
        if (old_one.is_allowed == new_one.is_allowed) return;
        ++changed;
        if (as_json) {
          print(json::to_text(json::Object{{"request", number},
                                           {"principal", policy::to_text(request.principal)},
                                           {"action", policy::to_text(request.action)},
                                           {"resource", policy::to_text(request.resource)},
                                           {"old", policy::to_json(old_one)},
                                           {"new", policy::to_json(new_one)}}) +
                "\n");
          return;
        }
        print(policy::to_text(request.principal) + " " + policy::to_text(request.action) + " " +
              policy::to_text(request.resource) + ": " + verdict(old_one) + " becomes " +
              verdict(new_one) + "\n");
      });
  if (!as_json) {
    print(std::to_string(changed) + " of " + std::to_string(asked) + " requests change\n");
  }
  return code != done ? code : changed == 0 ? done : answer_is_no;
}

// To standard output; with --write into the files; with --check only whether they differ.
int format(const po::variables_map& given, const std::vector<std::string>& paths) {
  int code = done;
  for (const std::string& path : paths) {
    const auto files =
        files_below(path, [](const std::string& name) { return name.ends_with(".cedar"); });
    if (!files) return complain(files.error());
    for (const std::string& file : *files) {
      const auto text = read_whole_file(file);
      if (!text) return complain(text.error());
      const auto formatted = policy::format_policies(*text);
      if (!formatted) {
        code = complain(answer_is_no, file + ": " + formatted.error().what);
      } else if (given.contains("check")) {
        if (*formatted != *text) code = complain(answer_is_no, file + " is not formatted");
      } else if (!given.contains("write")) {
        print(*formatted);
      } else if (*formatted != *text) {
        if (auto kept = write_file_durably(file, *formatted); !kept) return complain(kept.error());
        print(file + "\n");
      }
    }
  }
  return code;
}

}  // namespace

int policy_command(const Arguments& arguments) {
  const std::map<std::string, int (*)(const po::variables_map&, const std::vector<std::string>&)>
      commands{{"check", check},
               {"evaluate", evaluate},
               {"test", test},
               {"diff", diff},
               {"format", format}};
  const std::string name = arguments.empty() ? "--help" : arguments[0];
  const auto command = commands.find(name);
  const bool known = command != commands.end();
  po::options_description options("Options");
  options.add_options()("policies", po::value<std::vector<std::string>>()->value_name("PATH"),
                        "policies; may stand several times, as may PATHs without a name")(
      "schema", text_option("FILE"), "the schema, if it does not stand with the policies")(
      "entities", text_option("FILE"), "evaluate, diff: entities as JSON")(
      "requests", text_option("FILE"), "evaluate, diff: requests as JSON lines, '-' for stdin")(
      "level", po::value<std::size_t>()->value_name("N"),
      "check: refuse policies that follow entities further than N steps")(
      "write", "format: into the files")("check", "format: only say which files would change");
  options.add_options()("store", text_option("URL"), "diff: whose decisions: sqlite:PATH")(
      "from", text_option("TIME"), "diff: those from then on (RFC 3339)")(
      "until", text_option("TIME"), "diff: those before then");
  add_key_options(options);
  add_format_option(options);
  int code = done;
  const auto given = read_options(Arguments(arguments.begin() + (known ? 1 : 0), arguments.end()),
                                  policy_synopsis, options, "path", code);
  if (!given) return code;
  if (!known) return complain(usage, "'policy' knows check, evaluate, test, diff and format");
  std::vector<std::string> paths;
  for (const char* from : {"path", "policies"}) {
    if (!given->contains(from)) continue;
    const auto more = (*given)[from].as<std::vector<std::string>>();
    paths.insert(paths.end(), more.begin(), more.end());
  }
  if (paths.empty()) return complain(usage, "which policies? 'mailwarden policy " + name + " DIR'");
  return command->second(*given, paths);
}

}  // namespace mailwarden::cli
