// Cedar's extension values: which texts are one and which not, by the rules of the formal model
// (Cedar.Spec.Ext) and the examples of Cedar 4.5, "Operators and functions".
#include "policy/extension.h"

#include <gtest/gtest.h>

namespace mailwarden::policy {
namespace {

using Numbers = std::vector<std::pair<const char*, std::int64_t>>;
using Texts = std::vector<const char*>;

TEST(Extension, Decimals) {
  const Numbers cases{{"0.0", 0},
                      {"-0.0", 0},
                      {"1.0", 10'000},
                      {"1.5", 15'000},
                      {"1.05", 10'500},
                      {"1.2345", 12'345},
                      {"-1.2345", -12'345},
                      {"-0.5", -5'000},
                      {"12345.1234", 123'451'234},
                      {"007.1", 71'000},
                      {"0.0001", 1},
                      {"922337203685477.5807", INT64_MAX},
                      {"-922337203685477.5808", INT64_MIN}};
  for (const auto& [text, value] : cases) EXPECT_EQ(read_decimal(text), value) << text;
  for (const char* text : Texts{"",
                                "-",
                                ".",
                                "-.",
                                "1",
                                "1234",
                                "1.",
                                ".1",
                                "-.1",
                                "1.0.",
                                "1.0.0",
                                "1.a",
                                "a.1",
                                "+1.0",
                                " 1.0",
                                "1.0 ",
                                "1 .0",
                                "1.-1",
                                "1.+1",
                                "--1.0",
                                "1e3.0",
                                "1_0.0",
                                "0x1.0",
                                "0.12345",
                                "1.00000",
                                "1000000000000000.0",
                                "922337203685477.5808",
                                "-922337203685477.5809",
                                "99999999999999999999.0"}) {
    EXPECT_EQ(read_decimal(text), std::nullopt) << text;
  }
}

TEST(Extension, DecimalsAreWrittenAsShortAsTheyAreReadAgain) {
  const std::vector<std::pair<std::int64_t, const char*>> cases{
      {0, "0.0"},
      {10'000, "1.0"},
      {15'000, "1.5"},
      {1, "0.0001"},
      {-1, "-0.0001"},
      {-12'300, "-1.23"},
      {INT64_MAX, "922337203685477.5807"},
      {INT64_MIN, "-922337203685477.5808"}};
  for (const auto& [value, text] : cases) EXPECT_EQ(decimal_text(value), text);
}

TEST(Extension, Addresses) {
  const std::vector<std::pair<const char*, const char*>> same{
      {"127.0.0.1", "127.0.0.1/32"},
      {"::1", "0:0:0:0:0:0:0:1"},
      {"::1", "::1/128"},
      {"::", "0:0:0:0:0:0:0:0"},
      {"1::", "1:0:0:0:0:0:0:0"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"1::8", "1:0:0:0:0:0:0:8"},
      {"ABCD::EF", "abcd::ef"},
      {"0001::0a", "1::a"},
      {"1:2:3:4::/48", "1:2:3:4:0:0:0:0/48"}};
  for (const auto& [one, other] : same) {
    ASSERT_TRUE(read_ip(one)) << one;
    EXPECT_EQ(read_ip(one), read_ip(other)) << one;
  }
  for (const char* text : Texts{"0.0.0.0", "255.255.255.255", "0.0.0.0/0", "10.0.0.0/32", "::/0",
                                "::/128", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"}) {
    const auto range = read_ip(text);
    ASSERT_TRUE(range) << text;
    EXPECT_EQ(read_ip(ip_text(*range)), range) << text;
  }
  EXPECT_NE(read_ip("192.168.0.1/24"), read_ip("192.168.0.8/24"));
  EXPECT_NE(read_ip("127.0.0.1"), read_ip("127.0.0.1/31"));
  EXPECT_NE(read_ip("0.0.0.1"), read_ip("::1"));
}

TEST(Extension, TextsThatAreNoAddress) {
  for (const char* text : Texts{"",
                                "/",
                                "/8",
                                "127.0.0",
                                "127.0.0.1.",
                                "127.0.0.1.2",
                                ".127.0.0.1",
                                "127..0.1",
                                "380.0.0.1",
                                "127.0.0.256",
                                "127.0.0.01",
                                "127.0.0.00",
                                "127.0.0.1/",
                                "127.0.0.1/33",
                                "127.0.0.1/08",
                                "127.0.0.1/032",
                                "127.0.0.1/8/24",
                                "127.0.0.1/-1",
                                "127.0.0.1/+8",
                                "127.0.0.1/a",
                                " 127.0.0.1",
                                "127.0.0.1 ",
                                "127.0.0.1\n",
                                "+127.0.0.1",
                                "0x7f.0.0.1",
                                "ab.ab.ab.ab",
                                "2130706433",
                                ":",
                                ":::",
                                "::1::",
                                "1::2::3",
                                "1:::2",
                                ":1",
                                "1:",
                                ":1::",
                                "1::2:",
                                "1:2:3:4:5:6:7",
                                "1:2:3:4:5:6:7:8:9",
                                "1:2:3:4:5:6:7:8::",
                                "::1:2:3:4:5:6:7:8",
                                "1:2:3:4::5:6:7:8",
                                "12345::",
                                "g::1",
                                "fzz::1",
                                "-1::",
                                "::1/129",
                                "::1/0128",
                                "::1/01",
                                "::1/",
                                "fee::/64::1",
                                "::ffff:127.0.0.1",
                                "fe80::1%eth0",
                                "::1 ",
                                "[::1]",
                                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/1280"}) {
    EXPECT_EQ(read_ip(text), std::nullopt) << text;
  }
}

struct Range {
  const char* inner;
  const char* outer;
  bool holds;
};

TEST(Extension, RangesWithinRanges) {
  const std::vector<Range> cases{{"10.0.0.1", "10.0.0.0/8", true},
                                 {"10.255.255.255", "10.0.0.0/8", true},
                                 {"11.0.0.0", "10.0.0.0/8", false},
                                 {"9.255.255.255", "10.0.0.0/8", false},
                                 {"10.0.0.0/8", "10.0.0.0/8", true},
                                 {"10.0.0.0/9", "10.0.0.0/8", true},
                                 {"10.0.0.0/8", "10.0.0.0/9", false},
                                 {"10.0.0.0/7", "10.0.0.0/8", false},
                                 {"10.0.0.255/24", "10.0.0.1/24", true},
                                 {"10.0.0.128", "10.0.0.128/25", true},
                                 {"10.0.0.127", "10.0.0.128/25", false},
                                 {"255.255.255.255", "255.255.255.254/31", true},
                                 {"255.255.255.253", "255.255.255.254/31", false},
                                 {"1.2.3.4", "9.9.9.9/0", true},
                                 {"0.0.0.0/0", "255.0.0.0/0", true},
                                 {"0.0.0.0/0", "0.0.0.0/1", false},
                                 {"127.0.0.1", "::/0", false},
                                 {"::1", "0.0.0.0/0", false},
                                 {"::1", "::/0", true},
                                 {"2001:db8::1", "2001:db8::/32", true},
                                 {"2001:db9::1", "2001:db8::/32", false},
                                 {"2001:db9::1", "2001:db8::/31", true},
                                 {"::1", "::1/128", true},
                                 {"::2", "::1/128", false}};
  for (const auto& [inner, outer, holds] : cases) {
    EXPECT_EQ(is_in_range(*read_ip(inner), *read_ip(outer)), holds) << inner << " in " << outer;
  }
}

TEST(Extension, LoopbackAndMulticast) {
  const std::vector<std::pair<const char*, bool>> loopback{{"127.0.0.0", true},
                                                           {"127.255.255.255", true},
                                                           {"127.0.0.0/8", true},
                                                           {"127.0.0.0/7", false},
                                                           {"126.255.255.255", false},
                                                           {"128.0.0.0", false},
                                                           {"0.0.0.0/0", false},
                                                           {"::1", true},
                                                           {"::1/127", false},
                                                           {"::2", false},
                                                           {"::", false}};
  for (const auto& [text, is] : loopback) EXPECT_EQ(is_loopback(*read_ip(text)), is) << text;
  const std::vector<std::pair<const char*, bool>> multicast{
      {"224.0.0.0", true},    {"239.255.255.255", true}, {"224.0.0.0/4", true},
      {"224.0.0.0/3", false}, {"240.0.0.0", false},      {"223.255.255.255", false},
      {"ff00::", true},       {"ffff::1", true},         {"ff00::/8", true},
      {"ff00::/7", false},    {"feff::", false},         {"::1", false}};
  for (const auto& [text, is] : multicast) EXPECT_EQ(is_multicast(*read_ip(text)), is) << text;
}

TEST(Extension, Datetimes) {
  const Numbers cases{{"1970-01-01", 0},
                      {"1970-01-02", 86'400'000},
                      {"1969-12-31", -86'400'000},
                      {"1969-12-31T23:59:59.999Z", -1},
                      {"2024-02-29", 1'709'164'800'000},
                      {"2000-02-29", 951'782'400'000},
                      {"2024-10-15T11:35:00Z", 1'728'992'100'000},
                      {"2024-10-15T11:35:00.000Z", 1'728'992'100'000},
                      {"2024-10-15T11:35:00.123Z", 1'728'992'100'123},
                      {"2024-10-15T11:35:00+0100", 1'728'988'500'000},
                      {"2024-10-15T11:35:00-0130", 1'728'997'500'000},
                      {"2024-10-15T11:35:00.000+0000", 1'728'992'100'000},
                      {"2024-10-15T11:35:00-0000", 1'728'992'100'000},
                      {"1970-01-01T00:00:00-2359", 86'340'000},
                      {"0000-01-01", -62'167'219'200'000},
                      {"0000-02-29", -62'162'121'600'000},
                      {"9999-12-31", 253'402'214'400'000},
                      // The first and the last, as the documentation says.
                      {"0000-01-01T00:00:00+2359", -62'167'305'540'000},
                      {"9999-12-31T23:59:59-2359", 253'402'387'139'000}};
  for (const auto& [text, value] : cases) EXPECT_EQ(read_datetime(text), value) << text;
  for (const char* text : Texts{"",
                                "2022-10-10 ",
                                " 2022-10-10",
                                "2024-10-15Z",
                                "2024-10-15T",
                                "2024-10-15T11:38:02ZZ",
                                "2024-01-01T01:02",
                                "2024-01-01T01:02Z",
                                "2024-01-01T00:00:00",
                                "2016-12-31T23:59:60.000Z",
                                "2016-12-31T23:59:60Z",
                                "2024-01-01T24:00:00Z",
                                "2024-01-01T23:60:00Z",
                                "2023-02-29",
                                "1900-02-29",
                                "2100-02-29",
                                "2024-04-31",
                                "2024-01-32",
                                "2024-01-00",
                                "2024-00-01",
                                "2024-13-01",
                                "24-01-01",
                                "02024-01-01",
                                "20240101",
                                "2024-1-1",
                                "2024/01/01",
                                "-001-01-01",
                                "+2024-01-01",
                                "2024-01-01t00:00:00Z",
                                "2024-01-01T00:00:00z",
                                "2024-01-01 00:00:00Z",
                                "2024-01-01T00:00:00.Z",
                                "2024-01-01T00:00:00.0Z",
                                "2024-01-01T00:00:00.0000Z",
                                "2024-01-01T00:00:00,000Z",
                                "2024-01-01T00:00:00+2400",
                                "2024-01-01T00:00:00+2360",
                                "2024-01-01T00:00:00+0060",
                                "2024-01-01T00:00:00+01:00",
                                "2024-01-01T00:00:00+01",
                                "2024-01-01T00:00:00+01000",
                                "2024-01-01T00:00:00+ 100",
                                "2024-01-01T+1:00:00Z",
                                "2024-01-01T0:00:00Z"}) {
    EXPECT_EQ(read_datetime(text), std::nullopt) << text;
  }
}

TEST(Extension, Durations) {
  const Numbers cases{{"0ms", 0},
                      {"-0ms", 0},
                      {"1ms", 1},
                      {"1s", 1000},
                      {"1m", 60'000},
                      {"1h", 3'600'000},
                      {"1d", 86'400'000},
                      {"2h30m", 9'000'000},
                      {"-1d12h", -129'600'000},
                      {"1h30m45s", 5'445'000},
                      {"1d2h3m4s5ms", 93'784'005},
                      {"-1d2h3m4s5ms", -93'784'005},
                      {"1d5ms", 86'400'005},
                      {"90m", 5'400'000},
                      {"0001s", 1000},
                      {"9223372036854775807ms", INT64_MAX},
                      {"-9223372036854775808ms", INT64_MIN},
                      {"106751991167d7h12m55s807ms", INT64_MAX},
                      {"-106751991167d7h12m55s808ms", INT64_MIN}};
  for (const auto& [text, value] : cases) EXPECT_EQ(read_duration(text), value) << text;
  for (const char* text : Texts{"",
                                "-",
                                "1",
                                "d",
                                "ms",
                                "1x",
                                "1D",
                                "1MS",
                                "1d2h3m4s5ms ",
                                " 1d",
                                "1d 2h",
                                "1d2h3m4s5ms6",
                                "1s1d",
                                "1s1s",
                                "1ms1s",
                                "1h1d",
                                "1hms",
                                "--1h",
                                "+1h",
                                "1.5h",
                                "1d-2h",
                                "-",
                                "-d",
                                "9223372036854775808ms",
                                "-9223372036854775809ms",
                                "1d9223372036854775807ms",
                                "106751991168d",
                                "-106751991168d",
                                "106751991167d7h12m55s808ms",
                                "-106751991167d7h12m55s809ms",
                                "99999999999999999999ms"}) {
    EXPECT_EQ(read_duration(text), std::nullopt) << text;
  }
}

TEST(Extension, DatesAndTimesOfDayOfEverySide) {
  constexpr std::int64_t day = 86'400'000;
  struct Case {
    std::int64_t datetime;
    std::int64_t date;
    std::int64_t time;
  };
  const std::vector<Case> cases{{0, 0, 0},
                                {1, 0, 1},
                                {day - 1, 0, day - 1},
                                {day, day, 0},
                                {-1, -day, day - 1},
                                {-day, -day, 0},
                                {-day - 1, -2 * day, day - 1},
                                {-day + 1, -day, 1},
                                {INT64_MAX, 9'223'372'036'828'800'000, 25'975'807}};
  for (const auto& [datetime, date, time] : cases) {
    EXPECT_EQ(date_of(datetime), date) << datetime;
    EXPECT_EQ(time_of_day(datetime), time) << datetime;
  }
  EXPECT_EQ(date_of(INT64_MIN), std::nullopt);  // its day began before the smallest number
  EXPECT_EQ(time_of_day(INT64_MIN), 60'424'192);
}

TEST(Extension, WhatIsWrittenIsReadAgain) {
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{123'456'789},
                                   std::int64_t{-62'167'219'200'000},
                                   std::int64_t{253'402'300'799'999}, INT64_MAX, INT64_MIN}) {
    EXPECT_EQ(read_decimal(decimal_text(value)), value);
    EXPECT_EQ(read_duration(duration_text(value)), value);
  }
  EXPECT_EQ(datetime_source(0), R"(datetime("1970-01-01T00:00:00.000Z"))");
  EXPECT_EQ(datetime_source(-1), R"(datetime("1969-12-31T23:59:59.999Z"))");
  EXPECT_EQ(datetime_source(-62'167'219'200'000), R"(datetime("0000-01-01T00:00:00.000Z"))");
  EXPECT_EQ(datetime_source(253'402'300'799'999), R"(datetime("9999-12-31T23:59:59.999Z"))");
  // Beyond the years that can be written.
  for (const std::int64_t value : {std::int64_t{-62'167'219'200'001},
                                   std::int64_t{253'402'300'800'000}, INT64_MAX, INT64_MIN}) {
    EXPECT_EQ(datetime_source(value),
              R"(datetime("1970-01-01").offset(duration(")" + std::to_string(value) + R"(ms")))");
  }
}

TEST(Extension, FunctionsAreFoundByTheirNames) {
  for (std::uint8_t at = 0; at <= static_cast<std::uint8_t>(Function::to_days); ++at) {
    const FunctionInfo& info = info_of(static_cast<Function>(at));
    EXPECT_EQ(find_function(info.name), &info);
    EXPECT_EQ(info.is_constructor,
              info.name == to_string(info.result) || info.function == Function::ip)
        << info.name;
  }
  EXPECT_EQ(find_function("contains"), nullptr);
  EXPECT_EQ(find_function(""), nullptr);
}

}  // namespace
}  // namespace mailwarden::policy
