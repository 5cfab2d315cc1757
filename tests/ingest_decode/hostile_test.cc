// Records that an attacker wrote, in whole or in part.
#include <algorithm>
#include <filesystem>
#include <random>

#include <gtest/gtest.h>

#include "base/text.h"
#include "tests/ingest_decode/decode_fixture.h"

namespace mailwarden::ingest {
namespace {

// Whatever came in, this holds for what goes out.
void expect_sound(const RawRecord& record, const Event& event) {
  ASSERT_EQ(event.id, record.id);
  ASSERT_EQ(event.raw, record.bytes);
  ASSERT_EQ(event.source, record.source);
  ASSERT_EQ(event.received, record.received);
  ASSERT_GE(event.time, Timestamp::earliest);
  ASSERT_LE(event.time, Timestamp::latest);
  ASSERT_TRUE(event.undecoded.empty() || event.fields.empty());
  ASSERT_NE(event.undecoded.empty(), event.decoder.empty());
  for (std::size_t i = 0; i < event.fields.size(); ++i) {
    ASSERT_TRUE(is_utf8(event.fields[i].name)) << event.fields[i].name;
    ASSERT_TRUE(is_utf8(event.fields[i].value)) << event.fields[i].value;
  }
  const std::string text = to_json(event);
  const auto again = parse_event(text);
  ASSERT_TRUE(again.has_value()) << again.error().what << "\n" << text;
  ASSERT_EQ(to_json(*again), text);
  ASSERT_EQ(again->ocsf, event.ocsf) << text;
  ASSERT_EQ(again->undecoded, event.undecoded);
  ASSERT_EQ(again->raw, event.raw);
}

const DecoderSet& auto_set() {
  static const DecoderSet set = set_of({.year = {.fixed = 2026}});
  return set;
}

std::vector<std::string> golden_lines() {
  std::vector<std::string> lines;
  for (const auto& entry : std::filesystem::directory_iterator(golden_folder())) {
    if (entry.path().extension() != ".log") continue;
    for (std::string& line : lines_of(entry.path().string())) lines.push_back(std::move(line));
  }
  std::ranges::sort(lines);
  return lines;
}

std::string mutated(std::string line, const std::vector<std::string>& lines, std::mt19937& random) {
  const auto below = [&random](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  const std::size_t steps = 1 + below(4);
  for (std::size_t step = 0; step < steps; ++step) {
    const std::size_t at = below(line.size() + 1);
    const std::string& other = lines[below(lines.size())];
    constexpr std::string_view marks = " []()\"\\:;,=<>{}'\x00\xff\xc3\x1d\t%-0";
    switch (below(8)) {
      case 0:
        line.insert(at, 1, static_cast<char>(random() & 0xFF));
        break;
      case 1:
        line.insert(at, 1, marks[below(marks.size())]);
        break;
      case 2:
        line.erase(at, 1 + below(12));
        break;
      case 3:
        line.resize(at);
        break;
      case 4:
        line.insert(at, other.substr(below(other.size())));
        break;
      case 5:
        line = line.substr(at) + line.substr(0, at);
        break;
      case 6:
        line.insert(at, line.substr(below(line.size() + 1)));
        break;
      default:
        if (at < line.size()) line[at] = static_cast<char>(line[at] ^ (1 << below(8)));
    }
  }
  return line;
}

TEST(Hostile, TwentyThousandMutationsOfGoodLinesStaySound) {
  const auto lines = golden_lines();
  ASSERT_GT(lines.size(), 100U);
  std::mt19937 random(20261124);
  for (int round = 0; round < 20'000; ++round) {
    RawRecord record = record_of(mutated(lines[random() % lines.size()], lines, random));
    record.id.position = round;
    expect_sound(record, decode(record, auto_set()));
    if (HasFatalFailure()) {
      FAIL() << "round " << round << ": " << printable(record.bytes);
    }
  }
}

TEST(Hostile, EveryDecoderTakesAnything) {
  const auto lines = golden_lines();
  std::mt19937 random(7);
  std::vector<std::string> records{"",
                                   " ",
                                   "\r",
                                   std::string(1, '\0'),
                                   std::string(65'536, 'x'),
                                   std::string(65'536, '\0'),
                                   std::string(65'536, '['),
                                   std::string(65'536, '"'),
                                   std::string(65'536, '='),
                                   "<999>x",
                                   "<38>1 ",
                                   "Nov",
                                   "[",
                                   "{",
                                   "type=",
                                   "type=A msg=audit("};
  for (const std::string start :
       {"Nov 24 02:00:00 h sshd[1]: Failed password for ", "type=SYSCALL msg=audit(1.000:1): arch=",
        "<38>1 - - - - - [a b=\"", "1.1.1.1 - - [24/Nov/2026:02:26:03 +0000] \"",
        "[Tue Nov 24 02:27:01 2026] [error] [client "}) {
    records.push_back(start + std::string(65'536, 'a'));
    records.push_back(start + std::string(65'536, ' '));
    records.push_back(start + std::string(65'536, '\\'));
  }
  for (int i = 0; i < 200; ++i) {
    std::string noise(random() % 300, '\0');
    for (char& c : noise) c = static_cast<char>(random() & 0xFF);
    records.push_back(noise);
    records.push_back(lines[random() % lines.size()]);
  }
  for (const DecoderEntry& entry : decoders()) {
    if (entry.name == "json") continue;
    const DecoderSet set = set_of({.decoder = std::string(entry.name)});
    for (const std::string& bytes : records) {
      const RawRecord record = record_of(bytes);
      expect_sound(record, decode(record, set));
      if (HasFatalFailure()) FAIL() << entry.name << ": " << printable(bytes.substr(0, 300));
    }
  }
}

TEST(Hostile, BytesThatAreNotUtf8StayInTheRawTextOnly) {
  const std::string line = "Nov 24 02:00:00 h sshd[1]: Invalid user \xff\xfe from 192.0.2.1 port 9";
  const Event event = decode_line(line);
  EXPECT_EQ(field(event, "user"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(event.ocsf.src_ip, "192.0.2.1");
  EXPECT_EQ(event.raw, line);
}

TEST(Hostile, ACarriageReturnAtTheEndIsNoPartOfTheMessage) {
  const Event event = decode_line("Nov 24 02:00:00 h sshd[1]: Invalid user a from 192.0.2.1\r\r");
  EXPECT_EQ(event.ocsf.src_ip, "192.0.2.1");
  EXPECT_EQ(field(event, "message"), "Invalid user a from 192.0.2.1");
}

TEST(Hostile, APieceOfALineIsNotALine) {
  RawRecord record =
      record_of("Nov 24 02:00:00 h sshd[1]: Accepted password for a from 192.0.2.1 port 1 ssh2");
  record.partial = true;
  const Event event = decode(record, auto_set());
  EXPECT_FALSE(event.undecoded.empty());
  expect_sound(record, event);
}

TEST(Hostile, ReasonsAreSafeOnATerminal) {
  for (const char* line : {"\x1b[2Jboo", "2026-11-24T\x1b[31m:00:00 x y", "Nov 31 02:00:00 h a: b",
                           "{\"\x1b\":1,\"\\u001b\":1,\"\\u001b\":2}"}) {
    const Event event = decode_line(line);
    EXPECT_FALSE(event.undecoded.empty()) << line;
    EXPECT_EQ(event.undecoded.find('\x1b'), std::string::npos);
  }
}

struct Forgery {
  const char* name;
  const char* line;
  const char* address;
};

class Forged : public testing::TestWithParam<Forgery> {};

// 192.0.2.1 is whom the server saw; 198.51.100.1 is whom the attacker wants to be blamed.
TEST_P(Forged, NobodyElseIsBlamed) {
  const Event event = decode_line(GetParam().line);
  EXPECT_EQ(event.undecoded, "");
  EXPECT_EQ(event.ocsf.src_ip, GetParam().address) << to_json(event);
}

INSTANTIATE_TEST_SUITE_P(
    Lines, Forged,
    testing::Values(
        Forgery{
            "NestedLineInAName",
            "Nov 24 02:00:00 h sshd[1]: Invalid user x from 198.51.100.1 port 1 Failed password "
            "for root from 192.0.2.1",
            "192.0.2.1"},
        Forgery{
            "WholeAttemptInAName",
            "Nov 24 02:00:00 h sshd[1]: Failed password for invalid user root from 198.51.100.1 "
            "port 22 ssh2 from 192.0.2.1 port 9 ssh2",
            "192.0.2.1"},
        Forgery{"KeyInAName",
                "Nov 24 02:00:00 h sshd[1]: Failed password for invalid user a from 198.51.100.1 "
                "port 1 ssh2: RSA SHA256:AA from 192.0.2.1 port 9 ssh2",
                "192.0.2.1"},
        Forgery{"NameInAClosedConnection",
                "Nov 24 02:00:00 h sshd[1]: Connection closed by invalid user 198.51.100.1 port 22 "
                "192.0.2.1 port 9 [preauth]",
                "192.0.2.1"},
        Forgery{"NameInADisconnect",
                "Nov 24 02:00:00 h sshd[1]: Disconnected from invalid user a 198.51.100.1 port 1 "
                "192.0.2.1 port 9 [preauth]",
                "192.0.2.1"},
        Forgery{"ReasonOfADisconnect",
                "Nov 24 02:00:00 h sshd[1]: Received disconnect from 192.0.2.1 port 9:11: bye from "
                "198.51.100.1 port 1:11: x [preauth]",
                "192.0.2.1"},
        Forgery{"NameInAllowUsers",
                "Nov 24 02:00:00 h sshd[1]: User a from 198.51.100.1 not allowed because x from "
                "192.0.2.1 not allowed because not listed in AllowUsers",
                "192.0.2.1"},
        Forgery{
            "CertificateIdsThatCannotBeTold",
            "Nov 24 02:00:00 h sshd[1]: Failed publickey for invalid user u from 198.51.100.1 "
            "port 1 ssh2: RSA-CERT SHA256:A ID x (serial 0) CA RSA SHA256:B from 192.0.2.1 port "
            "9 ssh2: RSA-CERT SHA256:C ID y (serial 0) CA RSA SHA256:D",
            ""},
        Forgery{"RemoteUserOfPam",
                "Nov 24 02:00:00 h rlogind[1]: pam_unix(rlogin:auth): authentication failure; "
                "logname= uid=0 euid=0 tty=x ruser=a rhost=198.51.100.1 rhost=192.0.2.1",
                "192.0.2.1"},
        Forgery{
            "HeloOfAMailClient",
            "Nov 24 02:00:00 h postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: "
            "554 5.7.1 <a>: no; from=<x> to=<y> proto=ESMTP helo=<unknown[198.51.100.1]: 554>",
            "192.0.2.1"},
        Forgery{"SaslName",
                "Nov 24 02:00:00 h postfix/smtpd[1]: warning: unknown[192.0.2.1]: SASL LOGIN "
                "authentication failed: x, sasl_username=unknown[198.51.100.1]: SASL",
                "192.0.2.1"},
        Forgery{"AgentOfAWebClient",
                "192.0.2.1 - - [24/Nov/2026:02:26:01 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" "
                "\"198.51.100.1 - - [24/Nov/2026:02:26:01 +0000] \\x22GET / HTTP/1.1\\x22 200\"",
                "192.0.2.1"},
        Forgery{
            "PathInAnNginxError",
            "2026/11/24 02:27:05 [error] 1#1: *9 open() \"/x, client: 198.51.100.1, server: x\" "
            "failed (2: No such file or directory), client: 192.0.2.1, server: _",
            ""},
        Forgery{
            "PathInAnApacheError",
            "[Tue Nov 24 02:27:02 2026] [core:error] [pid 1] [client 192.0.2.1:9] File does not "
            "exist: /x[client 198.51.100.1:1] y",
            "192.0.2.1"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mailwarden::ingest
