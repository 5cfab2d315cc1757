// Alerts as mail.
#include "alert/channel.h"
#include "alert/particulars.h"
#include "base/text.h"
#include "json/base64.h"

namespace mailwarden::alert {
namespace {

// RFC 2047, in words of at most 75 characters, none of which splits a character.
std::string encoded_header(std::string_view text) {
  constexpr std::size_t bytes_a_word = 42;
  std::string encoded;
  while (!text.empty()) {
    std::size_t taken = std::min(bytes_a_word, text.size());
    while (taken < text.size() && (static_cast<unsigned char>(text[taken]) & 0xC0) == 0x80) --taken;
    encoded += (encoded.empty() ? "" : "\r\n ") +
               ("=?utf-8?B?" + json::to_base64(text.substr(0, taken)) + "?=");
    text.remove_prefix(taken);
  }
  return encoded;
}

// With the line ends of mail. A reader of the note takes them for line feeds.
std::string with_mail_lines(std::string_view text) {
  std::string lines;
  for (const char c : text) {
    if (c == '\n') lines += '\r';
    lines += c;
  }
  return lines;
}

// Why it comes to whom it comes, where a schedule decided that.
std::string on_call_text(const Alert& alert) {
  std::string text;
  for (const std::string& line : on_call_lines(alert)) text += "On call: " + line + "\r\n";
  return text.empty() ? text : text + "\r\n";
}

std::string body_text(const Receiver& receiver, const Alert& alert) {
  const json::Value event(alert.event);
  // A checkpoint's mail is the signed note and nothing else, so that it verifies as it is saved.
  if (event.text("type") == checkpoint_type) return with_mail_lines(event["data"].text("note"));
  const json::Value incident = json::Value(alert.event)["data"]["incident"];
  std::string text = alert.subject + "\r\n\r\n" + on_call_text(alert);
  // What gathers alerts is about no incident, and has its own words.
  if (incident.is_null()) return text + with_mail_lines(event["data"].text("text"));
  if (const auto* because = incident["because"].as_array(); because != nullptr) {
    text += "Severity rests on: " + incident.text("row") + "\r\n";
    for (const json::Value& fact : *because) {
      if (fact.as_string() != nullptr) text += "  " + *fact.as_string() + "\r\n";
    }
  }
  text += "First event " + incident.text("first_event") + ", last event " +
          incident.text("last_event") + ", " + std::to_string(incident.integer("detection_count")) +
          " detections.\r\n\r\n";
  if (const std::string link = particulars_of(receiver, alert).link; !link.empty()) {
    text += link + "\r\n\r\n";
  }
  return text + "The whole alert, as it stands in the ledger:\r\n" + json::to_text(alert.event) +
         "\r\n";
}

std::string folded_base64(std::string_view bytes) {
  constexpr std::size_t columns = 76;
  const std::string text = json::to_base64(bytes);
  std::string lines;
  for (std::size_t i = 0; i < text.size(); i += columns) lines += text.substr(i, columns) + "\r\n";
  return lines;
}

}  // namespace

std::string to_mail(const Receiver& receiver, const Alert& alert) {
  const std::string host = receiver.from.substr(receiver.from.rfind('@') + 1);
  std::string to;
  for (const std::string& address : receiver.to) to += (to.empty() ? "" : ",\r\n ") + address;
  return "Date: " + to_rfc5322(alert.time) + "\r\nFrom: Mailwarden <" + receiver.from +
         ">\r\nTo: " + to + "\r\nSubject: " + encoded_header(to_utf8(alert.subject)) +
         "\r\nMessage-ID: <" + alert.key + "@" + host +
         ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
         "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
         folded_base64(body_text(receiver, alert));
}

}  // namespace mailwarden::alert
