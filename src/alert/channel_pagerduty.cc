// Alerts as events of PagerDuty's Events API v2.
#include <array>

#include "alert/channel_http.h"
#include "alert/particulars.h"

namespace mailwarden::alert {
namespace {

constexpr std::size_t summary_characters_max = 1024;
constexpr std::array pagerduty_severities{"info", "warning", "error", "critical"};

json::Object payload_of(const Particulars& told, const Alert& alert) {
  json::Object details;
  for (const auto& [name, worth] : told.details) details[name] = worth;
  json::Object payload{{"summary", shortened(told.summary, summary_characters_max)},
                       {"source", told.entity.empty() ? told.origin : told.entity},
                       {"severity", pagerduty_severities[static_cast<std::size_t>(told.severity)]},
                       {"timestamp", to_rfc3339(alert.time)},
                       {"group", told.origin},
                       {"class", told.title},
                       {"custom_details", std::move(details)}};
  if (!told.entity_kind.empty()) payload["component"] = told.entity_kind;
  return payload;
}

std::string_view action_of(Intent intent) {
  switch (intent) {
    case Intent::trigger:
      return "trigger";
    case Intent::acknowledge:
      return "acknowledge";
    case Intent::resolve:
      return "resolve";
  }
  return "";
}

}  // namespace

Calls to_pagerduty(const Sending& sending) {
  const Particulars told = particulars_of(sending.receiver, sending.alert);
  json::Object event{{"routing_key", sending.secrets.credential},
                     {"event_action", action_of(told.intent)},
                     {"dedup_key", told.key}};
  // The others are of an incident that PagerDuty knows, and need no more of it.
  if (told.intent == Intent::trigger) {
    event["client"] = "Mailwarden";
    event["payload"] = payload_of(told, sending.alert);
    if (!told.link.empty()) {
      event["client_url"] = told.link;
      event["links"] = json::Array{json::Object{{"href", told.link}, {"text", "Mailwarden"}}};
    }
  }
  return {json_call(sending.secrets.url, event)};
}

}  // namespace mailwarden::alert
