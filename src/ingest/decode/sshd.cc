#include <array>
#include <optional>

#include "base/text.h"
#include "ingest/decode/draft.h"
#include "ingest/decode/scan.h"
#include "ingest/decode/sshd_peer.h"

namespace mailwarden::ingest {
namespace {

void add_peer(Event& event, const Peer& peer) {
  set_source(event, peer.address, peer.port);
}

void add_name(Event& event, std::string_view name) {
  if (skip(name, "invalid user ") || skip(name, "illegal user ")) {
    event.fields.add("invalid_user", "true", FieldKind::boolean);
  }
  set_user(event, name);
}

// "password for invalid user alice from 192.0.2.1 port 22 ssh2"
bool read_attempt(std::string_view text, Event& event, std::string_view what, Outcome status) {
  const auto method = take_until(text, " for ");
  if (!method || method->find(' ') != method->npos) return false;
  const auto attempt = split_attempt(text);
  if (!attempt) return false;
  happened(event, what);
  event.fields.add("method", *method);
  set_class(event, ocsf_class::authentication, 1, status);
  add_name(event, attempt->name);
  if (attempt->peer) add_peer(event, *attempt->peer);
  add(event, "key", attempt->key);
  if (attempt->ambiguous) event.fields.add("ambiguous", "src_ip");
  return true;
}

bool failed(std::string_view text, Event& event) {
  // "none" is how a client asks which methods there are; no secret was tried.
  const bool asked = text.starts_with("none ");
  if (!read_attempt(text, event, asked ? "methods_asked" : "login_failed", Outcome::failure)) {
    return false;
  }
  if (asked) event.ocsf.activity_id = 99;
  return true;
}

bool accepted(std::string_view text, Event& event) {
  return read_attempt(text, event, "login_accepted", Outcome::success);
}

bool postponed(std::string_view text, Event& event) {
  if (!read_attempt(text, event, "login_postponed", Outcome::unknown)) return false;
  event.ocsf.activity_id = 99;
  return true;
}

// The end of a connection or another step of it that is no logon.
void step(Event& event, std::string_view what, Outcome status = Outcome::unknown) {
  happened(event, what);
  set_class(event, ocsf_class::network_activity, 99, status);
}

bool invalid_user(std::string_view text, Event& event) {
  const auto peer = cut_peer(text, " from ");
  if (!peer) return false;
  happened(event, "invalid_user");
  set_class(event, ocsf_class::authentication, 99, Outcome::failure);
  event.fields.add("invalid_user", "true", FieldKind::boolean);
  set_user(event, text);
  add_peer(event, *peer);
  return true;
}

bool input_request(std::string_view text, Event& event) {
  happened(event, "invalid_user_request");
  set_class(event, ocsf_class::authentication, 99, Outcome::failure);
  add_name(event, text);
  return true;
}

// "192.0.2.1 port 22:11: Bye Bye" (OpenSSH 7 and later) or "192.0.2.1: 11: Bye Bye".
bool received_disconnect(std::string_view text, Event& event) {
  std::string_view address = take_word(text);
  std::string_view reason = text;
  int port = 0;
  if (skip(reason, "port ")) {
    const auto number = take_number(reason);
    if (!number || !skip(reason, ":")) return false;
    port = *number;
  } else if (!cut(address, ":")) {
    return false;
  }
  if (port > 65535) return false;
  const auto code = take_number(reason);
  if (!code || !skip(reason, ":")) return false;
  step(event, "disconnect_received");
  add_peer(event, {address, port});
  event.fields.add("code", std::int64_t{*code});
  add(event, "reason", trim(reason));
  return true;
}

// "[authenticating user |invalid user |user ]NAME ADDRESS port N" or a peer alone.
bool read_end(std::string_view text, Event& event, std::string_view what) {
  const bool authenticating = skip(text, "authenticating user ");
  const bool user = !authenticating && skip(text, "user ");
  const bool invalid = !authenticating && !user && text.starts_with("invalid user ");
  const bool named = authenticating || user || invalid;
  const auto peer = named ? cut_peer_after_name(text) : to_peer(text);
  if (!peer) return false;
  step(event, what);
  if (named) add_name(event, text);
  add_peer(event, *peer);
  return true;
}

bool closed(std::string_view text, Event& event) {
  return read_end(text, event, "connection_closed");
}

bool was_reset(std::string_view text, Event& event) {
  return read_end(text, event, "connection_reset");
}

bool disconnected(std::string_view text, Event& event) {
  return read_end(text, event, "disconnected");
}

// "Disconnecting authenticating user root 192.0.2.1 port 22: Too many authentication failures", and
// without a peer "Disconnecting: Too many authentication failures for root".
bool disconnecting(std::string_view text, Event& event) {
  if (skip(text, ": ")) {
    step(event, "disconnecting");
    const std::size_t name = text.rfind(" for ");
    if (text.starts_with("Too many authentication failures for ")) {
      add_name(event, text.substr(name + 5));
      text = text.substr(0, name);
    }
    event.fields.add("reason", text);
    return true;
  }
  const std::size_t colon = text.rfind(": ");
  if (!skip(text, " ") || colon == text.npos) return false;
  const std::string_view reason = text.substr(colon + 1);
  if (!read_end(text.substr(0, colon - 1), event, "disconnecting")) return false;
  event.fields.add("reason", reason);
  return true;
}

bool max_attempts(std::string_view text, Event& event) {
  const auto attempt = split_attempt(text);
  if (!attempt) return false;
  happened(event, "attempts_exceeded");
  set_class(event, ocsf_class::authentication, 99, Outcome::failure);
  add_name(event, attempt->name);
  if (attempt->peer) add_peer(event, *attempt->peer);
  return true;
}

bool no_identification(std::string_view text, Event& event) {
  const auto peer = to_peer(text);
  if (!peer) return false;
  step(event, "no_identification", Outcome::failure);
  add_peer(event, *peer);
  return true;
}

bool bad_version(std::string_view text, Event& event) {
  const auto peer = cut_peer(text, " from ");
  if (!peer) return false;
  step(event, "bad_protocol_version", Outcome::failure);
  add_peer(event, *peer);
  if (skip(text, "'")) cut(text, "'");
  add(event, "identification", text);
  return true;
}

bool key_exchange(std::string_view text, Event& event) {
  step(event, "key_exchange_failed", Outcome::failure);
  event.fields.add("reason", text);
  return true;
}

// "Connection from 192.0.2.1 port 22: invalid format"
bool banner_exchange(std::string_view text, Event& event) {
  const auto peer_text = take_until(text, " port ");
  const auto port = take_number(text);
  if (!peer_text || !port || !skip(text, ": ")) return false;
  step(event, "banner_exchange_failed", Outcome::failure);
  set_source(event, *peer_text, *port <= 65535 ? *port : 0);
  event.fields.add("reason", text);
  return true;
}

bool not_negotiated(std::string_view text, Event& event) {
  const auto peer_text = take_until(text, ": ");
  const auto peer = peer_text ? to_peer(*peer_text) : std::nullopt;
  if (!peer) return false;
  step(event, "negotiation_failed", Outcome::failure);
  add_peer(event, *peer);
  std::string_view offer = text;
  if (const auto reason = take_until(offer, " Their offer: ")) {
    event.fields.add("reason", *reason);
    event.fields.add("offer", offer);
  } else {
    event.fields.add("reason", text);
  }
  return true;
}

// "ns.example.com [192.0.2.1] failed - POSSIBLE BREAK-IN ATTEMPT!"
bool reverse_mapping(std::string_view text, Event& event) {
  const std::size_t end = text.rfind("] failed");
  const std::size_t begin = end == text.npos ? end : text.rfind('[', end);
  if (begin == text.npos) return false;
  step(event, "reverse_mapping_failed", Outcome::failure);
  set_source(event, text.substr(begin + 1, end - begin - 1), 0);
  add(event, "src_host", trim(text.substr(0, begin)));
  return true;
}

// "192.0.2.1 maps to ns.example.com, but this does not map back to the address…"
bool address_maps(std::string_view text, Event& event) {
  const auto address = take_until(text, " maps to ");
  const std::size_t end = text.find(", but this does not map back");
  if (!address || !is_address(*address) || end == text.npos) return false;
  step(event, "reverse_mapping_failed", Outcome::failure);
  set_source(event, *address, 0);
  event.fields.add("src_host", text.substr(0, end));
  return true;
}

// "Authentication failure for alice from host.example.com"
bool pam_error(std::string_view text, Event& event) {
  const auto reason = take_until(text, " for ");
  const auto peer = reason ? cut_peer(text, " from ") : std::nullopt;
  if (!peer) return false;
  happened(event, "pam_error");
  set_class(event, ocsf_class::authentication, 99, Outcome::failure);
  event.fields.add("reason", *reason);
  add_name(event, text);
  add_peer(event, *peer);
  return true;
}

// "5 more authentication failures; logname= uid=0 … rhost=192.0.2.1  user=root": PAM's own count of
// failures that sshd has written about before.
bool pam_more(std::string_view text, Event& event) {
  const auto count = take_number(text);
  if (!count || !skip(text, " more authentication failure")) return false;
  happened(event, "pam_failures_total");
  set_class(event, ocsf_class::authentication, 99, Outcome::failure);
  event.fields.add("more_failures", std::int64_t{*count});
  const std::size_t user = text.rfind("  user=");
  if (user != text.npos) set_user(event, text.substr(user + 7));
  const std::string_view before = text.substr(0, user);
  if (const std::size_t host = before.rfind(" rhost="); host != text.npos) {
    set_source(event, trim(before.substr(host + 7)), 0);
  }
  return true;
}

// "User alice from 192.0.2.1 not allowed because not listed in AllowUsers"
bool not_allowed(std::string_view text, Event& event) {
  const std::size_t at = text.rfind(" not allowed because ");
  if (at == text.npos) return false;
  std::string_view name = text.substr(0, at);
  happened(event, "user_not_allowed");
  set_class(event, ocsf_class::authentication, 99, Outcome::failure);
  const auto peer = cut_peer(name, " from ");
  set_user(event, name);
  if (peer) add_peer(event, *peer);
  event.fields.add("reason", text.substr(at + 21));
  return true;
}

bool subsystem(std::string_view text, Event& event) {
  happened(event, "subsystem_requested");
  set_class(event, ocsf_class::authorize_session, 99, Outcome::unknown);
  const std::string_view name = take_word(text);
  event.fields.add("subsystem", name);
  event.ocsf.resource = name;
  if (skip(text, "by user ")) {
    const auto peer = cut_peer(text, " from ");
    set_user(event, text);
    if (peer) add_peer(event, *peer);
  }
  return true;
}

// "0.0.0.0 port 22."
bool listening(std::string_view text, Event& event) {
  cut(text, ".");
  const auto place = to_peer(text);
  if (!place) return false;
  happened(event, "listening");
  event.fields.add("address", place->address);
  event.fields.add("port", std::int64_t{place->port});
  return true;
}

// "192.0.2.1 port 4711 on 198.51.100.1 port 22 rdomain """
bool connection_from(std::string_view text, Event& event) {
  const auto peer_text = take_until(text, " on ");
  const auto peer = peer_text ? to_peer(*peer_text) : std::nullopt;
  if (!peer) return false;
  step(event, "connection");
  add_peer(event, *peer);
  return true;
}

// "shell on pts/0 for alice from 192.0.2.1 port 4711 id 0"
bool starting_session(std::string_view text, Event& event) {
  const std::size_t id = text.rfind(" id ");
  std::string_view rest = text.substr(0, id);
  const auto peer = cut_peer(rest, " from ");
  const std::size_t name = rest.rfind(" for ");
  if (!peer || name == rest.npos) return false;
  happened(event, "session_started");
  set_class(event, ocsf_class::authorize_session, 99, Outcome::success);
  event.fields.add("session", rest.substr(0, name));
  set_user(event, rest.substr(name + 5));
  add_peer(event, *peer);
  return true;
}

// "alice from 192.0.2.1 port 4711 id 0"
bool closing_session(std::string_view text, Event& event) {
  std::string_view rest = text.substr(0, text.rfind(" id "));
  const auto peer = cut_peer(rest, " from ");
  if (!peer) return false;
  happened(event, "session_closed");
  set_class(event, ocsf_class::authorize_session, 99, Outcome::unknown);
  set_user(event, rest);
  add_peer(event, *peer);
  return true;
}

bool root_refused(std::string_view text, Event& event) {
  const auto peer = to_peer(text);
  if (!peer) return false;
  happened(event, "user_not_allowed");
  set_class(event, ocsf_class::authentication, 99, Outcome::failure);
  set_user(event, "root");
  add_peer(event, *peer);
  return true;
}

// "erin by PAM account configuration"
bool account_refused(std::string_view text, Event& event) {
  if (!cut(text, " by PAM account configuration")) return false;
  happened(event, "user_not_allowed");
  set_class(event, ocsf_class::authentication, 99, Outcome::failure);
  set_user(event, text);
  return true;
}

bool bad_packet(std::string_view, Event& event) {
  step(event, "bad_packet", Outcome::failure);
  return true;
}

bool login_timed_out(std::string_view text, Event& event) {
  skip(text, "connection from ");
  const auto peer = to_peer(text.substr(0, text.find(" to ")));
  if (!peer) return false;
  step(event, "login_timed_out", Outcome::failure);
  add_peer(event, *peer);
  return true;
}

// "connection #10 from [192.0.2.1]:4711 on [198.51.100.1]:22 past MaxStartups"
bool dropped(std::string_view text, Event& event) {
  const auto before = take_until(text, " from [");
  const auto address = before ? take_until(text, "]:") : std::nullopt;
  if (!address) return false;
  step(event, "connection_dropped", Outcome::failure);
  const auto port = take_number(text);
  set_source(event, *address, port && *port <= 65535 ? *port : 0);
  return true;
}

bool told(std::string_view text, Event& event) {
  happened(event, "server_notice");
  event.fields.add("reason", text);
  return true;
}

bool ended(std::string_view text, Event& event) {
  step(event, "session_aborted", Outcome::failure);
  event.fields.add("reason", text);
  return true;
}

// The first that fits reads the rest; the most frequent stand first.
constexpr std::array sshd_patterns{
    Pattern{"Failed ", &failed},
    Pattern{"Accepted ", &accepted},
    Pattern{"Received disconnect from ", &received_disconnect},
    Pattern{"Invalid user ", &invalid_user},
    Pattern{"Illegal user ", &invalid_user},
    Pattern{"input_userauth_request: ", &input_request},
    Pattern{"Connection closed by ", &closed},
    Pattern{"Connection reset by ", &was_reset},
    Pattern{"Disconnected from ", &disconnected},
    Pattern{"Disconnecting", &disconnecting},
    Pattern{"reverse mapping checking getaddrinfo for ", &reverse_mapping},
    Pattern{"Address ", &address_maps},
    Pattern{"maximum authentication attempts exceeded for ", &max_attempts},
    Pattern{"Did not receive identification string from ", &no_identification},
    Pattern{"Bad protocol version identification ", &bad_version},
    Pattern{"kex_exchange_identification: ", &key_exchange},
    Pattern{"kex_protocol_error: ", &key_exchange},
    Pattern{"Protocol major versions differ", &key_exchange},
    Pattern{"banner exchange: Connection from ", &banner_exchange},
    Pattern{"Unable to negotiate with ", &not_negotiated},
    Pattern{"PAM: ", &pam_error},
    Pattern{"PAM service(", &told},
    Pattern{"PAM ", &pam_more},
    Pattern{"User child is on pid ", &told},
    Pattern{"User ", &not_allowed},
    Pattern{"subsystem request for ", &subsystem},
    Pattern{"Server listening on ", &listening},
    Pattern{"Connection from ", &connection_from},
    Pattern{"Starting session: ", &starting_session},
    Pattern{"Close session: user ", &closing_session},
    Pattern{"ROOT LOGIN REFUSED FROM ", &root_refused},
    Pattern{"Access denied for user ", &account_refused},
    Pattern{"Bad packet length ", &bad_packet},
    Pattern{"Postponed ", &postponed},
    Pattern{"Timeout before authentication for ", &login_timed_out},
    Pattern{"drop ", &dropped},
    Pattern{"beginning MaxStartups throttling", &told},
    Pattern{"exited MaxStartups throttling", &told},
    Pattern{"Received signal ", &told},
    Pattern{"Exiting on signal ", &told},
    Pattern{"Received SIGHUP", &told},
    Pattern{"Authentication refused: ", &told},
    Pattern{"Write failed: ", &ended},
    Pattern{"Read error from remote host ", &ended},
    Pattern{"Read from socket failed: ", &ended},
    Pattern{"ssh_dispatch_run_fatal: ", &ended},
    Pattern{"ssh_packet_read: ", &ended},
    Pattern{"Bind to port ", &told},
    Pattern{"Cannot bind any address", &told},
};

}  // namespace

bool read_sshd(std::string_view text, Event& event) {
  event.ocsf.service = "sshd";
  if (cut(text, " [preauth]")) event.fields.add("phase", "preauth");
  cut(text, " [postauth]");
  const bool fatal = skip(text, "fatal: ");
  const bool error = !fatal && skip(text, "error: ");
  if (fatal || error) event.fields.add("level", fatal ? "fatal" : "error");
  const Pattern* const pattern = take_pattern(sshd_patterns, text);
  return pattern != nullptr && pattern->read(text, event);
}

}  // namespace mailwarden::ingest
