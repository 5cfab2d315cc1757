// Whether values of one kind meet values of the same.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "respond/check_parts.h"
#include "respond/flow_words.h"
#include "respond/incident_values.h"
#include "respond/variable_text.h"

namespace mailwarden::respond {
namespace {

using flow::Operation;
using flow::Playbook;
using flow::Step;
using flow::StepKind;
using flow::Variable;
using flow::VariableType;
using Node = Condition::Node;

// Kinds as comparisons tell them apart.
enum class Family : std::uint8_t { any, boolean, number, text, list, dictionary };

Family family_of(VariableType type) {
  switch (type) {
    case VariableType::boolean:
      return Family::boolean;
    case VariableType::integer:
    case VariableType::long_int:
    case VariableType::floating:
      return Family::number;
    case VariableType::list:
      return Family::list;
    case VariableType::dictionary:
      return Family::dictionary;
    default:
      return Family::text;
  }
}

std::string_view family_words(Family family) {
  constexpr std::array words{"anything", "a boolean", "a number",
                             "a text",   "a list",    "a dictionary"};
  return words[static_cast<std::size_t>(family)];
}

// What a name may be in a place: a variable, an incident's value, or what a probe answered.
using Types = std::function<std::optional<VariableType>(std::string_view name)>;

class ConditionTypes {
 public:
  ConditionTypes(Report& report, const std::string& step, const Types& types)
      : report_(report), step_(step), types_(types) {}

  void check(const Node& node) {
    switch (node.kind) {
      case Node::Kind::compare:
        return check_comparison(node);
      case Node::Kind::variable: {
        const Family family = family_of_node(node);
        if (family == Family::any || family == Family::boolean) return;
        return wrong(in_quotes(node.name) + " is " + std::string(family_words(family)) +
                     " and cannot be true");
      }
      case Node::Kind::negation:
      case Node::Kind::all:
      case Node::Kind::any:
        for (const Node& item : node.items) check(item);
        return;
      case Node::Kind::exists:
      case Node::Kind::literal:
      case Node::Kind::list:
        return;
    }
  }

 private:
  void wrong(const std::string& what) { report_.error(step_, "in its condition, " + what); }

  Family family_of_node(const Node& node) const {
    if (node.kind == Node::Kind::list) return Family::list;
    if (node.kind == Node::Kind::variable) {
      const auto type = types_(node.name);
      return type ? family_of(*type) : Family::any;
    }
    if (node.value.as_bool() != nullptr) return Family::boolean;
    return node.value.as_string() != nullptr ? Family::text : Family::number;
  }

  void check_comparison(const Node& node) {
    const Family left = family_of_node(node.items[0]);
    const Family right = family_of_node(node.items[1]);
    if (node.op == Node::Op::in) return check_in(node.items[0], node.items[1]);
    const bool equality = node.op == Node::Op::equal || node.op == Node::Op::not_equal;
    const bool ordered = left == Family::any || left == Family::number || left == Family::text;
    if (fit(left, right) && (equality || ordered)) return;
    wrong(std::string(family_words(left)) + " and " + std::string(family_words(right)) +
          " do not compare by " + std::string(to_string(node.op)));
  }

  void check_in(const Node& item, const Node& list) {
    const Family left = family_of_node(item);
    const Family right = family_of_node(list);
    if (!fit(right, Family::list)) {
      return wrong("behind 'in' stands " + std::string(family_words(right)) + " and no list");
    }
    if (list.kind == Node::Kind::variable && !fit(left, Family::text)) {
      return wrong("a list of texts holds no " + std::string(family_words(left)).substr(2));
    }
    for (const Node& one : list.items) {
      if (fit(left, family_of_node(one))) continue;
      return wrong(std::string(family_words(left)) + " and " +
                   std::string(family_words(family_of_node(one))) + " do not compare by in");
    }
  }

  static bool fit(Family left, Family right) {
    return left == right || left == Family::any || right == Family::any;
  }

  Report& report_;
  const std::string& step_;
  const Types& types_;
};

class StepTypes {
 public:
  StepTypes(Report& report, const Playbook& playbook, const PlaybookByName& others,
            const CheckContext& context)
      : report_(report), playbook_(playbook), others_(others), context_(context) {}

  void run() {
    for (const auto& [name, variable] : playbook_.variables) check_variable(name, variable);
    for (const auto& [id, step] : playbook_.steps) check_step(step);
  }

 private:
  std::optional<VariableType> type_of(std::string_view name) const {
    const auto found = playbook_.variables.find(name);
    return found == playbook_.variables.end() ? incident_value_type(name) : found->second.type;
  }

  void check_variable(const std::string& name, const Variable& variable) {
    if (!is_variable_name(name) || name.contains('.')) {
      report_.error("", in_quotes(name) + " is no name for a variable");
    }
    if (!variable.value.is_null()) {
      if (const auto fit = fits(variable.value, variable.type); !fit) {
        report_.error("", "the variable " + in_quotes(name) + ": " + fit.error().what);
      }
    }
    if (variable.constant && variable.value.is_null() && !variable.external &&
        variable.from.empty()) {
      report_.error("", "the constant " + in_quotes(name) + " has no value");
    }
    if (variable.from.empty()) return;
    const auto given = incident_value_type(variable.from);
    if (!given) {
      report_.error("", "the variable " + in_quotes(name) + ": an incident has no " +
                            in_quotes(variable.from));
    } else if (!may_become(*given, variable.type)) {
      report_.error("", "the variable " + in_quotes(name) + ": " + variable.from + " is " +
                            std::string(to_string(*given)) + " and no " +
                            std::string(to_string(variable.type)));
    }
  }

  void check_step(const Step& step) {
    const Types types = [this](std::string_view name) { return type_of(name); };
    if (step.kind == StepKind::if_condition || step.kind == StepKind::while_condition) {
      check_condition(step.id, step.condition, types);
    }
    if (step.probe) {
      check_condition(step.id, step.probe->holds,
                      [&](std::string_view name) { return answer_type(step, name); });
      check_arguments(step.id, step.probe->operation);
    }
    if (flow::is_operation(step.kind)) check_arguments(step.id, step.operation);
    if (step.undo) check_arguments(step.id, *step.undo);
    for (const auto& [name, source] : step.set) check_set(step, name, source);
    if (step.kind == StepKind::playbook) check_with(step);
  }

  void check_condition(const std::string& step, const std::string& text, const Types& types) {
    const auto condition = Condition::parse(text);
    if (!condition) return report_.error(step, "in its condition, " + condition.error().what);
    ConditionTypes(report_, step, types).check(condition->root());
  }

  // What a probe's condition may ask for.
  std::optional<VariableType> answer_type(const Step& step, std::string_view name) const {
    if (name == "exit" || name == "status") return VariableType::integer;
    if (name == "output") return VariableType::string;
    if (name == "body" || name.starts_with("body.")) return std::nullopt;
    if (const auto result = result_type(step.probe->operation.action, name)) return result;
    return type_of(name);
  }

  std::optional<VariableType> result_type(std::string_view action, std::string_view name) const {
    const ActionKind* const kind = find_kind(context_.actions, action);
    if (kind == nullptr) return std::nullopt;
    const auto result = std::ranges::find(kind->results, name, &ActionParameter::name);
    if (result == kind->results.end()) return std::nullopt;
    return result->type;
  }

  void check_arguments(const std::string& step, const Operation& operation) {
    const ActionKind* const kind = find_kind(context_.actions, operation.action);
    if (operation.kind != StepKind::action || kind == nullptr) return;
    for (const ActionParameter& parameter : kind->parameters) {
      if (parameter.required && !operation.arguments.contains(parameter.name)) {
        report_.error(step,
                      std::string(kind->name) + " needs " + in_quotes(std::string(parameter.name)));
      }
    }
    for (const auto& [name, value] : operation.arguments) {
      const auto parameter = std::ranges::find(kind->parameters, name, &ActionParameter::name);
      if (parameter == kind->parameters.end()) {
        report_.error(step, std::string(kind->name) + " takes no " + in_quotes(name));
      } else if (const std::string why = misfit(value, parameter->type); !why.empty()) {
        report_.error(step, in_quotes(name) + " of " + std::string(kind->name) + ": " + why);
      }
    }
  }

  // Why a value with variables in it cannot be of the type; "" where it may.
  std::string misfit(const json::Value& value, VariableType type) const {
    const auto names = variables_in_value(value);
    if (!names) return "";
    const auto* text = value.as_string();
    const auto only = text == nullptr ? std::string_view() : only_variable(*text);
    if (!only.empty()) {
      const auto given = type_of(only);
      if (!given || may_become(*given, type)) return "";
      return in_quotes(only) + " is " + std::string(to_string(*given)) + " and no " +
             std::string(to_string(type));
    }
    if (!names->empty()) {
      if (text == nullptr || family_of(type) == Family::text) return "";
      return "a text is no " + std::string(to_string(type));
    }
    const auto fit = fits(value, type);
    return fit ? "" : fit.error().what;
  }

  void check_set(const Step& step, const std::string& name, const std::string& source) {
    const auto found = playbook_.variables.find(name);
    if (found == playbook_.variables.end()) {
      return report_.error(step.id, "there is no variable " + in_quotes(name) + " to set");
    }
    if (found->second.constant) {
      report_.error(step.id, in_quotes(name) + " is a constant and cannot be set");
    }
    bool is_known = false;
    const auto given = source_type(step, source, is_known);
    if (!is_known) {
      report_.error(step.id, "a step of kind " + std::string(flow::word_of(step.kind)) +
                                 " answers no " + in_quotes(source));
    } else if (given && !may_be_read_as(*given, found->second.type)) {
      report_.error(step.id, in_quotes(source) + " is " + std::string(to_string(*given)) +
                                 ", and " + in_quotes(name) + " is " +
                                 std::string(to_string(found->second.type)));
    }
  }

  // The type of what a step answers; nothing where it is read as whatever is asked for.
  std::optional<VariableType> source_type(const Step& step, const std::string& source,
                                          bool& is_known) const {
    switch (step.kind) {
      case StepKind::command:
        is_known = source == "exit" || source == "output";
        if (source == "exit") return VariableType::integer;
        return std::nullopt;
      case StepKind::http:
        is_known = source == "status" || source == "body" || source.starts_with("body.");
        if (source == "status") return VariableType::integer;
        return std::nullopt;
      case StepKind::action: {
        const auto type = result_type(step.operation.action, source);
        is_known = type || find_kind(context_.actions, step.operation.action) == nullptr;
        return type;
      }
      case StepKind::manual:
        is_known = source == "answer";
        return std::nullopt;
      case StepKind::playbook: {
        const auto other = others_.find(step.playbook);
        if (other == others_.end()) {
          is_known = true;  // that it is missing is told once
          return std::nullopt;
        }
        const auto variable = other->second->variables.find(source);
        is_known = variable != other->second->variables.end();
        return is_known ? std::optional(variable->second.type) : std::nullopt;
      }
      default:
        is_known = false;
        return std::nullopt;
    }
  }

  void check_with(const Step& step) {
    const auto other = others_.find(step.playbook);
    if (other == others_.end()) return;
    for (const auto& [name, text] : step.with) {
      const auto variable = other->second->variables.find(name);
      if (variable == other->second->variables.end() || !variable->second.external) {
        report_.error(step.id,
                      in_quotes(step.playbook) + " has no external variable " + in_quotes(name));
        continue;
      }
      const auto names = variables_in(text);
      if (names && names->empty()) {
        if (const auto value = read_value(text, variable->second.type); !value) {
          report_.error(step.id, in_quotes(name) + ": " + value.error().what);
        }
      } else if (const auto given = type_of(only_variable(text));
                 given && !may_be_read_as(*given, variable->second.type)) {
        report_.error(step.id, in_quotes(name) + ": " + in_quotes(only_variable(text)) + " is " +
                                   std::string(to_string(*given)) + " and no " +
                                   std::string(to_string(variable->second.type)));
      }
    }
    for (const auto& [name, variable] : other->second->variables) {
      if (!variable.external || !variable.value.is_null() || !variable.from.empty() ||
          step.with.contains(name)) {
        continue;
      }
      report_.error(step.id, in_quotes(step.playbook) + " needs " + in_quotes(name));
    }
  }

  Report& report_;
  const Playbook& playbook_;
  const PlaybookByName& others_;
  const CheckContext& context_;
};

}  // namespace

void check_types(Report& report, const Playbook& playbook, const PlaybookByName& others,
                 const CheckContext& context) {
  StepTypes(report, playbook, others, context).run();
}

}  // namespace mailwarden::respond
