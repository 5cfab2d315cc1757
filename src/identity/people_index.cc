#include "identity/people_index.h"

#include <algorithm>
#include <utility>

#include "identity/mistakes.h"

namespace mailwarden::identity {
namespace {

// Calls `f` with each address of the account.
template <class F>
void each_email(const Account& account, F f) {
  if (account.email) f(account.email->value);
  if (!account.aliases) return;
  for (const std::string& alias : account.aliases->value) f(alias);
}

template <class T>
void add_once(std::vector<T>& all, T one) {
  if (std::ranges::find(all, one) == all.end()) all.push_back(one);
}

std::string member_name(std::string_view provider, MemberKind kind, std::string_view name) {
  std::string key(provider);
  key += '\0';
  key += static_cast<char>('0' + static_cast<int>(kind));
  key.append(name);
  return key;
}

template <class Map>
auto* found_in(const Map& map, std::string_view key) {
  const auto found = map.find(std::string(key));
  return found == map.end() ? nullptr : &found->second;
}

// "'1', '2'"
template <class Records, class Name>
std::string list_of(const Records& records, Name name) {
  std::set<std::string> names;
  for (const auto* record : records) names.insert(name(*record));
  std::string list;
  for (const std::string& one : names) list += (list.empty() ? "" : ", ") + one;
  return list;
}

std::string person_name(const Person& person) {
  return shown(person.id);
}

}  // namespace

std::string to_string(const DirectoryKey& key) {
  return key.provider + "/" + key.id;
}

PeopleIndex::PeopleIndex(const PeopleRecords& records) : records_(&records) {
  for (const auto& [key, person] : records.people) {
    if (!person.emails) continue;
    for (const std::string& email : person.emails->value) {
      add_once(people_by_email_[email], &person);
    }
  }
  for (const auto& [key, account] : records.accounts) {
    if (account.person) accounts_by_person_[account.person->value].push_back(&account);
    // Its addresses may be somebody else's by now.
    if (account.deleted && account.deleted->value) continue;
    const Account* const held = &account;
    each_email(*held, [&](const std::string& email) { add_once(accounts_by_email_[email], held); });
  }
  index_groups();
}

void PeopleIndex::index_groups() {
  in_circles_ = groups_in_circles(records_->groups);
  for (const auto& [key, group] : records_->groups) {
    if (group.email) ++groups_by_email_[{key.provider, group.email->value}];
    index_members(group);
  }
}

std::size_t PeopleIndex::count_groups_of_email(std::string_view provider,
                                               std::string_view email) const {
  const auto found = groups_by_email_.find({std::string(provider), std::string(email)});
  return found == groups_by_email_.end() ? 0 : found->second;
}

void PeopleIndex::index_members(const Group& group) {
  const std::string& provider = group.key.provider;
  Telling& telling = tellings_[provider];
  if (!group.members) {
    telling.all_told = false;
    return;
  }
  telling.origins.emplace(group.members->source, group.members->time);
  const bool in_circle = in_circles_.contains(group.key);
  for (const Member& member : group.members->value) {
    // A group in a circle is in none of its groups, where which one it is cannot be told neither.
    if (in_circle && member.kind == MemberKind::group &&
        (member.id.empty() || in_circles_.contains({provider, member.id}))) {
      continue;
    }
    const std::string& name = member.id.empty() ? member.email : member.id;
    groups_by_member_[member_name(provider, member.kind, name)].push_back(
        {.group = &group, .members = &*group.members});
  }
}

std::vector<const Account*> PeopleIndex::accounts_of_email(std::string_view provider,
                                                           std::string_view email) const {
  std::vector<const Account*> found;
  if (const auto* const all = found_in(accounts_by_email_, email)) {
    std::ranges::copy_if(*all, std::back_inserter(found),
                         [&](const Account* account) { return account->key.provider == provider; });
  }
  return found;
}

std::vector<const Person*> PeopleIndex::claimants(const Account& account) const {
  std::vector<const Person*> found;
  if (account.person) {
    const auto person = records_->people.find({"", account.person->value});
    if (person != records_->people.end()) found.push_back(&person->second);
  }
  each_email(account, [&](const std::string& email) {
    const auto* const people = found_in(people_by_email_, email);
    if (people == nullptr) return;
    for (const Person* const person : *people) add_once(found, person);
  });
  return found;
}

bool PeopleIndex::links(const Account& account, const Person& person, const AgeLimits& limits,
                        Timestamp now) const {
  if (known(account.person, limits, now) == person.id) return true;
  const auto emails = known(person.emails, limits, now);
  if (!emails) return false;
  const auto has = [&](const std::string& email) {
    return std::ranges::find(*emails, email) != emails->end();
  };
  const auto email = known(account.email, limits, now);
  if (email && has(*email)) return true;
  const auto aliases = known(account.aliases, limits, now);
  return aliases && std::ranges::any_of(*aliases, has);
}

const Person* PeopleIndex::owner(const Account& account, const AgeLimits& limits,
                                 Timestamp now) const {
  const std::vector<const Person*> people = claimants(account);
  if (people.size() != 1 || !links(account, *people.front(), limits, now)) return nullptr;
  return people.front();
}

std::vector<const Account*> PeopleIndex::accounts_of(const Person& person) const {
  std::vector<const Account*> found;
  const auto add = [&](const Account* account) {
    if (claimants(*account).size() == 1) add_once(found, account);
  };
  if (const auto* const accounts = found_in(accounts_by_person_, person.id)) {
    std::ranges::for_each(*accounts, add);
  }
  if (!person.emails) return found;
  for (const std::string& email : person.emails->value) {
    if (const auto* const accounts = found_in(accounts_by_email_, email)) {
      std::ranges::for_each(*accounts, add);
    }
  }
  return found;
}

std::vector<Membership> PeopleIndex::memberships(const Account& account) const {
  std::vector<Membership> found;
  const auto add = [&](MemberKind kind, std::string_view name) {
    const auto* const groups =
        found_in(groups_by_member_, member_name(account.key.provider, kind, name));
    if (groups != nullptr) found.insert(found.end(), groups->begin(), groups->end());
  };
  add(MemberKind::user, account.key.id);
  each_email(account, [&](const std::string& email) {
    if (accounts_of_email(account.key.provider, email).size() == 1) add(MemberKind::user, email);
  });
  if (account.customer) add(MemberKind::customer, account.customer->value);
  return found;
}

std::vector<Membership> PeopleIndex::memberships(const Group& group) const {
  std::vector<Membership> found;
  for (const std::string& name : {group.key.id, group.email ? group.email->value : ""}) {
    const auto* const groups =
        found_in(groups_by_member_, member_name(group.key.provider, MemberKind::group, name));
    if (groups != nullptr) found.insert(found.end(), groups->begin(), groups->end());
  }
  return found;
}

bool PeopleIndex::are_groups_known(std::string_view provider, const AgeLimits& limits,
                                   Timestamp now, Timestamp& until) const {
  // Somebody must have said which groups there are, and of each who is in it.
  std::optional<Timestamp> ends;
  for (const auto& [key, state] : records_->lists) {
    if (key.kind != ListKind::groups || state.provider != provider) continue;
    if (limits.holds(key.source, state.time, now)) ends = state.time + limits.of(key.source);
  }
  if (!ends) return false;
  const auto telling = tellings_.find(provider);
  if (telling != tellings_.end()) {
    if (!telling->second.all_told) return false;
    for (const auto& [source, time] : telling->second.origins) {
      if (!limits.holds(source, time, now)) return false;
      ends = std::min(*ends, time + limits.of(source));
    }
  }
  until = std::min(until, *ends);
  return true;
}

void PeopleIndex::add_email_conflicts(std::set<std::string>& conflicts) const {
  for (const auto& [email, people] : people_by_email_) {
    if (people.size() > 1) {
      conflicts.insert("the address " + shown(email) +
                       " is of several people: " + list_of(people, person_name));
    }
  }
  for (const auto& [email, accounts] : accounts_by_email_) {
    std::map<std::string_view, std::vector<const Account*>> by_provider;
    for (const Account* const account : accounts) {
      by_provider[account->key.provider].push_back(account);
    }
    for (const auto& [provider, claims] : by_provider) {
      if (claims.size() > 1) {
        conflicts.insert("the address " + shown(email) + " is of several accounts: " +
                         list_of(claims, [](const Account& one) { return to_string(one.key); }));
      }
    }
  }
}

std::set<std::string> PeopleIndex::conflicts() const {
  std::set<std::string> conflicts;
  if (records_ == nullptr) return conflicts;
  add_email_conflicts(conflicts);
  for (const auto& [key, account] : records_->accounts) {
    const std::vector<const Person*> people = claimants(account);
    if (people.size() > 1) {
      conflicts.insert("the account " + to_string(key) +
                       " may be of several people: " + list_of(people, person_name));
    }
  }
  for (const auto& [key, count] : groups_by_email_) {
    if (count > 1) conflicts.insert("the address " + shown(key.id) + " is of several groups");
  }
  for (const DirectoryKey& key : in_circles_) {
    conflicts.insert("the group " + to_string(key) + " stands in itself");
  }
  return conflicts;
}

}  // namespace mailwarden::identity
