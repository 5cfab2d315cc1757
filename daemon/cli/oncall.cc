// Who is on call, and who will be.
#include <array>

#include "app/policies.h"
#include "base/text.h"
#include "daemon/cli/command.h"

namespace mailwarden::cli {
namespace {

constexpr std::int64_t days_max = 5 * 366;
constexpr std::size_t shifts_max = 20'000;  // of a schedule

struct Period {
  Timestamp from;
  Timestamp until;  // `from` where only that moment is asked about
};

Result<Period> period_of(const po::variables_map& given) {
  Period period{.from = SystemClock().now(), .until = {}};
  if (given.contains("at")) {
    const auto at = parse_rfc3339(given["at"].as<std::string>());
    if (!at) return fail("--at", at.error());
    period.from = *at;
  }
  period.until = period.from;
  if (given.contains("days") && given.contains("until")) {
    return fail(Code::invalid, "--days and --until do not go together");
  }
  if (given.contains("days")) {
    const auto days = to_integer(given["days"].as<std::string>());
    if (!days || *days < 1 || *days > days_max) {
      return fail(Code::invalid, "--days must be a number from 1 to " + std::to_string(days_max));
    }
    period.until = period.from + std::chrono::days(*days);
  }
  if (given.contains("until")) {
    const auto until = parse_rfc3339(given["until"].as<std::string>());
    if (!until) return fail("--until", until.error());
    if (*until <= period.from) return fail(Code::invalid, "--until must be later than --at");
    if (*until - period.from > std::chrono::days(days_max)) {
      return fail(Code::invalid,
                  "--until must be at most " + std::to_string(days_max) + " days behind --at");
    }
    period.until = *until;
  }
  return period;
}

// The schedule that is asked for, or all.
Result<std::vector<alert::Schedule>> chosen(const alert::OnCallSchedules& all,
                                            const po::variables_map& given) {
  if (!given.contains("schedule")) return all.schedules();
  const auto name = given["schedule"].as<std::string>();
  if (const alert::Schedule* const one = all.find(name); one != nullptr) return std::vector{*one};
  std::string known;
  for (const alert::Schedule& schedule : all.schedules()) {
    known += (known.empty() ? "" : ", ") + schedule.name;
  }
  return fail(Code::not_found, "there is no schedule '" + printable(name) +
                                   "'; there are: " + (known.empty() ? "none" : known));
}

std::vector<alert::Shift> shifts_in(const alert::Schedule& schedule, const Period& period) {
  if (period.from == period.until) return {alert::on_call(schedule, period.from)};
  return alert::shifts(schedule, period.from, period.until, shifts_max);
}

// "Mon 2026-01-05 09:00", to the minute, since nothing changes within one.
std::string local_text(const alert::Schedule& schedule, Timestamp at) {
  const Timestamp local = schedule.zone.to_local(at);
  return to_rfc5322(local).substr(0, 3) + " " + short_time(to_rfc3339(local)).substr(0, 16);
}

std::string utc_text(Timestamp at) {
  return short_time(to_rfc3339(at)).substr(0, 16);
}

// RFC 3339 with the offset of the zone at that moment.
std::string with_offset(const alert::Schedule& schedule, Timestamp at) {
  const Timestamp local = schedule.zone.to_local(at);
  const auto offset = std::chrono::duration_cast<std::chrono::minutes>(local - at).count();
  const auto digits = [](std::int64_t number) {
    return (number < 10 ? "0" : "") + std::to_string(number);
  };
  return to_rfc3339(local).substr(0, 19) + (offset < 0 ? "-" : "+") +
         digits(std::abs(offset) / 60) + ":" + digits(std::abs(offset) % 60);
}

json::Value as_json(const std::vector<alert::Schedule>& schedules,
                    const alert::OnCallSchedules& all, const Period& period) {
  json::Array told;
  for (const alert::Schedule& schedule : schedules) {
    json::Array list;
    for (const alert::Shift& shift : shifts_in(schedule, period)) {
      json::Object one = alert::to_json(shift);
      one["from"] = to_rfc3339(shift.from);
      one["from_local"] = with_offset(schedule, shift.from);
      if (shift.until) one["until_local"] = with_offset(schedule, *shift.until);
      json::Array receivers;
      for (const std::string& name : all.find_person(shift.person)->receivers) {
        receivers.emplace_back(name);
      }
      one["receivers"] = std::move(receivers);
      list.emplace_back(std::move(one));
    }
    told.emplace_back(json::Object{
        {"name", schedule.name}, {"shifts", std::move(list)}, {"zone", schedule.zone_name}});
  }
  return json::Object{{"schedules", std::move(told)}};
}

void print_schedule(const alert::Schedule& schedule, const Period& period) {
  print(printable(schedule.name) + " (" + schedule.zone_name + ")\n");
  std::vector<std::vector<std::string>> rows;
  for (const alert::Shift& shift : shifts_in(schedule, period)) {
    rows.push_back({shift.person, describe(shift), local_text(schedule, shift.from),
                    shift.until ? local_text(schedule, *shift.until) : "-", utc_text(shift.from),
                    shift.until ? utc_text(*shift.until) : "-"});
  }
  print_table({"PERSON", "BECAUSE OF", "FROM", "UNTIL", "FROM (UTC)", "UNTIL (UTC)"}, rows);
}

int show(const Arguments& arguments) {
  po::options_description options("Options");
  add_format_option(options);
  auto add = options.add_options();
  add("policies", text_option("DIR")->default_value("/usr/share/mailwarden/policies"),
      "the folder of policies");
  add("schedule", text_option("NAME"), "only this one");
  add("at", text_option("TIME"), "in place of now, such as 2026-12-24T18:00:00+01:00");
  add("until", text_option("TIME"), "all shifts up to then; the last is cut off there");
  add("days", text_option("N"), "all shifts of so many days");
  int code = done;
  const auto given = read_options(
      arguments,
      "oncall show [--policies DIR] [--schedule NAME] [--at TIME] [--until TIME|--days N]\n"
      "Says who is on call and until when, in the schedule's zone and in UTC. The first shift is\n"
      "told from the moment asked about.",
      options, nullptr, code);
  if (!given) return code;
  const auto period = period_of(*given);
  if (!period) return complain(period.error());
  const auto folder = (*given)["policies"].as<std::string>();
  const auto all = app::load_on_call(folder, SystemClock().now());
  if (!all) return complain(answer_is_no, all.error().what);
  if (all->schedules().empty()) {
    return complain(answer_is_no, folder + "/on_call.yaml has no schedules");
  }
  const auto schedules = chosen(*all, *given);
  if (!schedules) return complain(schedules.error());
  if (wants_json(*given)) {
    print_json(as_json(*schedules, *all, *period));
    return done;
  }
  for (const alert::Schedule& schedule : *schedules) {
    if (&schedule != schedules->data()) print("\n");
    print_schedule(schedule, *period);
  }
  return done;
}

constexpr std::array commands{Group{"show", "say who is on call, now or at a time", show}};

}  // namespace

int oncall_command(const Arguments& arguments) {
  return run_one_of("oncall", commands, arguments);
}

}  // namespace mailwarden::cli
