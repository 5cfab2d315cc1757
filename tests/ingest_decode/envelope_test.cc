// Times, hosts and program names around a message.
#include <gtest/gtest.h>

#include "ingest/decode/zone.h"
#include "tests/ingest_decode/decode_fixture.h"

namespace mailwarden::ingest {
namespace {

std::string time_of(std::string_view line, const DecodeOptions& options,
                    std::string_view received) {
  const Event event = decode_line(line, options, at(received));
  return event.undecoded.empty() ? to_rfc3339(event.time) : event.undecoded;
}

struct YearCase {
  const char* name;
  const char* stamp;
  const char* received;
  const char* expected;
};

class ArrivalYear : public testing::TestWithParam<YearCase> {};

TEST_P(ArrivalYear, IsTheNearestThatIsNotMoreThanADayAhead) {
  const auto& [name, stamp, received, expected] = GetParam();
  EXPECT_EQ(time_of(std::string(stamp) + " host app[1]: x", {}, received), expected);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ArrivalYear,
    testing::Values(
        YearCase{"TheSameDay", "Nov 24 02:20:01", "2026-11-24T12:00:00Z",
                 "2026-11-24T02:20:01.000000Z"},
        YearCase{"LastYearsDecemberReadInJanuary", "Dec 31 23:59:59", "2026-01-01T00:00:05Z",
                 "2025-12-31T23:59:59.000000Z"},
        YearCase{"NextYearsFirstMinuteWhenOurClockIsLate", "Jan  1 00:00:10",
                 "2025-12-31T23:59:50Z", "2026-01-01T00:00:10.000000Z"},
        YearCase{"ADayAheadIsAClockGoneWrong", "Nov 25 12:00:00", "2026-11-24T12:00:00Z",
                 "2026-11-25T12:00:00.000000Z"},
        YearCase{"MoreThanADayAheadIsLastYear", "Nov 25 12:00:01", "2026-11-24T12:00:00Z",
                 "2025-11-25T12:00:01.000000Z"},
        YearCase{"LeapDayIsOfTheLastLeapYear", "Feb 29 10:00:00", "2026-11-24T12:00:00Z",
                 "2024-02-29T10:00:00.000000Z"},
        YearCase{"LeapDayAcrossACenturyWithoutOne", "Feb 29 10:00:00", "1903-03-01T00:00:00Z",
                 "1896-02-29T10:00:00.000000Z"},
        YearCase{"TheLastYearThereIs", "Dec 31 23:59:59", "9999-12-31T23:59:59Z",
                 "9999-12-31T23:59:59.000000Z"},
        YearCase{"TheFirstYearThereIs", "Jan  1 00:00:01", "0000-01-02T00:00:00Z",
                 "0000-01-01T00:00:01.000000Z"},
        YearCase{"BeforeTheFirstYear", "Dec 31 00:00:01", "0000-01-02T00:00:00Z",
                 "the time 'Dec 31 00:00:01' does not exist in any year near that of its arrival"},
        YearCase{"NoSuchDay", "Feb 30 10:00:00", "2026-11-24T12:00:00Z",
                 "the time 'Feb 30 10:00:00' does not exist in any year near that of its "
                 "arrival"}),
    [](const auto& info) { return info.param.name; });

TEST(FixedYear, IsTakenAsTold) {
  const DecodeOptions leap{.year = {.fixed = 2004}};
  EXPECT_EQ(time_of("Feb 29 10:00:00 h a: x", leap, "2026-11-24T12:00:00Z"),
            "2004-02-29T10:00:00.000000Z");
  const DecodeOptions common{.year = {.fixed = 2005}};
  EXPECT_EQ(time_of("Feb 29 10:00:00 h a: x", common, "2026-11-24T12:00:00Z"),
            "the time 'Feb 29 10:00:00' does not exist in the year 2005");
  EXPECT_EQ(time_of("Dec 10 2004 06:55:46 h a: x", common, "2026-11-24T12:00:00Z"),
            "2004-12-10T06:55:46.000000Z");
}

TEST(FixedYear, EndsOfTheCalendarNeitherCrashNorWrap) {
  for (const char* zone : {"UTC", "Europe/Amsterdam", "America/New_York", "Pacific/Kiritimati"}) {
    const DecodeOptions first{.zone = zone, .year = {.fixed = 0}};
    const DecodeOptions last{.zone = zone, .year = {.fixed = 9999}};
    const Event a = decode_line("Jan  1 00:00:00 h app: x", first);
    const Event b = decode_line("Dec 31 23:59:60 h app: x", last);
    EXPECT_GE(a.time, Timestamp::earliest) << zone;
    EXPECT_LT(a.time, at("0000-01-02T00:00:00Z")) << zone;
    EXPECT_LE(b.time, Timestamp::latest) << zone;
    EXPECT_GT(b.time, at("9999-12-30T00:00:00Z")) << zone;
  }
}

TEST(Zones, LocalTimesAreReadByTheirZone) {
  const DecodeOptions amsterdam{.zone = "Europe/Amsterdam", .year = {.fixed = 2026}};
  const auto read = [&](const char* stamp) {
    return time_of(std::string(stamp) + " h app: x", amsterdam, "2026-11-24T12:00:00Z");
  };
  EXPECT_EQ(read("Jan 15 12:00:00"), "2026-01-15T11:00:00.000000Z");
  EXPECT_EQ(read("Jul 15 12:00:00"), "2026-07-15T10:00:00.000000Z");
  // 29 March 02:30 never was: clocks went from 02:00 to 03:00. The later offset reads it earlier.
  EXPECT_EQ(read("Mar 29 02:30:00"), "2026-03-29T00:30:00.000000Z");
  EXPECT_EQ(read("Mar 29 03:00:00"), "2026-03-29T01:00:00.000000Z");
  EXPECT_EQ(read("Mar 29 01:59:59"), "2026-03-29T00:59:59.000000Z");
  // 25 October 02:30 was twice; the first of them is taken.
  EXPECT_EQ(read("Oct 25 02:30:00"), "2026-10-25T00:30:00.000000Z");
  EXPECT_EQ(read("Oct 25 03:00:00"), "2026-10-25T02:00:00.000000Z");
}

TEST(Zones, WestOfGreenwichToo) {
  const Zone zone = Zone::make("America/New_York").value();
  EXPECT_EQ(to_rfc3339(zone.to_utc(at("2026-07-01T00:00:00Z"))), "2026-07-01T04:00:00.000000Z");
  EXPECT_EQ(to_rfc3339(zone.to_utc(at("2026-03-08T02:30:00Z"))), "2026-03-08T06:30:00.000000Z");
  EXPECT_EQ(to_rfc3339(zone.to_utc(at("2026-11-01T01:30:00Z"))), "2026-11-01T05:30:00.000000Z");
  EXPECT_EQ(zone.to_local(at("2026-07-01T04:00:00Z")), at("2026-07-01T00:00:00Z"));
}

TEST(Zones, UnknownNamesAreRefusedWithAllOtherMistakes) {
  const auto refused = DecoderSet::make({{"a", {.decoder = "morse", .zone = "Mars/Olympus"}},
                                         {"b", {.decoder = "json", .year = {.fixed = 10'000}}}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  for (const char* part : {"source 'a': there is no decoder 'morse' (there are auto, syslog, ",
                           "source 'a': the time zone database has no zone 'Mars/Olympus'",
                           "source 'b': the year 10000 is not between 0 and 9999",
                           "source 'b': the decoder json needs a mapping"}) {
    EXPECT_NE(refused.error().what.find(part), std::string::npos) << refused.error().what;
  }
}

TEST(Sources, HaveTheirOwnSettings) {
  const DecoderSet set =
      DecoderSet::make({{"test", {.zone = "Asia/Tokyo", .year = {.fixed = 2020}}}},
                       {.year = {.fixed = 2010}})
          .value();
  RawRecord record = record_of("Jan  1 12:00:00 h app: x");
  EXPECT_EQ(to_rfc3339(decode(record, set).time), "2020-01-01T03:00:00.000000Z");
  record.source = "another";
  EXPECT_EQ(to_rfc3339(decode(record, set).time), "2010-01-01T12:00:00.000000Z");
}

TEST(Tags, AreTakenApart) {
  struct Case {
    const char* line;
    const char* program;
    const char* pid;
    const char* decoder;
    const char* service;
  };
  const Case cases[] = {
      {"Nov 24 02:00:00 h /usr/sbin/cron[12]: (a) CMD (b)", "/usr/sbin/cron", "12", "cron", "cron"},
      {"Nov 24 02:00:00 h postfix-out/smtp[9]: x", "postfix-out/smtp", "9", "postfix", "postfix"},
      {"Nov 24 02:00:00 h SSHD[1]: x", "SSHD", "1", "sshd", "sshd"},
      {"Nov 24 02:00:00 h rpc.statd[1618]: x", "rpc.statd", "1618", "syslog", "rpc.statd"},
      {"Nov 24 02:00:00 h a::b[1]: x", "a::b", "1", "syslog", "a::b"},
      {"Nov 24 02:00:00 h app[x]: y", "app", "", "syslog", "app"},
      {"Nov 24 02:00:00 h app", "app", "", "syslog", "app"},
      {"Nov 24 02:00:00 h app[007]: y", "app", "007", "syslog", "app"},
      {"Nov 24 02:00:00 h", "h", "", "syslog", "h"},
  };
  for (const Case& one : cases) {
    const Event event = decode_line(one.line);
    EXPECT_EQ(event.undecoded, "") << one.line;
    EXPECT_EQ(field(event, "program"), one.program) << one.line;
    EXPECT_EQ(field(event, "pid"), one.pid) << one.line;
    EXPECT_EQ(event.decoder, one.decoder) << one.line;
    EXPECT_EQ(event.logsource.service, one.service) << one.line;
  }
}

TEST(NamedDecoders, ReadWhatTheyAreToldToRead) {
  const char* const line =
      "Nov 24 02:00:00 h gate[1]: Failed password for a from 192.0.2.1 port 2 ssh2";
  EXPECT_EQ(decode_line(line).decoder, "syslog");
  const Event told = decode_as("sshd", line);
  EXPECT_EQ(told.decoder, "sshd");
  EXPECT_EQ(told.ocsf.src_ip, "192.0.2.1");
  EXPECT_EQ(decode_as("syslog", "{\"a\":1}").undecoded,
            "no syslog time stamp at the beginning: '{\"a\":1}'");
  EXPECT_EQ(decode_as("nginx_access", "x").undecoded.substr(0, 26), "not an access log line (ad");
  const Event nginx = decode_as("nginx_access",
                                "192.0.2.1 - - [24/Nov/2026:02:26:01 +0100] \"GET / "
                                "HTTP/1.1\" 200 612 \"-\" \"-\"");
  EXPECT_EQ(nginx.logsource.product, "nginx");
  EXPECT_EQ(nginx.logsource.category, "webserver");
}

TEST(NamedDecoders, AllHaveANameAndSayWhatTheyRead) {
  for (const DecoderEntry& entry : decoders()) {
    EXPECT_FALSE(entry.name.empty());
    EXPECT_FALSE(entry.reads.empty());
    EXPECT_NE(entry.record == nullptr, entry.message == nullptr) << entry.name;
  }
  EXPECT_GE(decoders().size(), 20U);
}

}  // namespace
}  // namespace mailwarden::ingest
