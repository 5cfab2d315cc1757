// The SigmaHQ rules and their regression events, which were not written with this matcher in mind.
#include <filesystem>

#include <gtest/gtest.h>

#include "detect/rule_set.h"
#include "json/flatten.h"
#include "json/yaml.h"
#include "tests/temporary.h"

namespace mailwarden::detect {
namespace {

namespace fs = std::filesystem;

class SigmaCorpus : public testing::Test {
 protected:
  void SetUp() override {
    if (corpus_folder().empty()) GTEST_SKIP() << "the corpus of SigmaHQ rules is not there";
    for (const char* archive : {"rules.tar.gz", "regression-dev.tar.gz"}) {
      const std::string command =
          "tar xzf '" + corpus_folder() + "/sigma/" + archive + "' -C '" + folder_.path() + "'";
      ASSERT_EQ(std::system(command.c_str()), 0);
    }
  }

  std::vector<std::string> files(const std::string& ending) const {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      if (entry.path().string().ends_with(ending)) found.push_back(entry.path().string());
    }
    std::ranges::sort(found);
    return found;
  }

  TemporaryFolder folder_;
};

TEST_F(SigmaCorpus, EveryRuleIsReadOrRefusedForAModifierThatIsNotSupported) {
  std::size_t read = 0;
  std::size_t refused = 0;
  for (const std::string& file : files(".yml")) {
    if (file.ends_with("/info.yml")) continue;
    const auto rules = parse_rules(read_file(file), file);
    if (rules) {
      read += rules->rules.size();
      continue;
    }
    ++refused;
    EXPECT_TRUE(rules.error().what.contains("is not supported by this version"))
        << rules.error().what;
  }
  RecordProperty("rules_read", static_cast<int>(read));
  RecordProperty("rules_refused", static_cast<int>(refused));
  std::cout << read << " rules read, " << refused << " refused\n";
  EXPECT_GT(read, 3500U);
}

// A Windows event as the rules see it: the values of its data by their own names.
Event windows_event(std::string_view object, const Logsource& logsource) {
  Event event;
  event.logsource = logsource;
  json::Flattener flattener;
  const auto done = flattener.flatten(object, [&](const json::Leaf& leaf) {
    std::string name(leaf.path.substr(leaf.path.rfind('.') + 1));
    std::erase(name, ' ');
    event.fields.add(name, leaf.text);
    event.fields.add(leaf.path, leaf.text);
  });
  EXPECT_TRUE(done) << done.error().what;
  return event;
}

// Some files hold several objects one after the other.
std::vector<std::string> objects(const std::string& text) {
  std::vector<std::string> found;
  int depth = 0;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == '"') {
        quoted = false;
      }
    } else if (text[i] == '"') {
      quoted = true;
    } else if (text[i] == '{') {
      if (depth++ == 0) begin = i;
    } else if (text[i] == '}' && --depth == 0) {
      found.push_back(text.substr(begin, i - begin + 1));
    }
  }
  return found;
}

TEST_F(SigmaCorpus, EveryRegressionEventIsFoundByItsRule) {
  std::map<std::string, Rule> by_id;
  for (const std::string& file : files(".yml")) {
    if (file.ends_with("/info.yml")) continue;
    auto rules = parse_rules(read_file(file), file);
    if (!rules) continue;
    for (Rule& rule : rules->rules) by_id[rule.header.id] = std::move(rule);
  }
  std::size_t tested = 0;
  std::size_t unread = 0;
  for (const std::string& file : files("/info.yml")) {
    const auto info = yaml::parse(read_file(file));
    ASSERT_TRUE(info);
    const yaml::Node* metadata = info->front().find("rule_metadata");
    ASSERT_NE(metadata, nullptr) << file;
    const std::string id = metadata->items.front().find("id")->scalar;
    const auto rule = by_id.find(id);
    if (rule == by_id.end()) {
      ++unread;
      continue;
    }
    RuleTexts one;
    one.rules.push_back(rule->second);
    const RuleSet rules = RuleSet::make(std::move(one)).value();
    bool found = false;
    for (const auto& entry : fs::directory_iterator(fs::path(file).parent_path())) {
      if (entry.path().extension() != ".json") continue;
      for (const std::string& object : objects(read_file(entry.path().string()))) {
        found = found || !rules.match(windows_event(object, rule->second.logsource)).empty();
      }
    }
    EXPECT_TRUE(found) << file;
    ++tested;
  }
  std::cout << tested << " rules found their event, " << unread << " rules could not be read\n";
  EXPECT_GT(tested, 80U);
}

}  // namespace
}  // namespace mailwarden::detect
