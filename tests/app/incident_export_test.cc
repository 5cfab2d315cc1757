// An incident as it is exported, and what its check makes of each change of the export.
#include "report/incident_export.h"

#include <gmock/gmock.h>

#include "tests/app/core_fixture.h"

namespace mailwarden::app {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using ExportLines = std::vector<json::Object>;

class IncidentExport : public CoreTest {
 protected:
  IncidentExport() : database_(fresh_store()) {
    std::filesystem::copy(source_folder() + "/policies/incidents.yaml",
                          folder_.path("policies/incidents.yaml"));
    write_file(folder_.path("policies/routes.yaml"),
               "receivers: [{name: spool, kind: folder, folder: s}]\n"
               "routes: [{changes: [opened], to: [spool, 'escalation:c']}]\n");
    write_file(folder_.path("policies/escalations.yaml"),
               "chains: [{name: c, steps: [{to: [spool]}]}]\n");
  }

  // Two incidents by two addresses, of which the first is worked upon.
  void fill() {
    core_ = open(*database_);
    core_->take(batch(1, 3));
    core_->take(batch(2, 2));
    act(incident::Act::Kind::acknowledge, "");
    act(incident::Act::Kind::assert_fact, "account_compromised=true");
    ASSERT_TRUE(core_->write());
    for (const Outgoing& one : core_->take_outgoing()) {
      const auto* const alert = std::get_if<alert::Alert>(&one);
      if (alert == nullptr) continue;
      core_->settle({.key = alert->key, .standing = alert::Standing::delivered, .tries = 1},
                    alert->receiver);
    }
    seal();
  }
  void act(incident::Act::Kind kind, const std::string& value, std::int64_t incident = 1) {
    const auto done = core_->act({.kind = kind,
                                  .incident = incident,
                                  .value = value,
                                  .why = "as it must be",
                                  .who = "ann@example.com"});
    ASSERT_TRUE(done) << done.error().what;
  }
  void seal() {
    core_->seal();
    ASSERT_TRUE(core_->write());
  }

  // Of all pages, with the end.
  ExportLines exported(std::int64_t incident = 1, std::int64_t limit = 1000) {
    ExportLines lines;
    report::ExportQuery query{.incident = incident, .limit = limit};
    pages_ = 0;
    while (true) {
      auto page = report::export_incident(*database_, query);
      EXPECT_TRUE(page) << page.error().what;
      if (!page) return lines;
      ++pages_;
      for (const json::Value& line : *(*page)["lines"].as_array()) {
        lines.push_back(*line.as_object());
      }
      if (!page->contains("after")) break;
      query.after = *(*page)["after"].as_integer();
    }
    lines.push_back({{"end", json::Object{{"lines", std::ssize(lines)}}}});
    return lines;
  }
  report::ExportVerdict check(const ExportLines& lines) {
    report::ExportCheck check({{"example.com/test", signer_->public_key()}});
    for (const json::Object& line : lines) check.take(json::to_text(line));
    return check.end();
  }
  static const std::string& what_of(const json::Object& line) { return line.begin()->first; }
  static const json::Value& said_in(const json::Object& line) { return line.begin()->second; }
  // Kinds and numbers of the ledger's entries.
  static std::vector<std::string> entries_of(const ExportLines& lines) {
    std::vector<std::string> found;
    for (const json::Object& line : lines) {
      if (what_of(line) != "entry") continue;
      found.push_back(said_in(line).text("kind") + " " +
                      std::to_string(said_in(line).integer("number")));
    }
    return found;
  }
  static std::size_t count(const ExportLines& lines, const std::string& what) {
    return static_cast<std::size_t>(std::ranges::count_if(
        lines, [&](const json::Object& one) { return what_of(one) == what; }));
  }
  // The first line that tells that, of that kind where it is an entry.
  static ExportLines::iterator find(ExportLines& lines, const std::string& what,
                                    const std::string& kind = "") {
    return std::ranges::find_if(lines, [&](const json::Object& one) {
      return what_of(one) == what && (kind.empty() || said_in(one).text("kind") == kind);
    });
  }
  static void set(json::Object& line, const std::string& member, json::Value to) {
    json::Object said = *said_in(line).as_object();
    said[member] = std::move(to);
    line.begin()->second = std::move(said);
  }
  static void replace(json::Object& line, const std::string& member, const std::string& from,
                      const std::string& to) {
    std::string text = said_in(line).text(member);
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << text;
    set(line, member, text.replace(at, from.size(), to));
  }
  static void recount(ExportLines& lines) { set(lines.back(), "lines", std::ssize(lines) - 1); }

  std::unique_ptr<db::Database> database_;
  std::unique_ptr<Core> core_;
  int pages_ = 0;
};

TEST_F(IncidentExport, HasAllThatTheLedgerSaysOfItAndProvesIt) {
  fill();
  const ExportLines lines = exported();
  const report::ExportVerdict verdict = check(lines);
  EXPECT_THAT(verdict.problems, IsEmpty());
  EXPECT_EQ(verdict.unproved, 0);
  EXPECT_EQ(verdict.erased, 0);
  EXPECT_EQ(verdict.events, 3);
  EXPECT_EQ(verdict.checkpoint.origin, "example.com/test");
  EXPECT_EQ(count(lines, "incident"), 1U);
  EXPECT_EQ(count(lines, "run"), 1U);
  EXPECT_EQ(count(lines, "escalation"), 1U);
  // Of the route, of the chain's step and of the playbook's.
  EXPECT_EQ(count(lines, "alert"), 3U);

  const auto others = rows(*database_, "SELECT name FROM alert WHERE incident = 2");
  std::vector<std::string> expected;
  for (const std::string& row : rows(
           *database_,
           "SELECT kind, number, record FROM ledger_entry WHERE kind IN"
           " ('incident', 'detection', 'alert', 'escalation', 'step', 'events') ORDER BY number")) {
    const bool is_of_other = row.contains("\"incident\":2,") || row.contains("203.0.113.2") ||
                             row.contains("\"run\":2,") ||
                             std::ranges::any_of(others, [&](const std::string& key) {
                               return row.contains("\"" + key.substr(0, key.size() - 1) + "\"");
                             });
    const bool is_other_batch = row.starts_with("events|") && !expected.empty();
    if (is_of_other || is_other_batch) continue;
    const std::size_t bar = row.find('|');
    expected.push_back(row.substr(0, bar) + " " +
                       row.substr(bar + 1, row.find('|', bar + 1) - bar - 1));
  }
  auto found = entries_of(lines);
  EXPECT_GT(found.size(), 15U);
  // A batch stands behind the first detection that needs it.
  std::ranges::sort(found);
  std::ranges::sort(expected);
  EXPECT_EQ(found, expected);
}

TEST_F(IncidentExport, PagesMakeTheSameTogether) {
  fill();
  const ExportLines whole = exported();
  EXPECT_EQ(pages_, 1);
  for (const std::int64_t limit : {1, 2, 5}) {
    const ExportLines lines = exported(1, limit);
    EXPECT_GT(pages_, 3) << limit;
    EXPECT_THAT(check(lines).problems, IsEmpty()) << limit;
    const auto without_batches = [](const ExportLines& of) {
      auto entries = entries_of(of);
      std::erase_if(entries, [](const std::string& one) { return one.starts_with("events"); });
      return entries;
    };
    EXPECT_EQ(without_batches(lines), without_batches(whole)) << limit;
  }
}

TEST_F(IncidentExport, WhatWasMergedIntoItIsThere) {
  fill();
  act(incident::Act::Kind::merge, "1", 2);
  seal();
  const ExportLines lines = exported();
  EXPECT_THAT(check(lines).problems, IsEmpty());
  EXPECT_EQ(count(lines, "incident"), 2U);
  EXPECT_EQ(count(lines, "run"), 2U);
  EXPECT_EQ(check(lines).events, 5);
  EXPECT_EQ(count(exported(2), "incident"), 1U) << "what it went into is another one";
}

TEST_F(IncidentExport, WhatNoCheckpointCoversYetIsCounted) {
  fill();
  act(incident::Act::Kind::note, "");
  ASSERT_TRUE(core_->write());
  const auto verdict = check(exported());
  EXPECT_THAT(verdict.problems, IsEmpty());
  EXPECT_EQ(verdict.unproved, 1);
}

TEST_F(IncidentExport, WhatWasErasedIsCountedAndNotMissed) {
  fill();
  const auto before = check(exported());
  ASSERT_TRUE(database_->execute(
      "UPDATE ledger_entry SET record = NULL, salt = NULL WHERE kind = 'incident' AND number ="
      " (SELECT MAX(entry) FROM incident_change WHERE incident = 1)"));
  ASSERT_TRUE(database_->execute("DELETE FROM event WHERE number = 2"));
  const ExportLines lines = exported();
  const auto verdict = check(lines);
  EXPECT_THAT(verdict.problems, IsEmpty());
  EXPECT_EQ(verdict.entries, before.entries) << "its hash is proved all the same";
  // The others of the batch are there, but their way to its root is not.
  EXPECT_EQ(verdict.erased, 2);
  EXPECT_EQ(verdict.events, 0);
  EXPECT_EQ(verdict.unproved, 2);
}

// Without its keys nobody reads it; with them it is proved like any other.
TEST_F(IncidentExport, OfAnEncryptedStoreItIsProvedToo) {
  make_keys();
  database_->set_sealing(&store_keys_->sealing());
  fill();
  const auto verdict = check(exported());
  EXPECT_THAT(verdict.problems, IsEmpty());
  EXPECT_EQ(verdict.events, 3);
  EXPECT_EQ(verdict.erased, 0);
  EXPECT_EQ(verdict.unproved, 0);
}

TEST_F(IncidentExport, EachChangeOfItIsFound) {
  fill();
  using Change = void (*)(ExportLines&);
  struct Case {
    const char* name;
    Change change;
    const char* expected;
  };
  const std::vector<Case> cases{
      {"another severity in a record",
       [](ExportLines& all) {
         replace(*find(all, "entry", "incident"), "record", "\"severity\":0", "\"severity\":1");
       },
       "is not what the log has there"},
      {"another severity of the incident",
       [](ExportLines& all) { set(*find(all, "incident"), "severity", 0); },
       "its severity is not what its changes lead to"},
      {"another state of the incident",
       [](ExportLines& all) { set(*find(all, "incident"), "state", "closed"); },
       "its state is not what its changes lead to"},
      {"a change taken away",
       [](ExportLines& all) {
         all.erase(find(all, "entry", "incident"));
         recount(all);
       },
       "1 of its"},
      {"a line taken away", [](ExportLines& all) { all.erase(find(all, "event")); },
       "it counts other lines"},
      {"the end taken away", [](ExportLines& all) { all.pop_back(); }, "has no end"},
      {"another event",
       [](ExportLines& all) { replace(*find(all, "event"), "record", "root", "eve"); },
       "the event is not one of the batch"},
      {"another event's name",
       [](ExportLines& all) { replace(*find(all, "event"), "id", "-3e8", "-3e9"); },
       "another one by its record"},
      {"another place in the log",
       [](ExportLines& all) { set(*find(all, "entry", "incident"), "number", 1); },
       "is not what the log has there"},
      {"a number beyond the log",
       [](ExportLines& all) { set(*find(all, "entry", "incident"), "number", 100'000); },
       "is not what the log has there"},
      {"an entry twice",
       [](ExportLines& all) {
         const json::Object one = *find(all, "entry", "alert");
         all.insert(all.end() - 1, one);
         recount(all);
       },
       "stands there twice"},
      {"without its proof",
       [](ExportLines& all) { set(*find(all, "entry", "incident"), "salt", json::Value()); },
       "a record and its salt"},
      {"another checkpoint",
       [](ExportLines& all) { *find(all, "checkpoint") = {{"checkpoint", "exemple.com/log"}}; },
       "the checkpoint"},
      {"without the incident", [](ExportLines& all) { all.erase(find(all, "incident")); },
       "of an incident that is not told"},
      {"an unknown line", [](ExportLines& all) { all.front() = {{"x", 1}}; },
       "'x' is nothing that an export tells"},
      {"a line behind the end", [](ExportLines& all) { all.push_back(all.front()); },
       "behind the end"}};
  const ExportLines good = exported();
  for (const Case& c : cases) {
    ExportLines lines = good;
    c.change(lines);
    const auto verdict = check(lines);
    EXPECT_FALSE(verdict.good()) << c.name;
    EXPECT_THAT(verdict.problems, Contains(HasSubstr(c.expected))) << c.name;
    EXPECT_THAT(to_words(verdict), HasSubstr("NOT GOOD")) << c.name;
  }
}

TEST_F(IncidentExport, AnotherKeyProvesNothing) {
  fill();
  TemporaryFolder other;
  const auto key = crypto::Signer::create(other.path("key"), entropy_).value();
  report::ExportCheck check({{"example.com/test", key.public_key()}});
  for (const json::Object& line : exported()) check.take(json::to_text(line));
  const auto verdict = check.end();
  EXPECT_EQ(verdict.entries, 0);
  EXPECT_THAT(verdict.problems, Contains(HasSubstr("the checkpoint")));
}

TEST_F(IncidentExport, HostileLinesAreToldAndDoNoHarm) {
  report::ExportCheck check({{"example.com/test", signer_->public_key()}});
  for (const char* const line :
       {"", "[]", "{}", "{\"entry\":7}", R"({"entry":{}})", R"({"checkpoint":7})",
        R"({"end":"x"}x)", R"({"entry":{"number":-1,"record":"{}","salt":"AAAA"}})",
        R"({"entry":{"number":1,"leaf":"zz","hashes":[7]}})",
        R"({"event":{"id":7,"entry":9,"hashes":"x"}})",
        R"({"incident":{"number":1,"changes_count":9223372036854775807}})"}) {
    check.take(line);
  }
  const auto verdict = check.end();
  EXPECT_EQ(verdict.entries + verdict.events, 0);
  EXPECT_THAT(verdict.problems, Contains(HasSubstr("changes are missing")));
}

TEST_F(IncidentExport, OneThatIsNotThereIsNotFound) {
  fill();
  const auto page = report::export_incident(*database_, {.incident = 99});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, Code::not_found);
}

}  // namespace
}  // namespace mailwarden::app
