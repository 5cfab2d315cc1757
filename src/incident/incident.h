// Incidents: what happened to whom, how bad it is, and what has been done about it.
//
// What     An IncidentBook holds the incidents that are not over. A detection joins the open
//          incident of its entity when their events lie within the grouping window, else it opens
//          one. Every step of an incident's life is a Change. The book decides in memory and in
//          order; what it decided is stored by incident_table.h.
// Owns     Its incidents.
// Threads  One, the core's.
// Errors   act(): not_found, conflict (a step that its state does not allow), denied (what only a
//          person with a reason may do), invalid.
// Limits   BookOptions; an incident's changes by detections grow with the logarithm of their
//          number.
// Source   NIST SP 800-61r3 for the states; claims W13, W14, W16, W17, W18.
//
// States and the ways between them:
//   detected → analysing → contained → eradicating → recovering → post_incident → closed
//   Nothing skips the analysis, and closing follows post_incident; between those a later state may
//   be reached over any that lie between, and from each of contained to
//   recovering an incident may fall back to analysing. dismissed and merged are ends that every
//   open state may take. What is over stays over; a new detection opens a new incident.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "detect/detection.h"
#include "incident/severity.h"
#include "json/value.h"

namespace mailwarden::incident {

enum class State : std::uint8_t {
  detected,
  analysing,
  contained,
  eradicating,
  recovering,
  post_incident,
  closed,
  dismissed,
  merged
};
std::string_view to_string(State state);
std::optional<State> parse_state(std::string_view text);
bool is_over(State state);  // closed, dismissed or merged
bool may_follow(State from, State to);

struct Incident {
  std::int64_t number = 0;                             // from 1
  std::string title;                                   // of the gravest rule so far
  detect::Level level = detect::Level::informational;  // of that rule
  detect::Entity entity;
  State state = State::detected;
  Severity severity = Severity::low;
  // What the facts gave when a person lowered the severity; only more than that raises it again.
  Severity overruled = Severity::low;
  std::string row;                   // of the severity table
  std::vector<std::string> because;  // the facts it rests on
  Facts facts;
  Timestamp opened;  // by the clock
  Timestamp changed;
  Timestamp first_event;  // by the events
  Timestamp last_event;
  std::int64_t detections = 0;
  std::set<std::string> rules;  // ids
  std::string assignee;
  std::int64_t changes = 0;  // sequence of the last change

  bool operator==(const Incident&) const = default;
};

struct Change {
  std::int64_t incident = 0;
  std::int64_t sequence = 0;  // from 1 within the incident
  Timestamp when;
  // opened, rule_joined, detections_doubled, facts_changed, severity_raised, severity_lowered,
  // state_changed, assigned, noted
  std::string kind;
  json::Object before;
  json::Object after;
  std::string why;
  std::string who;  // "mailwarden" or a person
};

// What a person does.
struct Act {
  enum class Kind { move, assign, assert_fact, lower_severity, note };
  Kind kind = Kind::note;
  std::int64_t incident = 0;
  std::string value;  // the state, the assignee, "fact=worth", the severity's number; "" for a note
  std::string why;
  std::string who;
};

struct BookOptions {
  Duration window = std::chrono::hours(4);
  std::size_t reason_bytes_max = 4096;
};

class IncidentBook {
 public:
  // `incidents`: those that are not over; `last_number`: the greatest ever given.
  IncidentBook(std::vector<Incident> incidents, std::int64_t last_number,
               const BookOptions& options = {});

  struct Applied {
    std::int64_t incident = 0;  // 0: too low a level to open one
    std::vector<Change> changes;
  };
  Applied apply(const detect::Detection& detection, const SeverityTable& table, Timestamp now);
  Result<std::vector<Change>> act(const Act& act, const SeverityTable& table, Timestamp now);

  // Open, or over since this process started; nothing else.
  const Incident* find(std::int64_t number) const;

 private:
  Incident* find_open(const detect::Detection& detection, const detect::Entity& entity);
  Change& add(std::vector<Change>& changes, Incident& incident, Timestamp now, std::string kind,
              std::string why);
  void reclassify(std::vector<Change>& changes, Incident& incident, const SeverityTable& table,
                  Timestamp now);
  void take_facts(std::vector<Change>& changes, Incident& incident, const Facts& facts,
                  const SeverityTable& table, Timestamp now, const std::string& why);
  Result<void> move(std::vector<Change>& changes, Incident& incident, const Act& act,
                    Timestamp now);

  BookOptions options_;
  std::map<std::int64_t, Incident> incidents_;
  std::map<detect::Entity, std::set<std::int64_t>> by_entity_;  // open ones
  std::int64_t last_number_;
};

json::Object to_record(const Change& change);
json::Object to_json(const Incident& incident);

}  // namespace mailwarden::incident
