#include <algorithm>
#include <utility>

#include "identity/mistakes.h"
#include "identity/people_book.h"
#include "identity/person_fields.h"

namespace mailwarden::identity {
namespace {

bool has_email(const Account& account, const std::string& email, const AgeLimits& ages,
               Timestamp now) {
  if (known(account.email, ages, now) == email) return true;
  const auto aliases = known(account.aliases, ages, now);
  return aliases && std::ranges::find(*aliases, email) != aliases->end();
}

void add_origin(Origins& origins, const std::string& source, Timestamp time) {
  const auto [at, is_new] = origins.try_emplace(source, time);
  if (!is_new) at->second = std::min(at->second, time);
}

template <class Record>
void add_origins(Origins& origins, const Record& record) {
  each_field<Record>([&](const auto& field) {
    const auto& fact = record.*field.member;
    if (fact) add_origin(origins, fact->source, fact->time);
  });
}

std::unexpected<Error> unknown(std::string_view kind, std::string_view name) {
  return fail(Code::not_found, "there is no " + std::string(kind) + " " + shown(name));
}

}  // namespace

Result<Person> PeopleBook::known_person(const std::string& id, Timestamp now) const {
  const auto found = records_->people.find({"", id});
  if (found == records_->people.end()) return unknown("person", id);
  return known_at(found->second, options_.ages, now);
}

Result<KnownAccount> PeopleBook::known_account(const DirectoryKey& key, Timestamp now) const {
  const auto found = records_->accounts.find(key);
  if (found == records_->accounts.end()) return unknown("account", to_string(key));
  return known(found->second, now);
}

Result<KnownAccount> PeopleBook::known_email(std::string_view provider, std::string_view email,
                                             Timestamp now) const {
  const auto address = normal_email(email);
  if (!address) return fail(Code::invalid, shown(email) + " is no e-mail address");
  const auto accounts = index_.accounts_of_email(provider, *address);
  if (accounts.empty()) return unknown("account", *address);
  if (accounts.size() > 1) {
    return fail(Code::conflict, "several accounts have the address " + shown(*address));
  }
  return known(*accounts.front(), now);
}

bool PeopleBook::is_only_account(std::string_view provider, std::string_view email) const {
  return index_.accounts_of_email(provider, email).size() == 1;
}

bool PeopleBook::is_only_group(std::string_view provider, std::string_view email) const {
  return index_.count_groups_of_email(provider, email) == 1;
}

Result<KnownGroup> PeopleBook::known_group(const DirectoryKey& key, Timestamp now) const {
  const auto found = records_->groups.find(key);
  if (found == records_->groups.end()) return unknown("group", to_string(key));
  KnownGroup group;
  group.group = known_at(found->second, options_.ages, now, &group.until);
  add_origins(group.origins, group.group);
  group.groups = known_groups(index_.memberships(found->second), now, group.until, group.origins);
  return group;
}

std::vector<DirectoryKey> PeopleBook::known_groups(const std::vector<Membership>& memberships,
                                                   Timestamp now, Timestamp& until,
                                                   Origins& origins) const {
  const AgeLimits& ages = options_.ages;
  std::vector<DirectoryKey> groups;
  for (const Membership& one : memberships) {
    if (!ages.holds(one.members->source, one.members->time, now)) continue;
    until = std::min(until, one.members->time + ages.of(one.members->source));
    groups.push_back(one.group->key);
    add_origin(origins, one.members->source, one.members->time);
  }
  std::ranges::sort(groups);
  const auto [rest, end] = std::ranges::unique(groups);
  groups.erase(rest, end);
  return groups;
}

KnownAccount PeopleBook::known(const Account& account, Timestamp now) const {
  const AgeLimits& ages = options_.ages;
  KnownAccount known;
  known.account = known_at(account, ages, now, &known.until);
  // Where personnel has a word on it the directory has none, however old that word is.
  for (const Person* const person : index_.claimants(account)) {
    if (person->manager) known.account.manager.reset();
    if (person->role) known.account.role.reset();
    if (person->department) known.account.department.reset();
    if (person->name) known.account.name.reset();
  }
  if (const Person* const owner = index_.owner(account, ages, now)) {
    known.person = known_at(*owner, ages, now, &known.until);
  }
  known.groups = known_groups(index_.memberships(account), now, known.until, known.origins);
  known.groups_known = index_.are_groups_known(account.key.provider, ages, now, known.until);
  known.manager = manager_of(known, now);
  add_origins(known.origins, known.account);
  if (known.person) add_origins(known.origins, *known.person);
  return known;
}

std::optional<DirectoryKey> PeopleBook::manager_of(const KnownAccount& account,
                                                   Timestamp now) const {
  const std::string& provider = account.account.key.provider;
  const bool by_person = account.person && account.person->manager;
  const MaybeFact<std::string>& manager =
      by_person ? account.person->manager : account.account.manager;
  if (!manager) return std::nullopt;
  std::vector<const Account*> accounts;
  if (manager->value.contains('@')) {
    accounts = index_.accounts_of_email(provider, manager->value);
    std::erase_if(accounts, [&](const Account* one) {
      return !has_email(*one, manager->value, options_.ages, now);
    });
  } else if (const auto person = records_->people.find({"", manager->value});
             by_person && person != records_->people.end()) {
    accounts = index_.accounts_of(person->second);
    std::erase_if(accounts, [&](const Account* one) {
      return one->key.provider != provider ||
             index_.owner(*one, options_.ages, now) != &person->second;
    });
  }
  if (accounts.size() != 1) return std::nullopt;
  return accounts.front()->key;
}

}  // namespace mailwarden::identity
