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
  values_.begin();
  remembered_.assign(event.values().size() + 1, 0);
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

void Engine::compile() {
  program_.arrange();
  std::vector<std::optional<std::vector<PredicateId>>> witnesses;
  std::vector<bool> sought(program_.predicates().size());
  for (const CompiledRule& rule : rules_) {
    witnesses.push_back(witness_of(program_, rule.root));
    if (!witnesses.back()) continue;
    for (const PredicateId id : *witnesses.back()) sought[id] = true;
  }
  std::vector<bool> early;
  for (PredicateId id = 0; id < program_.predicates().size(); ++id) {
    asked_.push_back(asked_of(program_.predicates()[id], sought[id]));
    early.push_back(asked_.back().early);
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
  for (const auto& group : groups_) group->build(program_, early);
}

Engine::Asked Engine::asked_of(const Predicate& predicate, bool sought) const {
  Asked asked{.field = predicate.field};
  if (std::holds_alternative<Null>(predicate.matcher)) asked.kind = Asked::Kind::null;
  if (std::holds_alternative<Presence>(predicate.matcher)) asked.kind = Asked::Kind::presence;
  if (std::holds_alternative<OtherField>(predicate.matcher)) asked.kind = Asked::Kind::other_field;
  asked.early = predicate.decided_by_evidence() &&
                (sought || predicate.evidence.front().where != LiteralIndex::Where::anywhere ||
                 predicate.evidence.front().text.size() >= early_bytes_min);
  return asked;
}

void Engine::fit(MatchScratch& scratch) const {
  if (scratch.fitted_to_.get() == this) return;
  scratch.fitted_to_ = shared_from_this();
  scratch.turn_ = 0;
  scratch.truths_.assign(program_.predicates().size(), 0);
  scratch.tried_.assign(rules_.size(), 0);
  scratch.routes_.clear();
  scratch.last_route_ = nullptr;
  scratch.values_.clear();
}

const MatchScratch::Route& Engine::route(const EventView& event, Routing routing,
                                         MatchScratch& scratch) const {
  const LogsourceView& source = event.logsource();
  std::string& key = scratch.route_key_;
  key.clear();
  key += static_cast<char>(routing);
  for (const std::string_view part : {source.product, source.category, source.service}) {
    key += part;
    key += '\0';
  }
  if (scratch.last_route_ != nullptr && key == scratch.last_route_key_) return *scratch.last_route_;
  if (key.size() > MatchScratch::route_bytes_max) {
    scratch.long_route_ = make_route(source, routing);
    scratch.long_route_.number = ++scratch.route_count_;
    return scratch.long_route_;
  }
  auto known = scratch.routes_.find(key);
  if (known == scratch.routes_.end()) {
    if (scratch.routes_.size() >= MatchScratch::routes_max) {
      scratch.last_route_ = nullptr;
      scratch.routes_.clear();
    }
    known = scratch.routes_.emplace(key, make_route(source, routing)).first;
    known->second.number = ++scratch.route_count_;
  }
  scratch.last_route_key_ = key;
  return *(scratch.last_route_ = &known->second);
}

MatchScratch::Route Engine::make_route(const LogsourceView& source, Routing routing) const {
  MatchScratch::Route route{.asks = std::vector<bool>(program_.names().size())};
  for (std::uint32_t i = 0; i < groups_.size(); ++i) {
    const RuleGroup& group = *groups_[i];
    if (!group.applies(source, routing)) continue;
    route.groups.push_back(i);
    route.keywords = route.keywords || group.asks(keyword_field);
    for (const FieldId field : group.fields()) route.asks[field] = true;
  }
  return route;
}

void Engine::look_up(const MatchScratch::Route& route, const EventView& event,
                     MatchScratch& scratch) const {
  const auto& values = event.values();
  const ValueMemory& memory = scratch.values_;
  scratch.sought_.clear();
  auto seek = [&](std::size_t value, FieldId field, bool searched, std::string_view text) {
    const ValueMemory::Place place{.route = route.number, .field = field, .searched = searched};
    const bool fits = text.size() <= ValueMemory::value_bytes_max;
    const std::size_t hash = fits ? memory.hash(place, text) : 0;
    memory.bring_near(hash);
    scratch.sought_.push_back({.value = value, .hash = hash, .place = place});
  };
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].kind == FieldKind::null) continue;
    const FieldId field = values[i].field;
    const bool asked = field < route.asks.size() && route.asks[field];
    const bool searched = route.keywords && i < event.searched();
    if (asked || searched) seek(i, asked ? field : no_field, searched, values[i].text);
  }
  if (route.keywords && !event.raw().empty()) seek(values.size(), no_field, true, event.raw());
  for (const MatchScratch::Sought& sought : scratch.sought_) memory.bring_nearer(sought.hash);
  for (const MatchScratch::Sought& sought : scratch.sought_) {
    look_up(route, sought, event, scratch);
  }
  for (const std::uint32_t group : route.groups) {
    for (const RuleNumber rule : groups_[group]->always()) scratch.candidate(rule);
  }
}

void Engine::look_up(const MatchScratch::Route& route, const MatchScratch::Sought& sought,
                     const EventView& event, MatchScratch& scratch) const {
  const auto& [value, hash, place] = sought;
  const bool raw = value == event.values().size();
  const std::string_view text = raw ? event.raw() : event.values()[value].text;
  if (auto* const known = scratch.values_.find(hash, place, text)) {
    scratch.folded_[value] = known->folded;
    scratch.remembered_[value] = known->number;
    for (const PredicateId id : known->found) scratch.found(id);
    const bool alone = place.field != no_field && event.has_one(place.field);
    if (alone && !known->tried) try_alone(route, *known, value, event, scratch);
    for (const RuleNumber rule : alone ? known->alone : known->candidates) scratch.candidate(rule);
    if (!alone) return;
    for (const RuleNumber rule : known->ruled_out) scratch.rule_out(rule);
    return;
  }
  const bool wanted = scratch.remembers_ && scratch.values_.wants(hash, text);
  scratch.found_.clear();
  scratch.met_.clear();
  const std::string_view folded = scratch.folded(event, value);
  auto probe = [&](const RuleGroup& group, FieldId field) {
    if (!group.asks(field)) return;
    group.look_up(
        field, text, folded,
        [&](PredicateId id) {
          scratch.found(id);
          if (wanted) scratch.found_.push_back(id);
        },
        [&](RuleNumber rule) {
          scratch.candidate(rule);
          if (wanted) scratch.met_.push_back(rule);
        });
  };
  for (const std::uint32_t group : route.groups) {
    probe(*groups_[group], place.field);
    if (place.searched) probe(*groups_[group], keyword_field);
  }
  if (!wanted) return;
  scratch.remembered_[value] =
      scratch.values_.remember(hash, place, text, folded, scratch.found_, scratch.met_).number;
}

// Tries beforehand what of the rules rests on this value alone.
void Engine::try_alone(const MatchScratch::Route& route, ValueMemory::Value& value,
                       std::size_t place, const EventView& event, MatchScratch& scratch) const {
  auto cannot_hold = [&](RuleNumber rule) {
    return truth_of(rules_[rule].root, value, place, event, scratch) == Truth::no;
  };
  scratch.met_.assign(value.candidates.begin(), value.candidates.end());
  std::erase_if(scratch.met_, cannot_hold);
  value.alone = scratch.values_.keep(scratch.met_);
  scratch.met_.clear();
  for (const std::uint32_t group : route.groups) {
    std::ranges::copy_if(groups_[group]->always(), std::back_inserter(scratch.met_), cannot_hold);
  }
  value.ruled_out = scratch.values_.keep(scratch.met_);
  value.tried = true;
}

Engine::Truth Engine::truth_of(NodeId id, const ValueMemory::Value& value, std::size_t place,
                               const EventView& event, MatchScratch& scratch) const {
  if (is_predicate(id)) return truth_of_predicate(predicate_of(id), value, place, event, scratch);
  const ConditionNode& node = program_.node(id);
  const bool all = node.kind == ConditionNode::Kind::all_of;
  const Truth decides = all ? Truth::no : Truth::yes;
  Truth truth = all ? Truth::yes : Truth::no;
  for (std::size_t i = 0; i < node.count && truth != decides; ++i) {
    const Truth part = truth_of(program_.part(node, i), value, place, event, scratch);
    if (part == decides || part == Truth::maybe) truth = part;
  }
  if (node.kind != ConditionNode::Kind::none_of || truth == Truth::maybe) return truth;
  return truth == Truth::yes ? Truth::no : Truth::yes;
}

Engine::Truth Engine::truth_of_predicate(PredicateId id, const ValueMemory::Value& value,
                                         std::size_t place, const EventView& event,
                                         MatchScratch& scratch) const {
  const auto [field, kind, early] = asked_[id];
  if (field == keyword_field || field != value.place.field) return Truth::maybe;
  if (kind != Asked::Kind::value) return Truth::maybe;
  const bool holds = early ? std::ranges::binary_search(value.found, id)
                           : takes(id, place, value.text, event, scratch);
  return holds ? Truth::yes : Truth::no;
}

void Engine::match(const EventView& event, Routing routing, MatchScratch& scratch,
                   std::vector<RuleNumber>& matched) const {
  fit(scratch);
  scratch.begin(event);
  matched.clear();
  look_up(route(event, routing, scratch), event, scratch);
  for (const RuleNumber rule : scratch.candidates_) {
    if (holds(rules_[rule].root, event, scratch)) matched.push_back(rule);
  }
  std::ranges::sort(matched);
}

bool Engine::holds(NodeId id, const EventView& event, MatchScratch& scratch) const {
  if (is_predicate(id)) return holds_predicate(predicate_of(id), event, scratch);
  const ConditionNode& node = program_.node(id);
  const bool all = node.kind == ConditionNode::Kind::all_of;
  for (std::size_t i = 0; i < node.count; ++i) {
    if (holds(program_.part(node, i), event, scratch) != all) {
      return node.kind == ConditionNode::Kind::any_of;
    }
  }
  return node.kind != ConditionNode::Kind::any_of;
}

bool Engine::holds_predicate(PredicateId id, const EventView& event, MatchScratch& scratch) const {
  std::uint32_t& known = scratch.truths_[id];
  if (known >> 1 == scratch.turn_) return (known & 1) != 0;
  if (asked_[id].early) return false;  // it would have been found
  const bool holds = decide(id, event, scratch);
  known = scratch.turn_ << 1 | (holds ? 1U : 0U);
  return holds;
}

bool Engine::decide(PredicateId id, const EventView& event, MatchScratch& scratch) const {
  const auto [field, kind, early] = asked_[id];
  if (kind == Asked::Kind::null) {
    return !event.any_of(
        field, [](std::size_t, const auto& value) { return value.kind != FieldKind::null; });
  }
  if (kind == Asked::Kind::presence) {
    return event.has(field) == std::get<Presence>(program_.predicates()[id].matcher).wanted;
  }
  return matched_value(id, event, scratch).data() != nullptr;
}

bool Engine::takes(PredicateId id, std::size_t place, std::string_view text, const EventView& event,
                   MatchScratch& scratch) const {
  const std::uint32_t number = scratch.remembered_[place];
  const bool alone = asked_[id].kind != Asked::Kind::other_field;
  if (number != 0 && alone) {
    if (const auto known = scratch.values_.answer(id, number)) return *known;
  }
  const Matcher& matcher = program_.predicates()[id].matcher;
  const Subject subject{.text = text, .folded = scratch.folded(event, place)};
  if (!alone) {
    const auto& other = std::get<OtherField>(matcher);
    return event.any_of(program_.predicates()[id].other, [&](std::size_t twin, const auto& value) {
      return value.kind != FieldKind::null &&
             matches(other, subject, {.text = value.text, .folded = scratch.folded(event, twin)});
    });
  }
  const bool holds = matches(matcher, subject);
  if (number != 0) scratch.values_.keep_answer(id, number, holds);
  return holds;
}

// The value because of which the predicate holds; its data is null where there is none.
std::string_view Engine::matched_value(PredicateId id, const EventView& event,
                                       MatchScratch& scratch) const {
  const FieldId field = asked_[id].field;
  std::string_view found;
  auto look = [&](std::size_t place, const EventView::Value& value) {
    if (value.kind == FieldKind::null || !takes(id, place, value.text, event, scratch))
      return false;
    found = value.text.data() == nullptr ? std::string_view("") : value.text;
    return true;
  };
  if (field != keyword_field) {
    event.any_of(field, look);
    return found;
  }
  for (std::size_t i = 0; i < event.searched(); ++i) {
    if (look(i, event.values()[i])) return found;
  }
  const bool raw =
      !event.raw().empty() && takes(id, event.values().size(), event.raw(), event, scratch);
  return raw ? event.raw() : std::string_view();
}

std::string_view Engine::value_of(const CompiledItem& item, const EventView& event,
                                  MatchScratch& scratch) const {
  if (item.negated) return {};
  for (const PredicateId id : item.predicates) {
    if (!holds_predicate(id, event, scratch)) continue;
    std::string_view value = matched_value(id, event, scratch);
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
  stats.early = static_cast<std::size_t>(std::ranges::count(asked_, true, &Asked::early));
  return stats;
}

}  // namespace mailwarden::detect
