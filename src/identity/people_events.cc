#include <algorithm>
#include <utility>

#include "identity/people_book.h"
#include "identity/people_merge.h"

namespace mailwarden::identity {
namespace {

void tell(Applied& applied, std::string_view kind, DirectoryKey key, PeopleChange::What what,
          Merged merged, const Origin& origin) {
  applied.changes.push_back({.kind = std::string(kind),
                             .key = std::move(key),
                             .what = what,
                             .before = std::move(merged.before),
                             .after = std::move(merged.after),
                             .origin = origin});
}

// What the record of a person and those of others may name the person by.
struct Names {
  std::string id;  // personnel's
  std::set<std::string> emails;
  std::set<DirectoryKey> accounts;

  bool is_manager(const MaybeFact<std::string>& fact) const {
    return fact && (fact->value == id || emails.contains(fact->value));
  }
  bool is_member(const std::string& provider, const Member& member) const {
    return emails.contains(member.email) || accounts.contains({provider, member.id});
  }
};

void add_emails(Names& names, const MaybeFact<std::vector<std::string>>& emails) {
  if (emails) names.emails.insert(emails->value.begin(), emails->value.end());
}

}  // namespace

void PeopleBook::note(const Account& known, Account said, const Origin& origin, Timestamp now,
                      Applied& applied) {
  Account& account = records_->accounts.find(known.key)->second;
  Merged merged = merge(account, std::move(said),
                        {.origin = origin, .replaces = false, .limits = options_.ages, .now = now});
  if (merged.row) applied.rows.push_back(row_of(account));
  if (!merged.before.empty() || !merged.after.empty()) {
    tell(applied, "account", account.key, PeopleChange::What::changed, std::move(merged), origin);
  }
}

Applied PeopleBook::apply(const Observation& seen, Timestamp now) {
  Applied applied;
  const AgeLimits& ages = options_.ages;
  const Origin& origin = seen.origin;
  if (ages.is_ahead(origin.time, now)) return applied;
  const auto fact = [&](auto value) {
    return Fact<decltype(value)>{value, origin.source, origin.time};
  };
  const auto subjects = index_.accounts_of_email(seen.provider, seen.subject);
  const auto actors = index_.accounts_of_email(seen.provider, seen.actor);
  if (actors.size() == 1) {
    const Account& account = *actors.front();
    const auto is_later = [&](const MaybeFact<Timestamp>& last) {
      return !last || ages.is_ahead(last->time, now) ||
             origin.time >= last->time + options_.use_step;
    };
    Account said{.key = account.key};
    if (is_later(account.last_seen)) said.last_seen = fact(origin.time);
    if (seen.second_factor_used && is_later(account.second_factor_used)) {
      said.second_factor_used = fact(origin.time);
    }
    note(account, std::move(said), origin, now, applied);
  }
  if (subjects.size() == 1) {
    Account said{.key = subjects.front()->key};
    if (seen.suspended) said.suspended = fact(*seen.suspended);
    if (seen.deleted) said.deleted = fact(*seen.deleted);
    if (seen.second_factor_enrolled) {
      said.second_factor_enrolled = fact(*seen.second_factor_enrolled);
    }
    note(*subjects.front(), std::move(said), origin, now, applied);
    // A deleted account claims its addresses no more.
    if (seen.deleted) index(origin, applied);
  }
  return applied;
}

Applied PeopleBook::erase_person(const std::string& id, Timestamp now) {
  Applied applied;
  const Origin origin{.time = now};
  const auto person = records_->people.find({"", id});
  if (person == records_->people.end()) return applied;
  Names names{.id = id};
  add_emails(names, person->second.emails);
  for (const Account* const account : index_.accounts_of(person->second)) {
    if (account->email) names.emails.insert(account->email->value);
    add_emails(names, account->aliases);
    names.accounts.insert(account->key);
  }
  for (const DirectoryKey& key : names.accounts) {
    applied.rows.push_back(removed_row_of(Account{.key = key}));
    tell(applied, "account", key, PeopleChange::What::erased, {}, origin);
    records_->accounts.erase(key);
  }
  applied.rows.push_back(removed_row_of(person->second));
  tell(applied, "person", {.id = id}, PeopleChange::What::erased, {}, origin);
  records_->people.erase(person);
  for (auto& [key, other] : records_->people) {
    if (!names.is_manager(other.manager)) continue;
    other.manager.reset();
    applied.rows.push_back(row_of(other));
  }
  for (auto& [key, other] : records_->accounts) {
    if (!names.is_manager(other.manager)) continue;
    other.manager.reset();
    applied.rows.push_back(row_of(other));
  }
  for (auto& [key, group] : records_->groups) {
    if (!group.members) continue;
    const std::string& provider = key.provider;
    const auto is_named = [&](const Member& member) { return names.is_member(provider, member); };
    if (std::erase_if(group.members->value, is_named) > 0) applied.rows.push_back(row_of(group));
  }
  index(origin, applied);
  // The sentence of a conflict names an address.
  std::erase_if(applied.changes, [](const PeopleChange& change) {
    return change.what == PeopleChange::What::settled;
  });
  return applied;
}

}  // namespace mailwarden::identity
