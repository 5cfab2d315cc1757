// Grants: who may reach which system, what for, on which ticket, and until when.
//
// What     A Grant is an authorization from its request to its end, and after. A GrantChange is one
//          act on it with what was before and after. context_of() is a grant as policies see it.
// Owns     Nothing; all of these are values.
// Threads  Values; every function is pure.
// Errors   grant_from_json(), change_from_json(): corrupt.
// Limits   Those of whoever made the values (grant_book.h).
// Source   Type Grant of policies/access/access.cedarschema; claims W5 and W6.
//
// States and the ways between them:
//   requested → approved → ended | expired
//   requested → refused | withdrawn | expired
// An approval that needs a second one leaves a request requested. Breaking the glass begins at
// approved. What is over stays over. A break-glass grant is reviewed once, whatever its state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/access_time.h"
#include "base/id.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "json/value.h"

namespace mailwarden::access {

// From 1 without a hole, in the order of the requests.
using GrantId = Id<struct GrantTag>;

enum class GrantState : std::uint8_t { requested, approved, refused, withdrawn, ended, expired };
std::string_view to_string(GrantState state);
std::optional<GrantState> parse_grant_state(std::string_view text);

enum class GrantAct : std::uint8_t {
  request,
  approve,
  refuse,
  withdraw,
  end,
  break_glass,
  expire,
  review,
  miss_review,  // nobody reviewed a broken glass in time
};
std::string_view to_string(GrantAct act);
std::optional<GrantAct> parse_grant_act(std::string_view text);

// Who acts where no person does.
inline constexpr std::string_view daemon_name = "mailwarden";

struct Grant {
  GrantId id;
  std::string person;  // id of a User: an e-mail address in lower case
  std::string system;  // id of a System
  std::string purpose;
  std::string ticket;  // may be "" of break-glass
  std::string reason;
  std::string requested_by;  // the person, or who asked for them
  Timestamp requested_at;
  Duration duration{0};  // asked for, whole seconds
  GrantState state = GrantState::requested;
  Timestamp waits_until;              // of a request
  std::int64_t approvals_needed = 1;  // 0 of break-glass
  std::vector<std::string> approved_by;
  Timestamp from;  // with `until` fixed when it was granted; 0 before
  Timestamp until;
  bool break_glass = false;
  std::string ended_by;  // who refused, withdrew or ended it
  std::string end_reason;
  Timestamp ended_at;
  Timestamp review_until;  // of break-glass
  std::string reviewed_by;
  std::string review;
  bool review_missed = false;
  Duration set_back{0};      // of the clock when the times above were fixed; access_time.h
  std::int64_t changes = 0;  // sequence of the last change

  bool operator==(const Grant&) const = default;
};

bool is_over(GrantState state);  // neither requested nor approved
bool needs_review(const Grant& grant);
// Whether anything can still happen to it.
bool is_open(const Grant& grant);
// When it ends by the clock as it goes now, which may have been set back since it was granted.
Timestamp ends_at(const Grant& grant, const AccessTime& time);

struct GrantChange {
  std::optional<Grant> before;  // nothing of a new one
  Grant after;
  GrantAct act = GrantAct::request;
  std::string who;  // a person or daemon_name
  std::string why;
  Timestamp at;
  AccessTime time;  // as of `at`

  // That somebody must hear of it at once: the glass was broken, or its review was missed.
  bool alarms() const { return act == GrantAct::break_glass || act == GrantAct::miss_review; }
  // That access begins or ends with it. Of what it closes, sessions are to be cut.
  bool opens_access() const;
  bool closes_access() const;

  bool operator==(const GrantChange&) const = default;
};

json::Object to_json(const Grant& grant);
Result<Grant> grant_from_json(const json::Value& value);
// What the ledger keeps, under kind "grant".
json::Object to_record(const GrantChange& change);
Result<GrantChange> change_from_record(const json::Value& record, Timestamp at);

// As Cedar writes a datetime: "2026-11-28T16:00:00.000Z". What lies below a millisecond is cut.
std::string datetime_text(Timestamp at);
// The schema's type Grant, for the context of a request that is read with that schema.
json::Object context_of(const Grant& grant);

}  // namespace mailwarden::access
