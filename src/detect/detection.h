// A rule that held for an event, or for several together.
//
// What     Detection is what matching and correlation give out: which rule, on which event, because
//          of which fields, about whom, and what it means for the incident (facts).
// Owns     Its content.
// Threads  Values.
// Errors   None.
// Limits   Explanations and contributing events are cut at `because_max` and `events_max`.
// Source   Sigma 2.1.0: level, tags, correlation group-by.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/timestamp.h"
#include "event/event.h"

namespace mailwarden::detect {

enum class Level : std::uint8_t { informational, low, medium, high, critical };
std::string_view to_string(Level level);
std::optional<Level> parse_level(std::string_view text);

// Who or what a detection is about; incidents are grouped by it. `kind` is one of address, account,
// host, resource, service, campaign; empty where the rule names nobody.
struct Entity {
  std::string kind;
  std::string name;

  auto operator<=>(const Entity&) const = default;
};

// One reason: this selection of the rule held, on this field with this value.
struct Because {
  std::string selection;
  std::string field;  // empty for a keyword, which is searched in the whole event
  std::string value;

  bool operator==(const Because&) const = default;
};

struct Detection {
  static constexpr std::size_t because_max = 16;
  static constexpr std::size_t events_max = 64;
  static constexpr std::size_t also_bytes_max = 512;  // of a name; longer ones are no one's

  std::string rule_id;  // the rule's `id`, or its `name`, or its file's name
  std::string title;
  std::string rule_file;     // where the rule stands
  std::string rule_version;  // SHA-256 of that file's text, in hex
  Level level = Level::medium;
  std::vector<std::string> tags;
  EventId event;   // the event that completed it
  Timestamp time;  // that event's time
  Entity entity;
  // Accounts, addresses, hosts and campaigns that the event names besides; of a correlation, what
  // its events have in common. Incidents are linked by them.
  std::vector<Entity> also;
  std::vector<Because> because;
  // For a correlation: the events that counted, oldest first, and how many there were in all.
  std::vector<EventId> events;
  std::int64_t count = 1;
  // What the rule asserts about the impact, for policies/severity.yaml.
  std::map<std::string, std::int64_t> facts;
  // Event fields that correlations over this rule group by; not part of what is reported.
  std::vector<std::pair<std::string, std::string>> values;
  // Held only because a correlation needs it; never reported by itself.
  bool silent = false;

  bool operator==(const Detection&) const = default;
};

}  // namespace mailwarden::detect
