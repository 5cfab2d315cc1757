#include "privacy/retention_policy.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/temporary.h"

namespace mailwarden::privacy {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The example of the module's manual page.
const std::string example = R"(category: access logs
basis: security of processing (GDPR art. 32), claim W8
sources: [auth, web*]
keep: 400d
minimum: 90d
holds:
  - name: case 2026-3
    reason: asked for by counsel
    sources: [auth]
    until: 2027-01-01T00:00:00Z
  - name: everything
    reason: for the court
)";

Result<std::vector<RetentionPolicy>> parse(const std::string& text) {
  const PolicyText one{.file = "keep.yaml", .text = text};
  return parse_retention(std::span(&one, 1));
}

TEST(RetentionPolicy, ReadsTheExampleOfTheManualPage) {
  const auto policies = parse(example);
  ASSERT_TRUE(policies) << policies.error().what;
  ASSERT_EQ(policies->size(), 1U);
  const RetentionPolicy& policy = policies->front();
  EXPECT_EQ(policy.category, "access logs");
  EXPECT_EQ(policy.basis, "security of processing (GDPR art. 32), claim W8");
  EXPECT_THAT(policy.sources, ElementsAre("auth", "web*"));
  EXPECT_EQ(policy.keep, days(400));
  EXPECT_EQ(policy.minimum, days(90));
  EXPECT_EQ(policy.file, "keep.yaml");
  ASSERT_EQ(policy.holds.size(), 2U);
  EXPECT_EQ(policy.holds[0].name, "case 2026-3");
  EXPECT_EQ(policy.holds[0].reason, "asked for by counsel");
  EXPECT_THAT(policy.holds[0].sources, ElementsAre("auth"));
  EXPECT_EQ(policy.holds[0].until, parse_rfc3339("2027-01-01T00:00:00Z").value());
  EXPECT_THAT(policy.holds[1].sources, IsEmpty());
  EXPECT_EQ(policy.holds[1].until, std::nullopt);
}

TEST(RetentionPolicy, ReadsThePoliciesThatAreShipped) {
  const std::string file = source_folder() + "/policies/retention/events.yaml";
  const auto policies = parse(read_file(file));
  ASSERT_TRUE(policies) << policies.error().what;
  ASSERT_EQ(policies->size(), 4U);
  EXPECT_EQ(policies->at(2).category, "mail");
  EXPECT_EQ(policies->at(2).keep, days(180));
  EXPECT_EQ(policies->at(2).minimum, std::nullopt);
}

TEST(RetentionPolicy, MinimumAndHoldsMayBeLeftOut) {
  const auto policies = parse("category: a\nbasis: b\nsources: [s]\nkeep: 1d\n");
  ASSERT_TRUE(policies) << policies.error().what;
  EXPECT_EQ(policies->front().minimum, std::nullopt);
  EXPECT_THAT(policies->front().holds, IsEmpty());
}

TEST(RetentionPolicy, MayKeepExactlyTheMinimum) {
  EXPECT_TRUE(parse("category: a\nbasis: b\nsources: [s]\nkeep: 90d\nminimum: 90d\n"));
}

struct Mistake {
  std::string name;
  std::string yaml;
  std::string place;
  std::string word;
};

class RetentionMistake : public testing::TestWithParam<Mistake> {};

TEST_P(RetentionMistake, IsReportedWithFileAndLine) {
  const auto policies = parse(GetParam().yaml);
  ASSERT_FALSE(policies);
  EXPECT_EQ(policies.error().code, Code::invalid);
  const auto lines = split(policies.error().what, '\n');
  EXPECT_TRUE(std::ranges::any_of(lines, [](std::string_view line) {
    return line.starts_with("keep.yaml, " + GetParam().place) && line.contains(GetParam().word);
  })) << policies.error().what;
}

const std::string head = "category: a\nbasis: b\n";
const std::string good = head + "sources: [s]\nkeep: 30d\n";  // its next line is the fifth

INSTANTIATE_TEST_SUITE_P(
    , RetentionMistake,
    testing::Values(
        Mistake{"NotYaml", "category: [a\n", "line ", ""},
        Mistake{"NotAMap", "- a\n", "line 1", "map"},
        Mistake{"NoCategory", "basis: b\nsources: [s]\nkeep: 1d\n", "line 1", "category"},
        Mistake{"CategoryIsAList", "basis: b\ncategory: [a]\nsources: [s]\nkeep: 1d\n", "line 2",
                "category"},
        Mistake{"NoBasis", "category: a\nsources: [s]\nkeep: 1d\n", "line 1", "basis"},
        Mistake{"NoSources", head + "keep: 1d\n", "line 1", "sources"},
        Mistake{"SourcesEmpty", head + "sources: []\nkeep: 1d\n", "line 3", "sources"},
        Mistake{"SourcesNoList", head + "sources: s\nkeep: 1d\n", "line 3", "sources"},
        Mistake{"StarInside", head + "sources:\n  - ok\n  - a*b\nkeep: 1d\n", "line 5", "*"},
        Mistake{"TwoStars", head + "sources: [a**]\nkeep: 1d\n", "line 3", "*"},
        Mistake{"NoKeep", head + "sources: [s]\n", "line 1", "keep"},
        Mistake{"KeepNoSpan", head + "sources: [s]\nkeep: long\n", "line 4", "keep"},
        Mistake{"KeepZero", head + "sources: [s]\nkeep: 0d\n", "line 4", "keep"},
        Mistake{"KeepNegative", head + "sources: [s]\nkeep: -1d\n", "line 4", "keep"},
        Mistake{"MinimumNoSpan", good + "minimum: some\n", "line 5", "minimum"},
        Mistake{"KeepBelowMinimum", good + "minimum: 31d\n", "line 5", "minimum"},
        Mistake{"UnknownKey", good + "kept: 30d\n", "line 5", "kept"},
        Mistake{"HoldsNoList", good + "holds: {name: a}\n", "line 5", "holds"},
        Mistake{"HoldNoMap", good + "holds:\n  - case\n", "line 6", "hold"},
        Mistake{"HoldWithoutName", good + "holds:\n  - reason: r\n", "line 6", "name"},
        Mistake{"HoldWithoutReason", good + "holds:\n  - name: n\n", "line 6", "reason"},
        Mistake{"HoldUnknownKey", good + "holds:\n  - {name: n, reason: r, untl: x}\n", "line 6",
                "untl"},
        Mistake{"HoldUntilNoTime", good + "holds:\n  - name: n\n    reason: r\n    until: soon\n",
                "line 8", "until"},
        Mistake{"HoldSourcesEmpty", good + "holds:\n  - {name: n, reason: r, sources: []}\n",
                "line 6", "sources"}),
    [](const auto& tested) { return tested.param.name; });

TEST(RetentionPolicy, ReportsEveryMistakeOfEveryFileAtOnce) {
  const std::vector<PolicyText> texts{
      {"a.yaml", "category: a\nbasis: b\nsources: [s]\nkeep: never\n"},
      {"b.yaml", good + "oops: 1\n---\ncategory: c\nbasis: b\nsources: [t]\nkeep: 0d\n"},
      {"c.yaml", "category: [\n"}};
  const auto policies = parse_retention(texts);
  ASSERT_FALSE(policies);
  EXPECT_THAT(policies.error().what, HasSubstr("a.yaml, line 4"));
  EXPECT_THAT(policies.error().what, HasSubstr("b.yaml, line 5"));
  EXPECT_THAT(policies.error().what, HasSubstr("b.yaml, line 10"));
  EXPECT_THAT(policies.error().what, HasSubstr("c.yaml, line "));
}

struct Pair {
  std::string name;
  std::string a;
  std::string b;
  bool overlap;
};

class TwoPolicies : public testing::TestWithParam<Pair> {};

TEST_P(TwoPolicies, MustNotTakeTheSameSource) {
  const std::vector<PolicyText> texts{
      {"a.yaml", "category: first\nbasis: b\nsources: ['" + GetParam().a + "']\nkeep: 1d\n"},
      {"b.yaml", "category: second\nbasis: b\nsources: ['" + GetParam().b + "']\nkeep: 1d\n"}};
  const auto policies = parse_retention(texts);
  ASSERT_EQ(policies.has_value(), !GetParam().overlap);
  if (!GetParam().overlap) return;
  EXPECT_EQ(policies.error().code, Code::invalid);
  for (const std::string word : {"a.yaml", "b.yaml", "first", "second"}) {
    EXPECT_THAT(policies.error().what, HasSubstr(word));
  }
}

INSTANTIATE_TEST_SUITE_P(, TwoPolicies,
                         testing::Values(Pair{"Different", "auth", "web", false},
                                         Pair{"Same", "auth", "auth", true},
                                         Pair{"LongerName", "auth", "auth2", false},
                                         Pair{"StarTakesName", "auth*", "auth2", true},
                                         Pair{"StarTakesItsStem", "auth*", "auth", true},
                                         Pair{"NameTakenByStar", "auth2", "auth*", true},
                                         Pair{"StarWithinStar", "a*", "auth*", true},
                                         Pair{"StarsApart", "auth*", "web*", false},
                                         Pair{"NameShorterThanStem", "aut", "auth*", false},
                                         Pair{"StarAloneTakesAll", "*", "web", true}),
                         [](const auto& tested) { return tested.param.name; });

std::string many(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += "---\ncategory: c\nbasis: b\nsources: [s" + std::to_string(i) + "]\nkeep: 1d\n";
  }
  return text;
}

TEST(RetentionPolicy, TakesAThousandPoliciesAndNotOneMore) {
  EXPECT_EQ(parse(many(policies_max))->size(), policies_max);
  EXPECT_EQ(parse(many(policies_max + 1)).error().code, Code::invalid);
}

TEST(Takes, ComparesWholeNamesAndStems) {
  const std::vector<std::string> patterns{"auth", "web*"};
  for (const std::string_view source : {"auth", "web", "web2", "web-error"}) {
    EXPECT_TRUE(takes(patterns, source)) << source;
  }
  for (const std::string_view source : {"", "auth2", "aut", "we", "Auth", "myweb"}) {
    EXPECT_FALSE(takes(patterns, source)) << source;
  }
  EXPECT_FALSE(takes({}, "auth"));
}

TEST(FindHold, HoldsItsSourcesUntilItsDayComes) {
  const RetentionPolicy policy = [] {
    auto parsed = parse(example).value().front();
    parsed.holds.pop_back();
    return parsed;
  }();
  const Timestamp until = parse_rfc3339("2027-01-01T00:00:00Z").value();
  const Hold* const held = find_hold(policy, "auth", until - Duration(1));
  ASSERT_NE(held, nullptr);
  EXPECT_EQ(held->name, "case 2026-3");
  EXPECT_EQ(find_hold(policy, "auth", until + Duration(1)), nullptr);
  EXPECT_EQ(find_hold(policy, "web1", until - Duration(1)), nullptr);
}

TEST(FindHold, WithoutSourcesAndDayHoldsTheCategoryForEver) {
  const RetentionPolicy policy = parse(example).value().front();
  for (const std::string_view source : {"auth", "web1"}) {
    const Hold* const held = find_hold(policy, source, Timestamp::latest);
    ASSERT_NE(held, nullptr) << source;
    EXPECT_EQ(held->reason, "for the court");
  }
}

}  // namespace
}  // namespace mailwarden::privacy
