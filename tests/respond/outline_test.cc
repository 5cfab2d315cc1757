// What a run begins with, and what a playbook would do, told before it is done.
#include "respond/outline.h"

#include <gtest/gtest.h>

#include "respond/flow_file.h"
#include "respond/start_values.h"

namespace mailwarden::respond {
namespace {

flow::Playbook parsed(const std::string& text) {
  auto playbooks = flow::parse_playbooks(std::vector<flow::PlaybookText>{{"p.yaml", text}});
  EXPECT_TRUE(playbooks) << playbooks.error().what;
  return playbooks ? playbooks->front() : flow::Playbook();
}

constexpr const char* steps = R"(name: n
title: t
variables:
  account: {from: incident.entity}
  address: {type: ipv4-addr, from: incident.entity}
  left: {type: integer, value: 3}
  host: {external: true, meaning: where it is}
  days: {type: integer, external: true, value: 7}
  owner: {}
steps:
  - id: lock
    action: suspend_account
    with: {account: "${account}"}
    approval: "It takes ${account} away"
    undo: {action: unlock_account, with: {account: "${account}"}}
    rate: {times: 5, per: 1h}
    on_failure: [{id: by-hand, manual: "lock ${account}"}]
  - {id: ask, manual: "Whose is ${account}?", set: {owner: answer}, within: 2h, go_on: true}
  - id: open
    if: left > 0
    then:
      - {id: run, command: [/bin/x, "${owner}", "${left}"], repeatable: true}
    else:
      - {id: pause, wait: 10m}
  - id: again
    while: left > 0
    at_most: 3
    do:
      - {id: less, manual: "How many of ${left}?", set: {left: answer}}
  - {id: part, playbook: other, with: {host: "${host}"}}
on_failure:
  - {id: failed, notify: [spool], text: "${account} ${left}"}
)";

const json::Object incident{{"incident.entity", "eve"}, {"incident.number", 7}};

TEST(StartValues, AreGivenByPlaybookIncidentAndPerson) {
  const auto values = start_values(parsed(steps), incident, GivenTexts{{"host", "a"}});
  ASSERT_TRUE(values) << values.error().what;
  const json::Object expected{{"incident.entity", "eve"},
                              {"incident.number", 7},
                              {"account", "eve"},
                              {"left", 3},
                              {"host", "a"},
                              {"days", 7}};
  EXPECT_EQ(*values, expected) << "an account is no address, and nobody knows the owner";
  const json::Object of_part{{"host", "b"}, {"days", "9"}};
  EXPECT_EQ(start_values(parsed(steps), {}, of_part)->at("days"), json::Value(9));
}

TEST(StartValues, EveryMistakeIsTold) {
  const auto values = start_values(parsed(steps), incident,
                                   GivenTexts{{"days", "soon"}, {"left", "1"}, {"nobody", "x"}});
  ASSERT_FALSE(values);
  EXPECT_EQ(values.error().what,
            "'days': 'soon': integer asks for a whole number\n"
            "'left' is no external variable of 'n'\n"
            "'nobody' is no external variable of 'n'\n"
            "'host' must be given: where it is");
  EXPECT_FALSE(start_values(parsed(steps), incident, json::Object{{"host", json::Array{}}}));
}

TEST(Outline, ShowsEachStepAsFarAsItIsKnown) {
  const auto values = start_values(parsed(steps), incident, GivenTexts{{"host", "a b"}});
  ASSERT_TRUE(values);
  EXPECT_EQ(to_text(outline(parsed(steps), *values, std::vector<std::string>{"/bin/y"})),
            R"(lock (action): suspend_account {account: "eve"}
    asks for approval: It takes eve away
    taken back by: unlock_account {account: "eve"}
    where it fails: by-hand
    3 tries, 5 in 1 h without asking
by-hand (manual): lock eve
ask (manual): Whose is eve?
    where it fails: open
    within 2 h
open (if): left > 0
  then:
    run (command): by hand, since /bin/x is not among the commands that this daemon may run: )"
            R"(run /bin/x '${owner}' 3
        3 tries
  else:
    pause (wait): 10 min
again (while): left > 0, 3 times at the most
  do:
    less (manual): How many of ${left}?
part (playbook): other with host: a b
when the run fails:
failed (notify): tell spool: eve ${left}
)");
}

TEST(Outline, WhatMustNotBeHandedOverIsToldBefore) {
  const auto playbook = parsed(
      "name: n\ntitle: t\nsteps: [{id: a, command: [/bin/x, '${incident.entity}'], repeatable: "
      "true}]");
  const auto lines = outline(playbook, {{"incident.entity", "-rf"}}, std::nullopt);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].by_hand);
  EXPECT_EQ(lines[0].does,
            "by hand, since the argument '-rf' must not be handed over: run /bin/x -rf");
  EXPECT_EQ(json::Value(to_json(lines[0])).text("does"), lines[0].does);
}

TEST(Outline, WithoutValuesTheNamesStand) {
  const auto lines = outline(parsed(steps), {}, std::nullopt);
  EXPECT_EQ(lines[0].does, R"(suspend_account {account: "${account}"})");
  EXPECT_FALSE(lines[0].by_hand);
}

}  // namespace
}  // namespace mailwarden::respond
