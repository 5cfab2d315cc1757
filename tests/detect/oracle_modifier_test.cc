// The second evaluator against docs/sigma.md: every modifier, what they do together, what they do
// not.
#include <gtest/gtest.h>

#include "tests/detect/oracle_cases.h"

namespace mailwarden::oracle {
namespace {

using namespace std::string_literals;

// Whether a line holds for each of some values of the field `a`.
struct LineCase {
  std::string line;
  std::vector<std::string> holds_for;
  std::vector<std::string> not_for;
};

void check_lines(std::initializer_list<LineCase> cases) {
  for (const LineCase& one : cases) {
    const std::string rule = selection_text("{" + one.line + "}");
    for (const std::string& value : one.holds_for) {
      EXPECT_TRUE(holds(rule, event_of({{"a", value}}))) << one.line << " and " << value;
    }
    for (const std::string& value : one.not_for) {
      EXPECT_FALSE(holds(rule, event_of({{"a", value}}))) << one.line << " and " << value;
    }
  }
}

TEST(OracleModifiers, Neq) {
  check({{"Other", "{'a|neq': x}", {{"a", "y"}}, true},
         {"Same", "{'a|neq': x}", {{"a", "X"}}, false},
         {"Absent", "{'a|neq': x}", {}, true},
         {"Null", "{'a|neq': x}", {null("a")}, true},
         {"ListIsNoneOfThem", "{'a|neq': [x, y]}", {{"a", "y"}}, false},
         {"ListAndAnother", "{'a|neq': [x, y]}", {{"a", "z"}}, true},
         {"NotAllOfThem", "{'a|contains|all|neq': [x, y]}", {{"a", "x"}}, true},
         {"AllOfThem", "{'a|contains|all|neq': [x, y]}", {{"a", "xy"}}, false},
         {"Contains", "{'a|contains|neq': x}", {{"a", "axb"}}, false},
         {"Expression", "{'a|re|neq': '^x'}", {{"a", "yx"}}, true},
         {"Network", "{'a|cidr|neq': 10.0.0.0/8}", {{"a", "10.1.1.1"}}, false},
         {"NetworkAndNoAddress", "{'a|cidr|neq': 10.0.0.0/8}", {{"a", "host"}}, true},
         {"Comparison", "{'a|gt|neq': 5}", {{"a", "6"}}, false},
         {"ComparisonOfNoNumber", "{'a|gt|neq': 5}", {{"a", "x"}}, true},
         {"PartOfADate", "{'a|hour|neq': 5}", {{"a", "2024-01-01T05:00"}}, false},
         {"PartOfNoDate", "{'a|hour|neq': 5}", {{"a", "5"}}, true},
         {"Reference", "{'a|fieldref|neq': b}", {{"a", "x"}, {"b", "X"}}, false},
         {"ReferenceToNothing", "{'a|fieldref|neq': b}", {{"a", "x"}}, true}});
}

TEST(OracleModifiers, Windash) {
  check_lines({
      {"'a|windash': 'x -f'", {"x -f", "x /f", "x –f", "x —F", "x ―f"}, {"x f", "x +f", "x --f"}},
      {"'a|windash': 'x /f'", {"x -f", "x /f"}, {}},
      {"'a|windash': 'a-b'", {"a-b"}, {"a/b"}},         // behind a word character
      {"'a|windash': 'x - f'", {"x - f"}, {"x / f"}},   // before none
      {"'a|windash': '--f'", {"--f", "-/f"}, {"/-f"}},  // the first stands before a dash
      {"'a|windash': '-é'", {"-é"}, {"/é"}},            // no word character of ASCII
      {"'a|windash': 'é-f'", {"é/f"}, {}},              // and none before it
      {"'a|windash': '-_'", {"/_"}, {}},                // the underscore is one
      {"'a|windash': '-1'", {"/1"}, {}},
      {"'a|windash': '-*'", {"-x"}, {"/x"}},  // a wildcard is none
      {"'a|windash': '*-f'", {"x/f"}, {}},
      {"'a|windash': '-a -b'", {"-a -b", "/a -b", "–a ―b"}, {"/a b"}},
      {"'a|contains|windash': ' -f'", {"x /f y"}, {"x/f"}},
      {"'a|windash|contains|all': [' -f', ' -g']", {"x /f –g"}, {"x /f"}},
      {"'a|windash|cased': '-F'", {"/F"}, {"/f"}},
      {"'a|windash|endswith': '-f'", {"x /f"}, {"/f x"}},
      {"'a|windash|base64': '-f'", {"LWY=", "L2Y="}, {"-f"}},
      {"'a|windash': '-a -b -c -d -e'", {"/a –b —c ―d -e"}, {}},  // 3,125 texts
  });
  check({{"TooMany", "{'a|windash': '-a -b -c -d -e -f'}", "windash"}});
}

TEST(OracleModifiers, Expressions) {
  check_lines({
      {"'a|re': 'b+'", {"abbc"}, {"ac", "aBc"}},
      {"'a|re': '^b'", {"bc"}, {"abc", "a\nb"}},
      {"'a|re': 'b$'", {"ab"}, {"abc", "b\na"}},
      {"'a|re': 'a.b'", {"axb", "aéb"}, {"a\nb", "ab"}},
      {"'a|re': 'a{2,3}'", {"aa"}, {"a"}},
      {"'a|re': '[a-c][^x]'", {"by"}, {"bx", "dy"}},
      {"'a|re': '(ab|cd)e'", {"abe", "cde"}, {"abd"}},
      {"'a|re': '\\.\\*'", {"x.*"}, {"xyz"}},
      {"'a|re': 5", {"15"}, {"1"}},
      {"'a|re|i': 'b+'", {"aBbc"}, {"ac"}},
      {"'a|re|m': '^b$'", {"a\nb\nc"}, {"a\nxb"}},
      {"'a|re|s': 'a.b'", {"a\nb"}, {"ab"}},
      {"'a|re|i|m|s': '^B.c$'", {"a\nb\nc\nd"}, {"ab\nc"}},
      {"'a|re|s|i': 'A.B'", {"a\nb"}, {}},
      {"'a|re': [x, '^y']", {"ax", "y"}, {"ay"}},
      {"'a|re|all': [x, '^y']", {"yx"}, {"x"}},
      {"'a|re|expand': '^%one%$'", {"srv1"}, {"xsrv1", "SRV1"}},
      {"'a|expand|re|i': '^%one%$'", {"SRV1"}, {}},
      {"'a|re|expand': 'x%two%'", {"xsr", "xdc"}, {"dc"}},  // srv* is an expression here
      {"'a|re|expand': '^\\%one%one%$'", {"%onesrv1"}, {"srv1"}},
      {"'a|re': '%one%'", {"%one%"}, {"srv1"}},
  });
  check({{"Number", "{'a|re': '[0-9]'}", {number("a", "5")}, true},
         {"Null", "{'a|re': '.*'}", {null("a")}, false}});
  check({{"LookAround", "{'a|re': '(?=x)'}", "no expression"},
         {"BackReference", "{'a|re': '(x)\\1'}", "no expression"},
         {"NotClosed", "{'a|re': '(x'}", "no expression"},
         {"TooLarge", R"({'a|re': '\pL{1000}'})", "too large"},
         {"Contains", "{'a|re|contains': x}", "contradict"},
         {"ContainsFirst", "{'a|contains|re': x}", "contradict"},
         {"Cased", "{'a|re|cased': x}", "contradict"},
         {"Windash", "{'a|windash|re': x}", "contradict"},
         {"WindashBeforeExpand", "{'a|windash|expand': '-%one%'}", "stands before"},
         {"WindashBehindAnEncoding", "{'a|base64|windash': '-x'}", "stands before"},
         {"TwoEnds", "{'a|startswith|endswith': x}", "only one of"},
         {"WindashAndExpand", "{'a|windash|expand|re': x}", "contradict"},
         {"Base64", "{'a|base64|re': x}", "contradict"},
         {"Cidr", "{'a|re|cidr': x}", "contradict"},
         {"FlagsFirst", "{'a|i|re': x}", "behind 're'"},
         {"FlagsAlone", "{'a|i': x}", "'re'"},
         {"FlagsAndContains", "{'a|contains|i': x}", "contradict"}});
}

TEST(OracleModifiers, Encodings) {
  check_lines({
      {"'a|base64': foobar", {"Zm9vYmFy", "zM9VyMfY"}, {"xZm9vYmFy", "foobar"}},
      {"'a|base64': fooba", {"Zm9vYmE="}, {"Zm9vYmE"}},
      {"'a|base64': foob", {"Zm9vYg=="}, {}},
      {"'a|base64': ''", {""}, {"x"}},
      {"'a|base64|cased': foobar", {"Zm9vYmFy"}, {"zm9vymfy"}},
      {"'a|base64': 'é'", {"w6k="}, {}},
      {R"('a|base64': 'a\*')", {"YSo="}, {}},  // a star
      {R"('a|base64': 'a\\')", {"YVw="}, {}},  // one backslash
      {"'a|base64|contains': foobar", {"xZm9vYmFyx"}, {}},
      {"'a|base64|base64': f", {"Wmc9PQ=="}, {}},
      {"'a|base64offset': foobar", {"Zm9vYmFy", "Zvb2Jhc", "mb29iYX"}, {"xZvb2Jhc", "foobar"}},
      {"'a|base64offset|contains': foobar", {"IGZvb2Jhcg==", "ICBmb29iYXI="}, {"foobar"}},
      {"'a|base64offset|contains': foob", {"Zm9vYx", "xZvb2x", "xmb29ix"}, {"Zm9vX"}},
      {"'a|base64offset|startswith': foobar", {"Zm9vYmFyx"}, {"xZm9vYmFy"}},
      {"'a|base64offset|contains|all': [foobar, bar]", {"Zm9vYmFy"}, {"Zm9v"}},
      {"'a|utf16le': cmd", {"c\0m\0d\0"s, "C\0M\0D\0"s}, {"cmd", "\0c\0m\0d"s}},
      {"'a|wide': cmd", {"c\0m\0d\0"s}, {"cmd"}},
      {"'a|utf16be': cmd", {"\0c\0m\0d"s}, {"c\0m\0d\0"s}},
      {"'a|utf16': cmd", {"\xFF\xFE"s + "c\0m\0d\0"s}, {"c\0m\0d\0"s}},
      {"'a|utf16': 'c*d'",
       {"\xFF\xFE"s + "c\0d\0"s, "\xFF\xFE"s + "c\0xxd\0"s},
       {"\xFF\xFE"s + "c\0\xFF\xFEx\0"s}},
      {"'a': 'cmd'", {"cmd"}, {"cm\0"s, "cmd\0"s}},
      {"'a|wide': 'é'", {"\xE9\0"s}, {"\xC9\0"s}},
      {"'a|wide': '€'", {"\xAC\x20"}, {"\x20\xAC"}},
      {"'a|wide': '𐐷'", {"\x01\xD8\x37\xDC"}, {}},  // a pair of surrogates
      {"'a|utf16be': '𐐷'", {"\xD8\x01\xDC\x37"}, {}},
      {"'a|wide': 'c*d'", {"c\0d\0"s, "c\0mm\0d\0"s}, {"c\0d"s}},
      {"'a|wide|contains': m", {"c\0m\0d\0"s}, {"cmd"}},
      {"'a|wide|base64': cmd", {"YwBtAGQA"}, {}},
      {"'a|utf16be|base64': cmd", {"AGMAbQBk"}, {}},
      {"'a|utf16|base64': cmd", {"//5jAG0AZAA="}, {}},
      {"'a|wide|base64offset|contains': cmd", {"xYwBtAGQAx", "MAbQBkA", "jAG0AZA"}, {"cmd"}},
      {"'a|base64|wide': f", {"Z\0g\0=\0=\0"s}, {}},
      {"'a|expand|base64': '%one%'", {"c3J2MQ=="}, {}},
      {"'a|expand|wide': '%one%'", {"s\0r\0v\0001\0"s}, {}},
  });
  for (const char* encoding : {"base64", "base64offset", "utf16le", "wide", "utf16be", "utf16"}) {
    for (const char* open : {"contains", "startswith", "endswith"}) {
      const std::string name = std::string(open) + "|" + encoding;
      check({{name, "{'a|" + name + "': x}", "nothing may be encoded"}});
      check({{name, "{'a|" + std::string(open) + "|cased|" + encoding + "': x}", "encoded"}});
    }
  }
  check({{"Star", "{'a|base64': 'x*'}", "wildcards"},
         {"Question", "{'a|base64offset|contains': 'x?'}", "wildcards"},
         {"WildcardOfAPlaceholder", "{'a|expand|base64': '%two%'}", "wildcards"},
         {"WideAndWildcard", "{'a|wide|base64': 'x*'}", "wildcards"},
         {"IllFormed", "{'a|expand|wide': '%ill%'}", "UTF-8"},
         {"IllFormedByEncoding", "{'a|wide|utf16be': 'é'}", "UTF-8"}});
}

TEST(OracleModifiers, Comparisons) {
  check_lines({
      {"'a|lt': 5", {"4", "4.99", "-6", "05e-1"}, {"5", "5.0", "6", "x", "", "4 "}},
      {"'a|lte': 5", {"5", "5.0", "4"}, {"5.01", "x"}},
      {"'a|gt': 5", {"6", "5.01", "10", "1e1"}, {"5", "4", "-6", "0x10", "inf"}},
      {"'a|gte': 5", {"5", "05", "50E-1"}, {"4.9", "+6"}},
      {"'a|gt': -5", {"-4", "0", "5"}, {"-5", "-6"}},
      {"'a|lt': -5", {"-6", "-50"}, {"-5", "-4.9", "0"}},
      {"'a|gt': 1.25", {"1.3", "1.251"}, {"1.25", "1.2"}},
      {"'a|gt': 9007199254740992", {"9007199254740993"}, {"9007199254740992"}},
      {"'a|gt': [100, 5]", {"6"}, {"5"}},
      {"'a|lt': 1e3", {"999"}, {"1000"}},
  });
  check({{"Number", "{'a|gt': 5}", {number("a", "6")}, true},
         {"Truth", "{'a|gte': 0}", {truth("a", "true")}, false},
         {"Null", "{'a|lt': 5}", {null("a")}, false},
         {"OneOfSeveral", "{'a|gt': 5}", {{"a", "1"}, {"a", "6"}}, true}});
  check({{"Text", "{'a|gt': x}", "is no number"},
         {"Quoted", "{'a|gt': '5'}", "is no number"},
         {"Two", "{'a|gt|lt': 5}", "two comparisons"},
         {"All", "{'a|gt|all': [5, 6]}", "contradict"},
         {"Contains", "{'a|contains|gt': 5}", "contradict"},
         {"Cased", "{'a|gt|cased': 5}", "contradict"},
         {"Expand", "{'a|expand|gt': 5}", "contradict"},
         {"Exists", "{'a|exists|gt': 5}", "contradict"}});
}

TEST(OracleModifiers, Networks) {
  check_lines({
      {"'a|cidr': 10.0.0.0/8", {"10.0.0.0", "10.255.1.2"}, {"11.0.0.0", "x", "", "10.0.0.0/8"}},
      {"'a|cidr': 10.1.2.3/8", {"10.9.9.9"}, {"11.1.2.3"}},  // host bits do not count
      {"'a|cidr': 192.0.2.128/25", {"192.0.2.200"}, {"192.0.2.127"}},
      {"'a|cidr': 192.0.2.1/32", {"192.0.2.1"}, {"192.0.2.2", "192.0.2.1 ", "::c000:201"}},
      {"'a|cidr': 0.0.0.0/0", {"203.0.113.9", "::ffff:203.0.113.9"}, {"::1"}},
      {"'a|cidr': 2001:db8::/32", {"2001:DB8:1::2", "2001:db8::"}, {"2001:db9::", "fe80::1%1"}},
      {"'a|cidr': '::/0'", {"::1", "2001:db8::"}, {"192.0.2.1", "::ffff:192.0.2.1"}},
      {"'a|cidr': 192.0.2.0/24", {"::ffff:192.0.2.1", "::FFFF:c000:0201"}, {"::ffff:192.0.3.1"}},
      {"'a|cidr': '::ffff:192.0.2.0/120'", {"192.0.2.7", "::ffff:192.0.2.7"}, {"192.0.3.7"}},
      {"'a|cidr': [10.0.0.0/8, 192.0.2.0/24]", {"192.0.2.1"}, {"192.0.3.1"}},
      {"'a|cidr': 10.0.0.0/8", {}, {"10.0.0.1\0x"s, "10.0.1", "010.0.0.1", "10.0.0.256"}},
  });
  check(
      {{"AllOfOneValue", "{'a|cidr|all': [10.0.0.0/8, 10.1.0.0/16]}", {{"a", "10.1.1.1"}}, true},
       {"AllNeedsEach", "{'a|cidr|all': [10.0.0.0/8, 10.1.0.0/16]}", {{"a", "10.2.1.1"}}, false}});
  check({{"TooLong", "{'a|cidr': 10.0.0.0/33}", "network"},
         {"TooLongOfSix", "{'a|cidr': '::/129'}", "network"},
         {"NoLength", "{'a|cidr': 10.0.0.0/}", "network"},
         {"NoSlash", "{'a|cidr': 10.0.0.0}", "network"},
         {"NoAddress", "{'a|cidr': host/8}", "network"},
         {"Star", "{'a|cidr': 10.*}", "network"},
         {"Contains", "{'a|cidr|contains': 10.0.0.0/8}", "contradict"},
         {"Expand", "{'a|cidr|expand': 10.0.0.0/8}", "contradict"}});
}

TEST(OracleModifiers, PartsOfDates) {
  check_lines({
      {"'a|minute': 7", {"2024-02-29T13:07", "2024-02-29 13:07:59"}, {"2024-02-29T07:13"}},
      {"'a|hour': 13", {"2024-02-29T13:07:00.123Z", "2024-02-29 13:07:00+05:30"}, {"13"}},
      {"'a|hour': 0", {"2024-02-29T00:00"}, {"2024-02-29"}},  // a date alone has no hour
      {"'a|minute|gte': 0", {"2024-02-29T00:00"}, {"2024-02-29"}},
      {"'a|day': 29", {"2024-02-29", "2024-02-29T13:07Z"}, {"2023-02-29", "2024-02-28"}},
      {"'a|month': 2", {"2024-02-29"}, {"2024-03-02", "2024-2-29"}},
      {"'a|year': 2024", {"2024-02-29"}, {"2023-12-31", "2024"}},
      {"'a|week': 1",
       {"2024-01-01", "2024-12-30", "2025-01-05", "2015-01-01", "2014-12-29"},
       {"2024-01-08", "2014-12-28"}},
      {"'a|week': 53", {"2020-12-31", "2021-01-03"}, {"2021-01-04", "2024-12-31"}},
      {"'a|week': 52", {"2022-01-01", "2023-01-01"}, {"2023-01-02"}},
      {"'a|hour|gte': 22", {"2024-01-01T22:00", "2024-01-01T23:59"}, {"2024-01-01T21:59"}},
      {"'a|hour|lt': 6", {"2024-01-01T05:59"}, {"2024-01-01T06:00", "2024-01-01"}},
      {"'a|day|gt': 30", {"2024-01-31"}, {"2024-01-30", "x"}},
      {"'a|month|lte': 2", {"2024-02-01"}, {"2024-03-01"}},
      {"'a|hour': [1, 2]", {"2024-01-01T02:00"}, {"2024-01-01T03:00"}},
      {"'a|hour': 5.0", {"2024-01-01T05:00"}, {}},
      {"'a|hour': 05", {"2024-01-01T05:00"}, {}},
      // Nothing is converted between time zones.
      {"'a|hour': 23", {"2024-01-01T23:00-08:00", "2024-01-01T23:00:00.5+00:00"}, {}},
      {"'a|year': 2024",
       {},
       {"2024-01-01T", "2024-01-01T24:00", "2024-01-01T10:60", "2024-01-01T10", "2024-01-01 10:00x",
        "2024-01-01T10:00:00.", "2024-01-01T10:00+0100", "2024-01-01T10:00 Z", " 2024-01-01",
        "2024-01-01Z", "2024-13-01", "2024-00-01", "2024-01-00", "2024-04-31", "2024-01-01t10:00",
        "2024-01-01T10:00z", "20240101", "02024-01-01", "2024-01-01  10:00"}},
  });
  check({{"Null", "{'a|year': 2024}", {null("a")}, false},
         {"OneOfSeveral", "{'a|year': 2024}", {{"a", "x"}, {"a", "2024-01-01"}}, true}});
  check({{"Text", "{'a|hour': x}", "is no number"},
         {"Quoted", "{'a|hour': '5'}", "is no number"},
         {"ComparisonFirst", "{'a|gt|hour': 5}", "contradict"},
         {"Two", "{'a|hour|day': 5}", "two parts"},
         {"All", "{'a|hour|all': [5, 6]}", "contradict"},
         {"Contains", "{'a|hour|contains': 5}", "contradict"}});
}

TEST(OracleModifiers, Expand) {
  check_lines({
      {"'a|expand': '%one%'", {"srv1", "SRV1"}, {"%one%", "srv2"}},
      {"'a|expand': 'x%one%y'", {"xsrv1y"}, {"srv1"}},
      {"'a|expand': '%two%'", {"srv77", "dc"}, {"dc1"}},  // the values may hold wildcards
      {"'a|expand': '%two%-%two%'", {"dc-dc", "dc-srv1", "srv-dc"}, {"dc"}},
      {"'a|expand': '%one%%one%'", {"srv1srv1"}, {}},
      {R"('a|expand': '\%plain%one%')", {"%plainsrv1"}, {"srv1"}},
      {R"('a|expand': '\%one\%')", {"%one%"}, {"srv1"}},
      {R"('a|expand': '\\%one%')", {R"(\srv1)"}, {"%one%"}},
      {"'a|expand': '100%'", {"100%"}, {}},
      {"'a|expand': 'plain'", {"plain"}, {}},
      {"'a': '%one%'", {"%one%"}, {"srv1"}},
      {R"('a': '\%one%')", {R"(\%one%)"}, {"%one%"}},
      {"'a|expand|contains': '%one%'", {"xsrv1y"}, {}},
      {"'a|contains|expand': '%one%'", {"xsrv1y"}, {}},
      {"'a|expand|cased': '%one%'", {"srv1"}, {"SRV1"}},
      {"'a|expand|windash': '-%one%'", {"/srv1"}, {}},
      {"'a|expand|windash': '-%one%'", {"-srv1", "/srv1"}, {"srv1"}},
      {"'a|expand|contains|all': ['%two%', x]", {"dcx"}, {"x"}},
      {"'a|expand': '%ten%%ten%%ten%%ten%'", {"1234"}, {"123"}},  // 10,000 texts
  });
  check({{"TooMany", "{'a|expand': '%ten%%ten%%ten%%ten%%two%'}", "10000"},
         {"Unknown", "{'a|expand': '%other%'}", "has no values"},
         {"NoValues", "{'a|expand': '%none%'}", "has no values"},
         {"UnknownInAnExpression", "{'a|re|expand': '%other%'}", "has no values"},
         {"UnknownForKeywords", "{'|expand': '%other%'}", "has no values"}});
}

TEST(OracleModifiers, References) {
  const auto both = [](const std::string& a, const std::string& b) {
    return std::vector<Told>{{"a", a}, {"b", b}};
  };
  check({{"Same", "{'a|fieldref': b}", both("x", "X"), true},
         {"Other", "{'a|fieldref': b}", both("x", "y"), false},
         {"Cased", "{'a|fieldref|cased': b}", both("x", "X"), false},
         {"CasedSame", "{'a|cased|fieldref': b}", both("X", "X"), true},
         {"AsTextNotAsNumber", "{'a|fieldref': b}", {number("a", "1"), number("b", "1.0")}, false},
         {"NumberAndText", "{'a|fieldref': b}", {number("a", "1"), {"b", "1"}}, true},
         {"Contains", "{'a|fieldref|contains': b}", both("abc", "B"), true},
         {"ContainsFirst", "{'a|contains|fieldref': b}", both("abc", "B"), true},
         {"ContainsIsNotTheOtherWay", "{'a|fieldref|contains': b}", both("b", "abc"), false},
         {"Startswith", "{'a|fieldref|startswith': b}", both("abc", "AB"), true},
         {"StartswithNot", "{'a|fieldref|startswith': b}", both("abc", "bc"), false},
         {"Endswith", "{'a|fieldref|endswith': b}", both("abc", "bc"), true},
         {"EndswithNot", "{'a|fieldref|endswith': b}", both("abc", "ab"), false},
         {"ContainsCased", "{'a|fieldref|contains|cased': b}", both("abc", "B"), false},
         {"PlainText", "{'a|fieldref': b}", both("axc", "a*c"), false},
         {"PlainBackslash", "{'a|fieldref': b}", both(R"(a\*)", R"(a\*)"), true},
         {"Absent", "{'a|fieldref': b}", {{"a", "x"}}, false},
         {"BothAbsent", "{'a|fieldref': b}", {}, false},
         {"BothNull", "{'a|fieldref': b}", {null("a"), null("b")}, false},
         {"NullAndEmpty", "{'a|fieldref': b}", {null("a"), {"b", ""}}, false},
         {"BothEmpty", "{'a|fieldref': b}", both("", ""), true},
         {"AnyOfSeveral",
          "{'a|fieldref': b}",
          {{"a", "x"}, {"a", "y"}, {"b", "z"}, {"b", "y"}},
          true},
         {"List", "{'a|fieldref': [b, c]}", {{"a", "x"}, {"c", "x"}}, true},
         {"ListAll", "{'a|fieldref|all': [b, c]}", {{"a", "x"}, {"c", "x"}}, false},
         {"SpacesInTheName", "{'a|fieldref': b c}", {{"a", "x"}, {"bc", "x"}}, true}});
  check({{"Wildcard", "{'a|fieldref': 'b*'}", "wildcards"},
         {"Windash", "{'a|fieldref|windash': b}", "contradict"},
         {"Base64", "{'a|base64|fieldref': b}", "contradict"},
         {"Expand", "{'a|expand|contains|fieldref': b}", "contradict"},
         {"Re", "{'a|fieldref|re': b}", "contradict"},
         {"Cidr", "{'a|fieldref|cidr': b}", "contradict"}});
}

TEST(OracleModifiers, ExistsAndAllAndWhatIsNotKnown) {
  check({{"Text", "{'a|exists': 'true'}", "true or false"},
         {"Word", "{'a|exists': x}", "true or false"},
         {"Null", "{'a|exists': null}", "true or false"},
         {"List", "{'a|exists': [true, false]}", "true or false"},
         {"Neq", "{'a|exists|neq': true}", "contradict"},
         {"All", "{'a|exists|all': [true, true]}", "contradict"},
         {"Contains", "{'a|exists|contains': true}", "contradict"},
         {"Cased", "{'a|exists|cased': true}", "contradict"},
         {"AllOfOne", "{'a|all': x}", "'all'"},
         {"AllOfOneInAList", "{'a|contains|all': [x]}", "'all'"},
         {"Unknown", "{'a|like': x}", "no modifier 'like'"},
         {"UnknownByCase", "{'a|Contains': x}", "no modifier 'Contains'"},
         {"Empty", "{'a|': x}", "no modifier ''"},
         {"CasedCidr", "{'a|cased|cidr': 10.0.0.0/8}", "contradict"},
         {"CasedHour", "{'a|cased|hour': 5}", "contradict"}});
}

}  // namespace
}  // namespace mailwarden::oracle
