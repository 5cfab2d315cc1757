// The people, groups, systems and whatever else policies are about.
//
// What     Entities holds for each entity its attributes, tags and all ancestors, and gives every
//          entity that is mentioned anywhere a number. It never changes; a new one replaces it.
//          EntitiesBuilder makes one.
// Owns     Names and values.
// Threads  Read-only once it is built.
// Errors   EntitiesBuilder: Error{conflict} for an entity that stands twice and differs,
//          Error{invalid} for a circle of parents, Error{full} beyond a limit.
// Limits   2^32 entities; EntitiesBuilder::Options: ancestors_max of one entity, all_ancestors_max
//          of all together, since a chain of parents has as many as its square.
// Source   Cedar 4.5, "Entities and context syntax"; Cedar.Spec.Entities of the formal model.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/value.h"

namespace mailwarden::policy {

class Entities {
 public:
  struct Entity {
    Value attributes;         // a record
    Value tags;               // a record
    bool is_defined = false;  // or only mentioned
    std::uint32_t type = 0;   // its type's number
    std::uint32_t first_ancestor = 0;
    std::uint32_t ancestors = 0;
  };

  Entities();
  Entities(Entities&&) noexcept;
  Entities& operator=(Entities&&) noexcept;
  ~Entities();

  // Null where nobody mentions it. Its home is this and its number may be asked below.
  const EntityName* find(std::string_view type, std::string_view id) const;
  const EntityName* find(const EntityName& name) const {
    return name.home == home() ? &name : look_up(name);
  }
  // Asks memory for what find() reads, without waiting for it.
  void bring_near(const EntityName& name) const;
  // Asks memory for what belongs to an entity: first the one, some time later the other.
  void bring_near(std::uint32_t number) const { __builtin_prefetch(&entities_[number]); }
  void bring_nearer(std::uint32_t number) const {
    const Entity& entity = entities_[number];
    __builtin_prefetch(ancestors_.data() + entity.first_ancestor);
    __builtin_prefetch(entity.attributes.members);
  }
  const EntityName& name(std::uint32_t number) const { return names_[number]; }
  const Entity& operator[](std::uint32_t number) const { return entities_[number]; }
  std::span<const std::uint32_t> ancestors(std::uint32_t number) const {
    const Entity& one = entities_[number];
    return std::span(ancestors_).subspan(one.first_ancestor, one.ancestors);
  }
  // Null where nothing is known of it but its name.
  const Entity* known(const EntityName* name) const {
    return name == nullptr || !entities_[name->number].is_defined ? nullptr
                                                                  : &entities_[name->number];
  }
  // Whether `ancestor` is above it; not of the entity itself.
  bool is_below(std::uint32_t number, std::uint32_t ancestor) const {
    return stands_among(ancestors(number), ancestor);
  }
  // Whether a sorted list of numbers has this one.
  static bool stands_among(std::span<const std::uint32_t> numbers, std::uint32_t number);
  std::size_t size() const { return entities_.size(); }  // with those that are only mentioned
  std::size_t defined() const { return defined_; }
  const void* home() const { return memory_.get(); }
  // 0 where no entity has this type.
  std::uint32_t type_number(std::string_view type) const;

 private:
  friend class EntitiesBuilder;
  struct Table;

  const EntityName* look_up(const EntityName& name) const;

  std::unique_ptr<Memory> memory_;
  std::deque<EntityName> names_;
  std::vector<Entity> entities_;
  std::vector<std::uint32_t> ancestors_;  // sorted within an entity
  std::unique_ptr<Table> table_;
  std::size_t defined_ = 0;
};

class EntitiesBuilder {
 public:
  struct Options {
    std::size_t ancestors_max = 100'000;
    std::size_t all_ancestors_max = std::size_t{1} << 28;
  };

  EntitiesBuilder();
  explicit EntitiesBuilder(const Options& options);

  // Where values for entities stand.
  Memory& memory() { return *made_.memory_; }
  const EntityName* intern(std::string_view type, std::string_view id);
  // `text` once, however often it comes.
  std::string_view intern(std::string_view text);

  // One that stands twice must say the same both times.
  Result<void> add(const EntityName* name, const Value& attributes, const Value& tags,
                   std::span<const EntityName* const> parents);
  bool is_defined(const EntityName* name) const { return made_.entities_[name->number].is_defined; }
  Result<Entities> finish();

 private:
  Result<void> close(std::uint32_t number, std::vector<std::uint32_t>& path);

  Options options_;
  Entities made_;
  struct Parents {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  std::vector<Parents> parents_of_;
  std::vector<std::uint32_t> parents_;
  enum class State : std::uint8_t { open, on_the_way, done };
  std::vector<State> states_;
};

}  // namespace mailwarden::policy
