// Reads effects.yaml.
#include <algorithm>

#include "base/text.h"
#include "db/open.h"
#include "identity/address.h"
#include "json/yaml_reader.h"
#include "respond/action_parts.h"
#include "respond/effect_settings.h"

namespace mailwarden::respond {
namespace {

constexpr std::int64_t uid_max = 0xFFFF'FFFE;
constexpr Duration connect_time_out_max = std::chrono::minutes(2);

bool is_name(std::string_view text, std::string_view besides) {
  return !text.empty() && text.size() <= 253 && text.front() != '-' &&
         std::ranges::all_of(text, [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  besides.contains(c);
         });
}

class EffectsFile {
 public:
  explicit EffectsFile(const std::string& file) : reader_(file) {}

  Result<EffectSettings> read(std::string_view text) {
    const auto documents = reader_.documents(text);
    const bool empty = documents.empty() || (documents.size() == 1 && documents[0].is_null());
    if (empty && reader_.mistakes().empty()) return EffectSettings();
    EffectSettings settings;
    if (documents.size() == 1) {
      read_parts(documents[0], settings);
    } else if (reader_.mistakes().empty()) {
      return fail(Code::invalid, reader_.file() + ": must hold one document");
    }
    if (!reader_.mistakes().empty()) return fail(Code::invalid, reader_.all_mistakes());
    return settings;
  }

 private:
  void read_parts(const yaml::Node& root, EffectSettings& settings) {
    if (!reader_.is_map(root, "the file",
                        {"keep", "become", "keys", "accounts", "firewall", "mail", "campaigns",
                         "hosts", "evidence", "tickets"})) {
      return;
    }
    settings.keep = path(root, "keep", settings.keep);
    settings.become = reader_.texts_if_any(root, "become");
    if (!settings.become.empty() && !is_plain_path(settings.become.front())) {
      reader_.mistake(*root.find("become"), "'become' must begin with a program's absolute path");
    }
    read_keys(root, settings);
    if (const yaml::Node* part = root.find("accounts")) settings.accounts = read_accounts(*part);
    if (const yaml::Node* part = root.find("firewall")) settings.firewall = read_firewall(*part);
    if (const yaml::Node* part = root.find("mail")) settings.mail = read_mail(*part);
    if (const yaml::Node* part = root.find("campaigns")) settings.campaigns = read_campaigns(*part);
    if (const yaml::Node* part = root.find("hosts")) settings.hosts = read_hosts(*part);
    if (const yaml::Node* part = root.find("evidence")) settings.evidence = read_evidence(*part);
    if (const yaml::Node* part = root.find("tickets")) {
      settings.tickets = read_tickets(*part, settings);
    }
  }

  std::string path(const yaml::Node& map, std::string_view name, const std::string& fallback) {
    std::string told = reader_.text(map, name, fallback);
    const yaml::Node* const node = map.find(name);
    if (node != nullptr && !told.empty() && !is_plain_path(told)) {
      reader_.mistake(*node, in_quotes(name) + " must be an absolute path without . and ..");
    }
    return told;
  }

  // One that is handed to ssh or a script in an option.
  std::string tame_path(const yaml::Node& map, std::string_view name, const std::string& fallback) {
    std::string told = reader_.text(map, name, fallback);
    const yaml::Node* const node = map.find(name);
    if (node != nullptr && !told.empty() && !is_tame_path(told)) {
      reader_.mistake(
          *node, in_quotes(name) + " must be an absolute path of letters, digits and . _ - + @");
    }
    return told;
  }

  std::vector<std::string> paths(const yaml::Node& map, std::string_view name, std::size_t most) {
    std::vector<std::string> told = reader_.texts_if_any(map, name);
    const bool good = std::ranges::all_of(told, is_plain_path);
    if (!good || told.size() > most) {
      reader_.mistake(*map.find(name), in_quotes(name) + " must be at most " +
                                           std::to_string(most) +
                                           " absolute paths without . and ..");
    }
    return told;
  }

  std::set<std::string> names(const yaml::Node& map, std::string_view name) {
    const std::vector<std::string> told = reader_.texts_if_any(map, name);
    if (told.size() > EffectLimits::names_max) {
      reader_.mistake(*map.find(name),
                      "more than " + std::to_string(EffectLimits::names_max) + " names");
    }
    return {told.begin(), told.end()};
  }

  void read_keys(const yaml::Node& root, EffectSettings& settings) {
    const yaml::Node* const keys = root.find("keys");
    if (keys == nullptr) return;
    if (!keys->is_map() || keys->entries.size() > EffectLimits::names_max) {
      reader_.mistake(*keys, "'keys' must be a map of names to files");
      return;
    }
    for (const auto& [name, file] : keys->entries) {
      if (!is_name(name.scalar, "_-")) {
        reader_.mistake(name, in_quotes(name.scalar) + " is no name of a key");
      }
      settings.keys[name.scalar] = path(*keys, name.scalar, "");
    }
  }

  AccountEffects read_accounts(const yaml::Node& node) {
    AccountEffects part;
    if (!reader_.is_map(node, "accounts",
                        {"usermod", "userdel", "loginctl", "root", "uid_from", "system_accounts",
                         "never", "authorized_keys"})) {
      return part;
    }
    part.usermod = path(node, "usermod", part.usermod);
    part.userdel = path(node, "userdel", part.userdel);
    part.loginctl = path(node, "loginctl", part.loginctl);
    part.root = path(node, "root", part.root);
    part.uid_from = reader_.integer(node, "uid_from", 1, uid_max, part.uid_from);
    part.system_accounts = names(node, "system_accounts");
    part.never = names(node, "never");
    if (node.find("authorized_keys") == nullptr) return part;
    part.authorized_keys = reader_.texts(node, "authorized_keys");
    if (!std::ranges::all_of(part.authorized_keys,
                             [](const std::string& file) { return is_plain_path("/" + file); })) {
      reader_.mistake(*node.find("authorized_keys"),
                      "'authorized_keys' must be paths below a home, without . and ..");
    }
    return part;
  }

  FirewallEffects read_firewall(const yaml::Node& node) {
    FirewallEffects part;
    if (!reader_.is_map(node, "firewall",
                        {"nft", "table", "set", "prefix_v4_least", "prefix_v6_least", "never"})) {
      return part;
    }
    part.nft = path(node, "nft", part.nft);
    for (auto [name, value] : {std::pair("table", &part.table), std::pair("set", &part.set)}) {
      *value = reader_.text(node, name, *value);
      const bool is_letter = !value->empty() && !(value->front() >= '0' && value->front() <= '9');
      if (!is_letter || value->size() > 24 || !is_name(*value, "_")) {
        reader_.mistake(node, in_quotes(name) + " must be up to 24 letters, digits and _");
      }
    }
    part.prefix_v4_least = reader_.integer(node, "prefix_v4_least", 8, 32, part.prefix_v4_least);
    part.prefix_v6_least = reader_.integer(node, "prefix_v6_least", 16, 128, part.prefix_v6_least);
    // Somebody has to think of it: whoever blocks the own network is locked out.
    const yaml::Node* const never = reader_.sequence(node, "never");
    if (never == nullptr) return part;
    for (const yaml::Node& item : never->items) {
      const auto range = parse_range(item.scalar);
      if (range && item.is_scalar()) {
        part.never.push_back(*range);
      } else {
        reader_.mistake(item, in_quotes(item.scalar) + " is no address and no prefix");
      }
    }
    if (part.never.size() > EffectLimits::names_max) {
      reader_.mistake(*never, "more than " + std::to_string(EffectLimits::names_max) + " of them");
    }
    return part;
  }

  MailEffects read_mail(const yaml::Node& node) {
    MailEffects part;
    if (!reader_.is_map(node, "mail",
                        {"postqueue", "postsuper", "config_directory", "listing_bytes_max"})) {
      return part;
    }
    part.postqueue = path(node, "postqueue", part.postqueue);
    part.postsuper = path(node, "postsuper", part.postsuper);
    part.config_directory = path(node, "config_directory", part.config_directory);
    part.listing_bytes_max = reader_.integer(
        node, "listing_bytes_max", 4096, EffectLimits::listing_bytes_max, part.listing_bytes_max);
    return part;
  }

  CampaignEffects read_campaigns(const yaml::Node& node) {
    CampaignEffects part;
    if (!reader_.is_map(node, "campaigns", {"url", "stop", "resume", "stopped"})) return part;
    part.url = reader_.text(node, "url");
    const yaml::Node* const url = node.find("url");
    if (!part.url.empty() && (!db::is_postgres(part.url) || !db::check_url(part.url))) {
      reader_.mistake(*url, "'url' must be that of a PostgreSQL database, postgresql://…");
    }
    for (auto [name, value] : {std::pair("stop", &part.stop), std::pair("resume", &part.resume),
                               std::pair("stopped", &part.stopped)}) {
      *value = reader_.text(node, name);
      if (!value->empty() && !value->contains("$1")) {
        reader_.mistake(*node.find(name), in_quotes(name) + " must hold $1, the campaign");
      }
    }
    return part;
  }

  HostEffects read_hosts(const yaml::Node& node) {
    HostEffects part;
    if (!reader_.is_map(node, "hosts",
                        {"list", "ssh", "known_hosts", "key_file", "connect_time_out", "quarantine",
                         "folders", "file_bytes_max", "files_max", "scan", "rules"})) {
      return part;
    }
    part.ssh = path(node, "ssh", part.ssh);
    part.known_hosts = tame_path(node, "known_hosts", "");
    part.key_file = tame_path(node, "key_file", "");
    part.connect_time_out = reader_.duration(node, "connect_time_out", part.connect_time_out);
    if (part.connect_time_out > connect_time_out_max) {
      reader_.mistake(node, "'connect_time_out' must be at most 2m");
    }
    part.quarantine = tame_path(node, "quarantine", part.quarantine);
    if (reader_.sequence(node, "folders") != nullptr) {
      part.folders = paths(node, "folders", EffectLimits::folders_max);
    }
    part.file_bytes_max =
        reader_.integer(node, "file_bytes_max", 1, std::int64_t{1} << 40, part.file_bytes_max);
    part.files_max = reader_.integer(node, "files_max", 1, 1'000'000'000, part.files_max);
    part.scan = path(node, "scan", "");
    part.rules = paths(node, "rules", EffectLimits::folders_max);
    read_host_list(node, part);
    return part;
  }

  void read_host_list(const yaml::Node& node, HostEffects& part) {
    const yaml::Node* const list = reader_.sequence(node, "list");
    if (list == nullptr) return;
    if (list->items.size() > EffectLimits::hosts_max) {
      reader_.mistake(*list, "more than " + std::to_string(EffectLimits::hosts_max) + " hosts");
      return;
    }
    for (const yaml::Node& item : list->items) part.hosts.push_back(read_host(item, part));
    const bool by_ssh =
        std::ranges::any_of(part.hosts, [](const Host& host) { return !host.address.empty(); });
    if (by_ssh && (part.known_hosts.empty() || part.key_file.empty())) {
      reader_.mistake(*list, "hosts with an address need 'known_hosts' and 'key_file'");
    }
  }

  Host read_host(const yaml::Node& node, const HostEffects& part) {
    Host host;
    if (!reader_.is_map(node, "a host", {"name", "address", "port", "user"})) return host;
    host.name = reader_.text(node, "name");
    host.address = reader_.text(node, "address", "");
    host.port = reader_.integer(node, "port", 1, 65535, host.port);
    host.user = reader_.text(node, "user", host.user);
    // "host:path" is read by people and tools.
    if (!host.name.empty() && !is_name(host.name, "._-")) {
      reader_.mistake(node, in_quotes(host.name) + " is no name of letters, digits and . _ -");
    }
    if (std::ranges::find(part.hosts, host.name, &Host::name) != part.hosts.end()) {
      reader_.mistake(node, "there are two hosts " + in_quotes(host.name));
    }
    if (host.address.empty() != (host.name == "local")) {
      reader_.mistake(node, "a host needs an 'address'; 'local', which is this one, has none");
    }
    if (!host.address.empty() && !is_name(host.address, ".:-")) {
      reader_.mistake(node, in_quotes(host.address) + " is no host's name and no address");
    }
    if (!is_name(host.user, "_.-")) {
      reader_.mistake(node, in_quotes(host.user) + " is no account's name");
    }
    return host;
  }

  EvidenceEffects read_evidence(const yaml::Node& node) {
    EvidenceEffects part;
    if (!reader_.is_map(
            node, "evidence",
            {"folder", "journalctl", "log_files", "lines", "ss", "nft", "who", "bytes_max"})) {
      return part;
    }
    static_cast<void>(reader_.text(node, "folder"));
    part.folder = path(node, "folder", "");
    part.journalctl = path(node, "journalctl", part.journalctl);
    part.log_files = paths(node, "log_files", EffectLimits::log_files_max);
    part.lines = reader_.integer(node, "lines", 1, 10'000'000, part.lines);
    part.ss = path(node, "ss", part.ss);
    part.nft = path(node, "nft", part.nft);
    part.who = path(node, "who", part.who);
    part.bytes_max =
        reader_.integer(node, "bytes_max", 4096, EffectLimits::evidence_bytes_max, part.bytes_max);
    return part;
  }

  TicketEffects read_tickets(const yaml::Node& node, const EffectSettings& settings) {
    TicketEffects part;
    if (!reader_.is_map(node, "tickets", {"url", "sign_with", "token_file", "id_member", "find"})) {
      return part;
    }
    part.url = reader_.text(node, "url");
    part.find = reader_.text(node, "find", "");
    for (auto [name, url] : {std::pair("url", &part.url), std::pair("find", &part.find)}) {
      if (url->empty() || identity::is_trusted_address(*url)) continue;
      reader_.mistake(*node.find(name), in_quotes(name) +
                                            " must be https, or http to this machine, without a "
                                            "name and a password");
    }
    part.sign_with = reader_.text(node, "sign_with", "");
    if (!part.sign_with.empty() && !settings.keys.contains(part.sign_with)) {
      reader_.mistake(*node.find("sign_with"), "'keys' has no " + in_quotes(part.sign_with));
    }
    part.token_file = path(node, "token_file", "");
    part.id_member = reader_.text(node, "id_member", part.id_member);
    return part;
  }

  yaml::Reader reader_;
};

}  // namespace

Result<EffectSettings> parse_effects(std::string_view text, const std::string& file) {
  return EffectsFile(file).read(text);
}

}  // namespace mailwarden::respond
