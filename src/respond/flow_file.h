// Playbooks as files.
//
// What     read_playbooks() reads policies/playbooks/*.yaml, one playbook a file; to_yaml() writes
//          one so that reading it gives the same one but for its file and version.
//
//            name: account-compromise
//            title: An account was taken over
//            when: {rules: [...], types: [...], severity_from: 1}     # without it: by hand
//            dry_run: false
//            undo_on_failure: true
//            rate: {times: 20, per: 1h}
//            variables:
//              account: {type: string, from: incident.entity, meaning: …}
//            steps:                         # one follows the other; the list's end ends the branch
//              - {id: tell, notify: [spool], text: "…"}
//              - id: lock
//                action: suspend_account
//                with: {account: "${account}"}
//                approval: Suspending takes the account from whoever uses it
//                undo: {action: unlock_account, with: {account: "${account}"}}
//                retry: {tries: 3, pause: 10s, pause_max: 5m}
//                rate: {times: 5, per: 1h}
//                time_out: 30s
//                on_failure: [{id: lock-by-hand, manual: "…"}]       # then the step's next follows
//              - {id: hash, command: [/usr/bin/sha256sum, "${file}"], set: {digest: output},
//                 probe: {command: [/usr/bin/test, -e, "${file}"], holds: exit == 0}}
//              - {id: ticket, http: POST, url: "https://…", headers: {…}, body: {…},
//                 sign_with: tickets}
//              - {id: much, if: subjects > 0, then: [...], else: [...]}
//              - {id: which, switch: "${kind}", cases: {mail: [...]}, default: [...]}
//              - {id: again, while: left > 0, at_most: 10, do: [...]}
//              - {id: both, parallel: [[...], [...]]}
//              - {id: pause, wait: 10m}
//              - {id: ask, manual: "…", set: {owner: answer}, within: 4h}
//              - {id: gate, approve: "…"}
//              - {id: sub, playbook: find-elsewhere, with: {sha256: "${sha}"}, set: {hosts: found}}
//            on_failure: [...]               # of the whole run
//
//          `next: ID` and `on_failure: ID` lead on to a step that stands later in the same list,
//          `next: end` ends the branch. command, http and action are tried three times where
//          `retry` says nothing.
// Owns     Its content.
// Threads  Pure.
// Errors   invalid, with every mistake of form, each with file and line. What a well-formed one
//          means is judged by check.h.
// Limits   FlowLimits, text_bytes_max.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "respond/flow.h"

namespace mailwarden::respond::flow {

inline constexpr std::size_t text_bytes_max = 16 * 1024;  // of one text in a playbook

struct PlaybookText {
  std::string file;
  std::string text;
};

struct PlaybookFile {
  Playbook playbook;
  std::map<std::string, std::size_t, std::less<>> lines;  // where each step begins, by its id
};
Result<std::vector<PlaybookFile>> read_playbooks(std::span<const PlaybookText> texts);
// The playbooks alone.
Result<std::vector<Playbook>> parse_playbooks(std::span<const PlaybookText> texts);

// invalid where a step is in no branch, or in two, since no file can say that.
Result<std::string> to_yaml(const Playbook& playbook);

// The steps in the order in which to_yaml() writes them: each before those that may follow it, and
// else as in playbook.order. Steps that are in no branch are left out.
std::vector<std::string> file_order(const Playbook& playbook);

// What a file need not say.
Retry default_retry(StepKind kind);
bool default_repeatable(StepKind kind);

}  // namespace mailwarden::respond::flow
