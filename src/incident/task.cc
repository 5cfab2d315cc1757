#include "incident/task.h"

#include <algorithm>

#include "incident/incident_json.h"

namespace mailwarden::incident {
namespace {

constexpr std::array<std::string_view, 5> phases{"analysis", "containment", "eradication",
                                                 "recovery", "improvement"};
constexpr std::array<std::string_view, 3> task_states{"open", "done", "dropped"};
constexpr std::array<std::string_view, 3> duty_states{"pending", "met", "waived"};

template <class State, std::size_t count>
State state_of(const std::array<std::string_view, count>& names, const std::string& name) {
  const auto* const found = std::ranges::find(names, name);
  return static_cast<State>(found == names.end() ? 0 : found - names.begin());
}

json::Object to_json(const Notice& notice) {
  return {{"how", notice.how},       {"is_last", notice.is_last}, {"sent", to_rfc3339(notice.sent)},
          {"sha256", notice.sha256}, {"to", notice.to},           {"who", notice.who}};
}

Notice notice_from_json(const json::Value& value) {
  return {.sent = time_of(value, "sent"),
          .to = value.text("to"),
          .how = value.text("how"),
          .sha256 = value.text("sha256"),
          .is_last = value["is_last"] == json::Value(true),
          .who = value.text("who")};
}

}  // namespace

std::string time_json(Timestamp time) {
  return time == Timestamp() ? std::string() : to_rfc3339(time);
}

std::string_view to_string(Phase phase) {
  return phases[static_cast<std::size_t>(phase)];
}

std::optional<Phase> parse_phase(std::string_view text) {
  const auto* const found = std::ranges::find(phases, text);
  if (found == phases.end()) return std::nullopt;
  return static_cast<Phase>(found - phases.begin());
}

std::string phase_names() {
  std::string names;
  for (const std::string_view phase : phases) {
    names += (names.empty() ? "" : ", ") + std::string(phase);
  }
  return names;
}

std::string_view to_string(Task::State state) {
  return task_states[static_cast<std::size_t>(state)];
}

json::Object to_json(const Task& task) {
  return {{"due", time_json(task.due)},     {"ended", time_json(task.ended)},
          {"ended_by", task.ended_by},      {"missed", task.missed},
          {"number", task.number},          {"owner", task.owner},
          {"phase", to_string(task.phase)}, {"result", task.result},
          {"state", to_string(task.state)}, {"title", task.title}};
}

Task task_from_json(const json::Value& value) {
  return {.number = value.integer("number"),
          .phase = state_of<Phase>(phases, value.text("phase")),
          .title = value.text("title"),
          .owner = value.text("owner"),
          .due = time_of(value, "due"),
          .missed = value["missed"] == json::Value(true),
          .state = state_of<Task::State>(task_states, value.text("state")),
          .result = value.text("result"),
          .ended_by = value.text("ended_by"),
          .ended = time_of(value, "ended")};
}

json::Object to_json(const Remarks& remarks) {
  json::Object object;
  for (const auto& [part, of_part] : remarks) {
    json::Array list;
    for (const Remark& remark : of_part) {
      list.push_back(json::Object{
          {"text", remark.text}, {"when", to_rfc3339(remark.when)}, {"who", remark.who}});
    }
    object[part] = std::move(list);
  }
  return object;
}

Remarks remarks_from_json(const json::Value& value) {
  Remarks remarks;
  if (value.as_object() == nullptr) return remarks;
  for (const auto& [part, of_part] : *value.as_object()) {
    if (of_part.as_array() == nullptr) continue;
    for (const json::Value& remark : *of_part.as_array()) {
      remarks[part].push_back({.text = remark.text("text"),
                               .who = remark.text("who"),
                               .when = time_of(remark, "when")});
    }
  }
  return remarks;
}

json::Object to_json(const Evidence& evidence) {
  json::Array custody;
  for (const Handover& one : evidence.custody) {
    custody.push_back(json::Object{
        {"from", one.from}, {"to", one.to}, {"when", to_rfc3339(one.when)}, {"why", one.why}});
  }
  return {{"bytes", evidence.bytes},
          {"custody", std::move(custody)},
          {"holder", evidence.holder},
          {"name", evidence.name},
          {"number", evidence.number},
          {"sha256", evidence.sha256},
          {"taken", to_rfc3339(evidence.taken)},
          {"taken_by", evidence.taken_by},
          {"where", evidence.where}};
}

Evidence evidence_from_json(const json::Value& value) {
  Evidence evidence{.number = value.integer("number"),
                    .name = value.text("name"),
                    .sha256 = value.text("sha256"),
                    .bytes = value.integer("bytes"),
                    .where = value.text("where"),
                    .taken = time_of(value, "taken"),
                    .taken_by = value.text("taken_by"),
                    .holder = value.text("holder")};
  if (const auto* custody = value["custody"].as_array(); custody != nullptr) {
    for (const json::Value& one : *custody) {
      evidence.custody.push_back({.from = one.text("from"),
                                  .to = one.text("to"),
                                  .when = time_of(one, "when"),
                                  .why = one.text("why")});
    }
  }
  return evidence;
}

std::string_view to_string(Duty::State state) {
  return duty_states[static_cast<std::size_t>(state)];
}

json::Object to_json(const Duty& duty) {
  json::Array notices;
  for (const Notice& notice : duty.notices) notices.push_back(to_json(notice));
  return {{"aware", to_rfc3339(duty.aware)}, {"due", to_rfc3339(duty.due)},
          {"missed", duty.missed},           {"notices", std::move(notices)},
          {"state", to_string(duty.state)},  {"why", duty.why}};
}

Duty duty_from_json(const json::Value& value) {
  Duty duty{.aware = time_of(value, "aware"),
            .due = time_of(value, "due"),
            .missed = value["missed"] == json::Value(true),
            .state = state_of<Duty::State>(duty_states, value.text("state")),
            .why = value.text("why")};
  if (const auto* notices = value["notices"].as_array(); notices != nullptr) {
    for (const json::Value& notice : *notices) duty.notices.push_back(notice_from_json(notice));
  }
  return duty;
}

}  // namespace mailwarden::incident
