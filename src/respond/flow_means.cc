#include "respond/flow_means.h"

#include "respond/action.h"
#include "respond/fill.h"
#include "respond/incident_values.h"
#include "respond/value_type.h"

namespace mailwarden::respond::flow {
namespace {

using Lookup = Means::Lookup;

Result<bool> holds(std::string_view text, const Lookup& lookup) {
  const auto condition = Condition::parse(text);
  return condition ? condition->evaluate(lookup) : std::unexpected(condition.error());
}

Result<json::Value> read(VariableType type, const json::Value& value) {
  const auto fit = fits(value, type);
  if (fit) return value;
  // What people and programs say is a text, which other types are read out of.
  if (const auto* const text = value.as_string()) return read_value(*text, type);
  if (type == VariableType::string) return json::Value(to_plain_text(value));
  return std::unexpected(fit.error());
}

bool is_repeatable(std::string_view action) {
  const ActionKind* const kind = find_action(action);
  return kind != nullptr && kind->repeatable;
}

}  // namespace

Means standard_means(const std::vector<std::string>& commands,
                     std::function<const Playbook*(std::string_view name)> find) {
  return {
      .holds = holds,
      .fill_text = [](std::string_view text,
                      const Lookup& lookup) { return respond::fill_text(text, lookup); },
      .fill_exactly = [](std::string_view text,
                         const Lookup& lookup) { return respond::fill_exactly(text, lookup); },
      .fill_value = [](const json::Value& value,
                       const Lookup& lookup) { return respond::fill_value(value, lookup); },
      .fill = [commands](const Operation& operation, const Lookup& lookup) -> Result<Operation> {
        if (auto may = may_run(operation, commands); !may) {
          return std::unexpected(may.error());
        }
        return respond::fill(operation, lookup);
      },
      .read = read,
      .describe = [](const Operation& operation) { return respond::describe(operation); },
      .describe_unguarded =
          [](const Operation& operation, const Lookup& lookup) {
            return respond::describe_unguarded(operation, lookup);
          },
      .is_repeatable = is_repeatable,
      .incident_values =
          [](const incident::Incident& incident) { return respond::incident_values(incident); },
      .find = std::move(find)};
}

}  // namespace mailwarden::respond::flow
