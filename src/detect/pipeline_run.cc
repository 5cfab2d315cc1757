#include "detect/pipeline_run.h"

#include <algorithm>

#include "base/text.h"

namespace mailwarden::detect {
namespace {

// Whether the item holds of an event that has no such field. Then a field that is mapped to
// several must be absent, or different, in each of them.
bool is_about_absence(const DetectionItem& item) {
  const bool absent = item.values.size() == 1 &&
                      (item.values.front().kind == RuleValue::Kind::null ||
                       (has_modifier(item, "exists") && item.values.front().text == "false"));
  return absent != has_modifier(item, "neq");
}

// What a name becomes; nothing where it stays.
std::optional<std::vector<std::string>> targets_of(const Change& change, const std::string& name) {
  if (const auto* const map = std::get_if<MapFields>(&change)) {
    const auto found = map->names.find(name);
    if (found != map->names.end()) return found->second;
  } else if (const auto* const prefixes = std::get_if<MapPrefixes>(&change)) {
    for (const auto& [prefix, targets] : prefixes->prefixes) {
      if (!name.starts_with(prefix)) continue;
      std::vector<std::string> names;
      for (const std::string& target : targets)
        names.push_back(target + name.substr(prefix.size()));
      return names;
    }
  } else if (const auto* const extend = std::get_if<ExtendFields>(&change)) {
    return std::vector{extend->prefix + name + extend->suffix};
  }
  return std::nullopt;
}

}  // namespace

const Logsource& Trace::logsource_before(std::size_t number) const {
  const auto later =
      std::ranges::find_if(logsources, [&](const auto& change) { return change.first > number; });
  return std::prev(later)->second;
}

void PipelineRun::take(std::vector<Selection> selections, Condition condition,
                       const Logsource& logsource) {
  for (Selection& selection : selections) {
    Part& part = parts_.emplace_back(Part{.name = std::move(selection.name), .alternatives = {}});
    for (std::vector<DetectionItem>& items : selection.alternatives) {
      Items& into = part.alternatives.emplace_back();
      for (DetectionItem& item : items) into.push_back({.item = std::move(item)});
    }
  }
  condition_ = std::move(condition);
  logsource_ = logsource;
  trace_.logsources.emplace_back(0, logsource);
}

std::pair<std::vector<Selection>, Condition> PipelineRun::finish() {
  // Selections of which nothing is left are named by no condition any more.
  std::vector<Selection> selections;
  std::vector<std::size_t> places;
  for (Part& part : parts_) {
    places.push_back(selections.size());
    if (part.alternatives.empty()) continue;
    Selection& selection =
        selections.emplace_back(Selection{.name = part.name, .alternatives = {}});
    for (Items& items : part.alternatives) {
      std::vector<DetectionItem>& into = selection.alternatives.emplace_back();
      for (Item& item : items) into.push_back(std::move(item.item));
    }
  }
  const std::function<void(Condition&)> place = [&](Condition& condition) {
    if (condition.kind == Condition::Kind::selection) {
      condition.selection = places[condition.selection];
    }
    for (Condition& part : condition.parts) place(part);
  };
  place(condition_);
  return {std::move(selections), std::move(condition_)};
}

PipelineRun::Outcome PipelineRun::run(const std::vector<Pipeline>& pipelines) {
  for (const Pipeline& pipeline : pipelines) {
    if (auto done = run(pipeline.transformations); !done) return done;
  }
  return {};
}

PipelineRun::Outcome PipelineRun::run(const std::vector<Transformation>& transformations) {
  for (const Transformation& by : transformations) {
    trace_.applied.resize(std::max(trace_.applied.size(), by.number + 1), false);
    if (!decide_(by, *this)) continue;
    trace_.applied[by.number] = true;
    if (auto done = apply(by); !done) return done;
    if (!by.id.empty()) applied_.insert(by.id);
  }
  return {};
}

PipelineRun::Outcome PipelineRun::apply(const Transformation& by) {
  if (const auto* const nest = std::get_if<Nest>(&by.change)) return run(nest->transformations);
  if (const auto* const failure = std::get_if<FailRule>(&by.change)) {
    return std::unexpected(error(by, header_.line, failure->message));
  }
  if (std::holds_alternative<FailUnmapped>(by.change)) return check_mapped(by);
  if (const auto* const state = std::get_if<SetState>(&by.change)) {
    state_[state->key] = state->value;
    return {};
  }
  if (const auto* const added = std::get_if<AddCondition>(&by.change)) {
    if (!is_correlation() && !is_filter_) add(*added, by);
    return {};
  }
  if (const auto* const change = std::get_if<ChangeLogsource>(&by.change)) {
    if (is_correlation() || is_filter_) return {};
    logsource_ = change->logsource;
    trace_.logsources.emplace_back(by.number + 1, logsource_);
    return {};
  }
  if (auto done = apply_to_items(by); !done) return done;
  return apply_to_names(by);
}

PipelineRun::Outcome PipelineRun::apply_to_items(const Transformation& by) {
  const std::size_t items_before = count_items();
  for (Part& part : parts_) {
    Alternatives all;
    for (const Items& items : part.alternatives) {
      Alternatives some(1);
      for (const Item& item : items) {
        auto instead = changed(by, item);
        if (!instead) return std::unexpected(instead.error());
        if (auto done = join(by, some, *std::move(instead), item.item.line); !done) return done;
      }
      std::ranges::move(some, std::back_inserter(all));
    }
    const std::size_t alternatives_max = settings_.limits.alternatives_max;
    if (all.size() > std::max(part.alternatives.size(), alternatives_max)) {
      return std::unexpected(error(by, header_.line,
                                   "the selection '" + part.name + "' would have more than " +
                                       std::to_string(alternatives_max) + " alternatives"));
    }
    part.alternatives = std::move(all);
  }
  if (auto grown = check_growth(by, items_before); !grown) return grown;
  if (std::holds_alternative<DropItem>(by.change)) return drop_empty(by);
  return {};
}

PipelineRun::Outcome PipelineRun::check_growth(const Transformation& by, std::size_t before) const {
  const std::size_t items_max = settings_.limits.items_max;
  if (count_items() <= std::max(before, items_max)) return {};
  return std::unexpected(error(
      by, header_.line, "the rule would have more than " + std::to_string(items_max) + " items"));
}

// Puts each of `more` behind each of `all`.
PipelineRun::Outcome PipelineRun::join(const Transformation& by, Alternatives& all,
                                       Alternatives more, std::size_t line) const {
  if (more.size() == 1) {
    for (Items& one : all) one.insert(one.end(), more.front().begin(), more.front().end());
    return {};
  }
  const std::size_t alternatives_max = settings_.limits.alternatives_max;
  if (all.size() * more.size() > alternatives_max) {
    return std::unexpected(error(by, line,
                                 "more than " + std::to_string(alternatives_max) +
                                     " alternatives would come of one map of a selection"));
  }
  Alternatives joined;
  for (const Items& one : all) {
    for (const Items& other : more) {
      Items& items = joined.emplace_back(one);
      items.insert(items.end(), other.begin(), other.end());
    }
  }
  all = std::move(joined);
  return {};
}

std::expected<PipelineRun::Alternatives, RuleError> PipelineRun::changed(const Transformation& by,
                                                                         const Item& item) {
  if (!matches(by, item)) return Alternatives{{item}};
  if (const auto* const failure = std::get_if<FailItem>(&by.change)) {
    return std::unexpected(error(by, item.item.line, failure->message));
  }
  if (std::holds_alternative<DropItem>(by.change)) return Alternatives{{}};
  const bool of_names = std::holds_alternative<MapFields>(by.change) ||
                        std::holds_alternative<MapPrefixes>(by.change) ||
                        std::holds_alternative<ExtendFields>(by.change);
  return of_names ? renamed(by, item) : with_new_values(by, item);
}

std::expected<PipelineRun::Alternatives, RuleError> PipelineRun::renamed(const Transformation& by,
                                                                         const Item& item) {
  ChangedValues values{.item = item.item, .values = {}};
  auto fields = item.item.field.empty() ? std::nullopt : new_names(by, item.item.field, &item);
  const bool named = fields.has_value();
  bool refers = false;
  for (const RuleValue& value : item.item.values) {
    std::vector<RuleValue>& into = values.values.emplace_back(1, value);
    if (!is_reference(item.item)) continue;
    const auto names = new_names(by, field_name(value.text), nullptr);
    if (!names) continue;
    refers = true;
    into.clear();
    for (const std::string& name : *names) {
      into.push_back({.kind = value.kind, .text = name, .line = value.line});
    }
  }
  if (!named && !refers) return Alternatives{{item}};
  if (!named) fields = std::vector{item.item.field};
  Alternatives all(1);
  const bool each = is_about_absence(item.item);
  if (!each) all.clear();
  for (const std::string& field : *fields) {
    values.item.field = field;
    Alternatives some;
    for (std::vector<DetectionItem>& items : with_values(values)) {
      Items& into = some.emplace_back();
      for (DetectionItem& one : items) {
        Item& made = into.emplace_back(item);
        made.item = std::move(one);
        made.mapped = item.mapped || named;
        mark(made, by, named);
      }
    }
    if (!each) {
      std::ranges::move(some, std::back_inserter(all));
      continue;
    }
    if (auto done = join(by, all, std::move(some), item.item.line); !done) {
      return std::unexpected(done.error());
    }
  }
  return all;
}

void PipelineRun::mark(Item& item, const Transformation& by, bool named) {
  if (by.id.empty()) return;
  item.applied.insert(by.id);
  if (named) item.of_name.insert(by.id);
}

std::expected<PipelineRun::Alternatives, RuleError> PipelineRun::with_new_values(
    const Transformation& by, const Item& item) {
  const std::size_t bytes_max = settings_.limits.text_bytes_max;
  const MaybeChanged made = std::visit(
      Overloaded{[&](const ReplaceString& c) { return replace_string(c, item.item, bytes_max); },
                 [&](const MapString& c) { return map_string(c, item.item); },
                 [&](const ChangeCase& c) { return change_case(c, item.item); },
                 [&](const ConvertType& c) { return convert_type(c, item.item); },
                 [&](const SetValue& c) { return set_value(c, item.item); },
                 [&](const ReplacePlaceholders& c) {
                   return replace_placeholders(c, settings_.vars, item.item, bytes_max);
                 },
                 [](const auto&) { return MaybeChanged(std::nullopt); }},
      by.change);
  if (!made) return std::unexpected(error(by, item.item.line, made.error().what));
  if (!*made) return Alternatives{{item}};
  Alternatives all;
  for (std::vector<DetectionItem>& items : with_values(**made)) {
    Items& into = all.emplace_back();
    for (DetectionItem& one : items) {
      if (one.values.size() > std::max(values_max, item.item.values.size())) {
        return std::unexpected(
            error(by, one.line,
                  "the item would have more than " + std::to_string(values_max) + " values"));
      }
      Item& made = into.emplace_back(item);
      made.item = std::move(one);
      mark(made, by, true);
    }
  }
  return all;
}

std::optional<std::vector<std::string>> PipelineRun::new_names(const Transformation& by,
                                                               const std::string& name,
                                                               const Item* item) {
  auto targets = targets_of(by.change, name);
  if (!targets || !matches_name(by.name_conditions, name, item)) return std::nullopt;
  // A copy, since a name may be mapped to itself among others.
  std::set<std::string> ids = renamed_[name];
  if (!by.id.empty()) ids.insert(by.id);
  for (const std::string& target : *targets) {
    if (target != name) renamed_[target].insert(ids.begin(), ids.end());
  }
  return targets;
}

// Names outside of selections, which stand for one field alone.
PipelineRun::Outcome PipelineRun::rename_alone(const Transformation& by, std::string& name,
                                               const char* what) {
  if (name.empty()) return {};
  auto names = new_names(by, field_name(name), nullptr);
  if (!names) return {};
  if (names->size() > 1) {
    return std::unexpected(error(by, header_.line,
                                 "'" + printable(name) + "' is mapped to several fields, and " +
                                     what + " can name only one"));
  }
  name = std::move(names->front());
  return {};
}

PipelineRun::Outcome PipelineRun::apply_to_names(const Transformation& by) {
  const bool knows_alias =
      correlation_ != nullptr && correlation_->aliases.contains(header_.entity);
  if (!knows_alias) {
    if (auto done = rename_alone(by, header_.entity, "the entity"); !done) return done;
  }
  if (correlation_ == nullptr) return {};
  for (auto& [alias, fields] : correlation_->aliases) {
    for (auto& [rule, field] : fields) {
      if (auto done = rename_alone(by, field, "an alias"); !done) return done;
    }
  }
  for (std::string& name : correlation_->group_by) {
    if (correlation_->aliases.contains(name)) continue;
    if (auto done = rename_alone(by, name, "'group-by'"); !done) return done;
  }
  for (std::string& name : correlation_->fields) {
    if (correlation_->aliases.contains(name)) continue;
    if (auto done = rename_alone(by, name, "the condition's 'field'"); !done) return done;
  }
  return {};
}

PipelineRun::Outcome PipelineRun::check_mapped(const Transformation& by) const {
  for (const Part& part : parts_) {
    for (const Items& items : part.alternatives) {
      for (const Item& item : items) {
        if (item.mapped || item.item.field.empty()) continue;
        return std::unexpected(
            error(by, item.item.line,
                  "the field '" + printable(item.item.field) + "' is mapped by no transformation"));
      }
    }
  }
  return {};
}

// A map of which all items were dropped says nothing any more, and neither does a selection without
// maps: they leave the condition.
PipelineRun::Outcome PipelineRun::drop_empty(const Transformation& by) {
  for (Part& part : parts_) {
    std::erase_if(part.alternatives, [](const Items& items) { return items.empty(); });
  }
  if (is_correlation() || !is_empty(condition_)) return {};
  return std::unexpected(
      error(by, header_.line, "every item that the condition rests on would be dropped"));
}

bool PipelineRun::is_empty(Condition& condition) const {
  if (condition.kind == Condition::Kind::selection) {
    return parts_[condition.selection].alternatives.empty();
  }
  std::erase_if(condition.parts, [&](Condition& part) { return is_empty(part); });
  return condition.parts.empty();
}

void PipelineRun::add(const AddCondition& added, const Transformation& by) {
  Part& part = parts_.emplace_back(Part{.name = added.selection.name, .alternatives = {}});
  for (const std::vector<DetectionItem>& items : added.selection.alternatives) {
    Items& into = part.alternatives.emplace_back();
    for (const DetectionItem& item : items) {
      into.push_back({.item = item});
      into.back().item.line = header_.line;
      mark(into.back(), by, true);
    }
  }
  Condition term{.kind = Condition::Kind::selection, .selection = parts_.size() - 1, .parts = {}};
  if (added.negated) {
    Condition negation{.kind = Condition::Kind::none_of, .selection = 0, .parts = {}};
    negation.parts.push_back(std::move(term));
    term = std::move(negation);
  }
  // Beside those that were added before, so that the condition does not grow deeper.
  if (condition_.kind != Condition::Kind::all_of) {
    Condition both{.kind = Condition::Kind::all_of, .selection = 0, .parts = {}};
    both.parts.push_back(std::move(condition_));
    condition_ = std::move(both);
  }
  condition_.parts.insert(condition_.parts.begin(), std::move(term));
}

std::size_t PipelineRun::count_items() const {
  std::size_t count = 0;
  for (const Part& part : parts_) {
    for (const Items& items : part.alternatives) count += items.size();
  }
  return count;
}

RuleError PipelineRun::error(const Transformation& by, std::size_t line,
                             const std::string& what) const {
  return {.line = line, .what = what + " (" + by.place + ")"};
}

}  // namespace mailwarden::detect
