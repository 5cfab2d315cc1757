// Who is on call in a period, as JSON.
//
// What     The answer that the command `mailwarden oncall show` prints and the API gives.
// Owns     Nothing.
// Threads  Pure.
// Errors   invalid: the question's period. not_found: no such schedule.
// Limits   days_max of a period, shifts_max of a schedule.
#pragma once

#include <optional>
#include <string>

#include "alert/on_call.h"
#include "base/result.h"
#include "json/value.h"

namespace mailwarden::alert {

// Texts as people give them; "" where they did not.
struct OnCallQuestion {
  static constexpr std::int64_t days_max = 5 * 366;
  static constexpr std::size_t shifts_max = 20'000;

  std::string schedule;  // only this one
  std::string at;        // in place of now
  std::string until;     // all shifts up to then
  std::string days;      // the same for so many days
};

// {"schedules": [{"name", "shifts": […], "zone"}]}, times in UTC and, as `…_local`, with the offset
// of the schedule's zone. The first shift is told from the moment that is asked about.
Result<json::Value> answer(const OnCallSchedules& schedules, const OnCallQuestion& question,
                           Timestamp now);

}  // namespace mailwarden::alert
