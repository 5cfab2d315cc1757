// A personal table of a store, as a walk goes through it.
//
// What     The SealedTable of any db::PersonalTable: its rows in the order of their key, the pieces
//          of the text in the last personal column as values, and the text put together again
//          where some of them were sealed anew. Rows whose text is NULL or not sealed are passed
//          over; one that begins as sealed and cannot be read counts as a spoilt value.
// Owns     The rows of the last after(), which replace() changes.
// Threads  The Database's.
// Errors   make(): invalid, where the store has no such table or column, or the key has a column
//          that is neither integer nor text. after(): corrupt, where the cursor is not one of this
//          table. Others as Database.
// Limits   None of its own: as many rows as it is asked for are held at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "db/sealing.h"
#include "vault/vault.h"

namespace mailwarden::vault {

class StoredTable final : public SealedTable {
 public:
  static Result<StoredTable> make(db::Database& database, const db::PersonalTable& table);

  std::string_view name() const override { return name_; }
  Result<SealedRows> after(const std::string& cursor, std::size_t rows_max) override;
  Result<void> replace(std::span<const Resealed> values) override;

 private:
  using Key = std::vector<std::string>;  // a text for each of its columns

  struct Row {
    Key key;
    std::string text;
    std::vector<crypto::Bytes> envelopes;
  };
  struct Slot {
    std::size_t row = 0;
    std::size_t piece = 0;
  };

  StoredTable(db::Database& database, const db::PersonalTable& table,
              std::vector<db::Column> key_columns);

  std::string key_list() const;
  Key read_key(const db::Statement& row) const;
  Result<Key> read_cursor(std::string_view cursor) const;
  Result<std::vector<db::Value>> values_of(const Key& key) const;
  void add_pieces(SealedRows& rows, Key key, std::string text);
  Result<void> write(const Row& row, std::string_view text);

  db::Database* database_;
  std::string name_;
  std::string column_;
  std::vector<db::Column> key_columns_;
  std::vector<Row> rows_;
  std::vector<Slot> slots_;
};

}  // namespace mailwarden::vault
