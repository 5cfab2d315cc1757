// The book of grants: every act on them, decided by rules and states.
//
// What     A GrantBook decides acts in memory and in order and answers each as a GrantChange, which
//          is staged: the next act is decided as if it held, but nobody has access by it. The
//          caller writes the change (grant_table.h) and what must be beside it in one transaction,
//          and behind that says commit(), which lets it take effect, or discard(), and it has never
//          been. view() is what threads that decide look at; it is replaced by commit(), and by
//          see() as time passes.
// Owns     What is open (grant.h, is_open) and of everything else its state. History is the tables'.
// Threads  One, the core's; view() any.
// Errors   invalid: a text or a duration that rules do not allow. denied: not by this person.
//          conflict: not in this state. not_found: no such grant. full: a limit. One sentence each.
// Limits   GrantBookOptions, GrantRules.
// Source   Claims W5 and W6.
//
// Nobody decides on a request that is for them or that they made. Two approvals are those of two
// people. An act is by the rules as they are when it is done: what is asked for under milder rules
// is approved under the present ones or not at all.
//
// How time counts says access_time.h. see() is to be called every second, and expire() as often as
// its records are wanted: access ends at its time without it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "access/access_time.h"
#include "access/actor.h"
#include "access/grant.h"
#include "access/grant_rules.h"
#include "access/grant_view.h"
#include "base/result.h"

namespace mailwarden::access {

// What a book begins with; load_standing() of grant_table.h reads it.
struct Standing {
  std::vector<Grant> open;
  std::vector<GrantState> states;  // of every grant that ever was, number 1 first
  AccessTime time;

  bool operator==(const Standing&) const = default;
};

struct GrantBookOptions {
  Duration slack = std::chrono::seconds(5);  // GrantView::make()
  std::size_t reason_bytes_max = 4096;
  std::size_t system_bytes_max = 256;
  std::size_t open_max = 100'000;
  std::size_t staged_max = 10'000;  // acts between two commits
  std::size_t live_max = 100;       // grants of a person at once
};

struct GrantRequest {
  std::string person;
  std::string system;
  std::string purpose;
  std::string ticket;
  std::string reason;
  Duration duration{0};  // a part of a second is cut
};

// What somebody does about a grant. A reason is needed to refuse, end and review.
struct Deed {
  GrantId grant;
  Actor by;
  std::string why;
};

class GrantBook {
 public:
  explicit GrantBook(Standing standing, const GrantBookOptions& options = {});

  Result<GrantChange> request(const GrantRequest& request, const Actor& by, const GrantRules& rules,
                              Timestamp now);
  // The change leaves the grant requested where another approval is needed.
  Result<GrantChange> approve(const Deed& deed, const GrantRules& rules, Timestamp now);
  Result<GrantChange> refuse(const Deed& deed, const GrantRules& rules, Timestamp now);
  // By the person, by who asked for them, or by the daemon.
  Result<GrantChange> withdraw(const Deed& deed, Timestamp now);
  // By those, by who approved it, or by any approver.
  Result<GrantChange> end(const Deed& deed, const GrantRules& rules, Timestamp now);
  // For whoever asks, at once. Everybody must be alarmed: GrantChange::alarms().
  Result<GrantChange> break_glass(const GrantRequest& request, const Actor& by,
                                  const GrantRules& rules, Timestamp now);
  Result<GrantChange> review(const Deed& deed, const GrantRules& rules, Timestamp now);
  // What has run out by now, and broken glasses that nobody has reviewed in time (once each); as
  // many as may be staged, the rest at the next call.
  std::vector<GrantChange> expire(Timestamp now);

  // Tells the time. Every act does.
  void see(Timestamp now);

  // What was staged has been written, or will never be.
  void commit();
  void discard();
  std::size_t staged() const { return staged_.size(); }

  std::shared_ptr<const GrantView> view() const;
  // Of what was committed: null for what is not open.
  const Grant* find(GrantId id) const;
  Standing standing() const;
  const AccessTime& time() const { return time_; }

 private:
  const Grant* newest(std::int64_t number) const;
  Result<const Grant*> open_grant(GrantId id, GrantState wanted, Timestamp now) const;
  bool is_out_of_time(const Grant& grant, Timestamp now) const;
  void for_each_open(std::string_view person, const std::function<void(const Grant&)>& each) const;
  std::size_t count_live(std::string_view person, Timestamp now) const;
  Result<void> has_room() const;
  Result<Grant> draft(const GrantRequest& request, const Actor& by, const GrantRules& rules,
                      Timestamp now) const;
  Result<void> may_ask(const Grant& grant, const Actor& by, const GrantRules& rules) const;
  Result<Actor> check_deed(const Deed& deed, bool needs_reason) const;
  void fix_times(Grant& grant, Timestamp now) const;
  GrantChange stage(const Grant* before, Grant after, GrantAct act, const Deed& deed,
                    Timestamp now);
  GrantChange close(const Grant& grant, GrantState state, GrantAct act, const Deed& deed,
                    Timestamp now);
  void publish(bool grants_changed);

  const GrantBookOptions options_;
  std::map<std::int64_t, Grant> open_;  // committed
  std::vector<GrantState> states_;
  std::map<std::string, std::set<std::int64_t>, std::less<>> by_person_;  // of open_
  std::map<std::int64_t, Grant> staged_;                                  // as they would be
  AccessTime time_;

  mutable std::mutex mutex_;
  std::shared_ptr<const GrantView> view_;
};

}  // namespace mailwarden::access
