// The second evaluator against the rules and regression events of SigmaHQ, who know nothing of it.
#include <cctype>
#include <filesystem>
#include <iostream>
#include <map>

#include <gtest/gtest.h>

#include "json/flatten.h"
#include "json/yaml.h"
#include "tests/detect/oracle.h"
#include "tests/detect/sigma_corpus.h"

namespace mailwarden::oracle {
namespace {

namespace fs = std::filesystem;

class OracleCorpus : public SigmaCorpusTest {};

// Windows events name their data by the last part of the path.
Event windows_event(std::string_view object) {
  Event event;
  json::Flattener flattener;
  const auto flat = flattener.flatten(object);
  EXPECT_TRUE(flat) << flat.error().what;
  for (const json::Leaf& leaf : flat ? *flat : std::span<const json::Leaf>()) {
    const auto kind = leaf.kind == json::LeafKind::null ? FieldKind::null : FieldKind::string;
    event.fields.add(leaf.path.substr(leaf.path.rfind('.') + 1), leaf.text, kind);
    event.fields.add(leaf.path, leaf.text, kind);
  }
  return event;
}

// Some files hold several objects one after the other, each of which begins a line.
std::vector<std::string> objects(const std::string& text) {
  std::vector<std::string> found;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('{')) found.emplace_back();
    if (!found.empty()) found.back() += line + "\n";
  }
  return found;
}

// Rules of a log source that the regression events, which state none, cannot contradict.
Options open_routing() {
  return {.placeholders = {}, .open_routing = true};
}

TEST_F(OracleCorpus, EveryRuleIsRead) {
  std::size_t count = 0;
  std::size_t refused = 0;
  for (const fs::path& file : files(".yml")) {
    if (file.filename() == "info.yml") continue;
    const auto rules = read(read_file(file.string()), open_routing());
    ASSERT_TRUE(rules) << file << rules.error().what;
    count += rules->rules.size();
    for (const Refused& one : rules->refused) {
      ++refused;
      EXPECT_TRUE(one.what.contains("has no values")) << file << ": " << one.what;
    }
  }
  std::cout << count << " rules read, " << refused << " refused for their placeholders\n";
  EXPECT_GT(count, 3500U);
}

TEST_F(OracleCorpus, EveryRegressionEventIsFoundByItsRule) {
  std::map<std::string, Rule> by_id;
  for (const fs::path& file : files(".yml")) {
    if (file.filename() == "info.yml") continue;
    const auto rules = read(read_file(file.string()), open_routing());
    if (!rules) continue;
    for (const Rule& rule : rules->rules) by_id[rule.id()] = rule;
  }
  std::size_t tested = 0;
  for (const fs::path& file : files(".yml")) {
    if (file.filename() != "info.yml") continue;
    const auto info = yaml::parse(read_file(file.string()));
    ASSERT_TRUE(info);
    const yaml::Node* const metadata = info->front().find("rule_metadata");
    ASSERT_NE(metadata, nullptr) << file;
    const auto rule = by_id.find(metadata->items.front().find("id")->scalar);
    if (rule == by_id.end()) {
      ADD_FAILURE() << file << ": its rule could not be read";
      continue;
    }
    bool found = false;
    for (const auto& entry : fs::directory_iterator(file.parent_path())) {
      if (entry.path().extension() != ".json") continue;
      for (const std::string& object : objects(read_file(entry.path().string()))) {
        found = found || rule->second.holds(windows_event(object), open_routing());
      }
    }
    EXPECT_TRUE(found) << file;
    ++tested;
  }
  std::cout << tested << " rules found their event\n";
  EXPECT_GE(tested, 100U);
}

}  // namespace
}  // namespace mailwarden::oracle
