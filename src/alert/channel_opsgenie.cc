// Alerts for Opsgenie's Alert API v2.
#include <array>

#include "alert/channel_http.h"
#include "alert/particulars.h"

namespace mailwarden::alert {
namespace {

constexpr std::size_t message_characters_max = 130;
constexpr std::size_t description_characters_max = 15'000;
constexpr std::size_t entity_characters_max = 512;
constexpr std::size_t name_characters_max = 100;  // of source and user
constexpr std::size_t note_characters_max = 25'000;
constexpr std::array priorities{"P4", "P3", "P2", "P1"};

const char* priority_of(const Particulars& told) {
  return priorities[static_cast<std::size_t>(told.severity)];
}

std::string source_of(const Particulars& told) {
  return shortened("Mailwarden " + told.origin, name_characters_max);
}

net::HttpCall call_of(const Sending& sending, const std::string& path, const json::Value& body) {
  net::HttpCall call = json_call(base_of(sending.secrets.url) + "/v2/alerts" + path, body);
  call.headers.emplace_back("Authorization", "GenieKey " + sending.secrets.credential);
  if (!path.empty()) call.query = {{"identifierType", "alias"}};
  return call;
}

net::HttpCall create(const Sending& sending, const Particulars& told) {
  json::Object details;
  for (const auto& [name, worth] : told.details) details[name] = worth;
  std::string description = told.text;
  if (!told.link.empty()) {
    details["link"] = shortened(told.link, detail_characters_max);
    description = told.link + "\n\n" + description;
  }
  json::Object body{
      {"alias", told.key},
      {"message", shortened(told.summary, message_characters_max)},
      {"description", shortened(description, description_characters_max)},
      {"details", std::move(details)},
      {"priority", priority_of(told)},
      {"source", source_of(told)},
      {"tags", json::Array{"mailwarden", "severity-" + std::to_string(told.severity)}}};
  if (!told.entity.empty()) body["entity"] = shortened(told.entity, entity_characters_max);
  return call_of(sending, "", body);
}

// By somebody, about an alert that is there.
net::HttpCall act(const Sending& sending, const Particulars& told, const std::string& what) {
  json::Object body{{"source", source_of(told)}};
  if (!told.who.empty()) body["user"] = shortened(told.who, name_characters_max);
  if (!told.why.empty()) body["note"] = shortened(told.why, note_characters_max);
  return call_of(sending, "/" + told.key + "/" + what, body);
}

}  // namespace

Calls to_opsgenie(const Sending& sending) {
  const Particulars told = particulars_of(sending.receiver, sending.alert);
  if (told.intent == Intent::acknowledge) return {act(sending, told, "acknowledge")};
  if (told.intent == Intent::resolve) return {act(sending, told, "close")};
  Calls calls{create(sending, told)};
  if (told.regraded) {
    // Creating an alert that is there counts it once more and leaves its priority as it was.
    calls.push_back(call_of(sending, "/" + told.key + "/priority",
                            json::Object{{"priority", priority_of(told)}}));
    calls.back().method = "PUT";
  }
  return calls;
}

}  // namespace mailwarden::alert
