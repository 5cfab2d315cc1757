// The daemon's own effects: what playbooks can do to accounts, mail, addresses, files and hosts.
//
// What     action_kinds() lists them; perform_action() makes one try of one, probe_action() asks
//          whether its effect holds now, so that nobody has to guess after a crash.
//
//            suspend_account{account}              unlock_account{account}
//            end_sessions{account}                 remove_account{account}
//            remove_ssh_key{account, fingerprint}  restore_ssh_key{account, fingerprint}
//            block_address{address, seconds?}      unblock_address{address}
//            hold_mail{sender}                     release_mail{sender}
//            delete_mail{sender}
//            stop_campaign{campaign}               resume_campaign{campaign}
//            quarantine_file{host, path, sha256}   release_file{host, path, sha256}
//            sweep_hosts{sha256?, hosts?}          -> found: a list of "host:path"
//            collect_evidence{kinds}               -> evidence
//            open_ticket{title, text}              -> ticket
//
//          What an action may touch is in EffectSettings; without its settings it is refused.
// Owns     Nothing.
// Threads  Any.
// Errors   invalid: an argument is none that it takes. denied: refused for good, by settings or by
//          the other side. unavailable, io: another try may help.
// Limits   In EffectSettings and effect.h.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/timestamp.h"
#include "json/value.h"
#include "respond/flow.h"

namespace mailwarden::respond {

struct ActionParameter {
  std::string_view name;
  flow::VariableType type = flow::VariableType::string;
  bool required = true;
  std::string_view meaning;
};

struct ActionKind {
  std::string_view name;
  std::string_view meaning;
  std::span<const ActionParameter> parameters;
  std::span<const ActionParameter> results;
  bool repeatable = false;   // done twice it is as done once
  bool destructive = false;  // it takes something from somebody
  std::string_view undo;     // the action that takes it back; "" for none
};
std::span<const ActionKind> action_kinds();
const ActionKind* find_action(std::string_view name);

struct EffectSettings;

struct ActionCall {
  std::string action;
  json::Object arguments;
  std::string key;  // the step's, the same for every try
  Duration time_out = std::chrono::seconds(30);
};
// Its results, by name.
Result<json::Object> perform_action(const ActionCall& call, const EffectSettings& settings);
// Whether its effect holds now.
Result<bool> probe_action(const ActionCall& call, const EffectSettings& settings);
// "lock the account 'deploy' with /usr/sbin/usermod".
std::string describe_action(const ActionCall& call, const EffectSettings& settings);

}  // namespace mailwarden::respond
