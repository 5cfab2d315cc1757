#include "detect/yara.h"

#include <atomic>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "crypto/sha256.h"
#include "tests/temporary.h"

namespace mailwarden::detect {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class YaraTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const {
    const std::string path = folder_.path("rules/" + name);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    write_file(path, text);
  }
  std::string rules_folder() const { return folder_.path("rules"); }
  std::string path(const std::string& name) const { return folder_.path(name); }

  YaraLoad load(const YaraRulesOptions& options = {}) const {
    auto loaded = YaraRules::load({rules_folder()}, options);
    EXPECT_TRUE(loaded) << loaded.error().what;
    return loaded ? *std::move(loaded) : YaraLoad();
  }
  // A scanner of that text alone.
  YaraScanner scanner(const std::string& text, const YaraScanOptions& options = {},
                      const YaraRulesOptions& rules = {}) const {
    write("a.yar", text);
    const YaraLoad loaded = load(rules);
    for (const YaraNote& note : loaded.refused) ADD_FAILURE() << note.text();
    auto made = YaraScanner::make(loaded.rules, options);
    EXPECT_TRUE(made);
    return *std::move(made);
  }

  TemporaryFolder folder_;
};

std::vector<std::string> names(const YaraScan& scan) {
  std::vector<std::string> found;
  for (const YaraMatch& match : scan.matches) found.push_back(match.origin.rule);
  return found;
}

// A rule that takes long over any bytes: nested loops that never hold.
const char* const slow =
    "rule slow { condition: filesize > 100 and for all i in (0..100000) : ("
    "for all j in (0..100000) : ( uint8(i) + uint8(j) < 1000 ) ) }\n";

TEST_F(YaraTest, AMatchIsADetectionLikeAnyOther) {
  YaraScanner scanner = this->scanner(R"(
rule dropper : office dropper
{
    meta:
        id = "7d4a"
        title = "A dropper"
        description = "not shown beside a title"
        level = "high"
        attack = "T1027.006, T1105"
        facts = "malware=1, hosts_affected = 3, attack_attempted=true"
    strings:
        $a = "needle"
        $hidden = "private" private
        $b = { 00 FF [1-3] 41 }
    condition:
        $a and $b and $hidden
}
)");
  const std::string bytes =
      std::string(0x1f4, '.') + "needle private" + std::string("\0\xff..A", 5);
  const auto scan = scanner.scan_buffer(bytes, "in/box.doc");
  ASSERT_TRUE(scan) << scan.error().what;
  ASSERT_THAT(scan->matches, SizeIs(1));
  const Detection& detection = scan->matches[0].detection;
  EXPECT_EQ(detection.rule_id, "7d4a");
  EXPECT_EQ(detection.title, "A dropper");
  EXPECT_EQ(detection.level, Level::high);
  EXPECT_THAT(detection.tags, ElementsAre("office", "dropper", "attack.t1027.006", "attack.t1105"));
  EXPECT_EQ(detection.entity, (Entity{"resource", "in/box.doc"}));
  EXPECT_EQ(detection.facts, (std::map<std::string, std::int64_t>{
                                 {"attack_attempted", 1}, {"hosts_affected", 3}, {"malware", 1}}));
  EXPECT_THAT(detection.because, ElementsAre(Because{"$a", "offset 0x1f4", "needle"},
                                             Because{"$b", "offset 0x202", "\\x00\\xff..A"}));
  const YaraOrigin& origin = scan->matches[0].origin;
  EXPECT_EQ(origin.rule, "dropper");
  EXPECT_EQ(origin.file, rules_folder() + "/a.yar");
  EXPECT_EQ(origin.line, 2U);
  EXPECT_EQ(origin.version, crypto::to_hex(crypto::sha256(read_file(origin.file))));
  EXPECT_EQ(scan->sha256, crypto::to_hex(crypto::sha256(bytes)));
  EXPECT_EQ(scan->bytes, bytes.size());
}

TEST_F(YaraTest, WhatARuleDoesNotSayHasItsStandIn) {
  YaraScanner scanner = this->scanner(
      "rule plain { condition: true }\n"
      "rule described { meta: description = \"Described\" condition: true }\n");
  const auto scan = scanner.scan_buffer("", "empty");
  ASSERT_TRUE(scan) << scan.error().what;
  ASSERT_THAT(names(*scan), ElementsAre("plain", "described"));
  EXPECT_EQ(scan->matches[0].detection.rule_id, "plain");
  EXPECT_EQ(scan->matches[0].detection.title, "plain");
  EXPECT_EQ(scan->matches[0].detection.level, Level::medium);
  EXPECT_EQ(scan->matches[1].detection.title, "Described");
}

struct Condition {
  const char* name;
  const char* text;
  const char* bytes;
  const char* path;
  bool matches;
};

class YaraCondition : public YaraTest, public testing::WithParamInterface<Condition> {};

TEST_P(YaraCondition, HoldsOrNot) {
  const Condition& one = GetParam();
  YaraScanner scanner = this->scanner(one.text, {},
                                      {.variables = {{"depth", std::int64_t{3}},
                                                     {"inbound", true},
                                                     {"score", 0.5},
                                                     {"owner", std::string("alice")}}});
  const auto scan = scanner.scan_buffer(one.bytes, one.path);
  ASSERT_TRUE(scan) << scan.error().what;
  EXPECT_EQ(scan->matches.size(), one.matches ? 1U : 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, YaraCondition,
    testing::Values(
        Condition{"Filename", "rule r { condition: filename == \"B.doc\" }", "", "a/B.doc", true},
        Condition{"Filepath", "rule r { condition: filepath == \"a/B.doc\" }", "", "a/B.doc", true},
        Condition{"ExtensionIsLower", "rule r { condition: extension == \".doc\" }", "", "a/B.DOC",
                  true},
        Condition{"NoExtension", "rule r { condition: extension == \"\" }", "", "a.b/c", true},
        Condition{"Size", "rule r { condition: filesize == 5 }", "12345", "x", true},
        Condition{"Number", "rule r { condition: depth == 3 }", "", "x", true},
        Condition{"Truth", "rule r { condition: inbound }", "", "x", true},
        Condition{"Fraction", "rule r { condition: score < 0.6 }", "", "x", true},
        Condition{"Text", "rule r { condition: owner == \"alice\" }", "", "x", true},
        Condition{"TextNot", "rule r { condition: owner == \"bob\" }", "", "x", false},
        Condition{"PrivateIsNotReported", "private rule r { condition: true }", "", "x", false},
        Condition{"PrivateIsUsed", "private rule p { condition: true } rule r { condition: p }", "",
                  "x", true},
        Condition{"GlobalRulesOverItsFile",
                  "global private rule g { condition: false } rule r { condition: true }", "", "x",
                  false},
        Condition{"Pe", "import \"pe\" rule r { condition: pe.is_pe }", "MZ", "x", false},
        Condition{"Elf", "import \"elf\" rule r { condition: elf.type == 2 }", "x", "x", false},
        Condition{"Math", "import \"math\" rule r { condition: math.entropy(0, 4) == 0 }", "aaaa",
                  "x", true},
        Condition{"Hash",
                  "import \"hash\" rule r { condition: hash.md5(0, filesize) == "
                  "\"900150983cd24fb0d6963f7d28e17f72\" }",
                  "abc", "x", true},
        Condition{"Dotnet", "import \"dotnet\" rule r { condition: dotnet.number_of_streams > 0 }",
                  "MZ", "x", false}),
    [](const auto& info) { return info.param.name; });

TEST_F(YaraTest, AGlobalRuleLeavesOtherFilesAlone) {
  write("a.yar", "global private rule never { condition: false } rule a { condition: true }");
  write("b.yar", "rule b { condition: true }");
  auto scanner = YaraScanner::make(load().rules);
  ASSERT_TRUE(scanner);
  const auto scan = scanner->scan_buffer("x", "x");
  ASSERT_TRUE(scan);
  EXPECT_THAT(names(*scan), ElementsAre("b"));
}

TEST_F(YaraTest, FilesThatDoNotCompileAreToldTogetherAndTheOthersLoad) {
  write("a/good.yar", "rule good { condition: true }");
  write("a/b.yar",
        "rule x { condition: $b }\n\nrule y { strings: $c = \"cccc\" condition: true }\n");
  write("c.yara", "rule {\n");
  write("d.yar", "include \"a/good.yar\"\n");
  write("e.yar", "rule e\n{\n meta:\n  facts = \"malware\"\n condition: true\n}\n");
  write("f.yar", "\nrule f { meta: facts = \"mal=1, malware=-1\" condition: true }");
  write("g.yar", std::string("rule g { condition: true }\0", 27));
  write("h.txt", "no rule at all");
  const YaraLoad loaded = load();
  EXPECT_EQ(loaded.files, 1U);
  EXPECT_THAT(loaded.rules->rules(), SizeIs(1));
  std::vector<std::string> told;
  for (const YaraNote& note : loaded.refused) {
    told.push_back(note.text().substr(rules_folder().size() + 1));
  }
  EXPECT_THAT(
      told,
      ElementsAre("a/b.yar, line 1: the rule 'x': undefined string \"$b\"",
                  "a/b.yar, line 3: the rule 'y': unreferenced string \"$c\"",
                  HasSubstr("c.yara, line 1: syntax error"), HasSubstr("d.yar, line 1: "),
                  HasSubstr("e.yar, line 1: the rule 'e': 'malware' is no fact; expected a name"),
                  HasSubstr("f.yar, line 2: the rule 'f': 'malware=-1' is no fact"),
                  "g.yar: it holds a zero byte and is no text"));
}

TEST_F(YaraTest, IncludesReadNoOtherFile) {
  write_file(path("secret"), "rule secret { condition: true }");
  write("a.yar", "include \"" + path("secret") + "\"\nrule a { condition: true }");
  const YaraLoad loaded = load();
  EXPECT_EQ(loaded.rules->rules().size(), 0U);
  ASSERT_THAT(loaded.refused, SizeIs(1));
  EXPECT_THAT(loaded.refused[0].what, HasSubstr("include"));
}

TEST_F(YaraTest, SymbolicLinksAmongRulesAreNotFollowed) {
  write_file(path("outside.yar"), "rule outside { condition: true }");
  write("a.yar", "rule a { condition: true }");
  std::filesystem::create_symlink(path("outside.yar"), rules_folder() + "/link.yar");
  const YaraLoad loaded = load();
  EXPECT_THAT(loaded.rules->rules(), SizeIs(1));
  ASSERT_THAT(loaded.refused, SizeIs(1));
  EXPECT_EQ(loaded.refused[0].what, "a symbolic link is not followed");
}

TEST_F(YaraTest, NamesThatStandTwiceAreToldWithBothPlaces) {
  write("a.yar", "rule one { condition: true }\n\nrule one { condition: false }\n");
  write("b.yar", "rule two { meta: id = \"i\" condition: true }\n");
  write("c.yar",
        "\nrule two { condition: true }\nrule three { meta: id = \"i\" condition: true }\n");
  const YaraLoad loaded = load();
  EXPECT_THAT(loaded.refused,
              ElementsAre(YaraNote{rules_folder() + "/a.yar", 3,
                                   "the rule 'one' stands twice, first at line 1"}));
  EXPECT_THAT(
      loaded.warnings,
      ElementsAre(
          YaraNote{rules_folder() + "/c.yar", 2,
                   "the rule 'two' stands twice, first in " + rules_folder() + "/b.yar, line 1"},
          YaraNote{rules_folder() + "/c.yar", 3,
                   "the id 'i' stands twice, first in " + rules_folder() + "/b.yar, line 1"}));
  auto scanner = YaraScanner::make(loaded.rules);
  const auto scan = scanner->scan_buffer("x", "x");
  ASSERT_TRUE(scan);
  EXPECT_THAT(names(*scan), ElementsAre("two", "two", "three"));
}

TEST_F(YaraTest, TheSameFileIsLoadedOnceAndFoldersMayHaveFilesOfOneName) {
  write("a/x.yar", "rule a { condition: true }");
  write("b/x.yar", "rule a { condition: true }");
  const auto twice = YaraRules::load({rules_folder(), rules_folder() + "/a/x.yar"});
  ASSERT_TRUE(twice);
  EXPECT_EQ(twice->files, 2U);
  const auto both = YaraRules::load({rules_folder() + "/a", rules_folder() + "/b"});
  ASSERT_TRUE(both);
  EXPECT_EQ(both->files, 2U);
  EXPECT_EQ(both->refused, std::vector<YaraNote>());
}

TEST_F(YaraTest, SlowStringsAndUnknownLevelsAreWarnings) {
  write("a.yar", "rule a { meta: level = \"grave\" strings: $a = /a[a-z]{1,9}/ condition: $a }\n");
  const YaraLoad loaded = load();
  EXPECT_EQ(loaded.refused, std::vector<YaraNote>());
  ASSERT_THAT(loaded.warnings, SizeIs(2));
  EXPECT_THAT(loaded.warnings[0].text(), HasSubstr("a.yar, line 1: the rule 'a': string \"$a\" may "
                                                   "slow down scanning"));
  EXPECT_THAT(loaded.warnings[1].text(), HasSubstr("'grave' is none of informational"));
  EXPECT_EQ(loaded.rules->rules()[0].level, Level::medium);
}

TEST_F(YaraTest, FactsThatThePoliciesDoNotKnowAreMistakes) {
  write("a.yar", "rule a { meta: facts = \"malware=1, moonshine=1\" condition: true }");
  const YaraLoad loaded = load({.facts_known = {"malware"}});
  ASSERT_THAT(loaded.refused, SizeIs(1));
  EXPECT_EQ(loaded.refused[0].what, "the rule 'a': the policies know no fact 'moonshine'");
}

TEST_F(YaraTest, WhatCannotBeLoadedIsAnErrorOfItsKind) {
  const auto absent = YaraRules::load({path("absent")});
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Code::not_found);
  EXPECT_EQ(absent.error().what, path("absent") + ": No such file or directory");
  write("a.yar", "rule a { condition: true }");
  write("b.yar", "rule b { condition: true }");
  EXPECT_EQ(YaraRules::load({rules_folder()}, {.files_max = 1}).error().code, Code::full);
  EXPECT_EQ(YaraRules::load({rules_folder()}, {.variables = {{"filename", std::string("mine")}}})
                .error()
                .code,
            Code::invalid);
  const YaraLoad small = load({.file_bytes_max = 8});
  EXPECT_EQ(small.files, 0U);
  ASSERT_THAT(small.refused, SizeIs(2));
  EXPECT_EQ(small.refused[0].what, "larger than 8 bytes");
}

TEST_F(YaraTest, AScannerKeepsItsRulesAliveAndIsMoved) {
  std::optional<YaraScanner> held;
  {
    YaraScanner first = this->scanner("rule a { strings: $a = \"needle\" condition: $a }");
    held.emplace(std::move(first));
  }
  const auto scan = held->scan_buffer("a needle", "x");
  ASSERT_TRUE(scan);
  EXPECT_THAT(names(*scan), ElementsAre("a"));
}

TEST_F(YaraTest, ADeadlineEndsASlowRuleAndTheScannerGoesOn) {
  write("b.yar", "rule quick { condition: filesize == 1 }");
  YaraScanner scanner = this->scanner(slow, {.timeout = milliseconds(200)});
  const auto begin = std::chrono::steady_clock::now();
  const auto scan = scanner.scan_buffer(std::string(200'000, 'a'), "long");
  const auto took = std::chrono::steady_clock::now() - begin;
  ASSERT_FALSE(scan);
  EXPECT_EQ(scan.error().code, Code::unavailable);
  EXPECT_EQ(scan.error().what, "long: not scanned to its end within 200 ms");
  EXPECT_GE(took, milliseconds(200));
  EXPECT_LT(took, seconds(60));
  const auto next = scanner.scan_buffer("x", "short");
  ASSERT_TRUE(next) << next.error().what;
  EXPECT_THAT(names(*next), ElementsAre("quick"));
}

TEST_F(YaraTest, ADeadlineThatHasPassedScansNothing) {
  for (const Duration timeout : {Duration(0), Duration(-5)}) {
    YaraScanner scanner = this->scanner("rule a { condition: true }", {.timeout = timeout});
    for (const char* bytes : {"x", ""}) {
      const auto scan = scanner.scan_buffer(bytes, "x");
      ASSERT_FALSE(scan);
      EXPECT_EQ(scan.error().code, Code::unavailable);
    }
  }
}

TEST_F(YaraTest, WhatIsTooLargeIsNotScanned) {
  YaraScanner scanner = this->scanner("rule a { condition: true }", {.bytes_max = 4});
  write_file(path("four"), "1234");
  write_file(path("five"), "12345");
  EXPECT_TRUE(scanner.scan_file(path("four")));
  for (const auto& scan : {scanner.scan_file(path("five")), scanner.scan_buffer("12345", "five")}) {
    ASSERT_FALSE(scan);
    EXPECT_EQ(scan.error().code, Code::full);
    EXPECT_THAT(scan.error().what, HasSubstr("five: larger than 4 bytes"));
  }
}

TEST_F(YaraTest, FilesThatCannotBeReadAreErrorsOfTheirKind) {
  YaraScanner scanner = this->scanner("rule a { condition: true }");
  EXPECT_EQ(scanner.scan_file(path("vanished")).error(),
            (Error{Code::not_found, path("vanished") + ": No such file or directory"}));
  EXPECT_EQ(scanner.scan_file(path("rules")).error(),
            (Error{Code::invalid, path("rules") + ": not a regular file"}));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(scanner.scan_file(path("pipe")).error(),
            (Error{Code::invalid, path("pipe") + ": not a regular file"}));
  EXPECT_EQ(scanner.scan_file("/dev/zero").error().code, Code::invalid);
  write_file(path("file"), "x");
  std::filesystem::create_symlink(path("file"), path("link"));
  EXPECT_EQ(scanner.scan_file(path("link")).error(),
            (Error{Code::invalid, path("link") + ": a symbolic link, which is not followed"}));
  if (::geteuid() == 0) return;  // who may read everything is denied nothing
  std::filesystem::permissions(path("file"), std::filesystem::perms::none);
  EXPECT_EQ(scanner.scan_file(path("file")).error(),
            (Error{Code::denied, path("file") + ": Permission denied"}));
}

// A mapped file would end the process here.
TEST_F(YaraTest, AFileThatIsCutWhileItIsScannedHarmsNobody) {
  YaraScanner scanner = this->scanner("rule a { strings: $a = \"needle\" condition: #a > 0 }");
  const std::string whole = std::string(std::size_t{4} * 1024 * 1024, '.') + "needle";
  std::atomic<bool> stop = false;
  write_file(path("file"), whole);
  std::jthread cutter([&] {
    while (!stop) {
      if (::truncate(path("file").c_str(), 1) != 0) return;
      if (::truncate(path("file").c_str(), static_cast<off_t>(whole.size())) != 0) return;
    }
  });
  for (int i = 0; i < 50; ++i) {
    const auto scan = scanner.scan_file(path("file"));
    EXPECT_TRUE(scan) << scan.error().what;
    EXPECT_LE(scan ? scan->bytes : 0, whole.size());
  }
  stop = true;
}

TEST_F(YaraTest, ValuesAreValidUtf8AndBounded) {
  YaraScanner scanner = this->scanner(
      "rule a { strings: $a = /b[\\x00-\\xff]{600,2000}e/s $c = \"cafe \xc3\xa9\" "
      "condition: any of them }");
  std::string binary;
  for (int i = 0; i < 900; ++i) binary += static_cast<char>(i * 37);
  const auto scan = scanner.scan_buffer("bxxx" + binary + "e cafe \xc3\xa9", "bad\xff name");
  ASSERT_TRUE(scan);
  ASSERT_THAT(scan->matches, SizeIs(1));
  const Detection& detection = scan->matches[0].detection;
  ASSERT_THAT(detection.because, SizeIs(2));
  for (const Because& because : detection.because) {
    EXPECT_TRUE(is_utf8(because.value));
    EXPECT_LE(because.value.size(), YaraScanner::because_value_max);
  }
  EXPECT_GE(detection.because[0].value.size(), YaraScanner::because_value_max - 4);
  EXPECT_EQ(detection.because[1].value, "cafe \xc3\xa9");
  EXPECT_EQ(detection.entity.name, "bad\\xff name");
}

TEST_F(YaraTest, ReasonsAndMatchesAreBounded) {
  std::string text = "rule many { strings:\n";
  for (int i = 0; i < 40; ++i) text += "$s" + std::to_string(i) + " = \"needle\"\n";
  text += "condition: all of them }\n";
  for (int i = 0; i < 9; ++i) text += "rule r" + std::to_string(i) + " { condition: true }\n";
  YaraScanner scanner = this->scanner(text, {.matches_max = 4});
  const auto scan = scanner.scan_buffer("needle", "x");
  ASSERT_TRUE(scan);
  EXPECT_THAT(names(*scan), ElementsAre("many", "r0", "r1", "r2"));
  EXPECT_EQ(scan->matches_cut, 6U);
  EXPECT_EQ(scan->matches[0].detection.because.size(), Detection::because_max);
}

TEST_F(YaraTest, AMillionMatchesOfOneStringAreOneReason) {
  YaraScanner scanner = this->scanner(
      "rule counted { strings: $a = \"aaaa\" condition: #a > 5 }\n"
      "rule seen { strings: $a = \"aaaa\" condition: $a }\n",
      {.timeout = seconds(120)});
  const auto scan = scanner.scan_buffer(std::string(1'100'000, 'a'), "x");
  ASSERT_TRUE(scan) << scan.error().what;
  ASSERT_THAT(names(*scan), ElementsAre("counted", "seen"));
  for (const YaraMatch& match : scan->matches) {
    EXPECT_THAT(match.detection.because, ElementsAre(Because{"$a", "offset 0x0", "aaaa"}));
  }
}

// Otherwise a file could fill the memory with the places of strings that no condition counts.
TEST_F(YaraTest, MatchesThatNobodyCountsAreNotKept) {
  std::string text = "rule many { strings:\n";
  for (const char* bytes : {"aaaa", "aaaaa", "aaaaaa", "aaaaaaa"}) {
    text += "$" + std::string(bytes) + " = \"" + bytes + "\"\n";
  }
  YaraScanner scanner =
      this->scanner(text + "condition: all of them }\n", {.timeout = seconds(120)});
  const std::string bytes(1'000'000, 'a');
  rusage before{};
  rusage after{};
  ::getrusage(RUSAGE_SELF, &before);
  const auto scan = scanner.scan_buffer(bytes, "x");
  ::getrusage(RUSAGE_SELF, &after);
  ASSERT_TRUE(scan) << scan.error().what;
  EXPECT_THAT(names(*scan), ElementsAre("many"));
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 100'000) << "kilobytes";
}

TEST_F(YaraTest, ScannersOfOneSetAgreeInEveryThread) {
  write("a.yar",
        "rule a { strings: $a = \"needle\" condition: $a }\n"
        "rule named { condition: filename == \"0\" or filename == \"3\" }\n");
  const auto rules = load().rules;
  std::array<std::vector<std::vector<std::string>>, 4> found;
  {
    std::vector<std::jthread> threads;
    for (auto& mine : found) {
      threads.emplace_back([&mine, rules, folder = rules_folder()] {
        auto scanner = YaraScanner::make(rules);
        for (int i = 0; i < 200; ++i) {
          const auto scan =
              scanner->scan_buffer(i % 3 == 0 ? "a needle" : "hay", std::to_string(i % 7));
          mine.push_back(names(*scan));
          // Sets come and go beside the scans, as a reload would have it.
          EXPECT_TRUE(i % 50 != 0 || YaraRules::load({folder}));
        }
      });
    }
  }
  for (int i = 0; i < 200; ++i) {
    std::vector<std::string> expected;
    if (i % 3 == 0) expected.emplace_back("a");
    if (i % 7 == 0 || i % 7 == 3) expected.emplace_back("named");
    for (const auto& mine : found) ASSERT_EQ(mine[static_cast<std::size_t>(i)], expected) << i;
  }
}

}  // namespace
}  // namespace mailwarden::detect
