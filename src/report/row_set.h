// The questions that a report asks of a store, and the rows that answer them.
//
// What     Every figure of a report comes of row sets, and a row set of one question: an SQL text
//          with its parameters that anybody may ask again. ask() asks it and tells each row as a
//          JSON object. A row set is named by its SHA-256: that of its rows as canonical JSON, each
//          with a line feed behind it. Rows that are ledger entries hold record, salt and leaf, so
//          that each is evidence by itself; over their leaves there is a second SHA-256, since
//          leaves stay when a record is erased.
// Owns     Nothing.
// Threads  As the Database passed in.
// Errors   As Database; corrupt where a stored row cannot be read.
// Limits   RowLimits. A row set of more is counted and hashed, and its rows are not kept.
// Source   RFC 8785 (canonical JSON), RFC 4180 (CSV).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/sha256.h"
#include "db/database.h"
#include "json/value.h"
#include "ledger/ledger.h"

namespace mailwarden::report {

// How a column of the answer is read.
enum class Cell { integer, text, time, object, hash };

struct Field {
  std::string_view name;
  Cell cell = Cell::integer;
};

enum class Stays {
  always,    // ledger entries, or what is counted up to an entry: the same for ever
  standing,  // as it was when the report was made; later entries may have changed it
};

struct Question {
  std::string_view name;   // of the row set and its CSV
  std::string_view about;  // what its rows are, for a reader
  std::string_view sql;
  std::string_view kind;        // of ledger entries: the first parameter; "" for other tables
  bool from_beginning = false;  // all up to `end`, which is the only parameter
  Stays stays = Stays::always;
  std::span<const Field> fields;  // of the answer's columns, the first one tells rows apart
  std::span<const std::string_view> cells;  // columns of the CSV: fields, or members of an object
  // Where rows of another table than the ledger's are personal: its name, and for each of its
  // personal columns the field that it stands in, or -1. The first field is the table's key.
  std::string_view personal_table = {};
  std::span<const int> personal_fields = {};
};

// Those of the report of that kind ("audit", "retention"), in its order.
std::vector<const Question*> questions_of(std::string_view report);
// nullptr where there is none of that name.
const Question* find_question(std::string_view report, std::string_view name);

struct RowLimits {
  std::int64_t rows_max = 10'000;
  std::size_t bytes_max = 4 * 1024 * 1024;  // of the rows as JSON
  std::size_t csv_bytes_max = 256 * 1024 * 1024;
};

struct RowSet {
  const Question* question = nullptr;
  json::Array parameters;
  std::int64_t count = 0;
  std::int64_t erased = 0;  // ledger entries among them without a record
  crypto::Digest digest{};
  std::optional<crypto::Digest> leaves;
  std::optional<json::Array> rows;  // nothing where they are more than the limits
  std::optional<std::string> csv;
};

using EachRow = std::function<void(const json::Value& row)>;

Result<RowSet> ask(db::Database& database, const Question& question,
                   const ledger::EntryRange& entries, const RowLimits& limits, const EachRow& each);

// As a report holds it.
json::Object to_json(const RowSet& rows);

// The two digests and the CSV, from rows that somebody has.
struct RowDigests {
  crypto::Digest rows{};
  crypto::Digest leaves{};
};
RowDigests digests_of(const json::Array& rows);
std::string csv_of(const Question& question, const json::Array& rows);

}  // namespace mailwarden::report
