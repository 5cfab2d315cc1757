#include "detect/gate.h"

#include <algorithm>
#include <map>
#include <vector>

namespace mailwarden::detect {
namespace {

// Several fields may each be needed; the values by field.
using Gates = std::map<std::string, std::set<std::string>>;

// Of one line of a selection.
void add(const FieldTest& test, Gates& gates) {
  if (test.field.empty() || (test.all && test.values.size() > 1)) return;
  std::set<std::string> values;
  for (const Matcher& matcher : test.values) {
    const auto* const pattern = std::get_if<Pattern>(&matcher);
    auto exact = pattern == nullptr ? std::nullopt : pattern->exact();
    if (!exact || exact->size() > Gate::value_bytes_max) return;
    values.insert(*std::move(exact));
  }
  if (!values.empty()) gates.try_emplace(test.field, std::move(values));
}

// What is needed whichever of the alternatives holds.
Gates common(const std::vector<Gates>& alternatives) {
  if (alternatives.empty()) return {};
  Gates all = alternatives.front();
  for (const Gates& one : alternatives) {
    std::erase_if(all, [&](const auto& gate) { return !one.contains(gate.first); });
    for (auto& [field, values] : all) {
      const std::set<std::string>& more = one.find(field)->second;
      values.insert(more.begin(), more.end());
    }
  }
  return all;
}

Gates gates_of(const Rule& rule, const Condition& condition) {
  std::vector<Gates> parts;
  switch (condition.kind) {
    case Condition::Kind::none_of:
      return {};
    case Condition::Kind::selection:
      for (const auto& tests : rule.selections[condition.selection].alternatives) {
        Gates& gates = parts.emplace_back();
        for (const FieldTest& test : tests) add(test, gates);
      }
      return common(parts);
    case Condition::Kind::any_of:
      for (const Condition& part : condition.parts) parts.push_back(gates_of(rule, part));
      return common(parts);
    case Condition::Kind::all_of: {
      Gates all;
      for (const Condition& part : condition.parts) all.merge(gates_of(rule, part));
      return all;
    }
  }
  return {};
}

}  // namespace

std::optional<Gate> gate_of(const Rule& rule) {
  Gates gates = gates_of(rule, rule.condition);
  if (gates.empty()) return std::nullopt;
  // "event" names what happened and splits a log's lines best; else the fewest values do.
  auto best = gates.find("event");
  if (best == gates.end()) {
    best = std::ranges::min_element(gates, {}, [](const auto& one) { return one.second.size(); });
  }
  return Gate{best->first, std::move(best->second)};
}

}  // namespace mailwarden::detect
