// Alerts as messages to a Slack webhook, in the form that Alertmanager gives them.
#include <array>

#include "alert/channel_http.h"
#include "alert/particulars.h"

namespace mailwarden::alert {
namespace {

constexpr std::size_t title_characters_max = 1024;
constexpr std::size_t text_characters_max = 3000;
constexpr std::array colours{"#439fe0", "warning", "#e8740c", "danger"};

// What Slack reads as a mention, a link or an entity (its "Formatting text for app surfaces").
std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&') {
      safe += "&amp;";
    } else if (c == '<') {
      safe += "&lt;";
    } else if (c == '>') {
      safe += "&gt;";
    } else {
      safe += c;
    }
  }
  return safe;
}

// Short ones that are read at a glance.
json::Array fields_of(const Particulars& told) {
  json::Array fields;
  for (const auto& [name, worth] : told.details) {
    const bool glance = name == "severity" || name == "state" || name == "entity" ||
                        name == "assignee" || name == "acknowledged_by" || name == "on_call";
    if (!glance) continue;
    fields.emplace_back(
        json::Object{{"title", name}, {"value", escaped(worth)}, {"short", name != "on_call"}});
  }
  return fields;
}

json::Object attachment_of(const Particulars& told) {
  const std::string title = told.incident == 0
                                ? told.title
                                : "Incident " + std::to_string(told.incident) + ": " + told.title;
  const std::string summary = escaped(shortened(told.summary, title_characters_max));
  json::Object attachment{
      {"color",
       told.intent == Intent::resolve ? "good" : colours[static_cast<std::size_t>(told.severity)]},
      {"title", escaped(shortened(title, title_characters_max))},
      {"text", escaped(shortened(told.text, text_characters_max))},
      {"fallback", summary},
      {"fields", fields_of(told)},
      {"footer", escaped("Mailwarden " + told.origin)},
      // Nothing in it is formatted: entities and titles come from log lines.
      {"mrkdwn_in", json::Array()}};
  if (!told.link.empty()) attachment["title_link"] = told.link;
  return attachment;
}

}  // namespace

Calls to_slack(const Sending& sending) {
  const Particulars told = particulars_of(sending.receiver, sending.alert);
  return {json_call(sending.secrets.url,
                    json::Object{{"text", escaped(shortened(told.summary, title_characters_max))},
                                 {"mrkdwn", false},
                                 {"unfurl_links", false},
                                 {"unfurl_media", false},
                                 {"attachments", json::Array{attachment_of(told)}}})};
}

}  // namespace mailwarden::alert
