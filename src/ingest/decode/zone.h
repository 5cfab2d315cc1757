// The local time of a log, made into a moment.
//
// What     A Zone is the list of offsets from UTC that a place of the IANA time zone database has
//          had, read once; to_utc() is then arithmetic. Where a local time happened twice (clocks
//          set back) it is the earlier of the two moments. Where it never happened (clocks set
//          forward) it is read with the offset that holds after the gap, again the earlier of both
//          readings. What is due at local times reads them in another way, which keeps their order
//          (to_steady(), first_at()): at the first moment at which the clock shows that or more.
// Owns     Its list.
// Threads  Values; to_utc() and to_local() are pure.
// Errors   make(): Error{not_found} for a name that the database does not have.
// Limits   Offsets are known from 1900 to 2200; before and after, the nearest known one holds.
// Source   IANA time zone database, by Howard Hinnant's date library.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"

namespace mailwarden::ingest {

class Zone {
 public:
  // UTC.
  Zone() = default;
  static Result<Zone> make(std::string_view name);

  // `local` is a wall clock's time, counted as if it were UTC.
  Timestamp to_utc(Timestamp local) const;
  Timestamp to_local(Timestamp at) const;

  // A wall clock that never goes back: to_local(), but while it shows once more what it has shown
  // already, the latest of that.
  Timestamp to_steady(Timestamp at) const;
  // The first moment at which to_steady() is `local` or, where clocks were set forward over that,
  // more. So to_steady(at) >= local says the same as at >= first_at(local), and what is due later
  // by the wall clock never comes first.
  Timestamp first_at(Timestamp local) const;

 private:
  struct Span {
    std::int64_t begin_us = 0;
    std::int64_t offset_us = 0;
  };

  const Span& span_at(std::int64_t us) const;
  // The first span that is not over so long before `us` that no offset reaches from it to there.
  std::size_t reaching(std::int64_t us) const;

  std::vector<Span> spans_{Span{.begin_us = INT64_MIN, .offset_us = 0}};
};

// Which year a time stamp without one belongs to.
struct YearRule {
  // Nothing: the year that puts the time nearest to the moment of reading and at most one day after
  // it. That is right for a log read within the year it was written in.
  std::optional<int> fixed;
};

// Nothing where no year fits: 29 February under a fixed year that has none, or a month and day that
// the calendar does not know. `civil.year` is ignored.
std::optional<Timestamp> without_year(Civil civil, const YearRule& rule, const Zone& zone,
                                      Timestamp received);

// "Jan" to "Dec" as 1 to 12, or 0.
unsigned month_number(std::string_view three_letters);

}  // namespace mailwarden::ingest
