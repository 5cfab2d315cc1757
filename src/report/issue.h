// Issuing reports: building them, writing them down, and saying so.
//
// What     issue_due() writes the audit and the retention report of the time since they were last
//          issued, each as HTML and JSON, unless the ledger has not grown since.
// Owns     Nothing.
// Threads  As the Database passed in.
// Errors   As Database and as write_file_durably().
// Limits   ReportOptions.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "report/report.h"

namespace mailwarden::report {

struct IssueOptions {
  std::string folder;
  ledger::VerifierKey key;
  std::function<bool()> cancelled;  // asked now and then; unavailable is answered where it is so
};

struct Issued {
  std::string kind;
  std::string file;    // name of the HTML; the JSON beside it ends with .json
  std::string digest;  // hex SHA-256 of the JSON
  Period period;
};

// The caller has sealed the ledger, and records each report that was issued.
Result<std::vector<Issued>> issue_due(db::Database& database,
                                      std::span<const privacy::RetentionPolicy> policies,
                                      const IssueOptions& options, Timestamp now);

json::Object to_record(const Issued& issued);

}  // namespace mailwarden::report
