#include <optional>

#include "base/text.h"
#include "ingest/decode/draft.h"
#include "ingest/decode/scan.h"

namespace mailwarden::ingest {
namespace {

// "02:20:01" and, where it is there, ".123456".
bool to_clock(std::string_view text, Civil& civil) {
  const auto hour = take_number(text);
  if (!hour || !skip(text, ":")) return false;
  const auto minute = take_number(text);
  if (!minute || !skip(text, ":")) return false;
  const auto second = take_number(text);
  if (!second) return false;
  civil.hour = static_cast<unsigned>(*hour);
  civil.minute = static_cast<unsigned>(*minute);
  civil.second = static_cast<unsigned>(*second);
  if (text.empty()) return true;
  if (!skip(text, ".") || text.size() != 6) return false;
  const auto micro = take_number(text);
  civil.microsecond = micro.value_or(0);
  return micro && text.empty();
}

// "Sun Dec 04 04:47:44 2005", in 2.4 with microseconds.
std::optional<Timestamp> apache_time(std::string_view text, const Zone& zone) {
  take_word(text);
  Civil civil;
  civil.month = month_number(take_word(text));
  skip(text, " ");
  const auto day = take_number(text);
  if (!day || !skip(text, " ")) return std::nullopt;
  civil.day = static_cast<unsigned>(*day);
  if (!to_clock(take_word(text), civil)) return std::nullopt;
  const auto year = take_number(text);
  if (!year || !text.empty()) return std::nullopt;
  civil.year = *year;
  const auto local = from_civil(civil);
  if (!local) return std::nullopt;
  return zone.to_utc(*local);
}

// Apache 2.4 writes the address, a colon and the port, without brackets for IPv6 too; 2.2 writes
// the address alone.
void add_client(Event& event, std::string_view client, bool with_port) {
  const std::size_t colon = client.rfind(':');
  const int port = with_port && colon != client.npos ? to_port(client.substr(colon + 1)) : 0;
  set_source(event, port > 0 ? client.substr(0, colon) : client, port);
}

void add_number(Event& event, std::string_view name, std::string_view digits) {
  if (!is_digits(digits)) return;
  if (const auto number = to_integer(digits)) event.fields.add(name, *number);
}

// "user alice not found: /private" and "user alice: authentication failure for "/private": …".
bool read_apache_login(std::string_view text, Event& event) {
  if (!skip(text, "user ")) return false;
  for (const std::string_view mark :
       {" not found: ", ": authentication failure for \"", ": password mismatch: "}) {
    const std::size_t at = text.rfind(mark);
    if (at == text.npos) continue;
    happened(event, "login_failed");
    set_class(event, ocsf_class::authentication, 1, Outcome::failure);
    set_user(event, text.substr(0, at));
    std::string_view path = text.substr(at + mark.size());
    path = path.substr(0, path.find(", referer: "));
    event.ocsf.resource = path.substr(0, path.find('"'));
    return true;
  }
  return false;
}

// "client denied by server configuration: /srv/private" and its like: a request that was refused.
bool read_apache_refusal(std::string_view text, Event& event) {
  for (const std::string_view mark :
       {"client denied by server configuration: ", "Directory index forbidden by rule: ",
        "Directory index forbidden by Options directive: ", "File does not exist: ",
        "script not found or unable to stat: ", "Invalid URI in request "}) {
    std::string_view path = text;
    if (!skip(path, mark)) continue;
    path = path.substr(0, path.rfind(", referer: "));
    happened(event, "request_refused");
    event.fields.add("path", path);
    set_class(event, ocsf_class::http_activity, 99, Outcome::failure);
    event.ocsf.resource = path;
    return true;
  }
  return false;
}

// The brackets between the time and the message: level, process, client. What is in another
// bracket, or in a second one of a kind, already belongs to the message.
bool read_apache_brackets(std::string_view& text, Event& event) {
  bool level = false;
  bool client = false;
  bool modern = false;
  while (text.starts_with('[')) {
    std::string_view rest = text.substr(1);
    const auto found = take_until(rest, "]");
    if (!found) return level;
    skip(rest, " ");
    std::string_view part = *found;
    if (!level) {
      const std::size_t colon = part.rfind(':');
      modern = colon != part.npos;
      if (modern) add(event, "module", part.substr(0, colon));
      event.fields.add("level", modern ? part.substr(colon + 1) : part);
      level = true;
    } else if (!client && (skip(part, "client ") || skip(part, "remote "))) {
      add_client(event, part, modern);
      client = true;
    } else if (modern && !client && skip(part, "pid ")) {
      add_number(event, "pid", part.substr(0, part.find(':')));
      const std::size_t thread = part.find(":tid ");
      if (thread != part.npos) add_number(event, "tid", part.substr(thread + 5));
    } else {
      return true;
    }
    text = rest;
  }
  return level;
}

// "GET /x HTTP/1.1"
void add_nginx_request(Event& event, std::string_view request) {
  if (request.empty()) return;
  event.fields.add("request", request);
  const std::string_view method = take_word(request);
  const std::size_t version = request.rfind(" HTTP/");
  if (version == request.npos) return;
  const std::string_view target = request.substr(0, version);
  event.fields.add("cs-method", method);
  event.fields.add("cs-uri", target);
  event.ocsf.resource = target.substr(0, target.find('?'));
}

// The value in quotes behind `mark`, in the part of the context that stands from `text` on.
std::string_view quoted_after(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == text.npos) return {};
  const std::string_view value = text.substr(at + mark.size());
  return value.substr(0, value.find('"'));
}

// nginx writes ", client: …, server: …, request: "…", host: "…"" behind the message, and escapes
// nothing: a path in the message or a referrer behind it may hold the same words. Where they stand
// more than once nobody can tell which are nginx's, so no address is told rather than a false one.
std::string_view cut_context(std::string_view text, Event& event) {
  constexpr std::string_view mark = ", client: ";
  const std::size_t at = text.find(mark);
  if (at == text.npos) return text;
  const std::string_view context = text.substr(at + mark.size());
  if (context.find(mark) != context.npos) {
    event.fields.add("ambiguous", "src_ip");
    return text;
  }
  set_source(event, context.substr(0, context.find(", ")), 0);
  if (const std::size_t server = context.find(", server: "); server != context.npos) {
    const std::string_view name = context.substr(server + 10);
    add(event, "server", name.substr(0, name.find(", ")));
  }
  add_nginx_request(event, quoted_after(context, ", request: \""));
  add(event, "upstream", quoted_after(context, ", upstream: \""));
  add(event, "cs-host", quoted_after(context, ", host: \""));
  add(event, "cs-referer", quoted_after(context, ", referrer: \""));
  return text.substr(0, at);
}

// 'user "alice": password mismatch' and 'user "alice" was not found in "/etc/nginx/htpasswd"'
void read_nginx_login(std::string_view message, Event& event) {
  std::string_view text = message;
  if (!skip(text, "user \"")) return;
  for (const std::string_view mark : {"\": password mismatch", "\" was not found in \""}) {
    const std::size_t at = text.rfind(mark);
    if (at == text.npos) continue;
    happened(event, "login_failed");
    set_class(event, ocsf_class::authentication, 1, Outcome::failure);
    set_user(event, text.substr(0, at));
    return;
  }
}

}  // namespace

std::string read_apache_error(Draft& draft) {
  std::string_view text = draft.text;
  Event& event = draft.event;
  if (!skip(text, "[")) return "not an Apache error log line ([time] [level] message)";
  const auto written = take_until(text, "]");
  const auto time = written ? apache_time(*written, draft.settings.zone) : std::nullopt;
  if (!time) {
    return "Apache error log: '" + printable(draft.text.substr(0, 40)) + "' holds no time";
  }
  skip(text, " ");
  event.time = *time;
  event.decoder = "apache_error";
  event.logsource = {.product = "apache", .category = {}, .service = "apache"};
  event.ocsf.service = "apache";
  if (!read_apache_brackets(text, event)) return "Apache error log: no [level] behind the time";
  if (text.starts_with("AH") && text.size() > 8 && text[7] == ':') {
    event.fields.add("code", text.substr(0, 7));
    text.remove_prefix(8);
    skip(text, " ");
  }
  event.fields.add("message", text);
  if (!read_apache_login(text, event)) read_apache_refusal(text, event);
  return {};
}

std::string read_nginx_error(Draft& draft) {
  constexpr const char* shape =
      "not an nginx error log line (year/month/day time [level] pid#tid: message)";
  std::string_view text = draft.text;
  Event& event = draft.event;
  Civil civil;
  const auto year = take_number(text);
  if (!year || !skip(text, "/")) return shape;
  const auto month = take_number(text);
  if (!month || !skip(text, "/")) return shape;
  const auto day = take_number(text);
  if (!day || !skip(text, " ") || !to_clock(take_word(text), civil) || !skip(text, "[")) {
    return shape;
  }
  civil.year = *year;
  civil.month = static_cast<unsigned>(*month);
  civil.day = static_cast<unsigned>(*day);
  const auto local = from_civil(civil);
  if (!local) return "nginx error log: '" + printable(draft.text.substr(0, 19)) + "' is no time";
  const auto level = take_until(text, "] ");
  const auto pid = level ? take_until(text, "#") : std::nullopt;
  const auto tid = pid ? take_until(text, ": ") : std::nullopt;
  if (!tid || !is_digits(*pid) || !is_digits(*tid)) return shape;
  event.time = draft.settings.zone.to_utc(*local);
  event.decoder = "nginx_error";
  event.logsource = {.product = "nginx", .category = {}, .service = "nginx"};
  event.ocsf.service = "nginx";
  event.fields.add("level", *level);
  add_number(event, "pid", *pid);
  add_number(event, "tid", *tid);
  if (text.starts_with('*')) {
    std::string_view rest = text.substr(1);
    const std::string_view connection = take_word(rest);
    add_number(event, "connection", connection);
    if (is_digits(connection)) text = rest;
  }
  const std::string_view message = cut_context(text, event);
  event.fields.add("message", message);
  read_nginx_login(message, event);
  return {};
}

}  // namespace mailwarden::ingest
