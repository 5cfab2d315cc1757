// What a record is, by its first bytes.
#include <array>

#include "base/text.h"
#include "ingest/decode/draft.h"
#include "ingest/decode/scan.h"

namespace mailwarden::ingest {
namespace {

bool is_weekday(std::string_view text) {
  constexpr std::array<std::string_view, 7> days{"Sun ", "Mon ", "Tue ", "Wed ",
                                                 "Thu ", "Fri ", "Sat "};
  for (const std::string_view day : days) {
    if (text.starts_with(day)) return true;
  }
  return false;
}

// "2026/11/24 02:20:01 [error] " of nginx.
bool is_nginx_error(std::string_view text) {
  return text.size() > 21 && text[4] == '/' && text[7] == '/' && text[10] == ' ' &&
         text.substr(19, 2) == " [";
}

// "2026-11-24T02:20:01" of rsyslog.
bool is_iso_syslog(std::string_view text) {
  return text.size() > 19 && text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':';
}

bool is_syslog(std::string_view text) {
  return (text.front() == '<' && text.size() > 2 && is_digits(text.substr(1, 1))) ||
         month_number(text.substr(0, 3)) > 0 || is_iso_syslog(text);
}

}  // namespace

std::string read_auto(Draft& draft) {
  const std::string_view text = draft.text;
  if (is_syslog(text)) return read_syslog(draft);
  if (text.front() == '{') return read_json(draft);
  if (text.starts_with("type=") || text.starts_with("node=")) return read_audit(draft);
  if (text.front() == '[' && is_weekday(text.substr(1))) return read_apache_error(draft);
  if (is_nginx_error(text)) return read_nginx_error(draft);
  if (text.find("] \"") != text.npos) return read_combined(draft);
  return "no known form of record begins with '" + printable(text.substr(0, 40)) + "'";
}

}  // namespace mailwarden::ingest
