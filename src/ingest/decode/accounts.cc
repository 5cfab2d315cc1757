// useradd, usermod, userdel, the group programs, passwd and their kin: what became of accounts.
#include <array>
#include <optional>

#include "ingest/decode/draft.h"
#include "ingest/decode/scan.h"

namespace mailwarden::ingest {
namespace {

// OCSF's activity numbers, by class.
namespace account {
constexpr int create = 1;
constexpr int enable = 2;
constexpr int password_change = 3;
constexpr int disable = 5;
constexpr int remove = 6;
constexpr int other = 99;
}  // namespace account
namespace group {
constexpr int add_user = 3;
constexpr int remove_user = 4;
constexpr int remove = 5;
constexpr int create = 6;
constexpr int other = 99;
}  // namespace group

void change_account(Event& event, std::string_view what, int activity, std::string_view name) {
  happened(event, what);
  set_class(event, ocsf_class::account_change, activity, Outcome::success);
  set_user(event, name);
}

void change_group(Event& event, std::string_view what, int activity, std::string_view name) {
  happened(event, what);
  set_class(event, ocsf_class::group_management, activity, Outcome::success);
  add(event, "group", name);
  event.ocsf.resource = name;
}

// 'alice', which older versions open with a grave accent.
std::optional<std::string_view> take_name(std::string_view& text) {
  std::string_view rest = text;
  if (!skip(rest, "'") && !skip(rest, "`")) return std::nullopt;
  const auto name = take_until(rest, "'");
  if (!name) return std::nullopt;
  text = rest;
  return name;
}

// "name=bob, UID=1001, GID=1001, home=/home/bob, shell=/bin/bash, from=/dev/pts/0"
bool new_user(std::string_view text, Event& event) {
  const std::string_view name = listed_value(text, "name");
  if (name.empty()) return false;
  change_account(event, "user_created", account::create, name);
  constexpr std::array<std::array<std::string_view, 2>, 5> parts{
      {{"UID", "uid"}, {"GID", "gid"}, {"home", "home"}, {"shell", "shell"}, {"from", "tty"}}};
  for (const auto& [written, field] : parts) add(event, field, listed_value(text, written));
  return true;
}

bool new_group(std::string_view text, Event& event) {
  const std::string_view name = listed_value(text, "name");
  if (name.empty()) return false;
  change_group(event, "group_created", group::create, name);
  add(event, "gid", listed_value(text, "GID"));
  return true;
}

// "to /etc/group: name=x, GID=1002": what happens to one file; "new group" is the whole.
bool group_added(std::string_view text, Event& event) {
  const auto file = take_until(text, ": ");
  const std::string_view name = listed_value(text, "name");
  if (!file || name.empty()) return false;
  change_group(event, "group_file_changed", group::other, name);
  return true;
}

// "'bob' to group 'sudo'" and "'bob' to shadow group 'sudo'": the second line repeats the first for
// another file, so only the first is the change.
bool member_change(std::string_view text, Event& event, bool added) {
  const auto name = take_name(text);
  if (!name || (!skip(text, " to ") && !skip(text, " from "))) return false;
  const bool shadow = skip(text, "shadow ");
  if (!skip(text, "group ")) return false;
  const auto group_name = take_name(text);
  if (!group_name) return false;
  const std::string_view what = added ? "group_member_added" : "group_member_removed";
  change_group(event, shadow ? "group_file_changed" : what,
               shadow  ? group::other
               : added ? group::add_user
                       : group::remove_user,
               *group_name);
  set_user(event, *name);
  return true;
}

bool add_member(std::string_view text, Event& event) {
  return member_change(text, event, true);
}

bool delete_any(std::string_view text, Event& event) {
  if (!skip(text, "user ")) return member_change(text, event, false);
  const auto name = take_name(text);
  if (!name) return false;
  change_account(event, "user_deleted", account::remove, *name);
  return true;
}

// "'bob' password", "'bob' UID from '1001' to '0'", "name 'bob' to 'robert'"
bool change_user(std::string_view text, Event& event) {
  const bool renamed = skip(text, "name ");
  const auto name = take_name(text);
  if (!name) return false;
  if (renamed) {
    change_account(event, "user_renamed", account::other, *name);
    skip(text, " to ");
    if (const auto fresh = take_name(text)) event.fields.add("new_name", *fresh);
    return true;
  }
  skip(text, " ");
  if (text == "password") {
    change_account(event, "password_changed", account::password_change, *name);
    return true;
  }
  change_account(event, "user_changed", account::other, *name);
  if (const auto what = take_until(text, " from ")) {
    event.fields.add("attribute", *what);
    if (const auto before = take_name(text)) event.fields.add("old_value", *before);
    skip(text, " to ");
    if (const auto after = take_name(text)) event.fields.add("new_value", *after);
  }
  return true;
}

bool lock_user(std::string_view text, Event& event) {
  const auto name = take_name(text);
  if (!name) return false;
  change_account(event, "user_locked", account::disable, *name);
  return true;
}

bool unlock_user(std::string_view text, Event& event) {
  const auto name = take_name(text);
  if (!name) return false;
  change_account(event, "user_unlocked", account::enable, *name);
  return true;
}

bool removed_group(std::string_view text, Event& event) {
  const bool shadow = skip(text, "shadow ");
  if (!skip(text, "group ")) return false;
  const auto name = take_name(text);
  if (!name) return false;
  change_group(event, shadow ? "group_file_changed" : "group_deleted",
               shadow ? group::other : group::remove, *name);
  return true;
}

// "'x' removed from /etc/group" for each file, then "'x' removed" for the whole.
bool group_line(std::string_view text, Event& event) {
  const auto name = take_name(text);
  if (!name || !skip(text, " removed")) return false;
  const bool whole = text.empty();
  change_group(event, whole ? "group_deleted" : "group_file_changed",
               whole ? group::remove : group::other, *name);
  return true;
}

// "in /etc/group (group x/1002, new name: y)"
bool group_changed(std::string_view text, Event& event) {
  const auto file = take_until(text, " (group ");
  if (!file) return false;
  change_group(event, "group_changed", group::other, text.substr(0, text.find_first_of("/,)")));
  if (const std::size_t fresh = text.find("new name: "); fresh != text.npos) {
    const std::string_view name = text.substr(fresh + 10);
    event.fields.add("new_name", name.substr(0, name.find_first_of(",)")));
  }
  return true;
}

// gpasswd: "bob added by root to group sudo" and "bob removed by root from group sudo"
bool group_password(std::string_view text, Event& event) {
  const std::size_t group_at = text.rfind(" group ");
  if (group_at == text.npos) return false;
  const std::string_view name = take_word(text);
  const bool added = skip(text, "added by ");
  if (!added && !skip(text, "removed by ")) return false;
  const std::string_view actor = take_word(text);
  const std::string_view group_name = text.substr(text.rfind(' ') + 1);
  change_group(event, added ? "group_member_added" : "group_member_removed",
               added ? group::add_user : group::remove_user, group_name);
  set_user(event, name);
  set_actor(event, actor);
  return true;
}

// passwd: "'bob' changed by 'root'"
bool password_for(std::string_view text, Event& event) {
  skip(text, "user ");
  const auto name = take_name(text);
  if (!name) return false;
  change_account(event, "password_changed", account::password_change, *name);
  if (skip(text, " changed by ")) {
    if (const auto actor = take_name(text)) set_actor(event, *actor);
  }
  return true;
}

// chfn "user 'bob' information", chsh "user 'bob' shell to '/bin/sh'", chage "password expiry for
// bob"
bool changed(std::string_view text, Event& event) {
  if (skip(text, "password expiry for ")) {
    change_account(event, "password_expiry_changed", account::other, text);
    return true;
  }
  if (!skip(text, "user ")) return false;
  const auto name = take_name(text);
  if (!name) return false;
  change_account(event, "user_changed", account::other, *name);
  skip(text, " ");
  event.fields.add("attribute", take_word(text));
  if (skip(text, "to ")) {
    if (const auto value = take_name(text)) event.fields.add("new_value", *value);
  }
  return true;
}

bool failed_adding(std::string_view text, Event& event) {
  const bool user = skip(text, "user ");
  if (!user && !skip(text, "group ")) return false;
  const auto name = take_name(text);
  if (!name) return false;
  if (user) {
    change_account(event, "user_create_failed", account::create, *name);
  } else {
    change_group(event, "group_create_failed", group::create, *name);
  }
  event.ocsf.status = Outcome::failure;
  return true;
}

constexpr std::array account_patterns{
    Pattern{"new user: ", &new_user},
    Pattern{"new group: ", &new_group},
    Pattern{"group added ", &group_added},
    Pattern{"group changed ", &group_changed},
    Pattern{"group ", &group_line},
    Pattern{"add ", &add_member},
    Pattern{"delete ", &delete_any},
    Pattern{"change user ", &change_user},
    Pattern{"lock user ", &lock_user},
    Pattern{"unlock user ", &unlock_user},
    Pattern{"removed ", &removed_group},
    Pattern{"user ", &group_password},
    Pattern{"password for ", &password_for},
    Pattern{"changed ", &changed},
    Pattern{"failed adding ", &failed_adding},
};

}  // namespace

bool read_accounts(std::string_view text, Event& event) {
  const Pattern* const pattern = take_pattern(account_patterns, text);
  return pattern != nullptr && pattern->read(text, event);
}

}  // namespace mailwarden::ingest
