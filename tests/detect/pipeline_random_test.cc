// Random rules behind mappings hold for events with the new names as they did before for the old.
#include <random>

#include <gtest/gtest.h>

#include "detect/attribute.h"
#include "detect/pipeline.h"
#include "detect/rule_set.h"
#include "event/event_json.h"
#include "tests/detect/random_rules.h"
#include "tests/rounds.h"

namespace mailwarden::detect {
namespace {

using Ids = std::set<std::string>;

constexpr std::uint64_t cases_max = rounds(1500);

// The names that rules of a case ask for and events have, without spaces.
std::set<std::string> names_of(const RuleTexts& texts, const std::vector<Event>& events) {
  std::set<std::string> names;
  auto learn = [&](std::string name) {
    std::erase(name, ' ');
    // A reference with wildcards is refused, and must not become a lawful one.
    if (name.find_first_of("*?\\'") != std::string::npos) return;
    // The normal form's names are fields of every event, which no renaming of events moves.
    if (!name.empty() && attribute_named(name) == Attribute::none) names.insert(name);
  };
  auto learn_items = [&](const std::vector<Selection>& selections) {
    for (const Selection& selection : selections) {
      for (const auto& items : selection.alternatives) {
        for (const DetectionItem& item : items) {
          learn(item.field);
          const bool refers = std::ranges::find(item.modifiers, "fieldref") != item.modifiers.end();
          for (const RuleValue& value : item.values) {
            if (refers) learn(value.text);
          }
        }
      }
    }
  };
  for (const Rule& rule : texts.rules) learn_items(rule.selections);
  for (const Filter& filter : texts.filters) learn_items(filter.selections);
  for (const Event& event : events) {
    for (std::size_t i = 0; i < event.fields.size(); ++i) {
      learn(std::string(event.fields[i].name));
    }
  }
  return names;
}

Ids held(const RuleSet& rules, const Event& event) {
  Ids ids;
  for (const Detection& one : rules.match(event)) ids.insert(one.rule_id);
  return ids;
}

class Renaming {
 public:
  // With `spread` a name has up to three new ones, of which an event uses one.
  Renaming(std::uint64_t seed, const std::set<std::string>& names, bool spread) : random_(seed) {
    std::size_t number = 0;
    for (const std::string& name : names) {
      auto& targets = targets_[name];
      const std::size_t count = spread ? 1 + random_() % 3 : 1;
      for (std::size_t i = 0; i < count; ++i) {
        targets.push_back("new." + std::to_string(random_() % 1000) + "_" +
                          std::to_string(number++));
      }
    }
  }

  std::string pipeline() const {
    std::string text = "transformations:\n- type: field_name_mapping\n  mapping:\n";
    for (const auto& [name, targets] : targets_) {
      text += "    '" + name + "': [";
      for (const std::string& target : targets) text += target + ", ";
      text.replace(text.size() - 2, 2, "]\n");
    }
    return text;
  }

  Event renamed(const Event& event) {
    Event made = event;
    made.fields = Fields();
    std::map<std::string, std::string> chosen;
    for (std::size_t i = 0; i < event.fields.size(); ++i) {
      const Field field = event.fields[i];
      std::string name(field.name);
      std::erase(name, ' ');
      const auto found = targets_.find(name);
      const auto targets = found == targets_.end() ? std::vector{name} : found->second;
      const auto target = chosen.emplace(name, targets[random_() % targets.size()]).first;
      made.fields.add(target->second, field.value, field.kind);
    }
    return made;
  }

 private:
  std::mt19937_64 random_;
  std::map<std::string, std::vector<std::string>> targets_;
};

class PipelineRandom : public testing::TestWithParam<bool> {};

TEST_P(PipelineRandom, RenamedRulesHoldForRenamedEvents) {
  std::size_t pairs = 0;
  std::size_t hits = 0;
  for (std::uint64_t seed = 0; seed < cases_max; ++seed) {
    random_rules::Choices choices = random_rules::Choices::of_seed(seed);
    random_rules::Case made = random_rules::make_case(choices);
    const RuleSetOptions options{.placeholders = random_rules::placeholders()};
    RuleTexts texts = parse_rules(made.rules, "random.yml");
    const std::set<std::string> names = names_of(texts, made.events);
    if (names.empty()) continue;
    Renaming renaming(seed, names, GetParam());
    const auto before = RuleSet::make(texts, options);
    ASSERT_TRUE(before) << before.error().what;
    const auto pipelines = Pipelines::parse({{"p.yml", renaming.pipeline()}});
    ASSERT_TRUE(pipelines) << pipelines.error().what << renaming.pipeline();
    pipelines->apply(texts);
    const auto after = RuleSet::make(std::move(texts), options);
    ASSERT_TRUE(after) << after.error().what;
    ASSERT_EQ(before->rules().size(), after->rules().size())
        << "seed " << seed << "\n"
        << made.rules << after->refused().back().sentence();
    for (const Event& event : made.events) {
      const Ids expected = held(*before, event);
      pairs += before->rules().size();
      hits += expected.size();
      const Event moved = renaming.renamed(event);
      ASSERT_EQ(held(*after, moved), expected)
          << "seed " << seed << "\n"
          << made.rules << renaming.pipeline() << to_json(moved);
    }
  }
  std::cout << pairs << " pairs, " << hits << " hold\n";
  EXPECT_GT(pairs, 10 * cases_max);
  EXPECT_GT(hits * 10, pairs);
}

INSTANTIATE_TEST_SUITE_P(Targets, PipelineRandom, testing::Bool(),
                         [](const auto& info) { return info.param ? "Several" : "One"; });

}  // namespace
}  // namespace mailwarden::detect
