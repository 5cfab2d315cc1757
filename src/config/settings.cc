#include "config/settings.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/parts.h"
#include "base/text.h"
#include "db/open.h"

namespace mailwarden::config {
namespace {

Result<void> read_duration(Duration& into, const std::string& text) {
  const auto parsed = parse_duration(text);
  if (!parsed) return std::unexpected(parsed.error());
  if (*parsed == Duration(0)) return fail(Code::invalid, "must be longer than nothing");
  into = *parsed;
  return {};
}

Result<void> read_path(std::string& into, const std::string& text) {
  if (text.empty()) return fail(Code::invalid, "must name a path");
  into = text;
  return {};
}

Result<void> read_level(Config& config, const std::string& text) {
  constexpr std::array levels{
      std::pair{"debug", LogLevel::debug}, std::pair{"info", LogLevel::info},
      std::pair{"warning", LogLevel::warning}, std::pair{"error", LogLevel::error}};
  for (const auto& [name, level] : levels) {
    if (text != name) continue;
    config.log_level = level;
    return {};
  }
  return fail(Code::invalid, "'" + text + "' is none of debug, info, warning, error");
}

Result<void> read_store(Config& config, const std::string& text) {
  if (auto good = db::check_url(text); !good) return good;
  config.store = text;
  return {};
}

Result<void> read_kek(Config& config, const std::string& text) {
  auto parsed = vault::parse_kek(text);
  if (!parsed) return std::unexpected(parsed.error());
  config.kek = *std::move(parsed);
  return {};
}

Result<void> read_bytes(std::int64_t& into, const std::string& text) {
  const auto number = to_integer(text);
  if (!number || *number < 0) return fail(Code::invalid, "'" + text + "' is not a number of bytes");
  into = *number;
  return {};
}

Result<void> read_workers(Config& config, const std::string& text) {
  constexpr std::int64_t workers_max = 256;
  const auto number = to_integer(text);
  if (!number || *number < 0 || *number > workers_max) {
    return fail(Code::invalid, "'" + text + "' is not a number from 0 to 256");
  }
  config.workers = static_cast<unsigned>(*number);
  return {};
}

Result<void> read_command(Config& config, const std::string& text) {
  if (!text.starts_with('/')) {
    return fail(Code::invalid, "'" + text + "' is not an absolute path");
  }
  config.commands.push_back(text);
  return {};
}

std::string_view host_of(std::string_view address) {
  return address.substr(0, address.rfind(':'));
}

Result<void> check_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const auto port = to_integer(colon == std::string::npos ? "" : text.substr(colon + 1));
  if (!port || *port < 0 || *port > 65535 || colon == 0) {
    return fail(Code::invalid, "'" + text + "' is not ADDRESS:PORT");
  }
  return {};
}

Result<void> read_listen(Config& config, const std::string& text) {
  if (auto checked = check_address(text); !checked) return checked;
  // The console has no sign-in yet, so it must not be reachable from elsewhere.
  if (!is_loopback(text)) {
    return fail(Code::invalid, "'" + std::string(host_of(text)) + "' is not a loopback address");
  }
  config.listen.push_back(text);
  return {};
}

Result<void> read_access_listen(Config& config, const std::string& text) {
  if (auto checked = check_address(text); !checked) return checked;
  config.access_listen.push_back(text);
  return {};
}

template <class Value>
Result<void> append(std::vector<Value>& values, Result<Value> parsed) {
  if (!parsed) return std::unexpected(parsed.error());
  values.push_back(*std::move(parsed));
  return {};
}

Result<void> read_source(Config& config, const std::string& text) {
  return append(config.sources, parse_source(text));
}

Result<void> read_witness(Config& config, const std::string& text) {
  return append(config.witnesses, parse_witness(text));
}

Result<void> read_witnessed(Config& config, const std::string& text) {
  return append(config.witness_for, ledger::parse_verifier_key(text));
}

Result<void> read_checkpoint_receiver(Config& config, const std::string& text) {
  return append(config.checkpoint_receivers, parse_checkpoint_receiver(text));
}

Result<void> read_heartbeat(Config& config, const std::string& text) {
  auto parsed = parse_heartbeat(text);
  if (!parsed) return std::unexpected(parsed.error());
  config.heartbeat = *std::move(parsed);
  return {};
}

Result<void> read_people(Config& config, const std::string& text) {
  return append(config.people, parse_people_source(text));
}

constexpr std::array table{
    Setting{"store", "URL",
            "where everything is kept: sqlite:PATH or postgresql://USER@HOST/DATABASE", false,
            read_store, nullptr},
    Setting{"store-bytes-max", "N", "the store's largest size; 0: as much as the disk has", false,
            [](Config& c, const std::string& t) { return read_bytes(c.store_bytes_max, t); },
            nullptr},
    Setting{"keys", "FILE",
            "the book of keys under which the store's personal values are sealed, such as "
            "/var/lib/mailwarden/keys.db; needs kek; without both nothing is sealed",
            false, [](Config& c, const std::string& t) { return read_path(c.keys, t); }, nullptr},
    Setting{"kek", "KEK",
            "the key that wraps those keys: file:PATH, pkcs11:MODULE,token=,pin=,key= or "
            "command:FILE.yaml, then ,name=",
            false, read_kek, nullptr},
    Setting{"key", "FILE", "the ledger's signing key; made at the first start", false,
            [](Config& c, const std::string& t) { return read_path(c.key, t); }, nullptr},
    Setting{"next-key", "FILE",
            "the key that is to follow it, while both sign; made at the first start", false,
            [](Config& c, const std::string& t) { return read_path(c.next_key, t); }, nullptr},
    Setting{"origin", "NAME", "the ledger's name; by default mailwarden/HOSTNAME", false,
            [](Config& c, const std::string& t) { return read_path(c.origin, t); }, nullptr},
    Setting{"source", "SOURCE",
            "what to read: file:GLOB or stdin, then ,name= ,decoder= ,zone= ,year= ,mapping=", true,
            read_source, [](Config& c) { c.sources.clear(); }},
    Setting{"rules", "DIR", "a folder of Sigma rules", true,
            [](Config& c, const std::string& t) {
              c.rules.push_back(t);
              return Result<void>();
            },
            [](Config& c) { c.rules.clear(); }},
    Setting{"pipelines", "FILE", "a processing pipeline for the rules", true,
            [](Config& c, const std::string& t) {
              c.pipelines.push_back(t);
              return Result<void>();
            },
            [](Config& c) { c.pipelines.clear(); }},
    Setting{"policies", "DIR", "the folder of policies (severity, routes, playbooks, retention)",
            false, [](Config& c, const std::string& t) { return read_path(c.policies, t); },
            nullptr},
    Setting{"entities", "FILE", "people, groups and systems for access policies, as JSON", true,
            [](Config& c, const std::string& t) {
              c.entities.push_back(t);
              return Result<void>();
            },
            [](Config& c) { c.entities.clear(); }},
    Setting{"people", "SOURCE",
            "who tells of people: personnel:FILES, google:FILES or google:https://..., then ,name= "
            ",limit= ,interval= ,token= ,customer= ,groups= ,ca=",
            true, read_people, [](Config& c) { c.people.clear(); }},
    Setting{"issuers", "FILE", "whose tokens are believed", false,
            [](Config& c, const std::string& t) { return read_path(c.issuers, t); }, nullptr},
    Setting{"reports", "DIR", "where reports are written", false,
            [](Config& c, const std::string& t) { return read_path(c.reports, t); }, nullptr},
    Setting{"alerts", "DIR", "where receivers of kind folder keep theirs", false,
            [](Config& c, const std::string& t) { return read_path(c.alerts, t); }, nullptr},
    Setting{"reports-interval", "SPAN", "how often the reports are written anew", false,
            [](Config& c, const std::string& t) { return read_duration(c.reports_interval, t); },
            nullptr},
    Setting{"weasyprint", "FILE", "the program that makes PDFs of reports; none without it", false,
            [](Config& c, const std::string& t) { return read_path(c.weasyprint, t); }, nullptr},
    Setting{"checkpoints", "DIR", "a folder outside the store that receives every checkpoint",
            false, [](Config& c, const std::string& t) { return read_path(c.checkpoints, t); },
            nullptr},
    Setting{"checkpoint-receiver", "NAME",
            "a receiver of routes.yaml that is sent checkpoints, then ,interval= (24h)", true,
            read_checkpoint_receiver, [](Config& c) { c.checkpoint_receivers.clear(); }},
    Setting{"witness", "URL,KEY", "who cosigns checkpoints: https://HOST/PREFIX,NAME+HASH+KEY",
            true, read_witness, [](Config& c) { c.witnesses.clear(); }},
    Setting{"witness-for", "KEY",
            "a log of another daemon that this one witnesses: its verifier key", true,
            read_witnessed, [](Config& c) { c.witness_for.clear(); }},
    Setting{"witness-name", "NAME", "as who it does; by default ORIGIN/witness", false,
            [](Config& c, const std::string& t) { return read_path(c.witness_name, t); }, nullptr},
    Setting{"witness-key", "FILE", "with which it does; made at the first start", false,
            [](Config& c, const std::string& t) { return read_path(c.witness_key, t); }, nullptr},
    Setting{"heartbeat", "URL",
            "a dead man's switch outside that is told that all is well, then ,interval= (60s) "
            ",token_file= ,method= (POST, or GET)",
            false, read_heartbeat, nullptr, "url"},
    Setting{"seal-interval", "SPAN", "how often the ledger is sealed while it grows", false,
            [](Config& c, const std::string& t) { return read_duration(c.seal_interval, t); },
            nullptr},
    Setting{"sweep-interval", "SPAN", "how often retention removes what is due", false,
            [](Config& c, const std::string& t) { return read_duration(c.sweep_interval, t); },
            nullptr},
    Setting{"listen", "ADDRESS:PORT", "loopback addresses of the console and the API", true,
            read_listen, [](Config& c) { c.listen.clear(); }},
    Setting{"socket", "PATH", "UNIX socket of the API, for the command mailwarden", false,
            [](Config& c, const std::string& t) { return read_path(c.socket, t); }, nullptr},
    Setting{"signals-token", "FILE",
            "a bearer token with which alerts may be posted over TCP; without it through the "
            "socket alone",
            false, [](Config& c, const std::string& t) { return read_path(c.signals_token, t); },
            nullptr},
    Setting{"silences-token", "FILE", "the same for silences, and for alerts, too", false,
            [](Config& c, const std::string& t) { return read_path(c.silences_token, t); },
            nullptr},
    Setting{"access-listen", "ADDRESS:PORT", "where enforcement points ask over TLS", true,
            read_access_listen, [](Config& c) { c.access_listen.clear(); }},
    Setting{"tls-certificate", "FILE", "the certificate shown there and its chain, in PEM", false,
            [](Config& c, const std::string& t) { return read_path(c.tls_certificate, t); },
            nullptr},
    Setting{"tls-key", "FILE", "its key, in PEM", false,
            [](Config& c, const std::string& t) { return read_path(c.tls_key, t); }, nullptr},
    Setting{"tls-clients", "FILE",
            "the authorities whose certificates enforcement points must show, in PEM", false,
            [](Config& c, const std::string& t) { return read_path(c.tls_clients, t); }, nullptr},
    Setting{"command", "FILE", "an executable that playbooks may run", true, read_command,
            [](Config& c) { c.commands.clear(); }},
    Setting{"workers", "N", "threads that decode and match; 0: one less than there are cores",
            false, read_workers, nullptr},
    Setting{"log-level", "LEVEL", "debug, info, warning or error", false, read_level, nullptr}};

std::string default_name(const std::string& glob) {
  std::string name = glob.substr(glob.rfind('/') + 1);
  name = name.substr(0, name.find_first_of("*?[{"));
  if (const std::size_t dot = name.rfind('.'); dot != std::string::npos && dot > 0) {
    name = name.substr(0, dot);
  }
  return name.empty() ? "file" : name;
}

Result<void> set_part(SourceConfig& source, std::string_view key, std::string_view value) {
  const std::array<std::pair<std::string_view, std::string*>, 5> parts{
      {{"name", &source.name},
       {"decoder", &source.decoder},
       {"zone", &source.zone},
       {"year", &source.year},
       {"mapping", &source.mapping}}};
  for (const auto& [name, part] : parts) {
    if (key != name) continue;
    if (value.empty()) return fail(Code::invalid, "'" + std::string(key) + "' has no value");
    *part = value;
    return {};
  }
  return fail(Code::invalid,
              "'" + std::string(key) + "' is none of name, decoder, zone, year, mapping");
}

}  // namespace

std::span<const Setting> settings() {
  return table;
}

bool is_loopback(std::string_view address) {
  const std::string_view host = host_of(address);
  return host.starts_with("127.") || host == "[::1]" || host == "localhost";
}

Result<SourceConfig> parse_source(std::string_view text) {
  SourceConfig source;
  const std::string_view kind = text.substr(0, text.find(','));
  constexpr std::string_view file = "file:";
  if (kind.starts_with(file) && kind.size() > file.size()) {
    source.file = kind.substr(file.size());
  } else if (kind != "stdin") {
    return fail(Code::invalid,
                "'" + std::string(kind) + "' is not a source; expected file:GLOB or stdin");
  }
  source.name = source.file.empty() ? "stdin" : default_name(source.file);
  const auto set = [&](std::string_view key, std::string_view value) {
    return set_part(source, key, value);
  };
  if (auto done = each_part(text, set); !done) return std::unexpected(done.error());
  const auto year = to_integer(source.year);
  if (source.year != "arrival" && (!year || source.year.size() != 4)) {
    return fail(Code::invalid, "the year '" + source.year + "' is neither arrival nor four digits");
  }
  return source;
}

Result<CheckpointReceiver> parse_checkpoint_receiver(std::string_view text) {
  CheckpointReceiver receiver{.name = std::string(text.substr(0, text.find(',')))};
  if (receiver.name.empty()) return fail(Code::invalid, "a receiver has a name");
  const auto set = [&](std::string_view key, std::string_view value) -> Result<void> {
    if (key == "interval") return read_duration(receiver.interval, std::string(value));
    return fail(Code::invalid, "'" + std::string(key) + "' is not interval");
  };
  if (auto done = each_part(text, set); !done) return std::unexpected(done.error());
  return receiver;
}

Result<HeartbeatConfig> parse_heartbeat(std::string_view text) {
  constexpr Duration interval_max = std::chrono::days(1);
  HeartbeatConfig heartbeat{.url = std::string(text.substr(0, text.find(',')))};
  const bool tls = heartbeat.url.starts_with("https://");
  if (!tls && !heartbeat.url.starts_with("http://")) {
    return fail(Code::invalid, "the url must begin with https:// or http://");
  }
  const auto set = [&](std::string_view key, std::string_view value) -> Result<void> {
    if (key == "interval") return read_duration(heartbeat.interval, std::string(value));
    if (key == "token_file") return read_path(heartbeat.token_file, std::string(value));
    if (key != "method") {
      return fail(Code::invalid,
                  "'" + std::string(key) + "' is none of interval, token_file, method");
    }
    heartbeat.method = value;
    if (value == "POST" || value == "GET") return {};
    return fail(Code::invalid, "the method '" + std::string(value) + "' is neither POST nor GET");
  };
  if (auto done = each_part(text, set); !done) return std::unexpected(done.error());
  if (heartbeat.interval > interval_max) {
    return fail(Code::invalid, "the interval must be at most 1d");
  }
  if (!heartbeat.token_file.empty() && !tls) {
    return fail(Code::invalid, "a token must not travel over http://; use https://");
  }
  return heartbeat;
}

Result<WitnessConfig> parse_witness(std::string_view text) {
  const std::size_t comma = text.find(',');
  const std::string_view url = text.substr(0, comma);
  const bool is_address = url.starts_with("https://") || url.starts_with("http://");
  if (comma == std::string_view::npos || !is_address) {
    return fail(Code::invalid, "'" + std::string(text) + "' is not URL,NAME+HASH+KEY");
  }
  auto key = ledger::parse_witness_key(text.substr(comma + 1));
  if (!key) return std::unexpected(key.error());
  WitnessConfig witness{.url = std::string(url), .key = *std::move(key)};
  while (witness.url.ends_with('/')) witness.url.pop_back();
  return witness;
}

}  // namespace mailwarden::config
