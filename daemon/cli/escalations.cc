// Escalations that wait for an answer.
#include "base/text.h"
#include "daemon/cli/command.h"

namespace mailwarden::cli {
namespace {

std::string of(std::int64_t number, std::int64_t count) {
  return std::to_string(number) + " of " + std::to_string(count);
}

void print_escalations(const json::Value& answer) {
  std::vector<std::vector<std::string>> rows;
  if (const auto* const list = answer["escalations"].as_array()) {
    for (const json::Value& one : *list) {
      const json::Value& next = one["next"];
      const auto* const steps = one["steps"].as_array();
      const auto count = static_cast<std::int64_t>(steps == nullptr ? 0 : steps->size());
      rows.push_back({std::to_string(one.integer("incident")), one.text("chain"), one.text("state"),
                      of(one.integer("round"), one.integer("repeat") + 1),
                      next.is_null() ? "none" : of(next.integer("step"), count),
                      next.is_null() ? "-" : short_time(next.text("due")),
                      joined(next["who"].is_null() ? next["to"] : next["who"]), one.text("why")});
    }
  }
  print_table({"INCIDENT", "CHAIN", "STATE", "ROUND", "NEXT STEP", "WHEN (UTC)", "WHO", "WHY"},
              rows);
}

}  // namespace

int escalations_command(const Arguments& arguments) {
  po::options_description options("Options");
  add_source_options(options);
  auto add = options.add_options();
  add("state", text_option("STATE"),
      "running, ended, exhausted or passed_over; running by default");
  add("incident", text_option("NUMBER"), "all of this incident");
  add("limit", text_option("NUMBER"), "how many at the most");
  int code = done;
  const auto given = read_options(arguments,
                                  "alerts escalations [OPTION]...\n"
                                  "Lists the escalations that run, what is due first first.",
                                  options, nullptr, code);
  if (!given) return code;
  const auto answer =
      ask(*given, {"/api/v1/escalations", query_of(*given, {"state", "incident", "limit"}), ""});
  return print_answer(*given, answer, print_escalations);
}

}  // namespace mailwarden::cli
