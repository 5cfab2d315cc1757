// Files on hosts: put into quarantine, given back, looked for.
#include <algorithm>
#include <array>
#include <set>

#include "base/process.h"
#include "base/text.h"
#include "crypto/sha256.h"
#include "respond/action_parts.h"
#include "respond/host_script.h"

namespace mailwarden::respond {
namespace {

constexpr std::size_t script_answer_bytes_max = std::size_t{8} << 20;
constexpr int ssh_failed = 255;
constexpr Duration sweep_margin = std::chrono::seconds(3);  // for the way there and back

const HostEffects& settings_of(const Work& work) {
  return *work.settings.hosts;
}

Result<const Host*> find_host(const Work& work, const std::string& name) {
  const auto& hosts = settings_of(work).hosts;
  const auto found = std::ranges::find(hosts, name, &Host::name);
  if (found != hosts.end()) return &*found;
  return fail(Code::denied, "effects.yaml has no host " + in_quotes(name));
}

// Nothing of the daemon's account counts: no configuration, no agent, no forwarding.
std::vector<std::string> ssh_command(const HostEffects& settings, const Host& host) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(settings.connect_time_out).count();
  std::vector<std::string> command{settings.ssh, "-F", "none", "-T"};
  for (const std::string& option :
       {std::string("BatchMode=yes"), std::string("StrictHostKeyChecking=yes"),
        "UserKnownHostsFile=" + settings.known_hosts, std::string("GlobalKnownHostsFile=/dev/null"),
        std::string("UpdateHostKeys=no"), "IdentityFile=" + settings.key_file,
        std::string("IdentitiesOnly=yes"), std::string("IdentityAgent=none"),
        std::string("PreferredAuthentications=publickey"), std::string("ForwardAgent=no"),
        std::string("LogLevel=ERROR"), std::string("ClearAllForwardings=yes"),
        std::string("PermitLocalCommand=no"), "ConnectTimeout=" + std::to_string(seconds),
        std::string("ConnectionAttempts=1"), std::string("ServerAliveInterval=5"),
        std::string("ServerAliveCountMax=3")}) {
    command.insert(command.end(), {"-o", option});
  }
  command.insert(command.end(),
                 {"-p", std::to_string(host.port), "-l", host.user, "--", host.address,
                  "exec /bin/sh -c '" + std::string(host_script()) + "'"});
  return command;
}

Program on_host(const Work& work, const Host& host) {
  Program program{.output_bytes_max = script_answer_bytes_max};
  if (host.address.empty()) {
    program.command = {"/bin/sh", "-c", std::string(host_script())};
    program.by_become = true;
  } else {
    program.command = ssh_command(settings_of(work), host);
  }
  return program;
}

// What the script answered.
Result<ProgramEnd> run_script(const Work& work, const Host& host,
                              const std::vector<std::string>& values) {
  const std::string input = host_input(values);
  if (input.size() > ProcessCall::input_bytes_max) {
    return fail(Code::invalid, "a path is too long to be told to a host");
  }
  Program program = on_host(work, host);
  program.input = input;
  const auto end = run_program(work, program);
  if (!end) return fail(host.name, end.error());
  if (end->exit_code == 0) return *end;
  const bool refused = end->errors.contains("Host key verification failed") ||
                       end->errors.contains("Permission denied");
  const bool again = !host.address.empty() && end->exit_code == ssh_failed && !refused;
  return fail(again ? Code::unavailable : Code::denied, host.name + ": " + saying(program, *end));
}

struct HostFile {
  const Host* host = nullptr;
  std::string path;
  std::string sha256;
  std::string kept;  // its name in quarantine

  std::string folder() const {
    const std::string up = path.substr(0, path.rfind('/'));
    return up.empty() ? "/" : up;
  }
  std::string name() const { return path.substr(path.rfind('/') + 1); }
};

bool is_below(const std::string& path, const std::vector<std::string>& folders) {
  return std::ranges::any_of(folders, [&](const std::string& folder) {
    return path.starts_with(folder) && path.size() > folder.size() + 1 &&
           path[folder.size()] == '/';
  });
}

Result<std::string> read_hash(const Work& work) {
  std::string hash = to_lower(work.text("sha256"));
  if (crypto::digest_from_hex(hash)) return hash;
  return fail(Code::invalid, in_quotes(hash) + " is no SHA-256 of 64 hexadecimal digits");
}

Result<HostFile> find_file(const Work& work) {
  const auto host = find_host(work, work.text("host"));
  if (!host) return std::unexpected(host.error());
  auto hash = read_hash(work);
  if (!hash) return std::unexpected(hash.error());
  HostFile file{.host = *host, .path = work.text("path"), .sha256 = *std::move(hash)};
  if (!is_plain_path(file.path)) {
    return fail(Code::invalid, in_quotes(file.path) + " is no absolute path without . and ..");
  }
  if (!is_below(file.path, settings_of(work).folders)) {
    return fail(Code::denied, in_quotes(file.path) + " is below no folder of effects.yaml");
  }
  // The same file in two places is two in quarantine.
  file.kept = file.sha256 + "-" + crypto::to_hex(crypto::sha256(file.path)).substr(0, 16);
  return file;
}

std::string kept_path(const Work& work, const HostFile& file) {
  return settings_of(work).quarantine + "/" + file.kept;
}

Result<std::string> tell(const Work& work, const HostFile& file, const std::string& what) {
  const auto end = run_script(
      work, *file.host,
      {what, settings_of(work).quarantine, file.folder(), file.name(), file.sha256, file.kept});
  if (!end) return std::unexpected(end.error());
  return std::string(trim(end->output));
}

// The script's words, each with what it means for a person.
struct Word {
  std::string_view word;
  std::string_view meaning;
};
constexpr std::array script_words{
    Word{"missing", "there is no such file"},
    Word{"differs", "its content has another SHA-256"},
    Word{"link", "a part of the path is a symbolic link"},
    Word{"occupied", "another file stands there by now"},
    Word{"nowhere", "its folder is no more"},
    Word{"foreign", "the quarantine folder belongs to somebody else"},
    Word{"failed", "it could not be moved; has the account the right to?"},
    Word{"broken", "the host answered what it should not"}};

std::unexpected<Error> refusal(const HostFile& file, std::string_view word) {
  const auto known = std::ranges::find(script_words, word, &Word::word);
  return fail(Code::denied,
              file.host->name + ": " + printable(file.path) + ": " +
                  (known == script_words.end() ? "answered " + in_quotes(word.substr(0, 200))
                                               : std::string(known->meaning)));
}

Result<json::Object> quarantine(const Work& work) {
  const auto file = find_file(work);
  if (!file) return std::unexpected(file.error());
  const auto said = tell(work, *file, "quarantine");
  if (!said) return std::unexpected(said.error());
  if (*said != "done") return refusal(*file, *said);
  return json::Object{{"file", kept_path(work, *file)}};
}

Result<json::Object> give_back(const Work& work) {
  const auto file = find_file(work);
  if (!file) return std::unexpected(file.error());
  const auto said = tell(work, *file, "release");
  if (!said) return std::unexpected(said.error());
  if (*said != "done") return refusal(*file, *said);
  return json::Object{};
}

Result<bool> is_in_quarantine(const Work& work, std::string_view wanted) {
  const auto file = find_file(work);
  if (!file) return std::unexpected(file.error());
  const auto said = tell(work, *file, "probe");
  if (!said) return std::unexpected(said.error());
  if (*said == "there" || *said == "kept" || *said == "missing") return *said == wanted;
  return refusal(*file, *said);
}
Result<bool> probe_quarantined(const Work& work) {
  return is_in_quarantine(work, "kept");
}
Result<bool> probe_given_back(const Work& work) {
  return is_in_quarantine(work, "there");
}

// What one host found.
struct Found {
  std::vector<std::string> paths;
  bool whole = false;
};

// sha256sum puts a backslash before a line in which it escaped the path.
std::string unescaped(std::string_view path) {
  std::string plain;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '\\' || i + 1 == path.size()) {
      plain += path[i];
      continue;
    }
    ++i;
    plain += path[i] == 'n' ? '\n' : path[i] == 'r' ? '\r' : path[i];
  }
  return plain;
}

Found read_sums(std::string_view output) {
  constexpr std::size_t digits = 64;
  Found found;
  for (std::string_view line : split(output, '\n')) {
    const bool escaped = line.starts_with('\\');
    if (escaped) line.remove_prefix(1);
    if (line.starts_with("end ")) {
      found.whole = line == "end 0";
    } else if (line.size() > digits + 2) {
      const std::string_view path = line.substr(digits + 2);
      found.paths.push_back(escaped ? unescaped(path) : std::string(path));
    }
  }
  return found;
}

Result<Found> read_scan(const Host& host, const std::string& output) {
  Found found;
  const std::size_t at = output.rfind("end ");
  const std::string code(at == std::string::npos ? "" : trim(output.substr(at + 4)));
  // 0 nothing, 1 something matched, 3 something could not be read; so scan.cc has it.
  if (code != "0" && code != "1" && code != "3") {
    return fail(Code::denied, host.name + ": 'mailwarden scan' ended with " + in_quotes(code));
  }
  found.whole = code != "3";
  if (trim(output.substr(0, at)).empty()) return found;  // no such folder
  const auto value = json::parse(output.substr(0, at));
  const json::Array* const matches = value ? (*value)["matches"].as_array() : nullptr;
  if (matches == nullptr) {
    return fail(Code::denied, host.name + ": 'mailwarden scan' did not answer as JSON");
  }
  std::set<std::string> once;
  for (const json::Value& match : *matches) {
    if (once.insert(match.text("file")).second) found.paths.push_back(match.text("file"));
  }
  return found;
}

void add_all(std::vector<std::string>& values, const std::vector<std::string>& more) {
  values.push_back(std::to_string(more.size()));
  values.insert(values.end(), more.begin(), more.end());
}

Result<Found> sweep_host(const Work& work, const Host& host, const std::string& hash) {
  const HostEffects& settings = settings_of(work);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(work.time_left() - sweep_margin);
  if (seconds.count() < 1) {
    return fail(Code::unavailable, host.name + ": there is no time left for it");
  }
  const std::string time = std::to_string(seconds.count());
  std::vector<std::string> values;
  if (!hash.empty()) {
    // find asks for less than so many; its last line needs room, too.
    values = {"sweep",
              settings.quarantine,
              time,
              std::to_string(settings.file_bytes_max + 1),
              std::to_string(settings.files_max + 1),
              hash};
  } else {
    values = {"scan", time, std::to_string(settings.file_bytes_max), settings.scan};
    add_all(values, settings.rules);
  }
  add_all(values, settings.folders);
  const auto end = run_script(work, host, values);
  if (!end) return std::unexpected(end.error());
  if (trim(end->output) == "broken") return fail(Code::denied, host.name + ": " + end->output);
  if (!hash.empty()) return read_sums(end->output);
  return read_scan(host, end->output);
}

Result<std::vector<const Host*>> hosts_to_sweep(const Work& work) {
  std::vector<const Host*> hosts;
  for (const std::string& name : work.texts("hosts")) {
    const auto host = find_host(work, name);
    if (!host) return std::unexpected(host.error());
    hosts.push_back(*host);
  }
  if (hosts.empty()) {
    for (const Host& host : settings_of(work).hosts) hosts.push_back(&host);
  }
  return hosts;
}

Result<json::Object> sweep(const Work& work) {
  const std::string given = work.text("sha256");
  const auto hash = given.empty() ? Result<std::string>("") : read_hash(work);
  if (!hash) return std::unexpected(hash.error());
  if (hash->empty() && settings_of(work).scan.empty()) {
    return fail(Code::denied, "sweep_hosts without sha256 needs 'scan' in effects.yaml");
  }
  const auto hosts = hosts_to_sweep(work);
  if (!hosts) return std::unexpected(hosts.error());
  std::vector<std::string> found;
  std::vector<std::string> failed;
  std::optional<Error> last;
  bool whole = true;
  for (const Host* const host : *hosts) {
    const auto here = sweep_host(work, *host, *hash);
    if (!here) {
      failed.push_back(here.error().what);
      last = here.error();
      continue;
    }
    whole = whole && here->whole;
    for (const std::string& path : here->paths) found.push_back(host->name + ":" + path);
  }
  // A host that does not answer must not hide what the others have found.
  if (last && failed.size() == hosts->size()) return std::unexpected(*last);
  const Listed shown = listed(found);
  return json::Object{{"found", shown.items},
                      {"count", found.size()},
                      {"failed", listed(failed).items},
                      {"whole", whole && shown.whole && failed.empty()}};
}

// It leaves nothing behind that could be seen.
Result<bool> probe_swept(const Work&) {
  return false;
}

std::string place_of(const Work& work) {
  const auto host = find_host(work, work.text("host"));
  if (!host || (*host)->address.empty()) return in_quotes(work.text("host"));
  return in_quotes(work.text("host")) + " (" + (*host)->user + "@" + (*host)->address + ", by " +
         settings_of(work).ssh + ")";
}
std::string file_of(const Work& work) {
  return "the file " + in_quotes(work.text("path")) + " with the SHA-256 " +
         printable(work.text("sha256")) + " on " + place_of(work);
}
std::string describe_quarantine(const Work& work) {
  return "move " + file_of(work) + " into " + settings_of(work).quarantine + " with mode 0000";
}
std::string describe_giving_back(const Work& work) {
  return "move " + file_of(work) + " back out of " + settings_of(work).quarantine;
}
std::string describe_sweep(const Work& work) {
  std::string names;
  for (const std::string& name : work.texts("hosts")) names += (names.empty() ? "" : ", ") + name;
  std::string folders;
  for (const std::string& folder : settings_of(work).folders) {
    folders += (folders.empty() ? "" : ", ") + folder;
  }
  const std::string hash = work.text("sha256");
  return "look below " + folders + " of " +
         (names.empty() ? "all hosts of effects.yaml" : printable(names)) + " for " +
         (hash.empty() ? "what YARA rules match, with " + settings_of(work).scan + " scan"
                       : "files with the SHA-256 " + printable(hash));
}

}  // namespace

const Action quarantine_file{"quarantine_file", quarantine, probe_quarantined, describe_quarantine};
const Action release_file{"release_file", give_back, probe_given_back, describe_giving_back};
const Action sweep_hosts{"sweep_hosts", sweep, probe_swept, describe_sweep};

}  // namespace mailwarden::respond
