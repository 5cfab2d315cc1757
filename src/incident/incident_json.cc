#include "incident/incident_json.h"

#include <algorithm>

#include "incident/incident.h"

namespace mailwarden::incident {
namespace {

json::Object deadlines_json(const Incident& incident) {
  json::Object deadlines;
  for (const auto& [name, deadline] : incident.deadlines) {
    deadlines[name] = json::Object{{"due", to_rfc3339(deadline.due)}, {"missed", deadline.missed}};
  }
  return deadlines;
}

// What people do about it.
void add_work(const Incident& incident, json::Object& object) {
  json::Object duties;
  for (const auto& [name, duty] : incident.duties) duties[name] = to_json(duty);
  json::Array evidence;
  for (const Evidence& one : incident.evidence) evidence.push_back(to_json(one));
  json::Object roles;
  for (const auto& [role, person] : incident.roles) roles[role] = person;
  json::Array tasks;
  for (const Task& task : incident.tasks) tasks.push_back(to_json(task));
  object["duties"] = std::move(duties);
  object["evidence"] = std::move(evidence);
  object["remarks"] = to_json(incident.remarks);
  object["roles"] = std::move(roles);
  object["split_from"] = incident.split_from;
  object["tasks"] = std::move(tasks);
  object["type"] = incident.type;
}

// What its detections have in common, and what they share with others.
void add_grouping(const Incident& incident, json::Object& object) {
  const auto entities = [](const auto& list) {
    json::Array all;
    for (const detect::Entity& one : list) all.emplace_back(entity_json(one));
    return all;
  };
  json::Array related;
  for (const auto& [number, why] : incident.related) {
    related.emplace_back(json::Object{{"number", number}, {"why", why}});
  }
  object["gathered"] = json::Array(incident.gathered.begin(), incident.gathered.end());
  object["named"] = entities(incident.named);
  object["narrowed"] = entities(incident.narrowed);
  object["related"] = std::move(related);
}

std::vector<std::string> texts(const json::Value& list) {
  std::vector<std::string> found;
  if (const auto* items = list.as_array()) {
    for (const json::Value& item : *items) {
      if (const auto* text = item.as_string()) found.push_back(*text);
    }
  }
  return found;
}

detect::Entity entity_of(const json::Value& entity) {
  return {entity.text("kind"), entity.text("name")};
}

void read_deadlines(const json::Value& body, Incident& incident) {
  if (const auto* deadlines = body["deadlines"].as_object()) {
    for (const auto& [name, deadline] : *deadlines) {
      incident.deadlines[name] = {.due = time_of(deadline, "due"),
                                  .missed = deadline["missed"] == json::Value(true)};
    }
  }
}

std::set<std::int64_t> numbers_in(const json::Value& list) {
  std::set<std::int64_t> numbers;
  if (const auto* all = list.as_array()) {
    for (const json::Value& one : *all) {
      if (const auto* number = one.as_integer()) numbers.insert(*number);
    }
  }
  return numbers;
}

std::vector<detect::Entity> entities_in(const json::Value& list) {
  std::vector<detect::Entity> entities;
  if (const auto* all = list.as_array()) {
    for (const json::Value& one : *all) entities.push_back(entity_of(one));
  }
  return entities;
}

void read_merges(const json::Value& body, Incident& incident) {
  incident.absorbed = numbers_in(body["absorbed"]);
  const auto others = entities_in(body["others"]);
  incident.others.insert(others.begin(), others.end());
}

void read_grouping(const json::Value& body, Incident& incident) {
  incident.gathered = numbers_in(body["gathered"]);
  const auto named = entities_in(body["named"]);
  incident.named.insert(named.begin(), named.end());
  incident.narrowed = entities_in(body["narrowed"]);
  if (const auto* related = body["related"].as_array()) {
    for (const json::Value& one : *related) {
      incident.related[one.integer("number")] = one.text("why");
    }
  }
}

void read_facts(const json::Value& body, Incident& incident) {
  if (const auto* facts = body["facts"].as_object()) {
    for (const auto& [name, worth] : *facts) {
      if (const auto* value = worth.as_integer()) incident.facts[name] = *value;
    }
  }
}

void read_work(const json::Value& body, Incident& incident) {
  if (const auto* tasks = body["tasks"].as_array()) {
    for (const json::Value& task : *tasks) incident.tasks.push_back(task_from_json(task));
  }
  if (const auto* evidence = body["evidence"].as_array()) {
    for (const json::Value& one : *evidence) incident.evidence.push_back(evidence_from_json(one));
  }
  if (const auto* roles = body["roles"].as_object()) {
    for (const auto& [role, person] : *roles) {
      if (const auto* name = person.as_string()) incident.roles[role] = *name;
    }
  }
  if (const auto* duties = body["duties"].as_object()) {
    for (const auto& [name, duty] : *duties) incident.duties[name] = duty_from_json(duty);
  }
  incident.remarks = remarks_from_json(body["remarks"]);
}

}  // namespace

Timestamp time_of(const json::Value& object, std::string_view name) {
  return parse_rfc3339(object.text(name)).value_or(Timestamp());
}

json::Object facts_json(const Facts& facts) {
  json::Object object;
  for (const auto& [name, worth] : facts) object[name] = worth;
  return object;
}

json::Object entity_json(const detect::Entity& entity) {
  return {{"kind", entity.kind}, {"name", entity.name}};
}

json::Object to_json(const Incident& incident) {
  json::Array absorbed(incident.absorbed.begin(), incident.absorbed.end());
  json::Array others;
  for (const detect::Entity& other : incident.others) others.push_back(entity_json(other));
  json::Array because(incident.because.begin(), incident.because.end());
  json::Array rules(incident.rules.begin(), incident.rules.end());
  json::Object object{{"absorbed", std::move(absorbed)},
                      {"acknowledged", time_json(incident.acknowledged)},
                      {"acknowledged_by", incident.acknowledged_by},
                      {"assignee", incident.assignee},
                      {"because", std::move(because)},
                      {"changed", to_rfc3339(incident.changed)},
                      {"changes_count", incident.changes},
                      {"contained", time_json(incident.contained)},
                      {"deadlines", deadlines_json(incident)},
                      {"detection_count", incident.detections},
                      {"entity", entity_json(incident.entity)},
                      {"facts", facts_json(incident.facts)},
                      {"first_event", to_rfc3339(incident.first_event)},
                      {"graded", time_json(incident.graded)},
                      {"last_event", to_rfc3339(incident.last_event)},
                      {"level", detect::to_string(incident.level)},
                      {"merged_into", incident.merged_into},
                      {"number", incident.number},
                      {"opened", to_rfc3339(incident.opened)},
                      {"others", std::move(others)},
                      {"overruled", static_cast<int>(incident.overruled)},
                      {"resolved", time_json(incident.resolved)},
                      {"row", incident.row},
                      {"rules", std::move(rules)},
                      {"severity", static_cast<int>(incident.severity)},
                      {"severity_word", to_string(incident.severity)},
                      {"state", to_string(incident.state)},
                      {"title", incident.title}};
  add_work(incident, object);
  add_grouping(incident, object);
  return object;
}

Result<Incident> incident_from_json(std::int64_t number, const json::Value& body) {
  const auto state = parse_state(body.text("state"));
  const auto opened = parse_rfc3339(body.text("opened"));
  const auto changed = parse_rfc3339(body.text("changed"));
  const auto first = parse_rfc3339(body.text("first_event"));
  const auto last = parse_rfc3339(body.text("last_event"));
  const std::int64_t severity = body.integer("severity", -1);
  const bool graded = severity >= 0 && severity <= static_cast<std::int64_t>(Severity::extreme);
  if (!state || !opened || !changed || !first || !last || !graded) {
    return fail(Code::corrupt, "the stored incident " + std::to_string(number) + " is damaged");
  }
  Incident incident{
      .number = number,
      .title = body.text("title"),
      .entity = entity_of(body["entity"]),
      .state = *state,
      .severity = static_cast<Severity>(severity),
      .overruled = static_cast<Severity>(std::clamp<std::int64_t>(body.integer("overruled"), 0, 3)),
      .row = body.text("row"),
      .because = texts(body["because"]),
      .opened = *opened,
      .changed = *changed,
      .first_event = *first,
      .last_event = *last,
      .detections = body.integer("detection_count"),
      .assignee = body.text("assignee"),
      .changes = body.integer("changes_count"),
      .graded = time_of(body, "graded"),
      .acknowledged = time_of(body, "acknowledged"),
      .acknowledged_by = body.text("acknowledged_by"),
      .contained = time_of(body, "contained"),
      .resolved = time_of(body, "resolved"),
      .merged_into = body.integer("merged_into"),
      .split_from = body.integer("split_from"),
      .type = body.text("type")};
  read_deadlines(body, incident);
  read_merges(body, incident);
  read_facts(body, incident);
  read_work(body, incident);
  read_grouping(body, incident);
  for (std::string& rule : texts(body["rules"])) incident.rules.insert(std::move(rule));
  if (const auto level = detect::parse_level(body.text("level"))) incident.level = *level;
  return incident;
}

}  // namespace mailwarden::incident
