// Postfix: who connected, who signed in, what was accepted, where it went.
#include <array>
#include <optional>

#include "base/text.h"
#include "ingest/decode/draft.h"
#include "ingest/decode/postfix_client.h"
#include "ingest/decode/scan.h"

namespace mailwarden::ingest {
namespace {

constexpr int email_send = 1;
constexpr int email_receive = 2;
constexpr int other = 99;

void add_sender(Event& event, std::string_view address) {
  add(event, "from", address);
  event.ocsf.email_from = address;
}

void add_recipient(Event& event, std::string_view address) {
  add(event, "to", address);
  event.ocsf.email_to = address;
}

void network(Event& event, std::string_view what, Outcome status = Outcome::unknown) {
  happened(event, what);
  set_class(event, ocsf_class::network_activity, other, status);
}

bool with_client(std::string_view text, Event& event, std::string_view what,
                 Outcome status = Outcome::unknown) {
  const auto client = take_client(text);
  if (!client) return false;
  network(event, what, status);
  add_client(event, *client);
  skip(text, ":");
  add(event, "reason", trim(text));
  return true;
}

bool connected(std::string_view text, Event& event) {
  return with_client(text, event, "connection");
}

// " ehlo=1 auth=0/3 quit=1 commands=2/5": succeeded and tried, or one number where all succeeded.
void add_counts(std::string_view text, Event& event) {
  while (!text.empty()) {
    const std::string_view word = take_word(text);
    const std::size_t equals = word.find('=');
    if (equals == word.npos || equals == 0) continue;
    const std::string_view name = word.substr(0, equals);
    std::string_view value = word.substr(equals + 1);
    std::string field("count_");
    field += name;
    event.fields.add(field, value);
    const auto good = take_number(value);
    if (name != "auth" || !good || !skip(value, "/")) continue;
    const auto all = take_number(value);
    if (all && *all >= *good) event.fields.add("auth_failed", std::int64_t{*all - *good});
  }
}

bool client_disconnected(std::string_view text, Event& event) {
  const auto client = take_client(text);
  if (!client) return false;
  network(event, "disconnected");
  add_client(event, *client);
  add_counts(text, event);
  return true;
}

// "AUTH from unknown[192.0.2.1]" behind "lost connection after " and its like.
bool after_command(std::string_view text, Event& event, std::string_view what) {
  const auto command = take_until(text, " from ");
  if (!command || !with_client(text, event, what, Outcome::failure)) return false;
  event.fields.add("command", *command);
  return true;
}

bool lost(std::string_view text, Event& event) {
  return after_command(text, event, "connection_lost");
}
bool client_timed_out(std::string_view text, Event& event) {
  return after_command(text, event, "timed_out");
}
bool too_many_errors(std::string_view text, Event& event) {
  return after_command(text, event, "too_many_errors");
}
bool pipelining(std::string_view text, Event& event) {
  return after_command(text, event, "improper_pipelining");
}
bool tls_failed(std::string_view text, Event& event) {
  return with_client(text, event, "tls_failed", Outcome::failure);
}
bool not_smtp(std::string_view text, Event& event) {
  return with_client(text, event, "non_smtp_command", Outcome::failure);
}

// "hostname mail.example.com does not resolve to address 192.0.2.1: Name or service not known"
bool not_resolved(std::string_view text, Event& event) {
  const auto host = take_until(text, " does not resolve to address ");
  if (!host) return false;
  network(event, "reverse_mapping_failed", Outcome::failure);
  set_source(event, text.substr(0, text.find(": ")), 0);
  event.fields.add("src_host", *host);
  return true;
}

// "hostname[192.0.2.1]: SASL LOGIN authentication failed: reason, sasl_username=alice"
bool sasl_failed(std::string_view text, Event& event) {
  const auto client = take_client(text);
  if (!client || !skip(text, ": SASL ")) return false;
  const auto method = take_until(text, " authentication failed");
  if (!method) return false;
  happened(event, "login_failed");
  set_class(event, ocsf_class::authentication, 1, Outcome::failure);
  event.fields.add("method", *method);
  const std::size_t name = text.rfind(", sasl_username=");
  if (name != text.npos) set_user(event, text.substr(name + 16));
  add_client(event, *client);
  std::string_view reason = text.substr(0, name);
  skip(reason, ": ");
  add(event, "reason", reason);
  return true;
}

// "Connection rate limit exceeded: 31 from unknown[192.0.2.1] for service smtp"
bool limit_exceeded(std::string_view text, Event& event) {
  const auto limit = take_until(text, " limit exceeded: ");
  const auto count = limit ? take_until(text, " from ") : std::nullopt;
  if (!count) return false;
  const auto client = take_client(text);
  if (!client) return false;
  network(event, "limit_exceeded", Outcome::failure);
  event.fields.add("limit", *limit);
  event.fields.add("count", *count);
  add_client(event, *client);
  return true;
}

// "RCPT from unknown[192.0.2.1]: 554 5.7.1 <b@example.net>: Relay access denied; from=<…> to=<…>
// proto=ESMTP helo=<…>": a message refused, held or noted by a rule of smtpd, cleanup or a milter.
// A header or body line quoted as the stage is the sender's own text, so its end is looked for from
// behind, and what stands after it is "; from=<…>".
bool refused(std::string_view text, Event& event, std::string_view action) {
  const bool quoted = text.starts_with("header ") || text.starts_with("body ");
  const std::size_t mark = quoted ? text.rfind("; from=<") : text.npos;
  const std::size_t from = quoted ? text.rfind(" from ", mark) : text.find(" from ");
  if (from == text.npos || (quoted && mark == text.npos)) return false;
  const std::string_view stage = text.substr(0, from);
  text.remove_prefix(from + 6);
  const auto client = take_client(text);
  if (!client || !(quoted ? text.starts_with("; ") : skip(text, ": "))) return false;
  happened(event, "mail_refused");
  event.fields.add("action", action);
  event.fields.add("stage", stage);
  const bool final = action.ends_with("reject") || action == "discard";
  set_class(event, ocsf_class::email_activity, email_receive,
            final ? Outcome::failure : Outcome::unknown);
  add_client(event, *client);
  const std::size_t end = text.find("; from=<");
  std::string_view reply = text.substr(0, end);
  std::string_view rest = reply;
  const std::string_view code = take_word(rest);
  if (code.size() == 3 && is_digits(code)) {
    event.fields.add("code", code);
    reply = rest;
    const std::string_view dsn = take_word(rest);
    if (dsn.size() >= 5 && dsn[1] == '.') {
      event.fields.add("dsn", dsn);
      reply = rest;
    }
  }
  add(event, "reason", reply);
  if (end == text.npos) return true;
  const std::string_view envelope = text.substr(end + 2);
  add_sender(event, angled(envelope, "from=<"));
  add_recipient(event, angled(envelope, "to=<"));
  add(event, "helo", angled(envelope, "helo=<"));
  return true;
}

// "client=mail.example.com[192.0.2.1], sasl_method=PLAIN, sasl_username=alice": the message has its
// place in the queue and the sender, where he signed in, is known.
bool client_is(std::string_view text, Event& event) {
  const auto client = take_client(text);
  if (!client) return false;
  std::string_view rest = text;
  skip(rest, ", ");
  const std::string_view user = listed_value(rest, "sasl_username");
  happened(event, user.empty() ? "mail_accepted" : "mail_submitted");
  set_class(event, ocsf_class::email_activity, email_receive, Outcome::success);
  add_client(event, *client);
  add(event, "method", listed_value(rest, "sasl_method"));
  add(event, "sasl_sender", listed_value(rest, "sasl_sender"));
  set_user(event, user);
  event.ocsf.actor_user = event.ocsf.user;
  return true;
}

// "Anonymous TLS connection established from mail.example.com[192.0.2.1]: TLSv1.3 with cipher …"
bool tls_established(std::string_view text, Event& event) {
  constexpr std::string_view mark = " TLS connection established ";
  const std::size_t at = text.find(mark);
  if (at > 16) return false;  // npos too
  std::string_view rest = text.substr(at + mark.size());
  const bool from = skip(rest, "from ");
  if (!from && !skip(rest, "to ")) return false;
  const auto peer = take_client(rest);
  if (!peer || !skip(rest, ": ")) return false;
  network(event, "tls_established", Outcome::success);
  event.fields.add("trust", text.substr(0, at));
  if (from) {
    add_client(event, *peer);
  } else {
    event.fields.add("relay", peer->host);
    event.ocsf.dst = peer->host;
  }
  event.fields.add("tls_version", take_word(rest));
  if (skip(rest, "with cipher ")) event.fields.add("tls_cipher", take_word(rest));
  return true;
}

bool message_id(std::string_view text, Event& event) {
  happened(event, "message_id");
  set_class(event, ocsf_class::email_activity, other, Outcome::unknown);
  if (skip(text, "<")) cut(text, ">");
  add(event, "message_id", text);
  return true;
}

// qmgr "from=<a@example.com>, size=421, nrcpt=1 (queue active)", pickup "uid=0 from=<root>"
bool from_sender(std::string_view text, Event& event) {
  const bool expired = text.find(", status=expired") != text.npos;
  happened(event, expired ? "mail_expired" : "mail_queued");
  set_class(event, ocsf_class::email_activity, expired ? email_send : other,
            expired ? Outcome::failure : Outcome::unknown);
  add_sender(event, angled(text, "from=<"));
  if (expired) event.fields.add("status", "expired");
  const std::size_t after = text.rfind(">, size=");
  if (after == text.npos) return true;
  std::string_view rest = text.substr(after + 8);
  if (const auto size = take_number(rest)) event.fields.add("size", std::int64_t{*size});
  if (skip(rest, ", nrcpt=")) {
    if (const auto count = take_number(rest)) event.fields.add("nrcpt", std::int64_t{*count});
  }
  return true;
}

bool picked_up(std::string_view text, Event& event) {
  const std::string_view uid = take_word(text);
  happened(event, "mail_submitted");
  set_class(event, ocsf_class::email_activity, email_receive, Outcome::success);
  event.fields.add("uid", uid);
  add_sender(event, angled(text, "from=<"));
  event.ocsf.actor_user = event.ocsf.email_from;
  return true;
}

bool removed(std::string_view, Event& event) {
  happened(event, "mail_removed");
  set_class(event, ocsf_class::email_activity, other, Outcome::unknown);
  return true;
}

// "to=<b@example.net>, orig_to=<c>, relay=mx.example.net[192.0.2.9]:25, delay=0.2, delays=…,
// dsn=2.0.0, status=sent (250 2.0.0 Ok)". The remote server's reply stands last, in brackets.
bool delivery(std::string_view text, Event& event) {
  const std::string_view rest = text;
  const std::size_t status_at = rest.find(", status=");
  if (status_at == rest.npos) return false;
  std::string_view status = rest.substr(status_at + 9);
  const std::string_view facts = rest.substr(0, status_at);
  std::string_view response = status;
  status = take_word(response);
  const bool sent = status == "sent" || status == "delivered" || status == "deliverable";
  happened(event, sent ? "mail_sent" : status == "deferred" ? "mail_deferred" : "mail_bounced");
  set_class(event, ocsf_class::email_activity, email_send,
            sent                   ? Outcome::success
            : status == "deferred" ? Outcome::unknown
                                   : Outcome::failure);
  add_recipient(event, angled(facts, "to=<"));
  add(event, "orig_to", angled(facts, "orig_to=<"));
  const std::size_t relay_at = facts.rfind(", relay=");
  const std::string_view tail = relay_at == facts.npos ? facts : facts.substr(relay_at + 2);
  const std::string_view relay = listed_value(tail, "relay");
  add(event, "relay", relay);
  // "none", "local" and the names of pipes are no hosts.
  if (const std::size_t bracket = relay.find('['); bracket != relay.npos) {
    event.ocsf.dst = relay.substr(0, bracket);
  }
  for (const std::string_view name : {"delay", "delays", "dsn"}) {
    add(event, name, listed_value(tail, name));
  }
  event.fields.add("status", status);
  if (skip(response, "(")) cut(response, ")");
  add(event, "response", response);
  return true;
}

// "sender non-delivery notification: 4F1A2B3C4D"
bool notification(std::string_view text, Event& event) {
  constexpr std::string_view mark = " notification: ";
  const std::size_t at = text.rfind(mark);
  if (at == text.npos) return false;
  happened(event, "notification_sent");
  set_class(event, ocsf_class::email_activity, other, Outcome::unknown);
  event.fields.add("notification", text.substr(0, at));
  event.fields.add("notification_id", text.substr(at + mark.size()));
  return true;
}

// smtp: "connect to mx.example.net[192.0.2.9]:25: Connection refused"
bool connect_to(std::string_view text, Event& event) {
  const auto peer = take_client(text);
  if (!peer) return false;
  network(event, "relay_unreachable", Outcome::failure);
  event.fields.add("relay", peer->host);
  event.fields.add("dst_ip", peer->address);
  event.ocsf.dst = peer->host;
  skip(text, ": ");
  add(event, "reason", text);
  return true;
}

// smtp: "host mx.example.net[192.0.2.9] said: 450 4.2.0 … (in reply to RCPT TO command)"
bool host_said(std::string_view text, Event& event) {
  const auto peer = take_client(text);
  if (!peer || (!skip(text, " said: ") && !skip(text, " refused to talk to me: "))) return false;
  network(event, "relay_reply", Outcome::failure);
  event.fields.add("relay", peer->host);
  event.fields.add("dst_ip", peer->address);
  event.ocsf.dst = peer->host;
  event.fields.add("response", text);
  return true;
}

bool statistics(std::string_view text, Event& event) {
  happened(event, "statistics");
  event.fields.add("statistics", text);
  return true;
}

bool service_notice(std::string_view, Event& event) {
  happened(event, "service_notice");
  return true;
}

// postscreen: "PREGREET 11 after 0.1 from [192.0.2.1]:4711: EHLO x", "PASS NEW [192.0.2.1]:4711"
bool screened(std::string_view text, Event& event, std::string_view verdict, bool refusal) {
  const std::size_t open = text.find('[');
  if (open == text.npos) return false;
  std::string_view rest = text.substr(open);
  const auto client = take_client(rest);
  if (!client) return false;
  network(event, "screened", refusal ? Outcome::failure : Outcome::unknown);
  event.fields.add("verdict", verdict);
  add_client(event, *client);
  if (skip(rest, ": ")) add(event, "reason", rest);
  return true;
}

bool read_postscreen(std::string_view text, Event& event) {
  struct Verdict {
    std::string_view words;
    bool refusal;
  };
  constexpr std::array verdicts{Verdict{"CONNECT from ", false},
                                Verdict{"DISCONNECT ", false},
                                Verdict{"PASS NEW ", false},
                                Verdict{"PASS OLD ", false},
                                Verdict{"PREGREET ", true},
                                Verdict{"HANGUP ", true},
                                Verdict{"DNSBL rank ", true},
                                Verdict{"WHITELISTED ", false},
                                Verdict{"ALLOWLISTED ", false},
                                Verdict{"BLACKLISTED ", true},
                                Verdict{"DENYLISTED ", true},
                                Verdict{"NON-SMTP COMMAND from ", true},
                                Verdict{"COMMAND PIPELINING from ", true},
                                Verdict{"BARE NEWLINE from ", true},
                                Verdict{"COMMAND TIME LIMIT from ", true},
                                Verdict{"COMMAND COUNT LIMIT from ", true},
                                Verdict{"COMMAND LENGTH LIMIT from ", true}};
  for (const Verdict& verdict : verdicts) {
    std::string_view rest = text;
    if (!skip(rest, verdict.words)) continue;
    std::string_view name = verdict.words;
    if (!cut(name, " from ")) cut(name, " ");
    return screened(rest, event, name, verdict.refusal);
  }
  return false;
}

constexpr std::array postfix_patterns{
    Pattern{"removed", &removed},
    Pattern{"client=", &client_is},
    Pattern{"connect from ", &connected},
    Pattern{"disconnect from ", &client_disconnected},
    Pattern{"message-id=", &message_id},
    Pattern{"resent-message-id=", &message_id},
    Pattern{"lost connection after ", &lost},
    Pattern{"timeout after ", &client_timed_out},
    Pattern{"too many errors after ", &too_many_errors},
    Pattern{"improper command pipelining after ", &pipelining},
    Pattern{"SSL_accept error from ", &tls_failed},
    Pattern{"non-SMTP command from ", &not_smtp},
    Pattern{"hostname ", &not_resolved},
    Pattern{"uid=", &picked_up},
    Pattern{"connect to ", &connect_to},
    Pattern{"host ", &host_said},
    Pattern{"statistics: ", &statistics},
    Pattern{"daemon started ", &service_notice},
    Pattern{"reload ", &service_notice},
    Pattern{"terminating on signal ", &service_notice},
    Pattern{"starting the Postfix mail system", &service_notice},
    Pattern{"stopping the Postfix mail system", &service_notice},
    Pattern{"refreshing the Postfix mail system", &service_notice},
    Pattern{"TLS library problem: ", &service_notice},
};

constexpr std::array<std::string_view, 8> actions{"reject",      "milter-reject", "hold",
                                                  "milter-hold", "discard",       "milter-discard",
                                                  "warn",        "filter"};

// "4F1A2B3C4D: ", or the long form with all letters. NOQUEUE stands where there is none.
void take_queue_id(std::string_view& text, Event& event) {
  const std::size_t end = text.find(": ");
  if (end == text.npos || end < 6 || end > 24) return;
  const std::string_view id = text.substr(0, end);
  for (const char c : id) {
    const bool fits = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!fits) return;
  }
  const bool word = id.find_first_of("0123456789") == id.npos && id != "NOQUEUE";
  if (word) return;
  if (id != "NOQUEUE") event.fields.add("queue_id", id);
  text.remove_prefix(end + 2);
}

void take_level(std::string_view& text, Event& event) {
  for (const std::string_view level : {"warning", "error", "fatal", "panic"}) {
    std::string_view rest = text;
    if (!skip(rest, level) || !skip(rest, ": ")) continue;
    event.fields.add("level", level);
    text = rest;
    return;
  }
}

bool read_action(std::string_view text, Event& event) {
  for (const std::string_view action : actions) {
    std::string_view rest = text;
    if (skip(rest, action) && skip(rest, ": ")) return refused(rest, event, action);
  }
  return false;
}

}  // namespace

bool read_postfix(std::string_view text, Event& event) {
  const std::string program(event.fields.text("program"));
  const std::string_view component = std::string_view(program).substr(program.rfind('/') + 1);
  event.fields.add("component", component);
  event.ocsf.service = program;
  take_level(text, event);
  take_queue_id(text, event);
  take_level(text, event);
  if (text.starts_with("to=<")) return delivery(text, event);
  if (text.starts_with("from=<")) return from_sender(text, event);
  const Pattern* const pattern = take_pattern(postfix_patterns, text);
  if (pattern != nullptr) return pattern->read(text, event);
  if (component == "postscreen" || component == "tlsproxy") {
    if (read_postscreen(text, event)) return true;
  }
  return read_action(text, event) || sasl_failed(text, event) || limit_exceeded(text, event) ||
         tls_established(text, event) || notification(text, event);
}

}  // namespace mailwarden::ingest
