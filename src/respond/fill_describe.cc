// Operations in words, and the variables that they name.
#include "base/text.h"
#include "respond/fill.h"
#include "respond/variable_text.h"

namespace mailwarden::respond {
namespace {

using flow::Operation;
using flow::StepKind;

constexpr std::size_t described_bytes_max = 2000;

// A short text is as it is; of a long one the beginning, whole characters.
std::string cut(std::string text) {
  if (text.size() <= described_bytes_max) return text;
  std::size_t end = described_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text + "…";
}

// An argument as a shell would need it, so that where one ends is plain to see.
std::string shell_word(const std::string& argument) {
  const std::string shown = printable(argument);
  const bool plain =
      !shown.empty() && shown.find_first_of(" '\"$`;&|<>()*?[]{}#~!") == std::string::npos;
  if (plain) return shown;
  std::string text = "'";
  for (const char c : shown) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string describe_http(const Operation& operation) {
  std::string text = operation.method + " " + printable(operation.url);
  if (!operation.headers.empty()) {
    text += " with headers " + json::to_text(json::Value(operation.headers));
  }
  if (!operation.body.is_null()) text += " with " + json::to_text(operation.body);
  if (!operation.sign_with.empty()) text += ", signed with '" + operation.sign_with + "'";
  return text;
}

std::string describe_whole(const Operation& operation) {
  std::string text;
  switch (operation.kind) {
    case StepKind::command:
      for (const std::string& argument : operation.command) text += " " + shell_word(argument);
      return "run" + text;
    case StepKind::http:
      return describe_http(operation);
    case StepKind::action:
      for (const auto& [name, value] : operation.arguments) {
        text += (text.empty() ? "" : ", ") + name + ": " + json::to_text(value);
      }
      return operation.action + (text.empty() ? "" : " {" + text + "}");
    default:
      for (const std::string& receiver : operation.to) {
        text += (text.empty() ? "" : ", ") + receiver;
      }
      return "tell " + text + ": " + operation.text;
  }
}

Result<void> add(Names& names, std::string_view text) {
  return walk_variables(
      text, [](std::string_view) {},
      [&](std::string_view name) -> Result<void> {
        names.emplace(name);
        return {};
      });
}

Result<void> add(Names& names, const json::Value& value) {
  if (const auto* text = value.as_string()) return add(names, std::string_view(*text));
  if (const auto* items = value.as_array()) {
    for (const json::Value& item : *items) {
      if (auto added = add(names, item); !added) return added;
    }
  }
  if (const auto* members = value.as_object()) {
    for (const auto& [name, item] : *members) {
      if (auto added = add(names, item); !added) return added;
    }
  }
  return {};
}

// What has no value keeps its name.
Lookup or_name(const Lookup& lookup) {
  return [&lookup](std::string_view name) {
    json::Value value = lookup(name);
    return value.is_null() ? json::Value("${" + std::string(name) + "}") : value;
  };
}

}  // namespace

Result<Names> variables_in(std::string_view text) {
  Names names;
  if (auto added = add(names, text); !added) return std::unexpected(added.error());
  return names;
}

Result<Names> variables_in_value(const json::Value& value) {
  Names names;
  if (auto added = add(names, value); !added) return std::unexpected(added.error());
  return names;
}

Result<Names> variables_in(const Operation& operation) {
  json::Array all{json::Value(operation.text), json::Value(operation.url),
                  json::Value(operation.headers), operation.body, json::Value(operation.arguments)};
  for (const std::string& argument : operation.command) all.emplace_back(argument);
  return variables_in_value(json::Value(std::move(all)));
}

std::string without_variables(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    escaped += text[i];
    if (text.substr(i).starts_with("${")) escaped.replace(escaped.size() - 1, 1, "${$}");
  }
  return escaped;
}

std::string describe(const Operation& operation) {
  return cut(describe_whole(operation));
}

std::string describe_unguarded(const Operation& operation, const Lookup& lookup) {
  const Lookup known = or_name(lookup);
  const auto filled = [&](const json::Value& value) {
    return fill_value(value, known).value_or(value);
  };
  Operation shown = operation;
  shown.text = fill_text(operation.text, known).value_or(printable(operation.text));
  shown.url = fill_exactly(operation.url, known).value_or(operation.url);
  for (std::string& argument : shown.command) {
    argument = fill_exactly(argument, known).value_or(argument);
  }
  shown.headers = *filled(json::Value(operation.headers)).as_object();
  shown.body = filled(operation.body);
  shown.arguments = *filled(json::Value(operation.arguments)).as_object();
  return describe(shown);
}

}  // namespace mailwarden::respond
