#include "incident/notice.h"

#include <algorithm>

#include "base/text.h"
#include "incident/incident_json.h"
#include "incident/incident_table.h"

namespace mailwarden::incident {
namespace {

constexpr std::string_view follows = "  Not known yet; this follows in a later notice.\n";

// "2026-11-30 14:05 UTC"
std::string when(Timestamp time) {
  const std::string text = to_rfc3339(time);
  return text.substr(0, 10) + " " + text.substr(11, 5) + " UTC";
}

std::string line(std::string_view text) {
  return "  " + printable(text) + "\n";
}

std::string remarks_on(const Incident& incident, std::string_view part) {
  const auto found = incident.remarks.find(part);
  std::string text;
  if (found == incident.remarks.end()) return text;
  for (const Remark& remark : found->second) text += line(remark.text);
  return text;
}

std::string or_follows(std::string text) {
  return text.empty() ? std::string(follows) : text;
}

std::string numbers(const Incident& incident) {
  std::string text;
  const auto tell = [&](std::string_view fact, std::string_view what) {
    const auto found = incident.facts.find(fact);
    if (found == incident.facts.end()) return;
    text += line(std::string(what) + ": about " + std::to_string(found->second));
  };
  tell("subjects_affected", "people whose personal data it concerns");
  tell("accounts_affected", "accounts that it reaches");
  tell("hosts_affected", "hosts that it reaches");
  return text;
}

std::vector<std::string> tasks_done(const Incident& incident) {
  std::vector<std::string> done;
  for (const Task& task : incident.tasks) {
    if (task.state != Task::State::done) continue;
    done.push_back(task.title + " (" + to_rfc3339(task.ended).substr(0, 10) + "): " + task.result);
  }
  return done;
}

}  // namespace

std::string draft_notice(const Incident& incident, const DutyRule& duty, const Procedure& procedure,
                         std::span<const std::string> measures, Timestamp now) {
  const auto clock = incident.duties.find(duty.name);
  const bool runs = clock != incident.duties.end();
  std::string text = "Notice of a personal data breach, to " + duty.to + "\n";
  text += "As " + duty.as + (duty.source.empty() ? "" : ", by " + duty.source) + "\n";
  text += "Our reference: incident " + std::to_string(incident.number) + "; drafted " + when(now) +
          "\n";
  if (runs) {
    const Duty& running = clock->second;
    text += "Known since " + when(running.aware) + "; due by " + when(running.due) + "\n";
    if (now > running.due && running.notices.empty()) {
      text += "This notice is late. The reasons for the delay:\n  (to be told)\n";
    }
    for (const Notice& sent : running.notices) {
      text +=
          "It supplements the notice of " + when(sent.sent) + " to " + printable(sent.to) + "\n";
    }
  }
  text += "\n1. Nature of the breach\n" + line(incident.title);
  text += line("between " + when(incident.first_event) + " and " + when(incident.last_event));
  text += remarks_on(incident, "nature");
  text += "\n   Categories and approximate numbers of people and records\n";
  text += or_follows(numbers(incident) + remarks_on(incident, "data"));
  text += "\n2. Contact for more information\n";
  text += procedure.contact().empty() ? "  (policies/incidents.yaml names no contact)\n"
                                      : line(procedure.contact());
  text += "\n3. Likely consequences\n" + or_follows(remarks_on(incident, "consequences"));
  std::string done = remarks_on(incident, "measures");
  for (const std::string& task : tasks_done(incident)) done += line(task);
  for (const std::string& measure : measures) done += line(measure);
  text += "\n4. Measures taken or proposed\n" + or_follows(std::move(done));
  return text;
}

json::Object register_entry(const Incident& incident) {
  const auto texts = [&](std::string_view part) {
    json::Array list;
    const auto found = incident.remarks.find(part);
    if (found == incident.remarks.end()) return list;
    for (const Remark& remark : found->second) list.emplace_back(remark.text);
    return list;
  };
  json::Array remedies = texts("measures");
  for (std::string& task : tasks_done(incident)) remedies.emplace_back(std::move(task));
  json::Object duties;
  for (const auto& [name, duty] : incident.duties) duties[name] = to_json(duty);
  return {{"consequences", texts("consequences")},
          {"data", texts("data")},
          {"duties", std::move(duties)},
          {"facts", facts_json(incident.facts)},
          {"first_event", to_rfc3339(incident.first_event)},
          {"nature", texts("nature")},
          {"number", incident.number},
          {"opened", to_rfc3339(incident.opened)},
          {"remedies", std::move(remedies)},
          {"severity", static_cast<int>(incident.severity)},
          {"state", to_string(incident.state)},
          {"title", incident.title},
          {"type", incident.type}};
}

Result<json::Array> load_register(db::Database& database) {
  json::Array entries;
  const auto read = for_each_incident(database, [&](const Incident& one) {
    if (!one.duties.empty()) entries.emplace_back(register_entry(one));
  });
  if (!read) return std::unexpected(read.error());
  return entries;
}

}  // namespace mailwarden::incident
