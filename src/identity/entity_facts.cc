#include "identity/entity_facts.h"

#include <algorithm>
#include <array>
#include <utility>

namespace mailwarden::identity {
namespace {

json::Value datetime(Timestamp at) {
  // Cedar has milliseconds.
  constexpr std::size_t to_milliseconds = std::string_view("2026-11-24T02:14:43.000").size();
  std::string text = to_rfc3339(at).substr(0, to_milliseconds) + "Z";
  return json::Object{{"__extn", json::Object{{"arg", std::move(text)}, {"fn", "datetime"}}}};
}

json::Object uid(const std::string& type, const std::string& id) {
  return {{"id", id}, {"type", type}};
}

std::optional<json::Object> user_uid(const PeopleBook& book, const DirectoryKey& key,
                                     const EntityNames& names, Timestamp now) {
  if (names.user_id == EntityNames::Id::directory) return uid(names.user_type, key.id);
  const auto found = book.records().accounts.find(key);
  if (found == book.records().accounts.end()) return std::nullopt;
  const auto email = known(found->second.email, book.options().ages, now);
  if (!email || !book.is_only_account(key.provider, *email)) return std::nullopt;
  return uid(names.user_type, *email);
}

std::optional<json::Object> group_uid(const PeopleBook& book, const DirectoryKey& key,
                                      const EntityNames& names, Timestamp now) {
  if (names.group_id == EntityNames::Id::directory) return uid(names.group_type, key.id);
  const auto found = book.records().groups.find(key);
  if (found == book.records().groups.end()) return std::nullopt;
  const auto email = known(found->second.email, book.options().ages, now);
  if (!email || !book.is_only_group(key.provider, *email)) return std::nullopt;
  return uid(names.group_type, *email);
}

json::Array parents(const PeopleBook& book, const std::vector<DirectoryKey>& groups,
                    const EntityNames& names, Timestamp now) {
  json::Array all;
  for (const DirectoryKey& key : groups) {
    if (auto group = group_uid(book, key, names, now)) all.emplace_back(*std::move(group));
  }
  return all;
}

// Attributes of one entity at one moment, and the next one at which they change.
class Attributes {
 public:
  Attributes(Timestamp now, Timestamp& until) : now_(now), until_(until) {}

  void put(const char* name, const MaybeFact<std::string>& fact) {
    if (fact) all[name] = fact->value;
  }
  void put(const char* name, const MaybeFact<bool>& fact) {
    if (fact) all[name] = fact->value;
  }
  void put(const char* name, const MaybeFact<Timestamp>& fact) {
    if (fact) all[name] = datetime(fact->value);
  }
  void put(const char* name, std::optional<bool> truth) {
    if (truth) all[name] = *truth;
  }
  // Whether `now` is before `at`, which ends then.
  bool is_before(Timestamp at) {
    if (now_ < at) until_ = std::min(until_, at);
    return now_ < at;
  }

  json::Object all;

 private:
  Timestamp now_;
  Timestamp& until_;
};

// False where one is; true where all are.
std::optional<bool> both(std::optional<bool> a, std::optional<bool> b) {
  if (a == false || b == false) return false;
  if (a && b) return true;
  return std::nullopt;
}

std::optional<bool> is_not(const MaybeFact<bool>& fact) {
  return fact ? std::optional(!fact->value) : std::nullopt;
}

std::optional<bool> is_enabled(const Account& account) {
  if (account.deleted && account.deleted->value) return false;
  return both(is_not(account.suspended), is_not(account.archived));
}

std::optional<bool> is_employed(const MaybeFact<Employment>& fact, Attributes& attributes) {
  if (!fact) return std::nullopt;
  const Employment& employment = fact->value;
  const bool begun = !attributes.is_before(employment.from);
  const bool lasts = !employment.until || attributes.is_before(*employment.until);
  return begun && lasts;
}

void put_person(Attributes& attributes, const Person& person) {
  attributes.all["person"] = person.id;
  attributes.put("name", person.name);
  attributes.put("role", person.role);
  attributes.put("department", person.department);
  if (person.employment) {
    attributes.all["employed_from"] = datetime(person.employment->value.from);
    const auto& until = person.employment->value.until;
    if (until) attributes.all["employed_until"] = datetime(*until);
  }
  attributes.put("trained_at", person.trained_at);
  attributes.put("trained_until", person.trained_until);
  if (person.trained_until) {
    attributes.all["trained"] = attributes.is_before(person.trained_until->value);
  }
  attributes.put("background_checked", person.background_checked);
  if (person.policy_acceptance) {
    const PolicyAcceptance& acceptance = person.policy_acceptance->value;
    attributes.all["policy_accepted"] = datetime(acceptance.at);
    if (!acceptance.version.empty()) attributes.all["policy_version"] = acceptance.version;
  }
}

void put_account(Attributes& attributes, const Account& account) {
  attributes.put("email", account.email);
  attributes.put("name", account.name);
  attributes.put("role", account.role);
  attributes.put("department", account.department);
  attributes.put("org_unit", account.org_unit);
  attributes.put("admin", account.admin);
  attributes.put("delegated_admin", account.delegated_admin);
  attributes.put("second_factor_enrolled", account.second_factor_enrolled);
  attributes.put("second_factor_enforced", account.second_factor_enforced);
  attributes.put("second_factor_used", account.second_factor_used);
  std::optional<Timestamp> last_use;
  if (account.last_sign_in) last_use = account.last_sign_in->value;
  if (account.last_seen) last_use = std::max(last_use, std::optional(account.last_seen->value));
  if (last_use) attributes.all["last_use"] = datetime(*last_use);
}

constexpr std::array user_facts{FactType{"account_enabled", "Bool"},
                                FactType{"active", "Bool"},
                                FactType{"admin", "Bool"},
                                FactType{"background_checked", "datetime"},
                                FactType{"delegated_admin", "Bool"},
                                FactType{"department", "String"},
                                FactType{"email", "String"},
                                FactType{"employed", "Bool"},
                                FactType{"employed_from", "datetime"},
                                FactType{"employed_until", "datetime"},
                                FactType{"groups_known", "Bool"},
                                FactType{"last_use", "datetime"},
                                FactType{"manager", "User"},
                                FactType{"name", "String"},
                                FactType{"org_unit", "String"},
                                FactType{"person", "String"},
                                FactType{"policy_accepted", "datetime"},
                                FactType{"policy_version", "String"},
                                FactType{"role", "String"},
                                FactType{"second_factor_enforced", "Bool"},
                                FactType{"second_factor_enrolled", "Bool"},
                                FactType{"second_factor_used", "datetime"},
                                FactType{"trained", "Bool"},
                                FactType{"trained_at", "datetime"},
                                FactType{"trained_until", "datetime"}};

}  // namespace

std::span<const FactType> fact_types() {
  return user_facts;
}

std::optional<EntityFacts> user_entity(const PeopleBook& book, const DirectoryKey& account,
                                       const EntityNames& names, Timestamp now) {
  const auto known = book.known_account(account, now);
  auto id = known ? user_uid(book, account, names, now) : std::nullopt;
  if (!id) return std::nullopt;
  EntityFacts facts{.origins = known->origins, .until = known->until};
  Attributes attributes(now, facts.until);
  put_account(attributes, known->account);
  if (known->person) put_person(attributes, *known->person);
  const auto enabled = is_enabled(known->account);
  const auto employed =
      known->person ? is_employed(known->person->employment, attributes) : std::nullopt;
  attributes.put("account_enabled", enabled);
  attributes.put("employed", employed);
  attributes.put("active", both(enabled, employed));
  if (known->groups_known) attributes.all["groups_known"] = true;
  auto manager = known->manager ? user_uid(book, *known->manager, names, now) : std::nullopt;
  if (manager) attributes.all["manager"] = json::Object{{"__entity", *std::move(manager)}};
  facts.entity = {{"attrs", std::move(attributes.all)},
                  {"parents", parents(book, known->groups, names, now)},
                  {"uid", *std::move(id)}};
  return facts;
}

std::optional<EntityFacts> group_entity(const PeopleBook& book, const DirectoryKey& group,
                                        const EntityNames& names, Timestamp now) {
  const auto known = book.known_group(group, now);
  auto id = known ? group_uid(book, group, names, now) : std::nullopt;
  if (!id) return std::nullopt;
  EntityFacts facts{.origins = known->origins, .until = known->until};
  Attributes attributes(now, facts.until);
  attributes.put("email", known->group.email);
  attributes.put("name", known->group.name);
  facts.entity = {{"attrs", std::move(attributes.all)},
                  {"parents", parents(book, known->groups, names, now)},
                  {"uid", *std::move(id)}};
  return facts;
}

Timestamp each_entity(const PeopleBook& book, const EntityNames& names, Timestamp now,
                      const std::function<void(EntityFacts)>& take) {
  Timestamp until = Timestamp::latest;
  const auto pass_on = [&](std::optional<EntityFacts> facts) {
    if (!facts) return;
    until = std::min(until, facts->until);
    take(*std::move(facts));
  };
  for (const auto& [key, account] : book.records().accounts) {
    if (key.provider == names.provider) pass_on(user_entity(book, key, names, now));
  }
  for (const auto& [key, group] : book.records().groups) {
    if (key.provider == names.provider) pass_on(group_entity(book, key, names, now));
  }
  return until;
}

json::Value all_entities(const PeopleBook& book, const EntityNames& names, Timestamp now) {
  json::Array all;
  each_entity(book, names, now,
              [&](EntityFacts facts) { all.emplace_back(std::move(facts.entity)); });
  return all;
}

}  // namespace mailwarden::identity
