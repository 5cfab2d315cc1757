// Where people, accounts and groups are kept.
//
// What     A row a record, with its facts and who told them; a row a list of a source, with the
//          time of its last snapshot, so that one which says the same again writes that row alone.
// Owns     Tables identity_person, identity_account, identity_group, identity_source. All that is
//          known of a person stands in these, and in no index over them.
// Threads  As the Database passed in.
// Errors   As Database; corrupt where a stored row cannot be read back.
// Limits   None of its own.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "db/database.h"
#include "db/sealing.h"
#include "identity/person.h"

namespace mailwarden::identity {

std::span<const db::Migration> migrations();
std::span<const db::PersonalTable> personal_tables();

enum class ListKind : std::uint8_t { people, accounts, groups };

// A list that a source tells as a whole.
struct ListKey {
  std::string source;
  ListKind kind = ListKind::people;

  auto operator<=>(const ListKey&) const = default;
};
struct ListState {
  std::string provider;  // "" for people
  Timestamp time;        // of the last snapshot that had all of it
};

struct PeopleRecords {
  std::map<DirectoryKey, Person> people;  // by no provider and the person's id
  std::map<DirectoryKey, Account> accounts;
  std::map<DirectoryKey, Group> groups;
  std::map<ListKey, ListState> lists;
};

// What is to be stored of one record or list; without a body it is removed.
struct PeopleRow {
  enum class Table : std::uint8_t { person, account, group, source };

  Table table = Table::person;
  DirectoryKey key;  // of a list: its source and its kind
  std::optional<std::string> body;

  bool operator==(const PeopleRow&) const = default;
};
// The table's name.
std::string_view table_of(const PeopleRow& row);
PeopleRow list_row(const ListKey& key, const ListState& state);

// Within the caller's transaction. Storing the same rows again changes nothing.
Result<void> store_rows(db::Database& database, std::span<const PeopleRow> rows);

// A sentence for each record of whose key and facts, as text, it says yes.
std::vector<std::string> mentions_of(const PeopleRecords& records,
                                     const std::function<bool(std::string_view)>& is_named);

Result<PeopleRecords> load_people(db::Database& database);

}  // namespace mailwarden::identity
