// People, their accounts and groups, as far as decisions need them.
//
// What     A Person is what personnel says, an Account what a directory says, a Group who is in it.
//          All of it is facts: each says who told it and as of when. known_at() leaves of a record
//          only what may be relied on at a time; what is older than its source's limit is gone from
//          it, which is not the same as no, none or empty.
// Owns     Their content.
// Threads  Values; every function is pure.
// Errors   None.
// Limits   Set by whoever reads the facts; AgeLimits for how long they hold.
// Source   RFC 5321, sections 2.3.11 and 2.4, for what of an e-mail address has a case.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/timestamp.h"

namespace mailwarden::identity {

// `time` is when the source said it was so: that of a snapshot or of an event, never that of a
// file or of its arrival.
template <class T>
struct Fact {
  T value{};
  std::string source;
  Timestamp time;

  bool operator==(const Fact&) const = default;
};
template <class T>
using MaybeFact = std::optional<Fact<T>>;

// Who says something, and as of when.
struct Origin {
  std::string source;
  Timestamp time;

  bool operator==(const Origin&) const = default;
};

// From `from` on, and before `until`; without it there is no end yet. One fact and not two, so that
// the end of a former employment never meets the beginning of the next.
struct Employment {
  Timestamp from;
  std::optional<Timestamp> until;

  bool operator==(const Employment&) const = default;
};

struct PolicyAcceptance {
  Timestamp at;
  std::string version;  // "" where it is not told

  bool operator==(const PolicyAcceptance&) const = default;
};

struct Person {
  std::string id;  // personnel's

  MaybeFact<std::string> name;
  MaybeFact<std::vector<std::string>> emails;  // in normal_email()'s form
  MaybeFact<Employment> employment;
  MaybeFact<std::string> manager;  // a person's id, or an e-mail address
  MaybeFact<std::string> role;
  MaybeFact<std::string> department;
  MaybeFact<Timestamp> trained_at;          // the last security training
  MaybeFact<Timestamp> trained_until;       // before which it holds
  MaybeFact<Timestamp> background_checked;  // when the check was passed
  MaybeFact<PolicyAcceptance> policy_acceptance;

  bool operator==(const Person&) const = default;
};

// An account or a group, by who keeps it ("google") and that one's own lasting id. An e-mail
// address is no key: it can be given to somebody else.
struct DirectoryKey {
  std::string provider;
  std::string id;

  auto operator<=>(const DirectoryKey&) const = default;
};

struct Account {
  DirectoryKey key;  // its id is the "sub" of the provider's tokens

  MaybeFact<std::string> email;                 // the primary one
  MaybeFact<std::vector<std::string>> aliases;  // what else reaches it
  MaybeFact<std::string> name;
  MaybeFact<std::string> person;    // personnel's id of whose it is, as the directory has it
  MaybeFact<std::string> customer;  // whose directory it is in
  MaybeFact<bool> suspended;
  MaybeFact<std::string> suspension_reason;
  MaybeFact<bool> archived;
  MaybeFact<bool> deleted;
  MaybeFact<bool> admin;
  MaybeFact<bool> delegated_admin;
  MaybeFact<bool> second_factor_enrolled;
  MaybeFact<bool> second_factor_enforced;
  MaybeFact<std::string> org_unit;
  MaybeFact<std::string> role;
  MaybeFact<std::string> department;
  MaybeFact<std::string> manager;                    // an e-mail address
  MaybeFact<std::optional<Timestamp>> last_sign_in;  // by the directory; without a value: never
  MaybeFact<Timestamp> last_seen;                    // by events
  MaybeFact<Timestamp> second_factor_used;           // by events: the last sign-in that had one

  bool operator==(const Account&) const = default;
};

enum class MemberKind : std::uint8_t {
  user,
  group,
  customer,  // everybody of the directory with that id
  other,     // somebody of no directory that is known here
};

struct Member {
  MemberKind kind = MemberKind::user;
  std::string id;
  std::string email;  // "" where it is not told

  auto operator<=>(const Member&) const = default;
};

struct Group {
  DirectoryKey key;

  MaybeFact<std::string> email;
  MaybeFact<std::string> name;
  MaybeFact<std::vector<Member>> members;  // those it has itself; groups stand for theirs

  bool operator==(const Group&) const = default;
};

// How old what a source says may be and still count. A fact holds at `now` where
//   time <= now + ahead_max  and  now < time + limit;
// one from farther ahead is not believed, or a wrong clock would make it fresh for years.
struct AgeLimits {
  std::map<std::string, Duration, std::less<>> of_source;
  Duration otherwise = std::chrono::hours(24);
  Duration ahead_max = std::chrono::minutes(5);

  Duration of(std::string_view source) const;
  bool is_ahead(Timestamp time, Timestamp now) const { return time > now + ahead_max; }
  bool holds(std::string_view source, Timestamp time, Timestamp now) const;
};

template <class T>
std::optional<T> known(const MaybeFact<T>& fact, const AgeLimits& limits, Timestamp now) {
  if (!fact || !limits.holds(fact->source, fact->time, now)) return std::nullopt;
  return fact->value;
}

// The record without the facts that do not hold at `now`. `until`, where given, is moved forward to
// the first moment at which one of those that are left will hold no more.
Person known_at(Person person, const AgeLimits& limits, Timestamp now, Timestamp* until = nullptr);
Account known_at(Account account, const AgeLimits& limits, Timestamp now,
                 Timestamp* until = nullptr);
Group known_at(Group group, const AgeLimits& limits, Timestamp now, Timestamp* until = nullptr);

// The address with its domain in lower case; what stands before the '@' is as it is, since only its
// domain knows whether it has a case. Nothing where it is no address, or none that a directory
// gives: blanks, control characters, no '@', more than email_bytes_max.
inline constexpr std::size_t email_bytes_max = 254;
std::optional<std::string> normal_email(std::string_view text);

}  // namespace mailwarden::identity
