// A log that is read from elsewhere: over HTTP, or out of a folder with the same paths.
//
// What     check_log() reads a log's newest checkpoint, every tile and every bundle of entries, and
//          tells what does not belong together; with an older checkpoint also whether the log has
//          gone on from there. It needs the public key alone, and a few hashes of memory.
// Owns     Nothing.
// Threads  Pure but for the function that fetches.
// Errors   Those of that function, where no more can be told; what is wrong with the log is among
//          the verdict's failures.
// Limits   failures_max failures are told.
// Source   C2SP tlog-tiles, tlog-checkpoint.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ledger/note.h"
#include "ledger/verify.h"

namespace mailwarden::ledger {

// The bytes at "checkpoint", "tile/0/000": not_found where there is nothing.
using FetchPart = std::function<Result<std::string>(const std::string& path)>;

// Of a folder.
FetchPart folder_log(const std::string& path);

struct LogCheck {
  VerifierKey key;
  std::vector<VerifierKey> more_keys;  // that are believed like the first
  std::optional<std::string> from;     // a checkpoint's note, kept elsewhere
  bool entries = true;                 // hold bundles of entries against the leaves
  std::function<void(std::int64_t entries)> progress;
};

// Entries, failures; the log's checkpoint counts as one.
Result<Verdict> check_log(const FetchPart& fetch, const LogCheck& check);

}  // namespace mailwarden::ledger
