#include "access/sign_ins.h"

#include <algorithm>

namespace mailwarden::access {
namespace {

constexpr std::int64_t page = 1000;

std::optional<Timestamp> moment(const json::Value& value) {
  const std::string* const text = value.as_string();
  const auto time =
      text == nullptr ? Result<Timestamp>(fail(Code::invalid, "")) : parse_rfc3339(*text);
  return time ? std::optional(*time) : std::nullopt;
}

}  // namespace

void SignIns::add(const std::string& person, SignIn sign_in) {
  std::deque<SignIn>& known = people_[person];
  const auto place = std::ranges::lower_bound(known, sign_in.time, {}, &SignIn::time);
  if (place != known.end() && place->time == sign_in.time) {
    *place = std::move(sign_in);
    return;
  }
  known.insert(place, std::move(sign_in));
  if (known.size() > sign_ins_max) known.pop_front();
  if (people_.size() <= people_max) return;
  people_.erase(std::ranges::min_element(people_, {},
                                         [](const auto& one) { return one.second.back().time; }));
}

void SignIns::learn(const DecisionRecord& decision) {
  const auto token = decision.context.find("token");
  if (decision.replayed || token == decision.context.end() || decision.principal.type != "User") {
    return;
  }
  add(decision.principal.id,
      {.time = moment(token->second["auth_time"]).value_or(decision.when), .token = token->second});
}

json::Value SignIns::at(const std::string& person, Timestamp time) const {
  const auto known = people_.find(person);
  if (known == people_.end()) return {};
  const auto later = std::ranges::upper_bound(known->second, time + slack, {}, &SignIn::time);
  return later == known->second.begin() ? json::Value() : std::prev(later)->token;
}

Result<SignIns> SignIns::load(db::Database& database, Timestamp now) {
  SignIns all;
  DecisionQuery query{.limit = page};
  while (true) {
    const auto found = find_decisions(database, query);
    if (!found) return std::unexpected(found.error());
    for (const json::Value& record : *found) {
      const auto when = moment(record["when"]);
      if (!when || *when < now - horizon) return all;
      query.before = record.integer("entry");
      const json::Value& token = record["context"]["token"];
      const auto principal = policy::parse_entity_uid(record.text("principal"));
      if (token.is_null() || !record["replayed"].is_null() || !principal ||
          principal->type != "User") {
        continue;
      }
      all.add(principal->id, {.time = moment(token["auth_time"]).value_or(*when), .token = token});
    }
    if (found->size() < static_cast<std::size_t>(page)) return all;
  }
}

}  // namespace mailwarden::access
