#include "alert/on_call_answer.h"

#include <cstdlib>

#include "base/text.h"

namespace mailwarden::alert {
namespace {

using Question = OnCallQuestion;

struct Period {
  Timestamp from;
  Timestamp until;  // `from` where only that moment is asked about
};

Result<Period> period_of(const Question& question, Timestamp now) {
  Period period{.from = now, .until = {}};
  if (!question.at.empty()) {
    const auto at = parse_rfc3339(question.at);
    if (!at) return fail("--at", at.error());
    period.from = *at;
  }
  period.until = period.from;
  if (!question.days.empty() && !question.until.empty()) {
    return fail(Code::invalid, "--days and --until do not go together");
  }
  if (!question.days.empty()) {
    const auto days = to_integer(question.days);
    if (!days || *days < 1 || *days > Question::days_max) {
      return fail(Code::invalid,
                  "--days must be a number from 1 to " + std::to_string(Question::days_max));
    }
    period.until = period.from + std::chrono::days(*days);
  }
  if (!question.until.empty()) {
    const auto until = parse_rfc3339(question.until);
    if (!until) return fail("--until", until.error());
    if (*until <= period.from) return fail(Code::invalid, "--until must be later than --at");
    if (*until - period.from > std::chrono::days(Question::days_max)) {
      return fail(Code::invalid, "--until must be at most " + std::to_string(Question::days_max) +
                                     " days behind --at");
    }
    period.until = *until;
  }
  return period;
}

// The schedule that is asked for, or all.
Result<std::vector<const Schedule*>> chosen(const OnCallSchedules& all, const std::string& name) {
  std::vector<const Schedule*> found;
  std::string known;
  for (const Schedule& schedule : all.schedules()) {
    if (name.empty() || schedule.name == name) found.push_back(&schedule);
    known += (known.empty() ? "" : ", ") + schedule.name;
  }
  if (name.empty() || !found.empty()) return found;
  return fail(Code::not_found, "there is no schedule '" + printable(name) +
                                   "'; there are: " + (known.empty() ? "none" : known));
}

// RFC 3339 with the offset of the zone at that moment.
std::string with_offset(const Schedule& schedule, Timestamp at) {
  const Timestamp local = schedule.zone.to_local(at);
  const auto offset = std::chrono::duration_cast<std::chrono::minutes>(local - at).count();
  const auto digits = [](std::int64_t number) {
    return (number < 10 ? "0" : "") + std::to_string(number);
  };
  return to_rfc3339(local).substr(0, 19) + (offset < 0 ? "-" : "+") +
         digits(std::abs(offset) / 60) + ":" + digits(std::abs(offset) % 60);
}

json::Object shift_json(const OnCallSchedules& all, const Schedule& schedule, const Shift& shift) {
  json::Object one = to_json(shift);
  one["because"] = describe(shift);
  one["from"] = to_rfc3339(shift.from);
  one["from_local"] = with_offset(schedule, shift.from);
  if (shift.until) one["until_local"] = with_offset(schedule, *shift.until);
  json::Array receivers;
  for (const std::string& name : all.find_person(shift.person)->receivers) {
    receivers.emplace_back(name);
  }
  one["receivers"] = std::move(receivers);
  return one;
}

}  // namespace

Result<json::Value> answer(const OnCallSchedules& schedules, const OnCallQuestion& question,
                           Timestamp now) {
  const auto period = period_of(question, now);
  if (!period) return std::unexpected(period.error());
  const auto asked = chosen(schedules, question.schedule);
  if (!asked) return std::unexpected(asked.error());
  json::Array told;
  for (const Schedule* const schedule : *asked) {
    const auto in_period =
        period->from == period->until
            ? std::vector{on_call(*schedule, period->from)}
            : shifts(*schedule, period->from, period->until, Question::shifts_max);
    json::Array list;
    for (const Shift& shift : in_period) {
      list.emplace_back(shift_json(schedules, *schedule, shift));
    }
    told.emplace_back(json::Object{
        {"name", schedule->name}, {"shifts", std::move(list)}, {"zone", schedule->zone_name}});
  }
  return json::Value(json::Object{{"schedules", std::move(told)}});
}

}  // namespace mailwarden::alert
