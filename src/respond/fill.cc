#include "respond/fill.h"

#include <algorithm>

#include "base/text.h"
#include "respond/value_type.h"
#include "respond/variable_text.h"

namespace mailwarden::respond {
namespace {

using flow::FlowLimits;
using flow::Operation;
using flow::StepKind;

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

Result<json::Value> value_of(std::string_view name, const Lookup& lookup) {
  json::Value value = lookup(name);
  if (!value.is_null()) return value;
  return fail(Code::not_found, "the variable '" + printable(name) + "' has no value yet");
}

using Guard = std::function<Result<std::string>(std::string)>;

Result<std::string> fill_with(std::string_view whole, const Lookup& lookup, const Guard& guard) {
  std::string filled;
  auto done = walk_variables(
      whole, [&](std::string_view text) { filled += text; },
      [&](std::string_view name) -> Result<void> {
        const auto value = value_of(name, lookup);
        if (!value) return std::unexpected(value.error());
        const auto guarded = guard(to_plain_text(*value));
        if (!guarded) return std::unexpected(guarded.error());
        filled += *guarded;
        return {};
      });
  if (!done) return std::unexpected(done.error());
  return filled;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '~';
    const auto byte = static_cast<unsigned char>(c);
    if (plain) {
      encoded += c;
    } else {
      encoded += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return encoded;
}

Result<std::string> one_line(std::string value) {
  if (std::ranges::none_of(value, is_control)) return value;
  return fail(Code::invalid, "'" + printable(value) + "' must not be handed over");
}

// What log lines said must not become an option of the program or more than one line.
Result<std::string> fill_argument(const std::string& argument, const Lookup& lookup) {
  auto filled = fill_with(argument, lookup, one_line);
  if (!filled || !argument.starts_with("${") || argument.starts_with("${$}")) return filled;
  if (!filled->empty() && !filled->starts_with('-')) return filled;
  return fail(Code::invalid, "the argument '" + printable(*filled) + "' must not be handed over");
}

Result<void> fill_arguments(std::vector<std::string>& filled, const std::string& argument,
                            const Lookup& lookup) {
  const json::Value value =
      only_variable(argument).empty() ? json::Value() : lookup(only_variable(argument));
  if (const auto* items = value.as_array()) {
    for (const json::Value& item : *items) {
      auto one = fill_argument(argument, [&](std::string_view) { return item; });
      if (!one) return std::unexpected(one.error());
      filled.push_back(*std::move(one));
    }
    return {};
  }
  auto one = fill_argument(argument, lookup);
  if (!one) return std::unexpected(one.error());
  filled.push_back(*std::move(one));
  return {};
}

Result<void> fill_command(Operation& operation, const Lookup& lookup) {
  if (operation.command.empty() || operation.command.front().contains("${")) {
    return fail(Code::invalid, "the executable must be named without variables");
  }
  std::vector<std::string> filled{operation.command.front()};
  for (std::size_t i = 1; i < operation.command.size(); ++i) {
    if (auto one = fill_arguments(filled, operation.command[i], lookup); !one) return one;
  }
  if (filled.size() > FlowLimits::arguments_max) {
    return fail(Code::invalid, "more than " + std::to_string(FlowLimits::arguments_max) +
                                   " arguments have come together");
  }
  operation.command = std::move(filled);
  return {};
}

Result<void> fill_http(Operation& operation, const Lookup& lookup) {
  const std::size_t scheme = operation.url.find("://");
  const std::size_t path =
      operation.url.find_first_of("/?#", scheme == std::string::npos ? 0 : scheme + 3);
  if (scheme == std::string::npos || operation.url.substr(0, path).contains("${")) {
    return fail(Code::invalid, "the URL's host must be named without variables");
  }
  auto url = fill_with(operation.url, lookup,
                       [](const std::string& value) { return percent_encoded(value); });
  if (!url) return std::unexpected(url.error());
  operation.url = *std::move(url);
  for (auto& [name, value] : operation.headers) {
    if (value.as_string() == nullptr) return fail(Code::invalid, "a header is a text");
    auto filled = fill_with(*value.as_string(), lookup, one_line);
    if (!filled) return fail("the header '" + printable(name) + "'", filled.error());
    value = *std::move(filled);
  }
  auto body = fill_value(operation.body, lookup);
  if (!body) return std::unexpected(body.error());
  operation.body = *std::move(body);
  return {};
}

Result<void> fill_one(Operation& operation, const Lookup& lookup) {
  switch (operation.kind) {
    case StepKind::command:
      return fill_command(operation, lookup);
    case StepKind::http:
      return fill_http(operation, lookup);
    case StepKind::action: {
      auto arguments = fill_value(json::Value(operation.arguments), lookup);
      if (!arguments) return std::unexpected(arguments.error());
      operation.arguments = *arguments->as_object();
      return {};
    }
    default: {
      auto text = fill_text(operation.text, lookup);
      if (!text) return std::unexpected(text.error());
      operation.text = *std::move(text);
      return {};
    }
  }
}

std::size_t bytes_of(const Operation& operation) {
  std::size_t bytes = operation.text.size() + operation.url.size();
  for (const std::string& argument : operation.command) bytes += argument.size();
  for (const json::Object* object : {&operation.headers, &operation.arguments}) {
    bytes += json::to_text(json::Value(*object)).size();
  }
  return bytes + json::to_text(operation.body).size();
}

}  // namespace

Lookup lookup_in(const json::Object& values) {
  return [values](std::string_view name) {
    const auto found = values.find(name);
    return found == values.end() ? json::Value() : found->second;
  };
}

Result<Operation> fill(const Operation& operation, const Lookup& lookup) {
  Operation filled = operation;
  if (auto done = fill_one(filled, lookup); !done) return std::unexpected(done.error());
  if (bytes_of(filled) <= filled_bytes_max) return filled;
  return fail(Code::invalid,
              "more than " + std::to_string(filled_bytes_max) + " bytes have come together");
}

Result<std::string> fill_text(std::string_view text, const Lookup& lookup) {
  return fill_with(text, lookup, [](const std::string& value) { return printable(value); });
}

Result<std::string> fill_exactly(std::string_view text, const Lookup& lookup) {
  return fill_with(text, lookup, [](const std::string& value) { return value; });
}

Result<json::Value> fill_value(const json::Value& value, const Lookup& lookup) {
  if (const auto* text = value.as_string()) {
    if (const auto name = only_variable(*text); !name.empty()) return value_of(name, lookup);
    auto filled = fill_exactly(*text, lookup);
    if (!filled) return std::unexpected(filled.error());
    return json::Value(*std::move(filled));
  }
  if (const auto* items = value.as_array()) {
    json::Array filled;
    for (const json::Value& item : *items) {
      auto one = fill_value(item, lookup);
      if (!one) return one;
      filled.push_back(*std::move(one));
    }
    return json::Value(std::move(filled));
  }
  if (const auto* members = value.as_object()) {
    json::Object filled;
    for (const auto& [name, item] : *members) {
      auto one = fill_value(item, lookup);
      if (!one) return one;
      filled[name] = *std::move(one);
    }
    return json::Value(std::move(filled));
  }
  return value;
}

Result<void> may_run(const Operation& operation, const std::vector<std::string>& commands) {
  if (operation.kind != StepKind::command) return {};
  const std::string program = operation.command.empty() ? "" : operation.command.front();
  if (std::ranges::find(commands, program) != commands.end()) return {};
  return fail(Code::denied,
              printable(program) + " is not among the commands that this daemon may run");
}

}  // namespace mailwarden::respond
