// What the daemon's own effects may touch, and with which programs.
//
// What     EffectSettings is policies/effects.yaml as values. A part that the file does not name is
//          not there, and the actions that need it are refused with a sentence that says what to
//          write. docs/effects.md explains each setting.
// Owns     Its content.
// Threads  Values.
// Errors   parse_effects() tells every mistake in one Error{invalid}, each with file and line.
// Limits   EffectLimits.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "respond/address_range.h"

namespace mailwarden::respond {

struct EffectLimits {
  static constexpr std::size_t names_max = 1000;  // of accounts, ranges, keys, each
  static constexpr std::size_t hosts_max = 200;
  static constexpr std::size_t folders_max = 50;
  static constexpr std::size_t log_files_max = 8;
  static constexpr std::int64_t listing_bytes_max = std::int64_t{1} << 30;
  static constexpr std::int64_t evidence_bytes_max = std::int64_t{256} << 20;
};

struct AccountEffects {
  std::string usermod = "/usr/sbin/usermod";
  std::string userdel = "/usr/sbin/userdel";
  std::string loginctl = "/usr/bin/loginctl";  // asked where systemd runs
  std::string root;  // the folder that /etc/passwd and homes stand under; "" for this machine's own
  std::int64_t uid_from = 1000;           // accounts below are the system's
  std::set<std::string> system_accounts;  // of those below, the ones that may be touched
  std::set<std::string> never;            // never touched, whatever their number
  std::vector<std::string> authorized_keys{".ssh/authorized_keys", ".ssh/authorized_keys2"};
};

struct FirewallEffects {
  std::string nft = "/usr/sbin/nft";
  std::string table = "mailwarden";   // of family inet; ours alone
  std::string set = "blocked";        // its sets' names begin with it
  std::int64_t prefix_v4_least = 24;  // nothing wider is blocked
  std::int64_t prefix_v6_least = 48;
  std::vector<AddressRange> never;  // besides what every machine needs for itself
};

struct MailEffects {
  std::string postqueue = "/usr/sbin/postqueue";
  std::string postsuper = "/usr/sbin/postsuper";
  std::string config_directory = "/etc/postfix";
  std::int64_t listing_bytes_max = std::int64_t{256} << 20;  // of what postqueue -j says
};

// Statements have one parameter, $1, the campaign.
struct CampaignEffects {
  std::string url;   // postgresql://…
  std::string stop;  // done twice it is as done once, and so is resume
  std::string resume;
  std::string stopped;  // answers one row: whether it is stopped; no row: there is no such campaign
};

struct Host {
  std::string name;
  std::string address;  // "" for this machine, without ssh
  std::int64_t port = 22;
  std::string user = "mailwarden";
};

struct HostEffects {
  std::vector<Host> hosts;
  std::string ssh = "/usr/bin/ssh";
  std::string known_hosts;
  std::string key_file;
  Duration connect_time_out = std::chrono::seconds(5);
  std::string quarantine = "/var/lib/mailwarden-quarantine";  // on each host
  std::vector<std::string> folders;  // on each host: what stands below may be looked at and moved
  std::int64_t file_bytes_max = std::int64_t{64} << 20;
  std::int64_t files_max = 1'000'000;  // looked at on one host, by hash
  std::string scan;                    // the path of `mailwarden` on each host; "" for none
  std::vector<std::string> rules;      // its folders of YARA rules there; none: those shipped
};

struct EvidenceEffects {
  std::string folder;
  std::string journalctl = "/usr/bin/journalctl";
  std::vector<std::string> log_files;  // none: the journal
  std::int64_t lines = 10'000;         // of the journal, or of each file
  std::string ss = "/usr/bin/ss";
  std::string nft = "/usr/sbin/nft";
  std::string who = "/usr/bin/who";
  std::int64_t bytes_max = std::int64_t{16} << 20;  // of one piece
};

struct TicketEffects {
  std::string url;
  std::string sign_with;   // a name of `keys`; "" for none
  std::string token_file;  // a bearer token; "" for none
  std::string id_member = "id";
  std::string find;  // a URL that answers for ?reference=KEY; "" where there is none
};

struct EffectSettings {
  std::string keep = "/var/lib/mailwarden/effects";  // what taking back needs
  // Put before the programs that change this machine: a sudo that asks for nothing. None: they run
  // with the daemon's own rights.
  std::vector<std::string> become;
  std::map<std::string, std::string, std::less<>> keys;  // that sign requests: name to file
  std::optional<AccountEffects> accounts;
  std::optional<FirewallEffects> firewall;
  std::optional<MailEffects> mail;
  std::optional<CampaignEffects> campaigns;
  std::optional<HostEffects> hosts;
  std::optional<EvidenceEffects> evidence;
  std::optional<TicketEffects> tickets;
  std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();
};

// An empty text is a file in which everything is off.
Result<EffectSettings> parse_effects(std::string_view text, const std::string& file);

}  // namespace mailwarden::respond
