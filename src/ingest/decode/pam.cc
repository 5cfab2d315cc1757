#include <array>
#include <optional>

#include "base/text.h"
#include "ingest/decode/draft.h"
#include "ingest/decode/scan.h"

namespace mailwarden::ingest {
namespace {

// "name=value" with the value up to the next space; "" where the name does not stand there.
std::string_view value_of(std::string_view text, std::string_view name) {
  std::size_t at = text.find(name);
  while (at != text.npos && at > 0 && text[at - 1] != ' ') at = text.find(name, at + 1);
  if (at == text.npos) return {};
  const std::string_view value = text.substr(at + name.size());
  return value.substr(0, value.find(' '));
}

// "logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root". The user stands last behind
// two spaces; a remote user's name before it is the other side's choice, so rhost is found from the
// end.
bool authentication_failure(std::string_view text, Event& event) {
  happened(event, "authentication_failure");
  set_class(event, ocsf_class::authentication, 1, Outcome::failure);
  const std::size_t user = text.rfind("  user=");
  if (user != text.npos) set_user(event, text.substr(user + 7));
  text = text.substr(0, user);
  const std::size_t host = text.rfind(" rhost=");
  if (host != text.npos) {
    const std::string_view name = trim(text.substr(host + 7));
    add(event, "rhost", name);
    set_source(event, name, 0);
    text = text.substr(0, host);
  }
  for (const std::string_view name : {"logname=", "uid=", "euid=", "tty=", "ruser="}) {
    add(event, name.substr(0, name.size() - 1), value_of(text, name));
  }
  return true;
}

// "opened for user root(uid=0) by alice(uid=1000)": both ids are there in newer versions only.
void add_named_id(Event& event, std::string_view text, bool actor) {
  std::string_view name = text;
  const std::size_t id = text.rfind("(uid=");
  if (id != text.npos && text.ends_with(')')) {
    name = text.substr(0, id);
    const std::string_view number = text.substr(id + 5, text.size() - id - 6);
    add(event, actor ? "actor_uid" : "uid", number);
  }
  if (actor) {
    set_actor(event, name);
  } else {
    set_user(event, name);
  }
}

bool session_opened(std::string_view text, Event& event) {
  happened(event, "session_opened");
  set_class(event, ocsf_class::authentication, 1, Outcome::success);
  const std::size_t by = text.rfind(" by ");
  add_named_id(event, text.substr(0, by), false);
  if (by != text.npos) add_named_id(event, text.substr(by + 4), true);
  return true;
}

bool session_closed(std::string_view text, Event& event) {
  happened(event, "session_closed");
  set_class(event, ocsf_class::authentication, 2, Outcome::success);
  set_user(event, text);
  return true;
}

// "check pass; user unknown": one half of a failed logon; the other half names the host.
bool check_pass(std::string_view, Event& event) {
  happened(event, "user_unknown");
  set_class(event, ocsf_class::authentication, 99, Outcome::failure);
  return true;
}

// "password changed for alice"
bool password_changed(std::string_view text, Event& event) {
  happened(event, "password_changed");
  set_class(event, ocsf_class::account_change, 3, Outcome::success);
  set_user(event, text);
  return true;
}

// "account alice has expired (account expired)"
bool account_expired(std::string_view text, Event& event) {
  const std::size_t end = text.find(" has expired");
  if (end == text.npos) return false;
  happened(event, "account_expired");
  set_class(event, ocsf_class::authentication, 99, Outcome::failure);
  set_user(event, text.substr(0, end));
  return true;
}

// "user alice has timed out", "user alice not found"…
bool about_user(std::string_view text, Event& event) {
  happened(event, "user_notice");
  const std::string_view name = take_word(text);
  set_user(event, name);
  add(event, "reason", text);
  return true;
}

bool requirement(std::string_view text, Event& event) {
  happened(event, "requirement_not_met");
  set_class(event, ocsf_class::authentication, 99, Outcome::failure);
  const std::size_t user = text.rfind("user \"");
  if (user != text.npos && text.ends_with('"')) {
    set_user(event, text.substr(user + 6, text.size() - user - 7));
  }
  return true;
}

// "auth could not identify password for [alice]"
bool no_password(std::string_view text, Event& event) {
  happened(event, "password_not_given");
  set_class(event, ocsf_class::authentication, 99, Outcome::failure);
  cut(text, "]");
  set_user(event, text);
  return true;
}

bool no_conversation(std::string_view, Event& event) {
  happened(event, "conversation_failed");
  set_class(event, ocsf_class::authentication, 99, Outcome::failure);
  return true;
}

// pam_faillock: "Consecutive login failures for user alice account temporarily locked"
bool locked(std::string_view text, Event& event) {
  happened(event, "account_locked");
  set_class(event, ocsf_class::account_change, 5, Outcome::success);
  set_user(event, text.substr(0, text.rfind(" account temporarily locked")));
  return true;
}

constexpr std::array pam_patterns{
    Pattern{"authentication failure;", &authentication_failure},
    Pattern{"session opened for user ", &session_opened},
    Pattern{"session closed for user ", &session_closed},
    Pattern{"check pass; user unknown", &check_pass},
    Pattern{"password changed for ", &password_changed},
    Pattern{"account ", &account_expired},
    Pattern{"user ", &about_user},
    Pattern{"requirement ", &requirement},
    Pattern{"Consecutive login failures for user ", &locked},
    Pattern{"auth could not identify password for [", &no_password},
    Pattern{"conversation failed", &no_conversation},
};

// "pam_unix(sshd:auth): " in front of the message, as newer versions write it.
bool take_module(std::string_view& text, Event& event) {
  std::string_view rest = text;
  const auto module = take_until(rest, "(");
  const auto place = module ? take_until(rest, "):") : std::nullopt;
  if (!place || module->find(' ') != module->npos || place->find(' ') != place->npos) return false;
  skip(rest, " ");
  event.fields.add("pam_module", *module);
  const std::size_t colon = place->rfind(':');
  event.fields.add("pam_service", place->substr(0, colon));
  if (colon != place->npos) event.fields.add("pam_type", place->substr(colon + 1));
  event.ocsf.service = *module;
  text = rest;
  return true;
}

// "sshd(pam_unix)" as the program's name, as versions before 0.99 wrote it.
void add_old_module(Event& event) {
  const std::string program(event.fields.text("program"));
  std::string_view rest = program;
  const auto service = take_until(rest, "(");
  if (!service || !cut(rest, ")")) return;
  event.fields.add("pam_module", rest);
  event.fields.add("pam_service", *service);
  event.ocsf.service = rest;
}

}  // namespace

bool read_pam(std::string_view text, Event& event) {
  if (text.starts_with("pam_")) {
    if (!take_module(text, event)) return false;
  } else {
    add_old_module(event);
  }
  const Pattern* const pattern = take_pattern(pam_patterns, text);
  if (pattern != nullptr) pattern->read(text, event);
  return true;
}

}  // namespace mailwarden::ingest
