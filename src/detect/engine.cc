#include "detect/engine.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "detect/fold.h"
#include "detect/witness.h"

namespace mailwarden::detect {
namespace {

// A shorter literal is met so often that asking for it when a rule wants to know is cheaper.
constexpr std::size_t early_bytes_min = 10;
constexpr std::size_t shown_bytes_max = 512;

}  // namespace

void FoldedTexts::clear() {
  large_.clear();
  used_ = 0;
}

std::string_view FoldedTexts::fold(std::string_view text) {
  const std::size_t room = folded_bytes_max(text.size());
  if (block_ == nullptr) block_ = std::make_unique_for_overwrite<char[]>(block_bytes);
  if (used_ + room <= block_bytes) {
    char* const out = block_.get() + used_;
    const std::size_t length = fold_into(out, text);
    used_ += length;
    return {out, length};
  }
  large_.push_back(std::make_unique_for_overwrite<char[]>(room));
  return {large_.back().get(), fold_into(large_.back().get(), text)};
}

void MatchScratch::begin(const EventView& event) {
  if (++turn_ == 1U << 31U) {
    std::ranges::fill(truths_, 0);
    std::ranges::fill(tried_, 0);
    turn_ = 1;
  }
  candidates_.clear();
  texts_.clear();
  folded_.assign(event.values().size() + 1, std::string_view());
}

std::string_view MatchScratch::folded(const EventView& event, std::size_t value) {
  std::string_view& folded = folded_[value];
  if (folded.data() != nullptr) return folded;
  const bool raw = value == event.values().size();
  return folded = texts_.fold(raw ? event.raw() : event.values()[value].text);
}

RuleNumber Engine::add(const Rule& rule, const std::vector<FieldTest>& tests) {
  rules_.push_back(program_.add(rule, tests));
  logsources_.push_back(rule.logsource);
  return static_cast<RuleNumber>(rules_.size() - 1);
}

Result<void> Engine::compile() {
  program_.arrange();
  std::vector<std::optional<std::vector<PredicateId>>> witnesses;
  std::vector<bool> sought(program_.predicates().size());
  for (const CompiledRule& rule : rules_) {
    witnesses.push_back(witness_of(program_, rule.root));
    if (!witnesses.back()) continue;
    for (const PredicateId id : *witnesses.back()) sought[id] = true;
  }
  for (PredicateId id = 0; id < program_.predicates().size(); ++id) {
    const Predicate& predicate = program_.predicates()[id];
    early_.push_back(predicate.decided_by_evidence() &&
                     (sought[id] ||
                      predicate.evidence.front().where != LiteralIndex::Where::anywhere ||
                      predicate.evidence.front().text.size() >= early_bytes_min));
  }
  std::map<std::tuple<std::string, std::string, std::string>, RuleGroup*> by_logsource;
  for (RuleNumber rule = 0; rule < rules_.size(); ++rule) {
    const Logsource& source = logsources_[rule];
    RuleGroup*& group = by_logsource[{source.product, source.category, source.service}];
    if (group == nullptr) {
      group = groups_.emplace_back(std::make_unique<RuleGroup>(source)).get();
    }
    group->add(rule, predicates_of(rules_[rule]), std::move(witnesses[rule]));
  }
  for (const auto& group : groups_) {
    if (auto done = group->build(program_, early_, memory_); !done) return done;
  }
  return {};
}

void Engine::fit(MatchScratch& scratch) const {
  if (scratch.fitted_to_.get() == this) return;
  scratch.fitted_to_ = shared_from_this();
  scratch.memory_ = memory_;
  scratch.turn_ = 0;
  scratch.truths_.assign(program_.predicates().size(), 0);
  scratch.tried_.assign(rules_.size(), 0);
  scratch.routes_.clear();
}

const std::vector<std::uint32_t>& Engine::route(const EventView& event, Routing routing,
                                                MatchScratch& scratch) const {
  const LogsourceView& source = event.logsource();
  std::string& key = scratch.route_key_;
  key.clear();
  key += static_cast<char>(routing);
  for (const std::string_view part : {source.product, source.category, source.service}) {
    key += part;
    key += '\0';
  }
  const auto known = scratch.routes_.find(key);
  if (known != scratch.routes_.end()) return known->second;
  if (scratch.routes_.size() >= MatchScratch::routes_max) scratch.routes_.clear();
  std::vector<std::uint32_t>& groups = scratch.routes_[key];
  for (std::uint32_t i = 0; i < groups_.size(); ++i) {
    if (groups_[i]->applies(source, routing)) groups.push_back(i);
  }
  return groups;
}

void Engine::look_up(const RuleGroup& group, const EventView& event, MatchScratch& scratch) const {
  auto probe = [&](FieldId field, std::size_t place, std::string_view text) {
    group.look_up(
        field, text, scratch.folded(event, place), scratch.memory_,
        [&](PredicateId id) { scratch.found(id); },
        [&](RuleNumber rule) { scratch.candidate(rule); });
  };
  const bool keywords = group.asks(keyword_field);
  const auto& values = event.values();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].kind == FieldKind::null) continue;
    if (group.asks(values[i].field)) probe(values[i].field, i, values[i].text);
    if (keywords && i < event.searched()) probe(keyword_field, i, values[i].text);
  }
  if (keywords && !event.raw().empty()) probe(keyword_field, values.size(), event.raw());
  for (const RuleNumber rule : group.always()) scratch.candidate(rule);
}

void Engine::match(const EventView& event, Routing routing, MatchScratch& scratch,
                   std::vector<RuleNumber>& matched) const {
  fit(scratch);
  scratch.begin(event);
  matched.clear();
  for (const std::uint32_t group : route(event, routing, scratch)) {
    look_up(*groups_[group], event, scratch);
  }
  for (const RuleNumber rule : scratch.candidates_) {
    if (holds(rules_[rule].root, event, scratch)) matched.push_back(rule);
  }
  std::ranges::sort(matched);
}

bool Engine::holds(NodeId id, const EventView& event, MatchScratch& scratch) const {
  if (is_predicate(id)) return holds_predicate(predicate_of(id), event, scratch);
  const Node& node = program_.node(id);
  const bool all = node.kind == Node::Kind::all_of;
  for (std::size_t i = 0; i < node.count; ++i) {
    if (holds(program_.part(node, i), event, scratch) != all) {
      return node.kind == Node::Kind::any_of;
    }
  }
  return node.kind != Node::Kind::any_of;
}

bool Engine::holds_predicate(PredicateId id, const EventView& event, MatchScratch& scratch) const {
  std::uint32_t& known = scratch.truths_[id];
  if (known >> 1 == scratch.turn_) return (known & 1) != 0;
  if (early_[id]) return false;  // it would have been found
  const bool holds = decide(program_.predicates()[id], event, scratch);
  known = scratch.turn_ << 1 | (holds ? 1U : 0U);
  return holds;
}

bool Engine::decide(const Predicate& predicate, const EventView& event,
                    MatchScratch& scratch) const {
  const FieldId field = predicate.field;
  if (std::holds_alternative<Null>(predicate.matcher)) {
    return !event.any_of(
        field, [](std::size_t, const auto& value) { return value.kind != FieldKind::null; });
  }
  if (const auto* presence = std::get_if<Presence>(&predicate.matcher)) {
    return event.has(field) == presence->wanted;
  }
  return matched_value(predicate, event, scratch).data() != nullptr;
}

// The value because of which the predicate holds; its data is null where there is none.
std::string_view Engine::matched_value(const Predicate& predicate, const EventView& event,
                                       MatchScratch& scratch) const {
  auto takes = [&](std::size_t place, std::string_view text) {
    const Subject subject{.text = text, .folded = scratch.folded(event, place)};
    const auto* other = std::get_if<OtherField>(&predicate.matcher);
    if (other == nullptr) return matches(predicate.matcher, subject);
    return event.any_of(predicate.other, [&](std::size_t twin, const auto& value) {
      return value.kind != FieldKind::null &&
             matches(*other, subject, {.text = value.text, .folded = scratch.folded(event, twin)});
    });
  };
  std::string_view found;
  auto look = [&](std::size_t place, const EventView::Value& value) {
    if (value.kind == FieldKind::null || !takes(place, value.text)) return false;
    found = value.text.data() == nullptr ? std::string_view("") : value.text;
    return true;
  };
  if (predicate.field != keyword_field) {
    event.any_of(predicate.field, look);
    return found;
  }
  for (std::size_t i = 0; i < event.searched(); ++i) {
    if (look(i, event.values()[i])) return found;
  }
  const bool raw = !event.raw().empty() && takes(event.values().size(), event.raw());
  return raw ? event.raw() : std::string_view();
}

std::string_view Engine::value_of(const CompiledItem& item, const EventView& event,
                                  MatchScratch& scratch) const {
  if (item.negated) return {};
  for (const PredicateId id : item.predicates) {
    if (!holds_predicate(id, event, scratch)) continue;
    std::string_view value = matched_value(program_.predicates()[id], event, scratch);
    if (value.size() <= shown_bytes_max) return value;
    // Not within a character.
    std::size_t bytes = shown_bytes_max;
    while (bytes > 0 && (static_cast<unsigned char>(value[bytes]) & 0xC0) == 0x80) --bytes;
    return value.substr(0, bytes);
  }
  return {};
}

void Engine::explain(RuleNumber rule, const EventView& event, MatchScratch& scratch,
                     std::size_t room, std::vector<Because>& because) const {
  for_each_reason(
      rule, event, scratch, room,
      [&](const CompiledSelection& selection, const CompiledItem& item, std::string_view value) {
        because.push_back({.selection = selection.name,
                           .field = std::string(program_.names().name(item.field)),
                           .value = to_utf8(value)});
      });
}

std::vector<std::string> Engine::literals() const {
  std::set<std::string> texts;
  for (const CompiledRule& rule : rules_) {
    const auto witness = witness_of(program_, rule.root);
    if (!witness) continue;
    for (const PredicateId id : *witness) {
      for (const Evidence& one : program_.predicates()[id].evidence) {
        if (!one.text.empty() && !one.number) texts.insert(one.text);
      }
    }
  }
  return {texts.begin(), texts.end()};
}

EngineStats Engine::stats() const {
  EngineStats stats{.rules = rules_.size(), .predicates = program_.predicates().size()};
  for (const auto& group : groups_) {
    stats.groups.push_back({.logsource = group->logsource(),
                            .rules = group->rules(),
                            .always = group->always().size(),
                            .literals = group->literals(),
                            .bytes = group->bytes()});
  }
  for (const Predicate& predicate : program_.predicates()) {
    stats.shared += predicate.rules > 1 ? 1 : 0;
    stats.asked += predicate.rules;
  }
  stats.early = static_cast<std::size_t>(std::ranges::count(early_, true));
  return stats;
}

}  // namespace mailwarden::detect
