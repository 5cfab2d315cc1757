// An event while a decoder works on it, and the decoders' common steps.
//
// What     Draft holds the text to read and the event to fill; the functions below are the table
//          entries of decoder.cc, one a form of record or a program.
// Owns     Nothing.
// Threads  One thread a Draft; the functions are pure but for it.
// Errors   A record function answers why it could not read, or "".
// Limits   As decoder.h.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "event/event.h"
#include "ingest/decode/decoder.h"

namespace mailwarden::ingest {

struct DecoderSet::Settings {
  const DecoderEntry* entry = nullptr;
  Zone zone;
  YearRule year;
  std::optional<JsonMapping> mapping;
};

struct Draft {
  const DecoderSet::Settings& settings;
  std::string_view text;  // UTF-8, without a carriage return at its end
  Event& event;
};

using MessageFunction = bool (*)(std::string_view text, Event& event);

// How a message of a program begins, and what reads the rest of it.
struct Pattern {
  std::string_view prefix;
  MessageFunction read;
};

// The first whose prefix stands in front of the text, where it is removed; nullptr if none does.
const Pattern* take_pattern(std::span<const Pattern> patterns, std::string_view& text);

std::string read_auto(Draft& draft);
std::string read_syslog(Draft& draft);
// A syslog line whose message goes to `entry` whatever its program is called.
std::string read_syslog_as(Draft& draft, const DecoderEntry& entry);
std::string read_combined(Draft& draft);
std::string read_nginx_access(Draft& draft);
std::string read_apache_access(Draft& draft);
std::string read_nginx_error(Draft& draft);
std::string read_apache_error(Draft& draft);
std::string read_audit(Draft& draft);
std::string read_json(Draft& draft);
std::string read_google_workspace(Draft& draft);
std::string read_gcp_audit(Draft& draft);
std::string read_github_audit(Draft& draft);
std::string read_okta(Draft& draft);

bool read_sshd(std::string_view text, Event& event);
bool read_pam(std::string_view text, Event& event);
bool read_sudo(std::string_view text, Event& event);
bool read_su(std::string_view text, Event& event);
bool read_accounts(std::string_view text, Event& event);
bool read_cron(std::string_view text, Event& event);
bool read_logind(std::string_view text, Event& event);
bool read_kernel(std::string_view text, Event& event);
bool read_login(std::string_view text, Event& event);
bool read_ftp(std::string_view text, Event& event);
bool read_postfix(std::string_view text, Event& event);

// Names what happened, for rules and for the reader.
inline void happened(Event& event, std::string_view what) {
  event.fields.add("event", what);
}

// A field and, where it is told, nothing for an empty value.
inline void add(Event& event, std::string_view name, std::string_view value) {
  if (!value.empty()) event.fields.add(name, value);
}

void set_class(Event& event, int class_uid, int activity_id, Outcome status);
// Fields src_ip and src_port and their normal form; a host name stands for an address not known.
void set_source(Event& event, std::string_view address, int port);
// Field user and the normal form.
void set_user(Event& event, std::string_view name);
void set_actor(Event& event, std::string_view name);

}  // namespace mailwarden::ingest
