// Who can be told, and how he is reached.
//
// What     A Receiver is one place that alerts go to. Read from `receivers` of
//          policies/routes.yaml:
//
//            console: https://warden.example.com
//            receivers:
//              - {name: spool, kind: folder, folder: alerts}
//              - {name: hook, kind: webhook, url: "https://…", token_file: /etc/…,
//                 secret_file: /etc/…}
//              - {name: mail, kind: smtp, server: "smtp://mx.example.com:25", start_tls: true,
//                 from: warden@example.com, to: [security@example.com], user: …,
//                 password_file: …}
//              - {name: pager, kind: pagerduty, key_file: /etc/…}
//              - {name: genie, kind: opsgenie, key_file: /etc/…}
//              - {name: chat, kind: slack, url_file: /etc/…}
//              - {name: prometheus, kind: alertmanager, url: "http://127.0.0.1:9093"}
//
//          All but a folder may have `ca_file` and `per_minute`, which is how many alerts it takes
//          in a minute. `console` is where people open the console; alerts then link to their
//          incident in it.
// Owns     Its content. Secrets stay in their files, which a delivery reads.
// Threads  Values; read_receivers() is pure.
// Errors   read_receivers() gathers every mistake in the Reader.
// Limits   receivers_max (routes.h), per_minute_max.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/yaml_reader.h"

namespace mailwarden::alert {

inline constexpr std::int64_t per_minute_max = 6000;

struct Receiver {
  enum class Kind : std::uint8_t {
    webhook,
    smtp,
    folder,
    pagerduty,
    opsgenie,
    slack,
    alertmanager
  };

  std::string name;
  Kind kind = Kind::folder;
  std::string url;              // of all that speak HTTP; "" where url_file has it
  std::string url_file;         // slack: holds the URL, which is the secret
  std::string token_file;       // webhook, alertmanager: sent as a bearer token; "" for none
  std::string secret_file;      // webhook: secrets that sign it, one a line; "" for none
  std::string key_file;         // pagerduty: the routing key; opsgenie: the API key
  std::string server;           // smtp: "smtp://host:port" or "smtps://host:port"
  bool start_tls = true;        // smtp: refuse to speak without it
  std::string from;             // smtp
  std::vector<std::string> to;  // smtp
  std::string user;             // smtp; "" for none
  std::string password_file;    // smtp
  std::string folder;           // folder: one file an alert, named by its key
  std::string ca_file;          // "" for the system's
  std::int64_t per_minute = 0;  // alerts at most; 0 for as many as come
  std::string console;          // without a slash at its end; "" where none is told
};
std::string_view to_string(Receiver::Kind kind);
// "folder alerts", "webhook https://…", "smtp smtp://…": where it goes, without secrets.
std::string describe(const Receiver& receiver);
// Whether a signed checkpoint can be sent there as it is: not to services that know incidents only.
bool takes_checkpoints(Receiver::Kind kind);

// The receivers of a document, with its `console`. A receiver's folder that is no absolute path
// lies in `folder`.
std::vector<Receiver> read_receivers(yaml::Reader& reader, const yaml::Node& document,
                                     const std::string& folder);

}  // namespace mailwarden::alert
