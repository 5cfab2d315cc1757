#include "identity/people_table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "identity/fact_json.h"
#include "identity/person_fields.h"
#include "json/value.h"

namespace mailwarden::identity {
namespace {

constexpr std::array steps{db::Migration{"identity", 1, R"sql(
CREATE TABLE identity_person (
  provider TEXT NOT NULL,
  id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (provider, id)
);
CREATE TABLE identity_account (
  provider TEXT NOT NULL,
  id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (provider, id)
);
CREATE TABLE identity_group (
  provider TEXT NOT NULL,
  id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (provider, id)
);
CREATE TABLE identity_source (
  provider TEXT NOT NULL,
  id TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (provider, id)
);
)sql"}};

constexpr std::array list_kinds{std::pair{ListKind::people, std::string_view("people")},
                                std::pair{ListKind::accounts, std::string_view("accounts")},
                                std::pair{ListKind::groups, std::string_view("groups")}};

// In the order of PeopleRow::Table.
constexpr std::array<std::string_view, 4> tables{"identity_person", "identity_account",
                                                 "identity_group", "identity_source"};

constexpr std::array<std::string_view, 2> key{"provider", "id"};
constexpr std::array personal_columns{db::PersonalColumn{"id", true}, db::PersonalColumn{"body"}};
constexpr std::array personal{db::PersonalTable{tables[0], key, personal_columns},
                              db::PersonalTable{tables[1], key, personal_columns},
                              db::PersonalTable{tables[2], key, personal_columns}};

// Nothing of the table of lists, which tells of nobody.
const db::PersonalTable* personal_of(std::string_view table) {
  const auto* const found = std::ranges::find(personal, table, &db::PersonalTable::name);
  return found == personal.end() ? nullptr : found;
}

// Key and body as they are stored.
struct Stored {
  std::string id;
  std::string body;
};

Result<Stored> stored_row(db::Database& database, const PeopleRow& row) {
  Stored stored{.id = row.key.id, .body = row.body.value_or("")};
  const db::PersonalTable* const table = personal_of(table_of(row));
  if (table == nullptr || database.sealing() == nullptr) return stored;
  auto index = db::to_index(database, *table, "id", row.key.id);
  if (!index) return std::unexpected(index.error());
  stored.id = *std::move(index);
  if (!row.body) return stored;
  auto sealed = db::to_stored(database, *table, db::row_name({row.key.provider, stored.id}),
                              {row.key.id, *row.body});
  if (!sealed) return std::unexpected(sealed.error());
  stored.body = std::move((*sealed)[1]);
  return stored;
}

std::unexpected<Error> damaged(const DirectoryKey& key) {
  return fail(Code::corrupt,
              "the stored record '" + key.provider + "', '" + key.id + "' of people is damaged");
}

// Calls `take` with the key and the body of each row.
template <class Take>
Result<void> each_row(db::Database& database, std::string_view table, Take take) {
  const auto rows = database.query("SELECT provider, id, body FROM " + std::string(table) +
                                   " ORDER BY provider, id");
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    const DirectoryKey stored{std::string((*rows)->text(0)), std::string((*rows)->text(1))};
    if (personal_of(table) == nullptr) {
      if (!take(stored, (*rows)->text(2))) return damaged(stored);
      continue;
    }
    const auto plain =
        db::to_plain(database, *personal_of(table), db::row_name({stored.provider, stored.id}),
                     {stored.id, (*rows)->text(2)});
    // Whoever was erased is known when the directory tells of them again.
    if (!plain && plain.error().code == Code::not_found) continue;
    if (!plain) return std::unexpected(plain.error());
    if (!take(DirectoryKey{stored.provider, (*plain)[0]}, (*plain)[1])) return damaged(stored);
  }
}

void set_key(Person& person, const DirectoryKey& key) {
  person.id = key.id;
}
template <class Record>
void set_key(Record& record, const DirectoryKey& key) {
  record.key = key;
}

// A fact is as new as the last snapshot of its source's list that left it as it was.
template <class Record>
void refresh(Record& record, ListKind kind, const std::map<ListKey, ListState>& lists) {
  each_field<Record>([&](const auto& field) {
    auto& fact = record.*field.member;
    if (!fact) return;
    const auto list = lists.find(ListKey{fact->source, kind});
    if (list != lists.end()) fact->time = std::max(fact->time, list->second.time);
  });
}

template <class Record>
Result<void> load_records(db::Database& database, std::string_view table, ListKind kind,
                          const std::map<ListKey, ListState>& lists,
                          std::map<DirectoryKey, Record>& records) {
  return each_row(database, table, [&](const DirectoryKey& key, std::string_view body) {
    Record& record = records[key];
    set_key(record, key);
    if (!read_facts(body, record)) return false;
    refresh(record, kind, lists);
    return true;
  });
}

bool read_list(const DirectoryKey& key, std::string_view body,
               std::map<ListKey, ListState>& lists) {
  const auto* const kind =
      std::ranges::find(list_kinds, key.id, [](const auto& one) { return one.second; });
  const auto value = json::parse(body);
  if (kind == list_kinds.end() || !value) return false;
  const auto time = parse_rfc3339(value->text("time"));
  if (!time) return false;
  lists[{key.provider, kind->first}] = {.provider = value->text("provider"), .time = *time};
  return true;
}

}  // namespace

std::span<const db::Migration> migrations() {
  return steps;
}

std::span<const db::PersonalTable> personal_tables() {
  return personal;
}

std::string_view table_of(const PeopleRow& row) {
  return tables.at(static_cast<std::size_t>(row.table));
}

PeopleRow list_row(const ListKey& key, const ListState& state) {
  const auto* const kind =
      std::ranges::find(list_kinds, key.kind, [](const auto& one) { return one.first; });
  return {.table = PeopleRow::Table::source,
          .key = {key.source, std::string(kind->second)},
          .body = json::to_text(
              json::Object{{"provider", state.provider}, {"time", to_rfc3339(state.time)}})};
}

Result<void> store_rows(db::Database& database, std::span<const PeopleRow> rows) {
  for (const PeopleRow& row : rows) {
    const std::string table(table_of(row));
    const std::string_view provider = row.key.provider;
    const auto stored = stored_row(database, row);
    if (!stored) return std::unexpected(stored.error());
    const std::string_view id = stored->id;
    auto done = row.body ? database.run("INSERT INTO " + table +
                                            " (provider, id, body) VALUES ($1, $2, $3)"
                                            " ON CONFLICT (provider, id) DO UPDATE SET body = $3",
                                        {provider, id, std::string_view(stored->body)})
                         : database.run("DELETE FROM " + table + " WHERE provider = $1 AND id = $2",
                                        {provider, id});
    if (!done) return done;
  }
  return {};
}

namespace {

using IsNamed = std::function<bool(std::string_view)>;

template <class Record>
void add_mentions(std::vector<std::string>& found, const std::map<DirectoryKey, Record>& records,
                  std::string_view kind, const IsNamed& is_named) {
  for (const auto& [key, record] : records) {
    if (!is_named(key.id + " " + to_text(record))) continue;
    found.push_back("the " + std::string(kind) + " '" + key.id + "' " +
                    (key.provider.empty() ? "" : "of '" + key.provider + "' ") +
                    "is known and names them");
  }
}

}  // namespace

std::vector<std::string> mentions_of(const PeopleRecords& records, const IsNamed& is_named) {
  std::vector<std::string> found;
  add_mentions(found, records.people, "person", is_named);
  add_mentions(found, records.accounts, "account", is_named);
  add_mentions(found, records.groups, "group", is_named);
  return found;
}

Result<PeopleRecords> load_people(db::Database& database) {
  PeopleRecords records;
  const auto read = [&](const DirectoryKey& key, std::string_view body) {
    return read_list(key, body, records.lists);
  };
  if (auto done = each_row(database, "identity_source", read); !done) {
    return std::unexpected(done.error());
  }
  const auto& lists = records.lists;
  if (auto done =
          load_records(database, "identity_person", ListKind::people, lists, records.people);
      !done) {
    return std::unexpected(done.error());
  }
  if (auto done =
          load_records(database, "identity_account", ListKind::accounts, lists, records.accounts);
      !done) {
    return std::unexpected(done.error());
  }
  if (auto done = load_records(database, "identity_group", ListKind::groups, lists, records.groups);
      !done) {
    return std::unexpected(done.error());
  }
  return records;
}

}  // namespace mailwarden::identity
