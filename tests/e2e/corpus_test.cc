// Real logs of other people's servers, judged by an independent count over the raw text.
#include <map>
#include <regex>

#include <gtest/gtest.h>

#include "tests/e2e/daemon.h"

namespace mailwarden {
namespace {

struct Failure {
  std::string address;
  int second = 0;
};

// Counted with a regular expression over the text, with nothing of the daemon's own reading.
std::vector<Failure> failures_in(const std::string& text, const std::regex& pattern) {
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  std::vector<Failure> found;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    std::smatch m;
    if (!std::regex_search(line, m, pattern)) continue;
    const auto month = static_cast<int>(months.find(m[1].str()) / 3);
    const int second = ((month * 31 + std::stoi(m[2])) * 24 + std::stoi(m[3])) * 3600 +
                       std::stoi(m[4]) * 60 + std::stoi(m[5]);
    const int times = m[6].matched ? std::stoi(m[6]) : 1;
    for (int i = 0; i < times; ++i) found.push_back({m[7].str(), second});
  }
  return found;
}

std::set<std::string> guessing(const std::vector<Failure>& failures) {
  std::map<std::string, std::vector<int>> by_address;
  for (const Failure& failure : failures) by_address[failure.address].push_back(failure.second);
  std::set<std::string> found;
  for (const auto& [address, seconds] : by_address) {
    for (std::size_t i = 4; i < seconds.size(); ++i) {
      if (seconds[i] - seconds[i - 4] <= 60) found.insert(address);
    }
  }
  return found;
}

struct Log {
  const char* name;
  const char* failure;    // month, day, hour, minute, second, repeats, address
  const char* event_sql;  // what the daemon counts as one
};

class CorpusLog : public testing::TestWithParam<Log> {};

TEST_P(CorpusLog, FailuresAndGuessersAreThoseOfAnIndependentCount) {
  if (corpus_folder().empty()) GTEST_SKIP() << "the corpus of logs is not there";
  const std::string log = corpus_folder() + "/logs/" + GetParam().name;
  const auto failures = failures_in(read_file(log), std::regex(GetParam().failure));
  std::map<std::string, std::int64_t> expected;
  for (const Failure& failure : failures) ++expected[failure.address];
  TestDaemon daemon;
  ASSERT_EQ(daemon.once("file:" + log + ",name=auth,year=2005"), 0) << daemon.output();

  std::map<std::string, std::int64_t> counted;
  const auto store = daemon.open();
  const auto rows = store->query(GetParam().event_sql);
  ASSERT_TRUE(rows) << rows.error().what;
  while ((*rows)->step().value()) {
    counted[std::string((*rows)->text(0))] += (*rows)->integer(1);
  }
  EXPECT_EQ(counted, expected);

  std::set<std::string> incidents;
  for (const std::string& row :
       daemon.rows("SELECT DISTINCT entity_name FROM detection WHERE rule ="
                   " '0a0a3a8e-3d6b-4c0c-8f43-6f1c2b9f5a02' AND incident > 0")) {
    incidents.insert(row.substr(0, row.size() - 1));
  }
  EXPECT_EQ(incidents, guessing(failures));

  const auto undecoded = store->integer(
      "SELECT COUNT(*) FROM event WHERE json_extract(record, '$.undecoded') IS NOT NULL");
  const auto all = store->integer("SELECT COUNT(*) FROM event");
  std::cout << GetParam().name << ": " << *all << " lines, " << *undecoded << " undecoded, "
            << expected.size() << " addresses, " << incidents.size() << " with an incident\n";
  EXPECT_LE(*undecoded * 100, *all);
  EXPECT_EQ(daemon.verify().code, 0);
}

constexpr const char* events =
    "SELECT json_extract(record, '$.ocsf.src_endpoint.ip'),"
    " COALESCE(json_extract(record, '$.fields.repeat_count'), 1) FROM event WHERE"
    " json_extract(record, '$.decoder') = 'sshd' AND"
    " json_extract(record, '$.fields.event') = 'login_failed'"
    " AND json_extract(record, '$.fields.method') = 'password'";

constexpr const char* old_pam_events =
    "SELECT json_extract(record, '$.fields.src_ip'), 1 FROM event WHERE"
    " json_extract(record, '$.fields.event') = 'authentication_failure' AND"
    " json_extract(record, '$.fields.program') = 'sshd(pam_unix)'"
    " AND json_extract(record, '$.fields.src_ip') IS NOT NULL";

INSTANTIATE_TEST_SUITE_P(
    Logs, CorpusLog,
    testing::Values(
        Log{"OpenSSH_2k.log",
            R"(^(\w+) +(\d+) (\d+):(\d+):(\d+) \S+ sshd\[\d+\]: )"
            R"((?:message repeated (\d+) times: \[ )?Failed password .* from (\S+) port \d+ ssh2)",
            events},
        Log{"Linux_2k.log",
            R"(^(\w+) +(\d+) (\d+):(\d+):(\d+) \S+ sshd\(pam_unix\)\[\d+\]: )"
            R"((?:message repeated (\d+) times: \[ )?authentication failure;.* rhost=(\S+))",
            old_pam_events},
        Log{"Apache_2k.log", R"(^(\w+) +(\d+) (\d+):(\d+):(\d+) (nothing) (like that))", events}),
    [](const auto& info) {
      const std::string name = info.param.name;
      return name.substr(0, name.find('_'));
    });

}  // namespace
}  // namespace mailwarden
