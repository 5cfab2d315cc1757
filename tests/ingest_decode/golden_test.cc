// Lines as the programs write them, beside the events that they must become, each of which was read
// against its line. In the expected events the id, the source and the raw text are left out.
#include <algorithm>

#include <gtest/gtest.h>

#include "tests/ingest_decode/decode_fixture.h"

namespace mailwarden::ingest {
namespace {

std::string stripped(const Event& event) {
  auto value = json::parse(to_json(event)).value();
  json::Object& members = *value.as_object();
  for (const char* name : {"id", "source", "raw", "raw_base64"}) members.erase(name);
  return json::to_text(value);
}

class Golden : public testing::TestWithParam<const char*> {};

TEST_P(Golden, LinesBecomeTheirEvents) {
  const std::string base = golden_folder() + "/" + GetParam();
  const auto lines = lines_of(base + ".log");
  const auto expected = lines_of(base + ".jsonl");
  ASSERT_FALSE(lines.empty()) << base;
  ASSERT_EQ(lines.size(), expected.size());
  const DecoderSet set = set_of({.year = {.fixed = 2026}});
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(stripped(decode(record_of(lines[i]), set)), expected[i])
        << GetParam() << ".log, line " << i + 1 << ": " << lines[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Decoders, Golden,
                         testing::Values("envelope", "sshd", "pam", "privilege", "accounts",
                                         "system", "access", "error", "postfix", "auditd", "cloud",
                                         "identity"),
                         [](const auto& info) { return std::string(info.param); });

// What was captured from real servers: read whole, and nearly always understood.
class Captured : public testing::TestWithParam<const char*> {};

TEST_P(Captured, EveryLineIsReadAndNearlyEveryMessageKnown) {
  const std::string path = source_folder() + "/tests/data/logs/" + GetParam();
  const auto lines = lines_of(path);
  ASSERT_FALSE(lines.empty()) << path;
  const DecoderSet set = set_of({});
  std::size_t read = 0;
  std::size_t known = 0;
  for (const std::string& line : lines) {
    const Event event = decode(record_of(line), set);
    EXPECT_EQ(event.undecoded, "") << line;
    // The envelope alone: a program that no decoder is written for.
    if (event.decoder == "syslog") continue;
    ++read;
    // An access log line has no message, an audit record says what it is by its type, and the error
    // logs of web servers are free text behind a level.
    const bool self_telling = event.decoder == "combined" || event.decoder == "auditd" ||
                              event.decoder.ends_with("_error");
    known += self_telling || event.fields.find("event").has_value() ? 1 : 0;
  }
  const double share = static_cast<double>(known) / static_cast<double>(read);
  std::printf("%s: %zu lines, %zu of known programs, %zu known messages\n", GetParam(),
              lines.size(), read, known);
  EXPECT_GE(share, 0.95);
}

INSTANTIATE_TEST_SUITE_P(Logs, Captured,
                         testing::Values("auth.log", "auth_rfc5424.log", "auth_iso.log",
                                         "nginx_access.log", "nginx_error.log", "apache_access.log",
                                         "apache_error.log", "mail.log", "audit.log"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::ranges::replace(name, '.', '_');
                           return name;
                         });

}  // namespace
}  // namespace mailwarden::ingest
