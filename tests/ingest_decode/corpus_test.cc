// Real logs of others: nothing may be left undecoded, and what is counted in events must be what is
// counted in the text.
#include <charconv>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/ingest_decode/decode_fixture.h"

namespace mailwarden::ingest {
namespace {

using Counts = std::map<std::string, std::int64_t>;

// Every line of a corpus log, decoded; the year is told, as an operator would for an old log.
std::vector<Event> decode_corpus(const std::string& name, int year) {
  const DecoderSet set = set_of({.year = {.fixed = year}});
  std::vector<Event> events;
  for (const std::string& line : lines_of(corpus_folder() + "/logs/" + name)) {
    events.push_back(decode(record_of(line), set));
  }
  return events;
}

bool is_specific(const Event& event) {
  return event.undecoded.empty() && event.decoder != "syslog" && event.decoder != "json";
}

// Prints and records how the lines were read; gives the share that was read.
double report(const std::string& name, const std::vector<Event>& events) {
  Counts decoders;
  Counts unknown;
  std::int64_t read = 0;
  for (const Event& event : events) {
    if (!event.undecoded.empty()) {
      ++decoders["undecoded"];
      ADD_FAILURE() << event.undecoded << ": " << event.raw;
      continue;
    }
    ++read;
    ++decoders[event.decoder];
    if (!is_specific(event)) ++unknown[field(event, "program")];
  }
  std::printf("%s: %zu lines, %lld read\n", name.c_str(), events.size(),
              static_cast<long long>(read));
  for (const auto& [decoder, count] : decoders) {
    std::printf("  %s %lld\n", decoder.c_str(), static_cast<long long>(count));
    testing::Test::RecordProperty(name + "." + decoder, std::to_string(count));
  }
  for (const auto& [program, count] : unknown) {
    EXPECT_FALSE(program.empty());
    std::printf("    unknown program %s %lld\n", program.c_str(), static_cast<long long>(count));
  }
  return static_cast<double>(read) / static_cast<double>(events.size());
}

class Corpus : public testing::Test {
 protected:
  void SetUp() override {
    if (corpus_folder().empty()) GTEST_SKIP() << "the corpus of outside logs is absent";
  }
};

// The text between the last occurrence of `before` and the next `after`.
std::string between_last(const std::string& text, const std::string& before,
                         const std::string& after) {
  const std::size_t at = text.rfind(before);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + before.size();
  return text.substr(begin, text.find(after, begin) - begin);
}

TEST_F(Corpus, FailedPasswordsOfOpenSshAreCountedByAddressAsInTheText) {
  Counts in_text;
  for (const std::string& line : lines_of(corpus_folder() + "/logs/OpenSSH_2k.log")) {
    const std::size_t failed = line.find("Failed password for ");
    if (failed == std::string::npos) continue;
    std::int64_t times = 1;
    const std::size_t repeated = line.find("message repeated ");
    if (repeated != std::string::npos) {
      std::from_chars(line.data() + repeated + 17, line.data() + line.size(), times);
    }
    in_text[between_last(line, " from ", " ")] += times;
  }
  Counts in_events;
  const std::vector<Event> events = decode_corpus("OpenSSH_2k.log", 2005);
  for (const Event& event : events) {
    const bool failed_password = event.ocsf.class_uid == ocsf_class::authentication &&
                                 event.ocsf.activity_id == 1 &&
                                 event.ocsf.status == Outcome::failure && event.decoder == "sshd" &&
                                 field(event, "method") == "password";
    if (!failed_password) continue;
    const auto repeats = event.fields.find("repeat_count");
    in_events[event.ocsf.src_ip] += repeats ? std::stoll(std::string(repeats->value)) : 1;
  }
  EXPECT_EQ(in_events, in_text);
  EXPECT_GT(in_text.size(), 20U);
  EXPECT_GE(report("OpenSSH_2k.log", events), 0.99);
}

TEST_F(Corpus, FailuresOfLinuxAreCountedByHostAsInTheText) {
  Counts in_text;
  for (const std::string& line : lines_of(corpus_folder() + "/logs/Linux_2k.log")) {
    if (line.find("authentication failure; ") == std::string::npos) continue;
    const std::size_t at = line.find("rhost=") + 6;
    ++in_text[line.substr(at, line.find_first_of(" \r", at) - at)];
  }
  Counts in_events;
  const std::vector<Event> events = decode_corpus("Linux_2k.log", 2005);
  for (const Event& event : events) {
    if (event.decoder == "pam" && event.ocsf.activity_id == 1 &&
        event.ocsf.status == Outcome::failure) {
      ++in_events[event.ocsf.src_ip];
    }
  }
  EXPECT_EQ(in_events, in_text);
  EXPECT_GT(in_text.size(), 20U);
  EXPECT_GE(report("Linux_2k.log", events), 0.99);
}

TEST_F(Corpus, EveryLineOfApacheHasATimeAndALevel) {
  const std::vector<Event> events = decode_corpus("Apache_2k.log", 2005);
  for (const Event& event : events) {
    EXPECT_EQ(event.decoder, "apache_error");
    EXPECT_FALSE(field(event, "level").empty());
    EXPECT_EQ(to_civil(event.time).year, 2005);
  }
  EXPECT_GE(report("Apache_2k.log", events), 0.99);
}

// The `event` of each corpus line, which others have taken out of their stores.
std::vector<std::string> cloud_events(const std::string& name) {
  std::vector<std::string> texts;
  for (const std::string& line : lines_of_gzip(corpus_folder() + "/events/" + name)) {
    const auto value = json::parse(line);
    if (value) texts.push_back(json::to_text((*value)["event"]));
  }
  return texts;
}

TEST_F(Corpus, EveryGoogleWorkspaceEventIsMapped) {
  const auto texts = cloud_events("google_workspace.ndjson.gz");
  EXPECT_GT(texts.size(), 80U);
  std::size_t named = 0;
  for (const std::string& text : texts) {
    const Event event = decode_as("google_workspace", text);
    EXPECT_EQ(event.undecoded, "") << text;
    const auto value = json::parse(text);
    if ((*value)["id"].as_object() == nullptr || (*value)["name"].as_string() == nullptr) continue;
    ++named;
    EXPECT_EQ(field(event, "eventName"), value->text("name"));
    EXPECT_NE(event.ocsf.class_uid, 0) << text;
    EXPECT_EQ(event.ocsf.src_ip, value->text("ipAddress"));
  }
  EXPECT_GT(named, 70U);
}

TEST_F(Corpus, EveryGcpAuditEventIsMapped) {
  const auto texts = cloud_events("gcp_audit.ndjson.gz");
  EXPECT_GT(texts.size(), 150U);
  std::size_t named = 0;
  for (const std::string& text : texts) {
    const Event event = decode_as("gcp_audit", text);
    EXPECT_EQ(event.undecoded, "") << text;
    const auto value = json::parse(text);
    const std::string method = (*value)["protoPayload"].text("methodName");
    if (method.empty()) continue;
    ++named;
    EXPECT_EQ(field(event, "gcp.audit.method_name"), method);
    EXPECT_EQ(event.ocsf.class_uid, ocsf_class::api_activity);
    EXPECT_EQ(event.ocsf.actor_user,
              (*value)["protoPayload"]["authenticationInfo"].text("principalEmail"));
  }
  EXPECT_GT(named, 60U);
}

TEST_F(Corpus, EveryGitHubEventIsMapped) {
  const auto texts = cloud_events("github_audit.ndjson.gz");
  EXPECT_GT(texts.size(), 40U);
  std::size_t named = 0;
  for (const std::string& text : texts) {
    const Event event = decode_as("github_audit", text);
    EXPECT_EQ(event.undecoded, "") << text;
    const auto value = json::parse(text);
    if (value->text("actor").empty()) continue;  // another product's, which stands among them
    ++named;
    EXPECT_EQ(field(event, "action"), value->text("action"));
    EXPECT_EQ(event.ocsf.actor_user, value->text("actor"));
    EXPECT_NE(event.ocsf.class_uid, 0) << text;
  }
  EXPECT_GT(named, 35U);
}

TEST_F(Corpus, EveryOktaEventIsMapped) {
  const auto texts = cloud_events("okta.ndjson.gz");
  EXPECT_GT(texts.size(), 25U);
  std::size_t named = 0;
  for (const std::string& text : texts) {
    const Event event = decode_as("okta", text);
    EXPECT_EQ(event.undecoded, "") << text;
    const auto value = json::parse(text);
    if ((*value)["actor"].as_object() == nullptr) continue;
    ++named;
    EXPECT_NE(field(event, "eventType"), "") << text;
    EXPECT_EQ(event.ocsf.actor_user, (*value)["actor"].text("alternateId"));
    EXPECT_NE(event.ocsf.class_uid, 0) << text;
    if (value->text("published").empty()) continue;
    EXPECT_NE(event.time, noon) << "its own time was not read: " << text;
  }
  EXPECT_GT(named, 20U);
}

}  // namespace
}  // namespace mailwarden::ingest
