#include "respond/action.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "respond/action_parts.h"

namespace mailwarden::respond {
namespace {

using flow::VariableType;

constexpr std::array<const Action*, 18> actions{
    &suspend_account, &unlock_account,   &end_sessions,    &remove_account,  &remove_ssh_key,
    &restore_ssh_key, &block_address,    &unblock_address, &hold_mail,       &release_mail,
    &delete_mail,     &stop_campaign,    &resume_campaign, &quarantine_file, &release_file,
    &sweep_hosts,     &collect_evidence, &open_ticket};

const Action* find_functions(std::string_view name) {
  const auto found = std::ranges::find(actions, name, &Action::name);
  return found == actions.end() ? nullptr : *found;
}

// Which part of effects.yaml an action needs, and whether it is there.
struct Part {
  std::string_view name;
  bool is_there = false;
};
Part part_of(std::string_view action, const EffectSettings& settings) {
  if (action.ends_with("_account") || action == "end_sessions" || action.ends_with("_ssh_key")) {
    return {"accounts", settings.accounts.has_value()};
  }
  if (action.ends_with("_address")) return {"firewall", settings.firewall.has_value()};
  if (action.ends_with("_mail")) return {"mail", settings.mail.has_value()};
  if (action.ends_with("_campaign")) return {"campaigns", settings.campaigns.has_value()};
  if (action == "collect_evidence") return {"evidence", settings.evidence.has_value()};
  if (action == "open_ticket") return {"tickets", settings.tickets.has_value()};
  return {"hosts", settings.hosts.has_value()};
}

bool is_argument(VariableType type, const json::Value& value) {
  if (type == VariableType::integer) {
    const std::string* const text = value.as_string();
    return value.as_integer() != nullptr || (text != nullptr && to_integer(*text).has_value());
  }
  if (type != VariableType::list)
    return value.as_string() != nullptr && !value.as_string()->empty();
  const json::Array* const items = value.as_array();
  return items != nullptr && std::ranges::all_of(*items, [](const json::Value& item) {
           return item.as_string() != nullptr;
         });
}

std::string_view form_of(VariableType type) {
  if (type == VariableType::integer) return "a whole number";
  return type == VariableType::list ? "a list of texts" : "a text";
}

Result<void> check_arguments(const ActionKind& kind, const json::Object& arguments) {
  const std::string action(kind.name);
  for (const auto& [name, value] : arguments) {
    if (std::ranges::find(kind.parameters, name, &ActionParameter::name) == kind.parameters.end()) {
      return fail(Code::invalid, action + " takes no " + in_quotes(name));
    }
  }
  for (const ActionParameter& parameter : kind.parameters) {
    const auto given = arguments.find(parameter.name);
    if (given == arguments.end() || given->second.is_null()) {
      if (!parameter.required) continue;
      return fail(Code::invalid, action + " needs '" + std::string(parameter.name) + "'");
    }
    if (!is_argument(parameter.type, given->second)) {
      return fail(Code::invalid, action + ": '" + std::string(parameter.name) + "' must be " +
                                     std::string(form_of(parameter.type)));
    }
  }
  return {};
}

Result<const Action*> find_allowed(const ActionCall& call, const EffectSettings& settings) {
  const ActionKind* const kind = find_action(call.action);
  const Action* const functions = find_functions(call.action);
  if (kind == nullptr || functions == nullptr) {
    return fail(Code::invalid, "there is no action " + in_quotes(call.action));
  }
  if (auto good = check_arguments(*kind, call.arguments); !good) {
    return std::unexpected(good.error());
  }
  if (const Part part = part_of(call.action, settings); !part.is_there) {
    return fail(Code::denied, call.action + " is off: policies/effects.yaml has no part '" +
                                  std::string(part.name) +
                                  "', which says what it may touch (docs/effects.md)");
  }
  return functions;
}

// A caller tries again or does not; what stands behind the codes is in the sentence.
template <class T>
Result<T> settled(Result<T> result) {
  if (result) return result;
  Code& code = result.error().code;
  if (code == Code::not_found || code == Code::conflict || code == Code::corrupt) {
    code = Code::denied;
  }
  if (code == Code::full) code = Code::unavailable;
  return result;
}

Work begin(const ActionCall& call, const EffectSettings& settings) {
  return {call, settings, std::chrono::steady_clock::now() + call.time_out};
}

}  // namespace

Result<json::Object> perform_action(const ActionCall& call, const EffectSettings& settings) {
  const auto action = find_allowed(call, settings);
  if (!action) return std::unexpected(action.error());
  return settled((*action)->perform(begin(call, settings)));
}

Result<bool> probe_action(const ActionCall& call, const EffectSettings& settings) {
  const auto action = find_allowed(call, settings);
  if (!action) return std::unexpected(action.error());
  return settled((*action)->probe(begin(call, settings)));
}

std::string describe_action(const ActionCall& call, const EffectSettings& settings) {
  const auto action = find_allowed(call, settings);
  if (!action) return "do nothing: " + action.error().what;
  return (*action)->describe(begin(call, settings));
}

}  // namespace mailwarden::respond
