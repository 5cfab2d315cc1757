// What people have to do about an incident, and what they learned from it.
//
// What     A Task is one thing to be done, in one phase of the handling; Remarks are what people
//          wrote for the look back and for notices, by part; Evidence is something that was kept,
//          with its hash and with everybody who has had it; a Duty is one notification that the law
//          or a contract asks for, with its clock and with what was sent because of it.
// Owns     Their content.
// Threads  Values.
// Errors   *_from_json(): what an older version wrote and lacks is left at its default.
// Limits   WorkLimits.
// Source   NIST SP 800-61r3 for the phases; GDPR Articles 33 and 34 for duties; claims W13, W15,
//          W17 and W18.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/timestamp.h"
#include "json/value.h"

namespace mailwarden::incident {

// "" for the epoch, which stands for never.
std::string time_json(Timestamp time);

struct WorkLimits {
  static constexpr std::size_t tasks_max = 200;        // of an incident
  static constexpr std::size_t remarks_max = 100;      // of a part
  static constexpr std::size_t notices_max = 100;      // of a duty
  static constexpr std::size_t evidence_max = 200;     // of an incident
  static constexpr std::size_t handovers_max = 100;    // of a piece of evidence
  static constexpr std::size_t title_bytes_max = 500;  // of a task; of a person's name
};

enum class Phase : std::uint8_t { analysis, containment, eradication, recovery, improvement };
std::string_view to_string(Phase phase);
std::optional<Phase> parse_phase(std::string_view text);
std::string phase_names();  // "analysis, containment, …"

struct Task {
  enum class State : std::uint8_t { open, done, dropped };

  std::int64_t number = 0;  // from 1 within the incident
  Phase phase = Phase::analysis;
  std::string title;
  std::string owner;    // "" for nobody yet
  Timestamp due;        // the epoch for never
  bool missed = false;  // and told
  State state = State::open;
  std::string result;  // what came of it, or why it was dropped
  std::string ended_by;
  Timestamp ended;

  bool operator==(const Task&) const = default;
};
std::string_view to_string(Task::State state);
json::Object to_json(const Task& task);
Task task_from_json(const json::Value& value);

// Who is answerable for what; the names of a closed list.
inline constexpr std::array<std::string_view, 3> role_names{"lead", "communications", "legal"};

struct Remark {
  std::string text;
  std::string who;
  Timestamp when;

  bool operator==(const Remark&) const = default;
};
// What a review consists of, and what a notice says beyond what the record holds by itself.
inline constexpr std::array<std::string_view, 3> review_parts{"causes", "went_well", "lessons"};
inline constexpr std::array<std::string_view, 4> notice_parts{"nature", "data", "consequences",
                                                              "measures"};
using Remarks = std::map<std::string, std::vector<Remark>, std::less<>>;  // by part
json::Object to_json(const Remarks& remarks);
Remarks remarks_from_json(const json::Value& value);

// One step of the custody of a piece of evidence.
struct Handover {
  std::string from;
  std::string to;
  Timestamp when;
  std::string why;

  bool operator==(const Handover&) const = default;
};

struct Evidence {
  std::int64_t number = 0;  // from 1 within the incident
  std::string name;         // what it is
  std::string sha256;       // hex
  std::int64_t bytes = 0;
  std::string where;  // it is kept: a path, a safe
  Timestamp taken;
  std::string taken_by;
  std::string holder;  // who has it now
  std::vector<Handover> custody;

  bool operator==(const Evidence&) const = default;
};
json::Object to_json(const Evidence& evidence);
Evidence evidence_from_json(const json::Value& value);

// Something that was sent because of a duty.
struct Notice {
  Timestamp sent;
  std::string to;
  std::string how;       // "mail", "portal", a reference
  std::string sha256;    // hex, of what was sent
  bool is_last = false;  // false: more follows in phases
  std::string who;

  bool operator==(const Notice&) const = default;
};

struct Duty {
  enum class State : std::uint8_t { pending, met, waived };

  Timestamp aware;  // since when the clock runs
  Timestamp due;
  bool missed = false;  // and told; it stays so when it is met later
  State state = State::pending;
  std::string why;  // why it was waived
  std::vector<Notice> notices;

  bool operator==(const Duty&) const = default;
};
std::string_view to_string(Duty::State state);
json::Object to_json(const Duty& duty);
Duty duty_from_json(const json::Value& value);

}  // namespace mailwarden::incident
