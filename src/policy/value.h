// What a Cedar expression comes to.
//
// What     A Value is sixteen bytes: its kind, and the thing itself or where it stands. Texts,
//          sets, records and addresses stand in a Memory that the maker of the value owns (an
//          entity store, a policy set, a request, one evaluation), so a Value is copied like a
//          number and is good for as long as that memory.
//          Sets are sorted and hold each member once, records are sorted by name, so equal values
//          look alike.
// Owns     Nothing.
// Threads  Values.
// Errors   None.
// Limits   4 GiB a text, 2^32 items a set or record.
// Source   Cedar 4.5, "Data types"; Cedar.Spec.Value of the formal model.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/entity_uid.h"

namespace mailwarden::policy {

using Memory = std::pmr::monotonic_buffer_resource;

enum class Kind : std::uint8_t {
  boolean,
  integer,
  string,
  entity,
  set,
  record,
  decimal,  // in ten-thousandths
  ip,
  datetime,  // milliseconds since 1970
  duration,  // milliseconds
};

std::string_view to_string(Kind kind);

struct IpRange {
  std::array<std::uint8_t, 16> address{};  // the first four of version 4
  std::uint8_t prefix = 0;
  bool is_v6 = false;

  auto operator<=>(const IpRange&) const = default;
};

struct Member;

struct Value {
  Kind kind = Kind::boolean;
  std::uint32_t size = 0;  // of a text in bytes, of a set or record in items
  union {
    std::int64_t number = 0;  // integer, decimal, datetime, duration; 0 or 1 of a boolean
    const char* text;
    const EntityName* entity;
    const Value* items;
    const Member* members;
    const IpRange* range;
  };

  static Value of(bool truth) { return {.kind = Kind::boolean, .number = truth ? 1 : 0}; }
  static Value of(std::int64_t number, Kind kind = Kind::integer) {
    return {.kind = kind, .number = number};
  }
  // Of a text that outlives the value.
  static Value of(std::string_view text) {
    return {
        .kind = Kind::string, .size = static_cast<std::uint32_t>(text.size()), .text = text.data()};
  }
  static Value of(const EntityName* entity) { return {.kind = Kind::entity, .entity = entity}; }
  static Value of(const IpRange* range) { return {.kind = Kind::ip, .range = range}; }

  bool is_true() const { return number != 0; }
  std::string_view as_text() const { return {text, size}; }
  std::span<const Value> as_set() const { return {items, size}; }
  std::span<const Member> as_record() const;
  // The member of that name, or nothing. Of a record.
  const Value* find(std::string_view name) const;
};

struct Member {
  std::string_view name;
  Value value;
};

inline std::span<const Member> Value::as_record() const {
  return {members, size};
}

bool equal(const Value& a, const Value& b);
// Any order over all values that puts equal ones together.
std::strong_ordering compare(const Value& a, const Value& b);
bool contains(std::span<const Value> set, const Value& value);

std::string_view keep(Memory& memory, std::string_view text);
// Sorts, and leaves out what stands twice.
Value make_set(Memory& memory, std::vector<Value>& items);
// Sorts; names must differ.
Value make_record(Memory& memory, std::vector<Member>& members);
// The value with all that it points to.
Value copy(Memory& memory, const Value& value);

// As Cedar writes it: User::"a", [1, 2], {"a": true}, ip("10.0.0.1"), decimal("1.5").
std::string to_text(const Value& value);

}  // namespace mailwarden::policy
