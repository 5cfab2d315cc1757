// The SigmaHQ rules and their regression events, which were not written with this matcher in mind.
#include <filesystem>
#include <iostream>
#include <map>

#include <gtest/gtest.h>

#include "detect/json_events.h"
#include "detect/object_cutter.h"
#include "detect/rule_set.h"
#include "json/yaml.h"
#include "tests/detect/sigma_corpus.h"

namespace mailwarden::detect {
namespace {

namespace fs = std::filesystem;

class SigmaCorpus : public SigmaCorpusTest {
 protected:
  RuleTexts load() const {
    std::vector<std::string> folders;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      if (entry.path().filename().string().starts_with("rules")) {
        folders.push_back(entry.path().string());
      }
    }
    return load_rules(folders).value();
  }
};

TEST_F(SigmaCorpus, EveryRuleIsInForceOrHasAPlaceholderWithoutValues) {
  const RuleSet rules = RuleSet::make(load()).value();
  EXPECT_EQ(rules.rules().size(), 3755U);
  EXPECT_EQ(rules.refused().size(), 25U);
  for (const Refusal& refusal : rules.refused()) {
    EXPECT_TRUE(refusal.reason.starts_with("no values are configured for the placeholder"))
        << refusal.sentence();
  }
}

struct Hit {
  RuleNumber rule = 0;
  std::string product;
  std::string category;
  std::string service;
};

// What all rules together find in the events of a file, which may hold several objects.
std::vector<Hit> hits_in(const RuleSet& rules, const std::string& path, MatchScratch& scratch) {
  std::vector<Hit> hits;
  std::string text = read_file(path);
  const std::size_t bytes = text.size();
  text.append(json::Flattener::padding, ' ');
  JsonEvents events;
  std::vector<RuleNumber> matched;
  ObjectCutter cutter;
  cutter.feed(text, 0, [&](std::size_t begin, std::size_t end) {
    const auto read = events.read(std::string_view(text).substr(begin, end - begin),
                                  rules.engine().names(), scratch.view);
    EXPECT_TRUE(read) << path << ": " << read.error().what;
    rules.engine().match(scratch.view, Routing::strict, scratch, matched);
    const LogsourceView& source = scratch.view.logsource();
    for (const RuleNumber rule : matched) {
      hits.push_back({rule, std::string(source.product), std::string(source.category),
                      std::string(source.service)});
    }
  });
  EXPECT_FALSE(cutter.inside() || cutter.strayed()) << path << ", " << bytes << " bytes";
  return hits;
}

TEST_F(SigmaCorpus, EveryRegressionEventIsFoundByItsRuleAndNoneOfAnotherLogSource) {
  const RuleSet rules = RuleSet::make(load()).value();
  MatchScratch scratch;
  std::size_t cases = 0;
  std::size_t matches = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path("regression_data"))) {
    if (entry.path().filename() != "info.yml") continue;
    const auto info = yaml::parse(read_file(entry.path().string()));
    ASSERT_TRUE(info);
    const yaml::Node* metadata = info->front().find("rule_metadata");
    ASSERT_NE(metadata, nullptr) << entry.path();
    const std::string id = metadata->items.front().find("id")->scalar;
    bool found = false;
    for (const auto& file : fs::directory_iterator(entry.path().parent_path())) {
      if (file.path().extension() != ".json") continue;
      for (const Hit& hit : hits_in(rules, file.path().string(), scratch)) {
        const Rule& rule = rules.rules()[hit.rule];
        ++matches;
        found = found || rule.header.id == id;
        const Logsource& wanted = rule.logsource;
        EXPECT_TRUE(wanted.product.empty() || wanted.product == hit.product) << wanted.product;
        EXPECT_TRUE(wanted.category.empty() || wanted.category == hit.category) << wanted.category;
        EXPECT_TRUE(wanted.service.empty() || wanted.service == hit.service) << wanted.service;
      }
    }
    EXPECT_TRUE(found) << entry.path();
    ++cases;
  }
  std::cout << cases << " cases found by their rules, " << matches << " matches in all\n";
  EXPECT_EQ(cases, 104U);
}

}  // namespace
}  // namespace mailwarden::detect
