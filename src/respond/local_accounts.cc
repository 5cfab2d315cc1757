#include "respond/local_accounts.h"

#include <algorithm>
#include <optional>

#include <unistd.h>

#include "base/files.h"
#include "base/text.h"
#include "respond/action_parts.h"

namespace mailwarden::respond {
namespace {

constexpr std::size_t passwd_bytes_max = std::size_t{16} << 20;

// What useradd takes, and capital letters, which other tools let through.
bool is_account_name(std::string_view name) {
  const auto fits = [](char c, bool first) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
  };
  if (name.empty() || name.size() > 32 || !fits(name.front(), true)) return false;
  return std::ranges::all_of(name.substr(1), [&](char c) { return fits(c, false); });
}

// The fields of the one line that begins with the name.
Result<std::vector<std::string>> find_line(const std::string& path, const std::string& name,
                                           std::size_t fields) {
  const auto text = read_whole_file(path, passwd_bytes_max);
  if (!text) return std::unexpected(text.error());
  std::optional<std::vector<std::string>> found;
  for (const std::string_view line : split(*text, '\n')) {
    const auto parts = split(line, ':');
    if (parts.size() != fields || parts[0] != name) continue;
    if (found) return fail(Code::denied, path + " has two lines for " + in_quotes(name));
    found.emplace(parts.begin(), parts.end());
  }
  if (!found) return fail(Code::not_found, path + " has no account " + in_quotes(name));
  return *std::move(found);
}

std::optional<uid_t> read_id(const std::string& text) {
  const auto number = to_integer(text);
  if (!number || *number < 0 || *number >= 0xFFFF'FFFF) return std::nullopt;
  return static_cast<uid_t>(*number);
}

}  // namespace

Result<LocalAccount> find_account(const std::string& name, const AccountEffects& settings) {
  if (!is_account_name(name)) return fail(Code::invalid, in_quotes(name) + " is no account's name");
  const auto fields = find_line(settings.root + "/etc/passwd", name, 7);
  if (!fields) return std::unexpected(fields.error());
  const auto uid = read_id((*fields)[2]);
  const auto gid = read_id((*fields)[3]);
  if (!uid || !gid) return fail(Code::denied, in_quotes(name) + " has no uid that could be read");
  if (*uid == 0) return fail(Code::denied, in_quotes(name) + " is root, which is never touched");
  if (*uid == ::getuid() || *uid == ::geteuid()) {
    return fail(Code::denied, in_quotes(name) + " is the account that the daemon runs as");
  }
  if (settings.never.contains(name)) {
    return fail(Code::denied, in_quotes(name) + " stands in 'never' of effects.yaml");
  }
  if (static_cast<std::int64_t>(*uid) < settings.uid_from &&
      !settings.system_accounts.contains(name)) {
    return fail(Code::denied, in_quotes(name) + " has the uid " + std::to_string(*uid) +
                                  ", below " + std::to_string(settings.uid_from) +
                                  ", and does not stand in 'system_accounts' of effects.yaml");
  }
  return LocalAccount{.name = name, .uid = *uid, .gid = *gid, .home = (*fields)[5]};
}

Result<ShadowEntry> find_shadow(const std::string& name, const AccountEffects& settings) {
  const auto fields = find_line(settings.root + "/etc/shadow", name, 9);
  if (!fields) return std::unexpected(fields.error());
  const std::string& password = (*fields)[1];
  const std::size_t marks = std::min(password.find_first_not_of('!'), password.size());
  return ShadowEntry{.can_unlock = marks > 0 && marks < password.size(),
                     .locked = marks > 0,
                     .expires = (*fields)[7]};
}

}  // namespace mailwarden::respond
