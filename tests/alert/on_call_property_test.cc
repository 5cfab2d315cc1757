// Random schedules against an oracle that goes through them minute by minute. It reads the clock by
// the C library and knows nothing of shifts, weeks or zones beyond what the manual page says.
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <random>

#include <gtest/gtest.h>

#include "alert/on_call.h"

namespace mailwarden::alert {
namespace {

constexpr long day = 24 * 60;
constexpr std::array people{"ada", "ben", "cleo", "dora"};
constexpr std::array weekdays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

// Minutes since 1970-01-01 00:00 that a clock on the wall shows.
long wall_clock(long utc_minute) {
  const std::time_t seconds = utc_minute * 60;
  std::tm shown{};
  ::localtime_r(&seconds, &shown);
  return ::timegm(&shown) / 60;
}

class LocalZone {
 public:
  explicit LocalZone(const char* zone) { set(zone); }
  LocalZone(const LocalZone&) = delete;
  LocalZone& operator=(const LocalZone&) = delete;
  ~LocalZone() { set("UTC"); }

 private:
  static void set(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
};

struct Window {
  std::vector<int> days;  // 0: Monday
  long from = 0;
  long until = 0;
};
struct Turns {
  std::string name;
  std::vector<std::string> people;
  long start = 0;
  long shift = day;
  std::vector<Window> windows;
  bool holidays_only = false;
};
struct Swap {
  std::string person;
  long from = 0;
  long until = 0;
};
struct Feast {
  long first_day = 0;
  long last_day = 0;
  std::string person;
  int layer = -1;
};
struct World {
  std::string zone;
  std::vector<Turns> layers;
  std::vector<Swap> swaps;
  std::vector<Feast> feasts;
};

std::string clock_text(long minute) {
  const std::time_t seconds = minute * 60;
  std::tm shown{};
  ::gmtime_r(&seconds, &shown);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &shown);
  return text;
}

// The oracle, at a minute of a clock that never goes back.
bool is_open(const Turns& turns, long now) {
  if (now < turns.start) return false;
  if (turns.windows.empty()) return true;
  for (const Window& window : turns.windows) {
    for (const long date : {now / day - 1, now / day}) {
      const int weekday = static_cast<int>((date + 3) % 7);  // 1970-01-01 was a Thursday
      if (std::ranges::find(window.days, weekday) == window.days.end()) continue;
      const long begin = date * day + window.from;
      const long end = (window.until > window.from ? date : date + 1) * day + window.until;
      if (begin <= now && now < end) return true;
    }
  }
  return false;
}

std::string turn_of(const Turns& turns, long now) {
  std::size_t whose = 0;
  for (long hand_over = turns.start + turns.shift; hand_over <= now; hand_over += turns.shift) {
    whose = (whose + 1) % turns.people.size();
  }
  return turns.people[whose];
}

std::string oracle(const World& world, long now) {
  for (std::size_t i = world.swaps.size(); i-- > 0;) {
    const Swap& swap = world.swaps[i];
    if (swap.from <= now && now < swap.until) {
      return swap.person + ", override: swap" + std::to_string(i);
    }
  }
  for (std::size_t i = world.feasts.size(); i-- > 0;) {
    const Feast& feast = world.feasts[i];
    if (now / day < feast.first_day || now / day > feast.last_day) continue;
    const std::string name = "holiday 'h" + std::to_string(i) + "'";
    if (feast.layer < 0) return feast.person + ", " + name;
    const Turns& turns = world.layers[static_cast<std::size_t>(feast.layer)];
    if (is_open(turns, now)) {
      return turn_of(turns, now) + ", " + name + ", layer '" + turns.name + "'";
    }
  }
  for (std::size_t i = world.layers.size(); i-- > 0;) {
    const Turns& turns = world.layers[i];
    if (!turns.holidays_only && is_open(turns, now)) {
      return turn_of(turns, now) + ", layer '" + turns.name + "'";
    }
  }
  return "dora, fallback";
}

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  long below(long n) { return static_cast<long>(random_() % static_cast<unsigned long>(n)); }
  bool one_in(long n) { return below(n) == 0; }

  // Whose times lie about that minute of UTC.
  World world(const std::string& zone, long about) {
    World made{.zone = zone};
    const long layers = 1 + below(4);
    for (long i = 0; i < layers; ++i) made.layers.push_back(turns(i, about));
    for (long i = below(4); i > 0; --i) {
      const long from = near(about);
      made.swaps.push_back({person(), from, from + 1 + below(2 * day)});
    }
    for (long i = below(4); i > 0; --i) {
      const long date = about / day - 3 + below(6);
      made.feasts.push_back({date, date + below(2), person(), -1});
      if (one_in(2)) made.feasts.back().layer = static_cast<int>(below(layers));
    }
    for (Turns& turns : made.layers) {
      const auto names = [&](const Feast& feast) {
        return feast.layer >= 0 &&
               made.layers[static_cast<std::size_t>(feast.layer)].name == turns.name;
      };
      turns.holidays_only = one_in(2) && std::ranges::any_of(made.feasts, names);
    }
    return made;
  }

 private:
  std::string person() { return people[static_cast<std::size_t>(below(people.size()))]; }
  // A time of day, often of the hours in which clocks are set.
  long time_of_day() { return one_in(2) ? 60 + 15 * below(10) : 5 * below(day / 5); }
  long near(long about) { return (about / day - 3 + below(6)) * day + time_of_day(); }

  Turns turns(long number, long about) {
    Turns made{.name = "l" + std::to_string(number), .start = near(about) - below(4) * day};
    for (long i = 1 + below(4); i > 0; --i) made.people.push_back(person());
    constexpr std::array<long, 7> lengths{60, 120, 7 * 60, 12 * 60, day, 3 * day, 7 * day};
    made.shift = lengths[static_cast<std::size_t>(below(lengths.size()))];
    for (long i = below(4); i > 0; --i) {
      Window window{.from = time_of_day(), .until = time_of_day()};
      for (int weekday = 0; weekday < 7; ++weekday) {
        if (one_in(2)) window.days.push_back(weekday);
      }
      if (window.days.empty()) window.days.push_back(6);
      made.windows.push_back(window);
    }
    return made;
  }

  std::mt19937 random_;
};

std::string yaml(const World& world) {
  std::string text = "people:\n";
  for (const char* person : people) {
    text += std::string("- {name: ") + person + ", receivers: [spool]}\n";
  }
  text += "schedules:\n- name: s\n  zone: " + world.zone + "\n  fallback: dora\n  layers:\n";
  for (const Turns& turns : world.layers) {
    text += "  - {name: " + turns.name + ", start: " + clock_text(turns.start) +
            ", shift: " + std::to_string(turns.shift / 60) + "h, people: [";
    for (const std::string& person : turns.people) text += person + ", ";
    text += "]";
    if (turns.holidays_only) text += ", holidays_only: true";
    if (!turns.windows.empty()) text += ", restrict: [";
    for (const Window& window : turns.windows) {
      text += "{from: " + clock_text(window.from).substr(11) +
              ", until: " + clock_text(window.until).substr(11) + ", days: [";
      for (const int weekday : window.days) {
        text += std::string(weekdays[static_cast<std::size_t>(weekday)]) + ", ";
      }
      text += "]}, ";
    }
    text += turns.windows.empty() ? "}\n" : "]}\n";
  }
  if (!world.swaps.empty()) text += "  overrides:\n";
  for (std::size_t i = 0; i < world.swaps.size(); ++i) {
    const Swap& swap = world.swaps[i];
    text += "  - {person: " + swap.person + ", from: " + clock_text(swap.from) +
            ", until: " + clock_text(swap.until) + ", reason: swap" + std::to_string(i) + "}\n";
  }
  if (!world.feasts.empty()) text += "  holidays:\n";
  for (std::size_t i = 0; i < world.feasts.size(); ++i) {
    const Feast& feast = world.feasts[i];
    const auto date = [](long of) { return clock_text(of * day).substr(0, 10); };
    text += "  - {name: h" + std::to_string(i) + ", from: " + date(feast.first_day) +
            ", until: " + date(feast.last_day) +
            (feast.layer < 0 ? ", person: " + feast.person
                             : ", layer: l" + std::to_string(feast.layer)) +
            "}\n";
  }
  return text;
}

Timestamp moment(long utc_minute) {
  return Timestamp{} + std::chrono::minutes(utc_minute);
}

// A place, and a moment at which its clocks are set, or none.
struct Turning {
  const char* zone;
  const char* about;
};
class Agreement : public testing::TestWithParam<Turning> {};

TEST_P(Agreement, EveryMinuteHasOneAnswerUntilItChanges) {
  constexpr long span = 4 * day;
  constexpr unsigned worlds = 25;
  const LocalZone zone(GetParam().zone);
  const long about = parse_rfc3339(GetParam().about)->us / 60'000'000;
  for (unsigned seed = 0; seed < worlds; ++seed) {
    Generator generator(seed);
    const World world = generator.world(GetParam().zone, about);
    const std::string text = yaml(world);
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + text);
    const auto parsed = OnCallSchedules::parse(text, "f.yaml", moment(about));
    ASSERT_TRUE(parsed) << parsed.error().what;
    const Schedule& schedule = parsed->schedules().front();

    const long begin = about - span / 2 + generator.below(60);
    const long end = begin + span;
    const auto found = shifts(schedule, moment(begin), moment(end), 100'000);
    ASSERT_FALSE(found.empty());
    ASSERT_EQ(found.front().from, moment(begin));
    ASSERT_EQ(found.back().until, moment(end));
    std::size_t i = 0;
    long shown = 0;
    std::string before;
    for (long minute = begin - 2 * day; minute < end; ++minute) {
      shown = std::max(shown, wall_clock(minute));
      if (minute < begin) continue;
      const std::string expected = oracle(world, shown);
      if (minute > begin && moment(minute) == found[i].until) {
        ASSERT_NE(expected, before) << "nothing changes at " << to_rfc3339(moment(minute));
        ASSERT_LT(++i, found.size());
        ASSERT_EQ(found[i].from, moment(minute));
      }
      ASSERT_EQ(found[i].person + ", " + describe(found[i]), expected)
          << to_rfc3339(moment(minute)) << ", " << clock_text(shown);
      before = expected;
      // Asked anywhere, it says the same and the same end.
      if (!generator.one_in(40)) continue;
      const Shift asked = on_call(schedule, moment(minute) + std::chrono::seconds(59));
      ASSERT_EQ(describe(asked), describe(found[i]));
      ASSERT_EQ(std::min(asked.until.value_or(moment(end)), moment(end)), found[i].until);
    }
    ASSERT_EQ(i + 1, found.size());
  }
}

INSTANTIATE_TEST_SUITE_P(OnCall, Agreement,
                         testing::Values(Turning{"Europe/Berlin", "2026-03-29T01:00:00Z"},
                                         Turning{"Europe/Berlin", "2026-10-25T01:00:00Z"},
                                         Turning{"America/New_York", "2026-03-08T07:00:00Z"},
                                         Turning{"America/New_York", "2026-11-01T06:00:00Z"},
                                         Turning{"Australia/Lord_Howe", "2026-04-04T15:00:00Z"},
                                         Turning{"Australia/Lord_Howe", "2026-10-03T15:30:00Z"},
                                         Turning{"Pacific/Apia", "2011-12-30T10:00:00Z"},
                                         Turning{"Asia/Kolkata", "2026-12-31T18:30:00Z"},
                                         Turning{"UTC", "2028-02-29T00:00:00Z"}));

}  // namespace
}  // namespace mailwarden::alert
