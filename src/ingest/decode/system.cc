// cron, systemd-logind, the kernel, login and the doors of older systems.

#include "base/text.h"
#include "ingest/decode/draft.h"
#include "ingest/decode/scan.h"

namespace mailwarden::ingest {
namespace {

void sign_in(Event& event, std::string_view what, Outcome status) {
  happened(event, what);
  set_class(event, ocsf_class::authentication, 1, status);
}

// A host as telnetd, ftpd and klogind name it: "192.0.2.1 (host.example.com)". The address may
// stand in either place.
void add_remote(Event& event, std::string_view text) {
  const std::string_view first = take_word(text);
  std::string_view second;
  if (skip(text, "(")) second = text.substr(0, text.find(')'));
  const bool swapped = !is_address(first) && is_address(second);
  set_source(event, swapped ? second : first, 0);
  const std::string_view host = swapped ? first : second;
  if (host != event.ocsf.src_ip) add(event, "src_host", host);
}

}  // namespace

// "(root) CMD (run-parts /etc/cron.hourly)": who, what kind of entry, what.
bool read_cron(std::string_view text, Event& event) {
  if (!skip(text, "(")) return false;
  const auto user = take_until(text, ") ");
  if (!user) return false;
  std::string_view rest = text;
  const auto action = take_until(rest, " (");
  if (!action || !cut(rest, ")")) return false;
  set_user(event, *user);
  event.fields.add("action", *action);
  if (*action == "CMD") {
    happened(event, "command_run");
    set_class(event, ocsf_class::process_activity, 1, Outcome::success);
    event.fields.add("command", trim(rest));
  } else if (*action == "REPLACE" || *action == "DELETE") {
    const bool replaced = *action == "REPLACE";
    happened(event, replaced ? "crontab_replaced" : "crontab_deleted");
    set_class(event, ocsf_class::entity_management, replaced ? 3 : 4, Outcome::success);
    event.fields.add("crontab", rest);
  } else {
    happened(event, "cron_notice");
    event.fields.add("reason", rest);
  }
  event.ocsf.resource = trim(rest);
  return true;
}

// "New session 5 of user alice.", "Removed session 5.", "Session 5 logged out. …"
bool read_logind(std::string_view text, Event& event) {
  std::string_view rest = text;
  if (skip(rest, "New session ")) {
    const auto session = take_until(rest, " of user ");
    if (!session) return false;
    cut(rest, ".");
    happened(event, "session_opened");
    set_class(event, ocsf_class::authorize_session, 99, Outcome::success);
    event.fields.add("session", *session);
    set_user(event, rest);
    return true;
  }
  if (skip(rest, "Removed session ")) {
    cut(rest, ".");
    happened(event, "session_closed");
    event.fields.add("session", rest);
    return true;
  }
  if (skip(rest, "Session ")) {
    happened(event, "session_notice");
    event.fields.add("session", take_word(rest));
    return true;
  }
  const bool known = rest.starts_with("New seat ") || rest.starts_with("Watching system buttons") ||
                     rest.starts_with("System is ") || rest.starts_with("Power key pressed");
  if (known) happened(event, "system_notice");
  return known;
}

// "[ 1234.567890] text", and the firewall's lines with IN=, SRC= and so on.
bool read_kernel(std::string_view text, Event& event) {
  std::string_view rest = text;
  if (skip(rest, "[")) {
    const auto uptime = take_until(rest, "] ");
    if (uptime && to_number(trim(*uptime))) {
      event.fields.add("uptime", trim(*uptime));
      text = rest;
    }
  }
  const std::size_t in = text.find("IN=");
  if (in == text.npos || text.find(" SRC=") == text.npos) return false;
  happened(event, "packet_logged");
  set_class(event, ocsf_class::network_activity, 99, Outcome::unknown);
  add(event, "prefix", trim(text.substr(0, in)));
  std::string_view words = text.substr(in);
  std::string_view address;
  int port = 0;
  while (!words.empty()) {
    const std::string_view word = take_word(words);
    const std::size_t equals = word.find('=');
    if (equals == word.npos) continue;
    const std::string_view name = word.substr(0, equals);
    const std::string_view value = word.substr(equals + 1);
    if (name == "SRC") address = value;
    if (name == "SPT") port = to_port(value);
    if (name == "DST") add(event, "dst_ip", value);
    if (name == "DPT") add(event, "dst_port", value);
    if (name == "PROTO") add(event, "protocol", value);
    if (name == "IN") add(event, "in_interface", value);
    if (name == "OUT") add(event, "out_interface", value);
  }
  set_source(event, address, port);
  return true;
}

namespace {

// "ROOT LOGIN ON tty2", "LOGIN ON tty1 BY alice"
bool login_on(std::string_view text, Event& event) {
  const bool root = skip(text, "ROOT ");
  if (!skip(text, "LOGIN ")) return false;
  std::string_view rest = text;
  if (!skip(rest, "ON ") && !skip(rest, " ON ")) return false;
  sign_in(event, "login_accepted", Outcome::success);
  const std::string_view terminal = take_word(rest);
  add(event, "tty", terminal);
  if (skip(rest, "BY ")) {
    set_user(event, take_word(rest));
  } else if (root) {
    set_user(event, "root");
  }
  if (skip(rest, "FROM ")) set_source(event, take_word(rest), 0);
  return true;
}

// "FAILED LOGIN (1) on '/dev/tty1' FOR 'alice', Authentication failure"
bool failed_login(std::string_view text, Event& event) {
  if (!skip(text, "FAILED LOGIN ")) return false;
  sign_in(event, "login_failed", Outcome::failure);
  const std::size_t name = text.find(" FOR '");
  if (name != text.npos) {
    const std::string_view rest = text.substr(name + 6);
    set_user(event, rest.substr(0, rest.rfind('\'')));
  }
  if (const std::size_t on = text.find("on '"); on != text.npos && on < name) {
    const std::string_view terminal = text.substr(on + 4);
    add(event, "tty", terminal.substr(0, terminal.find('\'')));
  }
  if (const std::size_t from = text.find("FROM "); from != text.npos && from < name) {
    std::string_view host = text.substr(from + 5);
    set_source(event, take_word(host), 0);
  }
  return true;
}

// klogind: "Authentication failed from 192.0.2.1 (host): Permission denied in replay cache code".
// The line before it, "Kerberos authentication failed", names nobody and is the same attempt.
bool failed_from(std::string_view text, Event& event) {
  if (text.starts_with("Kerberos authentication failed")) {
    happened(event, "kerberos_failed");
    set_class(event, ocsf_class::authentication, 99, Outcome::failure);
    return true;
  }
  if (!skip(text, "Authentication failed from ")) return false;
  sign_in(event, "login_failed", Outcome::failure);
  const std::size_t end = text.find("): ");
  add_remote(event, text.substr(0, end == text.npos ? end : end + 1));
  if (end != text.npos) event.fields.add("reason", trim(text.substr(end + 3)));
  return true;
}

bool connect_from(std::string_view text, Event& event) {
  if (!skip(text, "connect from ") && !skip(text, "refused connect from ")) return false;
  happened(event, "connection");
  set_class(event, ocsf_class::network_activity, 99, Outcome::unknown);
  add_remote(event, text);
  return true;
}

bool not_authenticated(std::string_view text, Event& event) {
  if (text != "Couldn't authenticate user") return false;
  happened(event, "login_not_authenticated");
  set_class(event, ocsf_class::authentication, 99, Outcome::failure);
  return true;
}

}  // namespace

bool read_login(std::string_view text, Event& event) {
  return login_on(text, event) || failed_login(text, event) || failed_from(text, event) ||
         connect_from(text, event) || not_authenticated(text, event);
}

namespace {

// vsftpd: '[pid 2] [alice] FAIL LOGIN: Client "192.0.2.1"' and 'CONNECT: Client "192.0.2.1"'.
bool read_vsftpd(std::string_view text, Event& event) {
  const std::size_t client = text.rfind(": Client \"");
  if (client == text.npos) return false;
  std::string_view head = text.substr(0, client);
  if (skip(head, "[pid ")) take_until(head, "] ");
  std::string_view name;
  if (head.starts_with('[')) {
    const std::size_t end = head.rfind("] ");
    if (end == head.npos) return false;
    name = head.substr(1, end - 1);
    head = head.substr(end + 2);
  }
  if (head == "OK LOGIN" || head == "FAIL LOGIN") {
    const bool ok = head.starts_with("OK");
    sign_in(event, ok ? "login_accepted" : "login_failed",
            ok ? Outcome::success : Outcome::failure);
  } else {
    happened(event, "ftp_action");
    event.fields.add("action", head);
    set_class(event, ocsf_class::network_activity, 99, Outcome::unknown);
  }
  set_user(event, name);
  const std::string_view address = text.substr(client + 10);
  set_source(event, address.substr(0, address.find('"')), 0);
  return true;
}

}  // namespace

// "connection from 192.0.2.1 (host.example.com) at Sun Jul 10 07:24:24 2005" and
// "ANONYMOUS FTP LOGIN FROM 192.0.2.1,  (anonymous)"
bool read_ftp(std::string_view text, Event& event) {
  std::string_view rest = text;
  if (skip(rest, "connection from ")) {
    happened(event, "connection");
    set_class(event, ocsf_class::network_activity, 99, Outcome::unknown);
    add_remote(event, rest.substr(0, rest.rfind(" at ")));
    return true;
  }
  if (skip(rest, "ANONYMOUS FTP LOGIN FROM ")) {
    sign_in(event, "login_accepted", Outcome::success);
    set_user(event, "anonymous");
    set_source(event, rest.substr(0, rest.find_first_of(", ")), 0);
    return true;
  }
  if (skip(rest, "FTP LOGIN FROM ")) {
    const std::size_t name = rest.rfind(", ");
    sign_in(event, "login_accepted", Outcome::success);
    set_source(event, rest.substr(0, rest.find_first_of(", ")), 0);
    if (name != rest.npos) set_user(event, trim(rest.substr(name + 2)));
    return true;
  }
  if (skip(rest, "User ") && rest.find(" timed out after ") != rest.npos) {
    happened(event, "session_timed_out");
    set_class(event, ocsf_class::network_activity, 99, Outcome::failure);
    return true;
  }
  return read_vsftpd(text, event);
}

}  // namespace mailwarden::ingest
