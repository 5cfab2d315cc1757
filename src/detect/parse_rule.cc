#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/text.h"
#include "detect/condition.h"
#include "detect/parse_selection.h"
#include "detect/rule.h"

namespace mailwarden::detect {
namespace {

using yaml::Node;

constexpr std::size_t mistakes_told_max = 100;

constexpr std::array<std::pair<std::string_view, Level>, 5> levels{
    {{"informational", Level::informational},
     {"low", Level::low},
     {"medium", Level::medium},
     {"high", Level::high},
     {"critical", Level::critical}}};

std::string join(const std::vector<std::string>& mistakes) {
  std::string what;
  for (std::size_t i = 0; i < std::min(mistakes.size(), mistakes_told_max); ++i) {
    what += (i == 0 ? "" : "\n") + mistakes[i];
  }
  if (mistakes.size() > mistakes_told_max) {
    what += "\nand " + std::to_string(mistakes.size() - mistakes_told_max) + " more";
  }
  return what;
}

class Reader {
 public:
  Reader(Mistakes& mistakes, const ParseLimits& limits) : mistakes_(mistakes), limits_(limits) {}

  void document(const Node& node, RuleTexts& into) {
    if (!node.is_map()) return mistakes_.add(node, "a rule is a map with 'title' and 'detection'");
    if (const Node* correlation = node.find("correlation"); correlation != nullptr) {
      into.correlations.push_back(read_correlation(node, *correlation));
    } else if (node.find("filter") != nullptr) {
      mistakes_.add(node, "filters are not supported by this version");
    } else if (node.find("action") != nullptr) {
      mistakes_.add(node, "'action' belongs to an older Sigma; write each rule out");
    } else {
      into.rules.push_back(read_rule(node));
    }
  }

 private:
  std::string text(const Node& node, const char* name) {
    const Node* found = node.find(name);
    if (found == nullptr || found->is_null()) return {};
    if (!found->is_scalar()) mistakes_.add(*found, std::string("'") + name + "' must be a text");
    return found->scalar;
  }

  std::vector<std::string> texts(const Node& node, const char* name) {
    std::vector<std::string> found;
    const Node* list = node.find(name);
    if (list == nullptr || list->is_null()) return found;
    if (list->is_scalar()) return {list->scalar};
    if (!list->is_sequence()) {
      mistakes_.add(*list, std::string("'") + name + "' must be a list");
      return found;
    }
    for (const Node& item : list->items) found.push_back(item.scalar);
    return found;
  }

  Header header(const Node& node) {
    Header header{.file = mistakes_.file(), .line = node.line};
    header.title = text(node, "title");
    if (header.title.empty()) mistakes_.add(node, "a rule must have a 'title'");
    header.name = text(node, "name");
    header.id = text(node, "id");
    if (header.id.empty()) header.id = header.name;
    if (header.id.empty()) header.id = std::filesystem::path(mistakes_.file()).stem().string();
    header.tags = texts(node, "tags");
    if (const Node* level = node.find("level"); level != nullptr) {
      const auto known =
          std::ranges::find(levels, level->scalar, &std::pair<std::string_view, Level>::first);
      if (known == levels.end()) {
        mistakes_.add(*level, "the level '" + level->scalar +
                                  "' is none of informational, low, medium, high, critical");
      } else {
        header.level = known->second;
      }
    }
    if (const Node* own = node.find("mailwarden"); own != nullptr) read_own(*own, header);
    return header;
  }

  void read_own(const Node& own, Header& header) {
    if (!own.is_map()) return mistakes_.add(own, "'mailwarden' is a map of 'entity' and 'facts'");
    for (const auto& [name, value] : own.entries) {
      if (name.scalar == "entity" && value.is_scalar()) {
        header.entity = value.scalar;
      } else if (name.scalar == "facts" && value.is_map()) {
        for (const auto& [fact, worth] : value.entries) read_fact(fact, worth, header);
      } else {
        mistakes_.add(name, "'mailwarden' takes 'entity', a name, and 'facts', a map");
      }
    }
  }

  void read_fact(const Node& name, const Node& worth, Header& header) {
    const auto number = to_integer(worth.scalar);
    if (yaml::is_true(worth)) {
      header.facts[name.scalar] = 1;
    } else if (number && *number >= 0) {
      header.facts[name.scalar] = *number;
    } else {
      mistakes_.add(worth, "a fact is true or a number that is not negative");
    }
  }

  Logsource logsource(const Node& node) {
    Logsource source;
    const Node* found = node.find("logsource");
    if (found == nullptr || !found->is_map()) {
      mistakes_.add(node, "a rule must have a 'logsource'");
      return source;
    }
    source.product = to_lower(text(*found, "product"));
    source.category = to_lower(text(*found, "category"));
    source.service = to_lower(text(*found, "service"));
    if (source == Logsource()) {
      mistakes_.add(*found, "'logsource' names neither product, category nor service");
    }
    return source;
  }

  Rule read_rule(const Node& node) {
    Rule rule{.header = header(node), .logsource = logsource(node)};
    const Node* detection = node.find("detection");
    if (detection == nullptr || !detection->is_map()) {
      mistakes_.add(node, "a rule must have a 'detection'");
      return rule;
    }
    if (const Node* timeframe = detection->find("timeframe"); timeframe != nullptr) {
      mistakes_.add(*timeframe, "'timeframe' belongs to an older Sigma; write a correlation");
    }
    rule.selections = parse_selections(*detection, mistakes_);
    const Node* condition = detection->find("condition");
    if (condition == nullptr || condition->is_null()) {
      mistakes_.add(*detection, "'detection' must have a 'condition'");
    } else {
      rule.condition = read_condition(*condition, rule.selections);
    }
    return rule;
  }

  Condition read_condition(const Node& node, const std::vector<Selection>& selections) {
    std::vector<const Node*> texts;
    if (node.is_sequence()) {
      for (const Node& item : node.items) texts.push_back(&item);
    } else {
      texts.push_back(&node);
    }
    Condition any{.kind = Condition::Kind::any_of, .selection = 0, .parts = {}};
    for (const Node* text : texts) {
      auto parsed = parse_condition(text->scalar, selections, limits_.depth_max);
      if (parsed) {
        any.parts.push_back(*std::move(parsed));
      } else {
        mistakes_.add(*text, parsed.error().what);
      }
    }
    return any;
  }

  Correlation read_correlation(const Node& node, const Node& own) {
    Correlation correlation{.header = header(node)};
    const std::string type = text(own, "type");
    if (type == "temporal_ordered") {
      correlation.type = Correlation::Type::temporal_ordered;
    } else if (type != "event_count") {
      mistakes_.add(own, "the correlation type '" + type +
                             "' is not supported by this version (event_count and "
                             "temporal_ordered are)");
    }
    correlation.rules = texts(own, "rules");
    if (correlation.rules.empty()) mistakes_.add(own, "a correlation must name its 'rules'");
    correlation.group_by = texts(own, "group-by");
    correlation.generate = own.find("generate") != nullptr && yaml::is_true(*own.find("generate"));
    const Node* span = own.find("timespan");
    const auto timespan = parse_duration(span == nullptr ? "" : span->scalar);
    if (timespan && *timespan > Duration(0)) {
      correlation.timespan = *timespan;
    } else {
      mistakes_.add(span == nullptr ? own : *span, "a correlation must have a 'timespan' like 5m");
    }
    read_aliases(own, correlation);
    read_count(own, correlation);
    return correlation;
  }

  void read_aliases(const Node& own, Correlation& correlation) {
    const Node* aliases = own.find("aliases");
    if (aliases == nullptr) return;
    for (const auto& [alias, rules] : aliases->entries) {
      for (const auto& [rule, field] : rules.entries) {
        correlation.aliases[alias.scalar][rule.scalar] = field.scalar;
      }
    }
  }

  void read_count(const Node& own, Correlation& correlation) {
    const Node* condition = own.find("condition");
    if (correlation.type == Correlation::Type::temporal_ordered) {
      if (correlation.rules.size() < 2) {
        mistakes_.add(own, "'temporal_ordered' needs at least two rules");
      }
      if (condition != nullptr) {
        mistakes_.add(*condition, "a condition of 'temporal_ordered' is not supported");
      }
      return;
    }
    if (condition == nullptr || !condition->is_map() || condition->entries.empty()) {
      return mistakes_.add(own, "'event_count' needs a condition like {gte: 5}");
    }
    bool has_least = false;
    for (const auto& [compare, bound] : condition->entries) {
      const auto number = to_integer(bound.scalar);
      if (!number || *number < 0) {
        mistakes_.add(bound, "'" + bound.scalar + "' is not a count");
      } else if (compare.scalar == "gte" || compare.scalar == "eq" || compare.scalar == "gt") {
        correlation.at_least = *number + (compare.scalar == "gt" ? 1 : 0);
        has_least = true;
      } else if (compare.scalar == "lt" || compare.scalar == "lte") {
        correlation.at_most = *number - (compare.scalar == "lt" ? 1 : 0);
      } else {
        mistakes_.add(compare, "'" + compare.scalar + "' is none of gt, gte, eq, lt, lte");
      }
    }
    if (!has_least || correlation.at_least < 1) {
      mistakes_.add(*condition,
                    "too few events cannot be told before the time is over, which is "
                    "not supported by this version; use gt, gte or eq");
    } else if (correlation.at_most && *correlation.at_most < correlation.at_least) {
      mistakes_.add(*condition, "no count is in this range");
    }
  }

  Mistakes& mistakes_;
  const ParseLimits& limits_;
};

bool is_rule_file(const std::filesystem::path& path) {
  const auto extension = path.extension();
  return (extension == ".yml" || extension == ".yaml") && path.stem().extension() != ".test";
}

Result<std::vector<std::string>> rule_files(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code failed;
  std::filesystem::recursive_directory_iterator entry(folder, failed);
  for (; !failed && entry != std::filesystem::recursive_directory_iterator();
       entry.increment(failed)) {
    if (entry->is_regular_file(failed) && is_rule_file(entry->path())) {
      files.push_back(entry->path().string());
    }
  }
  if (failed) return fail(Code::not_found, folder + ": " + failed.message());
  std::ranges::sort(files);
  return files;
}

void append(RuleTexts& all, RuleTexts more) {
  std::ranges::move(more.rules, std::back_inserter(all.rules));
  std::ranges::move(more.correlations, std::back_inserter(all.correlations));
}

}  // namespace

Result<RuleTexts> parse_rules(std::string_view text, const std::string& file,
                              const ParseLimits& limits) {
  const auto documents = yaml::parse(text);
  if (!documents) return fail(Code::invalid, file + ", " + documents.error().what);
  Mistakes mistakes(file);
  RuleTexts texts;
  Reader reader(mistakes, limits);
  for (const Node& document : *documents) reader.document(document, texts);
  if (!mistakes.told().empty()) return fail(Code::invalid, join(mistakes.told()));
  return texts;
}

Result<RuleTexts> load_rules(const std::vector<std::string>& folders, const ParseLimits& limits) {
  RuleTexts all;
  std::vector<std::string> mistakes;
  for (const std::string& folder : folders) {
    const auto files = rule_files(folder);
    if (!files) {
      mistakes.push_back(files.error().what);
      continue;
    }
    for (const std::string& file : *files) {
      std::ostringstream text;
      text << std::ifstream(file, std::ios::binary).rdbuf();
      auto parsed = parse_rules(text.str(), file, limits);
      if (parsed) {
        append(all, *std::move(parsed));
      } else {
        mistakes.push_back(parsed.error().what);
      }
    }
  }
  if (all.rules.size() + all.correlations.size() > limits.rules_max) {
    mistakes.push_back("more than " + std::to_string(limits.rules_max) + " rules");
  }
  if (!mistakes.empty()) return fail(Code::invalid, join(mistakes));
  return all;
}

}  // namespace mailwarden::detect
