#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/text.h"
#include "ingest/decode/audit_names.h"
#include "ingest/decode/draft.h"
#include "ingest/decode/scan.h"

namespace mailwarden::ingest {
namespace {

// In enriched records the names of ids stand behind this byte.
constexpr char enrichment = '\x1d';
// Between several keys of one record.
constexpr char key_separator = '\x01';

struct Pair {
  std::string_view name;
  std::string_view value;
  bool quoted = false;
};

// The next "name=value"; words without '=' are passed over, since records of SELinux and of old
// programs hold prose.
std::optional<Pair> take_pair(std::string_view& text) {
  while (!text.empty()) {
    if (skip(text, " ") || skip(text, "msg='") || skip(text, "'")) continue;
    const std::size_t stop = text.find_first_of(" =");
    if (stop == text.npos || text[stop] == ' ') {
      text.remove_prefix(stop == text.npos ? text.size() : stop + 1);
      continue;
    }
    Pair pair{.name = text.substr(0, stop), .value = {}, .quoted = false};
    text.remove_prefix(stop + 1);
    if (text.starts_with('"')) {
      const std::size_t end = text.find('"', 1);
      if (end != text.npos) {
        pair.value = text.substr(1, end - 1);
        pair.quoted = true;
        text.remove_prefix(end + 1);
        return pair;
      }
    }
    pair.value = text.substr(0, text.find(' '));
    text.remove_prefix(pair.value.size());
    cut(pair.value, "'");
    if (!pair.name.empty()) return pair;
  }
  return std::nullopt;
}

// Fields whose value is written in hexadecimal where it holds a space, a quote or a control byte.
bool is_text(std::string_view name) {
  constexpr std::array<std::string_view, 21> names{
      "acct", "cmd",  "comm",      "cwd",      "data", "device",
      "dir",  "exe",  "file",      "filename", "grp",  "invalid_context",
      "key",  "name", "new_group", "ocomm",    "path", "proctitle",
      "sw",   "vm",   "watch"};
  static_assert(std::ranges::is_sorted(names));
  return std::ranges::binary_search(names, name);
}

// "a0" to "a99999" of a command's arguments, also in pieces: "a1[0]".
bool is_argument(std::string_view name) {
  return name.size() > 1 && name.front() == 'a' &&
         is_digits(name.substr(1, name.find('[') == name.npos ? name.npos : name.find('[') - 1));
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(hex_value(hex[i]) * 16 + hex_value(hex[i + 1]));
  }
  return bytes;
}

void add_keys(Event& event, std::string_view keys) {
  while (true) {
    const std::size_t end = keys.find(key_separator);
    add(event, "key", keys.substr(0, end));
    if (end == keys.npos) return;
    keys.remove_prefix(end + 1);
  }
}

void add_pair(Event& event, std::string_view type, const Pair& pair) {
  // What is not known is not told.
  if (pair.value.empty() || pair.value == "?" || pair.value == "(null)") return;
  const bool argument = type == "EXECVE" && is_argument(pair.name);
  const std::string_view name = argument ? pair.name.substr(0, pair.name.find('[')) : pair.name;
  const bool hex = !pair.quoted && (argument || is_text(pair.name)) && pair.value.size() % 2 == 0 &&
                   is_hex(pair.value);
  if (!hex) {
    event.fields.add(name, pair.value);
    return;
  }
  std::string text = from_hex(pair.value);
  // A command line's words are parted by NUL bytes.
  if (name == "proctitle") std::ranges::replace(text, '\0', ' ');
  if (!is_utf8(text)) text = to_utf8(text);
  if (name == "key") {
    add_keys(event, text);
  } else {
    event.fields.add(name, text);
  }
}

// "audit(1700000000.123:456)": seconds, milliseconds and the number that lines of one happening
// share.
bool take_head(std::string_view& text, Event& event) {
  if (!skip(text, "msg=audit(") && !skip(text, "audit(")) return false;
  const auto seconds = take_until(text, ".");
  const auto milliseconds = seconds ? take_until(text, ":") : std::nullopt;
  const auto serial = milliseconds ? take_until(text, ")") : std::nullopt;
  constexpr std::size_t digits_max = 12;
  if (!serial || !is_digits(*seconds) || seconds->size() > digits_max || !is_digits(*serial) ||
      milliseconds->size() != 3 || !is_digits(*milliseconds)) {
    return false;
  }
  const auto number = to_integer(*serial);
  if (!number) return false;
  const std::int64_t us = *to_integer(*seconds) * 1'000'000 + *to_integer(*milliseconds) * 1000;
  event.time = std::min(Timestamp{us}, Timestamp::latest);
  event.fields.add("serial", *number);
  skip(text, ":");
  skip(text, " ");
  return true;
}

struct Meaning {
  std::string_view type;
  int class_uid;
  int activity_id;
};

// Record types that say by themselves what happened. USER_AUTH is one step of a sign-in, of which
// USER_LOGIN tells the end; only the latter is the logon.
constexpr std::array meanings{
    Meaning{"ACCT_LOCK", ocsf_class::account_change, 5},
    Meaning{"ACCT_UNLOCK", ocsf_class::account_change, 2},
    Meaning{"ADD_GROUP", ocsf_class::group_management, 6},
    Meaning{"ADD_USER", ocsf_class::account_change, 1},
    Meaning{"CHGRP_ID", ocsf_class::authorize_session, 99},
    Meaning{"CHUSER_ID", ocsf_class::authorize_session, 99},
    Meaning{"CRED_ACQ", ocsf_class::authentication, 99},
    Meaning{"CRED_DISP", ocsf_class::authentication, 99},
    Meaning{"CRED_REFR", ocsf_class::authentication, 99},
    Meaning{"DEL_GROUP", ocsf_class::group_management, 5},
    Meaning{"DEL_USER", ocsf_class::account_change, 6},
    Meaning{"EXECVE", ocsf_class::process_activity, 1},
    Meaning{"GRP_MGMT", ocsf_class::group_management, 99},
    Meaning{"LOGIN", ocsf_class::authentication, 99},
    Meaning{"PATH", ocsf_class::file_system_activity, 99},
    Meaning{"PROCTITLE", ocsf_class::process_activity, 99},
    Meaning{"SOCKADDR", ocsf_class::network_activity, 99},
    Meaning{"SYSCALL", ocsf_class::process_activity, 99},
    Meaning{"USER_ACCT", ocsf_class::authentication, 99},
    Meaning{"USER_AUTH", ocsf_class::authentication, 99},
    Meaning{"USER_CHAUTHTOK", ocsf_class::account_change, 3},
    Meaning{"USER_CMD", ocsf_class::authorize_session, 1},
    Meaning{"USER_END", ocsf_class::authentication, 2},
    Meaning{"USER_ERR", ocsf_class::authentication, 99},
    Meaning{"USER_LOGIN", ocsf_class::authentication, 1},
    Meaning{"USER_LOGOUT", ocsf_class::authentication, 2},
    Meaning{"USER_MGMT", ocsf_class::account_change, 99},
    Meaning{"USER_ROLE_CHANGE", ocsf_class::authorize_session, 99},
    Meaning{"USER_START", ocsf_class::authorize_session, 99},
};
static_assert(std::ranges::is_sorted(meanings, {}, &Meaning::type));

Outcome outcome_of(const Fields& fields) {
  std::string_view result = fields.text("res");
  if (result.empty()) result = fields.text("success");
  if (result == "success" || result == "yes" || result == "1") return Outcome::success;
  if (result == "failed" || result == "no" || result == "0") return Outcome::failure;
  return Outcome::unknown;
}

int path_activity(std::string_view nametype) {
  if (nametype == "CREATE") return 1;
  if (nametype == "DELETE") return 4;
  return 99;
}

void fill_ocsf(Event& event, std::string_view type) {
  const Fields& fields = event.fields;
  Ocsf& ocsf = event.ocsf;
  const auto meaning = std::ranges::lower_bound(meanings, type, {}, &Meaning::type);
  if (meaning != meanings.end() && meaning->type == type) {
    ocsf.class_uid = meaning->class_uid;
    ocsf.activity_id = meaning->activity_id;
  }
  ocsf.status = outcome_of(fields);
  ocsf.service = "auditd";
  ocsf.device = fields.text("node");
  // The account that signed in and keeps its id through su and sudo; -1 is nobody.
  const std::string_view login =
      fields.text("AUID").empty() ? fields.text("auid") : fields.text("AUID");
  if (login != "4294967295" && login != "unset" && login != "-1") ocsf.actor_user = login;
  std::string_view account = fields.text("acct");
  if (account.empty()) account = fields.text("ID").empty() ? fields.text("id") : fields.text("ID");
  ocsf.user = account;
  ocsf.src_ip = fields.text("addr");
  for (const std::string_view name : {"cmd", "name", "exe", "proctitle"}) {
    if (ocsf.resource.empty()) ocsf.resource = fields.text(name);
  }
  if (type == "PATH") ocsf.activity_id = path_activity(fields.text("nametype"));
  const std::string_view call = fields.text("SYSCALL");
  if (type == "SYSCALL" && (call == "execve" || call == "execveat")) ocsf.activity_id = 1;
}

// The names of numbers: those that auditd wrote itself, else the library's.
void add_names(Event& event, std::string_view type, bool enriched) {
  const Fields& fields = event.fields;
  AuditNumbers numbers;
  if (type == "SYSCALL" || type == "SECCOMP") {
    if (!enriched || fields.text("SYSCALL").empty()) {
      numbers.architecture = fields.text("arch");
      numbers.system_call = fields.text("syscall");
    }
    numbers.exit = fields.text("exit");
  }
  if (type == "PATH") numbers.mode = fields.text("mode");
  if (type == "SOCKADDR") numbers.address = fields.text("saddr");
  numbers.signal = fields.text("sig");
  for (const auto& [name, meaning] : name_numbers(numbers)) event.fields.add(name, meaning);
}

}  // namespace

std::string read_audit(Draft& draft) {
  constexpr const char* shape =
      "not an audit record (type=NAME msg=audit(seconds.milliseconds:serial): …)";
  std::string_view text = draft.text;
  Event& event = draft.event;
  if (skip(text, "node=")) event.fields.add("node", take_word(text));
  if (!skip(text, "type=")) return shape;
  const std::string_view type = take_word(text);
  if (type.empty()) return shape;
  event.fields.add("type", type);
  if (!take_head(text, event)) return shape;
  event.decoder = "auditd";
  event.logsource.product = "linux";
  event.logsource.service = "auditd";
  const std::size_t names_at = text.find(enrichment);
  std::string_view body = text.substr(0, names_at);
  while (const auto pair = take_pair(body)) add_pair(event, type, *pair);
  if (names_at != text.npos) {
    std::string_view names = text.substr(names_at + 1);
    while (const auto pair = take_pair(names)) add(event, pair->name, pair->value);
  }
  add_names(event, type, names_at != text.npos);
  fill_ocsf(event, type);
  return {};
}

}  // namespace mailwarden::ingest
