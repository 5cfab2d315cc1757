// What people write, and what somebody hostile does.
#include "access/grant_text.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "tests/access/grants.h"

namespace mailwarden::access {
namespace {

using testing::HasSubstr;

struct Words {
  const char* text;
  std::int64_t count;
};

class CountWords : public testing::TestWithParam<Words> {};

TEST_P(CountWords, CountsDifferentOnes) {
  EXPECT_EQ(count_words(GetParam().text), GetParam().count) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Cases, CountWords,
    testing::Values(Words{"", 0}, Words{".", 0}, Words{". . . .", 0}, Words{"a b c d", 0},
                    Words{"test", 1}, Words{"test test TEST", 1}, Words{"ok,ok;ok", 1},
                    Words{"customer cannot send", 3}, Words{"INC-7: 42 mails lost", 4},
                    Words{"don't", 1}, Words{"Störung bei Kunde Müller", 4},
                    Words{"почта не идёт", 3}, Words{"メールが送信できない", 5},
                    Words{"\xE2\x80\xA6 \xE2\x80\xA6", 1}));

struct Hostile {
  const char* name;
  std::string GrantRequest::* field;
  std::string text;
  std::string told;  // "" where it is taken as it is
};

class HostileTexts : public GrantsTest, public testing::WithParamInterface<Hostile> {};

TEST_P(HostileTexts, AreOneSentenceOrTextAndNothingElse) {
  const Hostile& row = GetParam();
  GrantRequest request = ask(ada);
  request.*row.field = row.text;
  const auto change = book_->request(request, ada, rules_, now());
  if (row.told.empty()) {
    const Grant grant = must(change).after;
    EXPECT_EQ(load_grant(*database_, grant.id).value(), grant);
    EXPECT_EQ(load_changes(*database_, grant.id).value()[0].change, *change);
    return;
  }
  ASSERT_FALSE(change);
  EXPECT_EQ(change.error().code, Code::invalid);
  const std::string& what = change.error().what;
  EXPECT_THAT(what, HasSubstr(row.told));
  EXPECT_LE(what.size(), 500U);
  EXPECT_TRUE(std::ranges::all_of(what, [](char c) { return c >= ' ' && c <= '~'; })) << what;
  EXPECT_EQ(book_->staged(), 0U);
}

const std::string megabyte(1024 * 1024, 'x');

INSTANTIATE_TEST_SUITE_P(
    Cases, HostileTexts,
    testing::Values(
        Hostile{"OneDot", &GrantRequest::reason, ".", "has 0 different words, expected at least 3"},
        Hostile{"NoReason", &GrantRequest::reason, "", "different words"},
        Hostile{"OneWordAgain", &GrantRequest::reason, "asap ASAP asap", "different words"},
        Hostile{"Megabyte", &GrantRequest::reason, megabyte, "has 1048576 bytes, expected at most"},
        Hostile{"Control", &GrantRequest::reason, "one two\x1B[2J three", "at byte 7"},
        Hostile{"Zero", &GrantRequest::reason, std::string("one two\0 three", 14), "at byte 7"},
        Hostile{"CarriageReturn", &GrantRequest::reason, "one two\r three", "at byte 7"},
        Hostile{"TurnedAround", &GrantRequest::reason, "one two \xE2\x80\xAE three", "at byte 8"},
        Hostile{"C1", &GrantRequest::reason, "one two \xC2\x9B three", "at byte 8"},
        Hostile{"NoUtf8", &GrantRequest::reason, "one two three \xFF", "is not UTF-8"},
        Hostile{"CutUtf8", &GrantRequest::reason, "one two three \xE2\x80", "is not UTF-8"},
        Hostile{"Lines", &GrantRequest::reason, "one two\nthree", ""},
        Hostile{"Html", &GrantRequest::reason, "<script>alert('one two three')</script>", ""},
        Hostile{"Sql", &GrantRequest::reason, "x'); DROP TABLE grants; -- one two", ""},
        Hostile{"Json", &GrantRequest::reason, R"(one two "},{"state":"approved)", ""},
        Hostile{"NoTicket", &GrantRequest::ticket, "", "the ticket '' is none, expected T-123"},
        Hostile{"DotTicket", &GrantRequest::ticket, ".", "is none"},
        Hostile{"BareTicket", &GrantRequest::ticket, "T-", "is none"},
        Hostile{"LongTicket", &GrantRequest::ticket, "T-1234567890123", "is none"},
        Hostile{"SqlTicket", &GrantRequest::ticket, "T-1'; --", "is none"},
        Hostile{"SmallTicket", &GrantRequest::ticket, "t-1", "is none"},
        Hostile{"WideDigits", &GrantRequest::ticket, "T-\xEF\xBC\x91", "is none"},
        Hostile{"MegaTicket", &GrantRequest::ticket, megabyte, "the ticket has 1048576 bytes"},
        Hostile{"OtherTicket", &GrantRequest::ticket, "INC-000000000001", ""},
        Hostile{"NoPurpose", &GrantRequest::purpose, "sale", "the purpose 'sale' is none"},
        Hostile{"MegaPurpose", &GrantRequest::purpose, megabyte, "...' is none"},
        Hostile{"ControlPurpose", &GrantRequest::purpose, "sup\x1B[port", R"('sup\x1b[port')"},
        Hostile{"NoSystem", &GrantRequest::system, "", "the system is missing"},
        Hostile{"LineInSystem", &GrantRequest::system, "a\nb", "the system has a character"},
        Hostile{"MegaSystem", &GrantRequest::system, megabyte, "the system has 1048576 bytes"},
        Hostile{"OddSystem", &GrantRequest::system, "System::\"x\" \\ ' é", ""},
        Hostile{"NoPerson", &GrantRequest::person, "", "the person '' is not an e-mail address"},
        Hostile{"NameOnly", &GrantRequest::person, "ada", "is not an e-mail address"},
        Hostile{"TwoAts", &GrantRequest::person, "ada@x@y", "is not an e-mail address"},
        Hostile{"SpaceInPerson", &GrantRequest::person, "a b@y", "is not an e-mail address"},
        Hostile{"QuoteInPerson", &GrantRequest::person, "a'@y", "is not an e-mail address"},
        Hostile{"CyrillicPerson", &GrantRequest::person, "\xD0\xB0\x64\x61@example.com",
                R"('\xd0\xb0da@example.com' is not)"},
        Hostile{"MegaPerson", &GrantRequest::person, megabyte + "@y", "...' is not an e-mail"},
        Hostile{"OtherLetters", &GrantRequest::person, "ADA@Example.COM", ""}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(GrantsTest, ReasonsOfActsAreHeldToTheSame) {
  const Grant waits = requested();
  for (const std::string& why : {megabyte, std::string("no\x1B"), std::string("\xFF")}) {
    EXPECT_EQ(book_->approve(deed(waits, bob, why), rules_, now()).error().code, Code::invalid);
    EXPECT_EQ(book_->refuse(deed(waits, bob, why), rules_, now()).error().code, Code::invalid);
    EXPECT_EQ(book_->withdraw(deed(waits, ada, why), now()).error().code, Code::invalid);
  }
  EXPECT_EQ(book_->refuse(deed(waits, bob, "."), rules_, now()).error().what,
            "a reason is needed, of at least one word");
  const Grant runs = approved(eve);
  EXPECT_EQ(book_->end(deed(runs, bob, ""), rules_, now()).error().code, Code::invalid);
  EXPECT_EQ(book_->end(deed(runs, {.who = "x'; --"}), rules_, now()).error().code, Code::invalid);
}

}  // namespace
}  // namespace mailwarden::access
