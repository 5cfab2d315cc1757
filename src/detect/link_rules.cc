#include "detect/link_rules.h"

#include <algorithm>
#include <map>
#include <set>

namespace mailwarden::detect {
namespace {

Refusal refusal(const Header& header, std::size_t line, std::string reason) {
  return {.file = header.file, .line = line, .id = header.id, .reason = std::move(reason)};
}

const Header& header_of(const Correlation& one) {
  return one.header;
}
template <class T>
const Header& header_of(const Resolved<T>& one) {
  return one.document.header;
}

// Moves what `why` answers a reason for out of the list.
template <class T, class Why>
void refuse_where(std::vector<T>& list, std::vector<Refusal>& refused, Why why) {
  std::erase_if(list, [&](T& one) {
    std::string reason = why(one);
    if (reason.empty()) return false;
    refused.push_back(refusal(header_of(one), header_of(one).line, std::move(reason)));
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

void shift_selections(Condition& condition, std::size_t by) {
  condition.selection += by;
  for (Condition& part : condition.parts) shift_selections(part, by);
}

// (condition) and not (filter's condition)
void put_filter(const Resolved<Filter>& resolved, Resolved<Rule>& into) {
  const Filter& filter = resolved.document;
  Rule& rule = into.document;
  into.tests.insert(into.tests.end(), resolved.tests.begin(), resolved.tests.end());
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

// An alias that `group-by` or `field` uses must say a field for every rule, since the events of one
// that it leaves out could belong to no group.
std::string check_aliases(const Correlation& correlation) {
  const auto names = [](const std::vector<std::string>& list, const std::string& name) {
    return std::ranges::find(list, name) != list.end();
  };
  for (const auto& [alias, fields] : correlation.aliases) {
    for (const auto& [rule, field] : fields) {
      if (!names(correlation.rules, rule)) {
        return "the alias '" + alias + "' names '" + rule + "', which 'rules' does not have";
      }
    }
    if (!names(correlation.group_by, alias) && !names(correlation.fields, alias)) continue;
    for (const std::string& rule : correlation.rules) {
      if (!fields.contains(rule)) {
        return "the alias '" + alias + "' says no field for the rule '" + rule + "'";
      }
    }
  }
  return {};
}

// Puts ids for names; aliases may use the name that `rules` used, the rule's other one or its id.
std::string resolve_names(Correlation& correlation, const Known& known) {
  std::set<std::string> seen;
  for (std::string& rule : correlation.rules) {
    const auto found = known.find(rule);
    if (found == known.end()) return "there is no rule '" + rule + "'";
    if (!seen.insert(found->second).second) return "'rules' names '" + rule + "' twice";
    rule = found->second;
  }
  for (auto& [alias, fields] : correlation.aliases) {
    std::map<std::string, std::string> resolved;
    for (auto& [rule, field] : fields) {
      const auto found = known.find(rule);
      if (!resolved.emplace(found == known.end() ? rule : found->second, field).second) {
        return "the alias '" + alias + "' names the rule '" + rule + "' twice";
      }
    }
    fields = std::move(resolved);
  }
  return check_aliases(correlation);
}

template <class T>
std::vector<Resolved<T>> resolve_all(std::vector<T> documents, const Placeholders& placeholders,
                                     std::vector<Refusal>& refused) {
  std::vector<Resolved<T>> resolved;
  for (T& document : documents) {
    auto tests = resolve(document.selections, placeholders);
    if (tests) {
      resolved.push_back({std::move(document), *std::move(tests)});
    } else {
      refused.push_back(refusal(document.header, tests.error().line, tests.error().what));
    }
  }
  return resolved;
}

// The first to ask for an id or a name has it, whatever kind of document it is.
void claim_names(LinkedRules& linked) {
  std::vector<const Header*> headers;
  for (const auto& one : linked.rules) headers.push_back(&one.document.header);
  for (const auto& one : linked.correlations) headers.push_back(&one.header);
  for (const auto& one : linked.filters) headers.push_back(&one.document.header);
  std::ranges::sort(headers, {}, &Header::order);
  Claims claims;
  std::map<std::size_t, std::string> reasons;
  for (const Header* header : headers) {
    if (std::string reason = claims.claim(*header); !reason.empty()) {
      reasons.emplace(header->order, std::move(reason));
    }
  }
  auto reason_of = [&](const auto& one) {
    const auto reason = reasons.find(header_of(one).order);
    return reason == reasons.end() ? std::string() : reason->second;
  };
  refuse_where(linked.rules, linked.refused, reason_of);
  refuse_where(linked.correlations, linked.refused, reason_of);
  refuse_where(linked.filters, linked.refused, reason_of);
}

void put_filters(LinkedRules& linked) {
  Known known;
  for (const auto& rule : linked.rules) learn(known, rule.document.header);
  refuse_where(linked.filters, linked.refused, [&](const Resolved<Filter>& filter) {
    if (filter.document.any_rule) {
      return std::string(linked.rules.empty() ? "there is no rule for the filter" : "");
    }
    for (const std::string& rule : filter.document.rules) {
      if (!known.contains(rule)) return "there is no rule '" + rule + "' for the filter";
    }
    return std::string();
  });
  for (const Resolved<Filter>& filter : linked.filters) {
    std::set<std::string> ids;
    for (const std::string& rule : filter.document.rules) {
      if (const auto id = known.find(rule); id != known.end()) ids.insert(id->second);
    }
    for (Resolved<Rule>& rule : linked.rules) {
      const bool named = filter.document.any_rule || ids.contains(rule.document.header.id);
      if (named && suits(filter.document.logsource, rule.document.logsource)) {
        put_filter(filter, rule);
      }
    }
  }
}

// One that is refused takes those with it that rest on it.
void resolve_correlations(LinkedRules& linked) {
  for (std::size_t before = linked.correlations.size() + 1; before > linked.correlations.size();) {
    before = linked.correlations.size();
    Known known;
    for (const auto& rule : linked.rules) learn(known, rule.document.header);
    for (const Correlation& one : linked.correlations) learn(known, one.header);
    refuse_where(linked.correlations, linked.refused,
                 [&](Correlation& one) { return resolve_names(one, known); });
  }
}

// Puts each behind those that it names.
void order_correlations(LinkedRules& linked) {
  std::set<std::string> placed;
  for (const auto& rule : linked.rules) placed.insert(rule.document.header.id);
  auto& list = linked.correlations;
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
    linked.refused.push_back(
        refusal(one->header, one->header.line,
                "the correlation '" + one->header.title + "' rests on itself"));
  }
  list.erase(rest, list.end());
}

}  // namespace

bool suits(const Logsource& filter, const Logsource& rule) {
  return !contradicts(filter.product, rule.product) &&
         !contradicts(filter.category, rule.category) && !contradicts(filter.service, rule.service);
}

LinkedRules link(RuleTexts texts, const Placeholders& placeholders) {
  LinkedRules linked{.correlations = std::move(texts.correlations),
                     .refused = std::move(texts.refused)};
  linked.rules = resolve_all(std::move(texts.rules), placeholders, linked.refused);
  linked.filters = resolve_all(std::move(texts.filters), placeholders, linked.refused);
  claim_names(linked);
  put_filters(linked);
  resolve_correlations(linked);
  order_correlations(linked);
  return linked;
}

}  // namespace mailwarden::detect
