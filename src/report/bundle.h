// A report as files that belong together.
//
// What     A bundle NAME is NAME.json and NAME.html, NAME.SET.csv for each row set, NAME.pdf where
//          one is made, and NAME.manifest.json: the SHA-256 and the size of each of them, and the
//          checkpoint. NAME.manifest.json.sig is a signature of the ledger's key over the bytes of
//          the manifest, as one signature line of a C2SP signed note: the manifest, an empty line
//          and this line are a signed note that any reader of such notes opens.
// Owns     Nothing.
// Threads  Pure, but for the files.
// Errors   Those of write_file_durably().
// Limits   files_max files in a bundle.
// Source   C2SP signed-note v1.0.0.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "crypto/ed25519.h"
#include "json/value.h"
#include "report/verify.h"

namespace mailwarden::report {

inline constexpr std::size_t files_max = 100;

struct BundleFile {
  std::string ending;  // behind the bundle's name: ".json"
  std::string digest;  // hex SHA-256
  std::size_t bytes = 0;
};

class BundleWriter {
 public:
  // `path` is the folder and the bundle's name.
  explicit BundleWriter(std::string path) : path_(std::move(path)) {}

  // Whole or not at all.
  Result<void> write(const std::string& ending, std::string_view bytes);
  // Last of all, so that a bundle with a manifest is complete. Its hex SHA-256.
  Result<std::string> seal(const json::Value& report, const std::string& origin,
                           const crypto::Signer& signer);

 private:
  std::string path_;
  std::vector<BundleFile> files_;
};

// The manifest beside the report's file, where there is one, and every file that it names or
// should.
void check_bundle(const std::string& report_file, const json::Value& report,
                  const ledger::VerifierKey& key, ReportVerdict& verdict);

}  // namespace mailwarden::report
