#include "identity/people_book.h"

#include <algorithm>
#include <utility>

#include "crypto/sha256.h"
#include "identity/mistakes.h"
#include "identity/people_merge.h"

namespace mailwarden::identity {
namespace {

using What = PeopleChange::What;

// How many of `said` the map does not hold.
template <class Record>
std::size_t count_new(const std::map<DirectoryKey, Record>& held, const std::vector<Record>& said) {
  return static_cast<std::size_t>(std::ranges::count_if(
      said, [&](const Record& record) { return !held.contains(key_of(record)); }));
}

template <class Record>
Result<void> check_room(const std::map<DirectoryKey, Record>& held, const std::vector<Record>& said,
                        std::size_t records_max) {
  if (held.size() + count_new(held, said) <= records_max) return {};
  return fail(Code::full, "more than " + std::to_string(records_max) + " records of a " +
                              std::string(kind_of(static_cast<const Record*>(nullptr))));
}

template <class Record>
void tell(Applied& applied, const Record& record, What what, Merged&& merged,
          const Origin& origin) {
  applied.changes.push_back({.kind = std::string(kind_of(&record)),
                             .key = key_of(record),
                             .what = what,
                             .before = std::move(merged.before),
                             .after = std::move(merged.after),
                             .origin = origin});
}

template <class T>
bool names_one(const MaybeFact<T>& fact, const std::set<std::string>& names) {
  return fact && names.contains(fact->value);
}

}  // namespace

std::string_view to_string(PeopleChange::What what) {
  switch (what) {
    case What::added:
      return "added";
    case What::changed:
      return "changed";
    case What::removed:
      return "removed";
    case What::erased:
      return "erased";
    case What::arose:
      return "arose";
    case What::settled:
      return "settled";
  }
  return "unknown";
}

json::Object to_record(const PeopleChange& change) {
  json::Object record{{"change", to_string(change.what)},
                      {"id", change.key.id},
                      {"kind", change.kind},
                      {"time", to_rfc3339(change.origin.time)}};
  if (!change.key.provider.empty()) record["provider"] = change.key.provider;
  if (!change.origin.source.empty()) record["source"] = change.origin.source;
  json::Object facts{{"after", change.after}, {"before", change.before}};
  if (const std::string text = json::to_text(facts); text.size() > PeopleChange::record_bytes_max) {
    record["sha256"] = crypto::to_hex(crypto::sha256(text));
    return record;
  }
  if (!change.before.empty()) record["before"] = std::move(facts["before"]);
  if (!change.after.empty()) record["after"] = std::move(facts["after"]);
  return record;
}

PeopleBook::PeopleBook(const PeopleBookOptions& options, PeopleRecords records)
    : options_(options), records_(std::make_unique<PeopleRecords>(std::move(records))) {
  index_ = PeopleIndex(*records_);
  conflicts_ = index_.conflicts();
}

Result<PeopleBook> PeopleBook::load(db::Database& database, const PeopleBookOptions& options) {
  auto records = load_people(database);
  if (!records) return std::unexpected(records.error());
  return PeopleBook(options, *std::move(records));
}

Result<void> PeopleBook::check_time(const Origin& origin, ListKind kind, Timestamp now) const {
  if (options_.ages.is_ahead(origin.time, now)) {
    return fail(Code::invalid, "a snapshot of " + origin.source + " as of " +
                                   to_rfc3339(origin.time) + ", which is a time to come");
  }
  const auto list = records_->lists.find({origin.source, kind});
  if (list == records_->lists.end()) return {};
  const Timestamp last = list->second.time;
  if (options_.ages.is_ahead(last, now) || last <= origin.time) return {};
  return fail(Code::conflict, "a snapshot of " + origin.source + " as of " +
                                  to_rfc3339(origin.time) + ", and one as of " + to_rfc3339(last) +
                                  " is known");
}

template <class Record>
void PeopleBook::apply_records(std::map<DirectoryKey, Record>& held, std::vector<Record> said,
                               const std::string& provider, bool all, const Origin& origin,
                               Timestamp now, Applied& applied) {
  const Merging merging{.origin = origin, .whole = all, .limits = options_.ages, .now = now};
  std::set<DirectoryKey> present;
  for (Record& record : said) {
    const DirectoryKey key = key_of(record);
    if (all) present.insert(key);
    const auto found = held.find(key);
    const bool is_new = found == held.end();
    Record& target = is_new ? held.emplace(key, blank_of(record)).first->second : found->second;
    Merged merged = merge(target, std::move(record), merging);
    if (merged.row || is_new) applied.rows.push_back(row_of(target));
    if (is_new || !merged.before.empty() || !merged.after.empty()) {
      tell(applied, target, is_new ? What::added : What::changed, std::move(merged), origin);
    }
  }
  if (!all) return;
  for (auto it = held.begin(); it != held.end();) {
    Record& record = it->second;
    if (it->first.provider != provider || present.contains(it->first)) {
      ++it;
      continue;
    }
    Merged merged = merge(record, blank_of(record), merging);
    const bool stays = is_told(record);
    if (merged.row || !stays) {
      applied.rows.push_back(stays ? row_of(record) : removed_row_of(record));
    }
    if (!merged.before.empty() || !stays) {
      tell(applied, record, stays ? What::changed : What::removed, std::move(merged), origin);
    }
    it = stays ? std::next(it) : held.erase(it);
  }
}

void PeopleBook::set_list(const ListKey& key, const std::string& provider, Timestamp time,
                          Applied& applied) {
  const ListState state{.provider = provider, .time = time};
  records_->lists[key] = state;
  applied.rows.push_back(list_row(key, state));
}

void PeopleBook::index(const Origin& origin, Applied& applied) {
  index_ = PeopleIndex(*records_);
  std::set<std::string> conflicts = index_.conflicts();
  const auto add = [&](const std::set<std::string>& these, const std::set<std::string>& those,
                       What what) {
    for (const std::string& one : these) {
      if (those.contains(one)) continue;
      applied.changes.push_back(
          {.kind = "conflict", .key = {.id = one}, .what = what, .origin = origin});
    }
  };
  add(conflicts, conflicts_, What::arose);
  add(conflicts_, conflicts, What::settled);
  conflicts_ = std::move(conflicts);
}

Result<Applied> PeopleBook::apply(DirectorySnapshot snapshot, Timestamp now) {
  const Origin& origin = snapshot.origin;
  const bool has_accounts = snapshot.all_accounts || !snapshot.accounts.empty();
  const bool has_groups = snapshot.all_groups || !snapshot.groups.empty();
  if (has_accounts) {
    if (auto good = check_time(origin, ListKind::accounts, now); !good) {
      return std::unexpected(good.error());
    }
  }
  if (has_groups) {
    if (auto good = check_time(origin, ListKind::groups, now); !good) {
      return std::unexpected(good.error());
    }
  }
  if (auto room = check_room(records_->accounts, snapshot.accounts, options_.accounts_max); !room) {
    return std::unexpected(room.error());
  }
  if (auto room = check_room(records_->groups, snapshot.groups, options_.groups_max); !room) {
    return std::unexpected(room.error());
  }
  Applied applied;
  apply_records(records_->accounts, std::move(snapshot.accounts), snapshot.provider,
                snapshot.all_accounts, origin, now, applied);
  apply_records(records_->groups, std::move(snapshot.groups), snapshot.provider,
                snapshot.all_groups, origin, now, applied);
  for (const auto& [kind, all] : {std::pair{ListKind::accounts, snapshot.all_accounts},
                                  std::pair{ListKind::groups, snapshot.all_groups}}) {
    if (all) set_list({origin.source, kind}, snapshot.provider, origin.time, applied);
  }
  index(origin, applied);
  return applied;
}

Result<Applied> PeopleBook::apply(Register people, Timestamp now) {
  const Origin& origin = people.origin;
  if (auto good = check_time(origin, ListKind::people, now); !good) {
    return std::unexpected(good.error());
  }
  if (auto room = check_room(records_->people, people.people, options_.people_max); !room) {
    return std::unexpected(room.error());
  }
  Applied applied;
  apply_records(records_->people, std::move(people.people), "", true, origin, now, applied);
  set_list({origin.source, ListKind::people}, "", origin.time, applied);
  index(origin, applied);
  return applied;
}

}  // namespace mailwarden::identity
