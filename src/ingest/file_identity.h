// What tells one file from another.
//
// What     Object names a file by device, inode and birth; fingerprints tell whether its bytes are
//          the ones that were read.
// Owns     Nothing.
// Threads  Any.
// Errors   open_regular(): not_found, denied, invalid (not a regular file), io.
// Limits   Fingerprints read at most FileSource::fingerprint_bytes.
#pragma once

#include <cstdint>
#include <string>

#include "base/files.h"
#include "base/result.h"
#include "ingest/source.h"

namespace mailwarden::ingest {

struct FileStatus {
  std::int64_t device = 0;
  std::int64_t inode = 0;
  std::int64_t birth = 0;     // microseconds; 0 where the file system does not tell
  std::int64_t modified = 0;  // microseconds
  std::int64_t size = 0;
  std::int64_t names = 0;  // hard links; 0 for a file that was removed while open

  bool operator==(const FileStatus&) const = default;
};

// Opens a regular file for reading; never waits on a pipe or a device.
Result<Descriptor> open_regular(const std::string& path);
Result<FileStatus> status_of(int descriptor);

// Of the `length` bytes that end before `end`.
Result<Fingerprint> fingerprint(int descriptor, std::int64_t end, std::int64_t length);
// Whether the file still begins as the state says and has the same bytes before its position.
bool holds(int descriptor, const FileStatus& status, const StreamState& state);
bool same_object(const FileStatus& status, const StreamState& state);
// By its first bytes: gzip, xz, zstd, bzip2.
bool is_compressed(int descriptor);

}  // namespace mailwarden::ingest
