// Conditions, compiled.
//
// What     A Program holds the predicates of all rules, each once however many rules ask for it,
//          and the conditions as trees over them.
// Owns     Predicates, trees, and the names of fields.
// Threads  Read-only once it is built.
// Errors   None.
// Limits   Those of modifiers.h.
// Source   docs/sigma.md.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "detect/evidence.h"
#include "detect/field_names.h"
#include "detect/matcher.h"
#include "detect/modifiers.h"
#include "detect/rule.h"
#include "detect/text_statistics.h"

namespace mailwarden::detect {

using PredicateId = std::uint32_t;
using NodeId = std::uint32_t;

// A question to an event that is yes or no: whether a field has a value that the matcher takes.
struct Predicate {
  FieldId field = keyword_field;
  FieldId other = no_field;  // of fieldref
  Matcher matcher;
  Choices choices;
  std::vector<Evidence> evidence;  // of the choices, the one that is met least
  double likely = 0.5;             // a guess at how often it holds
  std::uint32_t rules = 0;         // how many ask it

  // Whether finding the evidence answers the question, and not finding it too.
  bool decided_by_evidence() const { return evidence.size() == 1 && evidence.front().decides; }
};

// A part of a condition is a predicate itself, or a node that joins parts.
constexpr NodeId predicate_bit = 0x80000000;
constexpr bool is_predicate(NodeId id) {
  return (id & predicate_bit) != 0;
}
constexpr PredicateId predicate_of(NodeId id) {
  return id & ~predicate_bit;
}

struct ConditionNode {
  enum class Kind : std::uint8_t { all_of, any_of, none_of };
  Kind kind = Kind::all_of;
  std::uint32_t first = 0;  // of the parts, which stand together
  std::uint32_t count = 0;
};

// An item of a selection, for the explanation.
struct CompiledItem {
  std::uint32_t number = 0;  // of all items
  FieldId field = keyword_field;
  NodeId node = 0;
  bool negated = false;
  std::vector<PredicateId> predicates;
};
struct CompiledAlternative {
  NodeId node = 0;
  std::vector<CompiledItem> items;
};
struct CompiledSelection {
  std::string name;
  bool wanted = false;  // by the condition, rather than ruled out by it
  std::vector<CompiledAlternative> alternatives;
};

struct CompiledRule {
  NodeId root = 0;
  std::vector<CompiledSelection> selections;
};

// What the rule asks, each once, in order.
std::vector<PredicateId> predicates_of(const CompiledRule& rule);

class Program {
 public:
  // `tests` are those of the rule's items, in their order.
  CompiledRule add(const Rule& rule, const std::vector<FieldTest>& tests);

  // Once all rules are there: chooses the evidence of each predicate and puts the cheap and telling
  // parts of each condition first.
  void arrange();

  FieldNames& names() { return names_; }
  const FieldNames& names() const { return names_; }
  std::size_t items() const { return items_; }
  // Of the literal texts of all predicates; after arrange().
  const TextStatistics& statistics() const { return statistics_; }
  const std::vector<Predicate>& predicates() const { return predicates_; }
  const ConditionNode& node(NodeId id) const { return nodes_[id]; }
  NodeId part(const ConditionNode& node, std::size_t index) const {
    return parts_[node.first + index];
  }

 private:
  struct Weight {
    double likely = 0;  // how often it holds
    double cost = 0;
  };

  void choose_evidence();
  PredicateId intern(FieldId field, const Matcher& matcher);
  NodeId join(ConditionNode::Kind kind, const std::vector<NodeId>& parts);
  CompiledItem compile(const FieldTest& test);
  CompiledSelection compile(const Selection& selection, const std::vector<FieldTest>& tests,
                            std::size_t& next);
  NodeId compile(const Condition& condition, const std::vector<NodeId>& selections);
  Weight weigh(const ConditionNode& node, const std::vector<Weight>& weights);
  Weight weight_of(NodeId part, const std::vector<Weight>& weights) const;

  FieldNames names_;
  std::vector<Predicate> predicates_;
  std::unordered_map<std::string, PredicateId> ids_;
  std::vector<ConditionNode> nodes_;
  std::vector<NodeId> parts_;
  std::uint32_t items_ = 0;
  TextStatistics statistics_;
};

}  // namespace mailwarden::detect
