#include "report/verify_store.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "ledger/ledger.h"
#include "report/check_rows.h"

namespace mailwarden::report {

Result<ledger::Verdict> verify_store(db::Database& database, ledger::VerifyOptions options) {
  auto damage = database.begin_reading(true);
  if (!damage) return std::unexpected(damage.error());
  const Reading reading(database);
  const auto sealed = ledger::is_sealed(database);
  // What cannot be read is told below.
  const bool is_closed = sealed && sealed->value_or(false) && database.sealing() == nullptr;
  Checks checks = is_closed ? closed_checks(database) : all_checks(database);
  options.check_record = std::move(checks.record);
  options.check_end = std::move(checks.end);
  auto verdict = ledger::verify(database, options);
  if (!verdict) {
    const bool is_damaged = verdict.error().code == Code::corrupt || !damage->empty();
    if (!is_damaged) return verdict;
    damage->push_back("it cannot be read: " + verdict.error().what);
    verdict = ledger::Verdict();
  }
  std::vector<ledger::Failure> failures;
  for (std::string& what : *damage) {
    failures.push_back({.place = "the database", .what = std::move(what)});
  }
  std::ranges::move(verdict->failures, std::back_inserter(failures));
  verdict->failures = std::move(failures);
  return verdict;
}

}  // namespace mailwarden::report
