// The second evaluator against docs/sigma.md: texts, numbers, nothing, keywords.
#include <gtest/gtest.h>

#include "tests/detect/oracle_cases.h"

namespace mailwarden::oracle {
namespace {

TEST(OracleTexts, WildcardsAndEscapes) {
  check({{"Whole", "{a: abc}", {{"a", "abc"}}, true},
         {"WholeIsNoPart", "{a: abc}", {{"a", "abcd"}}, false},
         {"WholeIsNoEnd", "{a: abc}", {{"a", "xabc"}}, false},
         {"CaseDoesNotCount", "{a: aBc}", {{"a", "AbC"}}, true},
         {"QuestionIsOne", "{a: 'prog?.exe'}", {{"a", "progA.exe"}}, true},
         {"QuestionIsNotNone", "{a: 'prog?.exe'}", {{"a", "prog.exe"}}, false},
         {"QuestionIsNotTwo", "{a: 'prog?.exe'}", {{"a", "progAB.exe"}}, false},
         {"QuestionIsOneCharacter", "{a: 'a?b'}", {{"a", "aéb"}}, true},
         {"QuestionIsOneIllFormedByte",
          "{a: 'a?b'}",
          {{"a",
            "a\xFF"
            "b"}},
          true},
         {"TwoIllFormedBytesAreTwo",
          "{a: 'a?b'}",
          {{"a",
            "a\xE2\x82"
            "b"}},
          false},
         {"StarIsMuch", "{a: 'av_V*.exe'}", {{"a", "AV_V21.2.1.exe"}}, true},
         {"StarIsNone", "{a: 'av_V*.exe'}", {{"a", "av_v.exe"}}, true},
         {"StarIsALineFeed", "{a: 'a*b'}", {{"a", "a\n\nb"}}, true},
         {"PartsDoNotOverlap", "{a: 'ab*ba'}", {{"a", "aba"}}, false},
         {"StarGoesBack", "{a: 'a*bc'}", {{"a", "abcbbc"}}, true},
         {"SingleBackslash", R"({a: 'C:\Windows'})", {{"a", R"(C:\Windows)"}}, true},
         {"DoubleBackslashIsOne", R"({a: 'C:\\Windows'})", {{"a", R"(C:\Windows)"}}, true},
         {"DoubleBackslashIsNotTwo", R"({a: 'C:\\Windows'})", {{"a", R"(C:\\Windows)"}}, false},
         {"FourBackslashesAreTwo", R"({a: 'x\\\\y'})", {{"a", R"(x\\y)"}}, true},
         {"ThreeBackslashesAreTwo", R"({a: 'x\\\y'})", {{"a", R"(x\\y)"}}, true},
         {"EscapedStar", R"({a: 'a\*b'})", {{"a", "a*b"}}, true},
         {"EscapedStarIsNoWildcard", R"({a: 'a\*b'})", {{"a", "axb"}}, false},
         {"EscapedQuestion", R"({a: 'a\?b'})", {{"a", "a?b"}}, true},
         {"EscapedQuestionIsNoWildcard", R"({a: 'a\?b'})", {{"a", "axb"}}, false},
         {"BackslashAndWildcard", R"({a: 'a\\*'})", {{"a", R"(a\bcd)"}}, true},
         {"BackslashAndWildcardNeedsIt", R"({a: 'a\\*'})", {{"a", "abcd"}}, false},
         {"BackslashAndStar", R"({a: 'a\\\*'})", {{"a", R"(a\*)"}}, true},
         {"BackslashAndStarIsNoWildcard", R"({a: 'a\\\*'})", {{"a", R"(a\b)"}}, false},
         {"LastBackslash", R"({a: 'C:\'})", {{"a", R"(C:\)"}}, true},
         {"LastBackslashBeforeContains", R"({'a|contains': 'C:\'})", {{"a", R"(xC:\y)"}}, true}});
}

TEST(OracleTexts, FoldingIsOfUnicodeAndKeepsTheNumberOfCharacters) {
  check({{"LongS", "{a: ſ}", {{"a", "S"}}, true},
         {"LongSInTheEvent", "{a: s}", {{"a", "ſ"}}, true},
         {"Kelvin", "{a: K}", {{"a", "k"}}, true},
         {"KelvinIsOneCharacter", "{a: '?'}", {{"a", "K"}}, true},
         {"Umlaut", "{a: äÖ}", {{"a", "ÄÖ"}}, true},
         {"SharpSIsNotTwo", "{a: ss}", {{"a", "ß"}}, false},
         {"CapitalSharpS", "{a: ß}", {{"a", "ẞ"}}, true},
         {"DottedI", "{a: i}", {{"a", "İ"}}, true},
         {"DotlessI", "{a: I}", {{"a", "ı"}}, true},
         {"FinalSigma", "{a: ς}", {{"a", "Σ"}}, true},
         {"Deseret", "{a: 𐐀}", {{"a", "𐐨"}}, true},
         {"IllFormedBytesStand", "{a: '*x'}", {{"a", "\xC3X"}}, true},
         {"DecomposedIsAnother", "{a: ä}", {{"a", "a\xCC\x88"}}, false},
         {"Cased", "{'a|cased': aBc}", {{"a", "aBc"}}, true},
         {"CasedIsAsWritten", "{'a|cased': aBc}", {{"a", "abc"}}, false},
         {"CasedWildcards", "{'a|cased': 'a?C*'}", {{"a", "abCd"}}, true},
         {"CasedContains", "{'a|contains|cased': B}", {{"a", "abc"}}, false},
         {"CasedFirst", "{'a|cased|contains': B}", {{"a", "aBc"}}, true}});
}

TEST(OracleTexts, ContainsStartswithEndswith) {
  check({{"Contains", "{'a|contains': b}", {{"a", "ABC"}}, true},
         {"ContainsAtTheStart", "{'a|contains': a}", {{"a", "abc"}}, true},
         {"ContainsAtTheEnd", "{'a|contains': c}", {{"a", "abc"}}, true},
         {"ContainsNot", "{'a|contains': bd}", {{"a", "abc"}}, false},
         {"ContainsEmpty", "{'a|contains': ''}", {{"a", ""}}, true},
         {"ContainsEmptyNeedsAField", "{'a|contains': ''}", {}, false},
         {"Startswith", "{'a|startswith': adm}", {{"a", "Administrator"}}, true},
         {"StartswithNot", "{'a|startswith': adm}", {{"a", "xadm"}}, false},
         {"Endswith", R"({'a|endswith': '\cmd.exe'})", {{"a", R"(C:\CMD.EXE)"}}, true},
         {"EndswithNot", R"({'a|endswith': '\cmd.exe'})", {{"a", R"(C:\cmd.exe.x)"}}, false},
         {"OwnWildcardThere", "{'a|contains': '*b*'}", {{"a", "abc"}}, true},
         {"OwnWildcardInside", "{'a|startswith': 'a*c'}", {{"a", "abbcd"}}, true},
         {"OwnWildcardAtTheOtherEnd", "{'a|startswith': '*c'}", {{"a", "abcd"}}, true},
         {"EndswithQuestion", "{'a|endswith': 'b?'}", {{"a", "abc"}}, true}});
}

TEST(OracleNumbers, PlainNumbersAreEqualAsNumbers) {
  check({{"Text", "{a: 22}", {{"a", "22"}}, true},
         {"Number", "{a: 22}", {number("a", "22")}, true},
         {"Fraction", "{a: 22}", {number("a", "22.0")}, true},
         {"FractionAsText", "{a: 22}", {{"a", "22.0"}}, true},
         {"LeadingZero", "{a: 5}", {{"a", "05"}}, true},
         {"RuleWithLeadingZero", "{a: 05}", {{"a", "5"}}, true},
         {"RuleWithFraction", "{a: 5.0}", {{"a", "5"}}, true},
         {"Exponent", "{a: 100}", {{"a", "1e2"}}, true},
         {"NegativeExponent", "{a: 0.5}", {{"a", "50E-2"}}, true},
         {"MinusZero", "{a: 0}", {{"a", "-0.0"}}, true},
         {"Minus", "{a: -5}", {{"a", "5"}}, false},
         {"Space", "{a: 5}", {{"a", "5 "}}, false},
         {"Plus", "{a: 5}", {{"a", "+5"}}, false},
         {"Hexadecimal", "{a: 5}", {{"a", "0x5"}}, false},
         {"NoWholePart", "{a: 0.5}", {{"a", ".5"}}, false},
         {"NoFractionBehindThePoint", "{a: 5}", {{"a", "5."}}, false},
         {"Empty", "{a: 0}", {{"a", ""}}, false},
         {"Null", "{a: 0}", {null("a")}, false},
         {"Truth", "{a: 1}", {truth("a", "true")}, false},
         {"LargeNumbersDiffer", "{a: 9007199254740993}", {{"a", "9007199254740992"}}, false},
         {"HexadecimalIsAText", "{a: 0x17}", {{"a", "0X17"}}, true},
         {"HexadecimalIsNoNumber", "{a: 0x17}", {{"a", "23"}}, false},
         {"InfinityIsAText", "{a: inf}", {{"a", "INF"}}, true},
         {"Quoted", "{a: '22'}", {{"a", "22"}}, true},
         {"QuotedMatchesTheNumber", "{a: '22'}", {number("a", "22")}, true},
         {"QuotedIsAText", "{a: '22'}", {number("a", "22.0")}, false},
         {"QuotedIsNotNormalized", "{a: '1'}", {number("a", "1.0")}, false},
         {"InAList", "{EventID: [517, 1102]}", {number("EventID", "1102")}, true},
         {"WithAll", "{'a|all': [1, 2]}", {{"a", "1.0"}, {"a", "02"}}, true},
         {"WithNeq", "{'a|neq': 1}", {{"a", "1.0"}}, false},
         {"ContainsIsOfTexts", "{'a|contains': 22}", {{"a", "1223"}}, true},
         {"CasedIsOfTexts", "{'a|cased': 22}", {{"a", "22.0"}}, false},
         {"StartswithIsOfTexts", "{'a|startswith': 5.0}", {{"a", "5"}}, false}});
}

TEST(OracleNumbers, TruthsAreTexts) {
  check({{"Truth", "{a: true}", {truth("a", "true")}, true},
         {"Other", "{a: true}", {truth("a", "false")}, false},
         {"Text", "{a: false}", {{"a", "False"}}, true},
         {"AsYamlWritesIt", "{'a|cased': TRUE}", {truth("a", "true")}, true},
         {"QuotedMatchesTheTruth", "{a: 'true'}", {truth("a", "true")}, true},
         {"OnIsAWord", "{a: on}", {truth("a", "true")}, false}});
}

// The table of docs/sigma.md, with a row more for fields of several values.
TEST(OracleNothing, TheTable) {
  const std::vector<std::vector<Told>> columns{{}, {null("a")}, {{"a", ""}}, {{"a", "x"}}};
  const std::vector<std::pair<std::string, std::vector<bool>>> rows{
      {"{a: null}", {true, true, false, false}},
      {"{a: ''}", {false, false, true, false}},
      {"{a: '*'}", {false, false, true, true}},
      {"{'a|exists': true}", {false, true, true, true}},
      {"{'a|exists': false}", {true, false, false, false}},
      {"{'a|neq': null}", {false, false, true, true}},
      {"{'a|neq': ''}", {true, true, false, true}},
      {"{'a|re': ''}", {false, false, true, true}},
      {"{'a|re': '^$'}", {false, false, true, false}},
      {"{'a|contains': ''}", {false, false, true, true}}};
  for (const auto& [selection, expected] : rows) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      EXPECT_EQ(holds(selection_text(selection), event_of(columns[i])), expected[i])
          << selection << " column " << i;
    }
  }
}

TEST(OracleNothing, FieldsOfSeveralValues) {
  check({{"AllNull", "{a: null}", {null("a"), null("a")}, true},
         {"OneNull", "{a: null}", {null("a"), {"a", "x"}}, false},
         {"OneEmpty", "{a: ''}", {null("a"), {"a", ""}}, true},
         {"OneMatches", "{a: y}", {{"a", "x"}, {"b", "z"}, {"a", "y"}}, true},
         {"NoneMatches", "{a: z}", {{"a", "x"}, {"b", "z"}, {"a", "y"}}, false},
         {"ListIsOr", "{a: [y, z]}", {{"a", "x"}, {"a", "y"}}, true},
         {"AllInDifferentValues", "{'a|all': [x, y]}", {{"a", "x"}, {"a", "y"}}, true},
         {"AllNeedsEach", "{'a|all': [x, z]}", {{"a", "x"}, {"a", "y"}}, false},
         {"AllInOneValue", "{'a|contains|all': [x, y]}", {{"a", "yx"}}, true},
         {"NeqNoneOfThem", "{'a|neq': x}", {{"a", "x"}, {"a", "y"}}, false},
         {"TruthAndNull", "{a: null}", {null("a"), truth("a", "false")}, false}});
}

TEST(OracleFields, NamesAndAttributes) {
  check({{"CaseOfNamesCounts", "{Field: x}", {{"field", "x"}}, false},
         {"SpacesInTheRule", "{Source Name: x}", {{"SourceName", "x"}}, true},
         {"SpacesInTheEvent", "{SourceName: x}", {{"Source Name", "x"}}, true},
         {"SpacesInBoth", "{'So urce Name|contains': x}", {{"Source Na me", "x"}}, true},
         {"Nested", "{outer.inner: x}", {{"outer.inner", "x"}}, true},
         {"OuterIsAnother", "{outer: x}", {{"outer.inner", "x"}}, false},
         {"MapIsAnd", "{a: x, b: y}", {{"a", "x"}, {"b", "y"}}, true},
         {"MapNeedsBoth", "{a: x, b: y}", {{"a", "x"}}, false},
         {"ListOfMapsIsOr", "[{a: x}, {b: y}]", {{"b", "y"}}, true},
         {"ListOfMapsNeedsOne", "[{a: x, b: z}, {b: z}]", {{"a", "x"}, {"b", "y"}}, false}});
  Event event = event_of({});
  event.ocsf.src_ip = "192.0.2.1";
  event.ocsf.user = "ALICE";
  event.ocsf.class_uid = 3002;
  EXPECT_TRUE(holds(selection_text("{user.name: alice, class_uid: 3002.0}"), event));
  EXPECT_TRUE(holds(selection_text("{'src_endpoint.ip|cidr': 192.0.2.0/24}"), event));
  EXPECT_TRUE(holds(selection_text("{'user.name|exists': true}"), event));
  EXPECT_TRUE(holds(selection_text("{'email.from|exists': false, email.from: null}"), event));
  EXPECT_FALSE(holds(selection_text("{user.name: null}"), event));
  EXPECT_FALSE(holds(selection_text("[alice]"), event)) << "attributes are no keywords";
  event.fields.add("user.name", "bob");
  EXPECT_FALSE(holds(selection_text("{user.name: alice}"), event)) << "the field goes first";
  event = event_of({null("user.name")});
  event.ocsf.user = "alice";
  EXPECT_TRUE(holds(selection_text("{user.name: null}"), event));
}

TEST(OracleKeywords, SearchValuesAndTheRawLine) {
  check({{"InAValue", "[needle]", {{"a", "a NEEDLE b"}}, true},
         {"InTheRawLine", "[needle]", {}, true, "hay needle hay"},
         {"InAName", "[needle]", {{"needle", "x"}}, false},
         {"Nowhere", "[needle]", {{"a", "x"}}, false, "hay"},
         {"ListIsOr", "[no, needle]", {{"a", "needle"}}, true},
         {"Wildcard", "['ne*le']", {{"a", "x needxxle y"}}, true},
         {"EscapedWildcard", R"(['ne\*le'])", {{"a", "x needle y"}}, false},
         {"AllInDifferentValues", "{'|all': [one, two]}", {{"a", "one"}, {"b", "two"}}, true},
         {"AllNeedsEach", "{'|all': [one, two]}", {{"a", "one"}}, false, "one"},
         {"AllInTheRawLine", "{'|all': [one, two]}", {{"a", "one"}}, true, "two"},
         {"Startswith", "{'|startswith': [nee]}", {{"a", "needle"}}, true},
         {"StartswithNot", "{'|startswith': [eed]}", {{"a", "needle"}}, false},
         {"Endswith", "{'|endswith': [dle]}", {}, true, "needle"},
         {"EndswithNot", "{'|endswith': [eed]}", {}, false, "needle"},
         {"Expression", "{'|re': ['n.{4}e']}", {{"a", "a needle"}}, true},
         {"ExpressionAll", "{'|re|all': ['^a', 'b$']}", {{"a", "ax"}, {"b", "xb"}}, true},
         {"Cased", "{'|cased': [Needle]}", {{"a", "needle"}}, false},
         {"CasedIsFoundAnywhere", "{'|cased': [Needle]}", {{"a", "a Needle b"}}, true},
         {"Contains", "{'|contains': needle}", {{"a", "a needle b"}}, true},
         {"NumberIsAText", "[22]", {{"a", "1223"}}, true},
         {"NumberIsNotNormalized", "[22.0]", {{"a", "22"}}, false},
         {"Truth", "[true]", {truth("a", "true")}, true},
         {"NullIsNotSearched", "['*']", {null("a")}, false},
         {"EmptyIsSearched", "['*']", {{"a", ""}}, true},
         {"MixedByTheKeyword", "[needle, {a: x}]", {{"b", "needle"}}, true},
         {"MixedByTheMap", "[needle, {a: x}]", {{"a", "x"}}, true},
         {"MixedByNone", "[needle, {a: x}]", {{"a", "y"}}, false},
         {"BesideAField", "{'|all': [one, two], a: x}", {{"a", "x"}, {"b", "one two"}}, true},
         {"BesideAFieldIsAnd", "{'|all': [one, two], a: y}", {{"a", "x"}, {"b", "one two"}}, false},
         {"Neq", "{'|neq': needle}", {{"a", "x"}}, true},
         {"NeqNot", "{'|neq': needle}", {{"a", "a needle"}}, false},
         {"Windash", "{'|windash': ' -f'}", {{"a", "x /F"}}, true},
         {"Base64offset", "{'|base64offset': [foobar]}", {{"a", "xZvb2Jhc"}}, true}});
}

TEST(OracleRefusals, SelectionsAndValues) {
  check({{"EmptyMap", "{}", "empty map"},
         {"EmptyList", "[]", "empty list"},
         {"EmptyMapInAList", "[{}]", "empty map"},
         {"EmptyListOfValues", "{a: []}", "empty list"},
         {"NullSelection", "null", "a selection is"},
         {"NullInAList", "{a: ['', null]}", "expected a text"},
         {"NullAloneInAList", "{a: [null]}", "expected a text"},
         {"NullKeyword", "[x, null]", "expected a text"},
         {"NullForKeywords", "{'|contains': null}", "expected a text"},
         {"ListInAList", "{a: [[x]]}", "expected a text"},
         {"ListOfKeywordsInAList", "[[x]]", "expected a text"},
         {"MapAsValue", "{a: {b: c}}", "not a map"},
         {"MapInAList", "{a: [{b: c}]}", "expected a text"},
         {"NoName", "{'': x}", "without a name"},
         {"NullWithContains", "{'a|contains': null}", "takes no null"},
         {"NullWithCased", "{'a|cased': null}", "takes no null"},
         {"NullWithRe", "{'a|re': null}", "takes no null"},
         {"NullWithCidr", "{'a|cidr': null}", "takes no null"},
         {"NullWithGt", "{'a|gt': null}", "takes no null"},
         {"NullWithAll", "{'a|all': null}", "takes no null"},
         {"NullWithFieldref", "{'a|fieldref': null}", "takes no null"},
         {"KeywordsOfNetworks", "{'|cidr': 10.0.0.0/8}", "keywords"},
         {"KeywordsCompared", "{'|gt': 5}", "keywords"},
         {"KeywordsExist", "{'|exists': true}", "keywords"},
         {"KeywordsAsDates", "{'|hour': 5}", "keywords"},
         {"KeywordsAsReferences", "{'|fieldref': a}", "keywords"},
         {"AllKeywordsOfOne", "{'|all': [x]}", "'all'"}});
}

}  // namespace
}  // namespace mailwarden::oracle
