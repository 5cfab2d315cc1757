#include "policy/value.h"

#include <algorithm>
#include <cstring>

#include "policy/extension.h"

namespace mailwarden::policy {
namespace {

template <class T>
std::span<T> keep_items(Memory& memory, std::span<const T> items) {
  if (items.empty()) return {};
  auto* const place = static_cast<T*>(memory.allocate(items.size_bytes(), alignof(T)));
  std::uninitialized_copy(items.begin(), items.end(), place);
  return {place, items.size()};
}

std::strong_ordering compare_items(std::span<const Value> a, std::span<const Value> b) {
  for (std::size_t at = 0; at < a.size() && at < b.size(); ++at) {
    if (const auto order = compare(a[at], b[at]); order != 0) return order;
  }
  return a.size() <=> b.size();
}

std::strong_ordering compare_members(std::span<const Member> a, std::span<const Member> b) {
  for (std::size_t at = 0; at < a.size() && at < b.size(); ++at) {
    if (const auto order = a[at].name <=> b[at].name; order != 0) return order;
    if (const auto order = compare(a[at].value, b[at].value); order != 0) return order;
  }
  return a.size() <=> b.size();
}

template <class Items, class Print>
std::string list(std::string_view open, const Items& items, std::string_view close, Print print) {
  std::string out(open);
  for (const auto& item : items) {
    if (out.size() > open.size()) out += ", ";
    out += print(item);
  }
  return out.append(close);
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return "Bool";
    case Kind::integer:
      return "Long";
    case Kind::string:
      return "String";
    case Kind::entity:
      return "entity";
    case Kind::set:
      return "Set";
    case Kind::record:
      return "record";
    case Kind::decimal:
      return "decimal";
    case Kind::ip:
      return "ipaddr";
    case Kind::datetime:
      return "datetime";
    case Kind::duration:
      return "duration";
  }
  return "?";
}

const Value* Value::find(std::string_view name) const {
  const auto all = as_record();
  if (all.size() <= 8) {
    for (const Member& one : all) {
      if (one.name == name) return &one.value;
    }
    return nullptr;
  }
  const auto at = std::ranges::lower_bound(all, name, {}, &Member::name);
  return at != all.end() && at->name == name ? &at->value : nullptr;
}

bool equal(const Value& a, const Value& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::boolean:
    case Kind::integer:
    case Kind::decimal:
    case Kind::datetime:
    case Kind::duration:
      return a.number == b.number;
    case Kind::string:
      return a.as_text() == b.as_text();
    case Kind::entity:
      return *a.entity == *b.entity;
    case Kind::ip:
      return *a.range == *b.range;
    case Kind::set:
      return std::ranges::equal(a.as_set(), b.as_set(), equal);
    case Kind::record:
      return std::ranges::equal(a.as_record(), b.as_record(),
                                [](const Member& one, const Member& other) {
                                  return one.name == other.name && equal(one.value, other.value);
                                });
  }
  return false;
}

std::strong_ordering compare(const Value& a, const Value& b) {
  if (a.kind != b.kind) return a.kind <=> b.kind;
  switch (a.kind) {
    case Kind::boolean:
    case Kind::integer:
    case Kind::decimal:
    case Kind::datetime:
    case Kind::duration:
      return a.number <=> b.number;
    case Kind::string:
      return a.as_text() <=> b.as_text();
    case Kind::entity:
      return *a.entity <=> *b.entity;
    case Kind::ip:
      return *a.range <=> *b.range;
    case Kind::set:
      return compare_items(a.as_set(), b.as_set());
    case Kind::record:
      return compare_members(a.as_record(), b.as_record());
  }
  return std::strong_ordering::equal;
}

bool contains(std::span<const Value> set, const Value& value) {
  if (set.size() <= 8) {
    return std::ranges::any_of(set, [&](const Value& one) { return equal(one, value); });
  }
  const auto before = [](const Value& one, const Value& other) { return compare(one, other) < 0; };
  return std::ranges::binary_search(set, value, before);
}

std::string_view keep(Memory& memory, std::string_view text) {
  return {keep_items(memory, std::span(text)).data(), text.size()};
}

Value make_set(Memory& memory, std::vector<Value>& items) {
  std::ranges::sort(items,
                    [](const Value& one, const Value& other) { return compare(one, other) < 0; });
  const auto twice = std::ranges::unique(items, equal);
  items.erase(twice.begin(), twice.end());
  const auto kept = keep_items<Value>(memory, items);
  return {.kind = Kind::set, .size = static_cast<std::uint32_t>(kept.size()), .items = kept.data()};
}

Value make_record(Memory& memory, std::vector<Member>& members) {
  std::ranges::sort(members, {}, &Member::name);
  const auto kept = keep_items<Member>(memory, members);
  return {.kind = Kind::record,
          .size = static_cast<std::uint32_t>(kept.size()),
          .members = kept.data()};
}

Value copy(Memory& memory, const Value& value) {
  switch (value.kind) {
    case Kind::boolean:
    case Kind::integer:
    case Kind::decimal:
    case Kind::datetime:
    case Kind::duration:
      return value;
    case Kind::string:
      return Value::of(keep(memory, value.as_text()));
    case Kind::entity: {
      const EntityName name{.type = keep(memory, value.entity->type),
                            .id = keep(memory, value.entity->id),
                            .hash = value.entity->hash};
      return Value::of(keep_items(memory, std::span(&name, 1)).data());
    }
    case Kind::ip:
      return Value::of(keep_items(memory, std::span(value.range, 1)).data());
    case Kind::set: {
      std::vector<Value> items;
      for (const Value& one : value.as_set()) items.push_back(copy(memory, one));
      return make_set(memory, items);
    }
    case Kind::record: {
      std::vector<Member> members;
      for (const Member& one : value.as_record()) {
        members.push_back({keep(memory, one.name), copy(memory, one.value)});
      }
      return make_record(memory, members);
    }
  }
  return value;
}

std::string to_text(const Value& value) {
  switch (value.kind) {
    case Kind::boolean:
      return value.is_true() ? "true" : "false";
    case Kind::integer:
      return std::to_string(value.number);
    case Kind::string:
      return policy::quoted(value.as_text());
    case Kind::entity:
      return to_text(*value.entity);
    case Kind::set:
      return list("[", value.as_set(), "]", [](const Value& one) { return to_text(one); });
    case Kind::record:
      return list("{", value.as_record(), "}", [](const Member& one) {
        return policy::quoted(one.name) + ": " + to_text(one.value);
      });
    case Kind::decimal:
      return "decimal(" + policy::quoted(decimal_text(value.number)) + ")";
    case Kind::ip:
      return "ip(" + policy::quoted(ip_text(*value.range)) + ")";
    case Kind::datetime:
      return datetime_source(value.number);
    case Kind::duration:
      return "duration(" + policy::quoted(duration_text(value.number)) + ")";
  }
  return "?";
}

}  // namespace mailwarden::policy
