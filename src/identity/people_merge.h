// One record of the book held against what is said of it.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "identity/fact_json.h"
#include "identity/observation.h"
#include "identity/people_table.h"
#include "identity/person.h"
#include "identity/person_fields.h"
#include "json/value.h"

namespace mailwarden::identity {

struct Merging {
  Origin origin;
  // Whether it is all that its source says of anybody, so that a row of the list has the time.
  bool whole = false;
  // Whether what it does not say of a record is no more.
  bool replaces = true;
  const AgeLimits& limits;
  Timestamp now;
};

struct Merged {
  bool row = false;     // the record is to be stored
  json::Object before;  // of what is worth telling
  json::Object after;
};

// What of `these` is worth telling where the others stand beside it.
template <class T>
std::optional<json::Value> tell_of(const MaybeFact<T>& these, const MaybeFact<T>&) {
  return these ? std::optional(to_json(these->value)) : std::nullopt;
}
// Of the members of a group those that the others lack; one of a million who leaves is not told
// with all who stay.
inline std::optional<json::Value> tell_of(const MaybeFact<std::vector<Member>>& these,
                                          const MaybeFact<std::vector<Member>>& those) {
  if (!these) return std::nullopt;
  const std::set<Member> others =
      those ? std::set(those->value.begin(), those->value.end()) : std::set<Member>();
  std::vector<Member> lacking;
  for (const Member& member : these->value) {
    if (!others.contains(member)) lacking.push_back(member);
  }
  return to_json(lacking);
}

// A fact is replaced by one that is as new or newer, and by any where its own time has not come: it
// was told while a clock was wrong. What the same source says no more is gone.
template <class Record>
Merged merge(Record& held, Record said, const Merging& merging) {
  Merged merged;
  each_field<Record>([&](const auto& field) {
    auto& old = held.*field.member;
    auto& now = said.*field.member;
    const bool ahead = old && merging.limits.is_ahead(old->time, merging.now);
    if (old && !ahead && old->time > merging.origin.time) return;
    const bool is_same_source = old && old->source == merging.origin.source;
    if (!now && (!is_same_source || !merging.replaces)) return;
    const bool changed = !old || !now || old->value != now->value;
    if (changed && field.telling == Telling::told) {
      const std::string name(field.name);
      if (auto before = tell_of(old, now)) merged.before[name] = *std::move(before);
      if (auto after = tell_of(now, old)) merged.after[name] = *std::move(after);
    }
    const bool retimed = !merging.whole && old && now && old->time != now->time;
    merged.row = merged.row || changed || !is_same_source || retimed || ahead;
    old = std::move(now);
  });
  return merged;
}

// Whether anybody but events still says something of it.
template <class Record>
bool is_told(const Record& record) {
  bool told = false;
  each_field<Record>([&](const auto& field) {
    const auto& fact = record.*field.member;
    told = told || (fact && !fact->source.starts_with(event_source_prefix));
  });
  return told;
}

inline DirectoryKey key_of(const Person& person) {
  return {"", person.id};
}
template <class Record>
DirectoryKey key_of(const Record& record) {
  return record.key;
}

// A record of which nothing is known.
inline Person blank_of(const Person& person) {
  return {.id = person.id};
}
template <class Record>
Record blank_of(const Record& record) {
  return {.key = record.key};
}

inline PeopleRow row_of(const Person& person) {
  return {.table = PeopleRow::Table::person, .key = key_of(person), .body = to_text(person)};
}
inline PeopleRow row_of(const Account& account) {
  return {.table = PeopleRow::Table::account, .key = account.key, .body = to_text(account)};
}
inline PeopleRow row_of(const Group& group) {
  return {.table = PeopleRow::Table::group, .key = group.key, .body = to_text(group)};
}
template <class Record>
PeopleRow removed_row_of(const Record& record) {
  PeopleRow row = row_of(blank_of(record));
  row.body.reset();
  return row;
}

constexpr std::string_view kind_of(const Person*) {
  return "person";
}
constexpr std::string_view kind_of(const Account*) {
  return "account";
}
constexpr std::string_view kind_of(const Group*) {
  return "group";
}

}  // namespace mailwarden::identity
