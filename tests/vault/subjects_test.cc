#include "vault/subjects.h"

#include <random>

#include <gmock/gmock.h>

#include "crypto/envelope.h"
#include "json/value.h"

namespace mailwarden::vault {
namespace {

using testing::Contains;
using testing::ElementsAreArray;

using Names = std::vector<std::string>;

struct Case {
  std::string text;
  Names names;
};

class SubjectsOf : public testing::TestWithParam<Case> {};

TEST_P(SubjectsOf, FindsWhomTheTextNames) {
  EXPECT_THAT(subjects_of(GetParam().text), ElementsAreArray(GetParam().names)) << GetParam().text;
}

const std::string erin = "erin@example.com";

INSTANTIATE_TEST_SUITE_P(
    Plain, SubjectsOf,
    testing::Values(Case{"", {}}, Case{"nobody at all", {}}, Case{"erin@example.com", {erin}},
                    Case{R"({"user":"Erin@Example.COM"})", {erin}},
                    Case{"to=<erin@example.com>, relay=mx", {erin}},
                    Case{"mailto:erin@example.com", {erin}},
                    Case{"cron for root@localhost.", {"root@localhost"}},
                    Case{"erin@example.com.. bob@example.com-", {erin, "bob@example.com"}},
                    Case{"..erin@example.com", {erin}},
                    Case{"erin+news@example.com", {"erin+news@example.com"}},
                    Case{"erin@example.com, ERIN@example.com", {erin}},
                    Case{"erin@xn--bcher-kva.example", {"erin@xn--bcher-kva.example"}},
                    Case{"@ @@ a@ @b erin@@example.com <@example.com> .@b a@.", {}},
                    Case{"@erin@example.com", {erin}}, Case{"a@b@c", {"a@b", "b@c"}}));

INSTANTIATE_TEST_SUITE_P(
    Separators, SubjectsOf,
    testing::Values(
        Case{"user=erin@example.com,", {"user=erin@example.com", erin}},
        Case{"o'brien@example.com", {"o'brien@example.com", "brien@example.com"}},
        Case{"user='erin@example.com'", {"user='erin@example.com", "'erin@example.com", erin}},
        Case{"/a=b/c=erin@example.com",
             {"/a=b/c=erin@example.com", "b/c=erin@example.com", "c=erin@example.com", erin}},
        Case{"a|b|=erin@example.com",
             {"a|b|=erin@example.com", "b|=erin@example.com", "=erin@example.com", erin}}));

INSTANTIATE_TEST_SUITE_P(
    Encoded, SubjectsOf,
    testing::Values(
        Case{"erin%40example.com", {erin}},
        Case{"u=erin%40example.com&v=1", {"u=erin@example.com", erin}},
        Case{"%3Cerin%40example.com%3E", {"%3cerin@example.com", "3cerin@example.com", erin}},
        Case{R"({"user":"erin\u0040example.com"})", {erin}},
        Case{R"({"raw":"{\"user\":\"erin\\u0040example.com\"}"})", {erin}},
        Case{R"({"raw":"a\nerin@example.com\r\n"})", {"nerin@example.com", erin}},
        Case{R"({"to":"\u003cerin@example.com\u003e"})", {"u003cerin@example.com", erin}},
        Case{R"(\u004)", {}}, Case{R"(erin\\\\)", {}}, Case{"erin%4", {}},
        Case{R"(CORP\\erin@example.com)", {erin}}));

INSTANTIATE_TEST_SUITE_P(
    OutsideAscii, SubjectsOf,
    testing::Values(Case{"jürgen@bücher.example",
                         {"jürgen@bücher.example", "jürgen@b", "rgen@bücher.example", "rgen@b"}},
                    Case{"“erin@example.com”",
                         {"“erin@example.com”", "“erin@example.com", "erin@example.com”", erin}},
                    Case{"\xff@\xff", {"\xff@\xff"}}));

// What is not linear does not come to its end here.
TEST(Subjects, HostileTextTakesNoLongerThanItsLength) {
  constexpr std::size_t many = 300'000;
  for (const std::string unit : {"@", "a", ".", "%", "\\", "%40", "\\u0040", "a@", "a%40", "=",
                                 "a.", "\\\\u0040a", "\xff"}) {
    std::string text;
    while (text.size() < many) text += unit;
    for (const std::string& all : {text, text + "@", text + "@b", "a@" + text}) {
      std::size_t end = 0;
      std::size_t bytes = 0;
      SubjectScanner scanner(all);
      while (const auto found = scanner.next()) {
        ASSERT_LT(found->begin, found->end);
        ASSERT_LT(end, found->end) << "in order";
        ASSERT_LE(found->end, all.size());
        ASSERT_LE(found->subjects.size(), SubjectScanner::subjects_max);
        end = found->end;
        bytes += found->end - found->begin;
      }
      EXPECT_LE(bytes, 2 * all.size()) << unit << ": no byte is in three";
    }
  }
}

TEST(Subjects, LongPartsCountUpToTheirLimits) {
  const std::string a(1000, 'a');
  EXPECT_THAT(subjects_of(a + "@" + a),
              ElementsAreArray(Names{a.substr(0, 64) + "@" + a.substr(0, 255)}));
  EXPECT_THAT(subjects_of(a + "=erin@" + a), Contains("erin@" + a.substr(0, 255)));
}

TEST(Subjects, AnOccurrenceIsItsBytes) {
  const std::string text = "to=<Erin%40Example.com.> from bob@example.com";
  SubjectScanner scanner(text);
  const auto first = scanner.next().value();
  EXPECT_EQ(text.substr(first.begin, first.end - first.begin), "Erin%40Example.com");
  const auto second = scanner.next().value();
  EXPECT_EQ(text.substr(second.begin, second.end - second.begin), "bob@example.com");
  EXPECT_FALSE(scanner.next());
  EXPECT_FALSE(scanner.next());
}

// A text with addresses among anything that may stand beside one, as a string in JSON, and that as
// a string again.
class Planted {
 public:
  explicit Planted(unsigned seed) : random_(seed) {}

  std::string address() {
    std::string text(1, letter());
    for (std::size_t i = below(12); i > 0; --i) text += below(6) == 0 ? '.' : letter();
    return text + letter() + "@" + letter() + "-" + letter() + (below(4) == 0 ? "" : ".example");
  }
  std::string before() { return below(8) == 0 ? "user=" : behind(); }
  // Ends a domain.
  std::string behind() {
    static const std::vector<std::string> all{
        " ", "\n", "\t",   "<",    ">",    "\"",  "'",  "=",       "/",    ",",
        ";", "(",  "\x01", "é",    "”",    "%3C", "\\", "|",       "&to=", ":",
        "[", "#",  "{}",   "\r\n", "\x7f", "@ ",  " .", "\xc3\x28"};
    return all[below(all.size())];
  }
  std::string written(std::string address) {
    for (char& c : address) {
      if (below(3) == 0) c = static_cast<char>(std::toupper(c));
    }
    if (below(4) == 0) address.replace(address.find('@'), 1, "%40");
    return address;
  }
  std::size_t below(std::size_t end) { return random_() % end; }

 private:
  char letter() { return "abcdefghijklmnopqrstuvwxyz0123456789"[below(36)]; }

  std::mt19937 random_;
};

TEST(Subjects, WhoIsPlantedInJsonIsFound) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    Planted planted(seed);
    std::string line;
    Names names;
    for (std::size_t i = planted.below(6) + 1; i > 0; --i) {
      names.push_back(planted.address());
      line += planted.before() + planted.written(names.back()) + planted.behind() + " ";
    }
    for (std::size_t depth = 0; depth < 3; ++depth) {
      const Names found = subjects_of(line);
      for (const std::string& name : names) {
        ASSERT_THAT(found, Contains(name)) << "seed " << seed << ": " << line;
      }
      line = json::to_text(json::Object{{"raw", line}, {"n", 1}});
    }
  }
}

// What must hold of all parts of any text.
void expect_parts(const std::string& text, bool may_cut) {
  constexpr std::size_t most = crypto::Sealer::keys_max;
  const auto parts = parts_of(text, most);
  std::size_t begin = 0;
  std::vector<std::size_t> ends;
  for (const NamingPart& part : parts) {
    ASSERT_EQ(part.text, std::string_view(text).substr(begin, part.text.size()));
    ASSERT_LE(part.subjects.size(), most);
    begin += part.text.size();
    ends.push_back(begin);
  }
  ASSERT_EQ(begin, text.size());
  SubjectScanner scanner(text);
  std::vector<std::set<std::string>> named(parts.size());
  while (const auto found = scanner.next()) {
    const auto at = [&](std::size_t byte) {
      return static_cast<std::size_t>(std::ranges::upper_bound(ends, byte) - ends.begin());
    };
    if (!may_cut) {
      ASSERT_EQ(at(found->begin), at(found->end - 1)) << "an occurrence is cut";
    }
    for (std::size_t i = at(found->begin); i <= at(found->end - 1); ++i) {
      named[i].insert(found->subjects.begin(), found->subjects.end());
    }
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    ASSERT_EQ(named[i], std::set<std::string>(parts[i].subjects.begin(), parts[i].subjects.end()));
  }
}

TEST(Parts, AreAsFewAsNeeded) {
  std::string text;
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(parts_of(text, 16).size(), std::max<std::size_t>(1, (i + 15) / 16)) << i;
    text += "<user" + std::to_string(i) + "@example.com> ";
    expect_parts(text, false);
  }
  for (int i = 0; i < 100; ++i) text = "<one@example.com> " + text + "<user39@example.com>";
  EXPECT_EQ(parts_of(text, 16).size(), 3U) << "the same ones again";
}

TEST(Parts, AreNeverCutThroughAnAddress) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    Planted planted(seed);
    std::string text;
    for (std::size_t i = planted.below(60); i > 0; --i) {
      text += planted.before() + planted.written(planted.address()) + planted.behind();
      if (planted.below(2) == 0) text += " x@" + planted.address();
      text += " ";
    }
    expect_parts(text, false);
  }
}

TEST(Parts, OfAChainThatHasNoEndAreCutAllTheSame) {
  std::string chain = "lead@example.com ";
  for (int i = 0; i < 500; ++i) chain += "a=b" + std::to_string(i) + "=\xc3\xa4z@";
  expect_parts(chain + "end", true);
  std::string dense = "<lead@example.com> ";
  for (int i = 0; i < 5000; ++i) dense += std::to_string(i) + "%40";
  expect_parts(dense, true);
}

}  // namespace
}  // namespace mailwarden::vault
