#include "ingest/decode/decoder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "ingest/decode/draft.h"
#include "ingest/decode/scan.h"

namespace mailwarden::ingest {
namespace {

constexpr std::array table{
    DecoderEntry{"auto", "any of the forms below, told by the record's first bytes", &read_auto},
    DecoderEntry{"syslog",
                 "syslog lines: RFC 3164 with or without year and <PRI>, RFC 5424, rsyslog's ISO "
                 "times; the program's name picks the reader of the message",
                 &read_syslog},
    DecoderEntry{"combined", "access logs in the combined or common format", &read_combined},
    DecoderEntry{"nginx_access", "nginx's access log", &read_nginx_access},
    DecoderEntry{"apache_access", "Apache's access log", &read_apache_access},
    DecoderEntry{"nginx_error", "nginx's error log", &read_nginx_error},
    DecoderEntry{"apache_error", "Apache's error log, versions 2.2 and 2.4", &read_apache_error},
    DecoderEntry{"auditd", "the Linux audit log, a line a record", &read_audit},
    DecoderEntry{"json", "JSON objects, a line each, by the source's mapping", &read_json},
    DecoderEntry{"google_workspace", "Google Workspace activities as JSON lines",
                 &read_google_workspace},
    DecoderEntry{"gcp_audit", "Google Cloud audit entries as JSON lines", &read_gcp_audit},
    DecoderEntry{"github_audit", "GitHub audit log events as JSON lines", &read_github_audit},
    DecoderEntry{"okta", "Okta System Log events as JSON lines", &read_okta},
    DecoderEntry{"sshd", "messages of OpenSSH's server", nullptr, &read_sshd},
    DecoderEntry{"pam", "messages of PAM modules in any program", nullptr, &read_pam},
    DecoderEntry{"sudo", "messages of sudo", nullptr, &read_sudo},
    DecoderEntry{"su", "messages of su", nullptr, &read_su},
    DecoderEntry{"accounts", "messages of useradd, usermod, userdel, groupadd, passwd and the like",
                 nullptr, &read_accounts},
    DecoderEntry{"cron", "messages of cron", nullptr, &read_cron},
    DecoderEntry{"logind", "messages of systemd-logind", nullptr, &read_logind},
    DecoderEntry{"kernel", "messages of the kernel", nullptr, &read_kernel},
    DecoderEntry{"login", "messages of login, telnetd, klogind and other old doors", nullptr,
                 &read_login},
    DecoderEntry{"ftp", "messages of ftpd and vsftpd", nullptr, &read_ftp},
    DecoderEntry{"postfix", "messages of Postfix's programs", nullptr, &read_postfix},
};

const DecoderEntry* find_decoder(std::string_view name) {
  const auto found = std::ranges::find(table, name, &DecoderEntry::name);
  return found == table.end() ? nullptr : &*found;
}

std::string names() {
  std::string all;
  for (const DecoderEntry& entry : table) {
    if (!all.empty()) all += ", ";
    all += entry.name;
  }
  return all;
}

// Adds to `mistakes` what is wrong with the options of one source.
DecoderSet::Settings prepare(std::string_view source, const DecodeOptions& options,
                             std::string& mistakes) {
  const auto wrong = [&](const std::string& what) {
    if (!mistakes.empty()) mistakes += "; ";
    mistakes += source.empty() ? "" : "source '" + std::string(source) + "': ";
    mistakes += what;
  };
  DecoderSet::Settings settings{.entry = find_decoder(options.decoder),
                                .zone = {},
                                .year = options.year,
                                .mapping = options.mapping};
  if (settings.entry == nullptr) {
    wrong("there is no decoder '" + options.decoder + "' (there are " + names() + ")");
  }
  if (auto zone = Zone::make(options.zone)) {
    settings.zone = *std::move(zone);
  } else {
    wrong(zone.error().what);
  }
  if (options.year.fixed && (*options.year.fixed < 0 || *options.year.fixed > 9999)) {
    wrong("the year " + std::to_string(*options.year.fixed) + " is not between 0 and 9999");
  }
  if (options.decoder == "json" && !options.mapping) wrong("the decoder json needs a mapping");
  return settings;
}

}  // namespace

struct DecoderSet::State {
  std::map<std::string, Settings, std::less<>> by_source;
  Settings otherwise;
};

std::span<const DecoderEntry> decoders() {
  return table;
}

Result<DecoderSet> DecoderSet::make(
    const std::map<std::string, DecodeOptions, std::less<>>& by_source,
    const DecodeOptions& otherwise) {
  auto state = std::make_shared<State>();
  std::string mistakes;
  for (const auto& [source, options] : by_source) {
    state->by_source.emplace(source, prepare(source, options, mistakes));
  }
  state->otherwise = prepare({}, otherwise, mistakes);
  if (!mistakes.empty()) return fail(Code::invalid, mistakes);
  return DecoderSet(std::move(state));
}

const DecoderSet::Settings& DecoderSet::of(std::string_view source) const {
  const auto found = state_->by_source.find(source);
  return found == state_->by_source.end() ? state_->otherwise : found->second;
}

namespace {

// A reason may quote what came, and is read on terminals.
std::string presentable(std::string why) {
  const bool plain = is_utf8(why) && std::ranges::none_of(why, [](unsigned char c) {
                       return c < 0x20 || c == 0x7F;
                     });
  return plain ? why : printable(why);
}

// Makes the event what it is when nothing could be read from it.
void reset(Event& event, std::string why) {
  event.time = event.received;
  event.logsource = {};
  event.decoder.clear();
  event.fields = {};
  event.ocsf = {};
  event.undecoded = presentable(std::move(why));
}

std::string read(Draft& draft) {
  const DecoderEntry& entry = *draft.settings.entry;
  if (draft.text.empty()) return "the record is empty";
  if (entry.record == nullptr) return read_syslog_as(draft, entry);
  return entry.record(draft);
}

}  // namespace

Event decode(const RawRecord& record, const DecoderSet& set) {
  Event event;
  event.id = record.id;
  event.time = record.received;
  event.received = record.received;
  event.source = record.source;
  event.raw = record.bytes;
  if (record.partial) {
    reset(event,
          "a piece of a line that is longer than its source's limit; only whole lines are read");
    return event;
  }
  std::string repaired;
  std::string_view text = record.bytes;
  if (!is_utf8(text)) {
    repaired = to_utf8(text);
    text = repaired;
  }
  while (text.ends_with('\r')) text.remove_suffix(1);
  // Fields repeat the line's values under their names: about as long again.
  constexpr std::size_t names_bytes = 192;
  event.fields.reserve(text.size() * 2 + names_bytes);
  Draft draft{.settings = set.of(record.source), .text = text, .event = event};
  if (std::string why = read(draft); !why.empty()) reset(event, std::move(why));
  return event;
}

const Pattern* take_pattern(std::span<const Pattern> patterns, std::string_view& text) {
  for (const Pattern& pattern : patterns) {
    if (skip(text, pattern.prefix)) return &pattern;
  }
  return nullptr;
}

void set_class(Event& event, int class_uid, int activity_id, Outcome status) {
  event.ocsf.class_uid = class_uid;
  event.ocsf.activity_id = activity_id;
  event.ocsf.status = status;
}

void set_source(Event& event, std::string_view address, int port) {
  if (address.empty()) return;
  event.fields.add("src_ip", address);
  event.ocsf.src_ip = address;
  if (port <= 0) return;
  event.fields.add("src_port", std::int64_t{port});
  event.ocsf.src_port = port;
}

void set_user(Event& event, std::string_view name) {
  if (name.empty()) return;
  event.fields.add("user", name);
  event.ocsf.user = name;
}

void set_actor(Event& event, std::string_view name) {
  if (name.empty()) return;
  event.fields.add("actor", name);
  event.ocsf.actor_user = name;
}

}  // namespace mailwarden::ingest
