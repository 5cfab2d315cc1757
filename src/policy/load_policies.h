// Reads the policies that are to be in force.
//
// What     Files of policies (`*.cedar` as text, `*.cedar.json` as JSON) and one schema
//          (`*.cedarschema` or `*.cedarschema.json`), of paths and folders. Policies of all files
//          are one set; one's id is its annotation @id, or "policy" and its number over all files.
//          With a schema every policy must pass strict validation.
// Owns     Nothing.
// Threads  Any.
// Errors   Error{invalid} with every mistake of all files, a sentence a line; Error{not_found}.
// Limits   ParseOptions; files of file_bytes_max.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "policy/policy_set.h"
#include "policy/schema.h"
#include "policy/validate.h"

namespace mailwarden::policy {

struct Loaded {
  std::shared_ptr<const PolicySet> policies;
  std::shared_ptr<const Schema> schema;  // null where there is none
  std::string hash;                      // SHA-256 over the names and texts of all files
  std::vector<std::string> warnings;     // sentences; of policies that never apply
};

struct LoadOptions {
  std::vector<std::string> paths;  // of policies; folders may hold the schema too
  std::string schema;              // "" for what stands in the folders
  bool needs_schema = false;
  ParseOptions parse;
  ValidateOptions validate;
  static constexpr std::size_t file_bytes_max = 16 * 1024 * 1024;
};

Result<Loaded> load_policies(const LoadOptions& options);
// Of a text or a JSON file by its name.
Result<Schema> read_schema(const std::string& path);

}  // namespace mailwarden::policy
