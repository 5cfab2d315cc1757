// Issuing reports: building them, writing them down, and saying so.
//
// What     issue_due() writes the audit and the retention report of the time since they were last
//          issued, each as a bundle of files, unless the ledger has not grown since.
// Owns     Nothing.
// Threads  As the Database passed in.
// Errors   As Database and as write_file_durably(). A PDF that cannot be made is told, and the
//          bundle is without it.
// Limits   ReportOptions.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "crypto/ed25519.h"
#include "report/report.h"

namespace mailwarden::report {

struct IssueOptions {
  std::string folder;
  ledger::VerifierKey key;
  const crypto::Signer& signer;     // of manifests; it outlives the call
  std::string weasyprint;           // the program that makes PDFs; "" makes none
  std::function<bool()> cancelled;  // asked now and then; unavailable is answered where it is so
};

struct Issued {
  std::string kind;
  std::string file;      // name of the HTML; the JSON beside it ends with .json
  std::string digest;    // hex SHA-256 of the JSON
  std::string manifest;  // hex SHA-256 of the bundle's manifest
  std::string trouble;   // why there is no PDF, where there should be one
  Period period;
};

// The caller has sealed the ledger, and records each report that was issued.
Result<std::vector<Issued>> issue_due(db::Database& database,
                                      std::span<const privacy::RetentionPolicy> policies,
                                      const IssueOptions& options, Timestamp now);

json::Object to_record(const Issued& issued);

}  // namespace mailwarden::report
