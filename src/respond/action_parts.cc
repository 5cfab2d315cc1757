#include "respond/action_parts.h"

#include <algorithm>
#include <memory>

#include "base/process.h"
#include "base/text.h"

namespace mailwarden::respond {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t errors_bytes_max = 2048;
constexpr std::size_t said_bytes_max = 500;

}  // namespace

std::string Work::text(std::string_view name) const {
  const auto found = call.arguments.find(name);
  const std::string* const value =
      found == call.arguments.end() ? nullptr : found->second.as_string();
  return value == nullptr ? std::string() : *value;
}

std::vector<std::string> Work::texts(std::string_view name) const {
  const auto found = call.arguments.find(name);
  std::vector<std::string> all;
  if (found == call.arguments.end() || found->second.as_array() == nullptr) return all;
  for (const json::Value& item : *found->second.as_array()) {
    if (item.as_string() != nullptr) all.push_back(*item.as_string());
  }
  return all;
}

std::optional<std::int64_t> Work::integer(std::string_view name) const {
  const auto found = call.arguments.find(name);
  if (found == call.arguments.end()) return std::nullopt;
  if (const auto* number = found->second.as_integer(); number != nullptr) return *number;
  // What a variable was filled into is a text.
  if (const auto* text = found->second.as_string(); text != nullptr) return to_integer(*text);
  return std::nullopt;
}

Duration Work::time_left() const {
  const auto left = std::chrono::duration_cast<Duration>(until - steady_clock::now());
  return std::max(left, Duration(0));
}

Result<ProgramEnd> run_program(const Work& work, const Program& program) {
  ProcessCall call{.environment = {"LC_ALL=C"}, .input = program.input};
  if (program.by_become) call.command = work.settings.become;
  call.command.insert(call.command.end(), program.command.begin(), program.command.end());
  call.time_out = work.time_left();
  // Pages that nobody writes to are not there, so a large limit costs nothing.
  const auto output = std::make_unique_for_overwrite<char[]>(program.output_bytes_max);
  std::array<char, errors_bytes_max> errors;
  call.output = {output.get(), program.output_bytes_max};
  call.errors = errors;
  const auto end = run_process(call);
  if (!end) return std::unexpected(end.error());
  if (!end->in_time)
    return fail(Code::unavailable, program.command.front() + ": " + failure_of(*end));
  if (end->signal != 0) return fail(Code::io, program.command.front() + ": " + failure_of(*end));
  return ProgramEnd{.exit_code = end->exit_code,
                    .output = {output.get(), end->output_bytes},
                    .errors = {errors.data(), end->errors_bytes},
                    .whole = end->output_whole};
}

std::string saying(const Program& program, const ProgramEnd& end) {
  std::string said(trim(end.errors));
  if (said.empty()) said = trim(end.output);
  // What went wrong stands last.
  said.erase(0, said.size() - std::min(said.size(), said_bytes_max));
  return program.command.front() + ": ended with " + std::to_string(end.exit_code) +
         (said.empty() ? "" : ", saying: " + printable(said));
}

Listed listed(const std::vector<std::string>& texts) {
  // Quotes, a comma and what has to be escaped take room besides.
  constexpr std::size_t room = flow::FlowLimits::value_bytes_max - 64;
  Listed all;
  std::size_t taken = 0;
  for (const std::string& text : texts) {
    taken += json::to_text(json::Value(text)).size() + 1;
    all.whole = taken <= room;
    if (!all.whole) break;
    all.items.emplace_back(text);
  }
  return all;
}

bool is_plain_path(std::string_view path) {
  if (path.size() < 2 || path.size() > 2048 || path.front() != '/' || path.contains('\0')) {
    return false;
  }
  const auto parts = split(path.substr(1), '/');
  return std::ranges::none_of(
      parts, [](std::string_view part) { return part.empty() || part == "." || part == ".."; });
}

bool is_tame_path(std::string_view path) {
  return is_plain_path(path) && std::ranges::all_of(path, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("/._-+@").contains(c);
         });
}

}  // namespace mailwarden::respond
