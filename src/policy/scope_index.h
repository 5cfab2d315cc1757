// Which policies a request can meet, by what their scopes say.
//
// What     Every policy stands under one entity of its scope, its principal's or its resource's,
//          whichever has fewer, or among those without one. A request looks under its principal,
//          its resource and their ancestors; what else a scope says is compared there. A policy
//          whose scope does not hold costs nothing or one comparison.
// Owns     The tables.
// Threads  Read-only once it is made.
// Errors   None.
// Limits   2^32 policies.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "policy/evaluate.h"
#include "policy/policy_set.h"

namespace mailwarden::policy {

class ScopeIndex {
 public:
  ScopeIndex(const PolicySet& policies, const Entities& entities);

  // One of a request's entities: its number here, and where its ancestors' numbers are.
  struct Subject {
    std::uint32_t number = 0;
    std::uint32_t type = 0;
    std::span<const std::uint32_t> ancestors;

    bool is_in(std::uint32_t group) const;
  };
  Subject subject(const EntityName& name) const;

  // put(policy), once for each whose scope holds, in no order. `actions` remembers what the actions of
  // scopes said of this request.
  template <class Put>
  void find(const Subject& principal, const Subject& action, const Subject& resource,
            std::vector<std::uint8_t>& actions, Put put) const {
    actions.assign(actions_.size(), 0);
    const auto look = [&](const Bucket& bucket) {
      for (std::size_t at = bucket.first; at < bucket.first + bucket.count; ++at) {
        const Entry& entry = entries_[at];
        if (holds(entry, principal, resource) && action_holds(entry.action, action, actions)) {
          put(entry.policy);
        }
      }
    };
    const auto look_under = [&](const std::vector<std::uint32_t>& places, const Subject& subject) {
      if (places[subject.number] != 0) look(buckets_[places[subject.number]]);
      for (const std::uint32_t above : subject.ancestors) {
        if (places[above] != 0) look(buckets_[places[above]]);
      }
    };
    look_under(by_principal_, principal);
    look_under(by_resource_, resource);
    look(buckets_.front());
  }

 private:
  static constexpr std::uint32_t none = 0xffffffff;

  struct Test {
    std::uint32_t entity = none;  // must be this or stand below it
    std::uint32_t type = 0;       // must have this type; 0 for any
    bool exactly = false;         // must be the entity itself
  };
  struct Entry {
    std::uint32_t policy = 0;
    std::uint32_t action = 0;
    Test principal;
    Test resource;
  };
  struct Bucket {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  struct ActionTest {
    bool any = false;
    bool exactly = false;
    std::vector<std::uint32_t> entities;

    auto operator<=>(const ActionTest&) const = default;
  };

  static bool holds(const Test& test, const Subject& subject) {
    if (test.type != 0 && test.type != subject.type) return false;
    if (test.entity == none || test.entity == subject.number) return true;
    return !test.exactly && subject.is_in(test.entity);
  }
  static bool holds(const Entry& entry, const Subject& principal, const Subject& resource) {
    return holds(entry.principal, principal) && holds(entry.resource, resource);
  }
  bool action_holds(std::uint32_t test, const Subject& action,
                    std::vector<std::uint8_t>& known) const;

  std::uint32_t number_of(const EntityName& name);
  std::uint32_t type_of(std::string_view type);
  Test test_of(const Scope& scope);
  std::uint32_t action_of(const ActionScope& scope);
  void place(std::vector<Entry> entries);

  const Entities& entities_;
  // Entities and types of scopes that no entity mentions: numbers behind those that are.
  std::map<EntityUid, std::uint32_t> more_names_;
  std::map<std::string, std::uint32_t, std::less<>> more_types_;
  std::map<ActionTest, std::uint32_t> action_numbers_;
  std::vector<ActionTest> actions_;
  std::vector<Entry> entries_;
  std::vector<Bucket> buckets_;              // the first of policies whose scope names no entity
  std::vector<std::uint32_t> by_principal_;  // by an entity's number, its bucket or 0
  std::vector<std::uint32_t> by_resource_;
};

}  // namespace mailwarden::policy
