#include "alert/particulars.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/sha256.h"

namespace mailwarden::alert {
namespace {

constexpr std::string_view source_prefix = "mailwarden/";
constexpr std::string_view change_prefix = "mailwarden.incident.";

std::string one_line(std::string_view text) {
  std::string line = to_utf8(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return line;
}

std::string bounded_key(std::string_view text) {
  const std::string key = plain_name(text);
  return key.size() <= key_bytes_max ? key : crypto::to_hex(crypto::sha256(text));
}

bool is_resolved(std::string_view state) {
  const auto parsed = incident::parse_state(state);
  return parsed && (*parsed == incident::State::post_incident || incident::is_over(*parsed));
}

// Whoever moves an incident on has taken it up.
bool is_taken_up(const json::Value& event, std::string_view change) {
  return change == "acknowledged" ||
         (change == "state_changed" && !event["data"]["incident"].text("acknowledged").empty());
}

std::string change_of(const json::Value& event) {
  const std::string type = event.text("type");
  return type.starts_with(change_prefix) ? type.substr(change_prefix.size()) : std::string();
}

Intent intent_of(const json::Value& event) {
  if (is_resolved(event["data"]["incident"].text("state"))) return Intent::resolve;
  return is_taken_up(event, change_of(event)) ? Intent::acknowledge : Intent::trigger;
}

std::string joined(const json::Value& texts) {
  std::string all;
  if (texts.as_array() == nullptr) return all;
  for (const json::Value& text : *texts.as_array()) {
    if (text.as_string() != nullptr) all += (all.empty() ? "" : ", ") + *text.as_string();
  }
  return all;
}

std::string told_severity(const Particulars& told, const json::Value& incident) {
  return std::to_string(told.severity) + " " + incident.text("severity_word");
}

void add_details(Particulars& told, const json::Value& data, const Alert& alert) {
  const json::Value& incident = data["incident"];
  const auto add = [&told](const char* name, std::string_view worth) {
    if (worth.empty()) return;
    told.details.emplace_back(name, shortened(one_line(worth), detail_characters_max));
  };
  std::string on_call;
  for (const std::string& line : on_call_lines(alert))
    on_call += (on_call.empty() ? "" : "; ") + line;
  add("change", told.change);
  add("why", told.why);
  add("who", told.who);
  add("notice", data.text("text"));
  add("on_call", on_call);
  add("incident", std::to_string(told.incident));
  add("severity", told_severity(told, incident));
  add("severity_rests_on", incident.text("row"));
  add("because", joined(incident["because"]));
  add("state", told.state);
  add("entity_kind", told.entity_kind);
  add("entity", told.entity);
  add("assignee", incident.text("assignee"));
  add("acknowledged_by", incident.text("acknowledged_by"));
  add("first_event", incident.text("first_event"));
  add("last_event", incident.text("last_event"));
  add("detections", std::to_string(incident.integer("detection_count")));
}

// The details as lines.
std::string text_of(const Particulars& told) {
  std::string text = told.summary + "\n";
  for (const auto& [name, worth] : told.details) {
    std::string label = name;
    std::ranges::replace(label, '_', ' ');
    text += "\n" + label + ": " + worth;
  }
  return text;
}

void take_incident(Particulars& told, const Receiver& receiver, const Alert& alert,
                   const json::Value& event) {
  const json::Value& data = event["data"];
  const json::Value& incident = data["incident"];
  told.intent = intent_of(event);
  told.incident = incident.integer("number");
  told.key = bounded_key(told.origin + ".incident-" + std::to_string(told.incident));
  told.severity = static_cast<int>(std::clamp<std::int64_t>(incident.integer("severity"), 0, 3));
  told.opened = incident.text("opened");
  const std::string graded = incident.text("graded");
  told.regraded = !graded.empty() && graded != told.opened;
  told.title = one_line(incident.text("title"));
  told.entity = one_line(incident["entity"].text("name"));
  told.entity_kind = one_line(incident["entity"].text("kind"));
  told.state = incident.text("state");
  told.change = change_of(event);
  told.why = one_line(data["change"].text("why"));
  told.who = one_line(data["change"].text("who"));
  if (!receiver.console.empty()) {
    told.link = receiver.console + "/#incident-" + std::to_string(told.incident);
  }
  add_details(told, data, alert);
}

}  // namespace

std::string plain_name(std::string_view text) {
  std::string name(text);
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';
    if (!plain) c = '-';
  }
  return name;
}

std::string shortened(std::string_view text, std::size_t characters_max) {
  std::string valid = to_utf8(text);
  std::size_t characters = 0;
  std::size_t last = 0;  // where the last that fits begins
  for (std::size_t i = 0; i < valid.size(); ++i) {
    if ((static_cast<unsigned char>(valid[i]) & 0xC0) == 0x80) continue;
    if (++characters == characters_max) last = i;
    if (characters > characters_max) {
      valid.resize(last);
      return valid + "…";
    }
  }
  return valid;
}

std::vector<std::string> on_call_lines(const Alert& alert) {
  std::vector<std::string> lines;
  const json::Value shifts = json::Value(alert.event)["data"]["on_call"];
  if (shifts.as_array() == nullptr) return lines;
  for (const json::Value& shift : *shifts.as_array()) {
    std::string line = shift.text("person") + " by schedule " + shift.text("schedule") + ", " +
                       shift.text("cause");
    for (const char* const name : {"holiday", "layer", "reason"}) {
      if (const std::string value = shift.text(name); !value.empty()) line += " " + value;
    }
    if (!shift["until"].is_null()) line += ", until " + shift.text("until");
    lines.push_back(std::move(line));
  }
  return lines;
}

Particulars particulars_of(const Receiver& receiver, const Alert& alert) {
  const json::Value event(alert.event);
  const std::string source = event.text("source");
  Particulars told{.summary = one_line(alert.subject)};
  told.origin = source.starts_with(source_prefix) ? source.substr(source_prefix.size()) : source;
  if (event["data"]["incident"].as_object() != nullptr) {
    take_incident(told, receiver, alert, event);
  } else {
    told.key = bounded_key(alert.key);
    told.title = told.summary;
  }
  told.text = text_of(told);
  return told;
}

bool follows_others(const Alert& alert) {
  return intent_of(json::Value(alert.event)) != Intent::trigger;
}

}  // namespace mailwarden::alert
