// Personal fields, as they stand in a store whose keys are kept elsewhere.
//
// What     A module names the personal columns of its tables. In a store with keys the values of a
//          row's personal columns are sealed together, as one text, which stands in the last of
//          them. The others hold a keyed index of their value, where rows are found by it, or
//          nothing. In a store without keys all of them hold what they are named for. Modules write
//          what to_stored() gives and read what to_plain() makes of it. Whether a store has keys is
//          decided when it is made.
// Owns     Nothing. Sealing is implemented by vault/, which owns the keys.
// Threads  Sealing: any. The functions as the Database passed in.
// Errors   not_found: a key of it was shredded, so the values are lost for ever. denied: it is
//          sealed and the Database has no keys, or the key-encryption key refuses. unavailable: the
//          key-encryption key is out of reach. corrupt: changed, or of another row.
// Limits   Vault's.
// Source   docs/encryption.md.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/database.h"

namespace mailwarden::db {

struct PersonalColumn {
  std::string_view name;
  bool indexed = false;  // rows are found by it
};

struct PersonalTable {
  std::string_view name;
  std::span<const std::string_view> key;    // columns that name a row
  std::span<const PersonalColumn> columns;  // the last one carries what is sealed
};

// Where a sealed text stands. The row is what row_name() makes of the key's columns as they are
// stored.
struct FieldPlace {
  std::string_view table;
  std::string_view column;
  std::string_view row;
};

class Sealing {
 public:
  virtual ~Sealing() = default;

  // Makes the keys of whom the values name, so that a batch of them costs one commit and not one a
  // person. seal() does without.
  virtual Result<void> expect(std::span<const std::string_view> values) = 0;
  // A text that begins with sealed_mark, sealed for all whom the value names. Does not wait for a
  // key-encryption key that is away.
  virtual Result<std::string> seal(const FieldPlace& place, std::string_view value) = 0;
  // The same for that one subject alone, whom the value need not name.
  virtual Result<std::string> seal_for(std::string_view subject, const FieldPlace& place,
                                       std::string_view value) = 0;
  virtual Result<std::string> open(const FieldPlace& place, std::string_view sealed) = 0;
  // 64 hexadecimal digits, which nobody can make without the keys; every byte of the value counts.
  virtual Result<std::string> index(std::string_view table, std::string_view column,
                                    std::string_view value) = 0;
};

// What is sealed is text: records in JSON, never beginning like this.
inline constexpr std::string_view sealed_mark = "sealed:";
inline bool is_sealed(std::string_view stored) {
  return stored.starts_with(sealed_mark);
}

// What readers see in place of what was erased.
inline constexpr std::string_view erased_text = "(erased)";

// "17" or "hr/7d0c": the values of the key's columns.
std::string row_name(std::initializer_list<std::string_view> key);
std::string row_name(std::span<const std::string_view> key);

// Of all personal columns in their order, `row` being the row's name; the last value stands in the
// last. to_plain() holds what stands in the others against what was sealed.
Result<std::vector<std::string>> to_stored(Database& database, const PersonalTable& table,
                                           std::string_view row,
                                           std::initializer_list<std::string_view> plain);
Result<std::vector<std::string>> to_plain(Database& database, const PersonalTable& table,
                                          std::string_view row,
                                          std::span<const std::string_view> stored);
inline Result<std::vector<std::string>> to_plain(Database& database, const PersonalTable& table,
                                                 std::string_view row,
                                                 std::initializer_list<std::string_view> stored) {
  return to_plain(database, table, row, std::span(stored.begin(), stored.size()));
}

// The same for a row of which the last column is known to be sealed.
Result<std::vector<std::string>> open_row(Database& database, const PersonalTable& table,
                                          std::string_view row, std::string_view sealed);

// What rows are found by: the value in a store without keys.
Result<std::string> to_index(Database& database, const PersonalTable& table,
                             std::string_view column, std::string_view value);

}  // namespace mailwarden::db
