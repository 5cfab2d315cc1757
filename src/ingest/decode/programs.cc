#include "ingest/decode/programs.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"
#include "ingest/decode/scan.h"

namespace mailwarden::ingest {
namespace {

constexpr Program pam{"pam", "pam", &read_pam, "auth"};
constexpr Program postfix{"postfix", "postfix", &read_postfix, "postfix"};

// A program without patterns of its own, whose lines belong to one of Sigma's services.
bool read_plain(std::string_view, Event&) {
  return false;
}

constexpr std::array programs{
    Program{"-su", "su", &read_su, "auth"},
    Program{"anacron", "cron", &read_cron, "cron"},
    Program{"chage", "accounts", &read_accounts, "auth"},
    Program{"chfn", "accounts", &read_accounts, "auth"},
    Program{"chpasswd", "accounts", &read_accounts, "auth"},
    Program{"chsh", "accounts", &read_accounts, "auth"},
    Program{"clamd", "syslog", &read_plain, "clamav"},
    Program{"cron", "cron", &read_cron, "cron"},
    Program{"crond", "cron", &read_cron, "cron"},
    Program{"crontab", "cron", &read_cron, "cron"},
    Program{"freshclam", "syslog", &read_plain, "clamav"},
    Program{"ftpd", "ftp", &read_ftp, "ftpd"},
    Program{"gdm-binary", "login", &read_login, "auth"},
    Program{"gpasswd", "accounts", &read_accounts, "auth"},
    Program{"groupadd", "accounts", &read_accounts, "auth"},
    Program{"groupdel", "accounts", &read_accounts, "auth"},
    Program{"groupmod", "accounts", &read_accounts, "auth"},
    Program{"guacd", "syslog", &read_plain, "guacamole"},
    Program{"kernel", "kernel", &read_kernel, "syslog"},
    Program{"klogind", "login", &read_login, "auth"},
    Program{"login", "login", &read_login, "auth"},
    Program{"named", "syslog", &read_plain, "syslog"},
    Program{"newusers", "accounts", &read_accounts, "auth"},
    Program{"passwd", "accounts", &read_accounts, "auth"},
    Program{"pure-ftpd", "syslog", &read_plain, "ftpd"},
    Program{"remote", "login", &read_login, "auth"},
    Program{"sshd", "sshd", &read_sshd, "sshd"},
    Program{"sshd-auth", "sshd", &read_sshd, "sshd"},
    Program{"sshd-session", "sshd", &read_sshd, "sshd"},
    Program{"su", "su", &read_su, "auth"},
    Program{"sudo", "sudo", &read_sudo, "sudo"},
    Program{"systemd", "syslog", &read_plain, "syslog"},
    Program{"systemd-logind", "logind", &read_logind, "auth"},
    Program{"telnetd", "login", &read_login, "auth"},
    Program{"useradd", "accounts", &read_accounts, "auth"},
    Program{"userdel", "accounts", &read_accounts, "auth"},
    Program{"usermod", "accounts", &read_accounts, "auth"},
    Program{"vsftpd", "ftp", &read_ftp, "vsftpd"},
    Program{"xinetd", "login", &read_login, "auth"},
};
static_assert(std::ranges::is_sorted(programs, {}, &Program::name));

constexpr std::size_t name_max = 16;

// "postfix/smtpd", and "postfix-out/smtpd" of a second instance.
bool is_postfix(std::string_view tag) {
  return tag.starts_with("postfix") && tag.find('/') != std::string_view::npos &&
         (tag[7] == '/' || tag[7] == '-');
}

// Takes "message repeated 5 times: [ text]" apart. rsyslog and syslog-ng write it in place of
// messages that were the same as the one before.
int unfold(std::string_view& message) {
  constexpr int repeats_max = 1'000'000;
  std::string_view text = message;
  if (!skip(text, "message repeated ")) return 0;
  const auto count = take_number(text);
  if (!count || *count < 1 || *count > repeats_max || !skip(text, " times: [")) return 0;
  if (!cut(text, "]")) return 0;
  skip(text, " ");
  message = text;
  return *count;
}

void fill(Event& event, std::string_view decoder, std::string_view service,
          std::string_view program) {
  event.decoder = decoder;
  event.logsource.product = "linux";
  event.logsource.service = service;
  event.ocsf.service = program;
}

}  // namespace

const Program* find_program(std::string_view tag) {
  if (is_postfix(tag)) return &postfix;
  tag = tag.substr(tag.rfind('/') + 1);
  if (const std::size_t parameters = tag.find('('); parameters != std::string_view::npos) {
    if (tag.substr(parameters + 1).starts_with("pam_")) return &pam;
    tag = tag.substr(0, parameters);
  }
  if (tag.size() > name_max) return nullptr;
  std::array<char, name_max> lower{};
  std::ranges::transform(tag, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  const std::string_view name(lower.data(), tag.size());
  const auto found = std::ranges::lower_bound(programs, name, {}, &Program::name);
  return found != programs.end() && found->name == name ? &*found : nullptr;
}

void read_message(Event& event, std::string_view tag, std::string_view message,
                  const DecoderEntry* forced) {
  const int repeats = unfold(message);
  event.fields.add("message", message);
  if (repeats > 0) event.fields.add("repeat_count", std::int64_t{repeats});
  const Program* program = find_program(tag);
  // A PAM module speaks in the name of the program that called it.
  if (message.starts_with("pam_") && (program == nullptr || program->read != &read_pam)) {
    fill(event, pam.decoder, pam.service, pam.name);
    if (read_pam(message, event)) return;
    event.ocsf = Ocsf{.device = std::move(event.ocsf.device)};
  }
  if (forced != nullptr) {
    fill(event, forced->name, program != nullptr ? program->service : forced->name, tag);
    forced->message(message, event);
  } else if (program != nullptr) {
    fill(event, program->decoder, program->service, program->name);
    program->read(message, event);
  } else {
    const std::string name = to_lower(tag);
    fill(event, "syslog", name, name);
  }
}

}  // namespace mailwarden::ingest
