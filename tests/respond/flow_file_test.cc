// What a playbook file may say, and that what is written is read as the same.
#include "respond/flow_file.h"

#include <random>

#include <gtest/gtest.h>

#include "respond/check.h"
#include "respond/flow_json.h"
#include "respond/outline.h"
#include "tests/respond/random_playbook.h"
#include "tests/temporary.h"

namespace mailwarden::respond::flow {
namespace {

Result<std::vector<PlaybookFile>> read(const std::string& text) {
  return read_playbooks(std::vector<PlaybookText>{{"p.yaml", text}});
}

Playbook parsed(const std::string& text) {
  auto files = read(text);
  EXPECT_TRUE(files) << files.error().what;
  return files ? std::move(files->front().playbook) : Playbook();
}

constexpr const char* every_kind = R"(name: every-kind
title: Every kind of step
description: What a file can say
when: {rules: [a], types: [malware], severity_from: 1}
dry_run: true
undo_on_failure: true
rate: {times: 20, per: 1h}
variables:
  account: {from: incident.entity, meaning: whose it is}
  left: {type: integer, value: 3}
  hosts: {type: list, value: [a, 1]}
  kind: {value: "12", constant: true}
  reason: {external: true}
steps:
  - {id: tell, notify: [spool, "on-call:primary"], text: "look at ${account}"}
  - id: lock
    name: Lock it
    action: suspend_account
    with: {account: "${account}", seconds: 5}
    approval: It takes the account away
    undo: {action: unlock_account, with: {account: "${account}"}, time_out: 5s}
    retry: {tries: 5, pause: 10s, pause_max: 1m}
    rate: {times: 5, per: 1h}
    time_out: 10s
    delay: 2s
    on_failure: [{id: by-hand, manual: "Lock ${account}"}, {id: by-hand-2, wait: 1m}]
  - {id: hash, command: [/usr/bin/sha256sum, "${account}"], set: {account: output}, go_on: true,
     repeatable: true, tries_max: 2, probe: {command: [/bin/true], holds: exit == 0}}
  - {id: ticket, http: POST, url: "https://h/${account}", headers: {X-A: b}, sign_with: tickets,
     body: {n: 2, f: 2.5, t: "2", y: true, e: null, l: ["${hosts}"]}, next: much,
     on_failure: skipped}
  - {id: skipped, approve: "Go on?", within: 1h}
  - {id: much, if: left > 0, then: [{id: a, wait: 10m}, {id: b, wait: 1d}],
     else: [{id: c, wait: 1s}]}
  - {id: which, switch: "${kind}", cases: {mail: [{id: d, wait: 1s}], "12": [{id: e, wait: 1s}]},
     default: [{id: f, command: [/bin/true], next: end, on_failure: g}, {id: g, wait: 1s}]}
  - {id: again, while: left > 0, at_most: 10, do: [{id: h, wait: 1s}]}
  - {id: both, parallel: [[{id: i, wait: 1s}], [{id: j, wait: 1s}, {id: k, wait: 1s}]]}
  - {id: ask, manual: "Who is it?", set: {account: answer}, within: 4h}
  - {id: sub, playbook: other, with: {host: "${account}"}, set: {hosts: found}}
on_failure: [{id: failed, notify: [spool], text: it failed}]
)";

TEST(FlowFile, HeadAndVariablesAreRead) {
  const Playbook playbook = parsed(every_kind);
  EXPECT_EQ(playbook.name, "every-kind");
  EXPECT_EQ(playbook.file, "p.yaml");
  EXPECT_EQ(playbook.version.size(), 64U);
  EXPECT_EQ(playbook.when, (When{{"a"}, {"malware"}, incident::Severity::medium}));
  EXPECT_TRUE(playbook.dry_run && playbook.undo_on_failure);
  EXPECT_EQ(playbook.rate, (Rate{20, std::chrono::hours(1)}));
  EXPECT_EQ(playbook.start, "tell");
  EXPECT_EQ(playbook.on_failure, "failed");
  const auto& variables = playbook.variables;
  ASSERT_EQ(variables.size(), 5U);
  EXPECT_EQ(variables.at("account").from, "incident.entity");
  EXPECT_EQ(variables.at("left").value, json::Value(3));
  EXPECT_EQ(variables.at("hosts").value, json::Value(json::Array{"a", "1"}));
  EXPECT_EQ(variables.at("kind").value, json::Value("12"));
  EXPECT_TRUE(variables.at("kind").constant && variables.at("reason").external);
}

TEST(FlowFile, StepsLeadWhereTheFileSays) {
  const Playbook playbook = parsed(every_kind);
  struct Case {
    const char* id;
    const char* next;
  };
  for (const Case& c : std::vector<Case>{{"tell", "lock"},
                                         {"lock", "hash"},
                                         {"by-hand", "by-hand-2"},
                                         {"by-hand-2", "hash"},
                                         {"hash", "ticket"},
                                         {"ticket", "much"},
                                         {"skipped", "much"},
                                         {"much", "which"},
                                         {"a", "b"},
                                         {"b", ""},
                                         {"c", ""},
                                         {"f", ""},
                                         {"g", ""},
                                         {"j", "k"},
                                         {"both", "ask"},
                                         {"sub", ""}}) {
    ASSERT_TRUE(playbook.steps.contains(c.id)) << c.id;
    EXPECT_EQ(playbook.steps.at(c.id).next, c.next) << c.id;
  }
  EXPECT_EQ(playbook.steps.at("lock").on_failure, "by-hand");
  EXPECT_EQ(playbook.steps.at("much").then, "a");
  EXPECT_EQ(playbook.steps.at("much").otherwise, "c");
  EXPECT_EQ(playbook.steps.at("which").cases.at("12"), "e");
  EXPECT_EQ(playbook.steps.at("which").default_case, "f");
  EXPECT_EQ(playbook.steps.at("again").then, "h");
  EXPECT_EQ(playbook.steps.at("both").branches, (std::vector<std::string>{"i", "j"}));
  EXPECT_EQ(playbook.order.size(), playbook.steps.size());
  EXPECT_EQ(playbook.order, file_order(playbook)) << "nothing else may stand before another";
}

TEST(FlowFile, StepsSayWhatIsDone) {
  const Playbook playbook = parsed(every_kind);
  const Step& lock = playbook.steps.at("lock");
  EXPECT_EQ(lock.kind, StepKind::action);
  EXPECT_EQ(lock.operation.arguments, (json::Object{{"account", "${account}"}, {"seconds", 5}}));
  EXPECT_EQ(lock.operation.time_out, std::chrono::seconds(10));
  EXPECT_EQ(lock.retry, (Retry{5, std::chrono::seconds(10), std::chrono::minutes(1)}));
  EXPECT_EQ(lock.rate, (Rate{5, std::chrono::hours(1)}));
  EXPECT_EQ(lock.delay, std::chrono::seconds(2));
  EXPECT_EQ(lock.undo->action, "unlock_account");
  const Step& hash = playbook.steps.at("hash");
  EXPECT_TRUE(hash.repeatable && hash.go_on);
  EXPECT_EQ(hash.retry.tries, 2);
  EXPECT_EQ(hash.probe->holds, "exit == 0");
  EXPECT_EQ(hash.set.at("account"), "output");
  const Step& ticket = playbook.steps.at("ticket");
  EXPECT_TRUE(ticket.repeatable) << "its key is constant";
  EXPECT_EQ(ticket.retry.tries, 3);
  EXPECT_EQ(json::to_text(ticket.operation.body),
            R"({"e":null,"f":2.5,"l":["${hosts}"],"n":2,"t":"2","y":true})");
  EXPECT_EQ(playbook.steps.at("again").rounds_max, 10);
  EXPECT_EQ(playbook.steps.at("ask").within, std::chrono::hours(4));
  EXPECT_EQ(playbook.steps.at("skipped").text, "Go on?");
}

TEST(FlowFile, LinesOfStepsAreKnown) {
  const auto files = read("name: n\ntitle: t\nsteps:\n- {id: a, wait: 1s}\n- id: b\n  wait: 1s\n");
  ASSERT_TRUE(files);
  EXPECT_EQ(files->front().lines.at("a"), 4U);
  EXPECT_EQ(files->front().lines.at("b"), 5U);
}

TEST(FlowFile, EveryMistakeIsToldWithItsLine) {
  const std::string head = "name: n\ntitle: t\nsteps:\n";
  struct Case {
    const char* name;
    std::string text;
    const char* expected;
  };
  const std::vector<Case> cases{
      {"no steps", "name: n\ntitle: t", "p.yaml, line 1: 'steps' must be a list"},
      {"a name", "name: N n\ntitle: t\nsteps: [{id: a, wait: 1s}]", "line 1: 'name' must be small"},
      {"unknown head", "name: n\ntitel: t\nsteps: [{id: a, wait: 1s}]",
       "line 2: 'titel' is not known in a playbook"},
      {"empty when", head + "- {id: a, wait: 1s}\nwhen: {}", "'when' must say on which"},
      {"two kinds", head + "- {id: a, manual: m, notify: [x]}",
       "p.yaml, line 4: a step is one of notify, command, http, action, manual, approve, wait, if,"
       " switch, while, parallel, playbook"},
      {"no kind", head + "- {id: a}", "line 4: a step is one of"},
      {"an id", head + "- {id: 'a b', wait: 1s}", "line 4: 'id' must be letters"},
      {"the id end", head + "- {id: end, wait: 1s}", "'id' must be"},
      {"same id", head + "- {id: a, wait: 1s}\n- {id: a, wait: 1s}",
       "line 5: a step 'a' stands above already"},
      {"same id in a branch", head + "- {id: a, if: b, then: [{id: a, wait: 1s}]}", "a step 'a'"},
      {"unknown key", head + "- {id: a, manual: m, shell: x}",
       "'shell' is not known in a step of kind manual"},
      {"next above", head + "- {id: a, wait: 1s}\n- {id: b, wait: 1s, next: a}",
       "line 5: no step 'a' stands later in this list"},
      {"next in a branch",
       head + "- {id: a, wait: 1s, next: b}\n- {id: c, if: x, then: [{id: b,"
              " wait: 1s}]}",
       "line 4: no step 'b' stands later"},
      {"failure above", head + "- {id: a, wait: 1s, on_failure: a}", "no step 'a' stands later"},
      {"two ways of failing",
       head + "- {id: a, wait: 1s, go_on: true, on_failure: [{id: b,"
              " wait: 1s}]}",
       "'go_on' and 'on_failure' exclude each other"},
      {"a relative command", head + "- {id: a, command: [usermod]}", "must be an absolute path"},
      {"a command of a value", head + "- {id: a, command: ['/${x}']}", "must be an absolute path"},
      {"open variable", head + "- {id: a, manual: 'ask ${x'}", "line 4: a '${' is never closed"},
      {"no variable", head + "- {id: a, command: [/a, '${x y}']}", "'x y' is no name"},
      {"variable in a body", head + "- {id: a, http: GET, url: 'http://h', body: [{x: '${'}]}",
       "is never closed"},
      {"a host of a value", head + "- {id: a, http: GET, url: 'https://${x}/y'}", "a host without"},
      {"another scheme", head + "- {id: a, http: GET, url: 'file:///etc/passwd'}", "'url' must"},
      {"method", head + "- {id: a, http: TRACE, url: 'http://h/'}", "'http' must be GET"},
      {"header", head + "- {id: a, http: GET, url: 'http://h/', headers: {n: 1}}", "is a text"},
      {"tries", head + "- {id: a, http: GET, url: 'http://h/', tries_max: 0}",
       "'tries_max' must be a number from 1 to 20"},
      {"retry", head + "- {id: a, action: x, retry: {tries: 30}}", "'tries' must be a number"},
      {"pauses", head + "- {id: a, action: x, retry: {pause: 1h, pause_max: 1m}}",
       "'pause_max' must not be shorter"},
      {"retry twice", head + "- {id: a, command: [/x], retry: {tries: 3}, tries_max: 3}",
       "only one may stand here"},
      {"rate", head + "- {id: a, action: x, rate: {times: 3}}", "'rate' must have 'per'"},
      {"if", head + "- {id: a, if: x >, then: [{id: b, wait: 1s}]}", "'if', column 4: a variable"},
      {"if without then", head + "- {id: a, if: x}", "'then' must be a list of steps"},
      {"empty branch", head + "- {id: a, if: x, then: []}", "'then' must be a list of steps"},
      {"while without end", head + "- {id: a, while: x, do: [{id: b, wait: 1s}]}",
       "'at_most' must say"},
      {"while too long", head + "- {id: a, while: x, at_most: 1001, do: [{id: b, wait: 1s}]}",
       "'at_most' must be a number from 1 to 1000"},
      {"no cases", head + "- {id: a, switch: x}", "'cases' must be a map of lists"},
      {"one branch", head + "- {id: a, parallel: [[{id: b, wait: 1s}]]}",
       "a list of 2 to 20 lists"},
      {"wait", head + "- {id: a, wait: 60d}", "'wait' must not be longer than 31 d"},
      {"probe", head + "- {id: a, command: [/x], probe: {holds: exit == 0}}",
       "'probe' is one of notify, command, http, action"},
      {"probe that tells",
       head + "- {id: a, command: [/x], probe: {notify: [x], text: t, holds: a}}",
       "'probe' must ask something"},
      {"probe without holds", head + "- {id: a, command: [/x], probe: {command: [/y]}}", "'holds'"},
      {"undo", head + "- {id: a, command: [/x], undo: {command: [/y], retry: 3}}",
       "'retry' is not known in 'undo'"},
      {"set", head + "- {id: a, command: [/x], set: {'a b': output}}", "'a b' is no name"},
      {"a type", head + "- {id: a, wait: 1s}\nvariables: {x: {type: text}}", "no type 'text'"},
      {"a value", head + "- {id: a, wait: 1s}\nvariables:\n  x: {type: integer, value: y}",
       "line 6: 'y': integer asks for a whole number"},
      {"a list", head + "- {id: a, wait: 1s}\nvariables: {x: {type: list, value: [[1]]}}",
       "list asks for a list of texts"},
      {"a name of the incident", head + "- {id: a, wait: 1s}\nvariables: {incident.entity: {}}",
       "'incident.entity' is no name for a variable"},
      {"a word", head + "- {id: a, wait: 1s}\nvariables: {and: {}}", "'and' is no name"},
      {"a long name",
       head + "- {id: a, http: GET, url: 'http://h/', body: {? " + std::string(300, 'n') + " : 1}}",
       "a name has at most 256 bytes"},
      {"no UTF-8", head + "- {id: a, manual: '\xff'}", "p.yaml: is not UTF-8"},
      {"two documents", "name: a\n---\nname: b\n", "must hold one playbook"}};
  for (const Case& c : cases) {
    const auto files = read(c.text);
    ASSERT_FALSE(files) << c.name;
    EXPECT_NE(files.error().what.find(c.expected), std::string::npos)
        << c.name << ": " << files.error().what;
  }
}

TEST(FlowFile, MistakesAreToldTogether) {
  const auto files = read("name: N\ntitle: t\nsteps:\n- {id: a, wait: x}\n- {id: b, if: '('}\n");
  ASSERT_FALSE(files);
  EXPECT_EQ(std::ranges::count(files.error().what, '\n') + 1, 4) << files.error().what;
}

TEST(FlowFile, ANameStandsOnceOverAllFiles) {
  const std::vector<PlaybookText> texts{{"a.yaml", every_kind}, {"b.yaml", every_kind}};
  const auto files = read_playbooks(texts);
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().what, "b.yaml: the name 'every-kind' is taken by a.yaml");
}

void expect_same(Playbook playbook, const std::string& what) {
  const auto yaml = to_yaml(playbook);
  ASSERT_TRUE(yaml) << what << ": " << yaml.error().what;
  auto files = read(*yaml);
  ASSERT_TRUE(files) << what << ": " << files.error().what << "\n" << *yaml;
  Playbook again = std::move(files->front().playbook);
  again.file = playbook.file;
  again.version = playbook.version;
  EXPECT_TRUE(again == playbook) << what << ":\n"
                                 << json::to_pretty_text(json::Value(to_json(playbook))) << "\n"
                                 << *yaml << "\n"
                                 << json::to_pretty_text(json::Value(to_json(again)));
  const auto text = json::to_text(json::Value(to_json(playbook)));
  const auto stored = playbook_from_json(*json::parse(text));
  ASSERT_TRUE(stored) << what << ": " << stored.error().what;
  EXPECT_EQ(json::to_text(json::Value(to_json(*stored))), text) << what;
}

TEST(FlowFile, ReadsWhatItWrites) {
  expect_same(parsed(every_kind), "every kind");
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    expect_same(RandomPlaybook(seed).make(), "seed " + std::to_string(seed));
    if (testing::Test::HasFailure()) return;
  }
}

// Files and imports are other people's texts.
TEST(FlowFile, WhateverAFileSaysItIsReadOrRefused) {
  std::mt19937_64 random(7);
  std::size_t good = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = every_kind;
    for (std::size_t i = 1 + random() % 3; i > 0; --i) {
      const std::size_t at = random() % text.size();
      const std::size_t from = random() % text.size();
      text.replace(at, random() % 8, text.substr(from, random() % 8));
    }
    auto files = read(text);
    if (!files) {
      EXPECT_FALSE(files.error().what.empty());
      continue;
    }
    ++good;
    Playbook& playbook = files->front().playbook;
    EXPECT_LT(check(std::vector{playbook}, {}).size(), 100U);
    EXPECT_EQ(outline(playbook, {}, std::nullopt).size(), file_order(playbook).size());
    if (to_yaml(playbook)) expect_same(std::move(playbook), text);
  }
  EXPECT_GT(good, 100U);
}

TEST(FlowFile, WhatNoFileCanSayIsNotWritten) {
  Playbook lost = parsed("name: n\ntitle: t\nsteps: [{id: a, wait: 1s}, {id: b, wait: 1s}]");
  lost.steps.at("a").next.clear();
  EXPECT_EQ(to_yaml(lost).error().what, "the step 'b' is in no branch");
  Playbook shared = parsed(
      "name: n\ntitle: t\nsteps: [{id: a, if: x, then: [{id: b, wait: 1s}]}, {id: c, wait: 1s}]");
  shared.steps.at("b").next = "c";
  EXPECT_EQ(to_yaml(shared).error().what, "the step 'c' stands in two branches");
  Playbook own = parsed("name: n\ntitle: t\nsteps: [{id: a, if: x, then: [{id: b, wait: 1s}]}]");
  own.steps.at("a").then = "a";
  EXPECT_FALSE(to_yaml(own));
}

TEST(FlowJson, WhatIsDamagedIsRefused) {
  const json::Object good = to_json(parsed(every_kind));
  ASSERT_TRUE(playbook_from_json(json::Value(good)));
  EXPECT_TRUE(*playbook_from_json(json::Value(good)) == parsed(every_kind));
  struct Case {
    const char* name;
    json::Value value;
  };
  for (const Case& c : std::vector<Case>{{"name", 3},
                                         {"name", {}},
                                         {"more", 1},
                                         {"steps", {}},
                                         {"steps", json::Array{json::Object{{"id", "a"}}}},
                                         {"when", json::Object{{"severity_from", 4}}},
                                         {"rate", json::Object{{"times", "x"}}},
                                         {"variables", json::Object{{"x", json::Object{}}}},
                                         {"order", json::Array{1}}}) {
    json::Object damaged = good;
    damaged[c.name] = c.value;
    const auto read = playbook_from_json(json::Value(damaged));
    ASSERT_FALSE(read) << c.name;
    EXPECT_EQ(read.error().code, Code::corrupt);
  }
  EXPECT_FALSE(playbook_from_json({}));
  EXPECT_FALSE(step_from_json(json::Value(json::Object{{"id", "a"}, {"kind", "dance"}})));
}

// Those that were shipped while playbooks were lists of four kinds of steps.
TEST(FlowFile, LinearPlaybooksKeepTheirMeaning) {
  const Playbook playbook = parsed(R"(name: brute-force-success
title: Password guessing that succeeded
when: {rules: [ssh_brute_force_success]}
steps:
  - {id: tell, notify: [spool], text: "${incident.entity} was let in"}
  - id: block
    command: [/usr/sbin/nft, add, element, inet, filter, blocked, "{ ${incident.entity} }"]
    approval: "Blocking ${incident.entity} ends every connection from that address"
    repeatable: true
    go_on: true
    time_out: 10s
  - {id: sessions, manual: End the sessions}
  - {id: traces, manual: Look through the events}
)");
  EXPECT_EQ(playbook.order, (std::vector<std::string>{"tell", "block", "sessions", "traces"}));
  EXPECT_EQ(playbook.when->rules, (std::set<std::string>{"ssh_brute_force_success"}));
  const Step& block = playbook.steps.at("block");
  EXPECT_TRUE(block.repeatable && block.go_on);
  EXPECT_EQ(block.retry.tries, 3);
  EXPECT_EQ(block.operation.time_out, std::chrono::seconds(10));
  EXPECT_EQ(block.operation.command.back(), "{ ${incident.entity} }");
}

}  // namespace
}  // namespace mailwarden::respond::flow
