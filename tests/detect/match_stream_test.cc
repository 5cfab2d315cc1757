// Streams of events in every form that is understood, cut and numbered as they come.
#include "detect/match_stream.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "detect/event_blocks.h"
#include "event/event_json.h"
#include "json/value.h"
#include "tests/temporary.h"

namespace mailwarden::detect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

RuleSet accepted_rules(const std::string& text) {
  RuleSet rules = RuleSet::make(parse_rules(text, "r.yml")).value();
  EXPECT_TRUE(rules.refused().empty());
  return rules;
}

RuleSet one_rule() {
  return accepted_rules(
      "title: A \"word\"\nid: word\nlevel: high\nlogsource: {product: x}\n"
      "detection: {s: {a|contains: needle}, condition: s}\n");
}

struct Streamed {
  std::vector<std::string> lines;
  std::vector<std::string> complaints;
  MatchTotals totals;
};

Streamed stream(const std::string& text, const RuleSet& rules,
                const MatchStreamOptions& options = {.logsource = {.product = "x"}}) {
  TemporaryFolder folder;
  write_file(folder.path("events"), text);
  const int file = ::open(folder.path("events").c_str(), O_RDONLY | O_CLOEXEC);
  Streamed streamed;
  std::string out;
  const MatchSinks sinks{
      .write =
          [&](std::string_view piece) {
            out += piece;
            return true;
          },
      .complain = [&](std::string_view what) { streamed.complaints.emplace_back(what); }};
  const auto totals = match_stream(file, rules, options, sinks);
  ::close(file);
  EXPECT_TRUE(totals);
  if (totals) streamed.totals = *totals;
  while (!out.empty()) {
    streamed.lines.push_back(out.substr(0, out.find('\n')));
    out.erase(0, out.find('\n') + 1);
  }
  return streamed;
}

TEST(MatchStream, WritesALineForEachMatch) {
  const auto seen =
      stream("{\"a\":\"no\"}\n{\"a\":\"C:\\\\a \\\"needle\\\" \\u00e9\"}\n", one_rule());
  EXPECT_THAT(seen.lines,
              ElementsAre("{\"event\":1,\"rule\":\"word\",\"title\":\"A \\\"word\\\"\",\"level\":"
                          "\"high\",\"matches\":[{\"selection\":\"s\",\"field\":\"a\",\"value\":"
                          "\"C:\\\\a \\\"needle\\\" \u00e9\"}]}"));
  EXPECT_THAT(seen.complaints, IsEmpty());
  EXPECT_EQ(seen.totals.events, 2);
  EXPECT_EQ(seen.totals.matches, 1);
}

TEST(MatchStream, TellsTheSameForPeople) {
  const auto seen = stream("{\"a\":\"a needle\"}\n", one_rule(),
                           {.logsource = {.product = "x"}, .format = MatchFormat::table});
  EXPECT_THAT(seen.lines, ElementsAre("event 0  high  A \"word\"  (word)", "    s: a = a needle"));
}

struct FormCase {
  const char* name;
  const char* text;
  std::vector<int> events;  // the numbers of those that hold the needle
  std::vector<std::string> complaints;
};

class MatchStreamForm : public testing::TestWithParam<FormCase> {};

TEST_P(MatchStreamForm, EventsAreCutAndNumbered) {
  const auto seen = stream(GetParam().text, one_rule());
  std::vector<int> events;
  for (const std::string& line : seen.lines) {
    events.push_back(static_cast<int>(json::parse(line)->integer("event")));
  }
  EXPECT_EQ(events, GetParam().events);
  ASSERT_EQ(seen.complaints.size(), GetParam().complaints.size());
  for (std::size_t i = 0; i < seen.complaints.size(); ++i) {
    EXPECT_THAT(seen.complaints[i], HasSubstr(GetParam().complaints[i]));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Forms, MatchStreamForm,
    testing::Values(
        FormCase{"NoLineEndAtTheEnd", R"({"a":"needle"})", {0}, {}},
        FormCase{"EmptyLinesDoNotCount", "\n\n{\"a\":1}\r\n \n{\"a\":\"needle\"}\r\n", {1}, {}},
        FormCase{
            "SeveralObjectsInALine",
            "{\"a\":\"x\"}\n{\"a\":\"needle\"}{\"a\":1} {\"a\":\"needle\"}\n{\"a\":\"needle\"}",
            {1, 3, 4},
            {}},
        FormCase{"AnObjectOverSeveralLines",
                 "{\n \"a\": \"needle }{\"\n}\n{\n \"b\": 1}\n{\"a\": \"needle\"}\n",
                 {0, 2},
                 {}},
        FormCase{"AnArrayOfObjects", "[\n{\"a\":\"needle\"},\n{\"a\":1}\n]\n", {0}, {}},
        FormCase{"ALineThatIsNoJsonTakesANumber",
                 "{\"a\":\"x\"}\nnot json\n{\"a\":\"needle\"}\n",
                 {2},
                 {"event 1: not valid JSON"}},
        FormCase{"AnObjectWithoutAnEnd",
                 "{\n\"a\":\"needle\"}\n{\"a\":\n",
                 {0},
                 {"the last object has no end"}},
        FormCase{"TextBetweenObjects",
                 "{\n\"a\":\"needle\"}\noops\n{\"a\":\"needle\"}\n",
                 {0, 1},
                 {"no part of a JSON object"}},
        FormCase{"NothingAtAll", "", {}, {}}, FormCase{"WhiteSpaceAlone", " \n\n\t\n", {}, {}},
        FormCase{"ANameThatStandsTwiceGivesBothValues",
                 "{\"a\":\"needle\",\"a\":\"x\"}\n{\"a\":\"x\",\"a\":\"needle\"}\n",
                 {0, 1},
                 {}},
        FormCase{
            "NestedAndListed", "{\"a\":[\"x\",\"needle\"],\"b\":{\"a\":\"needle\"}}\n", {0}, {}}),
    [](const auto& info) { return info.param.name; });

TEST(MatchStream, ManyBlocksComeOutInOrderWhateverTheThreads) {
  std::string text;
  for (int i = 0; i < 60'000; ++i) {
    text += "{\"a\":\"" + std::string(i % 3 == 0 ? "a needle " : "hay ") + std::to_string(i) +
            "\",\"filler\":\"" + std::string(40, 'x') + "\"}\n";
    if (i % 7001 == 0) text += "broken " + std::to_string(i) + "\n";
  }
  const RuleSet rules = one_rule();
  const auto one = stream(text, rules);
  const auto four = stream(text, rules, {.logsource = {.product = "x"}, .threads = 4});
  EXPECT_EQ(one.lines.size(), 20'000U);
  EXPECT_EQ(one.lines, four.lines);
  EXPECT_EQ(one.complaints, four.complaints);
  EXPECT_EQ(one.totals.unread, 9);
  EXPECT_EQ(one.totals.events, four.totals.events);
}

TEST(MatchStream, EndsWhereNobodyReadsAnyMore) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "{\"a\":\"needle\",\"b\":\"0123456789012345\"}\n";
  TemporaryFolder folder;
  write_file(folder.path("events"), text);
  const RuleSet rules = one_rule();
  for (const unsigned threads : {1U, 3U}) {
    const int file = ::open(folder.path("events").c_str(), O_RDONLY | O_CLOEXEC);
    int writes = 0;
    const MatchSinks sinks{.write = [&](std::string_view) { return ++writes < 2; },
                           .complain = [](std::string_view) {}};
    EXPECT_TRUE(
        match_stream(file, rules, {.logsource = {.product = "x"}, .threads = threads}, sinks));
    EXPECT_EQ(writes, 2);
    ::close(file);
  }
}

TEST(MatchStream, AnObjectThatNeverEndsIsGivenUp) {
  const std::string text =
      "{\n\"a\":\"" + std::string(EventBlocks::object_bytes_max + 5'000'000, 'x');
  const auto seen = stream(text, one_rule());
  EXPECT_THAT(seen.lines, IsEmpty());
  EXPECT_THAT(seen.complaints, ElementsAre(HasSubstr("an object is longer than 16777216 bytes")));
}

struct WindowsCase {
  const char* name;
  const char* event;
  std::string rule;  // its logsource and detection
};

class WindowsEvent : public testing::TestWithParam<WindowsCase> {};

TEST_P(WindowsEvent, HasSigmasNamesAndLogSource) {
  const RuleSet rules = accepted_rules("title: t\nid: r\n" + GetParam().rule);
  const auto seen = stream(std::string(GetParam().event) + "\n", rules, {});
  EXPECT_EQ(seen.lines.size(), 1U);
}

constexpr const char* sysmon =
    R"({"Event":{"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},)"
    R"("EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational"},)"
    R"("EventData":{"Image":"C:\\x\\cmd.exe","Parent Image":"p"}}})";

INSTANTIATE_TEST_SUITE_P(
    Cases, WindowsEvent,
    testing::Values(
        WindowsCase{"Category", sysmon,
                    "logsource: {product: windows, category: process_creation}\n"
                    "detection: {s: {Image|endswith: '\\cmd.exe'}, condition: s}"},
        WindowsCase{"Service", sysmon,
                    "logsource: {product: windows, service: sysmon}\n"
                    "detection: {s: {EventID: 1}, condition: s}"},
        WindowsCase{"AttributesOfTheHead", sysmon,
                    "logsource: {product: windows}\n"
                    "detection: {s: {Provider_Name: Microsoft-Windows-Sysmon}, condition: s}"},
        WindowsCase{"SpacesInNames", sysmon,
                    "logsource: {product: windows}\n"
                    "detection: {s: {ParentImage: p}, condition: s}"},
        WindowsCase{"TextBesideAttributes",
                    R"({"Event":{"System":{"EventID":{"#attributes":{"Qualifiers":16384},)"
                    R"("#text":7045},"Channel":"System"},"EventData":{"ServiceName":"x"}}})",
                    "logsource: {product: windows, service: system}\n"
                    "detection: {s: {EventID: 7045, ServiceName: x}, condition: s}"},
        WindowsCase{"ProcessCreationOfTheSecurityLog",
                    R"({"Event":{"System":{"EventID":4688,"Channel":"Security"},)"
                    R"("EventData":{"NewProcessName":"C:\\a.exe","CommandLine":"a b"}}})",
                    "logsource: {product: windows, category: process_creation}\n"
                    "detection: {s: {Image|endswith: '\\a.exe', CommandLine: a b}, condition: s}"},
        WindowsCase{"RegistryDeleted",
                    R"({"Event":{"System":{"EventID":12,)"
                    R"("Channel":"Microsoft-Windows-Sysmon/Operational"},)"
                    R"("EventData":{"EventType":"DeleteKey","TargetObject":"HKLM\\x"}}})",
                    "logsource: {product: windows, category: registry_delete}\n"
                    "detection: {s: {TargetObject|endswith: '\\x'}, condition: s}"},
        WindowsCase{"DataOfUsers",
                    R"({"Event":{"System":{"EventID":104,"Channel":"System"},)"
                    R"("UserData":{"LogFileCleared":{"Channel":"Application"}}}})",
                    "logsource: {product: windows, service: system}\n"
                    "detection: {s: {EventID: 104, Channel: Application}, condition: s}"}),
    [](const auto& info) { return info.param.name; });

TEST(MatchStream, WhatTheCallerStatesHoldsForEveryEvent) {
  const RuleSet rules = accepted_rules(
      "title: t\nid: r\nlogsource: {product: linux, service: sshd}\n"
      "detection: {s: {a: b}, condition: s}\n");
  const std::string tagged = R"({"a":"b","product":"Linux","service":"sshd"})";
  EXPECT_EQ(stream(tagged, rules, {}).lines.size(), 1U);
  EXPECT_EQ(stream(tagged, rules, {.logsource = {.product = "windows"}}).lines.size(), 0U);
  EXPECT_EQ(stream(R"({"a":"b"})", rules, {}).lines.size(), 0U);
  EXPECT_EQ(stream(R"({"a":"b"})", rules, {.routing = Routing::open}).lines.size(), 1U);
  EXPECT_EQ(stream(R"({"a":"b","service":"cron"})", rules, {.routing = Routing::open}).lines.size(),
            0U);
}

TEST(MatchStream, ReadsWhatDecodePrints) {
  const RuleSet rules = accepted_rules(
      "title: t\nid: r\nlogsource: {product: linux, service: sshd}\n"
      "detection: {s: {user.name: alice}, k: [raw words], condition: s and k}\n");
  Event event;
  event.source = "s";
  event.logsource = {.product = "linux", .category = "", .service = "sshd"};
  event.ocsf.user = "alice";
  event.raw = "some raw words";
  EXPECT_EQ(stream(to_json(event) + "\n", rules, {}).lines.size(), 1U);
}

}  // namespace
}  // namespace mailwarden::detect
