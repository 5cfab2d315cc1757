// What routes.yaml says besides who is told of which changes.
//
// What     Which signals a route takes, when it holds, how it gathers what it takes, which signals
//          open an incident, which keep others quiet, and how many notices are one too many:
//
//            routes:
//              - {changes: [opened], times: {zone: Europe/Berlin, days: [mon, tue], from: 08:00,
//                 until: 18:00}, to: [mail]}
//              - signals: ['severity="page"', 'team=~"mail|db"']   # all of these
//                group_by: [alertname, cluster]
//                wait: 30s         # from the first to the first notification
//                interval: 5m      # between two, where there is news
//                repeat: 4h        # of the same, while it lasts
//                to: [pager]
//            inhibit:
//              - {source: ['severity="critical"'], target: ['severity="warning"'],
//                 equal: [alertname, cluster]}
//            incidents:
//              - {signals: ['severity="critical"'], name: prometheus-critical,
//                 title: "${alertname} on ${instance}", level: high, entity: instance,
//                 entity_kind: host, facts: {services: degraded}}
//            storm: {notices: 20, per: 1m}   # of one route to one receiver
//
//          A route over signals gathers always; one over changes where it has group_by, wait,
//          interval or repeat, and else tells of each change at once.
// Owns     Values.
// Threads  Pure.
// Errors   With the reader, each with file and line.
// Limits   TermLimits.
// Source   Alertmanager's configuration for the names and what is usual.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alert/label_matcher.h"
#include "alert/week_spans.h"
#include "detect/detection.h"
#include "ingest/decode/zone.h"
#include "json/yaml_reader.h"

namespace mailwarden::alert {

struct TermLimits {
  static constexpr std::size_t matchers_max = 64;
  static constexpr std::size_t labels_max = 32;   // of group_by and equal
  static constexpr std::size_t rules_max = 1000;  // of inhibit, and of incidents
  static constexpr std::int64_t notices_max = 100'000;
};

// When a route holds.
struct Hours {
  ingest::Zone zone;
  std::vector<WeekSpan> open;

  bool hold(Timestamp at) const { return is_within(open, zone.to_local(at)); }
};

struct Grouping {
  std::vector<std::string> by;  // labels; none: all in one group
  Duration wait = std::chrono::seconds(30);
  Duration interval = std::chrono::minutes(5);
  Duration repeat = std::chrono::hours(4);
};

// While a source fires, targets that have the same of these labels are not told.
struct Inhibition {
  LabelMatchers source;
  LabelMatchers target;
  std::vector<std::string> equal;
};

// A signal that is a detection.
struct SignalIncident {
  LabelMatchers signals;
  std::string name;
  std::string title;  // ${LABEL} stands for a label
  detect::Level level = detect::Level::high;
  std::string entity;  // the label that names it
  std::string entity_kind;
  std::map<std::string, std::string> facts;  // worths in the words of severity.yaml
  std::string where;                         // "routes.yaml, line 3"
};

struct StormLimit {
  std::int64_t notices = 0;  // 0: there is none
  Duration per = std::chrono::minutes(1);
};

// The terms of one route, and what its node may say besides for them.
struct RouteTerms {
  bool takes_signals = false;
  LabelMatchers signals;
  std::optional<Grouping> grouping;
  std::optional<Hours> hours;
};
RouteTerms read_terms(yaml::Reader& reader, const yaml::Node& route);

// What stands beside the routes.
struct FileTerms {
  std::vector<Inhibition> inhibitions;
  std::vector<SignalIncident> incidents;
  StormLimit storm;
};
FileTerms read_file_terms(yaml::Reader& reader, const yaml::Node& file);

// `${name}` in a text becomes the label; "" where it is not there.
std::string with_labels(std::string_view text, const Labels& labels);

}  // namespace mailwarden::alert
