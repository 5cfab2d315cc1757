#include "alert/routes.h"

#include <algorithm>
#include <array>

#include "alert/particulars.h"
#include "base/check.h"
#include "base/text.h"
#include "json/yaml_reader.h"

namespace mailwarden::alert {
namespace {

using yaml::Node;

constexpr std::array change_kinds{"opened",        "rule_joined",     "detections_doubled",
                                  "facts_changed", "severity_raised", "severity_lowered",
                                  "state_changed", "acknowledged",    "deadline_missed",
                                  "absorbed",      "assigned",        "noted"};

std::string listed(std::span<const char* const> words) {
  std::string list;
  for (const char* const word : words) list += (list.empty() ? "" : ", ") + std::string(word);
  return list;
}

Route read_route(yaml::Reader& reader, const Node& node) {
  Route route;
  if (!reader.is_map(node, "a route", {"changes", "severity_from", "to"})) return route;
  for (const std::string& change : reader.texts(node, "changes")) {
    if (std::ranges::find(change_kinds, change) == change_kinds.end()) {
      reader.mistake(
          *node.find("changes"),
          "'" + printable(change) + "' is no kind of change; there are " + listed(change_kinds));
    }
    route.changes.insert(change);
  }
  route.severity_from =
      static_cast<incident::Severity>(reader.integer(node, "severity_from", 0, 3, 0));
  route.to = reader.texts(node, "to");
  return route;
}

// `on_call` is null where it is not known.
void check_told(yaml::Reader& reader, const Node& node, const Routes& routes,
                const OnCallSchedules* on_call, const std::string& name) {
  if (!name.starts_with(on_call_prefix)) {
    if (routes.find(name) == nullptr) {
      reader.mistake(node, "there is no receiver '" + printable(name) + "'");
    }
    return;
  }
  const std::string schedule = name.substr(on_call_prefix.size());
  if (on_call != nullptr && on_call->find(schedule) == nullptr) {
    reader.mistake(node, "there is no schedule '" + printable(schedule) + "' in on_call.yaml");
  }
}

// Receivers by which somebody is to be reached and that are not there: a sentence a line.
std::string unreachable(const OnCallSchedules& on_call, const Routes& routes,
                        const std::string& file, std::string separator) {
  std::string sentences;
  for (const Contact& person : on_call.people()) {
    for (const std::string& name : person.receivers) {
      if (routes.find(name) != nullptr) continue;
      sentences +=
          separator + person.where + ": there is no receiver '" + printable(name) + "' in " + file;
      separator = "\n";
    }
  }
  return sentences;
}

std::string key_of(const std::string& origin, const std::string& cause,
                   const std::string& receiver) {
  return plain_name(origin + "." + cause + "." + receiver);
}

// A receiver of a change, and the shifts because of which it is one.
struct Told {
  std::string receiver;
  json::Array on_call;
};

Told& told_by(std::vector<Told>& told, const std::string& receiver) {
  const auto found = std::ranges::find(told, receiver, &Told::receiver);
  return found != told.end() ? *found
                             : told.emplace_back(Told{.receiver = receiver, .on_call = {}});
}

// parse() has seen to it that schedule and person are there.
void call(const OnCallSchedules& schedules, const std::string& name, Timestamp when,
          std::vector<Told>& told) {
  const Schedule* const schedule = schedules.find(name);
  CHECK(schedule != nullptr);
  const Shift shift = on_call(*schedule, when);
  const Contact* const person = schedules.find_person(shift.person);
  CHECK(person != nullptr);
  for (const std::string& receiver : person->receivers) {
    told_by(told, receiver).on_call.emplace_back(to_json(shift));
  }
}

std::string severity_words(incident::Severity severity) {
  return std::to_string(static_cast<int>(severity)) + " " +
         std::string(incident::to_string(severity));
}

json::Object cloud_event(const std::string& key, const std::string& type, Timestamp time,
                         const std::string& origin, const incident::Incident& incident,
                         json::Object data) {
  data["incident"] = incident::to_json(incident);
  return {{"specversion", "1.0"},
          {"id", key},
          {"source", "mailwarden/" + origin},
          {"type", type},
          {"subject", "incident/" + std::to_string(incident.number)},
          {"time", to_rfc3339(time)},
          {"datacontenttype", "application/json"},
          {"data", std::move(data)}};
}

}  // namespace

Result<Routes> Routes::parse(std::string_view text, const std::string& file,
                             const std::string& folder, std::optional<OnCallSchedules> on_call) {
  yaml::Reader reader(file);
  Routes routes;
  const auto documents = reader.documents(text);
  if (documents.size() == 1 &&
      reader.is_map(documents[0], "the file", {"console", "receivers", "routes"})) {
    routes.receivers_ = read_receivers(reader, documents[0], folder);
    if (const Node* list = reader.sequence(documents[0], "routes"); list != nullptr) {
      for (const Node& node : list->items) {
        routes.routes_.push_back(read_route(reader, node));
        for (const std::string& name : routes.routes_.back().to) {
          check_told(reader, node, routes, on_call ? &*on_call : nullptr, name);
        }
      }
    }
    if (routes.receivers_.size() > receivers_max || routes.routes_.size() > routes_max) {
      reader.mistake(documents[0], "too many receivers or routes");
    }
  } else if (documents.size() != 1 && reader.mistakes().empty()) {
    return fail(Code::invalid, file + ": must hold one document with 'receivers' and 'routes'");
  }
  std::string mistakes = reader.all_mistakes();
  if (on_call) mistakes += unreachable(*on_call, routes, file, mistakes.empty() ? "" : "\n");
  if (!mistakes.empty()) return fail(Code::invalid, std::move(mistakes));
  if (on_call) routes.on_call_ = *std::move(on_call);
  return routes;
}

const Receiver* Routes::find(std::string_view name) const {
  const auto found = std::ranges::find(receivers_, name, &Receiver::name);
  return found == receivers_.end() ? nullptr : &*found;
}

std::vector<Alert> route(const Routes& routes, const incident::Change& change,
                         const incident::Incident& incident, const std::string& origin) {
  std::vector<Told> told;
  std::set<std::string> named;
  for (const Route& route : routes.routes()) {
    if (!route.changes.contains(change.kind) || incident.severity < route.severity_from) continue;
    for (const std::string& name : route.to) {
      if (!named.insert(name).second) continue;
      if (name.starts_with(on_call_prefix)) {
        call(routes.on_call(), name.substr(on_call_prefix.size()), change.when, told);
      } else {
        told_by(told, name);
      }
    }
  }
  std::vector<Alert> alerts;
  for (Told& one : told) {
    const std::string cause =
        "incident-" + std::to_string(change.incident) + "-" + std::to_string(change.sequence);
    Alert alert{.key = key_of(origin, cause, one.receiver),
                .receiver = one.receiver,
                .incident = change.incident,
                .time = change.when,
                .subject = "[severity " + severity_words(incident.severity) + "] incident " +
                           std::to_string(incident.number) + ": " + incident.title + ", " +
                           (incident.entity.name.empty() ? "nobody named" : incident.entity.name) +
                           (change.kind == "deadline_missed" ? "; late: " + change.why : "")};
    json::Object data{{"change", incident::to_record(change)}};
    if (!one.on_call.empty()) data["on_call"] = std::move(one.on_call);
    alert.event = cloud_event(alert.key, "mailwarden.incident." + change.kind, change.when, origin,
                              incident, std::move(data));
    alerts.push_back(std::move(alert));
  }
  return alerts;
}

Alert notice(const std::string& receiver, const std::string& text, const std::string& cause,
             const incident::Incident& incident, const std::string& origin, Timestamp now) {
  Alert alert{.key = key_of(origin, cause, receiver),
              .receiver = receiver,
              .incident = incident.number,
              .time = now,
              .subject = "[severity " + severity_words(incident.severity) + "] incident " +
                         std::to_string(incident.number) + ": " + text};
  alert.event =
      cloud_event(alert.key, "mailwarden.playbook.notice", now, origin, incident, {{"text", text}});
  return alert;
}

Alert checkpoint_alert(const std::string& receiver, const ledger::Checkpoint& checkpoint,
                       const std::string& note, Timestamp now) {
  const std::string size = std::to_string(checkpoint.size);
  const std::string cause = "checkpoint-" + size;
  Alert alert{.key = key_of(checkpoint.origin, cause, receiver),
              .receiver = receiver,
              .incident = 0,
              .time = now,
              .subject = "checkpoint of " + checkpoint.origin + " at size " + size};
  alert.event = {{"specversion", "1.0"},
                 {"id", alert.key},
                 {"source", "mailwarden/" + checkpoint.origin},
                 {"type", checkpoint_type},
                 {"subject", "checkpoint/" + size},
                 {"time", to_rfc3339(now)},
                 {"datacontenttype", "application/json"},
                 {"data", json::Object{{"note", note},
                                       {"origin", checkpoint.origin},
                                       {"size", static_cast<std::int64_t>(checkpoint.size)}}}};
  return alert;
}

}  // namespace mailwarden::alert
