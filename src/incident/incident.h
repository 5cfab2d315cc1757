// Incidents: what happened to whom, how bad it is, and what has been done about it.
//
// What     An IncidentBook holds the incidents that are not over. A detection joins the open
//          incident of its entity when their events lie within the grouping window, else it opens
//          one. Rules (grouping.h) say otherwise by what they are gathered, after how many an
//          incident is opened, until when they wait (waiting.h), and which open incidents are
//          related, or joined, because they name the same account, address, host or campaign.
//          Every step of an incident's life is a Change. The book decides in memory and in
//          order; what it decided is stored by incident_table.h.
//          Deadlines follow from the service level of its severity. They stand as times in the
//          incident, so that neither a restart nor another policy moves them; tick() tells those
//          that were missed, each once.
//          A Procedure (procedure.h) gives an incident its type with the tasks of its analysis, and
//          the duties to notify somebody. Nothing closes while a task or a duty is open.
// Owns     Its incidents.
// Threads  One, the core's.
// Errors   act(): not_found, conflict (a step that its state does not allow), denied (what only a
//          person with a reason may do), invalid.
// Limits   BookOptions, WaitingRoom, named_max and those beside it; an incident's changes by
//          detections grow with the logarithm of their number.
// Source   NIST SP 800-61r3 for the states; claims W13, W14, W16, W17, W18.
//
// States and the ways between them:
//   detected → analysing → contained → eradicating → recovering → post_incident → closed
//   Nothing skips the analysis, and closing follows post_incident; between those a later state may
//   be reached over any that lie between, and from each of contained to
//   recovering an incident may fall back to analysing. dismissed and merged are ends that every
//   open state may take, the latter by the act that names the incident to merge into; what comes
//   later for its entity joins that one. What is over stays over; a new detection opens a new
//   incident.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "detect/detection.h"
#include "incident/grouping.h"
#include "incident/procedure.h"
#include "incident/severity.h"
#include "incident/task.h"
#include "incident/waiting.h"
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

// What a service level promised. Its name is "acknowledge", "contain" or "resolve".
struct Deadline {
  Timestamp due;
  bool missed = false;  // and told; it stays so when it is met later

  bool operator==(const Deadline&) const = default;
};

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
  // When its severity came to be what it is, and since when it is acknowledged (at that severity),
  // contained and resolved; the epoch where it is not.
  Timestamp graded;
  Timestamp acknowledged;
  std::string acknowledged_by;
  Timestamp contained;
  Timestamp resolved;
  std::map<std::string, Deadline, std::less<>> deadlines;
  std::int64_t merged_into = 0;                           // 0: it was not
  std::set<std::int64_t> absorbed;                        // those that were merged into it
  std::set<detect::Entity> others;                        // theirs
  std::int64_t split_from = 0;                            // 0: it was not
  std::string type;                                       // of the procedure; "" for none
  std::map<std::string, std::string, std::less<>> roles;  // to people
  std::vector<Task> tasks;                                // by number
  std::vector<Evidence> evidence;                         // by number
  Remarks remarks;
  std::map<std::string, Duty, std::less<>> duties;
  // What else its detections have in common, where more than `entity`.
  GroupKey narrowed;
  std::set<std::int64_t> gathered;  // numbers of detections that had waited for it
  // Whom its detections name, at most IncidentBook::named_max; kept while it is open.
  std::set<detect::Entity> named;
  std::map<std::int64_t, std::string> related;  // other incidents, and why

  bool operator==(const Incident&) const = default;
};

struct Change {
  std::int64_t incident = 0;
  std::int64_t sequence = 0;  // from 1 within the incident
  Timestamp when;
  // One of change_kinds.
  std::string kind;
  json::Object before;
  json::Object after;
  std::string why;
  std::string who;  // "mailwarden" or a person
};

// What a person does. In brackets what stands in `value`, behind a semicolon what may stand in
// `with`.
struct Act {
  enum class Kind : std::uint8_t {
    move,            // [the state]
    acknowledge,     // []
    assign,          // [the assignee]
    assert_fact,     // ["fact=worth"]
    lower_severity,  // [the severity's number]
    merge,           // [the number of the incident to merge into]
    split,           // ["kind:name" of one of its entities; facts: names that go with it]
    note,            // []
    set_type,        // [the type]
    assign_role,     // ["role=person", "role=" for nobody any more]
    add_task,        // [what is to be done; phase, owner, due]
    change_task,     // [its number; owner, due]
    end_task,        // [its number; state: done, which stands for nothing given, or dropped]
    remark,          // [the part]: `why` is what is remarked
    tell_aware,      // [the duty; since: the time]: earlier than is known
    send_notice,     // [the duty; to, how, sha256, sent, last: true where nothing follows]
    waive_duty,      // [the duty]
    add_evidence,    // [what it is; sha256, bytes, where]
    hand_over,       // [its number; to, where]
  };
  Kind kind = Kind::note;
  std::int64_t incident = 0;
  std::string value;
  std::string why;
  std::string who;
  std::map<std::string, std::string, std::less<>> with;
};
// "move" and so on; nothing where there is no such act.
std::optional<Act::Kind> parse_act(std::string_view name);
std::string act_names();  // "move, acknowledge, …"

struct BookOptions {
  std::size_t reason_bytes_max = 4096;
};

class IncidentBook {
 public:
  static constexpr std::size_t named_max = 200;
  static constexpr std::size_t related_max = 50;
  static constexpr std::size_t gathered_max = 1000;  // numbers told of detections that had waited
  static constexpr std::size_t others_max = 100;     // by links; merging has no bound

  // `incidents`: those that are not over; `last_number`: the greatest ever given.
  IncidentBook(std::vector<Incident> incidents, std::int64_t last_number,
               const BookOptions& options = {});

  // The types and duties in force from now on. What an incident has got of them stays its own.
  void use(std::shared_ptr<const Procedure> procedure) { procedure_ = std::move(procedure); }

  struct Applied {
    std::int64_t incident = 0;  // 0: too low a level to open one, or it waits
    std::vector<Change> changes;
    std::string waits = {};  // the rule of grouping.yaml by which it does
  };
  // `number` is the detection's; 0 for one that cannot wait, since nobody could find it again.
  Applied apply(const detect::Detection& detection, const SeverityTable& table, Timestamp now,
                std::int64_t number = 0);
  // The rules in force from now on. What waits is judged by them anew.
  std::vector<Change> use(std::shared_ptr<const Grouping> grouping, const SeverityTable& table,
                          Timestamp now);
  // What waited when the last process ended: to be told of before use().
  void resume(std::vector<StoredWaiting> stored);
  std::vector<WaitingMove> take_waiting() { return waiting_.take_moves(); }
  std::size_t waiting() const { return waiting_.size(); }
  // Of whom nothing may wait any more.
  void forget_waiting(const std::function<bool(std::string_view text)>& names) {
    waiting_.forget(names);
  }
  Result<std::vector<Change>> act(const Act& act, const SeverityTable& table, Timestamp now);
  // What has passed by that time without anybody's doing.
  std::vector<Change> tick(Timestamp now);
  // What the daemon itself has to say of an open incident, which must be there.
  Change tell(std::int64_t number, std::string kind, std::string why, json::Object after,
              Timestamp now);

  // Open, or over since this process started; nothing else.
  const Incident* find(std::int64_t number) const;
  const std::map<std::int64_t, Incident>& all() const { return incidents_; }

 private:
  // By what a detection is gathered.
  struct Group {
    std::string_view type;  // of incidents of its facts; "" for none
    const GroupingRule* rule = nullptr;
    GroupKey key;
    Duration within{};  // how near to an open incident it must lie
  };
  Group group_of(const detect::Detection& detection) const;
  Incident* find_open(const detect::Detection& detection, const Group& group);
  bool must_wait(const detect::Detection& detection, const Group& group,
                 const SeverityTable& table) const;
  // `waiting` has waited where it has an end.
  Applied place(Waiting waiting, const SeverityTable& table, Timestamp now);
  Incident& open(Applied& applied, const Waiting& first, const Group& group,
                 const SeverityTable& table, Timestamp now, const std::string& early);
  void join(Applied& applied, Incident& incident, const Waiting& next, const Group& group,
            const SeverityTable& table, Timestamp now);
  // `fresh` are those whom it names from now on.
  using Entities = std::vector<detect::Entity>;
  std::vector<std::int64_t> gather(Incident& incident, const Waiting& with, const Group& group,
                                   Facts& facts, Entities& fresh);
  // incident_links.cc
  void name(Incident& incident, const Entities& entities, Entities& fresh);
  std::vector<std::int64_t> linked(const LinkRule& link, const detect::Entity& entity,
                                   const detect::Detection& detection, std::int64_t besides) const;
  Incident* find_linked(std::vector<Change>& changes, const detect::Detection& detection,
                        const Group& group, Timestamp now);
  void relate(std::vector<Change>& changes, Incident& incident, const detect::Detection& detection,
              std::string_view type, const Entities& fresh, Timestamp now);
  Change& add(std::vector<Change>& changes, Incident& incident, Timestamp now, std::string kind,
              std::string why);
  void reclassify(std::vector<Change>& changes, Incident& incident, const SeverityTable& table,
                  Timestamp now);
  void take_facts(std::vector<Change>& changes, Incident& incident, const Facts& facts,
                  const SeverityTable& table, Timestamp now, const std::string& why);
  void grade(Incident& incident, const SeverityTable& table, Timestamp now);
  void end(Incident& incident, State state);
  Result<void> move(std::vector<Change>& changes, Incident& incident, const Act& act,
                    Timestamp now);
  Result<void> acknowledge(std::vector<Change>& changes, Incident& incident, const Act& act,
                           Timestamp now);
  Result<void> lower(std::vector<Change>& changes, Incident& incident, const Act& act,
                     const SeverityTable& table, Timestamp now);
  Result<void> merge(std::vector<Change>& changes, Incident& incident, const Act& act,
                     const SeverityTable& table, Timestamp now);

  void proceed(std::vector<Change>& changes, Incident& incident, Timestamp now);
  void begin_type(std::vector<Change>& changes, Incident& incident, const IncidentType& type,
                  Timestamp now, const std::string& why);
  Result<void> split(std::vector<Change>& changes, Incident& incident, const Act& act,
                     const SeverityTable& table, Timestamp now);
  void tick_work(std::vector<Change>& changes, Incident& incident, Timestamp now);
  // The acts on what people have to do (incident_work.cc).
  Result<void> work(std::vector<Change>& changes, Incident& incident, const Act& act,
                    Timestamp now);

  BookOptions options_;
  std::shared_ptr<const Procedure> procedure_ = std::make_shared<const Procedure>();
  std::map<std::int64_t, Incident> incidents_;
  std::shared_ptr<const Grouping> grouping_ = std::make_shared<const Grouping>();
  WaitingRoom waiting_;
  std::map<detect::Entity, std::set<std::int64_t>> by_entity_;  // open ones
  std::map<detect::Entity, std::set<std::int64_t>> by_named_;   // open ones, by whom they name
  std::int64_t last_number_;
  Timestamp next_due_;  // no deadline is missed before this
};

inline constexpr auto change_kinds = std::to_array<std::string_view>({"opened",
                                                                      "rule_joined",
                                                                      "detections_doubled",
                                                                      "facts_changed",
                                                                      "severity_raised",
                                                                      "severity_lowered",
                                                                      "state_changed",
                                                                      "acknowledged",
                                                                      "deadline_missed",
                                                                      "absorbed",
                                                                      "gathered",
                                                                      "linked",
                                                                      "related",
                                                                      "split",
                                                                      "assigned",
                                                                      "noted",
                                                                      "typed",
                                                                      "role_assigned",
                                                                      "task_added",
                                                                      "task_changed",
                                                                      "task_ended",
                                                                      "remarked",
                                                                      "duty_begun",
                                                                      "duty_changed",
                                                                      "notice_sent",
                                                                      "duty_waived",
                                                                      "evidence_added",
                                                                      "evidence_handed_over",
                                                                      "escalation_exhausted"});

// Why it cannot be closed yet: a sentence each.
std::vector<std::string> closing_obstacles(const Incident& incident, const Procedure& procedure);

json::Object to_record(const Change& change);
json::Object to_json(const Incident& incident);
// corrupt: it is none.
Result<Incident> incident_from_json(std::int64_t number, const json::Value& body);

}  // namespace mailwarden::incident
