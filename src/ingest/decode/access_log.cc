#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "ingest/decode/draft.h"
#include "ingest/decode/scan.h"

namespace mailwarden::ingest {
namespace {

// "24/Nov/2026:02:20:01 +0000"
std::optional<Timestamp> to_time(std::string_view text) {
  if (text.size() != 26 || text[2] != '/' || text[6] != '/' || text[11] != ':' || text[14] != ':' ||
      text[17] != ':' || text[20] != ' ') {
    return std::nullopt;
  }
  const auto number = [text](std::size_t at, std::size_t width) -> std::optional<unsigned> {
    std::string_view digits = text.substr(at, width);
    const auto value = take_number(digits);
    return value && digits.empty() ? std::optional(static_cast<unsigned>(*value)) : std::nullopt;
  };
  const auto year = number(7, 4);
  const auto day = number(0, 2);
  const auto hour = number(12, 2);
  const auto minute = number(15, 2);
  const auto second = number(18, 2);
  const auto zone_hour = number(22, 2);
  const auto zone_minute = number(24, 2);
  const bool west = text[21] == '-';
  if (!year || !day || !hour || !minute || !second || !zone_hour || !zone_minute ||
      (!west && text[21] != '+')) {
    return std::nullopt;
  }
  const auto local = from_civil({.year = static_cast<int>(*year),
                                 .month = month_number(text.substr(3, 3)),
                                 .day = *day,
                                 .hour = *hour,
                                 .minute = *minute,
                                 .second = *second});
  if (!local || *zone_hour > 23 || *zone_minute > 59) return std::nullopt;
  const Duration offset = std::chrono::hours(*zone_hour) + std::chrono::minutes(*zone_minute);
  return std::clamp(west ? *local + offset : *local - offset, Timestamp::earliest,
                    Timestamp::latest);
}

// A quoted part, the text standing behind its opening quote. Both servers escape a quote within.
std::optional<std::string_view> take_quoted(std::string_view& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      const std::string_view part = text.substr(0, i);
      text.remove_prefix(i + 1);
      return part;
    }
  }
  return std::nullopt;
}

char unescaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'b':
      return '\b';
    case 'v':
      return '\v';
    case 'f':
      return '\f';
    default:
      return c;
  }
}

// What the client sent, as far as the server's escapes let it be known; again UTF-8.
std::string unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    ++i;
    const bool hex = text[i] == 'x' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
                     hex_value(text[i + 2]) >= 0;
    if (hex) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += unescaped(text[i]);
    }
  }
  return is_utf8(out) ? out : to_utf8(out);
}

void add_text(Event& event, std::string_view name, std::string_view quoted) {
  if (quoted.empty() || quoted == "-") return;
  if (quoted.find('\\') == quoted.npos) {
    event.fields.add(name, quoted);
  } else {
    event.fields.add(name, unescape(quoted));
  }
}

// OCSF HTTP Activity's number of a method.
int activity_of(std::string_view method) {
  constexpr std::array<std::string_view, 9> methods{"CONNECT", "DELETE", "GET",   "HEAD", "OPTIONS",
                                                    "POST",    "PUT",    "TRACE", "PATCH"};
  for (std::size_t i = 0; i < methods.size(); ++i) {
    if (methods[i] == method) return static_cast<int>(i) + 1;
  }
  return 99;
}

bool is_method(std::string_view text) {
  constexpr std::size_t method_max = 32;
  return !text.empty() && text.size() <= method_max &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == text.npos;
}

// "http://host/path?query" keeps "/path?query" and gives the host.
std::string_view take_host(std::string_view& target) {
  std::string_view rest = target;
  if (!skip(rest, "http://") && !skip(rest, "https://")) return {};
  const std::size_t slash = rest.find_first_of("/?");
  const std::string_view host = rest.substr(0, slash);
  target = slash == rest.npos ? std::string_view("/") : rest.substr(slash);
  return host;
}

// "GET /path?query HTTP/1.1". Whatever else was sent stays whole in the field `request`.
bool read_request(std::string_view quoted, Event& event) {
  std::string text;
  std::string_view request = quoted;
  if (quoted.find('\\') != quoted.npos) {
    text = unescape(quoted);
    request = text;
  }
  const std::size_t version = request.rfind(" HTTP/");
  std::string_view line = request.substr(0, version);
  const std::string_view method = take_word(line);
  if (version == request.npos || !is_method(method) || line.empty()) {
    add(event, "request", request == "-" ? std::string_view() : request);
    event.ocsf.activity_id = 99;
    return false;
  }
  event.fields.add("cs-method", method);
  event.ocsf.activity_id = activity_of(method);
  event.fields.add("cs-uri", line);
  const std::string_view host = take_host(line);
  add(event, "cs-host", host);
  event.ocsf.dst = host;
  const std::size_t query = line.find('?');
  event.fields.add("cs-uri-stem", line.substr(0, query));
  event.ocsf.resource = line.substr(0, query);
  if (query != line.npos) add(event, "cs-uri-query", line.substr(query + 1));
  event.fields.add("cs-version", request.substr(version + 1));
  return true;
}

void add_count(Event& event, std::string_view name, std::string_view digits) {
  if (const auto number = is_digits(digits) ? to_integer(digits) : std::nullopt) {
    event.fields.add(name, *number);
  }
}

std::string read_access(Draft& draft, std::string_view decoder, std::string_view product) {
  constexpr const char* shape =
      "not an access log line (address identity user [time] \"request\" status bytes)";
  std::string_view text = draft.text;
  Event& event = draft.event;
  const std::string_view client = take_word(text);
  const std::string_view identity = take_word(text);
  // A user name may hold spaces, so the time's bracket ends it: the last one before the request's
  // quote, which no name can hold unescaped.
  const auto before = take_until(text, "] \"");
  if (client.empty() || identity.empty() || !before) return shape;
  const std::size_t bracket = before->rfind('[');
  if (bracket == before->npos || bracket == 0) return shape;
  const auto time = to_time(before->substr(bracket + 1));
  if (!time) return "access log: '" + printable(before->substr(bracket, 40)) + "' holds no time";
  const auto request = take_quoted(text);
  if (!request || !skip(text, " ")) return shape;
  const std::string_view status = take_word(text);
  const std::string_view bytes = take_word(text);
  if (status.size() != 3 || !is_digits(status)) return shape;
  event.time = *time;
  event.decoder = decoder;
  event.logsource.category = "webserver";
  event.logsource.product = product;
  event.fields.add("c-ip", client);
  event.ocsf.src_ip = client;
  const std::string_view user = trim(before->substr(0, bracket));
  add_text(event, "cs-username", user);
  event.ocsf.user = event.fields.text("cs-username");
  event.ocsf.class_uid = ocsf_class::http_activity;
  event.ocsf.status = status < "400" ? Outcome::success : Outcome::failure;
  read_request(*request, event);
  add_count(event, "sc-status", status);
  add_count(event, "sc-bytes", bytes);
  if (skip(text, "\"")) {
    if (const auto referer = take_quoted(text)) add_text(event, "cs-referer", *referer);
    skip(text, " ");
    if (skip(text, "\"")) {
      if (const auto agent = take_quoted(text)) add_text(event, "cs-user-agent", *agent);
      skip(text, " ");
    }
  }
  add(event, "extra", text);
  return {};
}

}  // namespace

std::string read_combined(Draft& draft) {
  return read_access(draft, "combined", {});
}

std::string read_nginx_access(Draft& draft) {
  return read_access(draft, "nginx_access", "nginx");
}

std::string read_apache_access(Draft& draft) {
  return read_access(draft, "apache_access", "apache");
}

}  // namespace mailwarden::ingest
