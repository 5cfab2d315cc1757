// Whether each variable has a value, on every way, where it is used.
//
// What is known to have a value is followed along the ways of a playbook: where ways meet, what is
// known on all of them. A condition that has been evaluated knows its variables, and `exists` what
// it asked for.
#include <algorithm>
#include <iterator>
#include <optional>

#include "base/text.h"
#include "respond/check_parts.h"
#include "respond/flow_file.h"
#include "respond/flow_words.h"
#include "respond/incident_values.h"

namespace mailwarden::respond {
namespace {

using flow::Operation;
using flow::Playbook;
using flow::Step;
using flow::StepKind;
using Node = Condition::Node;

Names both(const Names& left, const Names& right) {
  Names common;
  std::ranges::set_intersection(left, right, std::inserter(common, common.end()));
  return common;
}

Names either(Names left, const Names& right) {
  left.insert(right.begin(), right.end());
  return left;
}

void meet(std::optional<Names>& known, const Names& more) {
  known = known ? both(*known, more) : more;
}

// What has a value for certain once the condition came to `truth`.
Names assured(const Node& node, bool truth) {
  switch (node.kind) {
    case Node::Kind::exists:
      return truth ? Names{node.name} : Names();
    case Node::Kind::variable:
      return {node.name};
    case Node::Kind::negation:
      return assured(node.items[0], !truth);
    case Node::Kind::compare:
    case Node::Kind::list: {
      Names names;
      for (const Node& item : node.items) names.merge(assured(item, truth));
      return names;
    }
    case Node::Kind::all:
    case Node::Kind::any: {
      // Where an `and` is false, or an `or` true, nobody knows how far it was evaluated.
      if (truth != (node.kind == Node::Kind::all)) {
        return both(assured(node.items[0], true), assured(node.items[0], false));
      }
      Names names;
      for (const Node& item : node.items) names.merge(assured(item, truth));
      return names;
    }
    case Node::Kind::literal:
      return {};
  }
  return {};
}

class Values {
 public:
  Values(Report& report, const Playbook& playbook, const CheckContext& context)
      : report_(report), playbook_(playbook), context_(context) {
    for (const std::string& id : flow::file_order(playbook)) place_.emplace(id, place_.size());
  }

  void run() {
    Names known;
    for (const auto& [name, variable] : playbook_.variables) {
      // An entity may be no address, where an address is asked for.
      const bool given =
          is_always_given(variable.from) && incident_value_type(variable.from) == variable.type;
      if (!variable.value.is_null() || variable.external || given) known.insert(name);
    }
    follow(playbook_.start, known);
    // A run may have failed anywhere.
    if (!playbook_.on_failure.empty()) follow(playbook_.on_failure, known);
  }

 private:
  static bool is_always_given(std::string_view name) {
    return name.starts_with("incident.") && name != "incident.type" && incident_value_type(name);
  }

  // From the first step of a branch to its end: what has a value there.
  Names follow(const std::string& first, const Names& known) {
    std::map<std::string, std::optional<Names>> before;
    std::optional<Names> at_end;
    before[first] = known;
    for (const std::string& id : members_of(first)) {
      const Step& step = playbook_.steps.at(id);
      const Names at = before[id].value_or(Names());
      const Names done = pass(step, at);
      const Names& after = step.go_on ? at : done;
      if (step.next.empty()) {
        meet(at_end, after);
      } else {
        meet(before[step.next], after);
      }
      if (!step.on_failure.empty()) meet(before[step.on_failure], at);
    }
    return at_end.value_or(known);
  }

  std::vector<std::string> members_of(const std::string& first) const {
    std::set<std::pair<std::size_t, std::string>> members;
    std::vector<std::string> open{first};
    while (!open.empty()) {
      const std::string id = open.back();
      open.pop_back();
      const auto found = place_.find(id);
      if (found == place_.end() || !members.emplace(found->second, id).second) continue;
      open.push_back(playbook_.steps.at(id).next);
      open.push_back(playbook_.steps.at(id).on_failure);
    }
    std::vector<std::string> ids;
    for (const auto& [place, id] : members) ids.push_back(id);
    return ids;
  }

  // What has a value once the step is done.
  Names pass(const Step& step, const Names& at) {
    use_texts(step, at);
    Names after = at;
    for (const auto& [name, source] : step.set) after.insert(name);
    if (step.undo) use_operation(step, *step.undo, after);
    switch (step.kind) {
      case StepKind::if_condition:
        return pass_if(step, at);
      case StepKind::while_condition: {
        const auto condition = Condition::parse(step.condition);
        if (!condition) return after;
        use_condition(step, condition->root(), at);
        follow(step.then, either(at, assured(condition->root(), true)));
        return after;
      }
      case StepKind::switch_condition:
        return pass_switch(step, at);
      case StepKind::parallel:
        for (const std::string& first : step.branches) after.merge(follow(first, at));
        return after;
      default:
        return after;
    }
  }

  Names pass_if(const Step& step, const Names& at) {
    const auto condition = Condition::parse(step.condition);
    if (!condition) return at;
    use_condition(step, condition->root(), at);
    const Names yes = either(at, assured(condition->root(), true));
    const Names no = either(at, assured(condition->root(), false));
    const Names after_yes = follow(step.then, yes);
    return both(after_yes, step.otherwise.empty() ? no : follow(step.otherwise, no));
  }

  Names pass_switch(const Step& step, const Names& at) {
    std::optional<Names> after;
    for (const auto& [text, first] : step.cases) meet(after, follow(first, at));
    meet(after, step.default_case.empty() ? at : follow(step.default_case, at));
    return *after;
  }

  void use_texts(const Step& step, const Names& known) {
    use(step, variables_in(step.approval), known);
    use(step, variables_in(step.text), known);
    for (const auto& [name, text] : step.with) use(step, variables_in(text), known);
    if (step.kind == StepKind::switch_condition) use(step, variables_in(step.condition), known);
    if (flow::is_operation(step.kind)) use_operation(step, step.operation, known);
    if (!step.probe) return;
    use_operation(step, step.probe->operation, known);
    if (const auto holds = Condition::parse(step.probe->holds)) {
      use_condition(step, holds->root(), either(known, answers_of(step.probe->operation)));
    }
  }

  // What a probe's condition may ask for besides variables. A member of a body may be missing, and
  // then the probe fails and a person is asked.
  Names answers_of(const Operation& operation) const {
    Names names{"exit", "output", "status", "body"};
    if (const ActionKind* kind = find_kind(context_.actions, operation.action)) {
      for (const ActionParameter& result : kind->results) names.emplace(result.name);
    }
    return names;
  }

  void use_operation(const Step& step, const Operation& operation, const Names& known) {
    use(step, variables_in(operation), known);
  }

  void use(const Step& step, const Result<Names>& names, const Names& known) {
    if (!names) return report_.error(step.id, names.error().what);
    for (const std::string& name : *names) use(step, name, known);
  }

  void use_condition(const Step& step, const Node& node, Names known) {
    if (node.kind == Node::Kind::exists) {
      use_declared(step, node.name);
      return;
    }
    if (node.kind == Node::Kind::variable) return use(step, node.name, known);
    for (const Node& item : node.items) {
      use_condition(step, item, known);
      if (node.kind == Node::Kind::all) known.merge(assured(item, true));
      if (node.kind == Node::Kind::any) known.merge(assured(item, false));
    }
  }

  bool use_declared(const Step& step, const std::string& name) {
    if (playbook_.variables.contains(name) || incident_value_type(name)) return true;
    if (told_.emplace(step.id, name).second) {
      report_.error(step.id, "there is no variable '" + printable(name) + "'");
    }
    return false;
  }

  void use(const Step& step, const std::string& name, const Names& known) {
    if (known.contains(name) || is_always_given(name)) return;
    if (name.starts_with("body.") && step.probe) return;
    if (!use_declared(step, name) || !told_.emplace(step.id, name).second) return;
    report_.error(step.id, name.contains('.')
                               ? "'" + name + "' is not known of every incident; ask 'exists " +
                                     name + "' first"
                               : "'" + name +
                                     "' may have no value here, since on some way nothing"
                                     " has set it");
  }

  Report& report_;
  const Playbook& playbook_;
  const CheckContext& context_;
  std::map<std::string, std::size_t, std::less<>> place_;
  std::set<std::pair<std::string, std::string>> told_;  // step and variable
};

}  // namespace

void check_values(Report& report, const Playbook& playbook, const CheckContext& context) {
  Values(report, playbook, context).run();
}

}  // namespace mailwarden::respond
