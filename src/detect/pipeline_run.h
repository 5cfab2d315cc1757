// One document on its way through pipelines.
//
// What     A PipelineRun holds a document's selections with what was done to each item, asks the
//          conditions of transformations and changes it. What it decided of whole rules is kept as
//          a Trace: a filter goes the way of the rule that it is put on, since a filter is part of
//          that rule.
// Owns     The document's parts while it changes; finish() gives them back.
// Threads  One a run.
// Errors   RuleError: why the document cannot be in force, at which line of it, and which
//          transformation says so.
// Limits   PipelineLimits.
// Source   pySigma's processing pipelines; docs/pipelines.md.
#pragma once

#include <compare>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "detect/pipeline.h"
#include "detect/pipeline_values.h"

namespace mailwarden::detect {

// What of the pipelines was done to a rule: by the numbers of transformations.
struct Trace {
  std::vector<bool> applied;
  // The log source that was in force from a transformation on, the first from 0.
  std::vector<std::pair<std::size_t, Logsource>> logsources;

  const Logsource& logsource_before(std::size_t number) const;
};

struct PipelineSettings {
  const Placeholders& vars;
  const PipelineLimits& limits;
};

class PipelineRun {
 public:
  using Outcome = std::expected<void, RuleError>;
  using Decide = std::function<bool(const Transformation&, const PipelineRun&)>;

  // `decide` says whether the conditions on the rule hold.
  PipelineRun(Header header, PipelineSettings settings, Decide decide)
      : header_(std::move(header)), settings_(settings), decide_(std::move(decide)) {}

  // A rule's or filter's own.
  void take(std::vector<Selection> selections, Condition condition, const Logsource& logsource);
  void take(Correlation& correlation) { correlation_ = &correlation; }
  // A filter adds no condition and no log source of its own: its rule does.
  void be_filter() { is_filter_ = true; }

  Outcome run(const std::vector<Pipeline>& pipelines);
  // Behind run(): the selections that are left, and the condition over them.
  std::pair<std::vector<Selection>, Condition> finish();

  const Header& header() const { return header_; }
  const Logsource& logsource() const { return logsource_; }
  const Trace& trace() const { return trace_; }
  bool is_correlation() const { return correlation_ != nullptr; }

  // Conditions on the rule that only it can answer.
  bool was_applied(const std::string& id) const { return applied_.contains(id); }
  bool state_is(const StateCondition& wanted) const;
  bool contains(const std::string& field, const RuleValue* value) const;

 private:
  struct Item {
    DetectionItem item;
    std::set<std::string> applied;  // ids of what changed it
    std::set<std::string> of_name;  // of these, without what changed only names in its values
    bool mapped = false;
  };
  using Items = std::vector<Item>;
  using Alternatives = std::vector<Items>;
  struct Part {
    std::string name;
    Alternatives alternatives;
  };

  Outcome run(const std::vector<Transformation>& transformations);
  Outcome apply(const Transformation& by);
  Outcome apply_to_items(const Transformation& by);
  Outcome apply_to_names(const Transformation& by);
  std::expected<Alternatives, RuleError> changed(const Transformation& by, const Item& item);
  std::expected<Alternatives, RuleError> renamed(const Transformation& by, const Item& item);
  std::expected<Alternatives, RuleError> with_new_values(const Transformation& by,
                                                         const Item& item);
  static void mark(Item& item, const Transformation& by, bool named);
  Outcome join(const Transformation& by, Alternatives& all, Alternatives more,
               std::size_t line) const;
  // Nothing where the name stays.
  std::optional<std::vector<std::string>> new_names(const Transformation& by,
                                                    const std::string& name, const Item* item);
  Outcome rename_alone(const Transformation& by, std::string& name, const char* what);
  Outcome check_growth(const Transformation& by, std::size_t before) const;
  Outcome check_mapped(const Transformation& by) const;
  Outcome drop_empty(const Transformation& by);
  bool is_empty(Condition& condition) const;
  void add(const AddCondition& added, const Transformation& by);

  bool matches(const Transformation& by, const Item& item) const;
  bool matches(const ItemCondition& condition, const Item& item) const;
  // A name, which may be that of an item's field.
  bool matches_name(const Conditions<NameCondition>& conditions, const std::string& name,
                    const Item* item) const;
  bool matches_name(const NameCondition& condition, const std::string& name,
                    const Item* item) const;
  std::size_t count_items() const;
  RuleError error(const Transformation& by, std::size_t line, const std::string& what) const;

  Header header_;
  PipelineSettings settings_;
  Decide decide_;
  Logsource logsource_;
  std::vector<Part> parts_;
  Condition condition_;
  Correlation* correlation_ = nullptr;
  bool is_filter_ = false;

  Trace trace_;
  std::set<std::string> applied_;
  std::map<std::string, RuleValue> state_;
  std::map<std::string, std::set<std::string>> renamed_;  // ids, by the names that came of them
};

// What std::visit does with each kind of condition or change.
template <class... T>
struct Overloaded : T... {
  using T::operator()...;
};

bool compares(Relation relation, std::strong_ordering order);
// Whether the formula holds where `holds` says so of a condition by its index.
bool holds(const Condition& formula, const std::function<bool(std::size_t)>& one);

}  // namespace mailwarden::detect
