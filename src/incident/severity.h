// How bad an incident is, from what is known about its impact.
//
// What     A SeverityTable declares facts and rows; classify() gives the worst row whose conditions
//          all hold, with the facts that made them hold. It is read from policies/severity.yaml:
//
//            incidents_from: medium      # detections below this level are kept without an incident
//            facts:
//              data_compromised: {kind: truth, meaning: confidential data was read by a stranger}
//              services: {kind: words, words: [none, degraded, down, all_down], meaning: ...}
//              hosts_affected: {kind: count, meaning: ...}
//            rows:
//              - {name: widespread virus, severity: 2, all_of: {malware: true, hosts_affected: 3}}
//            service_levels:             # counted from when the incident got its severity
//              - {severity: 2, acknowledge: 30m, contain: 4h, resolve: 3d}
//
// Owns     Its content.
// Threads  A SeverityTable never changes after parse(); classify() is pure.
// Errors   parse() reports every mistake in one Error{invalid}, each with file and line.
// Limits   rows_max rows.
// Source   Severity 0 to 3 as defined by the security policy (claim W16).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "detect/detection.h"

namespace mailwarden::incident {

enum class Severity : std::uint8_t { low = 0, medium = 1, high = 2, extreme = 3 };
std::string_view to_string(Severity severity);  // "Low"

// Impact facts by name: counts as they are, truths as 1, words as their place in the list. What
// nobody has asserted is absent, which is not the same as 0.
using Facts = std::map<std::string, std::int64_t, std::less<>>;

struct FactKind {
  enum class Kind { truth, count, words };
  Kind kind = Kind::truth;
  std::vector<std::string> words;
  std::string meaning;
};

// Holds when the fact is known and is at least `at_least`. There is no "at most": a growing fact
// can then only raise a severity, never lower it.
struct Condition {
  std::string fact;
  std::int64_t at_least = 1;
};

struct Row {
  std::string name;
  Severity severity = Severity::low;
  std::vector<Condition> all_of;
};

// How long each may take from when an incident got its severity; 0 where nothing is promised.
struct ServiceLevel {
  Duration acknowledge{};
  Duration contain{};
  Duration resolve{};

  bool operator==(const ServiceLevel&) const = default;
};
struct Promise {
  std::string_view name;
  Duration ServiceLevel::* time;
};
inline constexpr std::array promises{Promise{"acknowledge", &ServiceLevel::acknowledge},
                                     Promise{"contain", &ServiceLevel::contain},
                                     Promise{"resolve", &ServiceLevel::resolve}};

struct Classification {
  Severity severity = Severity::low;
  std::string row;                   // empty where no row held
  std::vector<std::string> because;  // the facts the row rested on: "hosts_affected=3"

  bool operator==(const Classification&) const = default;
};

class SeverityTable {
 public:
  static constexpr std::size_t rows_max = 1000;

  static Result<SeverityTable> parse(std::string_view yaml, const std::string& file);

  // Worst first, else in the order of the file.
  const std::vector<Row>& rows() const { return rows_; }
  const std::map<std::string, FactKind, std::less<>>& facts() const { return facts_; }
  detect::Level incidents_from() const { return incidents_from_; }
  const ServiceLevel& service_level(Severity severity) const {
    return service_levels_[static_cast<std::size_t>(severity)];
  }

  // "services=down", "hosts_affected=3", "malware".
  std::string to_words(std::string_view fact, std::int64_t worth) const;
  // A fact's worth out of a person's or a rule's words; invalid where there is no such fact or
  // worth.
  Result<std::int64_t> read_worth(std::string_view fact, std::string_view text) const;

 private:
  std::vector<Row> rows_;
  std::map<std::string, FactKind, std::less<>> facts_;
  detect::Level incidents_from_ = detect::Level::medium;
  std::array<ServiceLevel, 4> service_levels_;
};

Classification classify(const SeverityTable& table, const Facts& facts);

}  // namespace mailwarden::incident
