// Alerts for an Alertmanager, by its API v2.
#include <algorithm>
#include <array>

#include "alert/channel_http.h"
#include "alert/particulars.h"

namespace mailwarden::alert {
namespace {

// An alert without an end is over for Alertmanager five minutes after it came, since Prometheus
// sends each again and again. We say once that one begins and once that it ends.
constexpr Duration firing_max = std::chrono::days(365);
constexpr std::array severity_labels{"info", "warning", "error", "critical"};

// Alertmanager knows an alert by its labels, so there is nothing among them that changes in the
// life of an incident, but for the severity, by which it is routed.
json::Object labels_of(const Particulars& told, const char* severity) {
  json::Object labels{{"alertname", told.incident == 0 ? "MailwardenNotice" : "MailwardenIncident"},
                      {"origin", told.origin},
                      {"severity", severity}};
  if (told.incident == 0) {
    labels["key"] = told.key;
  } else {
    labels["incident"] = std::to_string(told.incident);
  }
  if (!told.entity.empty()) labels["entity"] = told.entity;
  if (!told.entity_kind.empty()) labels["entity_kind"] = told.entity_kind;
  return labels;
}

json::Object annotations_of(const Particulars& told) {
  json::Object annotations{{"summary", told.summary}, {"description", told.text}};
  for (const auto& [name, worth] : told.details) annotations[name] = worth;
  if (!told.link.empty()) annotations["link"] = told.link;
  return annotations;
}

json::Object alert_of(const Particulars& told, const char* severity, const std::string& begin,
                      const std::string& end) {
  json::Object object{{"labels", labels_of(told, severity)},
                      {"annotations", annotations_of(told)},
                      {"startsAt", begin}};
  if (!end.empty()) object["endsAt"] = end;
  if (!told.link.empty()) object["generatorURL"] = told.link;
  return object;
}

}  // namespace

Calls to_alertmanager(const Sending& sending) {
  const Particulars told = particulars_of(sending.receiver, sending.alert);
  const std::string now = to_rfc3339(sending.alert.time);
  const std::string begin = told.opened.empty() ? now : told.opened;
  // Text order is time order; an end before the beginning would be refused.
  const std::string over = std::max(begin, now);
  std::string end;
  if (told.intent == Intent::resolve) {
    end = over;
  } else if (told.incident != 0) {
    end = to_rfc3339(sending.alert.time + firing_max);
  }
  json::Array alerts;
  for (std::size_t i = 0; i < severity_labels.size(); ++i) {
    const bool present = i == static_cast<std::size_t>(told.severity);
    // What fired at another severity is another alert there, and ends.
    if (!present && !told.regraded) continue;
    alerts.emplace_back(alert_of(told, severity_labels[i], begin, present ? end : over));
  }
  return {json_call(base_of(sending.secrets.url) + "/api/v2/alerts", alerts)};
}

}  // namespace mailwarden::alert
