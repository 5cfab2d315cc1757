#include "detect/program.h"

#include <algorithm>
#include <set>
#include <utility>

namespace mailwarden::detect {
namespace {

// The selections that the condition wants to hold.
void collect(const Condition& condition, bool wanted, std::set<std::size_t>& selections) {
  if (condition.kind == Condition::Kind::selection) {
    if (wanted) selections.insert(condition.selection);
    return;
  }
  const bool inside = condition.kind == Condition::Kind::none_of ? !wanted : wanted;
  for (const Condition& part : condition.parts) collect(part, inside, selections);
}

}  // namespace

std::vector<PredicateId> predicates_of(const CompiledRule& rule) {
  std::set<PredicateId> all;
  for (const CompiledSelection& selection : rule.selections) {
    for (const CompiledAlternative& alternative : selection.alternatives) {
      for (const CompiledItem& item : alternative.items) {
        all.insert(item.predicates.begin(), item.predicates.end());
      }
    }
  }
  return {all.begin(), all.end()};
}

PredicateId Program::intern(FieldId field, const Matcher& matcher) {
  const auto [place, fresh] = ids_.try_emplace(std::to_string(field) + ":" + key_of(matcher),
                                               static_cast<PredicateId>(predicates_.size()));
  if (!fresh) return place->second;
  Predicate predicate{.field = field, .matcher = matcher, .choices = evidence_of(matcher)};
  if (const auto* other = std::get_if<OtherField>(&matcher)) {
    predicate.other = names_.intern(other->name);
  }
  predicates_.push_back(std::move(predicate));
  return place->second;
}

NodeId Program::join(ConditionNode::Kind kind, const std::vector<NodeId>& parts) {
  if (parts.size() == 1 && kind != ConditionNode::Kind::none_of) return parts.front();
  nodes_.push_back({.kind = kind,
                    .first = static_cast<std::uint32_t>(parts_.size()),
                    .count = static_cast<std::uint32_t>(parts.size())});
  parts_.insert(parts_.end(), parts.begin(), parts.end());
  return static_cast<NodeId>(nodes_.size() - 1);
}

CompiledItem Program::compile(const FieldTest& test) {
  CompiledItem item{
      .number = items_++, .field = names_.intern(test.field), .negated = test.negated};
  std::vector<NodeId> lists;
  for (const std::vector<Matcher>& matchers : test.values) {
    std::vector<NodeId> leaves;
    for (const Matcher& matcher : matchers) {
      item.predicates.push_back(intern(item.field, matcher));
      leaves.push_back(item.predicates.back() | predicate_bit);
    }
    lists.push_back(join(ConditionNode::Kind::any_of, leaves));
  }
  item.node = join(ConditionNode::Kind::all_of, lists);
  if (test.negated) item.node = join(ConditionNode::Kind::none_of, {item.node});
  return item;
}

CompiledSelection Program::compile(const Selection& selection, const std::vector<FieldTest>& tests,
                                   std::size_t& next) {
  CompiledSelection compiled{.name = selection.name};
  for (const auto& items : selection.alternatives) {
    CompiledAlternative& alternative = compiled.alternatives.emplace_back();
    std::vector<NodeId> nodes;
    for (std::size_t i = 0; i < items.size(); ++i) {
      alternative.items.push_back(compile(tests[next++]));
      nodes.push_back(alternative.items.back().node);
    }
    alternative.node = join(ConditionNode::Kind::all_of, nodes);
  }
  return compiled;
}

NodeId Program::compile(const Condition& condition, const std::vector<NodeId>& selections) {
  if (condition.kind == Condition::Kind::selection) return selections[condition.selection];
  std::vector<NodeId> parts;
  for (const Condition& part : condition.parts) parts.push_back(compile(part, selections));
  const ConditionNode::Kind kind =
      condition.kind == Condition::Kind::all_of   ? ConditionNode::Kind::all_of
      : condition.kind == Condition::Kind::any_of ? ConditionNode::Kind::any_of
                                                  : ConditionNode::Kind::none_of;
  return join(kind, parts);
}

CompiledRule Program::add(const Rule& rule, const std::vector<FieldTest>& tests) {
  CompiledRule compiled;
  std::vector<NodeId> nodes;
  std::size_t next = 0;
  for (const Selection& selection : rule.selections) {
    compiled.selections.push_back(compile(selection, tests, next));
    std::vector<NodeId> alternatives;
    for (const auto& one : compiled.selections.back().alternatives) {
      alternatives.push_back(one.node);
    }
    nodes.push_back(join(ConditionNode::Kind::any_of, alternatives));
  }
  compiled.root = compile(rule.condition, nodes);
  std::set<std::size_t> wanted;
  collect(rule.condition, true, wanted);
  for (const std::size_t selection : wanted) compiled.selections[selection].wanted = true;
  for (const PredicateId predicate : predicates_of(compiled)) ++predicates_[predicate].rules;
  return compiled;
}

namespace {

// What a look at a predicate costs, against one that is decided already.
constexpr double text_cost = 6;
constexpr double expression_cost = 40;

double cost_of(const Predicate& predicate) {
  if (predicate.decided_by_evidence()) return 1;
  return std::holds_alternative<Expression>(predicate.matcher) ? expression_cost : text_cost;
}

// What is asked for by its place stands there seldom.
constexpr double likely_number = 0.1;
constexpr double likely_whole = 0.25;
constexpr double likely_edge = 0.5;
constexpr double places_in_value = 64;

double likelihood(const Evidence& evidence, const TextStatistics& statistics) {
  if (evidence.number) return likely_number;
  const bool anywhere = evidence.where == LiteralIndex::Where::anywhere;
  const double likely = statistics.likelihood(evidence.text, anywhere ? places_in_value : 1);
  switch (evidence.where) {
    case LiteralIndex::Where::whole:
      return likely * likely_whole;
    case LiteralIndex::Where::start:
    case LiteralIndex::Where::end:
      return likely * likely_edge;
    case LiteralIndex::Where::anywhere:
      break;
  }
  return likely;
}

}  // namespace

void Program::choose_evidence() {
  for (const Predicate& predicate : predicates_) {
    for (const auto& choice : predicate.choices) {
      for (const Evidence& one : choice) statistics_.add(one.text);
    }
  }
  for (Predicate& predicate : predicates_) {
    for (auto& choice : std::exchange(predicate.choices, {})) {
      double likely = 0;
      for (const Evidence& one : choice) likely += likelihood(one, statistics_);
      if (!predicate.evidence.empty() && likely >= predicate.likely) continue;
      predicate.likely = std::min(likely, 0.99);
      predicate.evidence = std::move(choice);
    }
  }
}

// Parts are made before what joins them, so their weights are known when the whole is weighed.
void Program::arrange() {
  choose_evidence();
  std::vector<Weight> weights;
  weights.reserve(nodes_.size());
  for (const ConditionNode& node : nodes_) weights.push_back(weigh(node, weights));
}

Program::Weight Program::weight_of(NodeId part, const std::vector<Weight>& weights) const {
  if (!is_predicate(part)) return weights[part];
  const Predicate& predicate = predicates_[predicate_of(part)];
  return {.likely = predicate.likely, .cost = cost_of(predicate)};
}

Program::Weight Program::weigh(const ConditionNode& node, const std::vector<Weight>& weights) {
  const bool any = node.kind == ConditionNode::Kind::any_of;
  const auto begin = parts_.begin() + node.first;
  // What decides soonest for its cost comes first.
  std::ranges::stable_sort(begin, begin + node.count, {}, [&](NodeId part) {
    const Weight weight = weight_of(part, weights);
    return weight.cost / std::max(any ? weight.likely : 1 - weight.likely, 1e-9);
  });
  Weight whole;
  double reached = 1;  // how often a part is come to
  for (std::size_t i = 0; i < node.count; ++i) {
    const Weight weight = weight_of(part(node, i), weights);
    whole.cost += reached * weight.cost;
    reached *= any ? 1 - weight.likely : weight.likely;
  }
  whole.likely = any ? 1 - reached : reached;
  if (node.kind == ConditionNode::Kind::none_of) whole.likely = 1 - whole.likely;
  return whole;
}

}  // namespace mailwarden::detect
