// What becomes one incident: rules by which detections are gathered, counted and linked.
//
// What     A Grouping is read from policies/grouping.yaml:
//
//            within: 4h                  # how near to an open incident a detection must lie
//            at_once: {level: critical, severity: 3}   # what never waits
//            rules:                      # the first that fits a detection is the one
//              - name: sign_ins_refused
//                for: {levels: [low], tags: [attack.t1110]}
//                by: [address]           # those that name the same are one incident
//                within: 1h
//                threshold: 5            # an incident only after so many within that time
//                distinct: account       # of so many different accounts, instead
//            links:                      # every one that fits
//              - name: same_account
//                by: [account]
//                within: 1d
//                then: relate            # or join: the detection becomes part of that incident
//                incidents_max: 3        # one that more of them name says nothing
//            shared: ["address:10.*", "account:root"]  # whom many use, by which nothing is linked
//
//          `for` takes rules (ids or names), tags, levels, types (of incidents.yaml, which the
//          facts of the detection give) and about (kinds of what it is about); one of each list
//          that is there must fit. `by` takes kinds of entities, rule, and about.
//          Without the file detections are gathered by what they are about.
// Owns     Its content.
// Threads  Never changes after parse().
// Errors   parse() reports every mistake in one Error{invalid}, each with file and line.
// Limits   GroupingLimits.
// Source   Issues of Keep that ask for "an incident only after N" (keep#2776, keep#4318).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "detect/detection.h"
#include "incident/procedure.h"
#include "incident/severity.h"

namespace mailwarden::incident {

struct GroupingLimits {
  static constexpr std::size_t rules_max = 100;
  static constexpr std::size_t links_max = 50;
  static constexpr std::size_t shared_max = 1000;
  static constexpr std::int64_t threshold_max = 100;
  static constexpr std::int64_t incidents_max = 20;
  static constexpr Duration within_max = std::chrono::days(7);
};

// Of each list that is not empty, one must fit.
struct DetectionFilter {
  std::set<std::string> rules;  // ids
  std::vector<std::string> tags;
  std::vector<detect::Level> levels;
  std::vector<std::string> types;
  std::vector<std::string> about;  // kinds

  bool operator==(const DetectionFilter&) const = default;
};

// What detections of one incident have in common, in the order of `by`.
using GroupKey = std::vector<detect::Entity>;

struct GroupingRule {
  std::string name;
  DetectionFilter filter;
  std::vector<std::string> by;
  Duration within{};
  std::int64_t threshold = 1;
  std::string distinct;  // a kind; "" where detections are counted

  bool operator==(const GroupingRule&) const = default;
};

struct LinkRule {
  enum class Then : std::uint8_t { relate, join };
  std::string name;
  DetectionFilter filter;
  std::vector<std::string> by;
  Duration within{};
  Then then = Then::relate;
  std::int64_t incidents_max = 3;
};

// By what the names in the file are checked; what is not there is not.
struct GroupingNames {
  const Procedure* procedure = nullptr;
  const std::map<std::string, std::string, std::less<>>* rules = nullptr;  // to their ids
};

class Grouping {
 public:
  // By what detections are about, within four hours.
  Grouping() = default;
  static Result<Grouping> parse(std::string_view yaml, const std::string& file,
                                const GroupingNames& names);

  Duration within() const { return within_; }
  const std::vector<GroupingRule>& rules() const { return rules_; }
  const std::vector<LinkRule>& links() const { return links_; }

  // The rule of a detection whose facts give that type of incident; null where none fits.
  const GroupingRule* rule_for(const detect::Detection& detection, std::string_view type) const;
  bool cannot_wait(detect::Level level, Severity severity) const;
  // Whether many use it, so that it links nothing.
  bool is_shared(const detect::Entity& entity) const;

 private:
  Duration within_ = std::chrono::hours(4);
  detect::Level at_once_level_ = detect::Level::critical;
  Severity at_once_severity_ = Severity::extreme;
  std::vector<GroupingRule> rules_;
  std::vector<LinkRule> links_;
  std::set<detect::Entity> shared_;
  std::vector<detect::Entity> shared_beginnings_;  // names that begin so
};

// Of each fact the greatest worth that is known.
void merge_facts(Facts& facts, const detect::Detection& detection);
bool fits(const DetectionFilter& filter, const detect::Detection& detection, std::string_view type);
// What a detection is about; its rule, where that names nobody, so that it does not open an
// incident a line.
detect::Entity subject_of(const detect::Detection& detection);
// All that it names, what it is about first.
std::vector<detect::Entity> entities_of(const detect::Detection& detection);
// Of the first entity of that kind; "" where it names none.
std::string name_of(const detect::Detection& detection, std::string_view kind);
// Nothing where the detection does not name them all.
std::optional<GroupKey> key_of(const std::vector<std::string>& by,
                               const detect::Detection& detection);

}  // namespace mailwarden::incident
