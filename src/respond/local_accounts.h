// The accounts of this machine, as its files tell of them.
#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/result.h"
#include "respond/effect_settings.h"

namespace mailwarden::respond {

struct LocalAccount {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home;
};
// invalid: no account's name. not_found: there is none. denied: it must not be touched.
Result<LocalAccount> find_account(const std::string& name, const AccountEffects& settings);

// The expiry date of a suspended account: the second day of 1970.
inline constexpr std::string_view suspended_date = "1";

// What /etc/shadow says of it.
struct ShadowEntry {
  bool can_unlock = false;  // something would be left of the password; usermod asks for that
  bool locked = false;
  std::string expires;  // in days since 1970; "" for never

  // Neither by password nor by key, since sshd and PAM ask for the date.
  bool is_suspended() const { return locked && expires == suspended_date; }
};
Result<ShadowEntry> find_shadow(const std::string& name, const AccountEffects& settings);

}  // namespace mailwarden::respond
