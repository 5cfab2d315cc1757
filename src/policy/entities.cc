#include "policy/entities.h"

#include <algorithm>

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include "base/check.h"

namespace mailwarden::policy {
namespace {

// Names are hashed already.
struct NameHash {
  using is_transparent = void;
  std::size_t operator()(const EntityName* name) const { return name->hash; }
  std::size_t operator()(const EntityName& name) const { return name.hash; }
};

struct NameEqual {
  using is_transparent = void;
  bool operator()(const EntityName* a, const EntityName* b) const { return a == b || same(*a, *b); }
  bool operator()(const EntityName* a, const EntityName& b) const { return same(*a, b); }
  bool operator()(const EntityName& a, const EntityName* b) const { return same(a, *b); }
  static bool same(const EntityName& a, const EntityName& b) {
    return a.hash == b.hash && a.id == b.id && a.type == b.type;
  }
};

}  // namespace

struct Entities::Table {
  absl::flat_hash_set<const EntityName*, NameHash, NameEqual> names;
  absl::flat_hash_map<std::string_view, std::uint32_t> types;  // from 1
  absl::flat_hash_set<std::string_view> texts;
};

Entities::Entities() : memory_(std::make_unique<Memory>()), table_(std::make_unique<Table>()) {}
Entities::Entities(Entities&&) noexcept = default;
Entities& Entities::operator=(Entities&&) noexcept = default;
Entities::~Entities() = default;

const EntityName* Entities::find(std::string_view type, std::string_view id) const {
  return look_up(EntityName{.type = type, .id = id, .hash = hash_of(type, id)});
}

void Entities::bring_near(const EntityName& name) const {
  table_->names.prefetch(name);
}

const EntityName* Entities::look_up(const EntityName& name) const {
  const auto at = table_->names.find(name);
  return at == table_->names.end() ? nullptr : *at;
}

bool Entities::stands_among(std::span<const std::uint32_t> numbers, std::uint32_t number) {
  if (numbers.size() > 32) return std::ranges::binary_search(numbers, number);
  return std::ranges::find(numbers, number) != numbers.end();
}

std::uint32_t Entities::type_number(std::string_view type) const {
  const auto at = table_->types.find(type);
  return at == table_->types.end() ? 0 : at->second;
}

EntitiesBuilder::EntitiesBuilder() : EntitiesBuilder(Options()) {}
EntitiesBuilder::EntitiesBuilder(const Options& options) : options_(options) {}

std::string_view EntitiesBuilder::intern(std::string_view text) {
  auto& texts = made_.table_->texts;
  const auto at = texts.find(text);
  return at != texts.end() ? *at : *texts.insert(keep(memory(), text)).first;
}

const EntityName* EntitiesBuilder::intern(std::string_view type, std::string_view id) {
  const EntityName sought{.type = type, .id = id, .hash = hash_of(type, id)};
  if (const auto at = made_.table_->names.find(sought); at != made_.table_->names.end()) return *at;
  const std::string_view kept = intern(type);
  auto& types = made_.table_->types;
  const auto number = types.emplace(kept, static_cast<std::uint32_t>(types.size() + 1)).first;
  const EntityName& name = made_.names_.emplace_back(
      EntityName{.type = kept,
                 .id = keep(memory(), id),
                 .hash = sought.hash,
                 .home = made_.home(),
                 .number = static_cast<std::uint32_t>(made_.names_.size())});
  made_.table_->names.insert(&name);
  made_.entities_.push_back({.attributes = {.kind = Kind::record, .members = nullptr},
                             .tags = {.kind = Kind::record, .members = nullptr},
                             .type = number->second});
  parents_of_.emplace_back();
  return &name;
}

Result<void> EntitiesBuilder::add(const EntityName* name, const Value& attributes,
                                  const Value& tags, std::span<const EntityName* const> parents) {
  CHECK(name->home == made_.home());
  Entities::Entity& entity = made_.entities_[name->number];
  std::vector<std::uint32_t> numbers;
  for (const EntityName* parent : parents) numbers.push_back(parent->number);
  std::ranges::sort(numbers);
  numbers.erase(std::ranges::unique(numbers).begin(), numbers.end());
  Parents& known = parents_of_[name->number];
  if (entity.is_defined) {
    const auto before = std::span(parents_).subspan(known.first, known.count);
    if (equal(entity.attributes, attributes) && equal(entity.tags, tags) &&
        std::ranges::equal(before, numbers)) {
      return {};
    }
    return fail(Code::conflict, to_text(*name) + " stands twice and differs");
  }
  entity.attributes = attributes;
  entity.tags = tags;
  entity.is_defined = true;
  known = {.first = static_cast<std::uint32_t>(parents_.size()),
           .count = static_cast<std::uint32_t>(numbers.size())};
  parents_.insert(parents_.end(), numbers.begin(), numbers.end());
  ++made_.defined_;
  return {};
}

// Ancestors of all that is reached from `start`, the farthest first. A path of its own, since a
// chain of parents may be longer than a stack is deep.
Result<void> EntitiesBuilder::close(std::uint32_t start, std::vector<std::uint32_t>& path) {
  path.assign(1, start);
  while (!path.empty()) {
    const std::uint32_t number = path.back();
    const auto parents =
        std::span(parents_).subspan(parents_of_[number].first, parents_of_[number].count);
    if (states_[number] == State::open) {
      states_[number] = State::on_the_way;
      for (const std::uint32_t parent : parents) {
        if (states_[parent] == State::on_the_way) {
          return fail(Code::invalid, to_text(made_.names_[parent]) + " is its own ancestor");
        }
        if (states_[parent] == State::open) path.push_back(parent);
      }
      continue;
    }
    path.pop_back();
    if (states_[number] == State::done) continue;
    states_[number] = State::done;
    std::vector<std::uint32_t> all(parents.begin(), parents.end());
    for (const std::uint32_t parent : parents) {
      const auto above = made_.ancestors(parent);
      all.insert(all.end(), above.begin(), above.end());
    }
    std::ranges::sort(all);
    all.erase(std::ranges::unique(all).begin(), all.end());
    if (all.size() > options_.ancestors_max) {
      return fail(Code::full, to_text(made_.names_[number]) + " has more than " +
                                  std::to_string(options_.ancestors_max) + " ancestors");
    }
    if (made_.ancestors_.size() + all.size() > options_.all_ancestors_max) {
      return fail(Code::full, "all entities together have more than " +
                                  std::to_string(options_.all_ancestors_max) + " ancestors");
    }
    made_.entities_[number].first_ancestor = static_cast<std::uint32_t>(made_.ancestors_.size());
    made_.entities_[number].ancestors = static_cast<std::uint32_t>(all.size());
    made_.ancestors_.insert(made_.ancestors_.end(), all.begin(), all.end());
  }
  return {};
}

Result<Entities> EntitiesBuilder::finish() {
  states_.assign(made_.size(), State::open);
  std::vector<std::uint32_t> path;
  for (std::uint32_t number = 0; number < made_.size(); ++number) {
    if (states_[number] != State::open) continue;
    if (auto done = close(number, path); !done) return std::unexpected(done.error());
  }
  return std::move(made_);
}

}  // namespace mailwarden::policy
