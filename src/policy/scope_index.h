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

  // One of a request's entities: its number here, its type and where its ancestors' numbers are.
  struct Subject {
    std::uint32_t number = 0;
    std::uint32_t type = 0;
    std::span<const std::uint32_t> ancestors;
    std::uint64_t sketch = 0;  // a bit for each of them and itself; a bit that lacks tells enough

    bool is_in(std::uint32_t group) const {
      return (sketch >> (group & 63) & 1) != 0 &&
             (group == number || Entities::stands_among(ancestors, group));
    }
    // With other ancestors.
    void suppose(std::span<const std::uint32_t> groups);
  };
  Subject subject(const EntityName& name) const;

  // A policy whose scope holds, and what is left to decide of it.
  struct Met {
    std::uint32_t policy = 0;
    ExprId condition = 0;
    bool is_permit = true;
  };

  // put(Met), once for each whose scope holds, in no order. `actions` remembers what the actions of
  // scopes said of this request.
  template <class Put>
  void find(const Subject& principal, const Subject& action, const Subject& resource,
            std::vector<std::uint8_t>& actions, Put put) const {
    actions.assign(actions_.size(), 0);
    const auto look = [&](std::uint32_t bucket, const Subject& own, const Subject& other) {
      const auto [first, count] = buckets_[bucket];
      for (std::size_t at = first; at < first + count; ++at) {
        const Entry& entry = entries_[at];
        if (entry.holds(own, other) && action_holds(entry.action, action, actions)) {
          put(entry.met);
        }
      }
    };
    const auto look_under = [&](const std::vector<std::uint32_t>& places, const Subject& own,
                                const Subject& other) {
      if (places[own.number] != 0) look(places[own.number], own, other);
      for (const std::uint32_t above : own.ancestors) {
        if (places[above] != 0) look(places[above], own, other);
      }
    };
    look_under(by_principal_, principal, resource);
    look_under(by_resource_, resource, principal);
    look(0, principal, resource);
  }

 private:
  static constexpr std::uint32_t none = 0xffffffff;

  // Of a principal or resource.
  struct Test {
    std::uint32_t entity = none;  // must be this or stand below it
    std::uint32_t type = 0;       // must have this type; 0 for any
    bool exactly = false;         // must be the entity itself
  };
  // What is left to ask of a policy in a bucket. `own` is the side whose entity the bucket is for;
  // it stands below that one or is it.
  struct Entry {
    Met met;
    std::uint32_t action = 0;
    std::uint32_t exactly = none;  // what own must be
    std::uint32_t own_type = 0;
    Test other;

    bool holds(const Subject& own, const Subject& of_other) const {
      if (other.entity != none) {
        if (other.exactly ? other.entity != of_other.number : !of_other.is_in(other.entity)) {
          return false;
        }
      }
      return (exactly == none || exactly == own.number) &&
             (own_type == 0 || own_type == own.type) &&
             (other.type == 0 || other.type == of_other.type);
    }
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

  bool action_holds(std::uint32_t test, const Subject& action,
                    std::vector<std::uint8_t>& known) const {
    return known[test] != 0 ? known[test] == 2 : ask_action(test, action, known);
  }
  bool ask_action(std::uint32_t test, const Subject& action,
                  std::vector<std::uint8_t>& known) const;

  std::uint32_t number_of(const EntityName& name);
  std::uint32_t type_of(std::string_view type);
  Test test_of(const Scope& scope);
  std::uint32_t action_of(const ActionScope& scope);
  void place(const PolicySet& policies);

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
