// Who belongs together: accounts to people, members to groups, addresses to accounts.
//
// Joins are by personnel's id or by whole e-mail addresses. Where they lead to two, they lead to
// nobody, and conflicts() says so.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "identity/people_table.h"
#include "identity/person.h"

namespace mailwarden::identity {

// What must hold for a membership to be known.
struct Membership {
  const Group* group = nullptr;
  const Fact<std::vector<Member>>* members = nullptr;
};

class PeopleIndex {
 public:
  PeopleIndex() = default;
  // Points into the records, whose keys, addresses and memberships must stay as they are.
  explicit PeopleIndex(const PeopleRecords& records);

  // Those that claim the address and are not deleted.
  std::vector<const Account*> accounts_of_email(std::string_view provider,
                                                std::string_view email) const;
  std::size_t count_groups_of_email(std::string_view provider, std::string_view email) const;
  // The people that an account may be of, by facts of any age.
  std::vector<const Person*> claimants(const Account& account) const;
  // The one it is of, where what joins them holds at `now` on both sides.
  const Person* owner(const Account& account, const AgeLimits& limits, Timestamp now) const;
  // Those that nobody else may have.
  std::vector<const Account*> accounts_of(const Person& person) const;

  std::vector<Membership> memberships(const Account& account) const;
  std::vector<Membership> memberships(const Group& group) const;
  // Whether who is in the provider's groups is known, of all of them; `until` is then moved forward
  // to when it will be so no more.
  bool are_groups_known(std::string_view provider, const AgeLimits& limits, Timestamp now,
                        Timestamp& until) const;

  std::set<std::string> conflicts() const;

 private:
  // How memberships of one provider were told; few, since a snapshot tells all of them at once.
  struct Telling {
    bool all_told = true;
    std::set<std::pair<std::string, Timestamp>> origins;
  };

  void index_groups();
  void index_members(const Group& group);
  void add_email_conflicts(std::set<std::string>& conflicts) const;
  bool links(const Account& account, const Person& person, const AgeLimits& limits,
             Timestamp now) const;

  const PeopleRecords* records_ = nullptr;
  std::unordered_map<std::string, std::vector<const Account*>> accounts_by_email_;
  std::unordered_map<std::string, std::vector<const Account*>> accounts_by_person_;
  std::unordered_map<std::string, std::vector<const Person*>> people_by_email_;
  std::map<DirectoryKey, std::size_t> groups_by_email_;  // by provider and address
  // By provider, kind and id (or address, where no id is told).
  std::unordered_map<std::string, std::vector<Membership>> groups_by_member_;
  std::map<std::string, Telling, std::less<>> tellings_;
  std::set<DirectoryKey> in_circles_;
};

// Groups that stand in themselves, through whichever others; those between two such circles too.
std::set<DirectoryKey> groups_in_circles(const std::map<DirectoryKey, Group>& groups);

std::string to_string(const DirectoryKey& key);

}  // namespace mailwarden::identity
