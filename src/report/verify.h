// Whether a report is what it says.
//
// What     check_report() needs the report and the public key alone: that the checkpoint is signed,
//          that each row set has the digest that is told of it, that the rows stand in the log of
//          the checkpoint, and that every figure comes of the rows. check_against() asks a store
//          again, at the entries that the report rests on, and says which row set differs and in
//          which rows. What was removed or has gone on since is told as a note, since it makes no
//          report false.
// Owns     Nothing.
// Threads  check_report() is pure; check_against() as the Database passed in.
// Errors   Error only where the store cannot be read; what is wrong is in the ReportVerdict.
// Limits   failures_max of what is wrong is told, rows_named_max rows of a set by name.
// Source   RFC 6962; C2SP tlog-checkpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "json/value.h"
#include "ledger/note.h"
#include "ledger/verify.h"

namespace mailwarden::report {

inline constexpr std::size_t rows_named_max = 10;
inline constexpr std::size_t report_bytes_max = std::size_t{512} * 1024 * 1024;

struct ReportVerdict {
  std::vector<ledger::Failure> failures;
  std::vector<std::string> notes;  // true, and worth knowing: what was not checked or is gone
  std::int64_t row_sets = 0;       // whose digests were held against rows
  std::int64_t rows = 0;
  std::int64_t proven = 0;  // rows that were shown to stand in the log of the checkpoint

  bool good() const { return failures.empty(); }
  void fail(std::string place, std::string what);
};

Result<json::Value> read_report(std::string_view text);

ReportVerdict check_report(const json::Value& report, const ledger::VerifierKey& key);

struct StoreCheck {
  ledger::VerifierKey key;
  std::string digest;  // hex SHA-256 of the report's file, by which its entry is found
  std::function<void(std::int64_t entries)> progress;
};
Result<void> check_against(db::Database& database, const json::Value& report,
                           const StoreCheck& check, ReportVerdict& verdict);

json::Object to_json(const ReportVerdict& verdict);
// For people: what was checked, then each failure and each note on a line of its own.
std::string to_words(const ReportVerdict& verdict);

}  // namespace mailwarden::report
