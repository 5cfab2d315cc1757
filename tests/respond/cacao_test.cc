// Playbooks to CACAO and back, and CACAO to playbooks and back.
#include "respond/cacao.h"

#include <filesystem>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "respond/cacao_native.h"
#include "respond/flow_file.h"
#include "tests/respond/cacao_playbooks.h"
#include "tests/temporary.h"

namespace mailwarden::respond {
namespace {

using flow::Step;
using flow::StepKind;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

const ExportOptions options{.at = Timestamp{1'800'000'000'000'000}};

// Numbers by their value: JSON writes 2.0 as 2.
std::string members(const flow::Playbook& playbook) {
  return json::to_pretty_text(cacao::members_of(playbook));
}

flow::Playbook imported(const std::string& text) {
  const auto out = import_cacao(text);
  EXPECT_TRUE(out) << out.error().what;
  return out ? out->playbook : flow::Playbook();
}

std::string exported(const flow::Playbook& playbook) {
  const auto out = export_cacao(playbook, options);
  EXPECT_TRUE(out) << out.error().what;
  return out ? json::to_text(*out) : std::string("{}");
}

TEST(Cacao, GivesEveryPlaybookBack) {
  const char* const edges = std::getenv("MAILWARDEN_EDGES");
  const std::uint64_t seeds = edges != nullptr && std::string_view(edges) == "all" ? 400 : 60;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    const flow::Playbook playbook = CacaoPlaybooks(seed).make();
    const std::string text = exported(playbook);
    ASSERT_EQ(members(imported(text)), members(playbook)) << seed << "\n" << text;
    ASSERT_EQ(exported(imported(text)), text) << seed;
  }
}

TEST(Cacao, GivesTheShippedPlaybooksBack) {
  std::vector<flow::PlaybookText> texts;
  for (const auto& file :
       std::filesystem::directory_iterator(source_folder() + "/policies/playbooks")) {
    texts.push_back({file.path(), read_file(file.path())});
  }
  const auto playbooks = flow::parse_playbooks(texts);
  ASSERT_TRUE(playbooks) << playbooks.error().what;
  ASSERT_FALSE(playbooks->empty());
  for (const flow::Playbook& playbook : *playbooks) {
    const std::string text = exported(playbook);
    EXPECT_EQ(members(imported(text)), members(playbook)) << playbook.name << "\n" << text;
    EXPECT_EQ(exported(imported(text)), text) << playbook.name;
  }
}

// One action step with these members, in a playbook with variables of several types.
std::string playbook_with(const std::string& step, const std::string& more = "") {
  return R"({"type": "playbook", "spec_version": "cacao-2.0",
    "id": "playbook--a0777575-5c4c-4710-9f01-15776103837f", "name": "A test",
    "created_by": "identity--5abe695c-7bd5-4c31-8824-2528696cdbf1",
    "created": "2026-05-18T11:31:31.319Z", "modified": "2026-05-18T11:31:31.319Z",
    "playbook_variables": {"__who__": {"type": "string"},
      "__n__": {"type": "integer", "value": "5"},
      "__sure__": {"type": "bool", "value": "true"}},
    "agent_definitions": {
      "linux--7e9174ec-a293-43df-a72d-471c79e276b1": {"type": "linux", "name": "here"},
      "ssh--7e9174ec-a293-43df-a72d-471c79e276b2": {"type": "ssh", "name": "there",
        "address": {"ipv4": ["192.0.2.1"]}}},
    "target_definitions": {
      "http-api--1c3900b4-f86b-430d-b415-12312b9e31f4": {"type": "http-api", "name": "api",
        "address": {"dname": ["api.example"]}, "port": "8443",
        "authentication_info": "oauth2--1c3900b4-f86b-430d-b415-12312b9e31f5"}},
    "workflow_start": "start--9e7d62b2-88ac-4656-94e1-dbd4413ba008",
    "workflow": {
      "start--9e7d62b2-88ac-4656-94e1-dbd4413ba008": {"type": "start",
        "on_completion": "action--eb9372d4-d524-49fc-bf24-be26ea084779"},
      "action--eb9372d4-d524-49fc-bf24-be26ea084779": {"type": "action", "name": "The step",
        "agent": "linux--7e9174ec-a293-43df-a72d-471c79e276b1",
        "on_completion": "end--a6f0b81e-affb-4bca-b4f6-a2d5af908958", )" +
         step + R"(},
      "end--a6f0b81e-affb-4bca-b4f6-a2d5af908958": {"type": "end"})" +
         more + "}}";
}

struct StepCase {
  const char* name;
  const char* step;
  std::function<void(const Step&, const std::vector<std::string>& notes)> holds;
};

const std::vector<StepCase> step_cases{
    {"bash_words", R"("commands": [{"type": "bash", "command": "/usr/bin/id -u __who__:value"}])",
     [](const Step& step, const auto&) {
       EXPECT_EQ(step.kind, StepKind::command);
       EXPECT_THAT(step.operation.command, ElementsAre("/usr/bin/id", "-u", "${who}"));
     }},
    {"bash_encoded_and_quoted",
     R"("commands": [{"type": "bash", "command_b64": "L2Jpbi9lY2hvICdpdCcncyBhJw=="}])",
     [](const Step& step, const auto&) {
       EXPECT_THAT(step.operation.command, ElementsAre("/bin/echo", "its a"));
     }},
    {"bash_that_needs_a_shell", R"("commands": [{"type": "bash", "command": "/bin/a | /bin/b"}])",
     [](const Step& step, const auto& notes) {
       EXPECT_EQ(step.kind, StepKind::manual);
       EXPECT_THAT(step.text, HasSubstr("/bin/a | /bin/b"));
       EXPECT_THAT(notes, Contains(HasSubstr("needs a shell")));
     }},
    {"bash_without_a_path", R"("commands": [{"type": "bash", "command": "id"}])",
     [](const Step& step, const auto&) { EXPECT_EQ(step.kind, StepKind::manual); }},
    {"bash_for_another_host",
     R"("commands": [{"type": "bash", "command": "/usr/bin/id"}],
        "targets": ["http-api--1c3900b4-f86b-430d-b415-12312b9e31f4"])",
     [](const Step& step, const auto& notes) {
       EXPECT_EQ(step.kind, StepKind::manual);
       EXPECT_THAT(step.text, HasSubstr("on api"));
       EXPECT_THAT(notes, Contains(HasSubstr("another host")));
     }},
    {"ssh", R"("commands": [{"type": "ssh", "command": "/usr/bin/touch __who__:value"}])",
     [](const Step& step, const auto&) {
       EXPECT_EQ(step.kind, StepKind::manual);
       EXPECT_THAT(step.text, HasSubstr("/usr/bin/touch ${who}"));
     }},
    {"kestrel", R"("commands": [{"type": "kestrel", "command_b64": "R0VUIHByb2Nlc3M="}])",
     [](const Step& step, const auto&) {
       EXPECT_EQ(step.kind, StepKind::manual);
       EXPECT_THAT(step.text, HasSubstr("GET process"));
     }},
    {"manual", R"("timeout": 60000, "out_args": ["__who__"],
        "commands": [{"type": "manual", "command": "Ask ${HOME} of __who__:value"}])",
     [](const Step& step, const auto&) {
       EXPECT_EQ(step.text, "Ask ${$}{HOME} of ${who}");
       EXPECT_EQ(step.within, std::chrono::minutes(1));
       EXPECT_EQ(step.set.at("who"), "answer");
     }},
    {"http_of_a_target", R"("targets": ["http-api--1c3900b4-f86b-430d-b415-12312b9e31f4"],
        "commands": [{"type": "http-api", "command": "POST /v1/x?u=__who__:value HTTP/1.1",
          "headers": {"Accept": ["a", "b"]}, "content": "{\"u\": \"__who__:value\", \"n\": 1}"}])",
     [](const Step& step, const auto& notes) {
       EXPECT_EQ(step.kind, StepKind::http);
       EXPECT_EQ(step.operation.method, "POST");
       EXPECT_EQ(step.operation.url, "https://api.example:8443/v1/x?u=${who}");
       EXPECT_EQ(step.operation.headers.at("Accept"), json::Value("a, b"));
       EXPECT_EQ(step.operation.body, json::Value(json::Object{{"u", "${who}"}, {"n", 1}}));
       EXPECT_THAT(notes, Contains(HasSubstr("authentication")));
     }},
    {"http_with_a_variable_as_host",
     R"("commands": [{"type": "http-api", "command": "GET http://__who__:value/x HTTP/1.1"}])",
     [](const Step& step, const auto& notes) {
       EXPECT_EQ(step.kind, StepKind::manual);
       EXPECT_THAT(notes, Contains(HasSubstr("host is a variable")));
     }},
    {"several_commands", R"("commands": [{"type": "manual", "command": "first"},
        {"type": "bash", "command": "/bin/second"}])",
     [](const Step& step, const auto&) {
       EXPECT_EQ(step.kind, StepKind::manual);
       EXPECT_THAT(step.text, testing::AllOf(HasSubstr("first"), HasSubstr("/bin/second")));
     }},
    {"an_approval_before", R"("commands": [
        {"type": "manual", "command": "Approve before going on: is __who__:value told?"},
        {"type": "bash", "command": "/bin/second"}])",
     [](const Step& step, const auto&) {
       EXPECT_EQ(step.kind, StepKind::command);
       EXPECT_EQ(step.approval, "is ${who} told?");
     }},
    {"variables_of_the_step", R"("step_variables": {"__who__": {"type": "ipv4-addr",
        "value": "192.0.2.7", "constant": true}},
        "commands": [{"type": "manual", "command": "Look at __who__:value"}])",
     [](const Step& step, const auto&) { EXPECT_EQ(step.text, "Look at ${who_2}"); }}};

TEST(Cacao, ReadsEveryKindOfCommandAndGivesItBack) {
  for (const StepCase& one : step_cases) {
    SCOPED_TRACE(one.name);
    const std::string text = playbook_with(one.step);
    const auto read = import_cacao(text);
    ASSERT_TRUE(read) << read.error().what;
    ASSERT_TRUE(read->playbook.steps.contains("the-step"));
    one.holds(read->playbook.steps.at("the-step"), read->notes);
    EXPECT_EQ(json::parse(exported(read->playbook)), json::parse(text));
  }
}

// One file of ours that uses all that CACAO has.
TEST(Cacao, KeepsAllThatItDoesNotDo) {
  const std::string text = read_file(source_folder() + "/tests/respond/data/everything.cacao.json");
  const auto read = import_cacao(text);
  ASSERT_TRUE(read) << read.error().what;
  const flow::Playbook& playbook = read->playbook;
  EXPECT_EQ(playbook.name, "everything-at-once");
  EXPECT_EQ(playbook.start, "nothing-to-do");
  EXPECT_EQ(playbook.steps.at("nothing-to-do").condition, "not (sure == true)");
  EXPECT_EQ(playbook.steps.at("nothing-to-do").then, "other");
  EXPECT_EQ(playbook.steps.at("until-none-is-left").condition,
            R"(left > 0 and not kind in ["a", "b"])");
  EXPECT_EQ(playbook.steps.at("ask-the-api").operation.url,
            "https://api.example.org/base/v1/${kind}");
  EXPECT_THAT(playbook.steps.at("block-it").operation.command,
              ElementsAre("/usr/sbin/usermod", "--lock", "${account}"));
  EXPECT_TRUE(playbook.steps.at("ask-the-switch").go_on);
  EXPECT_THAT(playbook.steps.at("ask-the-switch").text, HasSubstr("show ${port_2}"));
  EXPECT_EQ(playbook.variables.at("port_2").value, json::Value(7));
  EXPECT_EQ(playbook.variables.at("v_and").type, flow::VariableType::uuid);
  EXPECT_EQ(playbook.steps.at("collect").with.at("account"), "${account}");
  EXPECT_EQ(playbook.on_failure, "tell-that-it-failed");
  EXPECT_FALSE(playbook.steps.contains("forgotten"));
  EXPECT_THAT(read->notes, Contains(HasSubstr("nothing leads there")));
  EXPECT_EQ(json::to_pretty_text(*json::parse(exported(playbook))),
            json::to_pretty_text(*json::parse(text)));
}

struct Refusal {
  const char* name;
  const char* step;
  const char* more;
  const char* said;
};

constexpr Refusal refusals[] = {
    {"a_value_of_another_type", R"("commands": [{"type": "manual", "command": "a"}],
        "step_variables": {"__x__": {"type": "integer", "value": "x"}})",
     "", "/step_variables/__x__/value: 'x': integer asks for a whole number"},
    {"no_command", R"("commands": [])", "", "/commands: must be a list of 1 to 20 commands"},
    {"no_text", R"("commands": [{"type": "manual"}])", "", "neither command nor command_b64"},
    {"bad_base64", R"("commands": [{"type": "manual", "command_b64": "%"}])", "", "command_b64: "},
    {"both_ways_on", R"("commands": [{"type": "manual", "command": "a"}],
        "on_success": "end--a6f0b81e-affb-4bca-b4f6-a2d5af908958")",
     "", "has on_completion, and on_success or on_failure besides"},
    {"a_type_that_is_none", R"("commands": [{"type": "manual", "command": "a"}])",
     R"(, "x--1": {"type": "x"})", "/workflow/x--1/type: 'x' is no type of step"},
    {"an_id_of_another_type", R"("commands": [{"type": "manual", "command": "a"}])",
     R"(, "action--1": {"type": "end"})", "the id of a step is 'end--' and a UUID"}};

TEST(Cacao, SaysWhereAMistakeStands) {
  for (const Refusal& one : refusals) {
    SCOPED_TRACE(one.name);
    const auto read = import_cacao(playbook_with(one.step, one.more));
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().what, HasSubstr(one.said));
  }
}

// A workflow of steps that are written "id: members", ids short.
std::string workflow(const std::string& steps) {
  std::string text = playbook_with(R"("commands": [])");
  const std::size_t begin = text.find("\"workflow_start\"");
  return text.substr(0, begin) + R"("workflow_start": "start--1", "workflow": {"start--1":
    {"type": "start", "on_completion": ")" +
         steps + "}}";
}
std::string manual(const std::string& id, const std::string& flow) {
  return R"(, "action--)" + id + R"(": {"type": "action", "name": ")" + id +
         R"(", "agent": "group--1",
    "commands": [{"type": "manual", "command": "do"}], )" +
         flow + "}";
}
std::string to(const std::string& id) {
  return R"("on_completion": ")" + id + "\"";
}
const std::string end_1 = R"(, "end--1": {"type": "end"})";
const std::string end_2 = R"(, "end--2": {"type": "end"})";

struct Graph {
  const char* name;
  std::string text;
  std::vector<std::string> said;  // empty: it is read
};

const std::vector<Graph> graphs{
    {"a_row",
     workflow(R"(action--a"})" + manual("a", to("action--b")) + manual("b", to("end--1")) + end_1),
     {}},
    {"a_jump_within_a_branch",
     workflow(R"(action--a"})" +
              manual("a", R"("on_success": "action--c", "on_failure": "action--b")") +
              manual("b", to("action--c")) + manual("c", to("end--1")) + end_1),
     {}},
    {"a_step_that_is_missing",
     workflow(R"(action--a"})" + manual("a", to("action--b")) + end_1),
     {"/workflow/action--a/on_completion: there is no step action--b"}},
    {"round_and_round",
     workflow(R"(action--a"})" + manual("a", to("action--b")) + manual("b", to("action--c")) +
              manual("c", to("action--b"))),
     {"'b' (action--b)", "'c' (action--c)", "without a while-condition"}},
    {"two_branches_into_one",
     workflow(R"(if-condition--i"}, "if-condition--i": {"type": "if-condition", "condition":
        "__n__:value > 1", "on_true": "action--a", "on_false": "action--b",
        "on_completion": "end--1"})" +
              manual("a", to("action--c")) + manual("b", to("action--c")) +
              manual("c", to("end--2")) + end_1 + end_2),
     {"'c' (action--c) is reached from", "if-condition--i"}},
    {"back_to_the_while",
     workflow(
         R"(while-condition--w"}, "while-condition--w": {"type": "while-condition", "condition":
        "__n__:value > 1", "on_true": "action--a", "on_completion": "end--1"})" +
         manual("a", to("while-condition--w")) + end_1),
     {"while-condition--w is reached from the workflow and from while-condition--w"}},
    {"nothing_where_it_holds",
     workflow(R"(if-condition--i"}, "if-condition--i": {"type": "if-condition", "condition":
        "__n__:value > 1", "on_true": "end--2", "on_false": "action--b",
        "on_completion": "end--1"})" +
              manual("b", to("end--2")) + end_1 + end_2),
     {}},
    {"nothing_either_way",
     workflow(R"(if-condition--i"}, "if-condition--i": {"type": "if-condition", "condition":
        "__n__:value > 1", "on_true": "end--2", "on_completion": "end--1"})" +
              end_1 + end_2),
     {"neither of its ways does anything"}},
    {"one_branch_beside_nothing",
     workflow(R"(parallel--p"}, "parallel--p": {"type": "parallel", "next_steps": ["action--a",
        "end--2"], "on_completion": "end--1"})" +
              manual("a", to("end--2")) + end_1 + end_2),
     {"fewer than two branches have anything to do"}},
    {"an_unknown_comparison",
     workflow(R"(if-condition--i"}, "if-condition--i": {"type": "if-condition", "condition":
        "__who__:value LIKE 'a%'", "on_true": "action--a", "on_completion": "end--1"})" +
              manual("a", to("end--2")) + end_1 + end_2),
     {"/condition: column 15: LIKE is not known"}}};

TEST(Cacao, KeepsBranchesApart) {
  for (const Graph& graph : graphs) {
    SCOPED_TRACE(graph.name);
    const auto read = import_cacao(graph.text);
    if (graph.said.empty()) {
      ASSERT_TRUE(read) << read.error().what;
      EXPECT_EQ(json::parse(exported(read->playbook)), json::parse(graph.text));
      continue;
    }
    ASSERT_FALSE(read);
    for (const std::string& words : graph.said) EXPECT_THAT(read.error().what, HasSubstr(words));
  }
}

TEST(Cacao, TellsAllMistakesTogether) {
  const auto read = import_cacao(R"({"type": "bundle", "spec_version": "cacao-1.1"})");
  ASSERT_FALSE(read);
  for (const char* place : {"/type: ", "/spec_version: ", "/id: is missing", "/name: is missing",
                            "/created: is missing", "/created_by: ", "/modified: "}) {
    EXPECT_THAT(read.error().what, HasSubstr(place));
  }
}

TEST(Cacao, WhatIsChangedHereIsWhatAnExportSays) {
  flow::Playbook playbook =
      imported(playbook_with(R"("commands": [{"type": "ssh", "command": "reboot"}])"));
  const json::Value before = *json::parse(exported(playbook));
  playbook.steps.at("the-step").text = "Ask them to start it again";
  const json::Value after = *json::parse(exported(playbook));
  const auto step = [](const json::Value& document) -> const json::Value& {
    return document["workflow"]["action--eb9372d4-d524-49fc-bf24-be26ea084779"];
  };
  EXPECT_EQ((*step(before)["commands"].as_array())[0].text("type"), "ssh");
  EXPECT_EQ((*step(after)["commands"].as_array())[0].text("command"), "Ask them to start it again");
  EXPECT_EQ(step(after)["agent"], step(before)["agent"]);
  EXPECT_EQ(after["created"], before["created"]);
  EXPECT_EQ(after.text("modified"), "2027-01-15T08:00:00.000Z");
  EXPECT_EQ(members(imported(json::to_text(after))), members(playbook));
}

TEST(Cacao, WhatAnotherToolChangesCounts) {
  flow::Playbook playbook{.name = "p", .title = "P", .start = "a", .order = {"a"}};
  playbook.steps["a"] = {.id = "a",
                         .kind = StepKind::command,
                         .name = "A",
                         .operation = {.command = {"/bin/a"}},
                         .retry = {.tries = 7}};
  std::string text = exported(playbook);
  text.replace(text.find("/bin/a"), 6, "/bin/b");
  const auto read = import_cacao(text);
  ASSERT_TRUE(read) << read.error().what;
  const Step& step = read->playbook.steps.at("a");
  EXPECT_THAT(step.operation.command, ElementsAre("/bin/b"));
  EXPECT_EQ(step.retry.tries, 7);
  EXPECT_THAT(read->notes, Contains(HasSubstr("was changed by a tool")));
}

TEST(Cacao, RefusesAnExtensionThatIsNoneOfOurs) {
  flow::Playbook playbook{.name = "p", .title = "P", .start = "a", .order = {"a"}};
  playbook.steps["a"] = {.id = "a", .retry = {.tries = 7}, .text = "do"};
  std::string text = exported(playbook);
  text.replace(text.find("\"tries\""), 7, "\"tires\"");
  const auto read = import_cacao(text);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().what, HasSubstr("retry: tires: is no member of this"));
}

}  // namespace
}  // namespace mailwarden::respond
