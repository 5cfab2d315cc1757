#include "access/grant_book.h"

#include <algorithm>

#include "access/grant_text.h"

namespace mailwarden::access {
namespace {

constexpr std::size_t ticket_bytes_max = 64;

std::string name_of(const Grant& grant) {
  return "grant " + std::to_string(grant.id.value);
}

Timestamp whole_milliseconds(Timestamp at) {
  return {std::chrono::floor<std::chrono::milliseconds>(Duration(at.us)).count() * 1000};
}

bool is_theirs(const Grant& grant, std::string_view who) {
  return grant.person == who || grant.requested_by == who;
}

// Approvers decide on others' requests alone.
Result<void> may_decide(const Grant& grant, const Actor& by, const GrantRules& rules,
                        std::string_view what) {
  if (is_theirs(grant, by.who)) {
    return fail(Code::denied, "nobody may " + std::string(what) +
                                  " what is for them or what they asked for, and " +
                                  name_of(grant) + " is such a one of " + by.who);
  }
  if (by.is_in_one_of(rules.approvers)) return {};
  return fail(Code::denied,
              by.who + " is in no group that may " + std::string(what) + " " + name_of(grant));
}

// Numbers of what either map holds, in order.
std::vector<std::int64_t> numbers_of(const std::map<std::int64_t, Grant>& a,
                                     const std::map<std::int64_t, Grant>& b) {
  std::vector<std::int64_t> numbers;
  for (const auto& [number, grant] : a) numbers.push_back(number);
  for (const auto& [number, grant] : b) {
    if (!a.contains(number)) numbers.push_back(number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

}  // namespace

GrantBook::GrantBook(Standing standing, const GrantBookOptions& options)
    : options_(options), states_(std::move(standing.states)), time_(standing.time) {
  for (Grant& grant : standing.open) {
    const std::int64_t number = grant.id.value;
    by_person_[grant.person].insert(number);
    open_.emplace(number, std::move(grant));
  }
  publish(true);
}

void GrantBook::see(Timestamp now) {
  constexpr Duration step = std::chrono::seconds(1);
  time_.see(std::clamp(now, Timestamp::earliest, Timestamp::latest));
  const AccessTime& told = view_->time();
  if (time_.set_back != told.set_back || time_.latest - told.latest >= step) publish(false);
}

const Grant* GrantBook::newest(std::int64_t number) const {
  if (const auto found = staged_.find(number); found != staged_.end()) return &found->second;
  const auto found = open_.find(number);
  return found == open_.end() ? nullptr : &found->second;
}

const Grant* GrantBook::find(GrantId id) const {
  const auto found = open_.find(id.value);
  return found == open_.end() ? nullptr : &found->second;
}

bool GrantBook::is_out_of_time(const Grant& grant, Timestamp now) const {
  if (is_over(grant.state)) return false;
  const Timestamp end = grant.state == GrantState::requested ? grant.waits_until : grant.until;
  return now >= end || time_.has_reached(end, grant.set_back, now);
}

// The grant, where it stands as an act wants it.
Result<const Grant*> GrantBook::open_grant(GrantId id, GrantState wanted, Timestamp now) const {
  const Grant* const grant = newest(id.value);
  const bool was = id.value > 0 && id.value <= static_cast<std::int64_t>(states_.size());
  if (grant == nullptr && !was) {
    return fail(Code::not_found, "there is no grant " + std::to_string(id.value));
  }
  const GrantState state =
      grant != nullptr ? grant->state : states_[static_cast<std::size_t>(id.value) - 1];
  if (grant == nullptr || state != wanted) {
    return fail(Code::conflict, "grant " + std::to_string(id.value) + " is " +
                                    std::string(to_string(state)) + " and not " +
                                    std::string(to_string(wanted)));
  }
  if (is_out_of_time(*grant, now)) {
    const bool waits = state == GrantState::requested;
    return fail(Code::conflict, name_of(*grant) + (waits ? " waited until " : " ran out at ") +
                                    datetime_text(waits ? grant->waits_until : grant->until));
  }
  return grant;
}

void GrantBook::for_each_open(std::string_view person,
                              const std::function<void(const Grant&)>& each) const {
  if (const auto known = by_person_.find(person); known != by_person_.end()) {
    for (const std::int64_t number : known->second) {
      if (!staged_.contains(number)) each(open_.at(number));
    }
  }
  for (const auto& [number, grant] : staged_) {
    if (grant.person == person && is_open(grant)) each(grant);
  }
}

std::size_t GrantBook::count_live(std::string_view person, Timestamp now) const {
  std::size_t count = 0;
  for_each_open(person, [&](const Grant& grant) {
    if (grant.state == GrantState::approved && !is_out_of_time(grant, now)) ++count;
  });
  return count;
}

Result<void> GrantBook::has_room() const {
  if (staged_.size() >= options_.staged_max) {
    return fail(Code::full, "more than " + std::to_string(options_.staged_max) +
                                " acts on grants wait to be written, try again");
  }
  if (open_.size() + staged_.size() >= options_.open_max) {
    return fail(Code::full, "more than " + std::to_string(options_.open_max) + " grants are open");
  }
  return {};
}

// A grant with all that a request and a broken glass have in common.
Result<Grant> GrantBook::draft(const GrantRequest& request, const Actor& by,
                               const GrantRules& rules, Timestamp now) const {
  if (auto room = has_room(); !room) return std::unexpected(room.error());
  auto person = person_id("the person", request.person);
  if (!person) return std::unexpected(person.error());
  auto asker = person_id("who asks", by.who);
  if (!asker) return std::unexpected(asker.error());
  if (request.system.empty()) return fail(Code::invalid, "the system is missing");
  for (const auto& fits :
       {check_text("the system", request.system, options_.system_bytes_max, false),
        check_text("the ticket", request.ticket, ticket_bytes_max, false),
        check_text("the reason", request.reason, options_.reason_bytes_max, true)}) {
    if (!fits) return std::unexpected(fits.error());
  }
  if (rules.purpose(request.purpose) == nullptr) {
    return fail(Code::invalid,
                "the purpose " + shown(request.purpose) + " is none that access is given for");
  }
  const std::int64_t words = count_words(request.reason);
  if (words < rules.reason_words_min) {
    return fail(Code::invalid, "the reason has " + std::to_string(words) +
                                   " different words, expected at least " +
                                   std::to_string(rules.reason_words_min));
  }
  const auto duration = std::chrono::floor<std::chrono::seconds>(request.duration);
  if (duration.count() <= 0) return fail(Code::invalid, "the duration must be a second or more");
  const auto last = staged_.empty() ? 0 : staged_.rbegin()->first;
  const auto next = std::max(static_cast<std::int64_t>(states_.size()), last) + 1;
  return Grant{.id = {next},
               .person = *std::move(person),
               .system = request.system,
               .purpose = request.purpose,
               .ticket = request.ticket,
               .reason = request.reason,
               .requested_by = *std::move(asker),
               .requested_at = now,
               .duration = duration,
               .set_back = time_.set_back};
}

Result<void> GrantBook::may_ask(const Grant& grant, const Actor& by,
                                const GrantRules& rules) const {
  if (grant.person != grant.requested_by && !by.is_in_one_of(rules.on_behalf)) {
    return fail(Code::denied, grant.requested_by + " may not ask for " + grant.person);
  }
  const Grant* same = nullptr;
  std::int64_t waiting = 0;
  for_each_open(grant.person, [&](const Grant& other) {
    if (other.state != GrantState::requested || is_out_of_time(other, grant.requested_at)) return;
    ++waiting;
    if (other.system == grant.system && other.purpose == grant.purpose) same = &other;
  });
  if (same != nullptr) {
    return fail(Code::conflict, name_of(*same) + " asks for the same and waits already");
  }
  if (waiting < rules.requests_open_max) return {};
  return fail(Code::full, std::to_string(waiting) + " requests for " + grant.person +
                              " wait already, and no more may");
}

Result<GrantChange> GrantBook::request(const GrantRequest& request, const Actor& by,
                                       const GrantRules& rules, Timestamp now) {
  see(now);
  auto grant = draft(request, by, rules, now);
  if (!grant) return std::unexpected(grant.error());
  if (auto fits = check_ticket(grant->ticket, rules.ticket_prefixes); !fits) {
    return std::unexpected(fits.error());
  }
  const PurposeRule& purpose = *rules.purpose(grant->purpose);
  if (grant->duration > purpose.duration_max) {
    return fail(Code::invalid, "access for " + purpose.purpose + " is for at most " +
                                   to_words(purpose.duration_max) + ", and more was asked for");
  }
  if (auto may = may_ask(*grant, by, rules); !may) return std::unexpected(may.error());
  grant->approvals_needed = purpose.approvals;
  grant->waits_until = now + rules.wait_max;
  return stage(nullptr, *grant, GrantAct::request, {.by = by, .why = grant->reason}, now);
}

// When access begins and ends, which nothing changes afterwards but its end.
void GrantBook::fix_times(Grant& grant, Timestamp now) const {
  grant.state = GrantState::approved;
  grant.from = now;
  grant.until = whole_milliseconds(now + grant.duration);
  grant.set_back = time_.set_back;
}

Result<Actor> GrantBook::check_deed(const Deed& deed, bool needs_reason) const {
  if (staged_.size() >= options_.staged_max && !staged_.contains(deed.grant.value)) {
    return fail(Code::full, "more than " + std::to_string(options_.staged_max) +
                                " acts on grants wait to be written, try again");
  }
  if (auto fits = check_text("the reason", deed.why, options_.reason_bytes_max, true); !fits) {
    return std::unexpected(fits.error());
  }
  if (needs_reason && count_words(deed.why) == 0) {
    return fail(Code::invalid, "a reason is needed, of at least one word");
  }
  Actor actor = deed.by;
  if (actor.is_daemon) return actor;
  auto who = person_id("who acts", actor.who);
  if (!who) return std::unexpected(who.error());
  actor.who = *std::move(who);
  return actor;
}

Result<GrantChange> GrantBook::approve(const Deed& deed, const GrantRules& rules, Timestamp now) {
  see(now);
  const auto by = check_deed(deed, false);
  if (!by) return std::unexpected(by.error());
  const auto found = open_grant(deed.grant, GrantState::requested, now);
  if (!found) return std::unexpected(found.error());
  Grant grant = **found;
  if (auto may = may_decide(grant, *by, rules, "approve"); !may) {
    return std::unexpected(may.error());
  }
  if (std::ranges::find(grant.approved_by, by->who) != grant.approved_by.end()) {
    return fail(Code::conflict, by->who + " has approved " + name_of(grant) + " already");
  }
  const PurposeRule* const purpose = rules.purpose(grant.purpose);
  if (purpose == nullptr || grant.duration > purpose->duration_max) {
    return fail(Code::conflict, "the rules have changed since " + name_of(grant) +
                                    " was asked for and do not allow it any more");
  }
  grant.approvals_needed = std::max(grant.approvals_needed, purpose->approvals);
  grant.approved_by.push_back(by->who);
  if (static_cast<std::int64_t>(grant.approved_by.size()) >= grant.approvals_needed) {
    if (count_live(grant.person, now) >= options_.live_max) {
      return fail(Code::full, grant.person + " has " + std::to_string(options_.live_max) +
                                  " grants, and no more may be live");
    }
    grant.approvals_needed = static_cast<std::int64_t>(grant.approved_by.size());
    fix_times(grant, now);
  }
  return stage(*found, std::move(grant), GrantAct::approve, {deed.grant, *by, deed.why}, now);
}

Result<GrantChange> GrantBook::refuse(const Deed& deed, const GrantRules& rules, Timestamp now) {
  see(now);
  const auto by = check_deed(deed, true);
  if (!by) return std::unexpected(by.error());
  const auto found = open_grant(deed.grant, GrantState::requested, now);
  if (!found) return std::unexpected(found.error());
  if (auto may = may_decide(**found, *by, rules, "refuse"); !may) {
    return std::unexpected(may.error());
  }
  return close(**found, GrantState::refused, GrantAct::refuse, {deed.grant, *by, deed.why}, now);
}

Result<GrantChange> GrantBook::withdraw(const Deed& deed, Timestamp now) {
  see(now);
  const auto by = check_deed(deed, false);
  if (!by) return std::unexpected(by.error());
  const auto found = open_grant(deed.grant, GrantState::requested, now);
  if (!found) return std::unexpected(found.error());
  if (!by->is_daemon && !is_theirs(**found, by->who)) {
    return fail(Code::denied,
                by->who + " did not ask for " + name_of(**found) + " and may not withdraw it");
  }
  return close(**found, GrantState::withdrawn, GrantAct::withdraw, {deed.grant, *by, deed.why},
               now);
}

Result<GrantChange> GrantBook::end(const Deed& deed, const GrantRules& rules, Timestamp now) {
  see(now);
  const auto by = check_deed(deed, true);
  if (!by) return std::unexpected(by.error());
  const auto found = open_grant(deed.grant, GrantState::approved, now);
  if (!found) return std::unexpected(found.error());
  const Grant& grant = **found;
  const bool approved_it = std::ranges::find(grant.approved_by, by->who) != grant.approved_by.end();
  if (!by->is_daemon && !is_theirs(grant, by->who) && !approved_it &&
      !by->is_in_one_of(rules.approvers)) {
    return fail(Code::denied, by->who + " may not end " + name_of(grant));
  }
  return close(grant, GrantState::ended, GrantAct::end, {deed.grant, *by, deed.why}, now);
}

Result<GrantChange> GrantBook::break_glass(const GrantRequest& request, const Actor& by,
                                           const GrantRules& rules, Timestamp now) {
  see(now);
  auto grant = draft(request, by, rules, now);
  if (!grant) return std::unexpected(grant.error());
  if (grant->person != grant->requested_by) {
    return fail(Code::denied, "nobody breaks the glass for somebody else");
  }
  if (!rules.break_glass || !by.is_in_one_of(rules.break_glass->groups)) {
    return fail(Code::denied, grant->person + " is in no group that may break the glass");
  }
  if (grant->duration > rules.break_glass->duration_max) {
    return fail(Code::invalid, "a broken glass is for at most " +
                                   to_words(rules.break_glass->duration_max) +
                                   ", and more was asked for");
  }
  if (!grant->ticket.empty()) {
    if (auto fits = check_ticket(grant->ticket, rules.ticket_prefixes); !fits) {
      return std::unexpected(fits.error());
    }
  }
  if (count_live(grant->person, now) >= options_.live_max) {
    return fail(Code::full, grant->person + " has " + std::to_string(options_.live_max) +
                                " grants, and no more may be live");
  }
  fix_times(*grant, now);
  grant->break_glass = true;
  grant->approvals_needed = 0;
  grant->review_until = now + rules.break_glass->review_within;
  return stage(nullptr, *grant, GrantAct::break_glass, {.by = by, .why = grant->reason}, now);
}

Result<GrantChange> GrantBook::review(const Deed& deed, const GrantRules& rules, Timestamp now) {
  see(now);
  const auto by = check_deed(deed, true);
  if (!by) return std::unexpected(by.error());
  const Grant* const grant = newest(deed.grant.value);
  const bool was =
      deed.grant.value > 0 && deed.grant.value <= static_cast<std::int64_t>(states_.size());
  if (grant == nullptr && !was) {
    return fail(Code::not_found, "there is no grant " + std::to_string(deed.grant.value));
  }
  if (grant == nullptr || !needs_review(*grant)) {
    return fail(Code::conflict, "grant " + std::to_string(deed.grant.value) +
                                    " is no broken glass that waits for a review");
  }
  if (auto may = may_decide(*grant, *by, rules, "review"); !may) {
    return std::unexpected(may.error());
  }
  Grant after = *grant;
  after.reviewed_by = by->who;
  after.review = deed.why;
  return stage(grant, std::move(after), GrantAct::review, {deed.grant, *by, deed.why}, now);
}

std::vector<GrantChange> GrantBook::expire(Timestamp now) {
  see(now);
  std::vector<GrantChange> changes;
  for (const std::int64_t number : numbers_of(open_, staged_)) {
    if (staged_.size() >= options_.staged_max) break;
    const Grant& grant = *newest(number);
    Deed deed{.grant = grant.id, .by = Actor::daemon()};
    if (is_out_of_time(grant, now)) {
      deed.why = grant.state == GrantState::requested ? "nobody decided on it in time"
                                                      : "its time ran out";
      changes.push_back(close(grant, GrantState::expired, GrantAct::expire, deed, now));
    }
    const Grant& left = *newest(number);
    const bool is_late =
        now >= left.review_until || time_.has_reached(left.review_until, left.set_back, now);
    if (!needs_review(left) || left.review_missed || !is_late) continue;
    Grant after = left;
    after.review_missed = true;
    deed.why = "nobody reviewed the broken glass in time";
    changes.push_back(stage(&left, std::move(after), GrantAct::miss_review, deed, now));
  }
  return changes;
}

GrantChange GrantBook::close(const Grant& grant, GrantState state, GrantAct act, const Deed& deed,
                             Timestamp now) {
  Grant after = grant;
  after.state = state;
  after.ended_by = deed.by.who;
  after.end_reason = deed.why;
  after.ended_at = now;
  return stage(&grant, std::move(after), act, deed, now);
}

// `before` may stand where `after` is going to.
GrantChange GrantBook::stage(const Grant* before, Grant after, GrantAct act, const Deed& deed,
                             Timestamp now) {
  GrantChange change{.act = act, .who = deed.by.who, .why = deed.why, .at = now, .time = time_};
  if (before != nullptr) {
    change.before = *before;
  } else {
    change.who = after.requested_by;
  }
  ++after.changes;
  change.after = after;
  staged_[after.id.value] = std::move(after);
  return change;
}

void GrantBook::commit() {
  bool grants_changed = false;
  for (auto& [number, grant] : staged_) {
    const auto known = open_.find(number);
    grants_changed = grants_changed || grant.state == GrantState::approved ||
                     (known != open_.end() && known->second.state == GrantState::approved);
    // Numbers are given in order, so that a new one follows the last.
    if (number > static_cast<std::int64_t>(states_.size())) states_.push_back(grant.state);
    states_[static_cast<std::size_t>(number) - 1] = grant.state;
    if (is_open(grant)) {
      by_person_[grant.person].insert(number);
      open_[number] = std::move(grant);
    } else {
      if (const auto mine = by_person_.find(grant.person); mine != by_person_.end()) {
        mine->second.erase(number);
        if (mine->second.empty()) by_person_.erase(mine);
      }
      open_.erase(number);
    }
  }
  staged_.clear();
  publish(grants_changed);
}

void GrantBook::discard() {
  staged_.clear();
}

void GrantBook::publish(bool grants_changed) {
  std::shared_ptr<const GrantView> next;
  if (grants_changed) {
    std::vector<Grant> approved;
    for (const auto& [number, grant] : open_) {
      if (grant.state == GrantState::approved) approved.push_back(grant);
    }
    next = GrantView::make(std::move(approved), time_, options_.slack);
  } else {
    next = view_->at(time_);
  }
  const std::lock_guard lock(mutex_);
  view_ = std::move(next);
}

std::shared_ptr<const GrantView> GrantBook::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

Standing GrantBook::standing() const {
  Standing standing{.states = states_, .time = time_};
  for (const auto& [number, grant] : open_) standing.open.push_back(grant);
  return standing;
}

}  // namespace mailwarden::access
