#include "detect/witness.h"

#include <algorithm>

namespace mailwarden::detect {
namespace {

struct Choice {
  std::vector<PredicateId> predicates;
  double likely = 0;
};

class Chooser {
 public:
  explicit Chooser(const Program& program) : program_(program) {}

  std::optional<Choice> choose(NodeId id, bool negated) const {
    if (is_predicate(id)) return negated ? std::nullopt : of_predicate(predicate_of(id));
    const ConditionNode& node = program_.node(id);
    switch (node.kind) {
      case ConditionNode::Kind::none_of:
        return choose(program_.part(node, 0), !negated);
      case ConditionNode::Kind::all_of:
        return negated ? of_any(node, negated) : of_all(node, negated);
      case ConditionNode::Kind::any_of:
        return negated ? of_all(node, negated) : of_any(node, negated);
    }
    return std::nullopt;
  }

 private:
  std::optional<Choice> of_predicate(PredicateId id) const {
    const Predicate& predicate = program_.predicates()[id];
    if (predicate.evidence.empty()) return std::nullopt;
    return Choice{.predicates = {id}, .likely = predicate.likely};
  }

  // One part's witness is enough.
  std::optional<Choice> of_all(const ConditionNode& node, bool negated) const {
    std::optional<Choice> best;
    for (std::size_t i = 0; i < node.count; ++i) {
      auto one = choose(program_.part(node, i), negated);
      if (one && (!best || one->likely < best->likely)) best = std::move(one);
    }
    return best;
  }

  std::optional<Choice> of_any(const ConditionNode& node, bool negated) const {
    Choice all;
    for (std::size_t i = 0; i < node.count; ++i) {
      auto one = choose(program_.part(node, i), negated);
      if (!one) return std::nullopt;
      all.predicates.insert(all.predicates.end(), one->predicates.begin(), one->predicates.end());
      all.likely += one->likely;
    }
    return all;
  }

  const Program& program_;
};

}  // namespace

std::optional<std::vector<PredicateId>> witness_of(const Program& program, NodeId root) {
  auto choice = Chooser(program).choose(root, false);
  if (!choice) return std::nullopt;
  std::ranges::sort(choice->predicates);
  const auto rest = std::ranges::unique(choice->predicates);
  choice->predicates.erase(rest.begin(), rest.end());
  return std::move(choice->predicates);
}

}  // namespace mailwarden::detect
