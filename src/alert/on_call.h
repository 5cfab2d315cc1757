// Who is on call at a moment.
//
// What     A Schedule has layers, each a rotation of people; overrides, holidays and a fallback
//          stand beside them. on_call() answers who is called at a moment, why, and when that
//          answer next changes. Read from policies/on_call.yaml:
//
//            people:
//              - {name: ada, receivers: [pager-ada, mail-ada]}
//              - {name: ben, receivers: [mail-ben]}
//            schedules:
//              - name: primary
//                zone: Europe/Berlin
//                layers:
//                  - {name: weekly, people: [ada, ben], start: 2026-01-05 09:00, shift: weekly}
//                  - name: nights
//                    people: [ben]
//                    start: 2026-01-05 00:00
//                    shift: daily
//                    restrict: [{days: [mon, tue], from: 22:00, until: 06:00}]
//                  - {name: feasts, people: [ada], start: 2026-01-01 00:00, shift: daily,
//                     holidays_only: true}
//                overrides:
//                  - {person: ada, from: 2026-12-24 18:00, until: 2026-12-25 09:00, reason: swap}
//                holidays:
//                  - {name: Christmas, from: 2026-12-25, until: 2026-12-26, layer: feasts}
//                  - {name: New Year, on: 2027-01-01, person: ben}
//                fallback: ada
//
//          Overrides come before holidays, holidays before layers, layers before the fallback; of
//          two of one kind the later in the file wins. A layer covers the time from its start,
//          within its windows if it has any; a rotation turns at every hand-over, also where a
//          window or a higher layer keeps the shift from being seen. A holiday is whole local days,
//          and where its layer has nobody, what else holds does. The windows' days are those on
//          which they begin; one whose end is not after its beginning ends on the next day. A shift
//          is daily, weekly, or a number of hours, days or weeks (12h, 3d, 2w).
//
//          All times are the schedule's local ones. What is due at a local time happens at the
//          first moment at which the wall clock shows that time or, where clocks are set forward
//          over it, a later one. So a hand-over at 09:00 stays at 09:00, a shift over a night may
//          last an hour more or less, and between two hand-overs there is always one person.
//
//          Without fallback, the layers alone must cover the coming year. What they do not cover
//          then (times before the start of any) falls to the first person of the first layer.
// Owns     Its content.
// Threads  Values, never changed after parse(); every function is pure.
// Errors   parse() reports every mistake in one Error{invalid}, each with file and line.
// Limits   OnCallLimits. Offsets from UTC are known until 2200.
// Source   IANA time zone database. The order of layers is that of PagerDuty's schedules.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alert/week_spans.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "ingest/decode/zone.h"
#include "json/value.h"

namespace mailwarden::alert {

struct OnCallLimits {
  static constexpr std::size_t name_bytes_max = 200;
  static constexpr std::size_t people_max = 1000;
  static constexpr std::size_t receivers_max = 20;  // of a person
  static constexpr std::size_t schedules_max = 100;
  static constexpr std::size_t layers_max = 20;
  static constexpr std::size_t rotation_max = 100;   // people of a layer
  static constexpr std::size_t windows_max = 50;     // of a layer
  static constexpr std::size_t overrides_max = 500;  // of a schedule
  static constexpr std::size_t holidays_max = 500;   // of a schedule
  static constexpr Duration shift_max = std::chrono::days(366);
};

// How a person is reached.
struct Contact {
  std::string name;
  std::vector<std::string> receivers;  // of routes.yaml
  std::string where;                   // "on_call.yaml, line 3"
};

// Times of the following are those of a wall clock in the schedule's zone, counted as if it were
// UTC; what ends, ends before `until`.
struct Layer {
  std::string name;
  std::vector<std::string> people;  // in the order of the rotation
  Timestamp start;                  // of the first shift
  Duration shift = std::chrono::days(1);
  std::vector<WeekSpan> open;  // in order and apart from each other; none: always
  bool holidays_only = false;
};

struct Override {
  std::string person;
  Timestamp from;
  Timestamp until;
  std::string reason;
};

struct Holiday {
  std::string name;
  Timestamp from;
  Timestamp until;
  std::string person;                // "" where a layer takes over
  std::optional<std::size_t> layer;  // of the schedule
};

struct Schedule {
  std::string name;
  std::string zone_name;
  ingest::Zone zone;
  std::vector<Layer> layers;  // at least one
  std::vector<Override> overrides;
  std::vector<Holiday> holidays;
  std::string fallback;  // "" for none
};

enum class Cause : std::uint8_t { override, holiday, layer, fallback };
std::string_view to_string(Cause cause);

// Who is on call, and because of what.
struct Shift {
  std::string schedule;
  std::string person;
  Cause cause = Cause::fallback;
  std::string layer;               // also of a holiday; "" for none
  std::string holiday;             // "" for none
  std::string reason;              // of an override
  Timestamp from;                  // the moment asked about
  std::optional<Timestamp> until;  // when anything of the above changes; nothing: never
};
Shift on_call(const Schedule& schedule, Timestamp at);
// One behind the other from `from` to `until`, where the last is cut off; no more than `limit`.
std::vector<Shift> shifts(const Schedule& schedule, Timestamp from, Timestamp until,
                          std::size_t limit);

// "layer 'weekly'", "override: swap", "holiday 'Christmas', layer 'feasts'", "fallback".
std::string describe(const Shift& shift);
// Without `from`.
json::Object to_json(const Shift& shift);

// The first span of time in which no layer has anybody and that no holiday is needed for.
struct UncoveredSpan {
  Timestamp from;
  Timestamp until;
};
std::optional<UncoveredSpan> first_uncovered(const Schedule& schedule, Timestamp from,
                                             Timestamp until);

class OnCallSchedules {
 public:
  // None.
  OnCallSchedules() = default;
  // `now` is where the coming year begins in which layers must cover all or there is a fallback. A
  // text of comments alone has no schedules.
  static Result<OnCallSchedules> parse(std::string_view yaml, const std::string& file,
                                       Timestamp now);

  const std::vector<Contact>& people() const { return people_; }
  const std::vector<Schedule>& schedules() const { return schedules_; }
  const Contact* find_person(std::string_view name) const;
  const Schedule* find(std::string_view name) const;

 private:
  std::vector<Contact> people_;
  std::vector<Schedule> schedules_;
};

}  // namespace mailwarden::alert
