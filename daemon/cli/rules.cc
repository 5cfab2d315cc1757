// Commands about detection rules.
#include <algorithm>
#include <map>

#include "app/policies.h"
#include "base/text.h"
#include "daemon/cli/command.h"
#include "detect/pipeline.h"
#include "detect/rule_examples.h"

namespace mailwarden::cli {
namespace {

// What a command is asked about.
struct Asked {
  std::vector<std::string> paths;
  std::vector<std::string> pipelines;
};

Result<detect::RuleSet> load(const Asked& asked) {
  const auto pipelines = detect::Pipelines::load(asked.pipelines);
  if (!pipelines) return std::unexpected(pipelines.error());
  auto texts = detect::load_rules(asked.paths);
  if (!texts) return std::unexpected(texts.error());
  pipelines->apply(*texts);
  return detect::RuleSet::make(*std::move(texts), {.placeholders = pipelines->placeholders()});
}

struct Verdict {
  std::string file;
  std::size_t line = 0;
  std::string id;
  std::string reason;  // "" where it is loaded

  std::string_view word() const { return reason.empty() ? "loaded" : "refused"; }
};

// Of every document, in the order of files and lines.
std::vector<Verdict> verdicts_of(const detect::RuleSet& rules) {
  std::vector<Verdict> verdicts;
  auto loaded = [&](const detect::Header& header) {
    verdicts.push_back({header.file, header.line, header.id, ""});
  };
  for (const detect::Rule& rule : rules.rules()) loaded(rule.header);
  for (const detect::Correlation& one : rules.correlations()) loaded(one.header);
  for (const detect::Filter& filter : rules.filters()) loaded(filter.header);
  for (const detect::Refusal& one : rules.refused()) {
    verdicts.push_back({one.file, one.line, one.id, one.reason});
  }
  std::ranges::stable_sort(verdicts, {},
                           [](const Verdict& one) { return std::pair(one.file, one.line); });
  return verdicts;
}

int check_rules(const Asked& asked, bool as_lines) {
  const auto rules = load(asked);
  if (!rules) return complain(answer_is_no, rules.error().what);
  const auto verdicts = verdicts_of(*rules);
  for (const Verdict& one : verdicts) {
    if (as_lines) {
      json::Object line{{"file", one.file}, {"id", one.id}, {"verdict", one.word()}};
      line["reason"] = one.reason.empty() ? json::Value() : json::Value(one.reason);
      if (!one.reason.empty()) line["line"] = one.line;
      print(json::to_text(line) + "\n");
    } else if (!one.reason.empty()) {
      print("refused: " + printable(one.file) + ", line " + std::to_string(one.line) + ": " +
            printable(one.reason) + "\n");
    }
  }
  const std::size_t refused = rules->refused().size();
  if (!as_lines) {
    print(std::to_string(rules->rules().size()) + " rules, " +
          std::to_string(rules->correlations().size()) + " correlations and " +
          std::to_string(rules->filters().size()) + " filters are loaded, " +
          std::to_string(refused) + " refused\n");
  }
  return refused == 0 ? done : answer_is_no;
}

// Reads a rule's example line as a source set up like that would.
Result<Event> decode_line(const detect::ExampleLine& line) {
  const auto decoders = ingest::DecoderSet::make(
      {{"example", {.decoder = line.decoder, .zone = "UTC", .year = {.fixed = 2026}}}});
  if (!decoders) return std::unexpected(decoders.error());
  return ingest::decode({.id = {1, line.position}, .source = "example", .bytes = line.text},
                        *decoders);
}

int test_rules(const std::vector<std::string>& folders, bool json) {
  const auto tested = detect::test_rules(folders, decode_line);
  if (!tested) return complain(answer_is_no, tested.error().what);
  if (json) {
    json::Array failures(tested->failures.begin(), tested->failures.end());
    print_json(json::Object{{"examples", tested->examples},
                            {"failures", std::move(failures)},
                            {"rules", tested->rules}});
  } else {
    for (const std::string& failure : tested->failures) print(failure + "\n");
    print(std::to_string(tested->rules) + " rules, " + std::to_string(tested->examples) +
          " examples, " + std::to_string(tested->failures.size()) + " failures\n");
  }
  return tested->failures.empty() ? done : answer_is_no;
}

std::string name_of(const Logsource& source) {
  std::string name;
  for (const std::string& part : {source.product, source.category, source.service}) {
    name += (name.empty() ? "" : "/") + (part.empty() ? std::string("*") : part);
  }
  return name;
}

json::Object to_json(const detect::EngineStats& stats, std::size_t bytes) {
  json::Array groups;
  for (const auto& group : stats.groups) {
    groups.push_back(json::Object{{"always", group.always},
                                  {"bytes", group.bytes},
                                  {"literals", group.literals},
                                  {"logsource", name_of(group.logsource)},
                                  {"rules", group.rules}});
  }
  return {{"groups", std::move(groups)},
          {"literal_bytes", bytes},
          {"predicates", stats.predicates},
          {"predicates_asked", stats.asked},
          {"predicates_looked_up", stats.early},
          {"predicates_shared", stats.shared},
          {"rules", stats.rules}};
}

int tell_stats(const Asked& asked, bool json) {
  const auto rules = load(asked);
  if (!rules) return complain(answer_is_no, rules.error().what);
  detect::EngineStats stats = rules->engine().stats();
  std::ranges::stable_sort(stats.groups, std::greater(), &detect::EngineStats::Group::rules);
  std::size_t always = 0;
  std::size_t literals = 0;
  std::size_t bytes = 0;
  std::vector<std::vector<std::string>> rows;
  for (const auto& group : stats.groups) {
    always += group.always;
    literals += group.literals;
    bytes += group.bytes;
    rows.push_back({name_of(group.logsource), std::to_string(group.rules),
                    std::to_string(group.literals), std::to_string(group.always),
                    std::to_string(group.bytes)});
  }
  if (json) {
    print_json(to_json(stats, bytes));
    return done;
  }
  print_table({"LOG SOURCE", "RULES", "LITERALS", "ALWAYS TRIED", "BYTES"}, rows);
  print("\n" + std::to_string(stats.rules) + " rules for " + std::to_string(stats.groups.size()) +
        " log sources\n" + std::to_string(stats.predicates) + " predicates, asked " +
        std::to_string(stats.asked) + " times; " + std::to_string(stats.shared) +
        " are shared by several rules, " + std::to_string(stats.early) +
        " decided by looking them up\n" + std::to_string(literals) + " literals, their databases " +
        std::to_string(bytes) + " bytes\n" + std::to_string(always) +
        " rules are tried for every event of their log source\n");
  return done;
}

}  // namespace

int rules_command(const Arguments& arguments) {
  const std::string command = arguments.empty() ? "--help" : arguments[0];
  const bool known = command == "check" || command == "test" || command == "stats";
  po::options_description options("Options");
  if (command == "check") {
    add_format_option(options, "table", "jsonl");
  } else {
    add_format_option(options);
  }
  options.add_options()("pipeline", po::value<std::vector<std::string>>()->value_name("FILE"),
                        "check, stats: a processing pipeline; may stand several times");
  int code = done;
  const auto given =
      read_options(Arguments(arguments.begin() + (known ? 1 : 0), arguments.end()),
                   "rules check|test|stats PATH... [OPTION]...\n"
                   "  check   reads the rules and tells of each whether it is loaded or why not\n"
                   "  test    runs the examples beside them (X.test.yml)\n"
                   "  stats   tells how they are looked up",
                   options, "folder", code);
  if (!given) return code;
  if (!known) return complain(usage, "'rules' knows check, test and stats");
  if (!given->contains("folder")) {
    return complain(usage, "which folder? 'mailwarden rules " + command + " DIR'");
  }
  Asked asked;
  if (given->contains("pipeline")) {
    asked.pipelines = (*given)["pipeline"].as<std::vector<std::string>>();
  }
  asked.paths = (*given)["folder"].as<std::vector<std::string>>();
  if (command == "test" && !asked.pipelines.empty()) {
    return complain(usage, "'rules test' runs rules as they are, without --pipeline");
  }
  if (command == "check")
    return check_rules(asked, (*given)["format"].as<std::string>() == "jsonl");
  return command == "test" ? test_rules(asked.paths, wants_json(*given))
                           : tell_stats(asked, wants_json(*given));
}

}  // namespace mailwarden::cli
