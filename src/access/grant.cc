#include "access/grant.h"

#include <algorithm>
#include <array>

namespace mailwarden::access {
namespace {

constexpr std::array<std::string_view, 6> states{"requested", "approved", "refused",
                                                 "withdrawn", "ended",    "expired"};
constexpr std::array<std::string_view, 9> acts{"request",  "approve", "refuse",
                                               "withdraw", "end",     "break_glass",
                                               "expire",   "review",  "miss_review"};

template <class Enum, std::size_t count>
std::optional<Enum> parse_name(const std::array<std::string_view, count>& names,
                               std::string_view text) {
  const auto at = std::ranges::find(names, text);
  if (at == names.end()) return std::nullopt;
  return static_cast<Enum>(at - names.begin());
}

// A time that is not fixed yet is absent.
void put(json::Object& object, const char* name, Timestamp at) {
  if (at.us != 0) object[name] = to_rfc3339(at);
}

// Reads members and remembers whether one of them was not what it must be.
class Members {
 public:
  explicit Members(const json::Value& value) : value_(value), good_(value.as_object() != nullptr) {}

  std::string text(std::string_view name) {
    const std::string* const found = value_[name].as_string();
    good_ = good_ && found != nullptr;
    return found == nullptr ? std::string() : *found;
  }
  std::int64_t integer(std::string_view name, std::int64_t least, std::int64_t most) {
    const std::int64_t* const found = value_[name].as_integer();
    good_ = good_ && found != nullptr && *found >= least && *found <= most;
    return good_ ? *found : least;
  }
  bool truth(std::string_view name) {
    const bool* const found = value_[name].as_bool();
    good_ = good_ && found != nullptr;
    return found != nullptr && *found;
  }
  Timestamp time(std::string_view name) {
    if (value_[name].is_null()) return {};
    const auto found = parse_rfc3339(value_.text(name));
    good_ = good_ && found.has_value();
    return found.value_or(Timestamp());
  }
  std::vector<std::string> texts(std::string_view name) {
    std::vector<std::string> found;
    const json::Array* const items = value_[name].as_array();
    good_ = good_ && items != nullptr;
    if (items == nullptr) return found;
    for (const json::Value& item : *items) {
      good_ = good_ && item.as_string() != nullptr;
      if (good_) found.push_back(*item.as_string());
    }
    return found;
  }
  template <class T>
  T known(const std::optional<T>& found) {
    good_ = good_ && found.has_value();
    return found.value_or(T());
  }
  void must(bool condition) { good_ = good_ && condition; }
  bool is_good() const { return good_; }

 private:
  const json::Value& value_;
  bool good_;
};

constexpr std::int64_t seconds_max = std::int64_t{366} * 24 * 3600;

json::Object to_json(const AccessTime& time) {
  return {{"latest", to_rfc3339(time.latest)}, {"set_back_us", time.set_back.count()}};
}

}  // namespace

std::string_view to_string(GrantState state) {
  return states[static_cast<std::size_t>(state)];
}
std::optional<GrantState> parse_grant_state(std::string_view text) {
  return parse_name<GrantState>(states, text);
}
std::string_view to_string(GrantAct act) {
  return acts[static_cast<std::size_t>(act)];
}
std::optional<GrantAct> parse_grant_act(std::string_view text) {
  return parse_name<GrantAct>(acts, text);
}

bool is_over(GrantState state) {
  return state != GrantState::requested && state != GrantState::approved;
}

bool needs_review(const Grant& grant) {
  return grant.break_glass && grant.reviewed_by.empty();
}

bool is_open(const Grant& grant) {
  return !is_over(grant.state) || needs_review(grant);
}

Timestamp ends_at(const Grant& grant, const AccessTime& time) {
  return grant.until - (time.set_back - grant.set_back);
}

bool GrantChange::opens_access() const {
  return after.state == GrantState::approved && (!before || before->state != GrantState::approved);
}

bool GrantChange::closes_access() const {
  return before && before->state == GrantState::approved && after.state != GrantState::approved;
}

json::Object to_json(const Grant& grant) {
  json::Array approved_by;
  for (const std::string& one : grant.approved_by) approved_by.push_back(one);
  json::Object object{
      {"approvals_needed", grant.approvals_needed},
      {"approved_by", std::move(approved_by)},
      {"break_glass", grant.break_glass},
      {"changes_count", grant.changes},
      {"duration_s", std::chrono::duration_cast<std::chrono::seconds>(grant.duration).count()},
      {"end_reason", grant.end_reason},
      {"ended_by", grant.ended_by},
      {"number", grant.id.value},
      {"person", grant.person},
      {"purpose", grant.purpose},
      {"reason", grant.reason},
      {"requested_by", grant.requested_by},
      {"review", grant.review},
      {"review_missed", grant.review_missed},
      {"reviewed_by", grant.reviewed_by},
      {"set_back_us", grant.set_back.count()},
      {"state", to_string(grant.state)},
      {"system", grant.system},
      {"ticket", grant.ticket}};
  put(object, "requested_at", grant.requested_at);
  put(object, "waits_until", grant.waits_until);
  put(object, "from", grant.from);
  put(object, "until", grant.until);
  put(object, "ended_at", grant.ended_at);
  put(object, "review_until", grant.review_until);
  return object;
}

Result<Grant> grant_from_json(const json::Value& value) {
  Members members(value);
  Grant grant{
      .id = {members.integer("number", 1, INT64_MAX)},
      .person = members.text("person"),
      .system = members.text("system"),
      .purpose = members.text("purpose"),
      .ticket = members.text("ticket"),
      .reason = members.text("reason"),
      .requested_by = members.text("requested_by"),
      .requested_at = members.time("requested_at"),
      .duration = std::chrono::seconds(members.integer("duration_s", 1, seconds_max)),
      .state = members.known(parse_grant_state(members.text("state"))),
      .waits_until = members.time("waits_until"),
      .approvals_needed = members.integer("approvals_needed", 0, 2),
      .approved_by = members.texts("approved_by"),
      .from = members.time("from"),
      .until = members.time("until"),
      .break_glass = members.truth("break_glass"),
      .ended_by = members.text("ended_by"),
      .end_reason = members.text("end_reason"),
      .ended_at = members.time("ended_at"),
      .review_until = members.time("review_until"),
      .reviewed_by = members.text("reviewed_by"),
      .review = members.text("review"),
      .review_missed = members.truth("review_missed"),
      .set_back = Duration(members.integer("set_back_us", 0, AccessTime::set_back_max.count())),
      .changes = members.integer("changes_count", 1, INT64_MAX)};
  // What is live has come about as grants do, so that damage opens nothing.
  const bool granted = grant.until > grant.from && grant.until - grant.from <= grant.duration &&
                       (grant.break_glass || (grant.approvals_needed > 0 &&
                                              static_cast<std::int64_t>(grant.approved_by.size()) ==
                                                  grant.approvals_needed));
  members.must(grant.state != GrantState::approved || granted);
  if (members.is_good()) return grant;
  return fail(Code::corrupt, "a stored grant is damaged");
}

json::Object to_record(const GrantChange& change) {
  return {{"act", to_string(change.act)},
          {"after", to_json(change.after)},
          {"alarms", change.alarms()},
          {"before", change.before ? json::Value(to_json(*change.before)) : json::Value()},
          {"clock", to_json(change.time)},
          {"grant", change.after.id.value},
          {"sequence", change.after.changes},
          {"who", change.who},
          {"why", change.why}};
}

Result<GrantChange> change_from_record(const json::Value& record, Timestamp at) {
  Members members(record);
  Members clock(record["clock"]);
  GrantChange change{.act = members.known(parse_grant_act(members.text("act"))),
                     .who = members.text("who"),
                     .why = members.text("why"),
                     .at = at,
                     .time = {.latest = clock.time("latest"),
                              .set_back = Duration(clock.integer(
                                  "set_back_us", 0, AccessTime::set_back_max.count()))}};
  auto after = grant_from_json(record["after"]);
  if (!after) return std::unexpected(after.error());
  change.after = *std::move(after);
  if (!record["before"].is_null()) {
    auto before = grant_from_json(record["before"]);
    if (!before) return std::unexpected(before.error());
    change.before = *std::move(before);
  }
  if (members.is_good() && clock.is_good()) return change;
  return fail(Code::corrupt,
              "a stored change of grant " + std::to_string(change.after.id.value) + " is damaged");
}

std::string datetime_text(Timestamp at) {
  constexpr std::size_t to_the_millisecond = 23;
  return to_rfc3339(at).substr(0, to_the_millisecond) + "Z";
}

json::Object context_of(const Grant& grant) {
  json::Object context{{"break_glass", grant.break_glass},
                       {"purpose", json::Object{{"id", grant.purpose}, {"type", "Purpose"}}},
                       {"ticket", grant.ticket},
                       {"until", datetime_text(grant.until)}};
  // One approval of two is none yet.
  if (grant.state == GrantState::approved && !grant.approved_by.empty()) {
    context["approved_by"] = json::Object{{"id", grant.approved_by.back()}, {"type", "User"}};
  }
  return context;
}

}  // namespace mailwarden::access
