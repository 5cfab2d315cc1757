#include <algorithm>
#include <array>

#include "respond/action.h"

namespace mailwarden::respond {
namespace {

using flow::VariableType;

constexpr std::array<ActionParameter, 0> nothing{};

constexpr std::array account{ActionParameter{
    .name = "account", .meaning = "the name of an account of this machine: \"deploy\""}};

constexpr std::array account_and_key{
    ActionParameter{.name = "account", .meaning = "whose key it is"},
    ActionParameter{.name = "fingerprint",
                    .meaning = "of the key, as ssh-keygen -l prints it: \"SHA256:…\""}};

constexpr std::array address_and_time{
    ActionParameter{.name = "address",
                    .meaning = "IPv4, IPv6 or a prefix: \"192.0.2.7\", \"2001:db8::/64\""},
    ActionParameter{.name = "seconds",
                    .type = VariableType::integer,
                    .required = false,
                    .meaning = "for how long; without it until it is taken back"}};

constexpr std::array address{
    ActionParameter{.name = "address", .meaning = "as it was blocked: an address or a prefix"}};

constexpr std::array sender{ActionParameter{
    .name = "sender", .meaning = "the exact envelope sender; \"MAILER-DAEMON\" for none"}};

constexpr std::array mails{
    ActionParameter{
        .name = "count", .type = VariableType::integer, .meaning = "of mails in the queue"},
    ActionParameter{.name = "ids", .type = VariableType::list, .meaning = "their queue ids"}};

constexpr std::array campaign{
    ActionParameter{.name = "campaign", .meaning = "as the mail core's database names it"}};

constexpr std::array rows{ActionParameter{.name = "count",
                                          .type = VariableType::integer,
                                          .meaning = "of rows that the statement changed"}};

constexpr std::array file{
    ActionParameter{.name = "host", .meaning = "a host of effects.yaml; \"local\" for this one"},
    ActionParameter{.name = "path", .meaning = "the absolute path of a regular file"},
    ActionParameter{.name = "sha256",
                    .type = VariableType::sha256_hash,
                    .meaning = "what its content must hash to"}};

constexpr std::array kept{
    ActionParameter{.name = "file", .meaning = "where it lies in quarantine, on that host"}};

constexpr std::array sweep_parameters{
    ActionParameter{.name = "sha256",
                    .type = VariableType::sha256_hash,
                    .required = false,
                    .meaning = "of files to find; without it what YARA rules match"},
    ActionParameter{.name = "hosts",
                    .type = VariableType::list,
                    .required = false,
                    .meaning = "of effects.yaml; without it all of them"}};

constexpr std::array found{
    ActionParameter{
        .name = "found", .type = VariableType::list, .meaning = "each as \"host:path\""},
    ActionParameter{.name = "count", .type = VariableType::integer, .meaning = "of them"},
    ActionParameter{.name = "whole",
                    .type = VariableType::boolean,
                    .meaning = "no limit kept it from looking at everything"},
    ActionParameter{.name = "failed",
                    .type = VariableType::list,
                    .meaning = "hosts that did not answer, each with why"}};

constexpr std::array evidence_kinds{
    ActionParameter{.name = "kinds",
                    .type = VariableType::list,
                    .meaning = "of logs, sockets, firewall, processes, sessions"}};

constexpr std::array evidence_results{
    ActionParameter{.name = "evidence",
                    .type = VariableType::list,
                    .meaning = "each a JSON object as text: kind, sha256, bytes, file, whole"},
    ActionParameter{.name = "failed",
                    .type = VariableType::list,
                    .meaning = "kinds that could not be taken, each with why"}};

constexpr std::array ticket_text{ActionParameter{.name = "title", .meaning = "one line"},
                                 ActionParameter{.name = "text", .meaning = "what it is about"}};

constexpr std::array ticket{
    ActionParameter{.name = "ticket", .meaning = "its id, as the ticket system says"}};

constexpr std::array kinds{
    ActionKind{.name = "suspend_account",
               .meaning = "locks the password of an account and lets it expire, so that no way of "
                          "signing in is left",
               .parameters = account,
               .results = nothing,
               .repeatable = true,
               .destructive = true,
               .undo = "unlock_account"},
    ActionKind{.name = "unlock_account",
               .meaning = "takes back what suspend_account did, and only that",
               .parameters = account,
               .results = nothing,
               .repeatable = true,
               .undo = "suspend_account"},
    ActionKind{.name = "end_sessions",
               .meaning = "ends the sessions and all processes of an account",
               .parameters = account,
               .results = nothing,
               .repeatable = true,
               .destructive = true,
               .undo = ""},
    ActionKind{.name = "remove_account",
               .meaning = "removes an account; its home stays as evidence",
               .parameters = account,
               .results = nothing,
               .repeatable = true,
               .destructive = true,
               .undo = ""},
    ActionKind{.name = "remove_ssh_key",
               .meaning = "takes a key out of an account's authorized_keys and keeps its line",
               .parameters = account_and_key,
               .results = nothing,
               .repeatable = true,
               .destructive = true,
               .undo = "restore_ssh_key"},
    ActionKind{.name = "restore_ssh_key",
               .meaning = "gives back a key that remove_ssh_key has taken",
               .parameters = account_and_key,
               .results = nothing,
               .repeatable = true,
               .undo = "remove_ssh_key"},
    ActionKind{.name = "block_address",
               .meaning = "drops what comes from an address, by a set of the firewall",
               .parameters = address_and_time,
               .results = nothing,
               .repeatable = true,
               .destructive = true,
               .undo = "unblock_address"},
    ActionKind{.name = "unblock_address",
               .meaning = "takes an address out of that set",
               .parameters = address,
               .results = nothing,
               .repeatable = true,
               .undo = "block_address"},
    ActionKind{.name = "hold_mail",
               .meaning = "holds every mail of an envelope sender in Postfix's queue",
               .parameters = sender,
               .results = mails,
               .repeatable = true,
               .destructive = true,
               .undo = "release_mail"},
    ActionKind{.name = "release_mail",
               .meaning = "releases every held mail of an envelope sender",
               .parameters = sender,
               .results = mails,
               .repeatable = true,
               .undo = "hold_mail"},
    ActionKind{.name = "delete_mail",
               .meaning = "deletes every mail of an envelope sender from Postfix's queue",
               .parameters = sender,
               .results = mails,
               .repeatable = true,
               .destructive = true,
               .undo = ""},
    ActionKind{.name = "stop_campaign",
               .meaning = "stops a campaign by the mail core's own statement",
               .parameters = campaign,
               .results = rows,
               .repeatable = true,
               .destructive = true,
               .undo = "resume_campaign"},
    ActionKind{.name = "resume_campaign",
               .meaning = "resumes a campaign by the mail core's own statement",
               .parameters = campaign,
               .results = rows,
               .repeatable = true,
               .undo = "stop_campaign"},
    ActionKind{.name = "quarantine_file",
               .meaning = "moves a file of that content where nobody reads or runs it",
               .parameters = file,
               .results = kept,
               .repeatable = true,
               .destructive = true,
               .undo = "release_file"},
    ActionKind{.name = "release_file",
               .meaning = "moves a file back from quarantine, with the owner and mode it had",
               .parameters = file,
               .results = nothing,
               .repeatable = true,
               .undo = "quarantine_file"},
    ActionKind{.name = "sweep_hosts",
               .meaning = "looks on hosts for files of a content, or for what YARA rules match",
               .parameters = sweep_parameters,
               .results = found,
               .repeatable = true,
               .undo = ""},
    ActionKind{.name = "collect_evidence",
               .meaning = "keeps how this machine stands now, in files named by their hash",
               .parameters = evidence_kinds,
               .results = evidence_results,
               .repeatable = true,
               .undo = ""},
    ActionKind{.name = "open_ticket",
               .meaning = "opens a ticket; the same step never opens two where the ticket system "
                          "honours webhook-id",
               .parameters = ticket_text,
               .results = ticket,
               .repeatable = true,
               .undo = ""}};

}  // namespace

std::span<const ActionKind> action_kinds() {
  return kinds;
}

const ActionKind* find_action(std::string_view name) {
  const auto found_kind = std::ranges::find(kinds, name, &ActionKind::name);
  return found_kind == kinds.end() ? nullptr : &*found_kind;
}

}  // namespace mailwarden::respond
