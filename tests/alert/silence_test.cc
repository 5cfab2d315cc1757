// What silences mute, and how they may be changed.
#include "alert/silence.h"

#include <gtest/gtest.h>

namespace mailwarden::alert {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Timestamp set_at{1'800'000'000'000'000};

Silence silence_of(std::vector<std::string> matchers, Timestamp starts = set_at,
                   Timestamp ends = set_at + hours(1)) {
  Silence silence{.starts = starts, .ends = ends, .author = "ada", .comment = "a new disk"};
  for (const std::string& text : matchers) {
    silence.matchers.push_back(LabelMatcher::parse(text).value());
  }
  return silence;
}

std::vector<std::string> told(const std::vector<SilenceBook::Change>& changes) {
  std::vector<std::string> words;
  for (const auto& change : changes) words.push_back(change.id + " " + std::string(change.what));
  return words;
}

TEST(Silence, MutesWhatAllOfItsMatchersMatch) {
  struct Case {
    const char* name;
    std::vector<std::string> matchers;
    Labels labels;
    bool silenced;
  };
  const Labels signal{{"alertname", "DiskFull"}, {"severity", "3"}};
  const Labels grave{{"alertname", "Guessing"}, {"incident", "7"}, {"severity", "3"}};
  const Labels high{{"alertname", "Guessing"}, {"incident", "8"}, {"severity", "2"}};
  const std::vector<Case> cases{
      {"a signal", {"alertname=DiskFull"}, signal, true},
      {"another", {"alertname=DiskFree"}, signal, false},
      {"not all", {"alertname=DiskFull", "team=db"}, signal, false},
      {"an incident", {"alertname=Guessing"}, high, true},
      {"a grave one", {"alertname=Guessing"}, grave, false},
      {"by its number", {"incident=\"7\""}, grave, false},
      {"by an expression", {"severity=~\"3\""}, grave, false},
      {"by any other severity", {"alertname=Guessing", "severity!=\"2\""}, grave, false},
      {"that says so", {"alertname=Guessing", "severity=\"3\""}, grave, true}};
  for (const Case& c : cases) {
    SilenceBook book;
    ASSERT_TRUE(book.set(silence_of(c.matchers), "one", set_at)) << c.name;
    EXPECT_EQ(!book.silencing(c.labels, set_at).empty(), c.silenced) << c.name;
  }
}

TEST(Silence, HoldsFromItsStartToItsEnd) {
  SilenceBook book;
  ASSERT_TRUE(
      book.set(silence_of({"a=b"}, set_at + minutes(10), set_at + minutes(20)), "one", set_at));
  const Labels labels{{"a", "b"}};
  struct Case {
    minutes at;
    const char* state;
    bool holds;
  };
  for (const Case& c : {Case{minutes(0), "pending", false}, Case{minutes(10), "active", true},
                        Case{minutes(19), "active", true}, Case{minutes(20), "expired", false}}) {
    EXPECT_EQ(state_of(*book.find("one"), set_at + c.at), c.state);
    EXPECT_EQ(!book.silencing(labels, set_at + c.at).empty(), c.holds) << c.at.count();
  }
  EXPECT_TRUE(book.tick(set_at + minutes(19)).empty());
  EXPECT_EQ(told(book.tick(set_at + minutes(20))), std::vector<std::string>{"one expired"});
  EXPECT_TRUE(book.tick(set_at + minutes(21)).empty());
  EXPECT_TRUE(book.forget_old(set_at + minutes(20) + keep_silences - minutes(1)).empty());
  EXPECT_EQ(book.forget_old(set_at + minutes(20) + keep_silences), std::vector<std::string>{"one"});
  EXPECT_EQ(book.find("one"), nullptr);
}

TEST(Silence, RefusesWhatIsNone) {
  struct Case {
    const char* why;
    Silence silence;
  };
  Silence nobody = silence_of({"a=b"});
  nobody.author = " ";
  Silence no_reason = silence_of({"a=b"});
  no_reason.comment = "";
  Silence long_reason = silence_of({"a=b"});
  long_reason.comment = std::string(SilenceLimits::comment_bytes_max + 1, 'x');
  const std::vector<Case> cases{
      {"at least one matcher", silence_of({})},
      {"does not match an empty label", silence_of({"a=~\".*\"", "b=\"\""})},
      {"needs its author", nobody},
      {"needs a reason", no_reason},
      {"at most", long_reason},
      {"at most 64 matchers", silence_of(std::vector<std::string>(65, "a=b"))},
      {"must end after it starts", silence_of({"a=b"}, set_at + hours(1), set_at + hours(1))},
      {"cannot end in the past", silence_of({"a=b"}, set_at - hours(2), set_at - hours(3))}};
  for (const Case& c : cases) {
    SilenceBook book;
    const auto set = book.set(c.silence, "one", set_at);
    ASSERT_FALSE(set) << c.why;
    EXPECT_TRUE(set.error().what.contains(c.why) || set.error().what.contains("must end after"))
        << c.why << ": " << set.error().what;
    EXPECT_TRUE(book.all().empty());
  }
}

// As Alertmanager's silence.Set decides, with its tests' cases.
TEST(Silence, AChangeKeepsItOrMakesAnother) {
  struct Case {
    const char* name;
    Timestamp starts;  // of the one before
    Silence change;
    std::vector<std::string> told;
  };
  const std::vector<Case> cases{
      {"a later end of an active one",
       set_at,
       silence_of({"a=b"}, set_at, set_at + hours(2)),
       {"one changed"}},
      {"other matchers", set_at, silence_of({"a=c"}), {"one expired", "two made"}},
      {"another start of an active one",
       set_at,
       silence_of({"a=b"}, set_at + minutes(30)),
       {"one expired", "two made"}},
      {"another start of a pending one",
       set_at + minutes(30),
       silence_of({"a=b"}, set_at + minutes(20)),
       {"one changed"}},
      {"a pending one that begins now",
       set_at + minutes(30),
       silence_of({"a=b"}, set_at - minutes(1)),
       {"one expired", "two made"}}};
  for (Case c : cases) {
    SilenceBook book;
    ASSERT_TRUE(book.set(silence_of({"a=b"}, c.starts), "one", set_at)) << c.name;
    c.change.id = "one";
    const auto set = book.set(c.change, "two", set_at + minutes(5));
    ASSERT_TRUE(set) << c.name << ": " << set.error().what;
    EXPECT_EQ(told(set->changes), c.told) << c.name;
    EXPECT_EQ(set->id, c.told.back().substr(0, 3)) << c.name;
  }
}

TEST(Silence, ExpiresOnce) {
  SilenceBook book;
  ASSERT_TRUE(book.set(silence_of({"a=b"}), "one", set_at));
  EXPECT_EQ(book.expire("none", set_at).error().code, Code::not_found);
  EXPECT_EQ(book.expire("one", set_at + minutes(1))->what, "expired");
  EXPECT_EQ(book.find("one")->ends, set_at + minutes(1));
  EXPECT_TRUE(book.silencing({{"a", "b"}}, set_at + minutes(1)).empty());
  EXPECT_EQ(book.expire("one", set_at + minutes(2)).error().code, Code::conflict);
  Silence change = silence_of({"a=b"});
  change.id = "one";
  const auto set = book.set(change, "two", set_at + minutes(3));
  ASSERT_TRUE(set);
  EXPECT_EQ(told(set->changes), std::vector<std::string>{"two made"});
  change.id = "none";
  EXPECT_EQ(book.set(change, "three", set_at).error().code, Code::not_found);
}

TEST(Silence, ComesBackAsItWasStored) {
  SilenceBook book;
  ASSERT_TRUE(book.set(silence_of({"a=~\"b|c\"", "d!=\"\\\"\""}), "one", set_at));
  const auto back = silence_from_json(to_json(*book.find("one")));
  ASSERT_TRUE(back) << back.error().what;
  EXPECT_EQ(*back, *book.find("one"));
  SilenceBook again({*back});
  EXPECT_EQ(again.silencing({{"a", "c"}, {"d", "x"}}, set_at), std::vector<std::string>{"one"});
  EXPECT_FALSE(silence_from_json(json::Object{{"id", "x"}}));
}

TEST(Silence, IsFullAtItsLimit) {
  SilenceBook book;
  for (std::size_t i = 0; i < SilenceLimits::silences_max; ++i) {
    ASSERT_TRUE(book.set(silence_of({"a=b"}), std::to_string(i), set_at));
  }
  EXPECT_EQ(book.set(silence_of({"a=b"}), "more", set_at).error().code, Code::full);
}

}  // namespace
}  // namespace mailwarden::alert
