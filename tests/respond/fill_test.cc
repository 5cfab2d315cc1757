// What variables become in the places where they stand.
#include "respond/fill.h"

#include <gtest/gtest.h>

namespace mailwarden::respond {
namespace {

using flow::Operation;
using flow::StepKind;

Lookup with(const std::string& name, json::Value value) {
  return lookup_in({{"number", 7}, {"hosts", json::Array{"a", "b"}}, {name, std::move(value)}});
}

Operation command(std::vector<std::string> arguments) {
  Operation operation;
  operation.command = std::move(arguments);
  operation.command.insert(operation.command.begin(), "/bin/x");
  return operation;
}

Operation http(std::string url) {
  Operation operation;
  operation.kind = StepKind::http;
  operation.method = "POST";
  operation.url = std::move(url);
  return operation;
}

TEST(Fill, ACommandHasTheArgumentsThatItAsksFor) {
  const auto filled = fill(command({"--lock", "${name}", "n=${number}", "${hosts}", "${$}{name}"}),
                           with("name", "eve/../x y"));
  ASSERT_TRUE(filled) << filled.error().what;
  EXPECT_EQ(filled->command, (std::vector<std::string>{"/bin/x", "--lock", "eve/../x y", "n=7", "a",
                                                       "b", "${name}"}));
}

// Values come out of log lines and of what programs said, which attackers write.
TEST(Fill, AnArgumentIsNeitherAnOptionNorMoreThanALine) {
  for (const json::Value& value :
       {json::Value("-rf"), json::Value("--root=/"), json::Value(""), json::Value("a\nb"),
        json::Value("a\tb"), json::Value(std::string("a\0b", 3)), json::Value("\x7f"),
        json::Value(-1), json::Value(json::Array{"a", "-rf"}), json::Value(json::Array{"a\nb"})}) {
    const auto filled = fill(command({"${name}"}), with("name", value));
    ASSERT_FALSE(filled) << json::to_text(value);
    EXPECT_EQ(filled.error().code, Code::invalid);
    EXPECT_NE(filled.error().what.find("must not be handed over"), std::string::npos);
    EXPECT_EQ(filled.error().what.find('\n'), std::string::npos);
  }
  EXPECT_FALSE(fill(command({"${empty}${name}"}), lookup_in({{"empty", ""}, {"name", "-rf"}})));
  EXPECT_FALSE(fill(command({"--name=${name}"}), with("name", "a\nb")));
  EXPECT_TRUE(fill(command({"--name=${name}"}), with("name", "-rf")));
}

TEST(Fill, NeitherExecutableNorHostIsChosenByAValue) {
  Operation program;
  program.command = {"/bin/${name}"};
  EXPECT_FALSE(fill(program, with("name", "sh")));
  for (const char* url :
       {"https://${name}/x", "https://a.${name}", "https://a:${name}?x", "${name}", "a/${name}"}) {
    EXPECT_FALSE(fill(http(url), with("name", "evil"))) << url;
  }
}

TEST(Fill, AURLIsEncodedAndAHeaderIsOneLine) {
  Operation operation = http("http://h/i/${number}/${name}?q=${name}");
  operation.headers = {{"X-Name", "of ${name}"}};
  const auto filled = fill(operation, with("name", "e/../v&e ü"));
  ASSERT_TRUE(filled) << filled.error().what;
  EXPECT_EQ(filled->url, "http://h/i/7/e%2F%2E%2E%2Fv%26e%20%C3%BC?q=e%2F%2E%2E%2Fv%26e%20%C3%BC");
  EXPECT_EQ(filled->headers.at("X-Name"), json::Value("of e/../v&e ü"));
  EXPECT_FALSE(fill(operation, with("name", "a\r\nX-Admin: yes")));
}

TEST(Fill, ABodyKeepsTypes) {
  Operation operation = http("http://h/");
  operation.body = json::Object{{"n", "${number}"},
                                {"list", "${hosts}"},
                                {"text", "${number} of ${hosts}"},
                                {"items", json::Array{"${name}", 1, true}}};
  const auto filled = fill(operation, with("name", "say \"hi\"\n"));
  ASSERT_TRUE(filled) << filled.error().what;
  EXPECT_EQ(json::to_text(filled->body),
            R"({"items":["say \"hi\"\n",1,true],"list":["a","b"],"n":7,"text":"7 of a, b"})");
}

TEST(Fill, AnActionKeepsTypesAndATextIsMadeVisible) {
  Operation action;
  action.kind = StepKind::action;
  action.action = "block_address";
  action.arguments = {{"address", "${name}"}, {"seconds", "${number}"}};
  const auto filled = fill(action, with("name", "192.0.2.7"));
  ASSERT_TRUE(filled);
  EXPECT_EQ(describe(*filled), R"(block_address {address: "192.0.2.7", seconds: 7})");

  Operation notify;
  notify.kind = StepKind::notify;
  notify.to = {"spool", "pager"};
  notify.text = "look at ${name}";
  EXPECT_EQ(describe(*fill(notify, with("name", "e\x1b[31m"))),
            R"(tell spool, pager: look at e\x1b[31m)");
}

TEST(Fill, WhatHasNoValueIsToldByName) {
  const auto filled = fill(command({"${owner}"}), with("name", ""));
  ASSERT_FALSE(filled);
  EXPECT_EQ(filled.error(), (Error{Code::not_found, "the variable 'owner' has no value yet"}));
}

TEST(Fill, TooMuchIsRefused) {
  json::Array many;
  for (int i = 0; i < 101; ++i) many.emplace_back("a");
  EXPECT_FALSE(fill(command({"${name}"}), with("name", std::move(many))));
  std::vector<std::string> arguments(99, "${name}");
  EXPECT_FALSE(fill(command(arguments), with("name", std::string(4000, 'x'))));
}

TEST(VariablesIn, AreFoundEverywhereAndMistakesAreTold) {
  Operation operation = http("http://h/${a}");
  operation.headers = {{"x", "${b}${$}{c}"}};
  operation.body = json::Array{json::Object{{"y", "${d.e}"}}};
  EXPECT_EQ(variables_in(operation), (Names{"a", "b", "d.e"}));
  EXPECT_EQ(variables_in("a ${").error().what, "a '${' is never closed");
  EXPECT_EQ(variables_in("a ${b c}").error().what, "'b c' is no name of a variable");
  EXPECT_EQ(variables_in("${}").error().what, "'' is no name of a variable");
}

TEST(WithoutVariables, KeepsATextAsItIs) {
  for (const char* text : {"${HOME}/x", "$${a}", "${${$}", "a$b", "$", "${"}) {
    const std::string escaped = without_variables(text);
    EXPECT_EQ(fill_exactly(escaped, lookup_in({})), std::string(text)) << escaped;
  }
}

TEST(MayRun, OnlyWhatTheDaemonIsToldThatItMay) {
  EXPECT_TRUE(may_run(command({}), {"/bin/y", "/bin/x"}));
  EXPECT_TRUE(may_run(http("http://h/"), {}));
  const auto refused = may_run(command({}), {"/bin/y"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(),
            (Error{Code::denied, "/bin/x is not among the commands that this daemon may run"}));
}

TEST(Describe, ShowsWhereAnArgumentEnds) {
  EXPECT_EQ(describe(command({"a b", "", "it's", "c\nd"})),
            R"(run /bin/x 'a b' '' 'it'\''s' c\x0ad)");
  Operation operation = http("http://h/");
  operation.body = json::Object{{"a", 1}};
  operation.sign_with = "tickets";
  EXPECT_EQ(describe(operation), R"(POST http://h/ with {"a":1}, signed with 'tickets')");
}

TEST(Describe, OfWhatMustNotBeDoneShowsWhatIsKnown) {
  EXPECT_EQ(describe_unguarded(command({"${name}", "${owner}"}), with("name", "-r\nf")),
            R"(run /bin/x -r\x0af '${owner}')");
}

}  // namespace
}  // namespace mailwarden::respond
