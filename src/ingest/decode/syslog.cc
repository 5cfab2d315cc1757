#include <array>
#include <optional>

#include "base/text.h"
#include "ingest/decode/draft.h"
#include "ingest/decode/programs.h"
#include "ingest/decode/scan.h"

namespace mailwarden::ingest {
namespace {

constexpr std::array<std::string_view, 24> facilities{
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7"};
constexpr std::array<std::string_view, 8> severities{"emerg",   "alert",  "crit", "err",
                                                     "warning", "notice", "info", "debug"};

// "<34>": facility times eight plus severity. False where '<' begins something else.
bool take_priority(std::string_view& text, Event& event) {
  std::string_view rest = text;
  if (!skip(rest, "<")) return false;
  const auto priority = take_number(rest);
  if (!priority || *priority > 191 || !skip(rest, ">")) return false;
  event.fields.add("facility", facilities[static_cast<std::size_t>(*priority) / 8]);
  event.fields.add("severity", severities[static_cast<std::size_t>(*priority) % 8]);
  text = rest;
  return true;
}

bool two_digits(std::string_view text, std::size_t at, unsigned& value) {
  const char tens = text[at];
  const char ones = text[at + 1];
  if (tens < '0' || tens > '9' || ones < '0' || ones > '9') return false;
  value = static_cast<unsigned>(tens - '0') * 10 + static_cast<unsigned>(ones - '0');
  return true;
}

// "06:55:46", and the fraction that some senders write behind it.
bool take_clock(std::string_view& text, Civil& civil) {
  if (text.size() < 8 || text[2] != ':' || text[5] != ':') return false;
  if (!two_digits(text, 0, civil.hour) || !two_digits(text, 3, civil.minute) ||
      !two_digits(text, 6, civil.second)) {
    return false;
  }
  text.remove_prefix(8);
  if (text.starts_with('.')) {
    std::int64_t scale = 1'000'000;
    std::size_t at = 1;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      scale /= 10;
      civil.microsecond += (text[at] - '0') * scale;
    }
    text.remove_prefix(at);
  }
  return true;
}

struct Stamp {
  Civil civil;
  bool has_year = false;
};

// "Dec 10 06:55:46 " and "Dec 10 2005 06:55:46 ".
std::optional<Stamp> take_stamp(std::string_view& text) {
  std::string_view rest = text;
  Stamp stamp;
  stamp.civil.month = month_number(rest.substr(0, 3));
  if (stamp.civil.month == 0) return std::nullopt;
  rest.remove_prefix(3);
  if (!skip(rest, " ")) return std::nullopt;
  skip(rest, " ");
  const auto day = take_number(rest);
  if (!day || !skip(rest, " ")) return std::nullopt;
  stamp.civil.day = static_cast<unsigned>(*day);
  if (rest.size() > 5 && rest[4] == ' ' && is_digits(rest.substr(0, 4))) {
    stamp.civil.year = *take_number(rest);
    stamp.has_year = true;
    rest.remove_prefix(1);
  }
  if (!take_clock(rest, stamp.civil)) return std::nullopt;
  skip(rest, ":");  // some routers end the time so
  if (!rest.empty() && !skip(rest, " ")) return std::nullopt;
  text = rest;
  return stamp;
}

std::string shown(std::string_view text) {
  return "'" + printable(text.substr(0, 40)) + "'";
}

std::string set_time(Draft& draft, const Stamp& stamp, std::string_view written) {
  const auto& settings = draft.settings;
  if (!stamp.has_year) {
    const auto at = without_year(stamp.civil, settings.year, settings.zone, draft.event.received);
    if (at) {
      draft.event.time = *at;
      return {};
    }
    const auto& fixed = settings.year.fixed;
    return "the time " + shown(written) + " does not exist in " +
           (fixed ? "the year " + std::to_string(*fixed) : "any year near that of its arrival");
  }
  const auto local = from_civil(stamp.civil);
  if (!local) return "the time " + shown(written) + " is not in the calendar";
  draft.event.time = settings.zone.to_utc(*local);
  return {};
}

// What stands before the message: "sshd[24200]: ".
struct Tag {
  std::string_view program;
  std::string_view pid;
};

// A tag ends at a space, at a colon before a space, or at the bracket of its process id.
std::size_t tag_length(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ' || text[i] == '[') return i;
    if (text[i] == ':' && (i + 1 == text.size() || text[i + 1] == ' ')) return i;
  }
  return text.size();
}

Tag take_tag(std::string_view& text) {
  Tag tag;
  // Red Hat's login wrote its own name as nothing and the user's behind two dashes.
  if (text.starts_with(" -- ") || text.starts_with("-- ")) {
    tag.program = "login";
    text.remove_prefix(text.find("-- ") + 3);
    text.remove_prefix(tag_length(text));
  } else {
    while (skip(text, " ")) {
    }
    tag.program = text.substr(0, tag_length(text));
    text.remove_prefix(tag.program.size());
  }
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    const bool closed = end != std::string_view::npos && is_digits(text.substr(1, end - 1));
    if (closed) {
      tag.pid = text.substr(1, end - 1);
      text.remove_prefix(end + 1);
    }
  }
  skip(text, ":");
  skip(text, " ");
  return tag;
}

void add_pid(Event& event, std::string_view pid) {
  if (pid.empty()) return;
  // A number has one text in JSON, so what is too long or begins with 0 stays a text.
  const bool plain = is_digits(pid) && pid.size() < 10 && (pid == "0" || pid.front() != '0');
  event.fields.add("pid", pid, plain ? FieldKind::number : FieldKind::string);
}

void add_host(Event& event, std::string_view host) {
  if (host.empty()) return;
  event.fields.add("hostname", host);
  event.ocsf.device = host;
}

// Host, tag and message.
void read_rest(Draft& draft, std::string_view text, const DecoderEntry* forced) {
  Event& event = draft.event;
  // A sender without a name of its own leaves the host out; its tag then ends with a colon.
  const std::size_t space = text.find(' ');
  const bool has_host = space != std::string_view::npos && space > 0 && text[space - 1] != ':';
  if (has_host) {
    add_host(event, text.substr(0, space));
    text.remove_prefix(space + 1);
  }
  if (text.starts_with("last message repeated ")) {
    // The old form does not say what was repeated, so there is nothing to count it for.
    event.fields.add("program", "syslogd");
    read_message(event, "syslogd", text, forced);
    return;
  }
  const Tag tag = take_tag(text);
  event.fields.add("program", tag.program);
  add_pid(event, tag.pid);
  read_message(event, tag.program, text, forced);
}

// One element of structured data, the text standing behind its '['. Parameters become fields named
// sd.ELEMENT.PARAMETER.
bool take_element(std::string_view& text, Event& event) {
  const std::string_view id = text.substr(0, text.find_first_of(" ]=\""));
  if (id.empty() || id.size() == text.size()) return false;
  text.remove_prefix(id.size());
  std::string name;
  std::string value;
  while (skip(text, " ")) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos) return false;
    name.assign("sd.").append(id).append(".").append(text.substr(0, equals));
    text.remove_prefix(equals + 1);
    if (!skip(text, "\"")) return false;
    value.clear();
    std::size_t i = 0;
    for (; i < text.size() && text[i] != '"'; ++i) {
      const bool escaped = text[i] == '\\' && i + 1 < text.size() &&
                           (text[i + 1] == '"' || text[i + 1] == '\\' || text[i + 1] == ']');
      if (escaped) ++i;
      value += text[i];
    }
    if (i == text.size()) return false;
    text.remove_prefix(i + 1);
    event.fields.add(name, value);
  }
  return skip(text, "]");
}

std::string read_rfc5424(Draft& draft, std::string_view text, const DecoderEntry* forced) {
  Event& event = draft.event;
  const std::string_view time = take_word(text);
  if (time != "-") {
    const auto at = parse_rfc3339(time);
    if (!at) return "RFC 5424: " + at.error().what;
    event.time = *at;
  }
  const auto told = [](std::string_view word) { return word == "-" ? std::string_view() : word; };
  add_host(event, told(take_word(text)));
  const std::string_view program = told(take_word(text));
  add(event, "program", program);
  add_pid(event, told(take_word(text)));
  add(event, "msgid", told(take_word(text)));
  if (!skip(text, "-")) {
    if (!text.starts_with('[')) return "RFC 5424: structured data is missing where it must stand";
    while (skip(text, "[")) {
      if (!take_element(text, event)) return "RFC 5424: structured data is not well formed";
    }
  }
  skip(text, " ");
  skip(text, "\xEF\xBB\xBF");
  skip(text, " ");  // rsyslog keeps the blank that stood behind RFC 3164's tag
  read_message(event, program, text, forced);
  return {};
}

std::string read_envelope(Draft& draft, const DecoderEntry* forced) {
  std::string_view text = draft.text;
  const bool has_priority = take_priority(text, draft.event);
  if (has_priority && skip(text, "1 ")) return read_rfc5424(draft, text, forced);
  const std::string_view whole = text;
  if (const auto stamp = take_stamp(text)) {
    const std::string_view written = whole.substr(0, whole.size() - text.size());
    if (std::string why = set_time(draft, *stamp, trim(written)); !why.empty()) return why;
    read_rest(draft, text, forced);
    return {};
  }
  if (text.size() > 19 && text[4] == '-' && text[10] == 'T') {
    const auto at = parse_rfc3339(take_word(text));
    if (!at) return "syslog: " + at.error().what;
    draft.event.time = *at;
    read_rest(draft, text, forced);
    return {};
  }
  return "no syslog time stamp at the beginning: " + shown(whole);
}

}  // namespace

std::string read_syslog(Draft& draft) {
  return read_envelope(draft, nullptr);
}

std::string read_syslog_as(Draft& draft, const DecoderEntry& entry) {
  return read_envelope(draft, &entry);
}

}  // namespace mailwarden::ingest
