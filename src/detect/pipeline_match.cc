// What conditions of transformations say of a document, its items and its names.
#include <algorithm>

#include <re2/re2.h>

#include "detect/decimal.h"
#include "detect/pipeline_run.h"

namespace mailwarden::detect {

bool compares(Relation relation, std::strong_ordering order) {
  switch (relation) {
    case Relation::eq:
    case Relation::in:
      return order == 0;
    case Relation::ne:
    case Relation::not_in:
      return order != 0;
    case Relation::gte:
      return order >= 0;
    case Relation::gt:
      return order > 0;
    case Relation::lte:
      return order <= 0;
    case Relation::lt:
      return order < 0;
  }
  return false;
}

bool holds(const Condition& formula, const std::function<bool(std::size_t)>& one) {
  auto part_holds = [&](const Condition& part) { return holds(part, one); };
  switch (formula.kind) {
    case Condition::Kind::selection:
      return one(formula.selection);
    case Condition::Kind::all_of:
      return std::ranges::all_of(formula.parts, part_holds);
    case Condition::Kind::any_of:
      return std::ranges::any_of(formula.parts, part_holds);
    case Condition::Kind::none_of:
      return std::ranges::none_of(formula.parts, part_holds);
  }
  return false;
}

bool PipelineRun::state_is(const StateCondition& wanted) const {
  const auto found = state_.find(wanted.key);
  if (found == state_.end()) return false;
  const auto number = Decimal::parse(found->second.text);
  const auto other = Decimal::parse(wanted.value.text);
  if (number && other) return compares(wanted.relation, *number <=> *other);
  const bool equal = found->second.text == wanted.value.text;
  return wanted.relation == Relation::eq ? equal : wanted.relation == Relation::ne && !equal;
}

bool PipelineRun::contains(const std::string& field, const RuleValue* value) const {
  auto fits = [&](const Item& item) {
    if (item.item.field != field) return false;
    return value == nullptr || std::ranges::any_of(item.item.values, [&](const RuleValue& one) {
             return equals(item.item, one, *value);
           });
  };
  return std::ranges::any_of(parts_, [&](const Part& part) {
    return std::ranges::any_of(
        part.alternatives, [&](const Items& items) { return std::ranges::any_of(items, fits); });
  });
}

bool PipelineRun::matches(const Transformation& by, const Item& item) const {
  const auto& items = by.item_conditions;
  if (!items.list.empty() &&
      !holds(items.formula, [&](std::size_t i) { return matches(items.list[i], item); })) {
    return false;
  }
  if (matches_name(by.name_conditions, item.item.field, &item)) return true;
  return is_reference(item.item) &&
         std::ranges::any_of(item.item.values, [&](const RuleValue& value) {
           return matches_name(by.name_conditions, field_name(value.text), nullptr);
         });
}

bool PipelineRun::matches(const ItemCondition& condition, const Item& item) const {
  auto any_or_each = [&](bool each, const auto& value_fits) {
    return each ? std::ranges::all_of(item.item.values, value_fits)
                : std::ranges::any_of(item.item.values, value_fits);
  };
  return std::visit(
      Overloaded{
          [&](const MatchStringCondition& c) {
            return any_or_each(c.each, [&](const RuleValue& value) {
              const bool is_text = is_string(item.item, value);
              const std::string text = is_text ? seen_text(item.item, value) : "";
              const bool fits =
                  is_text && c.regex->Match(text, 0, text.size(), RE2::ANCHOR_START, nullptr, 0);
              return fits != c.negate;
            });
          },
          [&](const MatchValueCondition& c) {
            return any_or_each(
                c.each, [&](const RuleValue& value) { return equals(item.item, value, c.value); });
          },
          [&](const WildcardCondition& c) {
            return any_or_each(
                c.each, [&](const RuleValue& value) { return sees_wildcards(item.item, value); });
          },
          [&](const NullCondition& c) {
            return any_or_each(
                c.each, [](const RuleValue& value) { return value.kind == RuleValue::Kind::null; });
          },
          [&](const AppliedCondition& c) { return item.applied.contains(c.id); },
          [&](const StateCondition& c) { return state_is(c); }},
      condition);
}

bool PipelineRun::matches_name(const Conditions<NameCondition>& conditions, const std::string& name,
                               const Item* item) const {
  return conditions.list.empty() || holds(conditions.formula, [&](std::size_t i) {
           return matches_name(conditions.list[i], name, item);
         });
}

bool PipelineRun::matches_name(const NameCondition& condition, const std::string& name,
                               const Item* item) const {
  return std::visit(Overloaded{[&](const FieldsCondition& c) {
                                 const bool named =
                                     !name.empty() &&
                                     (std::ranges::find(c.names, name) != c.names.end() ||
                                      std::ranges::any_of(c.regexes, [&](const Regex& regex) {
                                        return regex->Match(name, 0, name.size(), RE2::ANCHOR_START,
                                                            nullptr, 0);
                                      }));
                                 return named != c.exclude;
                               },
                               [&](const AppliedCondition& c) {
                                 if (item != nullptr) return item->of_name.contains(c.id);
                                 const auto found = renamed_.find(name);
                                 return found != renamed_.end() && found->second.contains(c.id);
                               },
                               [&](const StateCondition& c) { return state_is(c); }},
                    condition);
}

}  // namespace mailwarden::detect
