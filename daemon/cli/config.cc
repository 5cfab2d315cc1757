// Commands about configuration and retention.
#include "app/policies.h"
#include "base/clock.h"
#include "base/text.h"
#include "daemon/cli/command.h"
#include "privacy/sweep.h"

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
  if (const auto& kek = outcome->config.kek) {
    if (auto good = vault::check_kek(*kek); !good) {
      return complain(answer_is_no, "kek: " + good.error().what);
    }
  }
  const auto policies = app::load_policies(outcome->config, SystemClock().now());
  if (!policies) return complain(answer_is_no, policies.error().what);
  for (const std::string& warning : (*policies)->warnings) print("warning: " + warning + "\n");
  const auto& refused = (*policies)->rules.refused();
  for (const detect::Refusal& refusal : refused) complain(answer_is_no, refusal.sentence());
  if (!refused.empty()) return answer_is_no;
  print("the configuration is good: " + std::to_string(outcome->config.sources.size()) +
        " sources, " + std::to_string((*policies)->rules.rules().size()) + " rules, " +
        std::to_string((*policies)->rules.correlations().size()) + " correlations, " +
        std::to_string((*policies)->retention.size()) + " retention policies, " +
        std::to_string((*policies)->routes.on_call().schedules().size()) + " on-call schedules, " +
        std::to_string((*policies)->routes.chains().chains().size()) + " escalation chains\n");
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

}  // namespace mailwarden::cli
