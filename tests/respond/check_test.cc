// What the checker finds in playbooks, and what it lets pass.
#include "respond/check.h"

#include <functional>

#include <gtest/gtest.h>

#include "respond/flow_file.h"

namespace mailwarden::respond {
namespace {

using flow::Playbook;
using flow::Step;

const CheckContext context{.receivers = CheckContext::Names{"spool"},
                           .schedules = CheckContext::Names{"primary"},
                           .commands = CheckContext::Names{"/bin/x"},
                           .sign_keys = CheckContext::Names{"tickets"},
                           .types = CheckContext::Names{"malware"},
                           .rules = CheckContext::Names{"a"}};

constexpr const char* variables = R"(
variables:
  account: {from: incident.entity}
  address: {type: ipv4-addr, from: incident.entity}
  owner: {}
  left: {type: integer, value: 3}
  is_open: {type: bool, value: true}
  hosts: {type: list, value: []}
  fixed: {value: x, constant: true}
  hash: {type: sha256-hash}
)";

std::string file(const std::string& steps, const std::string& more = "") {
  return "name: main\ntitle: t" + std::string(variables) + more + "\nsteps:\n" + steps;
}

// Of another playbook, to be a part.
constexpr const char* part = R"(name: part
title: t
variables:
  host: {external: true}
  days: {type: integer, external: true, value: 3}
  found: {type: list, value: []}
steps: [{id: p, wait: 1s}]
)";

std::vector<Playbook> parsed(const std::vector<std::string>& files) {
  std::vector<flow::PlaybookText> texts;
  for (const std::string& text : files) {
    texts.push_back({"p" + std::to_string(texts.size()) + ".yaml", text});
  }
  auto playbooks = flow::parse_playbooks(texts);
  EXPECT_TRUE(playbooks) << playbooks.error().what;
  return playbooks.value_or(std::vector<Playbook>());
}

std::string to_text(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += std::string(finding.weight == Finding::Weight::error ? "error " : "warning ") +
            finding.playbook + (finding.step.empty() ? "" : "/" + finding.step) + ": " +
            finding.what + "\n";
  }
  return text;
}

std::string findings(const std::vector<std::string>& files) {
  return to_text(check(parsed(files), context));
}

TEST(Check, LetsGoodPlaybooksPass) {
  for (const std::string& steps : std::vector<std::string>{
           "- {id: a, notify: [spool, 'on-call:primary'], text: '${account} ${incident.title}'}",
           "- {id: a, action: suspend_account, with: {account: '${account}'}}",
           "- {id: a, action: block_address, with: {address: '${account}', seconds: '${left}'}}",
           "- {id: a, command: [/bin/x, '${account}'], repeatable: true, set: {owner: output}}\n"
           "- {id: b, manual: 'ask ${owner}', set: {left: answer}}",
           "- {id: a, if: exists fact.services and fact.services >= 2,"
           " then: [{id: b, wait: 1s}]}",
           "- {id: a, if: exists owner, then: [{id: b, manual: '${owner}'}]}",
           "- {id: a, if: not exists owner, then: [{id: b, wait: 1s}],"
           " else: [{id: c, manual: '${owner}'}]}",
           "- {id: a, if: not exists owner or owner == \"x\", then: [{id: b, wait: 1s}]}",
           "- {id: a, if: left > 0, then: [{id: b, manual: w, set: {owner: answer}}],"
           " else: [{id: c, manual: w, set: {owner: answer}}]}\n- {id: d, manual: '${owner}'}",
           "- {id: a, while: left > 0, at_most: 3, do: [{id: b, manual: w, set: {left: answer}}]}",
           "- {id: a, while: not exists fact.services, at_most: 3, do: [{id: b, wait: 1h}]}",
           "- {id: a, parallel: [[{id: b, manual: w, set: {owner: answer}}],"
           " [{id: c, manual: w, set: {left: answer}}]]}\n- {id: d, manual: '${owner} ${left}'}",
           "- {id: a, action: sweep_hosts, set: {hosts: found}}\n- {id: b, if: '\"h\" in hosts',"
           " then: [{id: c, wait: 1s}]}",
           "- {id: a, playbook: part, with: {host: '${account}'}, set: {hosts: found}}",
           "- {id: a, command: [/bin/x], probe: {command: [/bin/x], holds: exit == 0 and output =="
           " \"y\"}}",
           "- {id: a, action: end_sessions, with: {account: '${account}'}, on_failure: [{id: b,"
           " manual: 'end them'}]}\n- {id: c, wait: 1s}"}) {
    EXPECT_EQ(findings({file(steps), part}), "") << steps;
  }
}

TEST(Check, FindsWhatIsWrongInAFile) {
  struct Case {
    const char* name;
    std::string steps;
    const char* expected;
  };
  for (const Case& c : std::vector<Case>{
           {"no way", "- {id: a, wait: 1s, next: end}\n- {id: b, wait: 1s}",
            "error main/b: no way leads to this step\n"},
           {"wait that fails", "- {id: a, wait: 1s, on_failure: [{id: b, manual: w}]}",
            "warning main/a: a wait cannot fail, so its on_failure is never taken\n"},
           {"failure leads to next", "- {id: a, manual: w, on_failure: b}\n- {id: b, wait: 1s}",
            "warning main/a: on_failure leads where next does; say go_on\n"},
           {"endless while", "- {id: a, while: left > 0, at_most: 9, do: [{id: b, wait: 1s}]}",
            "error main/a: no step of its body can change its condition, left > 0\n"},
           {"two set one",
            "- {id: a, parallel: [[{id: b, manual: w, set: {owner: answer}}],"
            " [{id: c, if: is_open, then: [{id: d, manual: w, set: {owner: answer}}]}]]}",
            "error main/a: branches 1 and 2 both set 'owner'\n"},
           {"undefined in a text", "- {id: a, manual: 'ask ${nobody}'}",
            "error main/a: there is no variable 'nobody'\n"},
           {"undefined in a condition", "- {id: a, if: exists nobody, then: [{id: b, wait: 1s}]}",
            "error main/a: there is no variable 'nobody'\n"},
           {"no value yet", "- {id: a, manual: 'ask ${owner}'}",
            "error main/a: 'owner' may have no value here, since on some way nothing has set it\n"},
           {"an entity that may be no address", "- {id: a, manual: '${address}'}",
            "error main/a: 'address' may have no value here, since on some way nothing has set"
            " it\n"},
           {"no value on one way",
            "- {id: a, if: is_open, then: [{id: b, manual: w, set: {owner:"
            " answer}}]}\n- {id: c, manual: '${owner}'}",
            "error main/c: 'owner' may have no value here, since on some way nothing has set it\n"},
           {"no value after a failure",
            "- {id: a, manual: w, set: {owner: answer}, on_failure: c}\n"
            "- {id: b, wait: 1s}\n- {id: c, manual: '${owner}'}",
            "error main/c: 'owner' may have no value here, since on some way nothing has set it\n"},
           {"no value where it goes on",
            "- {id: a, manual: w, set: {owner: answer}, go_on: true}\n"
            "- {id: b, manual: '${owner}'}",
            "error main/b: 'owner' may have no value here, since on some way nothing has set it\n"},
           {"no value behind a loop",
            "- {id: a, while: left > 0, at_most: 3, do: [{id: b, manual:"
            " w, set: {left: answer, owner: answer}}]}\n- {id: c, manual: '${owner}'}",
            "error main/c: 'owner' may have no value here, since on some way nothing has set it\n"},
           {"no default",
            "- {id: a, switch: '${account}', cases: {x: [{id: b, manual: w, set:"
            " {owner: answer}}]}}\n- {id: c, manual: '${owner}'}",
            "error main/c: 'owner' may have no value here, since on some way nothing has set it\n"},
           {"wrong way of exists",
            "- {id: a, if: exists owner, then: [{id: b, wait: 1s}], else:"
            " [{id: c, manual: '${owner}'}]}",
            "error main/c: 'owner' may have no value here, since on some way nothing has set it\n"},
           {"an unknown fact", "- {id: a, if: fact.services >= 2, then: [{id: b, wait: 1s}]}",
            "error main/a: 'fact.services' is not known of every incident; ask 'exists"
            " fact.services' first\n"},
           {"a constant", "- {id: a, manual: w, set: {fixed: answer}}",
            "error main/a: 'fixed' is a constant and cannot be set\n"},
           {"set of nothing", "- {id: a, manual: w, set: {nobody: answer}}",
            "error main/a: there is no variable 'nobody' to set\n"},
           {"answers no", "- {id: a, manual: w, set: {owner: output}}",
            "error main/a: a step of kind manual answers no 'output'\n"},
           {"a list for a text", "- {id: a, action: sweep_hosts, set: {owner: found}}",
            "error main/a: 'found' is list, and 'owner' is string\n"},
           {"an exit for a list",
            "- {id: a, command: [/bin/x], repeatable: true, set: {hosts:"
            " exit}}",
            "error main/a: 'exit' is integer, and 'hosts' is list\n"},
           {"text and number", "- {id: a, if: account > 3, then: [{id: b, wait: 1s}]}",
            "error main/a: in its condition, a text and a number do not compare by >\n"},
           {"lists in order", "- {id: a, if: hosts < hosts, then: [{id: b, wait: 1s}]}",
            "error main/a: in its condition, a list and a list do not compare by <\n"},
           {"a number that is true", "- {id: a, if: left, then: [{id: b, wait: 1s}]}",
            "error main/a: in its condition, 'left' is a number and cannot be true\n"},
           {"in a text", "- {id: a, if: left in account, then: [{id: b, wait: 1s}]}",
            "error main/a: in its condition, behind 'in' stands a text and no list\n"},
           {"a number in hosts", "- {id: a, if: left in hosts, then: [{id: b, wait: 1s}]}",
            "error main/a: in its condition, a list of texts holds no number\n"},
           {"other in list", "- {id: a, if: 'left in [1, \"b\"]', then: [{id: b, wait: 1s}]}",
            "error main/a: in its condition, a number and a text do not compare by in\n"},
           {"no argument", "- {id: a, action: suspend_account}",
            "error main/a: suspend_account needs 'account'\n"},
           {"another argument", "- {id: a, action: suspend_account, with: {account: x, why: y}}",
            "error main/a: suspend_account takes no 'why'\n"},
           {"a list as argument", "- {id: a, action: suspend_account, with: {account: '${hosts}'}}",
            "error main/a: 'account' of suspend_account: 'hosts' is list and no string\n"},
           {"a wrong literal", "- {id: a, action: block_address, with: {address: x, seconds: y}}",
            "error main/a: 'seconds' of block_address: integer asks for a whole number\n"},
           {"a text as number",
            "- {id: a, action: block_address, with: {address: x, seconds:"
            " '${left}s'}}",
            "error main/a: 'seconds' of block_address: a text is no integer\n"},
           {"an undo's argument",
            "- {id: a, action: suspend_account, with: {account: x}, undo:"
            " {action: unlock_account}}",
            "error main/a: unlock_account needs 'account'\n"},
           {"no action", "- {id: a, action: dance}", "error main/a: there is no action 'dance'\n"},
           {"no playbook", "- {id: a, playbook: none}",
            "error main/a: there is no playbook 'none'\n"},
           {"a part's external", "- {id: a, playbook: part}",
            "error main/a: 'part' needs 'host'\n"},
           {"no external of it", "- {id: a, playbook: part, with: {host: x, found: y}}",
            "error main/a: 'part' has no external variable 'found'\n"},
           {"a part's type", "- {id: a, playbook: part, with: {host: x, days: soon}}",
            "error main/a: 'days': 'soon': integer asks for a whole number\n"},
           {"a part's variable", "- {id: a, playbook: part, with: {host: '${hosts}'}}",
            "error main/a: 'host': 'hosts' is list and no string\n"},
           {"what a part has not", "- {id: a, playbook: part, with: {host: x}, set: {hosts: gone}}",
            "error main/a: a step of kind playbook answers no 'gone'\n"},
           {"in itself", "- {id: a, playbook: main}",
            "error main/a: the playbook 'main' leads back to this one\n"},
           {"no receiver", "- {id: a, notify: [pager], text: t}",
            "error main/a: there is no receiver 'pager'\n"},
           {"no schedule", "- {id: a, notify: ['on-call:second'], text: t}",
            "error main/a: there is no schedule 'second'\n"},
           {"a receiver of a value", "- {id: a, notify: ['${account}'], text: t}",
            "error main/a: a receiver must be named without variables\n"},
           {"no key", "- {id: a, http: POST, url: 'https://h/', sign_with: x}",
            "error main/a: there is no key 'x' to sign with\n"},
           {"a header's name", "- {id: a, http: POST, url: 'https://h/', headers: {'a b': c}}",
            "error main/a: 'a b' is no name of a header\n"},
           {"a command not ours", "- {id: a, command: [/bin/y], repeatable: true}",
            "warning main/a: /bin/y is not among the commands that this daemon may run, so a person"
            " will be asked to\n"},
           {"who knows", "- {id: a, command: [/bin/x]}",
            "warning main/a: after a crash nobody knows whether it was done: give it a probe, say"
            " repeatable, or ask for approval\n"},
           {"a probe's condition",
            "- {id: a, command: [/bin/x], probe: {command: [/bin/x], holds:"
            " output > 3}}",
            "error main/a: in its condition, a text and a number do not compare by >\n"},
           {"too long a delay", "- {id: a, manual: w, within: 60d}",
            "error main/a: within must not be longer than 31 d\n"}}) {
    EXPECT_EQ(findings({file(c.steps), part}), c.expected) << c.name;
  }
}

TEST(Check, FindsWhatIsWrongInTheHead) {
  struct Case {
    const char* name;
    std::string head;
    const char* expected;
  };
  for (const Case& c : std::vector<Case>{
           {"type", "when: {types: [fire]}", "error n: there is no type of incidents 'fire'\n"},
           {"rule", "when: {rules: [b]}", "error n: there is no rule 'b'\n"},
           {"constant", "variables: {c: {constant: true}}",
            "error n: the constant 'c' has no value\n"},
           {"from", "variables: {c: {from: incident.owner}}",
            "error n: the variable 'c': an incident has no 'incident.owner'\n"},
           {"from another type", "variables: {c: {type: list, from: incident.title}}",
            "error n: the variable 'c': incident.title is string and no list\n"},
           {"undo", "undo_on_failure: true",
            "warning n/a: a failure of the run is to be taken back, but this step has no undo:"
            " unlock_account\n"}}) {
    EXPECT_EQ(findings({"name: n\ntitle: t\n" + c.head +
                        "\nsteps: [{id: a, action: suspend_account, with: {account: x}}]"}),
              c.expected)
        << c.name;
  }
}

// What no file can say, but an import could.
TEST(Check, FindsWhatIsWrongInAGraph) {
  const Playbook good = parsed({file("- {id: a, if: is_open, then: [{id: b, wait: 1s}]}\n- {id: c, "
                                     "manual: w}\n- {id: d, wait: 1s}")})
                            .at(0);
  struct Case {
    const char* name;
    std::function<void(Playbook&)> change;
    const char* expected;
  };
  for (const Case& c : std::vector<Case>{
           {"no start", [](Playbook& p) { p.start = "x"; },
            "error main: it begins with a step 'x', which is not there\n"},
           {"no next", [](Playbook& p) { p.steps.at("c").next = "x"; },
            "error main/c: next leads to a step 'x', which is not there\n"},
           {"no branch", [](Playbook& p) { p.steps.at("a").otherwise = "x"; },
            "error main/a: else leads to a step 'x', which is not there\n"},
           {"circle", [](Playbook& p) { p.steps.at("d").next = "c"; },
            "error main/d: steps lead in a circle, which only 'while' may\n"},
           {"two branches", [](Playbook& p) { p.steps.at("b").next = "c"; },
            "error main/c: this step stands in two branches\n"},
           {"in itself", [](Playbook& p) { p.steps.at("a").then = "a"; },
            "error main/a: this step stands in two branches\n"},
           {"no then", [](Playbook& p) { p.steps.at("a").then = ""; },
            "error main/a: nothing is said for when the condition holds\n"},
           {"id", [](Playbook& p) { p.steps.at("b").id = "z"; },
            "error main/b: 'b' is no id of a step\n"},
           {"condition", [](Playbook& p) { p.steps.at("a").condition = "is_open ="; },
            "error main/a: in its condition, column 9: 'and', 'or' or the end was expected\n"},
           {"both ways",
            [](Playbook& p) {
              p.steps.at("c").go_on = true;
              p.steps.at("c").on_failure = "e";
              p.steps["e"] =
                  Step{.id = "e", .kind = flow::StepKind::wait, .wait = std::chrono::seconds(1)};
              p.order.emplace_back("e");
            },
            "error main/c: go_on and on_failure exclude each other\n"},
           {"tries", [](Playbook& p) { p.steps.at("c").retry.tries = 50; },
            "error main/c: tries must be from 1 to 20\n"},
           {"no wait", [](Playbook& p) { p.steps.at("d").wait = {}; },
            "error main/d: a wait must say how long\n"},
           {"open text", [](Playbook& p) { p.steps.at("c").text = "${"; },
            "error main/c: a '${' is never closed\n"},
           {"a value", [](Playbook& p) { p.variables.at("left").value = "x"; },
            "error main: the variable 'left': integer asks for a whole number\n"}}) {
    Playbook changed = good;
    c.change(changed);
    const std::vector<Playbook> playbooks{changed};
    const std::string found = to_text(check(playbooks, context));
    EXPECT_NE(found.find(c.expected), std::string::npos) << c.name << ": " << found;
  }
}

TEST(Check, BranchesAndPartsNestSoDeepAndNoDeeper) {
  const auto nested = [](int depth, const std::string& last) {
    std::string steps = last;
    for (int i = depth - 1; i > 0; --i) {
      steps = "{id: i" + std::to_string(i) + ", if: is_open, then: [" + steps + "]}";
    }
    return steps;
  };
  EXPECT_EQ(findings({file("- " + nested(8, "{id: a, wait: 1s}"))}), "");
  EXPECT_NE(findings({file("- " + nested(9, "{id: a, wait: 1s}"))}).find("nest deeper than 8"),
            std::string::npos);
  const std::string with_part = "{id: a, playbook: part, with: {host: x}}";
  EXPECT_EQ(findings({file("- " + nested(7, with_part)), part}), "");
  EXPECT_EQ(findings({file("- " + nested(8, with_part)), part}),
            "error main: with its parts, branches nest deeper than 8\n");
}

TEST(Check, PartsThatLeadInACircleAreTold) {
  const std::string found = findings({"name: a\ntitle: t\nsteps: [{id: s, playbook: b}]",
                                      "name: b\ntitle: t\nsteps: [{id: s, playbook: c}]",
                                      "name: c\ntitle: t\nsteps: [{id: s, playbook: a}]"});
  EXPECT_EQ(found,
            "error a/s: the playbook 'b' leads back to this one\n"
            "error b/s: the playbook 'c' leads back to this one\n"
            "error c/s: the playbook 'a' leads back to this one\n");
}

TEST(Check, WhatIsNotKnownIsNotChecked) {
  const auto playbooks =
      parsed({"name: n\ntitle: t\nwhen: {rules: [b], types: [fire]}\nsteps:\n"
              "- {id: a, notify: [x, 'on-call:y'], text: t}\n"
              "- {id: b, command: [/bin/y], repeatable: true}\n"
              "- {id: c, http: GET, url: 'https://h/', sign_with: z}"});
  EXPECT_EQ(to_text(check(playbooks, {})), "");
}

TEST(Check, TellsErrorsFromWarnings) {
  EXPECT_FALSE(has_error(check(parsed({file("- {id: a, command: [/bin/x]}")}), context)));
  EXPECT_TRUE(has_error(check(parsed({file("- {id: a, action: dance}")}), context)));
}

}  // namespace
}  // namespace mailwarden::respond
