// The form of the project's own rules: whoever is woken by one can read what was seen, why it
// matters, what it may be instead, and what it means for the incident.
#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "detect/rule_set.h"
#include "json/yaml.h"
#include "tests/temporary.h"

namespace mailwarden::detect {
namespace {

namespace fs = std::filesystem;

struct Document {
  std::string place;  // file and line, for messages
  yaml::Node node;

  std::string text(std::string_view name) const {
    const yaml::Node* const value = node.find(name);
    return value == nullptr ? std::string() : value->scalar;
  }
  std::vector<std::string> list(std::string_view name) const {
    std::vector<std::string> texts;
    const yaml::Node* const value = node.find(name);
    if (value == nullptr) return texts;
    for (const yaml::Node& item : value->items) texts.push_back(item.scalar);
    return texts;
  }
};

std::vector<Document> documents() {
  const fs::path folder = fs::path(source_folder()) / "rules" / "sigma";
  std::vector<Document> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string path = entry.path().string();
    if (!path.ends_with(".yml") || path.ends_with(".test.yml")) continue;
    const auto nodes = yaml::parse(read_file(path));
    EXPECT_TRUE(nodes) << path;
    if (!nodes) continue;
    for (const yaml::Node& node : *nodes) {
      const std::string name = fs::relative(entry.path(), folder).string();
      found.push_back({name + ", " + node.where(), node});
    }
  }
  return found;
}

yaml::Node severity_policy() {
  return yaml::parse(read_file(source_folder() + "/policies/severity.yaml")).value().front();
}

bool is_uuid(std::string_view id) {
  constexpr std::string_view form = "xxxxxxxx-xxxx-vxxx-nxxx-xxxxxxxxxxxx";
  if (id.size() != form.size()) return false;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const std::string_view allowed = form[i] == '-'   ? "-"
                                     : form[i] == 'v' ? "45"
                                     : form[i] == 'n' ? "89ab"
                                                      : "0123456789abcdef";
    if (allowed.find(id[i]) == allowed.npos) return false;
  }
  return true;
}

// attack.t1098 or attack.t1098.003
bool is_technique(std::string_view tag) {
  constexpr std::string_view digits = "0123456789";
  if (!tag.starts_with("attack.t") || (tag.size() != 12 && tag.size() != 16)) return false;
  return tag.substr(8, 4).find_first_not_of(digits) == tag.npos &&
         (tag.size() == 12 ||
          (tag[12] == '.' && tag.substr(13).find_first_not_of(digits) == tag.npos));
}

TEST(OwnRules, ThereAreManyForEverySource) {
  const auto texts = load_rules({source_folder() + "/rules/sigma"});
  ASSERT_TRUE(texts) << texts.error().what;
  const auto rules = RuleSet::make(*texts);
  ASSERT_TRUE(rules) << rules.error().what;
  EXPECT_GE(rules->rules().size(), 100U);
  EXPECT_GE(rules->correlations().size(), 20U);
  std::map<std::string, int> by_folder;
  for (const Rule& rule : rules->rules()) {
    ++by_folder[fs::path(rule.header.file).parent_path().filename().string()];
  }
  for (const char* folder : {"gcp", "github", "google_workspace", "okta"}) {
    EXPECT_GE(by_folder[folder], 20) << folder;
  }
  for (const char* folder : {"auditd", "postfix", "sshd", "sudo", "webserver"}) {
    EXPECT_GE(by_folder[folder], 5) << folder;
  }
}

TEST(OwnRules, EachSaysWhatIsSeenWhyItMattersAndWhatElseItMayBe) {
  for (const Document& rule : documents()) {
    EXPECT_FALSE(rule.text("title").empty()) << rule.place;
    EXPECT_FALSE(rule.text("title").ends_with('.')) << rule.place;
    EXPECT_GE(rule.text("description").size(), 15U) << rule.place;
    EXPECT_FALSE(rule.list("falsepositives").empty()) << rule.place;
    EXPECT_EQ(rule.text("status"), "stable") << rule.place;
    EXPECT_EQ(rule.text("date").size(), 10U) << rule.place;
    for (const std::string& reference : rule.list("references")) {
      const bool standard = reference.starts_with("https://www.rfc-editor.org/rfc/") ||
                            reference.starts_with("https://pages.nist.gov/") ||
                            reference.starts_with("https://csrc.nist.gov/");
      EXPECT_TRUE(standard) << rule.place << ": " << reference << " is no public standard";
    }
  }
}

TEST(OwnRules, EachNamesTacticAndTechnique) {
  for (const Document& rule : documents()) {
    int techniques = 0;
    int tactics = 0;
    for (const std::string& tag : rule.list("tags")) {
      EXPECT_TRUE(tag.starts_with("attack.")) << rule.place << ": " << tag;
      ++(is_technique(tag) ? techniques : tactics);
    }
    EXPECT_GE(techniques, 1) << rule.place;
    EXPECT_GE(tactics, 1) << rule.place;
  }
}

TEST(OwnRules, IdsAreUuidsAndStandOnce) {
  std::set<std::string> ids;
  std::set<std::string> names;
  for (const Document& rule : documents()) {
    EXPECT_TRUE(is_uuid(rule.text("id"))) << rule.place << ": " << rule.text("id");
    EXPECT_TRUE(ids.insert(rule.text("id")).second) << rule.place << " has another's id";
    EXPECT_FALSE(rule.text("name").empty()) << rule.place;
    EXPECT_TRUE(names.insert(rule.text("name")).second) << rule.place << " has another's name";
  }
}

// A rule that opens an incident says what it is about and what is known of the impact by it; the
// severity is decided from these facts alone.
TEST(OwnRules, EachNamesAnEntityAndThoseThatOpenIncidentsAssertFacts) {
  const std::vector<std::string> levels{"informational", "low", "medium", "high", "critical"};
  const yaml::Node policy = severity_policy();
  const auto opens_from = std::ranges::find(levels, policy.find("incidents_from")->scalar);
  ASSERT_NE(opens_from, levels.end());
  for (const Document& rule : documents()) {
    const yaml::Node* const own = rule.node.find("mailwarden");
    ASSERT_NE(own, nullptr) << rule.place;
    ASSERT_NE(own->find("entity"), nullptr) << rule.place;
    EXPECT_FALSE(own->find("entity")->scalar.empty()) << rule.place;
    const auto level = std::ranges::find(levels, rule.text("level"));
    ASSERT_NE(level, levels.end()) << rule.place;
    const yaml::Node* const facts = own->find("facts");
    if (level >= opens_from) {
      EXPECT_TRUE(facts != nullptr && !facts->entries.empty()) << rule.place << " asserts nothing";
    }
    if (facts == nullptr) continue;
    for (const auto& [name, value] : facts->entries) {
      EXPECT_NE(policy.find("facts")->find(name.scalar), nullptr)
          << rule.place << ": " << name.scalar << " is no fact of policies/severity.yaml";
    }
  }
}

TEST(OwnRules, ExamplesStandBesideEachFile) {
  for (const Document& rule : documents()) {
    const std::string file = rule.place.substr(0, rule.place.find(','));
    const std::string examples = read_file(source_folder() + "/rules/sigma/" +
                                           file.substr(0, file.size() - 4) + ".test.yml");
    EXPECT_NE(examples.find("rule: " + rule.text("name") + "\n"), std::string::npos)
        << rule.place << " has no example";
  }
}

}  // namespace
}  // namespace mailwarden::detect
