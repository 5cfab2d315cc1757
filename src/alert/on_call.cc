#include "alert/on_call.h"

#include <algorithm>

namespace mailwarden::alert {
namespace {

constexpr Timestamp never = Timestamp::latest;
constexpr Duration week = std::chrono::days(7);

// An answer on the schedule's own clock, which never goes back. It holds at least to `until`.
struct Answer {
  std::string_view person;
  Cause cause = Cause::fallback;
  const Layer* layer = nullptr;
  const Holiday* holiday = nullptr;
  std::string_view reason;
  Timestamp until = never;
};

bool same(const Answer& a, const Answer& b) {
  const auto name = [](const auto* of) { return of == nullptr ? std::string_view() : of->name; };
  return a.person == b.person && a.cause == b.cause && a.layer == b.layer && a.reason == b.reason &&
         name(a.holiday) == name(b.holiday);
}

// Whether a layer has somebody, and at least until when that stays so.
struct Cover {
  bool open = false;
  Timestamp until = never;
};

Cover within(const std::vector<WeekSpan>& spans, Timestamp local) {
  if (spans.empty()) return {.open = true};
  // 1970-01-05 was a Monday.
  const std::int64_t since = local.us - Duration(std::chrono::days(4)).count();
  const std::int64_t in_week = ((since % week.count()) + week.count()) % week.count();
  const Timestamp monday = {local.us - in_week};
  const auto minute = [monday](int of_week) { return monday + std::chrono::minutes(of_week); };
  for (const WeekSpan& span : spans) {
    if (local < minute(span.begin)) return {.until = minute(span.begin)};
    if (local >= minute(span.end)) continue;
    return {.open = true, .until = minute(span.end)};
  }
  return {.until = minute(week_minutes + spans.front().begin)};
}

Cover cover(const Layer& layer, Timestamp local) {
  if (local >= layer.start) return within(layer.open, local);
  const Cover at_start = within(layer.open, layer.start);
  return {.until = at_start.open ? layer.start : at_start.until};
}

// Of an open layer: whose shift it is, and until when the layer says so.
Answer take_turn(const Layer& layer, Timestamp local, Timestamp until) {
  const std::int64_t turn = (local - layer.start) / layer.shift;
  const bool turns = std::ranges::any_of(
      layer.people, [&](const std::string& person) { return person != layer.people.front(); });
  const Timestamp hand_over = layer.start + layer.shift * (turn + 1);
  return {.person = layer.people[static_cast<std::size_t>(turn) % layer.people.size()],
          .cause = Cause::layer,
          .layer = &layer,
          .until = turns ? std::min(until, hand_over) : until};
}

std::string_view fallback_of(const Schedule& schedule) {
  return schedule.fallback.empty() ? schedule.layers.front().people.front() : schedule.fallback;
}

std::optional<Answer> by_override(const Schedule& schedule, Timestamp local, Timestamp& until) {
  for (auto it = schedule.overrides.rbegin(); it != schedule.overrides.rend(); ++it) {
    if (local < it->from) {
      until = std::min(until, it->from);
    } else if (local < it->until) {
      return Answer{.person = it->person,
                    .cause = Cause::override,
                    .reason = it->reason,
                    .until = std::min(until, it->until)};
    }
  }
  return std::nullopt;
}

std::optional<Answer> by_holiday(const Schedule& schedule, Timestamp local, Timestamp& until) {
  for (auto it = schedule.holidays.rbegin(); it != schedule.holidays.rend(); ++it) {
    if (local < it->from) {
      until = std::min(until, it->from);
      continue;
    }
    if (local >= it->until) continue;
    Answer answer{.person = it->person, .until = std::min(until, it->until)};
    if (it->layer) {
      const Layer& layer = schedule.layers[*it->layer];
      const Cover covered = cover(layer, local);
      if (!covered.open) {
        until = std::min(until, covered.until);
        continue;
      }
      answer = take_turn(layer, local, std::min(answer.until, covered.until));
    }
    answer.cause = Cause::holiday;
    answer.holiday = &*it;
    return answer;
  }
  return std::nullopt;
}

std::optional<Answer> by_layer(const Schedule& schedule, Timestamp local, Timestamp& until) {
  for (auto it = schedule.layers.rbegin(); it != schedule.layers.rend(); ++it) {
    if (it->holidays_only) continue;
    const Cover covered = cover(*it, local);
    until = std::min(until, covered.until);
    if (covered.open) return take_turn(*it, local, until);
  }
  return std::nullopt;
}

// What comes behind the one that decides has no say in when the answer changes.
Answer answer_at(const Schedule& schedule, Timestamp local) {
  Timestamp until = never;
  if (auto answer = by_override(schedule, local, until)) return *answer;
  if (auto answer = by_holiday(schedule, local, until)) return *answer;
  if (auto answer = by_layer(schedule, local, until)) return *answer;
  return {.person = fallback_of(schedule), .until = until};
}

}  // namespace

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::override:
      return "override";
    case Cause::holiday:
      return "holiday";
    case Cause::layer:
      return "layer";
    case Cause::fallback:
      return "fallback";
  }
  return "unknown";
}

Shift on_call(const Schedule& schedule, Timestamp at) {
  const Answer answer = answer_at(schedule, schedule.zone.to_steady(at));
  Shift shift{.schedule = schedule.name,
              .person = std::string(answer.person),
              .cause = answer.cause,
              .layer = answer.layer == nullptr ? "" : answer.layer->name,
              .holiday = answer.holiday == nullptr ? "" : answer.holiday->name,
              .reason = std::string(answer.reason),
              .from = at};
  // The same answer may follow: two shifts of one person, a window over the end of the week, or
  // what lay between was an hour that the clock left out. Such a run is no longer than a rotation
  // and the list of holidays together.
  for (Timestamp change = answer.until; change < never;) {
    const Timestamp moment = schedule.zone.first_at(change);
    if (moment >= never) break;
    const Answer next = answer_at(schedule, schedule.zone.to_steady(moment));
    if (!same(answer, next)) {
      shift.until = moment;
      break;
    }
    change = next.until;
  }
  return shift;
}

std::vector<Shift> shifts(const Schedule& schedule, Timestamp from, Timestamp until,
                          std::size_t limit) {
  std::vector<Shift> found;
  while (from < until && found.size() < limit) {
    found.push_back(on_call(schedule, from));
    from = std::min(found.back().until.value_or(until), until);
    found.back().until = from;
  }
  return found;
}

std::string describe(const Shift& shift) {
  std::string text(to_string(shift.cause));
  if (shift.cause == Cause::override) return text + ": " + shift.reason;
  if (!shift.holiday.empty()) text += " '" + shift.holiday + "'";
  if (shift.layer.empty()) return text;
  return (shift.holiday.empty() ? text : text + ", layer") + " '" + shift.layer + "'";
}

json::Object to_json(const Shift& shift) {
  json::Object object{
      {"cause", to_string(shift.cause)},
      {"person", shift.person},
      {"schedule", shift.schedule},
      {"until", shift.until ? json::Value(to_rfc3339(*shift.until)) : json::Value()}};
  const auto add = [&](const char* name, const std::string& text) {
    if (!text.empty()) object[name] = text;
  };
  add("layer", shift.layer);
  add("holiday", shift.holiday);
  add("reason", shift.reason);
  return object;
}

std::optional<UncoveredSpan> first_uncovered(const Schedule& schedule, Timestamp from,
                                             Timestamp until) {
  Timestamp local = schedule.zone.to_steady(from);
  const Timestamp end = schedule.zone.to_steady(until);
  while (local < end) {
    Timestamp covered = local;
    Timestamp opens = end;
    for (const Layer& layer : schedule.layers) {
      if (layer.holidays_only) continue;
      const Cover by = cover(layer, local);
      if (by.open) {
        covered = std::max(covered, by.until);
      } else {
        opens = std::min(opens, by.until);
      }
    }
    if (covered > local) {
      local = covered;
      continue;
    }
    const UncoveredSpan span{.from = std::max(from, schedule.zone.first_at(local)),
                             .until = schedule.zone.first_at(opens)};
    // What the clock leaves out on one day needs nobody.
    if (span.from < span.until) return span;
    local = opens;
  }
  return std::nullopt;
}

const Contact* OnCallSchedules::find_person(std::string_view name) const {
  const auto found = std::ranges::find(people_, name, &Contact::name);
  return found == people_.end() ? nullptr : &*found;
}

const Schedule* OnCallSchedules::find(std::string_view name) const {
  const auto found = std::ranges::find(schedules_, name, &Schedule::name);
  return found == schedules_.end() ? nullptr : &*found;
}

}  // namespace mailwarden::alert
