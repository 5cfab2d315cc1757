// What escalations say: to those who are told, in the ledger, in the store.
#include <algorithm>
#include <array>

#include "alert/chain_checks.h"
#include "alert/escalation.h"

namespace mailwarden::alert {
namespace {

using State = Escalation::State;
using MoveKind = EscalationMove::Kind;

constexpr std::array states{std::pair{State::running, std::string_view("running")},
                            std::pair{State::ended, std::string_view("ended")},
                            std::pair{State::exhausted, std::string_view("exhausted")},
                            std::pair{State::passed_over, std::string_view("passed_over")}};

constexpr std::array move_kinds{std::pair{MoveKind::begun, std::string_view("begun")},
                                std::pair{MoveKind::reached, std::string_view("reached")},
                                std::pair{MoveKind::ended, std::string_view("ended")},
                                std::pair{MoveKind::exhausted, std::string_view("exhausted")},
                                std::pair{MoveKind::passed_over, std::string_view("passed_over")}};

std::string time_text(Timestamp time) {
  return time == Timestamp() ? std::string() : to_rfc3339(time);
}

std::optional<Timestamp> stored_time(const json::Value& of, std::string_view name) {
  const std::string text = of.text(name);
  if (text.empty()) return Timestamp();
  const auto parsed = parse_rfc3339(text);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

std::int64_t seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

json::Array names_json(const std::vector<std::string>& names) {
  return {names.begin(), names.end()};
}

json::Array steps_json(const Escalation& escalation) {
  json::Array steps;
  for (const EscalationStep& step : escalation.steps) {
    steps.emplace_back(json::Object{{"due", to_rfc3339(step.due)},
                                    {"severity_from", static_cast<int>(step.severity_from)},
                                    {"to", names_json(step.to)}});
  }
  return steps;
}

json::Value next_json(const Escalation& escalation) {
  const bool comes =
      escalation.state == State::running && escalation.next < escalation.steps.size();
  if (!comes) return {};
  return json::Object{{"due", to_rfc3339(next_due(escalation))},
                      {"round", escalation.round + 1},
                      {"step", escalation.next + 1},
                      {"to", names_json(escalation.steps[escalation.next].to)}};
}

std::optional<EscalationStep> read_step(const json::Value& value) {
  const auto due = parse_rfc3339(value.text("due"));
  const std::int64_t severity = value.integer("severity_from", -1);
  const auto* const to = value["to"].as_array();
  if (!due || to == nullptr || severity < 0 || severity > 3) return std::nullopt;
  EscalationStep step{
      .due = *due, .to = {}, .severity_from = static_cast<incident::Severity>(severity)};
  for (const json::Value& name : *to) {
    if (name.as_string() == nullptr) return std::nullopt;
    step.to.push_back(*name.as_string());
  }
  return step;
}

// A place behind the end would never come.
bool is_possible(const Escalation& escalation) {
  using Limits = EscalationLimits;
  return escalation.repeat >= 0 && escalation.repeat <= Limits::repeat_max &&
         escalation.round >= 0 && escalation.round <= escalation.repeat &&
         escalation.repeat_after >= Duration(0) &&
         escalation.repeat_after <= Limits::after_max + Limits::repeat_after_last_step &&
         escalation.steps.size() <= Limits::steps_max && escalation.next <= escalation.steps.size();
}

// "escalation security, step 2 of 3, round 1 of 2"
std::string place_of(const EscalationMove& move) {
  const Escalation& of = move.escalation;
  std::string words = "escalation " + of.chain + ", step " + std::to_string(move.step + 1) +
                      " of " + std::to_string(of.steps.size());
  if (of.repeat > 0) {
    words += ", round " + std::to_string(move.round + 1) + " of " + std::to_string(of.repeat + 1);
  }
  return words;
}

bool is_grave_enough(const EscalationMove& move, const incident::Incident& incident) {
  return incident.severity >= move.escalation.steps[move.step].severity_from;
}

}  // namespace

std::string_view to_string(State state) {
  return std::ranges::find(states, state, [](const auto& s) { return s.first; })->second;
}

std::optional<State> parse_escalation_state(std::string_view text) {
  const auto* const found = std::ranges::find(states, text, [](const auto& s) { return s.second; });
  return found == states.end() ? std::nullopt : std::optional(found->first);
}

std::string_view to_string(MoveKind kind) {
  return std::ranges::find(move_kinds, kind, [](const auto& k) { return k.first; })->second;
}

json::Object to_json(const Escalation& escalation) {
  return {{"began", time_text(escalation.began)},
          {"begin", escalation.begin},
          {"cause", escalation.cause},
          {"chain", escalation.chain},
          {"ended", time_text(escalation.ended)},
          {"incident", escalation.incident},
          {"next", next_json(escalation)},
          {"next_step", escalation.next + 1},
          {"reached", time_text(escalation.reached)},
          {"repeat", escalation.repeat},
          {"repeat_after_seconds", seconds(escalation.repeat_after)},
          {"round", escalation.round + 1},
          {"severity", static_cast<int>(escalation.severity)},
          {"state", to_string(escalation.state)},
          {"steps", steps_json(escalation)},
          {"until", to_string(escalation.until)},
          {"why", escalation.why}};
}

std::optional<Escalation> escalation_from_json(const json::Value& value) {
  const auto state = parse_escalation_state(value.text("state"));
  const auto began = stored_time(value, "began");
  const auto ended = stored_time(value, "ended");
  const auto reached = stored_time(value, "reached");
  const std::int64_t severity = value.integer("severity", -1);
  Until until = Until::acknowledged;
  const bool is_whole = state && began && ended && reached && severity >= 0 && severity <= 3 &&
                        parse_until(value.text("until"), until);
  if (!is_whole) return std::nullopt;
  Escalation escalation{.incident = value.integer("incident"),
                        .chain = value.text("chain"),
                        .state = *state,
                        .begin = value.integer("begin"),
                        .severity = static_cast<incident::Severity>(severity),
                        .until = until,
                        .began = *began,
                        .cause = value.text("cause"),
                        .steps = {},
                        .repeat = value.integer("repeat"),
                        .repeat_after = std::chrono::seconds(value.integer("repeat_after_seconds")),
                        .round = value.integer("round") - 1,
                        .next = static_cast<std::size_t>(value.integer("next_step") - 1),
                        .reached = *reached,
                        .ended = *ended,
                        .why = value.text("why")};
  if (const auto* const steps = value["steps"].as_array()) {
    for (const json::Value& one : *steps) {
      auto step = read_step(one);
      if (!step) return std::nullopt;
      escalation.steps.push_back(*std::move(step));
    }
  }
  return is_possible(escalation) ? std::optional(std::move(escalation)) : std::nullopt;
}

std::vector<Alert> escalation_alerts(const Routes& routes, const EscalationMove& move,
                                     const incident::Incident& incident,
                                     const std::string& origin) {
  if (!is_grave_enough(move, incident)) return {};
  const Escalation& of = move.escalation;
  json::Object told{{"began", to_rfc3339(of.began)},
                    {"begin", of.begin},
                    {"cause", of.cause},
                    {"chain", of.chain},
                    {"due", to_rfc3339(move.due)},
                    {"round", move.round + 1},
                    {"rounds", of.repeat + 1},
                    {"step", move.step + 1},
                    {"steps", of.steps.size()},
                    {"until", to_string(of.until)}};
  if (move.rounds_left_out > 0) told["rounds_left_out"] = move.rounds_left_out;
  // The key's last three numbers are these; what stands before them is the chain.
  return summon(routes,
                {.to = of.steps[move.step].to,
                 .cause = "escalation-" + std::to_string(of.incident) + "-" + of.chain + "-" +
                          std::to_string(of.begin) + "-" + std::to_string(move.round + 1) + "-" +
                          std::to_string(move.step + 1),
                 .type = "mailwarden.incident.escalated",
                 .subject = "; not " + std::string(to_string(of.until)) + ": " + place_of(move),
                 .data = {{"escalation", std::move(told)}},
                 .when = move.when},
                incident, origin);
}

std::string untold(const Routes& routes, const EscalationMove& move,
                   const incident::Incident& incident) {
  const EscalationStep& step = move.escalation.steps[move.step];
  if (!is_grave_enough(move, incident)) {
    return "the incident has severity " + std::to_string(static_cast<int>(incident.severity)) +
           ", the step is for " + std::to_string(static_cast<int>(step.severity_from)) + " or more";
  }
  std::string sentences;
  for (const std::string& name : step.to) {
    const std::string why = cannot_be_told(routes, &routes.on_call(), name);
    if (!why.empty()) sentences += (sentences.empty() ? "" : "; ") + why;
  }
  return sentences;
}

json::Object to_record(const EscalationMove& move, const std::vector<Alert>& alerts,
                       const std::string& untold) {
  const Escalation& of = move.escalation;
  json::Object record{{"begin", of.begin},
                      {"chain", of.chain},
                      {"incident", of.incident},
                      {"what", to_string(move.kind)},
                      {"when", to_rfc3339(move.when)}};
  if (move.kind == MoveKind::begun) {
    record["cause"] = of.cause;
    record["due"] = to_rfc3339(next_due(of));
  } else if (move.kind == MoveKind::reached) {
    json::Array receivers;
    for (const Alert& alert : alerts) receivers.emplace_back(alert.receiver);
    record["due"] = to_rfc3339(move.due);
    record["receivers"] = std::move(receivers);
    record["round"] = move.round + 1;
    record["step"] = move.step + 1;
    if (move.rounds_left_out > 0) record["rounds_left_out"] = move.rounds_left_out;
    if (!untold.empty()) record["untold"] = untold;
  } else {
    record["why"] = of.why;
  }
  return record;
}

}  // namespace mailwarden::alert
