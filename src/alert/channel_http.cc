#include "alert/channel_http.h"

#include <algorithm>

#include "alert/particulars.h"
#include "base/files.h"
#include "base/text.h"
#include "json/base64.h"
#include "net/retry_after.h"

namespace mailwarden::alert {
namespace {

constexpr std::size_t answer_bytes_max = 64 * 1024;
constexpr std::size_t answer_characters_shown = 200;
constexpr std::string_view signing_prefix = "whsec_";
constexpr std::size_t signing_bytes_least = 24;  // Standard Webhooks, "Signature scheme"
constexpr std::size_t signing_bytes_most = 64;

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

// What goes into a header or names a server. The text itself must not be told.
Result<std::string> read_word(const std::string& file, const char* what) {
  auto word = read_secret(file);
  if (!word) return word;
  if (!is_word(*word)) {
    return fail(Code::unavailable, file + ": must hold " + what + " and nothing else");
  }
  return word;
}

Result<std::string> read_url(const std::string& file) {
  auto url = read_word(file, "one address");
  if (!url) return url;
  if (!url->starts_with("https://") && !url->starts_with("http://")) {
    return fail(Code::unavailable, file + ": must hold an address that begins with https://");
  }
  return url;
}

Result<std::vector<std::string>> read_signing(const std::string& file) {
  const auto text = read_secret(file);
  if (!text) return std::unexpected(text.error());
  std::vector<std::string> secrets;
  for (const std::string_view line : split(*text, '\n')) {
    const std::string_view word = trim(line);
    if (word.empty()) continue;
    const bool prefixed = word.starts_with(signing_prefix);
    auto bytes = json::from_base64(prefixed ? word.substr(signing_prefix.size()) : "");
    if (!bytes || bytes->size() < signing_bytes_least || bytes->size() > signing_bytes_most) {
      return fail(Code::unavailable,
                  file + ": each line must be whsec_ and 24 to 64 bytes of base64");
    }
    secrets.push_back(*std::move(bytes));
  }
  if (secrets.empty() || secrets.size() > signing_secrets_max) {
    return fail(Code::unavailable, file + ": must hold one secret a line, from 1 to " +
                                       std::to_string(signing_secrets_max));
  }
  return secrets;
}

void cut_out(std::string& text, std::string_view secret) {
  if (secret.empty()) return;
  for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), "…");
    at += std::string_view("…").size();
  }
}

// What came from outside, fit for a log: a line, short, without what is secret.
std::string shown(const Sending& sending, std::string text) {
  cut_out(text, sending.secrets.credential);
  if (!sending.receiver.url_file.empty()) cut_out(text, sending.secrets.url);
  return printable(shortened(trim(text), answer_characters_shown));
}

bool may_help_again(unsigned status) {
  // Timed out, in conflict with an earlier try still at work, too early, too many, server's fault.
  return status == 408 || status == 409 || status == 425 || status == 429 || status >= 500;
}

Undelivered refused(const Sending& sending, const net::HttpAnswer& answer) {
  const bool again = may_help_again(answer.status);
  const std::string said = shown(sending, answer.body);
  return {.code = again ? Code::unavailable : Code::denied,
          .what = sending.receiver.name + ": " + describe(sending.receiver) + ": answered " +
                  std::to_string(answer.status) + (said.empty() ? "" : ", saying: " + said),
          .pause = again ? net::retry_after(answer, sending.now).value_or(Duration()) : Duration()};
}

// The client's sentences begin with the address.
Undelivered unreached(const Sending& sending, const net::HttpCall& call, const Error& error) {
  std::string why = error.what;
  if (why.starts_with(call.url + ": ")) why.erase(0, call.url.size() + 2);
  return {.code = error.code,
          .what = sending.receiver.name + ": " + describe(sending.receiver) + ": " +
                  shown(sending, std::move(why))};
}

}  // namespace

Result<std::string> read_secret(const std::string& file) {
  auto text = read_whole_file(file, secret_bytes_max);
  // A secret that is being replaced may be missing for a moment.
  if (!text) return fail(Code::unavailable, text.error().what);
  return std::string(trim(*text));
}

Result<Secrets> read_secrets(const Receiver& receiver) {
  Secrets secrets{.url = receiver.url};
  const std::string& file = receiver.key_file.empty() ? receiver.token_file : receiver.key_file;
  if (!file.empty()) {
    auto credential = read_word(file, "one key or token");
    if (!credential) return std::unexpected(credential.error());
    secrets.credential = *std::move(credential);
  }
  if (!receiver.url_file.empty()) {
    auto url = read_url(receiver.url_file);
    if (!url) return std::unexpected(url.error());
    secrets.url = *std::move(url);
  }
  if (!receiver.secret_file.empty()) {
    auto signing = read_signing(receiver.secret_file);
    if (!signing) return std::unexpected(signing.error());
    secrets.signing = *std::move(signing);
  }
  return secrets;
}

net::ClientOptions client_options(const Receiver& receiver) {
  return {.total_timeout = std::chrono::seconds(20),
          .response_bytes_max = answer_bytes_max,
          .ca_file = receiver.ca_file};
}

net::HttpCall json_call(std::string url, const json::Value& body) {
  return {.method = "POST",
          .url = std::move(url),
          .headers = {{"Content-Type", "application/json"}, {"User-Agent", "mailwarden"}},
          .body = json::to_text(body)};
}

std::string base_of(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

Delivery send(const Sending& sending, const Calls& calls) {
  net::Client client(client_options(sending.receiver));
  for (const net::HttpCall& call : calls) {
    const auto answer = client.request(call);
    if (!answer) return std::unexpected(unreached(sending, call, answer.error()));
    if (answer->status < 200 || answer->status >= 300) {
      return std::unexpected(refused(sending, *answer));
    }
  }
  return {};
}

}  // namespace mailwarden::alert
