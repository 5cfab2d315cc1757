#include "alert/routes.h"

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "alert/chain_checks.h"
#include "alert/particulars.h"
#include "base/check.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "json/yaml_reader.h"

namespace mailwarden::alert {
namespace {

using yaml::Node;

std::string listed(std::span<const std::string_view> words) {
  std::string list;
  for (const std::string_view word : words) list += (list.empty() ? "" : ", ") + std::string(word);
  return list;
}

// What a route takes and how it groups that, but not when or to whom it is told: groups outlive a
// change of those.
std::string id_of(const Node& node, std::span<const Route> before) {
  json::Object says;
  for (const char* const name : {"changes", "group_by", "severity_from", "signals", "types"}) {
    if (const Node* const part = node.find(name); part != nullptr)
      says[name] = yaml::to_json(*part);
  }
  constexpr std::size_t digits = 12;
  const std::string id = crypto::to_hex(crypto::sha256(json::to_text(says))).substr(0, digits);
  const auto same =
      std::ranges::count_if(before, [&](const Route& route) { return route.id.starts_with(id); });
  return same == 0 ? id : id + "." + std::to_string(same);
}

Route read_route(yaml::Reader& reader, const Node& node, std::span<const Route> before) {
  Route route;
  if (!reader.is_map(node, "a route",
                     {"changes", "severity_from", "types", "signals", "times", "group_by", "wait",
                      "interval", "repeat", "to"})) {
    return route;
  }
  route.id = id_of(node, before);
  route.terms = read_terms(reader, node);
  if (route.terms.takes_signals &&
      (node.find("changes") != nullptr || node.find("severity_from") != nullptr ||
       node.find("types") != nullptr)) {
    reader.mistake(node, "a route takes 'changes' of incidents or 'signals', not both");
  }
  const std::vector<std::string> changes =
      route.terms.takes_signals ? std::vector<std::string>() : reader.texts(node, "changes");
  for (const std::string& change : changes) {
    if (std::ranges::find(incident::change_kinds, change) == incident::change_kinds.end()) {
      reader.mistake(*node.find("changes"), "'" + printable(change) +
                                                "' is no kind of change; there are " +
                                                listed(incident::change_kinds));
    }
    route.changes.insert(change);
  }
  route.severity_from =
      static_cast<incident::Severity>(reader.integer(node, "severity_from", 0, 3, 0));
  const std::vector<std::string> types = reader.texts_if_any(node, "types");
  route.types = {types.begin(), types.end()};
  route.where = reader.file() + ", " + node.where();
  route.to = reader.texts(node, "to");
  return route;
}

// `chains` is null where they are not known.
void check_chain(yaml::Reader& reader, const Node& node, const Route& route,
                 const EscalationChains* chains, const std::string& name) {
  const std::string chain = name.substr(escalation_prefix.size());
  if (chains != nullptr && chains->find(chain) == nullptr) {
    reader.mistake(node, "there is no chain '" + printable(chain) + "' in escalations.yaml");
  }
  if (route.terms.takes_signals) {
    reader.mistake(node,
                   "an escalation is of an incident; 'incidents' says which signals open one");
  } else if (route.terms.hours) {
    reader.mistake(node, "an escalation begins at any time; who is called when, on_call.yaml says");
  }
  if (route.changes.contains("escalation_exhausted")) {
    reader.mistake(node,
                   "'escalation_exhausted' goes to receivers, not to an escalation, which "
                   "would never end");
  }
}

void check_told(yaml::Reader& reader, const Node& node, const Routes& routes,
                const OnCallSchedules* on_call, const EscalationChains* chains) {
  const Route& route = routes.routes().back();
  for (const std::string& name : route.to) {
    if (name.starts_with(escalation_prefix)) {
      check_chain(reader, node, route, chains, name);
    } else if (std::string why = cannot_be_told(routes, on_call, name); !why.empty()) {
      reader.mistake(node, why);
    }
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

void tell(const Routes& routes, const std::string& name, Timestamp when, std::vector<Told>& told) {
  if (name.starts_with(escalation_prefix)) return;
  if (!name.starts_with(on_call_prefix)) {
    told_by(told, name);
  } else if (const std::string schedule = name.substr(on_call_prefix.size());
             routes.on_call().find(schedule) != nullptr) {
    call(routes.on_call(), schedule, when, told);
  }
}

std::string subject_of(const incident::Incident& incident) {
  return "[severity " + severity_words(incident.severity) + "] incident " +
         std::to_string(incident.number) + ": " + incident.title + ", " +
         (incident.entity.name.empty() ? "nobody named" : incident.entity.name);
}

std::string news_of(const incident::Change& change) {
  if (change.kind == "deadline_missed") return "; late: " + change.why;
  return change.kind == "escalation_exhausted" ? "; unanswered: " + change.why : "";
}

json::Object cloud_event(const std::string& key, const std::string& type, Timestamp time,
                         const std::string& origin, const incident::Incident& incident,
                         json::Object data) {
  json::Object about = incident::to_json(incident);
  // Whoever is told reads up who else is named, where that is kept.
  about.erase("named");
  about.erase("gathered");
  data["incident"] = std::move(about);
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

std::string key_of(const std::string& origin, const std::string& cause,
                   const std::string& receiver) {
  return plain_name(origin + "." + cause + "." + receiver);
}

std::string severity_words(incident::Severity severity) {
  return std::to_string(static_cast<int>(severity)) + " " +
         std::string(incident::to_string(severity));
}

Labels labels_of(const incident::Incident& incident, const std::string& change) {
  std::string rules;
  for (const std::string& rule : incident.rules) rules += (rules.empty() ? "" : ",") + rule;
  return {{"alertname", incident.title},
          {"change", change},
          {"entity", incident.entity.name},
          {"entity_kind", incident.entity.kind},
          {"incident", std::to_string(incident.number)},
          {"rule", rules},
          {"severity", std::to_string(static_cast<int>(incident.severity))},
          {"type", incident.type}};
}

Result<Routes> Routes::parse(std::string_view text, const std::string& file,
                             const std::string& folder, std::optional<OnCallSchedules> on_call,
                             std::optional<EscalationChains> chains) {
  yaml::Reader reader(file);
  Routes routes;
  const auto documents = reader.documents(text);
  if (documents.size() == 1 &&
      reader.is_map(documents[0], "the file",
                    {"console", "receivers", "routes", "inhibit", "incidents", "storm"})) {
    routes.receivers_ = read_receivers(reader, documents[0], folder);
    if (const Node* list = reader.sequence(documents[0], "routes"); list != nullptr) {
      for (const Node& node : list->items) {
        routes.routes_.push_back(read_route(reader, node, routes.routes_));
        check_told(reader, node, routes, on_call ? &*on_call : nullptr,
                   chains ? &*chains : nullptr);
      }
    }
    routes.terms_ = read_file_terms(reader, documents[0]);
    if (routes.receivers_.size() > receivers_max || routes.routes_.size() > routes_max) {
      reader.mistake(documents[0], "too many receivers or routes");
    }
  } else if (documents.size() != 1 && reader.mistakes().empty()) {
    return fail(Code::invalid, file + ": must hold one document with 'receivers' and 'routes'");
  }
  std::string mistakes = reader.all_mistakes();
  if (on_call) mistakes += unreachable(*on_call, routes, file, mistakes.empty() ? "" : "\n");
  if (chains) {
    mistakes += chain_mistakes(*chains, routes, on_call ? &*on_call : nullptr,
                               mistakes.empty() ? "" : "\n");
  }
  if (!mistakes.empty()) return fail(Code::invalid, std::move(mistakes));
  if (chains) routes.chains_ = *std::move(chains);
  if (on_call) routes.on_call_ = *std::move(on_call);
  return routes;
}

const Receiver* Routes::find(std::string_view name) const {
  const auto found = std::ranges::find(receivers_, name, &Receiver::name);
  return found == receivers_.end() ? nullptr : &*found;
}

const Route* Routes::find_route(std::string_view id) const {
  const auto found = std::ranges::find(routes_, id, &Route::id);
  return found == routes_.end() ? nullptr : &*found;
}

std::vector<std::string> unknown_types(const Routes& routes, const incident::Procedure& procedure) {
  std::vector<std::string> sentences;
  for (const Route& route : routes.routes()) {
    for (const std::string& type : route.types) {
      if (procedure.find_type(type) != nullptr) continue;
      sentences.push_back(route.where + ": there is no type '" + printable(type) +
                          "' in incidents.yaml");
    }
  }
  return sentences;
}

std::vector<Told> told(const Routes& routes, const std::vector<std::string>& to, Timestamp when) {
  std::vector<Told> told;
  std::set<std::string> named;
  for (const std::string& name : to) {
    if (!named.insert(name).second) continue;
    tell(routes, name, when, told);
  }
  return told;
}

std::vector<Alert> route(const Routes& routes, const incident::Change& change,
                         const incident::Incident& incident, const std::string& origin) {
  std::vector<Told> all;
  std::set<std::string> named;
  std::map<std::string, std::string> first;  // route of each
  for (const Route& route : routes.routes()) {
    const bool at_once =
        !route.terms.grouping && route.takes(change.kind, incident.severity, &incident.type);
    if (!at_once || (route.terms.hours && !route.terms.hours->hold(change.when))) continue;
    for (const std::string& name : route.to) {
      if (named.insert(name).second) tell(routes, name, change.when, all);
    }
    for (const Told& one : all) first.try_emplace(one.receiver, route.id);
  }
  std::vector<Alert> alerts;
  for (Told& one : all) {
    const std::string cause =
        "incident-" + std::to_string(change.incident) + "-" + std::to_string(change.sequence);
    Alert alert{.key = key_of(origin, cause, one.receiver),
                .receiver = one.receiver,
                .incident = change.incident,
                .time = change.when,
                .subject = subject_of(incident) + news_of(change),
                .event = {},
                .route = first[one.receiver]};
    json::Object data{{"change", incident::to_record(change)}};
    if (!one.on_call.empty()) data["on_call"] = std::move(one.on_call);
    alert.event = cloud_event(alert.key, "mailwarden.incident." + change.kind, change.when, origin,
                              incident, std::move(data));
    alerts.push_back(std::move(alert));
  }
  return alerts;
}

std::vector<Alert> summon(const Routes& routes, const Summons& summons,
                          const incident::Incident& incident, const std::string& origin) {
  std::vector<Told> told;
  for (const std::string& name : summons.to) tell(routes, name, summons.when, told);
  std::vector<Alert> alerts;
  for (Told& one : told) {
    Alert alert{.key = key_of(origin, summons.cause, one.receiver),
                .receiver = one.receiver,
                .incident = incident.number,
                .time = summons.when,
                .subject = subject_of(incident) + summons.subject};
    json::Object data = summons.data;
    if (!one.on_call.empty()) data["on_call"] = std::move(one.on_call);
    alert.event =
        cloud_event(alert.key, summons.type, summons.when, origin, incident, std::move(data));
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

Alert test_alert(const std::string& receiver, const std::string& origin, Timestamp now) {
  Alert alert{.key = key_of(origin, "test-" + std::to_string(now.us), receiver),
              .receiver = receiver,
              .incident = 0,
              .time = now,
              .subject = "a test of the receiver " + receiver + "; nothing is wrong"};
  alert.event = {{"specversion", "1.0"},
                 {"id", alert.key},
                 {"source", "mailwarden/" + origin},
                 {"type", "mailwarden.test"},
                 {"subject", "test"},
                 {"time", to_rfc3339(now)},
                 {"datacontenttype", "application/json"},
                 {"data", json::Object{{"text", alert.subject + "\n"}}}};
  return alert;
}

}  // namespace mailwarden::alert
