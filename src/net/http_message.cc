#include "net/http_message.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include <boost/beast/http/status.hpp>

#include "base/text.h"

namespace mailwarden::net {
namespace {

// What every answer says unless it says something else itself.
constexpr std::array usual_headers{
    std::pair{std::string_view("X-Content-Type-Options"), std::string_view("nosniff")},
    std::pair{std::string_view("Referrer-Policy"), std::string_view("no-referrer")},
    std::pair{std::string_view("Content-Security-Policy"),
              std::string_view("default-src 'none'; frame-ancestors 'none'")},
    std::pair{std::string_view("Cache-Control"), std::string_view("no-store")}};

// Of several headers of one name the last one counts.
bool is_said_later(std::span<const std::pair<std::string, std::string>> headers,
                   std::string_view name) {
  return std::ranges::any_of(headers,
                             [&](const auto& one) { return equal_ignoring_case(one.first, name); });
}

// Nothing in a value may end its line.
void append_header(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ");
  const std::size_t begin = text.size();
  text.append(value);
  std::replace_if(
      text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(),
      [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  text.append("\r\n");
}

}  // namespace

std::string to_message(const Response& from, const Manner& manner) {
  const std::span headers(from.headers);
  std::string text;
  text.reserve(512 + from.body.size());
  text.append(manner.version < 11 ? "HTTP/1.0 " : "HTTP/1.1 ");
  text.append(std::to_string(from.status)).append(" ");
  const auto reason =
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(from.status));
  text.append(reason.data(), reason.size()).append("\r\n");
  if (!is_said_later(headers, "Content-Type")) {
    append_header(text, "Content-Type", from.content_type);
  }
  for (const auto& [name, value] : usual_headers) {
    if (!is_said_later(headers, name)) append_header(text, name, value);
  }
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto& [name, value] = headers[i];
    if (!is_said_later(headers.subspan(i + 1), name)) append_header(text, name, value);
  }
  if (manner.keep_alive != (manner.version >= 11)) {
    append_header(text, "Connection", manner.keep_alive ? "keep-alive" : "close");
  }
  // RFC 9110, 8.6, 15.3.5 and 15.4.5: these have no content and tell no length.
  const bool has_content = from.status != 204 && from.status != 304;
  if (has_content) append_header(text, "Content-Length", std::to_string(from.body.size()));
  text.append("\r\n");
  if (has_content && !manner.is_head) text.append(from.body);
  return text;
}

}  // namespace mailwarden::net
