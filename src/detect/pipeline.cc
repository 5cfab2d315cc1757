#include "detect/pipeline.h"

#include <algorithm>
#include <set>

#include "base/files.h"
#include "base/text.h"
#include "detect/link_rules.h"
#include "detect/parse_pipeline.h"
#include "detect/pipeline_run.h"

namespace mailwarden::detect {
namespace {

void number(std::vector<Transformation>& transformations, std::size_t& next) {
  for (Transformation& one : transformations) {
    one.number = next++;
    if (auto* const nest = std::get_if<Nest>(&one.change)) number(nest->transformations, next);
  }
}

// A condition on an id that no transformation has would never hold, without a word.
class Ids {
 public:
  void learn(const std::vector<Transformation>& transformations) {
    for (const Transformation& one : transformations) {
      if (!one.id.empty()) ids_.insert(one.id);
      ask(one.rule_conditions.list);
      ask(one.item_conditions.list);
      ask(one.name_conditions.list);
      if (const auto* const nest = std::get_if<Nest>(&one.change)) learn(nest->transformations);
    }
  }

  std::string mistakes() const {
    std::string all;
    for (const AppliedCondition& one : asked_) {
      if (ids_.contains(one.id)) continue;
      all += (all.empty() ? "" : "\n") + one.place + ": no transformation has the id '" +
             printable(one.id) + "'";
    }
    return all;
  }

 private:
  template <class T>
  void ask(const std::vector<T>& conditions) {
    for (const T& one : conditions) {
      if (const auto* const applied = std::get_if<AppliedCondition>(&one)) {
        asked_.push_back(*applied);
      }
    }
  }

  std::set<std::string> ids_;
  std::vector<AppliedCondition> asked_;
};

bool holds_of(const AttributeCondition& wanted, const Header& header) {
  if (wanted.attribute == "tags") {
    const bool listed = std::ranges::find(header.tags, wanted.value) != header.tags.end();
    return listed == (wanted.relation == Relation::in);
  }
  if (wanted.attribute == "level") {
    const auto level = parse_level(wanted.value);
    return level && compares(wanted.relation, header.level <=> *level);
  }
  const std::string& text = wanted.attribute == "id"     ? header.id
                            : wanted.attribute == "name" ? header.name
                                                         : header.title;
  return (text == wanted.value) == (wanted.relation == Relation::eq);
}

bool states(const Logsource& rule, const Logsource& wanted) {
  auto fits = [](const std::string& part, const std::string& asked) {
    return asked.empty() || part == asked;
  };
  return fits(rule.product, wanted.product) && fits(rule.category, wanted.category) &&
         fits(rule.service, wanted.service);
}

using HasLogsource = std::function<bool(const Logsource&)>;

bool holds_of(const RuleCondition& condition, const PipelineRun& run, const HasLogsource& source) {
  return std::visit(
      Overloaded{[&](const LogsourceCondition& c) { return source(c.logsource); },
                 [&](const ContainsItemCondition& c) { return run.contains(c.field, &c.value); },
                 [&](const ContainsFieldCondition& c) { return run.contains(c.field, nullptr); },
                 [&](const AppliedCondition& c) { return run.was_applied(c.id); },
                 [&](const StateCondition& c) { return run.state_is(c); },
                 [&](const KindCondition& c) { return c.correlation == run.is_correlation(); },
                 [&](const AttributeCondition& c) { return holds_of(c, run.header()); },
                 [&](const TagCondition& c) {
                   return std::ranges::any_of(run.header().tags, [&](const std::string& tag) {
                     return equal_ignoring_case(tag, c.tag);
                   });
                 }},
      condition);
}

bool decide(const Transformation& by, const PipelineRun& run, const HasLogsource& source) {
  const auto& conditions = by.rule_conditions;
  return conditions.list.empty() || holds(conditions.formula, [&](std::size_t i) {
           return holds_of(conditions.list[i], run, source);
         });
}

// Takes rules, then the filters on them, then what rests on them through the pipelines.
class Applying {
 public:
  Applying(const std::vector<Pipeline>& pipelines, PipelineSettings settings, RuleTexts& texts)
      : pipelines_(pipelines), settings_(settings), texts_(texts) {}

  void run() {
    learn_names();
    for (Rule& rule : texts_.rules) take_rule(rule);
    std::vector<Filter> filters;
    for (Filter& filter : texts_.filters) take_filter(filter, filters);
    for (Correlation& correlation : texts_.correlations) take_correlation(correlation);
    texts_.filters = std::move(filters);
    std::erase_if(texts_.rules,
                  [&](const Rule& rule) { return refused_.contains(rule.header.order); });
    std::erase_if(texts_.correlations, [&](const Correlation& correlation) {
      return refused_.contains(correlation.header.order);
    });
  }

 private:
  // A rule, or what rests on rules, under the names by which it may be called.
  struct Named {
    std::size_t index = 0;
    bool correlation = false;
  };

  void learn_names() {
    auto learn = [&](const Header& header, Named named) {
      names_.emplace(header.id, named);
      if (!header.name.empty()) names_.emplace(header.name, named);
    };
    for (std::size_t i = 0; i < texts_.rules.size(); ++i) {
      learn(texts_.rules[i].header, {.index = i, .correlation = false});
    }
    for (std::size_t i = 0; i < texts_.correlations.size(); ++i) {
      learn(texts_.correlations[i].header, {.index = i, .correlation = true});
    }
  }

  void refuse(const Header& header, const RuleError& error) {
    texts_.refused.push_back(
        {.file = header.file, .line = error.line, .id = header.id, .reason = error.what});
    refused_.insert(header.order);
  }

  void take_rule(Rule& rule) {
    PipelineRun run(rule.header, settings_, [](const Transformation& by, const PipelineRun& one) {
      return decide(by, one,
                    [&](const Logsource& wanted) { return states(one.logsource(), wanted); });
    });
    run.take(rule.selections, rule.condition, rule.logsource);
    if (const auto done = run.run(pipelines_); done) {
      std::tie(rule.selections, rule.condition) = run.finish();
      rule.logsource = run.logsource();
      rule.header = run.header();
    } else {
      refuse(rule.header, done.error());
    }
    traces_.push_back(run.trace());
  }

  // A filter is part of the rules that it is put on: it goes each one's way. Where their ways part
  // there are several filters of it, which name the rules that they are for.
  void take_filter(Filter& filter, std::vector<Filter>& into) {
    std::vector<std::string> unknown;
    std::map<std::vector<bool>, std::vector<std::size_t>> ways;
    bool had_rules = false;
    for (const std::size_t index : rules_of(filter, unknown)) {
      const Logsource& stated = traces_[index].logsources.front().second;
      if (!suits(filter.logsource, stated)) continue;
      had_rules = true;
      if (refused_.contains(texts_.rules[index].header.order)) continue;
      ways[traces_[index].applied].push_back(index);
    }
    // It applies to none, or rests on what is not there; whoever links the rules tells that.
    if (!had_rules || !unknown.empty()) return into.push_back(std::move(filter));
    if (ways.empty()) {
      return refuse(filter.header, {.line = filter.header.line,
                                    .what = "every rule that the filter is for is refused"});
    }
    std::vector<Filter> made;
    for (const auto& [way, rules] : ways) {
      auto one = along(filter, way);
      if (!one) return refuse(filter.header, one.error());
      if (filter.any_rule && ways.size() == 1 && keep_logsource(rules)) {
        one->any_rule = true;
        one->logsource = filter.logsource;
        return into.push_back(*std::move(one));
      }
      put_rules(*one, rules, filter.any_rule, made);
    }
    for (std::size_t i = 1; i < made.size(); ++i) {
      made[i].header.id += ":" + std::to_string(i + 1);
      made[i].header.name.clear();
      made[i].header.order = texts_.documents++;
    }
    std::ranges::move(made, std::back_inserter(into));
  }

  bool keep_logsource(const std::vector<std::size_t>& rules) const {
    return std::ranges::all_of(
        rules, [&](std::size_t index) { return traces_[index].logsources.size() == 1; });
  }

  // Who links the rules refuses a filter that names a rule that is not in force. One for any rule
  // must not be lost for all of them by that, so that each has its own.
  void put_rules(const Filter& filter, const std::vector<std::size_t>& rules, bool apart,
                 std::vector<Filter>& into) const {
    for (const std::size_t index : rules) {
      if (apart || index == rules.front()) into.push_back(filter);
      into.back().rules.push_back(texts_.rules[index].header.id);
    }
  }

  std::vector<std::size_t> rules_of(const Filter& filter, std::vector<std::string>& unknown) const {
    std::vector<std::size_t> indexes;
    if (filter.any_rule) {
      for (std::size_t i = 0; i < texts_.rules.size(); ++i) indexes.push_back(i);
      return indexes;
    }
    for (const std::string& name : filter.rules) {
      const auto found = names_.find(name);
      if (found == names_.end() || found->second.correlation) {
        unknown.push_back(name);
      } else if (std::ranges::find(indexes, found->second.index) == indexes.end()) {
        indexes.push_back(found->second.index);
      }
    }
    return indexes;
  }

  std::expected<Filter, RuleError> along(const Filter& filter, const std::vector<bool>& way) const {
    Filter changed = filter;
    PipelineRun run(filter.header, settings_, [&](const Transformation& by, const PipelineRun&) {
      return by.number < way.size() && way[by.number];
    });
    run.be_filter();
    run.take(filter.selections, filter.condition, filter.logsource);
    if (const auto done = run.run(pipelines_); !done) return std::unexpected(done.error());
    std::tie(changed.selections, changed.condition) = run.finish();
    // Its log source was held against that of the rule as it was written.
    changed.logsource = {};
    changed.any_rule = false;
    changed.rules.clear();
    return changed;
  }

  void take_correlation(Correlation& correlation) {
    std::set<std::size_t> rules;
    std::set<std::size_t> seen;
    collect(correlation, rules, seen);
    PipelineRun run(correlation.header, settings_,
                    [&](const Transformation& by, const PipelineRun& one) {
                      return decide(by, one, [&](const Logsource& wanted) {
                        return std::ranges::any_of(rules, [&](std::size_t index) {
                          return states(traces_[index].logsource_before(by.number), wanted);
                        });
                      });
                    });
    run.take(correlation);
    if (const auto done = run.run(pipelines_); done) {
      correlation.header = run.header();
    } else {
      refuse(correlation.header, done.error());
    }
  }

  // All rules that it rests on, by way of other correlations too.
  void collect(const Correlation& correlation, std::set<std::size_t>& rules,
               std::set<std::size_t>& seen) const {
    for (const std::string& name : correlation.rules) {
      const auto found = names_.find(name);
      if (found == names_.end()) continue;
      const Named& named = found->second;
      if (!named.correlation) {
        rules.insert(named.index);
      } else if (seen.insert(named.index).second) {
        collect(texts_.correlations[named.index], rules, seen);
      }
    }
  }

  const std::vector<Pipeline>& pipelines_;
  PipelineSettings settings_;
  RuleTexts& texts_;
  std::map<std::string, Named, std::less<>> names_;
  std::vector<Trace> traces_;      // of the rules
  std::set<std::size_t> refused_;  // by order
};

}  // namespace

Result<Pipelines> Pipelines::parse(const std::vector<PipelineText>& texts,
                                   const PipelineLimits& limits) {
  Pipelines read;
  read.limits_ = limits;
  std::string mistakes;
  auto tell = [&](const std::string& more) {
    if (!more.empty()) mistakes += (mistakes.empty() ? "" : "\n") + more;
  };
  for (const PipelineText& text : texts) {
    yaml::Reader reader(text.file);
    read.pipelines_.push_back(PipelineReader(reader, limits).read(text.text));
    tell(reader.all_mistakes());
  }
  std::ranges::stable_sort(read.pipelines_, {}, &Pipeline::priority);
  std::size_t count = 0;
  Ids ids;
  for (Pipeline& pipeline : read.pipelines_) {
    number(pipeline.transformations, count);
    ids.learn(pipeline.transformations);
    for (const auto& [name, values] : pipeline.vars) read.placeholders_[name] = values;
  }
  tell(ids.mistakes());
  if (count > limits.transformations_max) {
    tell("there are more than " + std::to_string(limits.transformations_max) + " transformations");
  }
  if (!mistakes.empty()) return fail(Code::invalid, std::move(mistakes));
  return read;
}

Result<Pipelines> Pipelines::load(const std::vector<std::string>& files,
                                  const PipelineLimits& limits) {
  std::vector<PipelineText> texts;
  for (const std::string& file : files) {
    auto text = read_whole_file(file);
    if (!text) return std::unexpected(text.error());
    texts.push_back({.file = file, .text = *std::move(text)});
  }
  return parse(texts, limits);
}

void Pipelines::apply(RuleTexts& texts) const {
  if (pipelines_.empty()) return;
  Applying(pipelines_, {.vars = placeholders_, .limits = limits_}, texts).run();
}

}  // namespace mailwarden::detect
