#include "access/grant_view.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace mailwarden::access {
namespace {

// Views into the grants of the table that holds it.
struct Key {
  std::string_view person;
  std::string_view system;

  bool operator==(const Key&) const = default;
};

struct KeyHash {
  std::size_t operator()(const Key& key) const {
    const std::size_t person = std::hash<std::string_view>()(key.person);
    return std::hash<std::string_view>()(key.system) ^ (person * 0x9E3779B97F4A7C15ULL);
  }
};

struct Range {
  std::size_t first = 0;
  std::size_t count = 0;
};

auto order_of(const Grant& grant) {
  return std::tuple(std::string_view(grant.person), std::string_view(grant.system),
                    grant.break_glass, -grant.until.us, grant.id);
}

}  // namespace

struct GrantView::Table {
  std::vector<Grant> grants;
  std::unordered_map<Key, Range, KeyHash> by_key;
};

std::shared_ptr<const GrantView> GrantView::make(std::vector<Grant> approved,
                                                 const AccessTime& time, Duration slack) {
  auto table = std::make_shared<Table>();
  table->grants = std::move(approved);
  std::ranges::sort(table->grants, {}, order_of);
  for (std::size_t i = 0; i < table->grants.size(); ++i) {
    const Grant& grant = table->grants[i];
    Range& range = table->by_key[{.person = grant.person, .system = grant.system}];
    if (range.count++ == 0) range.first = i;
  }
  return std::shared_ptr<const GrantView>(new GrantView(std::move(table), time, slack));
}

std::shared_ptr<const GrantView> GrantView::at(const AccessTime& time) const {
  return std::shared_ptr<const GrantView>(new GrantView(table_, time, slack_));
}

std::span<const Grant> GrantView::all(std::string_view person, std::string_view system) const {
  const auto found = table_->by_key.find({.person = person, .system = system});
  if (found == table_->by_key.end()) return {};
  return std::span(table_->grants).subspan(found->second.first, found->second.count);
}

const Grant* GrantView::live(std::string_view person, std::string_view system,
                             Timestamp now) const {
  const auto grants = all(person, system);
  const auto found =
      std::ranges::find_if(grants, [&](const Grant& one) { return is_live(one, now); });
  return found == grants.end() ? nullptr : &*found;
}

bool GrantView::is_live(const Grant& grant, Timestamp now) const {
  return access::is_live(grant, time_, slack_, now);
}

std::size_t GrantView::size() const {
  return table_->grants.size();
}

bool is_live(const Grant& grant, const AccessTime& time, Duration slack, Timestamp now) {
  return grant.state == GrantState::approved && now < grant.until && now >= grant.from - slack &&
         !time.has_reached(grant.until, grant.set_back, now);
}

}  // namespace mailwarden::access
