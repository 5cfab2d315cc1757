// Who is on call, and who will be.
#include <array>

#include "alert/on_call_answer.h"
#include "app/policies.h"
#include "base/text.h"
#include "daemon/cli/command.h"

namespace mailwarden::cli {
namespace {

// "Mon 2026-01-05 09:00", to the minute, since nothing changes within one; `local` is RFC 3339 with
// an offset.
std::string local_text(const std::string& local) {
  const auto as_shown = parse_rfc3339(local.substr(0, 19) + "Z");
  if (!as_shown) return "-";
  return to_rfc5322(*as_shown).substr(0, 3) + " " + short_time(local).substr(0, 16);
}

std::string utc_text(const std::string& at) {
  return at.empty() ? "-" : short_time(at).substr(0, 16);
}

void print_schedules(const json::Value& answer) {
  const auto* const schedules = answer["schedules"].as_array();
  if (schedules == nullptr) return;
  for (const json::Value& schedule : *schedules) {
    if (&schedule != schedules->data()) print("\n");
    print(printable(schedule.text("name")) + " (" + printable(schedule.text("zone")) + ")\n");
    std::vector<std::vector<std::string>> rows;
    if (const auto* const shifts = schedule["shifts"].as_array(); shifts != nullptr) {
      for (const json::Value& shift : *shifts) {
        rows.push_back({shift.text("person"), shift.text("because"),
                        local_text(shift.text("from_local")), local_text(shift.text("until_local")),
                        utc_text(shift.text("from")), utc_text(shift.text("until"))});
      }
    }
    print_table({"PERSON", "BECAUSE OF", "FROM", "UNTIL", "FROM (UTC)", "UNTIL (UTC)"}, rows);
  }
}

int show_from_files(const po::variables_map& given) {
  const auto folder = given["policies"].as<std::string>();
  const Timestamp now = SystemClock().now();
  const auto all = app::load_on_call(folder, now);
  if (!all) return complain(answer_is_no, all.error().what);
  const auto answer = alert::answer(*all,
                                    {.schedule = text_of(given, "schedule"),
                                     .at = text_of(given, "at"),
                                     .until = text_of(given, "until"),
                                     .days = text_of(given, "days")},
                                    now);
  // What was asked wrongly is told first.
  if (all->schedules().empty() && (answer || answer.error().code != Code::invalid)) {
    return complain(answer_is_no, folder + "/on_call.yaml has no schedules");
  }
  return print_answer(given, answer, print_schedules);
}

int show_on_call(const Arguments& arguments) {
  po::options_description options("Options");
  add_format_option(options);
  auto add = options.add_options();
  add("policies", text_option("DIR")->default_value("/usr/share/mailwarden/policies"),
      "the folder of policies");
  add("socket", text_option("PATH"), "ask the daemon there, by the policies that are in force");
  add("schedule", text_option("NAME"), "only this one");
  add("at", text_option("TIME"), "in place of now, such as 2026-12-24T18:00:00+01:00");
  add("until", text_option("TIME"), "all shifts up to then; the last is cut off there");
  add("days", text_option("N"), "all shifts of so many days");
  int code = done;
  const auto given = read_options(
      arguments,
      "oncall show [--policies DIR|--socket PATH] [--schedule NAME] [--at TIME]\n"
      "       [--until TIME|--days N]\n"
      "Says who is on call and until when, in the schedule's zone and in UTC. The first shift is\n"
      "told from the moment asked about.",
      options, nullptr, code);
  if (!given) return code;
  if (!given->contains("socket")) return show_from_files(*given);
  const auto answer = ask_daemon(
      *given, {"/api/v1/oncall", query_of(*given, {"schedule", "at", "until", "days"}), ""});
  return print_answer(*given, answer, print_schedules);
}

constexpr std::array oncall_commands{
    Group{"show", "say who is on call, now or at a time", show_on_call}};

}  // namespace

int oncall_command(const Arguments& arguments) {
  return run_one_of("oncall", oncall_commands, arguments);
}

}  // namespace mailwarden::cli
