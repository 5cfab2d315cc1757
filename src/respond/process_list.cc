#include "respond/process_list.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "base/files.h"
#include "base/text.h"
#include "json/value.h"

namespace mailwarden::respond {
namespace {

constexpr std::size_t command_bytes_max = std::size_t{4} << 20;
constexpr std::size_t command_bytes_shown = 4096;

// Nothing where it has ended meanwhile. Names and arguments are what an attacker chose, so they
// are texts of JSON and nothing else.
std::string line_of(std::int64_t id) {
  const auto status = read_process_status(id);
  if (!status) return {};
  json::Object line{{"id", id}};
  for (const std::string_view part : split(*status, '\n')) {
    const std::size_t colon = std::min(part.find(':'), part.size());
    const std::string_view name = part.substr(0, colon);
    const std::string_view value = colon < part.size() ? trim(part.substr(colon + 1)) : "";
    if (name == "Name") line["name"] = to_utf8(value);
    if (name == "State") line["state"] = to_utf8(value.substr(0, 1));
    if (name == "PPid") line["parent"] = to_integer(value).value_or(0);
    if (name == "Uid") line["uid"] = to_integer(split(value, '\t').front()).value_or(-1);
  }
  std::error_code failed;
  const std::string folder = "/proc/" + std::to_string(id);
  const auto executable = std::filesystem::read_symlink(folder + "/exe", failed);
  line["executable"] = failed ? std::string() : to_utf8(executable.string());
  auto command = read_regular_file(folder + "/cmdline", command_bytes_max).value_or("");
  if (command.ends_with('\0')) command.pop_back();
  std::ranges::replace(command, '\0', ' ');
  line["command"] = to_utf8(command.substr(0, command_bytes_shown));
  return json::to_text(line) + "\n";
}

}  // namespace

Result<std::string> read_process_status(std::int64_t id) {
  constexpr std::size_t status_bytes_max = 64 * 1024;
  return read_regular_file("/proc/" + std::to_string(id) + "/status", status_bytes_max);
}

Result<ProcessList> list_processes(std::size_t bytes_max) {
  std::vector<std::int64_t> ids;
  std::error_code failed;
  std::filesystem::directory_iterator entry("/proc", failed);
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
    if (const auto id = to_integer(entry->path().filename().string())) ids.push_back(*id);
  }
  if (failed) return fail(Code::io, "/proc: " + failed.message());
  std::ranges::sort(ids);
  ProcessList list;
  // Where the first process is hidden, those of others are.
  list.whole = !line_of(1).empty();
  for (const std::int64_t id : ids) {
    const std::string line = line_of(id);
    if (list.text.size() + line.size() > bytes_max) {
      list.whole = false;
      break;
    }
    list.text += line;
  }
  return list;
}

}  // namespace mailwarden::respond
