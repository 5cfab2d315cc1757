#include "ingest/decode/zone.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include <date/tz.h>

namespace mailwarden::ingest {
namespace {

using std::chrono::seconds;

constexpr int first_year = 1900;
constexpr int last_year = 2200;
constexpr Duration day = std::chrono::hours(24);

Timestamp clamp(Timestamp at) {
  return std::clamp(at, Timestamp::earliest, Timestamp::latest);
}

}  // namespace

Result<Zone> Zone::make(std::string_view name) {
  Zone zone;
  try {
    const date::time_zone* const place = date::locate_zone(std::string(name));
    const date::sys_seconds end = date::sys_days(date::year(last_year) / 1 / 1);
    date::sys_seconds at = date::sys_days(date::year(first_year) / 1 / 1);
    zone.spans_.clear();
    while (at < end) {
      const date::sys_info info = place->get_info(at);
      const bool first = zone.spans_.empty();
      zone.spans_.push_back(
          {.begin_us = first ? INT64_MIN : Duration(at.time_since_epoch()).count(),
           .offset_us = Duration(info.offset).count()});
      if (info.end <= at) break;
      at = info.end;
    }
  } catch (const std::runtime_error&) {
    return fail(Code::not_found, "the time zone database has no zone '" + std::string(name) +
                                     "' (names are like Europe/Amsterdam or UTC)");
  }
  return zone;
}

const Zone::Span& Zone::span_at(std::int64_t us) const {
  const auto after = std::ranges::upper_bound(spans_, us, {}, &Span::begin_us);
  return after == spans_.begin() ? spans_.front() : *(after - 1);
}

Timestamp Zone::to_local(Timestamp at) const {
  return clamp(at + Duration(span_at(at.us).offset_us));
}

Timestamp Zone::to_utc(Timestamp local) const {
  if (spans_.size() == 1) return clamp(local - Duration(spans_.front().offset_us));
  // No offset is longer than a day, so the spans a day either side hold every reading.
  const std::int64_t before = span_at((local - day).us).offset_us;
  const std::int64_t after = span_at((local + day).us).offset_us;
  const Timestamp larger = local - Duration(std::max(before, after));
  const Timestamp smaller = local - Duration(std::min(before, after));
  const bool larger_holds = to_local(larger) == local;
  const bool smaller_holds = to_local(smaller) == local;
  return clamp(larger_holds || !smaller_holds ? larger : smaller);
}

std::size_t Zone::reaching(std::int64_t us) const {
  const Span& span = span_at(us - 2 * day.count());
  return static_cast<std::size_t>(&span - spans_.data());
}

Timestamp Zone::to_steady(Timestamp at) const {
  Timestamp steady = to_local(at);
  for (std::size_t i = reaching(at.us); i + 1 < spans_.size(); ++i) {
    const std::int64_t end = spans_[i + 1].begin_us;
    if (end > at.us) break;
    steady = std::max(steady, Timestamp{end - 1 + spans_[i].offset_us});
  }
  return clamp(steady);
}

Timestamp Zone::first_at(Timestamp local) const {
  std::size_t i = reaching(local.us);
  for (; i + 1 < spans_.size(); ++i) {
    if (spans_[i + 1].begin_us + spans_[i].offset_us > local.us) break;
  }
  return clamp({std::max(spans_[i].begin_us, local.us - spans_[i].offset_us)});
}

std::optional<Timestamp> without_year(Civil civil, const YearRule& rule, const Zone& zone,
                                      Timestamp received) {
  if (rule.fixed) {
    civil.year = *rule.fixed;
    const auto local = from_civil(civil);
    if (!local) return std::nullopt;
    return zone.to_utc(*local);
  }
  // Leap days are at most eight years apart.
  constexpr int years_back = 8;
  const int present = to_civil(zone.to_local(received)).year;
  for (int year = present + 1; year >= present - years_back; --year) {
    civil.year = year;
    const auto local = from_civil(civil);
    if (!local) continue;
    const Timestamp at = zone.to_utc(*local);
    if (at <= received + day) return at;
  }
  return std::nullopt;
}

unsigned month_number(std::string_view name) {
  constexpr std::string_view names = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (name.size() != 3) return 0;
  for (unsigned month = 0; month < 12; ++month) {
    if (names.substr(std::size_t{month} * 3, 3) == name) return month + 1;
  }
  return 0;
}

}  // namespace mailwarden::ingest
