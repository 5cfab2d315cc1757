// Accounts: suspended, given back, their sessions ended, removed.
#include <array>
#include <filesystem>

#include "base/files.h"
#include "base/text.h"
#include "respond/account_processes.h"
#include "respond/action_parts.h"
#include "respond/local_accounts.h"

namespace mailwarden::respond {
namespace {

constexpr std::size_t kept_account_bytes_max = 4096;
constexpr int is_busy = 8;  // userdel's code for an account with processes

const AccountEffects& accounts(const Work& work) {
  return *work.settings.accounts;
}

std::string kept_path(const Work& work, const std::string& name) {
  return work.settings.keep + "/accounts/" + name + ".json";
}

// What the account was like before it was suspended.
struct Before {
  std::int64_t uid = 0;
  bool locked = false;
  std::string expires;
};

Result<Before> read_before(const Work& work, const std::string& name) {
  const auto text = read_regular_file(kept_path(work, name), kept_account_bytes_max);
  if (!text) return std::unexpected(text.error());
  const auto value = json::parse(*text);
  const bool* const locked = value ? (*value)["locked"].as_bool() : nullptr;
  if (locked == nullptr) {
    return fail(Code::denied, kept_path(work, name) + ": is not what was written there");
  }
  return Before{value->integer("uid"), *locked, value->text("expires")};
}

// What a second try finds is what the first has done; what was kept then counts.
Result<void> remember(const Work& work, const LocalAccount& account, const ShadowEntry& now) {
  if (now.is_suspended()) {
    const auto before = read_before(work, account.name);
    if (before && before->uid == static_cast<std::int64_t>(account.uid)) return {};
    if (!before && before.error().code != Code::not_found) return std::unexpected(before.error());
  }
  return write_file_durably(
      kept_path(work, account.name),
      json::to_text(json::Object{{"account", account.name},
                                 {"uid", static_cast<std::int64_t>(account.uid)},
                                 {"locked", now.locked},
                                 {"expires", now.expires}}));
}

Result<void> forget(const std::string& path) {
  std::error_code failed;
  std::filesystem::remove(path, failed);
  if (failed) return fail(Code::io, path + ": " + failed.message());
  return {};
}

std::vector<std::string> with_root(const Work& work, std::string program) {
  std::vector<std::string> command{std::move(program)};
  const std::string& root = accounts(work).root;
  if (!root.empty()) command.insert(command.end(), {"--prefix", root});
  return command;
}

Result<void> run_shadow_tool(const Work& work, const Program& program) {
  const auto end = run_program(work, program);
  if (!end) return std::unexpected(end.error());
  if (end->exit_code == 0) return {};
  // Somebody else holds its lock, or the account has processes left.
  const bool again = end->errors.contains("try again later") || end->exit_code == is_busy;
  return fail(again ? Code::unavailable : Code::denied, saying(program, *end));
}

Result<void> modify(const Work& work, const std::string& name, std::vector<std::string> options) {
  Program program{.command = with_root(work, accounts(work).usermod), .by_become = true};
  program.command.insert(program.command.end(), options.begin(), options.end());
  program.command.insert(program.command.end(), {"--", name});
  return run_shadow_tool(work, program);
}

Result<bool> probe_suspended(const Work& work) {
  const auto account = find_account(work.text("account"), accounts(work));
  if (!account) return std::unexpected(account.error());
  const auto shadow = find_shadow(account->name, accounts(work));
  if (!shadow) return std::unexpected(shadow.error());
  return shadow->is_suspended();
}

Result<json::Object> suspend(const Work& work) {
  const auto account = find_account(work.text("account"), accounts(work));
  if (!account) return std::unexpected(account.error());
  const auto before = find_shadow(account->name, accounts(work));
  if (!before) return std::unexpected(before.error());
  if (auto kept = remember(work, *account, *before); !kept) return std::unexpected(kept.error());
  if (auto done =
          modify(work, account->name, {"--lock", "--expiredate", std::string(suspended_date)});
      !done) {
    return std::unexpected(done.error());
  }
  const auto holds = probe_suspended(work);
  if (!holds) return std::unexpected(holds.error());
  if (!*holds) return fail(Code::io, in_quotes(account->name) + " is not suspended after all");
  return json::Object{};
}

Result<json::Object> unlock(const Work& work) {
  const auto account = find_account(work.text("account"), accounts(work));
  if (!account) return std::unexpected(account.error());
  const auto now = find_shadow(account->name, accounts(work));
  if (!now) return std::unexpected(now.error());
  const auto before = read_before(work, account->name);
  if (!before && before.error().code == Code::not_found) {
    if (!now->is_suspended()) return json::Object{};
    return fail(Code::denied, in_quotes(account->name) + " was suspended by somebody else");
  }
  if (!before) return std::unexpected(before.error());
  if (before->uid != static_cast<std::int64_t>(account->uid)) {
    return fail(Code::denied, in_quotes(account->name) +
                                  " is another account now; it had the uid " +
                                  std::to_string(before->uid) + " when it was suspended");
  }
  // Only what still stands as it was left: an administrator may have given some of it back.
  std::vector<std::string> options;
  // One that had no password at all, so that anybody could sign in, stays locked.
  if (!before->locked && now->can_unlock) options.emplace_back("--unlock");
  if (now->expires == suspended_date) {
    options.insert(options.end(), {"--expiredate", before->expires});
  }
  if (!options.empty()) {
    if (auto done = modify(work, account->name, options); !done) {
      return std::unexpected(done.error());
    }
  }
  if (auto gone = forget(kept_path(work, account->name)); !gone) {
    return std::unexpected(gone.error());
  }
  return json::Object{};
}

Result<bool> probe_unlocked(const Work& work) {
  const auto suspended = probe_suspended(work);
  if (!suspended) return std::unexpected(suspended.error());
  std::error_code failed;
  return !*suspended && !std::filesystem::exists(kept_path(work, work.text("account")), failed);
}

// logind first, since it ends what it keeps for the user besides processes.
Result<void> ask_logind(const Work& work, const LocalAccount& account) {
  std::error_code failed;
  const bool runs = std::filesystem::is_directory("/run/systemd/system", failed) &&
                    std::filesystem::exists(accounts(work).loginctl, failed);
  if (!runs || !accounts(work).root.empty()) return {};
  const Program program{
      .command = {accounts(work).loginctl, "terminate-user", "--", std::to_string(account.uid)},
      .by_become = true};
  // That there is no such user logged in is no failure; whoever is left is ended below.
  const auto end = run_program(work, program);
  if (!end) return std::unexpected(end.error());
  return {};
}

Result<json::Object> end_all_sessions(const Work& work) {
  const auto account = find_account(work.text("account"), accounts(work));
  if (!account) return std::unexpected(account.error());
  if (auto asked = ask_logind(work, *account); !asked) return std::unexpected(asked.error());
  if (auto ended = end_processes(account->uid, work.until); !ended) {
    return std::unexpected(ended.error());
  }
  return json::Object{};
}

Result<bool> probe_ended(const Work& work) {
  const auto account = find_account(work.text("account"), accounts(work));
  if (!account) return std::unexpected(account.error());
  const auto running = processes_of(account->uid);
  if (!running) return std::unexpected(running.error());
  return running->empty();
}

Result<bool> probe_removed(const Work& work) {
  const auto account = find_account(work.text("account"), accounts(work));
  if (account) return false;
  if (account.error().code == Code::not_found) return true;
  return std::unexpected(account.error());
}

Result<json::Object> remove_user(const Work& work) {
  const auto removed = probe_removed(work);
  if (!removed) return std::unexpected(removed.error());
  if (*removed) return json::Object{};
  Program program{.command = with_root(work, accounts(work).userdel), .by_become = true};
  program.command.insert(program.command.end(), {"--", work.text("account")});
  if (auto done = run_shadow_tool(work, program); !done) return std::unexpected(done.error());
  return json::Object{};
}

std::string of_account(const Work& work) {
  return "the account " + in_quotes(work.text("account"));
}

std::string describe_suspend(const Work& work) {
  return "lock " + of_account(work) + " and let it expire, with " + accounts(work).usermod;
}
std::string describe_unlock(const Work& work) {
  return "give " + of_account(work) + " back the lock and the expiry date that it had, with " +
         accounts(work).usermod;
}
std::string describe_end(const Work& work) {
  return "end the sessions of " + of_account(work) + " with " + accounts(work).loginctl +
         " where systemd runs, and kill all of its processes";
}
std::string describe_user_removal(const Work& work) {
  return "remove " + of_account(work) + " with " + accounts(work).userdel +
         ", which leaves its home as it is";
}

}  // namespace

const Action suspend_account{"suspend_account", suspend, probe_suspended, describe_suspend};
const Action unlock_account{"unlock_account", unlock, probe_unlocked, describe_unlock};
const Action end_sessions{"end_sessions", end_all_sessions, probe_ended, describe_end};
const Action remove_account{"remove_account", remove_user, probe_removed, describe_user_removal};

}  // namespace mailwarden::respond
