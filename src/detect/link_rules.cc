#include "detect/link_rules.h"

#include <algorithm>
#include <map>
#include <set>

namespace mailwarden::detect {
namespace {

// Moves what `keeps` answers a reason for out of the list.
template <class T, class Why>
void refuse_where(std::vector<T>& list, std::vector<Refusal>& refused, Why why) {
  std::erase_if(list, [&](T& one) {
    std::string reason = why(one);
    if (reason.empty()) return false;
    refused.push_back(refusal(one.header, one.header.line, std::move(reason)));
    return true;
  });
}

// The ids by the names and ids under which they may be called.
using Known = std::map<std::string, std::string, std::less<>>;

void learn(Known& known, const Header& header) {
  known.emplace(header.id, header.id);
  if (!header.name.empty()) known.emplace(header.name, header.id);
}

class Claims {
 public:
  std::string claim(const Header& header) {
    if (const auto taken = by_.find(header.id); taken != by_.end()) {
      return "the id '" + header.id + "' is taken by " + taken->second;
    }
    const bool named = !header.name.empty() && header.name != header.id;
    if (const auto taken = by_.find(header.name); named && taken != by_.end()) {
      return "the name '" + header.name + "' is taken by " + taken->second;
    }
    const std::string place = header.file + ", line " + std::to_string(header.line);
    by_.emplace(header.id, place);
    if (named) by_.emplace(header.name, place);
    return {};
  }

 private:
  std::map<std::string, std::string> by_;
};

bool contradicts(const std::string& a, const std::string& b) {
  return !a.empty() && !b.empty() && a != b;
}

bool suits(const Logsource& filter, const Logsource& rule) {
  return !contradicts(filter.product, rule.product) &&
         !contradicts(filter.category, rule.category) && !contradicts(filter.service, rule.service);
}

void shift_selections(Condition& condition, std::size_t by) {
  condition.selection += by;
  for (Condition& part : condition.parts) shift_selections(part, by);
}

// (condition) and not (filter's condition)
void put_filter(const Filter& filter, Rule& rule) {
  Condition inside = filter.condition;
  shift_selections(inside, rule.selections.size());
  rule.selections.insert(rule.selections.end(), filter.selections.begin(), filter.selections.end());
  Condition outside{.kind = Condition::Kind::none_of, .selection = 0, .parts = {}};
  outside.parts.push_back(std::move(inside));
  Condition both{.kind = Condition::Kind::all_of, .selection = 0, .parts = {}};
  both.parts.push_back(std::move(rule.condition));
  both.parts.push_back(std::move(outside));
  rule.condition = std::move(both);
}

std::string wrong_item(const Filter& filter, const Placeholders& placeholders) {
  for (const Selection& selection : filter.selections) {
    for (const auto& items : selection.alternatives) {
      for (const DetectionItem& item : items) {
        if (const auto test = resolve(item, placeholders); !test) return test.error().what;
      }
    }
  }
  return {};
}

// Puts ids for names; aliases may use the name that `rules` used.
std::string resolve_names(Correlation& correlation, const Known& known) {
  for (std::string& rule : correlation.rules) {
    const auto found = known.find(rule);
    if (found == known.end()) return "there is no rule '" + rule + "'";
    for (auto& [alias, fields] : correlation.aliases) {
      if (auto field = fields.extract(rule)) {
        field.key() = found->second;
        fields.insert(std::move(field));
      }
    }
    rule = found->second;
  }
  return {};
}

}  // namespace

Refusal refusal(const Header& header, std::size_t line, std::string reason) {
  return {.file = header.file, .line = line, .id = header.id, .reason = std::move(reason)};
}

void claim_names(RuleTexts& texts) {
  Claims claims;
  auto claim = [&](const auto& one) { return claims.claim(one.header); };
  refuse_where(texts.rules, texts.refused, claim);
  refuse_where(texts.correlations, texts.refused, claim);
  refuse_where(texts.filters, texts.refused, claim);
}

void put_filters(RuleTexts& texts, const Placeholders& placeholders) {
  Known known;
  for (const Rule& rule : texts.rules) learn(known, rule.header);
  refuse_where(texts.filters, texts.refused, [&](const Filter& filter) {
    if (filter.any_rule) return wrong_item(filter, placeholders);
    for (const std::string& rule : filter.rules) {
      if (!known.contains(rule)) return "there is no rule '" + rule + "' for the filter";
    }
    return wrong_item(filter, placeholders);
  });
  for (const Filter& filter : texts.filters) {
    std::set<std::string> ids;
    for (const std::string& rule : filter.rules) {
      if (const auto id = known.find(rule); id != known.end()) ids.insert(id->second);
    }
    for (Rule& rule : texts.rules) {
      const bool named = filter.any_rule || ids.contains(rule.header.id);
      if (named && suits(filter.logsource, rule.logsource)) put_filter(filter, rule);
    }
  }
}

void order_correlations(RuleTexts& texts) {
  std::set<std::string> placed;
  for (const Rule& rule : texts.rules) placed.insert(rule.header.id);
  // One that is refused takes those with it that rest on it.
  for (std::size_t before = texts.correlations.size() + 1; before > texts.correlations.size();) {
    before = texts.correlations.size();
    Known known;
    for (const Rule& rule : texts.rules) learn(known, rule.header);
    for (const Correlation& one : texts.correlations) learn(known, one.header);
    refuse_where(texts.correlations, texts.refused,
                 [&](Correlation& one) { return resolve_names(one, known); });
  }
  auto& list = texts.correlations;
  auto rest = list.begin();
  while (rest != list.end()) {
    const auto ready = std::find_if(rest, list.end(), [&](const Correlation& one) {
      return std::ranges::all_of(one.rules,
                                 [&](const auto& rule) { return placed.contains(rule); });
    });
    if (ready == list.end()) break;
    placed.insert(ready->header.id);
    std::iter_swap(rest++, ready);
  }
  // What is left turns in a circle, or rests on what does.
  for (auto one = rest; one != list.end(); ++one) {
    texts.refused.push_back(refusal(one->header, one->header.line,
                                    "the correlation '" + one->header.title + "' rests on itself"));
  }
  list.erase(rest, list.end());
}

}  // namespace mailwarden::detect
