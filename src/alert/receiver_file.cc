// Reads the receivers of routes.yaml.
#include <algorithm>
#include <array>
#include <set>

#include "alert/receiver.h"
#include "alert/routes.h"
#include "base/text.h"
#include "net/http_target.h"

namespace mailwarden::alert {
namespace {

using yaml::Node;
using yaml::Reader;
using ReceiverKind = Receiver::Kind;

bool is_http(std::string_view url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

// Where nobody else listens to what is said in the clear.
bool is_private(std::string_view url) {
  if (url.starts_with("https://")) return true;
  const std::string_view rest = url.substr(url.find("://") + 3);
  return net::is_loopback_name(rest.substr(0, rest.find_first_of("/?#")));
}

void check_url(Reader& reader, const Node& node, const char* name, const std::string& url) {
  if (!url.empty() && !is_http(url)) {
    reader.mistake(*node.find(name),
                   "'" + std::string(name) + "' must begin with https:// or http://");
  }
}

void check_secret_way(Reader& reader, const Node& node, const std::string& url,
                      std::string_view secret) {
  if (is_http(url) && !is_private(url)) {
    reader.mistake(node, std::string(secret) + " must not travel over http://; use https://");
  }
}

void read_rate(Reader& reader, const Node& node, Receiver& receiver) {
  if (node.find("per_minute") == nullptr) return;
  receiver.per_minute = reader.integer(node, "per_minute", 1, per_minute_max, 0);
}

void read_webhook(Reader& reader, const Node& node, Receiver& receiver) {
  reader.is_map(node, "a webhook",
                {"name", "kind", "url", "token_file", "secret_file", "ca_file", "per_minute"});
  receiver.url = reader.text(node, "url");
  receiver.token_file = reader.text(node, "token_file", "");
  receiver.secret_file = reader.text(node, "secret_file", "");
  check_url(reader, node, "url", receiver.url);
  if (!receiver.token_file.empty()) check_secret_way(reader, node, receiver.url, "a token");
}

void read_smtp(Reader& reader, const Node& node, Receiver& receiver) {
  reader.is_map(node, "an smtp receiver",
                {"name", "kind", "server", "start_tls", "from", "to", "user", "password_file",
                 "ca_file", "per_minute"});
  receiver.server = reader.text(node, "server");
  receiver.start_tls = reader.truth(node, "start_tls", true);
  receiver.from = reader.text(node, "from");
  receiver.to = reader.texts(node, "to");
  receiver.user = reader.text(node, "user", "");
  receiver.password_file = reader.text(node, "password_file", "");
  const bool tls = receiver.server.starts_with("smtps://");
  if (!receiver.server.empty() && !tls && !receiver.server.starts_with("smtp://")) {
    reader.mistake(*node.find("server"), "'server' must begin with smtp:// or smtps://");
  }
  if (!receiver.user.empty() && !receiver.start_tls && !tls) {
    reader.mistake(node, "a password must not travel without TLS; set start_tls: true");
  }
  if (receiver.user.empty() != receiver.password_file.empty()) {
    reader.mistake(node, "'user' and 'password_file' go together");
  }
}

void read_folder(Reader& reader, const Node& node, Receiver& receiver) {
  reader.is_map(node, "a folder receiver", {"name", "kind", "folder"});
  receiver.folder = reader.text(node, "folder");
}

// PagerDuty and Opsgenie: a key, and a service at a known place.
void read_service(Reader& reader, const Node& node, Receiver& receiver, const char* url) {
  receiver.url = reader.text(node, "url", url);
  receiver.key_file = reader.text(node, "key_file");
  check_url(reader, node, "url", receiver.url);
  check_secret_way(reader, node, receiver.url, "a key");
}

void read_pagerduty(Reader& reader, const Node& node, Receiver& receiver) {
  reader.is_map(node, "a pagerduty receiver",
                {"name", "kind", "url", "key_file", "ca_file", "per_minute"});
  read_service(reader, node, receiver, "https://events.pagerduty.com/v2/enqueue");
}

void read_opsgenie(Reader& reader, const Node& node, Receiver& receiver) {
  reader.is_map(node, "an opsgenie receiver",
                {"name", "kind", "url", "key_file", "ca_file", "per_minute"});
  read_service(reader, node, receiver, "https://api.opsgenie.com");
}

void read_slack(Reader& reader, const Node& node, Receiver& receiver) {
  reader.is_map(node, "a slack receiver",
                {"name", "kind", "url", "url_file", "ca_file", "per_minute"});
  receiver.url = reader.text(node, "url", "");
  receiver.url_file = reader.text(node, "url_file", "");
  if (receiver.url.empty() == receiver.url_file.empty()) {
    reader.mistake(node, "a slack receiver has either 'url_file' or 'url'");
    return;
  }
  check_url(reader, node, "url", receiver.url);
  // Whoever knows the address of a Slack webhook may write there.
  if (is_http(receiver.url) && (receiver.url.starts_with("https") || !is_private(receiver.url))) {
    reader.mistake(*node.find("url"),
                   "the address of a Slack webhook is a secret: 'url_file' names a file that holds "
                   "it, and 'url' is for the loopback alone");
  }
}

void read_alertmanager(Reader& reader, const Node& node, Receiver& receiver) {
  reader.is_map(node, "an alertmanager receiver",
                {"name", "kind", "url", "token_file", "ca_file", "per_minute"});
  receiver.url = reader.text(node, "url");
  receiver.token_file = reader.text(node, "token_file", "");
  check_url(reader, node, "url", receiver.url);
  if (!receiver.token_file.empty()) check_secret_way(reader, node, receiver.url, "a token");
}

// A kind of receiver; `at` has where it goes.
struct KindOf {
  ReceiverKind kind;
  std::string_view name;
  void (*read)(Reader& reader, const Node& node, Receiver& receiver);
  std::string Receiver::* at;
  bool checkpoints;
};

constexpr std::array receiver_kinds{
    KindOf{ReceiverKind::webhook, "webhook", read_webhook, &Receiver::url, true},
    KindOf{ReceiverKind::smtp, "smtp", read_smtp, &Receiver::server, true},
    KindOf{ReceiverKind::folder, "folder", read_folder, &Receiver::folder, true},
    KindOf{ReceiverKind::pagerduty, "pagerduty", read_pagerduty, &Receiver::url, false},
    KindOf{ReceiverKind::opsgenie, "opsgenie", read_opsgenie, &Receiver::url, false},
    KindOf{ReceiverKind::slack, "slack", read_slack, &Receiver::url, false},
    KindOf{ReceiverKind::alertmanager, "alertmanager", read_alertmanager, &Receiver::url, false}};

const KindOf& entry_of(ReceiverKind kind) {
  return *std::ranges::find(receiver_kinds, kind, &KindOf::kind);
}

std::string all_kinds() {
  std::string list;
  for (const KindOf& one : receiver_kinds) {
    list += (list.empty() ? "" : ", ") + std::string(one.name);
  }
  return list;
}

Receiver read_receiver(Reader& reader, const Node& node) {
  Receiver receiver;
  if (!node.is_map()) {
    reader.mistake(node, "a receiver is a map with 'name' and 'kind'");
    return receiver;
  }
  receiver.name = reader.text(node, "name");
  if (receiver.name.starts_with(on_call_prefix)) {
    reader.mistake(*node.find("name"), "a receiver's name must not begin with 'on-call:'");
  }
  if (receiver.name.starts_with(escalation_prefix)) {
    reader.mistake(*node.find("name"), "a receiver's name must not begin with 'escalation:'");
  }
  const std::string kind = reader.text(node, "kind");
  const auto* const found = std::ranges::find(receiver_kinds, kind, &KindOf::name);
  if (found == receiver_kinds.end()) {
    if (!kind.empty()) {
      reader.mistake(*node.find("kind"), "'" + printable(kind) + "' is none of " + all_kinds());
    }
    return receiver;
  }
  receiver.kind = found->kind;
  receiver.ca_file = reader.text(node, "ca_file", "");
  found->read(reader, node, receiver);
  read_rate(reader, node, receiver);
  return receiver;
}

std::string read_console(Reader& reader, const Node& document) {
  std::string console = reader.text(document, "console", "");
  check_url(reader, document, "console", console);
  while (console.ends_with('/')) console.pop_back();
  return console;
}

}  // namespace

std::string_view to_string(ReceiverKind kind) {
  return entry_of(kind).name;
}

std::string describe(const Receiver& receiver) {
  const KindOf& entry = entry_of(receiver.kind);
  const std::string& at = receiver.*entry.at;
  return std::string(entry.name) + " " + (at.empty() ? receiver.url_file : at);
}

bool takes_checkpoints(ReceiverKind kind) {
  return entry_of(kind).checkpoints;
}

std::vector<Receiver> read_receivers(Reader& reader, const Node& document,
                                     const std::string& folder) {
  std::vector<Receiver> receivers;
  const std::string console = read_console(reader, document);
  const Node* const list = reader.sequence(document, "receivers");
  if (list == nullptr) return receivers;
  std::set<std::string> names;
  for (const Node& node : list->items) {
    Receiver receiver = read_receiver(reader, node);
    receiver.console = console;
    if (!receiver.folder.empty() && !receiver.folder.starts_with('/')) {
      receiver.folder = folder + "/" + receiver.folder;
    }
    if (!names.insert(receiver.name).second) {
      reader.mistake(node, "a receiver '" + printable(receiver.name) + "' stands here already");
    }
    receivers.push_back(std::move(receiver));
  }
  return receivers;
}

}  // namespace mailwarden::alert
