// The daemon's settings, from one file and the command line.
//
// What     Every setting is an option and a key of the YAML file named by --config; the command
//          line wins. Names are the same in both (`reports-interval`, not two spellings).
//          describe() lists them for --help.
// Owns     Its content.
// Threads  Values.
// Errors   Error{invalid} with every mistake at once, each with file and line or with its option.
// Limits   sources_max sources of each kind.
// Source   Boost.Program_options for the command line.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "identity/people_source.h"
#include "json/value.h"
#include "ledger/cosignature.h"
#include "ledger/note.h"
#include "vault/key_provider_spec.h"

namespace mailwarden::config {

inline constexpr std::size_t sources_max = 1000;

// One source of records. As an option: "file:GLOB" or "stdin", then ",key=value" for the others:
// --source file:/var/log/auth.log,name=auth,zone=Europe/Berlin,year=2005,decoder=sshd
struct SourceConfig {
  std::string name;  // by default the file's name without wildcards and ending
  std::string file;  // a glob; empty for standard input
  std::string decoder = "auto";
  std::string zone = "UTC";
  std::string year = "arrival";  // for time stamps without a year: `arrival`, or four digits
  std::string mapping;           // a YAML file of a JSON mapping, for decoder json

  bool operator==(const SourceConfig&) const = default;
};

// A witness of the ledger: "https://HOST/PREFIX,NAME+HASH+KEY".
struct WitnessConfig {
  std::string url;  // without a slash at its end
  ledger::WitnessKey key;

  bool operator==(const WitnessConfig&) const = default;
};

// A receiver of policies/routes.yaml that gets checkpoints: "mail,interval=24h".
struct CheckpointReceiver {
  std::string name;
  Duration interval = std::chrono::hours(24);  // at most one in so long

  bool operator==(const CheckpointReceiver&) const = default;
};

// A dead man's switch outside: "https://HOST/PATH,interval=60s,token_file=FILE,method=GET".
struct HeartbeatConfig {
  std::string url;
  Duration interval = std::chrono::seconds(60);
  std::string token_file;  // sent as a bearer token; "" for none
  std::string method = "POST";

  bool operator==(const HeartbeatConfig&) const = default;
};

struct Config {
  std::string store = "sqlite:/var/lib/mailwarden/mailwarden.db";
  std::int64_t store_bytes_max = 0;   // 0: as much as the disk has
  std::string keys;                   // the book of keys, an SQLite file; "" seals nothing
  std::optional<vault::KekSpec> kek;  // that wraps its keys; there where `keys` is
  std::string key = "/var/lib/mailwarden/ledger.key";
  std::string next_key;  // that is to follow it: both sign; "" but for an overlap
  std::string origin;    // the ledger's name; by default mailwarden/HOSTNAME
  std::vector<std::string> rules{"/usr/share/mailwarden/rules/sigma"};
  std::vector<std::string> pipelines;  // files of processing pipelines for the rules
  std::string policies = "/usr/share/mailwarden/policies";
  std::vector<std::string> entities;  // JSON files of what access policies are about
  std::vector<identity::PeopleSourceOptions> people;  // who tells of people
  std::string issuers;                                // a YAML file of whose tokens are believed
  std::string reports = "/var/lib/mailwarden/reports";
  std::string weasyprint;  // the program that makes PDFs of reports; "" makes none
  std::string alerts = "/var/lib/mailwarden/alerts";  // holds the folders of receivers
  Duration reports_interval = std::chrono::hours(24);
  std::vector<WitnessConfig> witnesses;  // who cosigns checkpoints
  // Whose logs this daemon witnesses, by the verifier keys of their daemons, and as who.
  std::vector<ledger::VerifierKey> witness_for;
  std::string witness_name;  // by default ORIGIN/witness
  std::string witness_key = "/var/lib/mailwarden/witness.key";
  std::vector<CheckpointReceiver> checkpoint_receivers;
  std::optional<HeartbeatConfig> heartbeat;
  std::string checkpoints;  // a folder outside the store that receives every checkpoint
  Duration seal_interval = std::chrono::seconds(10);
  Duration sweep_interval = std::chrono::hours(24);
  std::vector<std::string> listen{"127.0.0.1:8925"};
  std::string socket = "/run/mailwarden/mailwarden.sock";
  // Files of bearer tokens with which alerts, and alerts and silences, are taken over TCP.
  std::string signals_token;
  std::string silences_token;
  std::vector<std::string> access_listen;  // where enforcement points ask over TLS
  std::string tls_certificate;             // PEM files; see net/tls_context.h
  std::string tls_key;
  std::string tls_clients;            // whose certificates enforcement points must show
  std::vector<std::string> commands;  // executables that playbooks may run
  std::vector<SourceConfig> sources;
  unsigned workers = 0;  // 0: one less than there are cores, at least one
  LogLevel log_level = LogLevel::info;
  bool once = false;  // read every source to its present end, settle and end

  // The settings that were given, by their names and in the words of the file and the command line.
  std::map<std::string, std::vector<std::string>> given;
};

// "mailwardend 0.1.0"
std::string_view program_version();

// What was given, for people and for the ledger: a password in a URL is left out, and so is the
// path of a heartbeat's, which is one.
json::Object to_json(const std::map<std::string, std::vector<std::string>>& given);

struct Outcome {
  Config config;
  // Set where the arguments only ask for a text (--help, --version): print it and end with 0.
  std::optional<std::string> answer;
};

// `arguments` without the program's name; `hostname` serves the default origin.
Result<Outcome> parse(const std::vector<std::string>& arguments, const std::string& hostname);

// The settings of a file's text, upon `base`; `file` is for messages.
Result<Config> parse_file(std::string_view text, const std::string& file, Config base);

// "file:/var/log/auth.log,name=auth" or "stdin".
Result<SourceConfig> parse_source(std::string_view text);

// "personnel:/srv/hr/people-*.csv,name=hr,limit=7d", "google:https://HOST/PATH,token=FILE", or
// "personnel,name=hr" for one whose facts are handed over (mailwarden people import).
Result<identity::PeopleSourceOptions> parse_people_source(std::string_view text);

Result<WitnessConfig> parse_witness(std::string_view text);

Result<CheckpointReceiver> parse_checkpoint_receiver(std::string_view text);

Result<HeartbeatConfig> parse_heartbeat(std::string_view text);

// Every option with its meaning, as --help prints it.
std::string describe();

}  // namespace mailwarden::config
