#include "alert/channel.h"

#include <filesystem>

#include "base/files.h"
#include "base/text.h"
#include "json/base64.h"
#include "net/http_client.h"

namespace mailwarden::alert {
namespace {

constexpr std::size_t secret_bytes_max = 4096;
constexpr std::size_t answer_bytes_max = 64 * 1024;

Result<std::string> read_secret(const std::string& file) {
  auto text = read_whole_file(file, secret_bytes_max);
  // A secret that is being replaced may be missing for a moment.
  if (!text) return fail(Code::unavailable, text.error().what);
  return std::string(trim(*text));
}

net::ClientOptions client_options(const Receiver& receiver) {
  return {.total_timeout = std::chrono::seconds(20),
          .response_bytes_max = answer_bytes_max,
          .ca_file = receiver.ca_file};
}

Result<void> post(const Receiver& receiver, const Alert& alert) {
  net::HttpCall call{.method = "POST",
                     .url = receiver.url,
                     .headers = {{"Content-Type", "application/cloudevents+json; charset=utf-8"},
                                 {"Idempotency-Key", "\"" + alert.key + "\""},
                                 {"User-Agent", "mailwarden"}},
                     .body = json::to_text(alert.event)};
  if (!receiver.token_file.empty()) {
    const auto token = read_secret(receiver.token_file);
    if (!token) return std::unexpected(token.error());
    call.headers.emplace_back("Authorization", "Bearer " + *token);
  }
  net::Client client(client_options(receiver));
  const auto answer = client.request(call);
  if (!answer) return std::unexpected(answer.error());
  const unsigned status = answer->status;
  if (status >= 200 && status < 300) return {};
  // Timed out, in conflict with an earlier try still at work, too early, too many, server's fault.
  const bool again =
      status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
  return fail(again ? Code::unavailable : Code::denied,
              receiver.url + ": answered " + std::to_string(status));
}

Result<void> mail(const Receiver& receiver, const Alert& alert) {
  net::Mail mail{.server = receiver.server,
                 .start_tls = receiver.start_tls ? net::StartTls::required : net::StartTls::never,
                 .user = receiver.user,
                 .from = receiver.from,
                 .to = receiver.to,
                 .message = to_mail(receiver, alert)};
  if (!receiver.password_file.empty()) {
    auto password = read_secret(receiver.password_file);
    if (!password) return std::unexpected(password.error());
    mail.password = *std::move(password);
  }
  return net::Client(client_options(receiver)).send_mail(mail);
}

Result<void> drop(const Receiver& receiver, const Alert& alert) {
  std::error_code failed;
  std::filesystem::create_directories(receiver.folder, failed);
  if (failed) return fail(Code::io, receiver.folder + ": " + failed.message());
  return write_file_durably(receiver.folder + "/" + alert.key + ".json",
                            json::to_text(alert.event) + "\n");
}

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
std::string on_call_text(const json::Value& shifts) {
  if (shifts.as_array() == nullptr) return "";
  std::string text;
  for (const json::Value& shift : *shifts.as_array()) {
    text += "On call: " + shift.text("person") + " by schedule " + shift.text("schedule") + ", " +
            shift.text("cause");
    for (const char* const name : {"holiday", "layer", "reason"}) {
      if (const std::string value = shift.text(name); !value.empty()) text += " " + value;
    }
    text += shift["until"].is_null() ? "\r\n" : ", until " + shift.text("until") + "\r\n";
  }
  return text + "\r\n";
}

std::string body_text(const Alert& alert) {
  const json::Value event(alert.event);
  // A checkpoint's mail is the signed note and nothing else, so that it verifies as it is saved.
  if (event.text("type") == checkpoint_type) return with_mail_lines(event["data"].text("note"));
  const json::Value incident = json::Value(alert.event)["data"]["incident"];
  std::string text = alert.subject + "\r\n\r\n" + on_call_text(event["data"]["on_call"]);
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
         folded_base64(body_text(alert));
}

Result<void> deliver(const Receiver& receiver, const Alert& alert) {
  switch (receiver.kind) {
    case Receiver::Kind::webhook:
      return post(receiver, alert);
    case Receiver::Kind::smtp:
      return mail(receiver, alert);
    case Receiver::Kind::folder:
      return drop(receiver, alert);
  }
  return {};
}

}  // namespace mailwarden::alert
