// Commands about configuration, retention and reports.
#include <unistd.h>

#include "app/policies.h"
#include "base/clock.h"
#include "base/files.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "daemon/cli/command.h"
#include "privacy/sweep.h"
#include "report/check_rows.h"
#include "report/report.h"

namespace mailwarden::cli {
int config_command(const Arguments& arguments) {
  if (arguments.empty() || arguments[0] != "check") {
    print(
        "Usage: mailwarden config check [the options of mailwardend]...\n"
        "Reads the configuration with all its rules and policies, and tells every mistake.\n");
    return arguments.empty() || arguments[0] == "--help" ? done : usage;
  }
  const auto outcome =
      config::parse(Arguments(arguments.begin() + 1, arguments.end()), "localhost");
  if (!outcome) return complain(answer_is_no, outcome.error().what);
  const auto policies = app::load_policies(outcome->config);
  if (!policies) return complain(answer_is_no, policies.error().what);
  const auto& refused = (*policies)->rules.refused();
  for (const detect::Refusal& refusal : refused) complain(answer_is_no, refusal.sentence());
  if (!refused.empty()) return answer_is_no;
  print("the configuration is good: " + std::to_string(outcome->config.sources.size()) +
        " sources, " + std::to_string((*policies)->rules.rules().size()) + " rules, " +
        std::to_string((*policies)->rules.correlations().size()) + " correlations, " +
        std::to_string((*policies)->retention.size()) + " retention policies\n");
  return done;
}

int retention_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_store_option(options);
  add_format_option(options);
  options.add_options()("policies",
                        text_option("DIR")->default_value("/usr/share/mailwarden/policies"),
                        "the folder of policies");
  int code = done;
  const auto given =
      read_options(arguments,
                   "retention --store URL [--policies DIR]\nSays what the next sweep would remove "
                   "and what it would hold; nothing is changed.",
                   options, nullptr, code);
  if (!given) return code;
  if (!given->contains("store")) return complain(usage, "'retention' needs --store URL");
  const auto policies = app::load_retention((*given)["policies"].as<std::string>());
  if (!policies) return complain(answer_is_no, policies.error().what);
  const auto store = open_store(*given);
  if (!store) return complain(unavailable, store.error().what);
  const auto sweep = privacy::plan_sweep(**store, *policies, SystemClock().now());
  if (!sweep) return complain(sweep.error());
  if (wants_json(*given)) {
    print_json(privacy::to_json(*sweep));
    return done;
  }
  std::vector<std::vector<std::string>> rows;
  for (const privacy::DueBatches& due : sweep->due) {
    rows.push_back({due.category, due.source, std::to_string(due.events), to_rfc3339(due.earliest),
                    to_rfc3339(due.latest),
                    due.held_because.empty() ? "would be removed" : "held: " + due.held_because});
  }
  print_table({"CATEGORY", "SOURCE", "EVENTS", "EARLIEST", "LATEST", "WHAT"}, rows);
  for (const std::string& source : sweep->without_policy) {
    print("no policy takes the source " + printable(source) + "; its events are kept for ever\n");
  }
  return done;
}

int report_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_store_option(options);
  auto add = options.add_options();
  add("key", text_option("FILE"), "the verifier key (….pub)");
  add("policies", text_option("DIR")->default_value("/usr/share/mailwarden/policies"),
      "the folder of policies, for the retention report");
  add("from", text_option("TIME")->default_value("0000-01-01T00:00:00Z"), "begin of the period");
  add("to", text_option("TIME"), "end of the period; by default now");
  add("output", text_option("FILE"),
      "where to write; .json for JSON, else HTML; by default HTML on standard output");
  int code = done;
  const auto given =
      read_options(arguments, "report audit|retention --store URL --key FILE [OPTION]...", options,
                   "kind", code);
  if (!given) return code;
  const std::string kind =
      given->contains("kind") ? (*given)["kind"].as<std::vector<std::string>>().front() : "";
  if ((kind != "audit" && kind != "retention") || !given->contains("store") ||
      !given->contains("key")) {
    return complain(usage, "'report' needs audit or retention, --store URL and --key FILE");
  }
  const auto key_text = read_whole_file((*given)["key"].as<std::string>());
  if (!key_text) return complain(unavailable, key_text.error().what);
  const auto key = ledger::parse_verifier_key(trim(*key_text));
  if (!key) return complain(key.error());
  const auto from = parse_rfc3339((*given)["from"].as<std::string>());
  const auto to = given->contains("to") ? parse_rfc3339((*given)["to"].as<std::string>())
                                        : Result<Timestamp>(SystemClock().now());
  if (!from) return complain(from.error());
  if (!to) return complain(to.error());
  const auto store = open_store(*given);
  if (!store) return complain(unavailable, store.error().what);
  const report::Checks checks = report::all_checks(**store);
  const report::ReportOptions built{
      .key = *key, .check_record = checks.record, .check_end = checks.end};
  const auto period = report::period_between(**store, *from, *to);
  if (!period) return complain(period.error());
  Result<json::Object> made;
  if (kind == "audit") {
    made = report::build_audit(**store, *period, built);
  } else {
    const auto policies = app::load_retention((*given)["policies"].as<std::string>());
    if (!policies) return complain(answer_is_no, policies.error().what);
    made = report::build_retention(**store, *period, *policies, built);
  }
  if (!made) return complain(made.error());
  if (!given->contains("output")) {
    print(report::render_html(*made));
    return done;
  }
  const auto output = (*given)["output"].as<std::string>();
  const std::string text =
      output.ends_with(".json") ? json::to_pretty_text(*made) + "\n" : report::render_html(*made);
  if (auto written = write_file_durably(output, text); !written) {
    return complain(unavailable, written.error().what);
  }
  return done;
}

}  // namespace mailwarden::cli
