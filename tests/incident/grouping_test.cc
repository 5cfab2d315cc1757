// What becomes one incident, what waits, what is linked.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "incident/incident.h"
#include "tests/incident/kinds.h"

namespace mailwarden::incident {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;

constexpr Timestamp told_at{1'800'000'000'000'000};
constexpr Timestamp happened_at{1'790'000'000'000'000};
const detect::Entity one_address{"address", "192.0.2.7"};
const detect::Entity account_alice{"account", "alice"};
const detect::Entity account_bob{"account", "bob"};

constexpr std::string_view grouping_table_text = R"(
facts:
  stolen: {kind: truth}
  read: {kind: truth}
rows:
  - {name: all of it, severity: 3, all_of: {stolen: true, read: true}}
  - {name: data went, severity: 2, all_of: {stolen: true}}
)";

constexpr std::string_view grouping_text = R"(
within: 4h
rules:
  - {name: accounts, for: {rules: [many]}, by: [address], within: 1h, threshold: 3,
     distinct: account}
  - {name: narrow, for: {rules: [narrow]}, by: [address, account], within: 1h}
  - {name: three, for: {rules: [three, other]}, by: [address], within: 1h, threshold: 3}
links:
  - {name: same_campaign, by: [campaign], within: 2d, then: join}
  - {name: same_account, by: [account], within: 1d, incidents_max: 2}
shared: ["account:shared*"]
)";

struct ToldDetection {
  std::string rule = "three";
  Duration after{};
  std::vector<detect::Entity> also = {};
  detect::Level level = detect::Level::medium;
  std::map<std::string, std::int64_t> facts = {};
  detect::Entity about = one_address;
};

class GroupingTest : public testing::Test {
 protected:
  GroupingTest() { use(grouping_text); }

  std::vector<Change> use(std::string_view text) {
    auto grouping = Grouping::parse(text, "g.yaml", {});
    EXPECT_TRUE(grouping) << grouping.error().what;
    return book_.use(std::make_shared<const Grouping>(*std::move(grouping)), table_, told_at);
  }
  IncidentBook::Applied tell(const ToldDetection& told) {
    return book_.apply({.rule_id = told.rule,
                        .title = "title of " + told.rule,
                        .level = told.level,
                        .time = happened_at + told.after,
                        .entity = told.about,
                        .also = told.also,
                        .facts = told.facts},
                       table_, told_at, ++number_);
  }
  // Incident, then whether it waits.
  std::vector<std::int64_t> incidents(const std::vector<ToldDetection>& all) {
    std::vector<std::int64_t> found;
    for (const ToldDetection& one : all) {
      const auto applied = tell(one);
      found.push_back(applied.waits.empty() ? applied.incident : -1);
    }
    return found;
  }

  SeverityTable table_ = SeverityTable::parse(grouping_table_text, "t.yaml").value();
  IncidentBook book_{{}, 0};
  std::int64_t number_ = 0;
};

// -1 waits, 0 is of no incident.
struct GroupingRow {
  std::string name;
  std::vector<ToldDetection> told;
  std::vector<std::int64_t> incidents;
};

class GroupingTable : public GroupingTest, public testing::WithParamInterface<GroupingRow> {};

TEST_P(GroupingTable, SaysWhatWaitsAndWhatOpens) {
  EXPECT_EQ(incidents(GetParam().told), GetParam().incidents);
}

const std::vector<GroupingRow> grouping_rows{
    {"TheThirdOpens", {{}, {.after = minutes(10)}, {.after = minutes(20)}}, {-1, -1, 1}},
    {"TheNextJoins", {{}, {}, {}, {.after = hours(3)}}, {-1, -1, 1, 1}},
    {"ThreeJustWithinTheHour", {{}, {.after = minutes(30)}, {.after = minutes(60)}}, {-1, -1, 1}},
    {"ThreeOverMoreThanTheHour",
     {{}, {.after = minutes(30)}, {.after = minutes(61)}},
     {-1, -1, -1}},
    {"TheWindowSlides",
     {{}, {.after = minutes(30)}, {.after = minutes(61)}, {.after = minutes(80)}},
     {-1, -1, -1, 1}},
    {"ByTheTimesOfEventsInAnyOrder",
     {{.after = minutes(50)}, {}, {.after = minutes(20)}},
     {-1, -1, 1}},
    {"OneOfTheYear2099KeepsNobodyElseFromCounting",
     {{}, {.after = days(20'000)}, {.after = minutes(1)}, {.after = minutes(2)}},
     {-1, -1, -1, 1}},
    {"OneOfLongAgoDoesNotCount", {{}, {.after = -days(9)}, {}, {}}, {-1, -1, -1, 1}},
    {"OtherRulesOfTheListCountTogether", {{}, {.rule = "other"}, {}}, {-1, -1, 1}},
    {"AnotherAddressCountsAlone",
     {{}, {}, {.about = {"address", "192.0.2.8"}}, {}},
     {-1, -1, -1, 1}},
    {"NamedBesidesCountsToo",
     {{}, {.also = {one_address}, .about = account_alice}, {}},
     {-1, -1, 1}},
    {"ACriticalOneDoesNotWait", {{}, {.level = detect::Level::critical}}, {-1, 1}},
    {"NeitherDoesOneOfSeverity3", {{}, {.facts = {{"stolen", 1}, {"read", 1}}}}, {-1, 1}},
    {"NorOneThatGivesItWithWhatWaits",
     {{.facts = {{"stolen", 1}}}, {.facts = {{"read", 1}}}},
     {-1, 1}},
    {"Severity2Waits", {{.facts = {{"stolen", 1}}}, {}}, {-1, -1}},
    {"WhatARuleNamesCountsBelowTheLevelOfIncidents",
     {{.level = detect::Level::low}, {.level = detect::Level::low}, {.level = detect::Level::low}},
     {-1, -1, 1}},
    {"WhatNoRuleNamesDoesNot", {{.rule = "x", .level = detect::Level::low}}, {0}},
    {"WithoutTheEntityNoRuleFits", {{.about = account_alice}}, {1}},
    {"DistinctAccounts",
     {{.rule = "many", .also = {account_alice}},
      {.rule = "many", .also = {account_bob}},
      {.rule = "many", .also = {account_alice}},
      {.rule = "many", .also = {account_bob}},
      {.rule = "many", .also = {{"account", "carol"}}}},
     {-1, -1, -1, -1, 1}},
    {"DistinctNeedsOneToCount", {{.rule = "many"}}, {1}},
    {"OthersOfTheGroupAreNotCountedButJoin",
     {{.rule = "many", .also = {account_alice}}, {}, {}, {}},
     {-1, -1, -1, 1}},
    {"TwoEntitiesAreOneGroup",
     {{.rule = "narrow", .also = {account_alice}},
      {.rule = "narrow", .also = {account_bob}},
      {.rule = "narrow", .also = {account_alice}},
      {.rule = "x"}},
     {1, 2, 1, 3}}};

INSTANTIATE_TEST_SUITE_P(All, GroupingTable, testing::ValuesIn(grouping_rows),
                         [](const auto& one) { return one.param.name; });

TEST_F(GroupingTest, WhatWaitedJoinsWithItsFactsAndIsNamed) {
  tell({.also = {account_alice}, .facts = {{"stolen", 1}}});
  tell({.rule = "other", .after = -minutes(5), .level = detect::Level::high});
  const auto applied = tell({.after = minutes(5), .also = {account_bob}});
  EXPECT_EQ(applied.incident, 1);
  const Incident& incident = *book_.find(1);
  EXPECT_EQ(incident.detections, 3);
  EXPECT_THAT(incident.gathered, ElementsAre(1, 2));
  EXPECT_EQ(incident.first_event, happened_at - minutes(5));
  EXPECT_EQ(incident.last_event, happened_at + minutes(5));
  EXPECT_EQ(incident.severity, Severity::high);
  EXPECT_EQ(incident.title, "title of other");
  EXPECT_EQ(incident.level, detect::Level::high);
  EXPECT_THAT(incident.rules, ElementsAre("other", "three"));
  EXPECT_THAT(incident.named, ElementsAre(account_alice, account_bob, one_address));
  ASSERT_THAT(kinds(applied.changes), ElementsAre("opened"));
  EXPECT_EQ(applied.changes[0].after.at("gathered"), json::Value(json::Array{1, 2}));
  EXPECT_EQ(applied.changes[0].after.at("grouped_by"), json::Value("three"));
  EXPECT_THAT(applied.changes[0].why, HasSubstr("3 detections within 1 h by 'three'"));
  EXPECT_EQ(book_.waiting(), 0U);
}

TEST_F(GroupingTest, WhatOpensAnIncidentOtherwiseTakesThoseThatWait) {
  tell({});
  const auto applied = tell({.rule = "x"});
  EXPECT_EQ(applied.incident, 1);
  EXPECT_THAT(book_.find(1)->gathered, ElementsAre(1));
  EXPECT_EQ(book_.find(1)->detections, 2);
}

TEST_F(GroupingTest, WhatWaitedTooLongIsLetGoOfByTheClock) {
  EXPECT_EQ(tell({}).waits, "three");
  tell({});
  book_.tick(told_at + hours(25) - Duration(1));
  EXPECT_EQ(book_.waiting(), 2U);
  book_.tick(told_at + hours(25));
  EXPECT_EQ(book_.waiting(), 0U);
  EXPECT_THAT(incidents({{}, {}, {}}), ElementsAre(-1, -1, 1));
}

TEST_F(GroupingTest, OneGroupThatIsFullOpensBeforeItsTime) {
  for (std::size_t i = 0; i < WaitingRoom::of_group_max; ++i) {
    ASSERT_FALSE(tell({.rule = "many", .also = {account_alice}}).waits.empty());
  }
  const auto applied = tell({.rule = "many", .also = {account_alice}});
  EXPECT_EQ(applied.incident, 1);
  EXPECT_THAT(applied.changes.front().why, HasSubstr("before its time: 500 detections"));
  EXPECT_EQ(book_.find(1)->detections, 501);
}

TEST_F(GroupingTest, WhenNobodyElseMayWaitOneIncidentTakesTheRest) {
  for (std::size_t i = 0; i < WaitingRoom::detections_max; ++i) {
    ASSERT_FALSE(tell({.about = {"address", std::to_string(i)}}).waits.empty());
  }
  const auto applied = tell({.about = {"address", "one more"}});
  EXPECT_EQ(applied.incident, 1);
  EXPECT_THAT(applied.changes.front().why, HasSubstr("20000 detections wait already"));
  EXPECT_EQ(book_.find(1)->entity, (detect::Entity{"rule", "three"}));
  EXPECT_EQ(tell({.about = {"address", "yet another"}}).incident, 1);
  EXPECT_EQ(book_.waiting(), WaitingRoom::detections_max);
}

TEST_F(GroupingTest, OtherRulesJudgeWhatWaits) {
  tell({});
  tell({});
  EXPECT_THAT(use(grouping_text), IsEmpty());
  EXPECT_EQ(book_.waiting(), 2U);
  const auto changes = use("rules: [{name: two, by: [address], within: 1h, threshold: 2}]");
  EXPECT_THAT(kinds(changes), ElementsAre("opened"));
  EXPECT_THAT(book_.find(1)->gathered, ElementsAre(1, 2));
  EXPECT_EQ(book_.find(1)->detections, 2);
}

TEST_F(GroupingTest, WithoutItsRuleWhatWaitsOpensAtOnce) {
  tell({});
  tell({});
  const auto changes = use("within: 4h");
  EXPECT_THAT(kinds(changes), ElementsAre("opened", "detections_doubled", "gathered"));
  EXPECT_THAT(changes[0].why, HasSubstr("it waits by 'three' no more"));
  EXPECT_THAT(book_.find(1)->gathered, ElementsAre(1, 2));
  EXPECT_EQ(book_.waiting(), 0U);
}

TEST_F(GroupingTest, TheStoreIsToldOfEachRowOnce) {
  tell({});
  tell({});
  auto moves = book_.take_waiting();
  ASSERT_EQ(moves.size(), 2U);
  EXPECT_EQ(moves[0].row->rule, "three");
  EXPECT_EQ(moves[0].row->until, told_at + hours(25));
  EXPECT_THAT(book_.take_waiting(), IsEmpty());
  use(grouping_text);
  EXPECT_THAT(book_.take_waiting(), IsEmpty());
  tell({});
  moves = book_.take_waiting();
  ASSERT_EQ(moves.size(), 2U);
  EXPECT_FALSE(moves[0].row);
  EXPECT_FALSE(moves[1].row);
}

TEST_F(GroupingTest, WhoeverIsForgottenWaitsNoMore) {
  tell({.also = {account_alice}});
  tell({.also = {account_bob}});
  book_.forget_waiting([](std::string_view text) { return text == "alice"; });
  EXPECT_EQ(book_.waiting(), 1U);
}

TEST_F(GroupingTest, IncidentsThatNameTheSameAccountAreRelated) {
  tell({.rule = "x", .also = {account_alice}});
  const auto applied =
      tell({.rule = "x", .after = hours(20), .also = {account_alice}, .about = {"host", "web1"}});
  EXPECT_EQ(applied.incident, 2);
  EXPECT_THAT(kinds(applied.changes), ElementsAre("opened", "related", "related"));
  EXPECT_EQ(applied.changes[1].incident, 2);
  EXPECT_EQ(applied.changes[2].incident, 1);
  EXPECT_THAT(applied.changes[1].why, HasSubstr("alice"));
  EXPECT_THAT(book_.find(1)->related, ElementsAre(Pair(2, "the same account, by 'same_account'")));
  EXPECT_THAT(book_.find(2)->related, ElementsAre(Key(1)));
  // It is told once.
  EXPECT_THAT(kinds(tell({.rule = "x", .also = {account_alice}}).changes),
              Not(Contains("related")));
}

TEST_F(GroupingTest, NobodyIsLinkedByWhatIsSharedFarAwayOrNamedByMany) {
  const auto host = [](int i) { return detect::Entity{"host", "h" + std::to_string(i)}; };
  tell({.rule = "x", .also = {{"account", "shared-1"}}, .about = host(1)});
  tell({.rule = "x", .also = {{"account", "shared-1"}}, .about = host(2)});
  EXPECT_THAT(book_.find(2)->related, IsEmpty());
  tell({.rule = "x", .also = {account_alice}, .about = host(3)});
  tell({.rule = "x", .after = days(2), .also = {account_alice}, .about = host(4)});
  EXPECT_THAT(book_.find(4)->related, IsEmpty());
  for (int i = 5; i < 9; ++i) tell({.rule = "x", .also = {account_bob}, .about = host(i)});
  EXPECT_THAT(book_.find(7)->related, ElementsAre(Key(5), Key(6)));
  EXPECT_THAT(book_.find(8)->related, IsEmpty());
}

TEST_F(GroupingTest, WhatIsOverIsNotLinked) {
  tell({.rule = "x", .also = {account_alice}});
  ASSERT_TRUE(book_.act({.kind = Act::Kind::move,
                         .incident = 1,
                         .value = "dismissed",
                         .why = "nothing",
                         .who = "bob"},
                        table_, told_at));
  EXPECT_THAT(book_.find(1)->named, IsEmpty());
  const auto applied = tell({.rule = "x", .also = {account_alice}, .about = {"host", "web1"}});
  EXPECT_EQ(applied.incident, 2);
  EXPECT_THAT(kinds(applied.changes), ElementsAre("opened"));
}

TEST_F(GroupingTest, ALinkThatJoinsMakesOneIncidentThatCanBeSplit) {
  const detect::Entity campaign{"campaign", "spring"};
  tell({.rule = "x", .also = {campaign}});
  const auto applied = tell({.rule = "y", .also = {campaign}, .about = account_bob});
  EXPECT_EQ(applied.incident, 1);
  EXPECT_THAT(kinds(applied.changes), ElementsAre("linked", "rule_joined"));
  EXPECT_THAT(book_.find(1)->others, ElementsAre(account_bob));
  // From then on it is about that, too, with the campaign or without.
  EXPECT_EQ(tell({.rule = "y", .about = account_bob}).incident, 1);
  ASSERT_TRUE(book_.act({.kind = Act::Kind::split,
                         .incident = 1,
                         .value = "account:bob",
                         .why = "another",
                         .who = "ann"},
                        table_, told_at));
  EXPECT_EQ(tell({.rule = "y", .about = account_bob}).incident, 2);
}

TEST_F(GroupingTest, MergingKeepsWhomBothName) {
  tell({.rule = "x", .also = {account_alice}});
  tell({.rule = "x", .also = {account_alice}, .about = {"host", "web1"}});
  ASSERT_TRUE(book_.act(
      {.kind = Act::Kind::merge, .incident = 2, .value = "1", .why = "same", .who = "ann"}, table_,
      told_at));
  EXPECT_THAT(book_.find(1)->named, Contains(detect::Entity{"host", "web1"}));
  EXPECT_THAT(book_.find(1)->related, IsEmpty());
}

// A seed that fails is a case.
class GroupingProperty : public testing::TestWithParam<unsigned> {};

std::vector<detect::Detection> random_detections(unsigned seed) {
  std::mt19937 random(seed);
  const auto any = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  std::vector<detect::Detection> all;
  for (int i = 0; i < 400; ++i) {
    const char* const rule =
        std::array{"many", "narrow", "three", "other", "x"}[static_cast<std::size_t>(any(5))];
    all.push_back(
        {.rule_id = rule,
         .title = rule,
         .level = static_cast<detect::Level>(any(50) == 0 ? 4 : 1 + any(2)),
         .time = happened_at + minutes(i) - minutes(any(60)),
         .entity = {"address", std::to_string(any(12))},
         .also = {{"account", std::to_string(any(12))}, {"campaign", std::to_string(any(100))}}});
  }
  return all;
}

// What was decided so far and stored, as a process that was killed leaves it.
struct StoredBook {
  std::map<std::int64_t, Incident> incidents;
  std::map<std::int64_t, WaitingRow> waiting;
  std::vector<std::int64_t> decided;

  IncidentBook book(const std::vector<detect::Detection>& all, const SeverityTable& table) const {
    std::vector<Incident> open;
    for (const auto& [number, incident] : incidents) open.push_back(incident);
    IncidentBook made(std::move(open), std::ssize(incidents));
    std::vector<StoredWaiting> rows;
    for (const auto& [number, row] : waiting) {
      rows.push_back({row, all[static_cast<std::size_t>(number - 1)]});
    }
    made.resume(std::move(rows));
    EXPECT_THAT(made.use(std::make_shared<const Grouping>(
                             Grouping::parse(grouping_text, "g.yaml", {}).value()),
                         table, told_at),
                IsEmpty());
    return made;
  }
  void keep(IncidentBook& book) {
    incidents = book.all();
    for (const WaitingMove& move : book.take_waiting()) {
      if (move.row) {
        waiting[move.number] = *move.row;
      } else {
        waiting.erase(move.number);
      }
    }
  }
};

TEST_P(GroupingProperty, BatchesAndKillsDecideNothing) {
  const SeverityTable table = SeverityTable::parse(grouping_table_text, "t.yaml").value();
  const auto all = random_detections(GetParam());
  const auto run = [&](std::size_t batch, std::size_t kill_every) {
    StoredBook stored;
    auto book = stored.book(all, table);
    std::size_t batches = 0;
    for (std::size_t first = 0; first < all.size();) {
      std::vector<std::int64_t> decided;
      const std::size_t end = std::min(all.size(), first + batch);
      for (std::size_t i = first; i < end; ++i) {
        const auto number = static_cast<std::int64_t>(i + 1);
        decided.push_back(book.apply(all[i], table, told_at, number).incident);
      }
      ++batches;
      if (kill_every != 0 && batches % (2 * kill_every) == 0) {
        // Before it is durable: the batch comes again.
        book = stored.book(all, table);
        continue;
      }
      stored.decided.insert(stored.decided.end(), decided.begin(), decided.end());
      stored.keep(book);
      if (kill_every != 0 && batches % kill_every == 0) book = stored.book(all, table);
      first = end;
    }
    return stored;
  };
  const StoredBook expected = run(all.size(), 0);
  EXPECT_GT(expected.incidents.size(), 5U);
  for (const std::size_t batch : {1U, 7U, 64U}) {
    const StoredBook other = run(batch, batch == 1U ? 5 : 1);
    EXPECT_EQ(other.decided, expected.decided) << batch;
    EXPECT_EQ(other.incidents, expected.incidents) << batch;
    EXPECT_EQ(other.waiting, expected.waiting) << batch;
  }
  // Each is where it was decided, waits, or was gathered, and nowhere twice.
  std::map<std::int64_t, std::int64_t> counted;
  for (const auto& [number, incident] : expected.incidents) {
    counted[number] = static_cast<std::int64_t>(incident.gathered.size());
  }
  for (const std::int64_t incident : expected.decided) {
    if (incident != 0) ++counted[incident];
  }
  for (const auto& [number, incident] : expected.incidents) {
    EXPECT_EQ(incident.detections, counted[number]) << number;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, GroupingProperty, testing::Range(1U, 21U));

}  // namespace
}  // namespace mailwarden::incident
