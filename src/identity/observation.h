// What an event says of somebody's account.
//
// What     observe() reads an event's normal form: that the account was used, with or without a
//          second factor, that one was enrolled or disabled, that the account was suspended, taken
//          back or deleted. PeopleBook::apply() holds it against what is known.
// Owns     The observation.
// Threads  Pure.
// Errors   None: an event that says nothing of the kind gives nothing.
// Limits   Those of e-mail addresses.
// Source   OCSF 1.x: Account Change (3001), Authentication (3002).
//
// Only what succeeded counts, of accounts that are named by an e-mail address. Who keeps them is
// told by the event's product: that of Google's products is "google", else it is the product.
//   any                  who did it (actor.user, or user where somebody signed in) has been there
//   3002 logon, is_mfa   that sign-in had a second factor; which does not say that one is enrolled,
//                        and one without it not that none is
//   3001 activity 10, 11 a second factor was enrolled; disabled
//   3001 activity 2, 5   the account was enabled, disabled
//   3001 activity 6      it was deleted
#pragma once

#include <optional>
#include <string>

#include "event/event.h"
#include "identity/person.h"

namespace mailwarden::identity {

// What the sources of such facts begin with; the event's source follows: "event:workspace".
inline constexpr std::string_view event_source_prefix = "event:";

struct Observation {
  Origin origin;
  std::string provider;
  std::string actor;  // e-mail addresses; "" for nobody that can be told
  std::string subject;
  bool second_factor_used = false;  // by the actor
  // Of the subject.
  std::optional<bool> second_factor_enrolled;
  std::optional<bool> suspended;
  std::optional<bool> deleted;

  bool operator==(const Observation&) const = default;
};

std::optional<Observation> observe(const Event& event);

}  // namespace mailwarden::identity
