#include "access/replay.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "access/arbiter.h"
#include "access/grant_table.h"
#include "policy/entity_json.h"

namespace mailwarden::access {
namespace {

using Why = policy::Decision::Why;

// As it was at `time`: a grant that is over now was live until it ended.
std::optional<Grant> as_it_was(Grant grant, Timestamp time) {
  const bool was_granted = grant.state == GrantState::approved ||
                           grant.state == GrantState::ended || grant.state == GrantState::expired;
  if (!was_granted || grant.from.us == 0) return std::nullopt;
  if (grant.state == GrantState::ended && grant.ended_at < grant.until) {
    grant.until = grant.ended_at + SignIns::slack;
  }
  if (time < grant.from - SignIns::slack || time >= grant.until) return std::nullopt;
  grant.state = GrantState::approved;
  grant.set_back = Duration(0);
  return grant;
}

// What makes two accesses the same decision.
auto key_of(const SeenAccess& access, const GrantDecision& decided) {
  const policy::Decision& decision = decided.decision;
  return std::tuple(access.rule, access.principal, access.action, access.system, decision.why,
                    decision.policies, decision.invalid,
                    decided.grant == nullptr ? 0 : decided.grant->id.value);
}

// The shortest way, in the words of the policies' author where there are any.
std::string sentence(const json::Value& explanation) {
  const json::Array* const ways = explanation["ways"].as_array();
  if (ways == nullptr || ways->empty()) return {};
  std::string text;
  if (const json::Array* const changes = ways->front()["changes"].as_array(); changes != nullptr) {
    for (const json::Value& change : *changes) {
      text += (text.empty() ? "" : "; ") + change.text("needs", change.text("text"));
    }
  }
  return text;
}

}  // namespace

json::Object Replay::context_of(const SeenAccess& access) const {
  json::Object context;
  const Wanted wanted(*parts_.in_force.point, access.action);
  if (wanted("now")) context["now"] = datetime_text(access.time);
  if (wanted("source") && !access.source.empty()) context["source"] = access.source;
  if (wanted("token") && access.principal.type == "User") {
    json::Value token = parts_.sign_ins.at(access.principal.id, access.time);
    if (!token.is_null()) context["token"] = std::move(token);
  }
  return context;
}

Result<std::shared_ptr<const GrantView>> Replay::grants_at(const SeenAccess& access) {
  const std::string& person = access.principal.id;
  const std::string& system = access.system.id;
  std::vector<Grant> grants;
  const auto add = [&](const Grant& grant) {
    if (auto live = as_it_was(grant, access.time)) grants.push_back(*std::move(live));
  };
  for (const Grant& grant : parts_.grants->all(person, system)) add(grant);
  const auto past = past_grants(person, system);
  if (!past) return std::unexpected(past.error());
  for (const Grant& grant : **past) {
    const bool is_there = std::ranges::find(grants, grant.id, &Grant::id) != grants.end();
    if (!is_there) add(grant);
  }
  return GrantView::make(std::move(grants), {.latest = access.time}, SignIns::slack);
}

Result<const std::vector<Grant>*> Replay::past_grants(const std::string& person,
                                                      const std::string& system) {
  const auto known = past_.find({person, system});
  if (known != past_.end()) return &known->second;
  auto past =
      query_grants(parts_.database, {.person = person, .system = system, .limit = grants_max});
  if (!past) return std::unexpected(past.error());
  return &past_.emplace(std::pair(person, system), *std::move(past)).first->second;
}

Result<GrantDecision> Replay::decide(const SeenAccess& access) {
  const Question question{
      .person = access.principal, .action = access.action, .system = access.system};
  const policy::DecisionPoint& point = *parts_.in_force.point;
  static const auto no_grants = GrantView::make({}, {}, Duration(0));
  GrantDecision decided =
      decide_with_grants(point, *no_grants, question, context_of(access), access.time, scratch_);
  const bool may_have_grants = access.principal.type == "User" && !access.principal.id.empty();
  if (decided.decision.is_allowed || !may_have_grants) return decided;
  const auto grants = grants_at(access);
  if (!grants) return std::unexpected(grants.error());
  if ((*grants)->size() == 0) return decided;
  decided =
      decide_with_grants(point, **grants, question, context_of(access), access.time, scratch_);
  views_.push_back(*grants);
  return decided;
}

Result<std::vector<DecisionRecord>> Replay::judge(std::span<const SeenAccess> accesses) {
  std::vector<DecisionRecord> records;
  std::map<decltype(key_of(SeenAccess(), GrantDecision())), std::size_t> places;
  for (const SeenAccess& access : accesses) {
    auto decided = decide(access);
    if (!decided) return std::unexpected(decided.error());
    const auto [place, is_new] = places.emplace(key_of(access, *decided), records.size());
    if (is_new) records.push_back(record(access, *std::move(decided)));
    Replayed& replayed = *records[place->second].replayed;
    ++replayed.count;
    if (replayed.events.size() < Replayed::events_max) replayed.events.push_back(access.event);
  }
  views_.clear();
  past_.clear();
  explained_ = 0;
  return records;
}

DecisionRecord Replay::record(const SeenAccess& access, GrantDecision decided) {
  DecisionRecord record{.id = new_decision_id(parts_.entropy),
                        .when = access.time,
                        .point = "replay",
                        .principal = access.principal,
                        .action = access.action,
                        .resource = access.system,
                        .context = std::move(decided.context),
                        .decision = std::move(decided.decision)};
  add_facts(record, parts_.in_force);
  if (!record.decision.is_allowed && ++explained_ > explained_max) {
    record.explanation = "left out, since many accesses were denied at once";
  } else if (!record.decision.is_allowed) {
    record.explanation = explanation_of(*parts_.in_force.point, record);
  }
  record.replayed = Replayed{.rule = access.rule};
  return record;
}

detect::Detection denied_access(const DecisionRecord& decision, const SeenAccess& access) {
  detect::Detection found{.rule_id = "access-denied-by-policy",
                          .title = "An access happened that policy denies",
                          .rule_version = decision.policies,
                          .level = detect::Level::high,
                          .event = access.event,
                          .time = access.time,
                          .events = decision.replayed->events,
                          .count = decision.replayed->count,
                          .facts = access.facts};
  found.facts["unpermitted_access"] = 1;
  if (!access.principal.id.empty()) found.entity = {"account", access.principal.id};
  const auto because = [&](const std::string& field, const std::string& value) {
    if (found.because.size() < detect::Detection::because_max && !value.empty()) {
      found.because.push_back({.selection = access.rule, .field = field, .value = value});
    }
  };
  because("access", access.title);
  because("action", access.action.id);
  because("system", access.system.id);
  because("why", std::string(policy::to_string(decision.decision.why)));
  because("invalid", decision.decision.invalid);
  for (const std::string& policy : decision.decision.policies) because("policy", policy);
  because("would be allowed if", sentence(decision.explanation));
  because("decision", decision.id);
  return found;
}

}  // namespace mailwarden::access
