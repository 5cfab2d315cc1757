// The shipped YARA rules against the samples beside them, and what is asked of every one of them.
#include <chrono>
#include <filesystem>
#include <random>

#include <gtest/gtest.h>

#include "base/text.h"
#include "detect/yara.h"
#include "detect/yara_examples.h"
#include "json/yaml.h"
#include "tests/temporary.h"

namespace mailwarden::detect {
namespace {

std::string shipped() {
  return source_folder() + "/rules/yara";
}

// What policies/severity.yaml declares, read without the module that knows its meaning.
YaraRulesOptions with_known_facts() {
  YaraRulesOptions options;
  const auto documents = yaml::parse(read_file(source_folder() + "/policies/severity.yaml"));
  EXPECT_TRUE(documents);
  for (const auto& [name, fact] : documents->front().find("facts")->entries) {
    options.facts_known.insert(name.scalar);
  }
  return options;
}

TEST(ShippedYaraRules, AgreeWithTheirSamples) {
  const auto tested = test_yara_rules({shipped()}, with_known_facts());
  ASSERT_TRUE(tested) << tested.error().what;
  for (const std::string& failure : tested->failures) ADD_FAILURE() << failure;
  EXPECT_GE(tested->rules, 50);
  EXPECT_GE(tested->samples, 2 * tested->rules);
}

TEST(ShippedYaraRules, SayWhatTheyAreAboutAndAreTold) {
  const auto load = YaraRules::load({shipped()}, with_known_facts());
  ASSERT_TRUE(load) << load.error().what;
  EXPECT_EQ(load->refused, std::vector<YaraNote>());
  EXPECT_EQ(load->warnings, std::vector<YaraNote>());
  for (const YaraRule& rule : load->rules->rules()) {
    if (!rule.reported) continue;
    SCOPED_TRACE(rule.origin.file + ": " + rule.origin.rule);
    EXPECT_EQ(rule.id.size(), 36U) << "an id is a UUID";
    EXPECT_NE(rule.title, rule.origin.rule);
    EXPECT_GT(rule.origin.line, 0U);
    EXPECT_EQ(rule.origin.version.size(), 64U);
    EXPECT_FALSE(rule.tags.empty());
    const std::string text = read_file(rule.origin.file);
    const std::size_t begin = text.find("rule " + rule.origin.rule + " ");
    const std::string body = text.substr(begin, text.find("\n}", begin) - begin);
    for (const char* name :
         {"id = ", "title = ", "level = ", "description = ", "falsepositives = "}) {
      EXPECT_NE(body.find(name), std::string::npos) << name;
    }
  }
}

// Our own words about attacks, protocols and programs are the benign text at hand.
TEST(ShippedYaraRules, MatchNothingInTheSourcesAndDocuments) {
  const auto load = YaraRules::load({shipped()});
  ASSERT_TRUE(load);
  auto scanner = YaraScanner::make(load->rules);
  ASSERT_TRUE(scanner);
  std::size_t files = 0;
  for (const char* folder : {"src", "daemon", "docs", "policies", "reports", "rules/sigma"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(source_folder() + "/" + folder)) {
      if (!entry.is_regular_file()) continue;
      const auto scan = scanner->scan_file(entry.path().string());
      ASSERT_TRUE(scan) << scan.error().what;
      ++files;
      for (const YaraMatch& match : scan->matches) {
        ADD_FAILURE() << entry.path() << ": " << match.origin.rule;
      }
    }
  }
  EXPECT_GT(files, 200U);
}

// The test file as plain bytes would have scanners remove ours.
TEST(ShippedYaraRules, KeepTheTestFileOutOfTheRepository) {
  const std::string plain = std::string("X5O!P%@AP[4\\PZX54(P^)7CC)7}$") + "EICAR-STANDARD";
  for (const char* folder : {"src", "daemon", "docs", "rules", "tests"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(source_folder() + "/" + folder)) {
      if (!entry.is_regular_file()) continue;
      EXPECT_EQ(read_file(entry.path().string()).find(plain), std::string::npos) << entry.path();
    }
  }
}

// Cut, repeated and damaged samples are decided as well, each before its time is over.
TEST(ShippedYaraRules, DecideDamagedSamples) {
  const auto load = YaraRules::load({shipped()});
  ASSERT_TRUE(load);
  auto scanner = YaraScanner::make(load->rules, {.timeout = std::chrono::seconds(60)});
  ASSERT_TRUE(scanner);
  std::mt19937 random(20261124);
  std::size_t scanned = 0;
  for (const auto& entry : std::filesystem::directory_iterator(shipped())) {
    if (!entry.path().string().ends_with(".test.yml")) continue;
    const auto samples = parse_yara_samples(read_file(entry.path().string()), "samples");
    ASSERT_TRUE(samples) << samples.error().what;
    for (const YaraSample& sample : *samples) {
      std::string bytes = sample.bytes + sample.bytes;
      for (int i = 0; i < 8; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
      bytes.resize(1 + random() % bytes.size());
      const auto scan = scanner->scan_buffer(bytes, sample.path);
      ASSERT_TRUE(scan) << scan.error().what;
      for (const YaraMatch& match : scan->matches) {
        for (const Because& because : match.detection.because) {
          EXPECT_TRUE(is_utf8(because.value));
        }
      }
      ++scanned;
    }
  }
  EXPECT_GT(scanned, 100U);
}

}  // namespace
}  // namespace mailwarden::detect
