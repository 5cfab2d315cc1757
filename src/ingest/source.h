// Where records come from.
//
// What     A Source hands out batches of records of one stream at a time, in the order in which
//          they stand there, together with the state of that stream after them. The state is
//          committed with what came of the records; after a restart the source is opened with the
//          committed states and goes on behind them. So a batch needs no acknowledgement of its
//          own, and one that was read but never committed is simply read again, under the same ids.
// Owns     A Source owns what it reads from.
// Threads  One thread, the reader.
// Errors   read() answers Error{io} or {denied} for what cannot be read now; calling again later
//          may succeed, and nothing is skipped in between.
// Limits   BatchLimits: a batch holds at most records_max records and ends at bytes_max bytes; a
//          line over record_bytes_max comes in pieces, each marked partial.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "crypto/sha256.h"
#include "event/event.h"

namespace mailwarden::ingest {

// A run of bytes by its length and hash, to tell whether a file is still the one it was.
struct Fingerprint {
  std::int64_t length = 0;
  crypto::Digest hash{};

  bool operator==(const Fingerprint&) const = default;
};

// One generation of one file (or one run of standard input), and how far it has been read.
struct StreamState {
  std::int64_t stream = 0;
  std::string source;
  std::string path;
  std::int64_t generation = 1;  // counts the streams that this source has begun under this path
  std::int64_t device = 0;
  std::int64_t inode = 0;
  std::int64_t birth = 0;     // microseconds, 0 where the file system does not tell
  std::int64_t position = 0;  // the next byte to read
  Fingerprint head;           // of the first bytes
  Fingerprint tail;           // of the last bytes before `position`
  bool finished = false;      // nothing more will come: rotated away and read to its end

  bool operator==(const StreamState&) const = default;
};

// The stream's number, the same for the same source, path and generation in every run.
std::int64_t stream_number(std::string_view source, std::string_view path, std::int64_t generation);

// Something that may have been missed, for the ledger; one sentence.
struct Gap {
  std::string source;
  std::string what;

  bool operator==(const Gap&) const = default;
};

struct RecordBatch {
  std::optional<StreamState> after;  // nothing where the batch tells gaps alone
  std::vector<RawRecord> records;
  std::vector<Gap> gaps;  // noticed just before these records
};

struct BatchLimits {
  std::size_t records_max = 256;
  std::size_t bytes_max = 1024 * 1024;
  std::size_t record_bytes_max = 64 * 1024;
};

class Source {
 public:
  virtual ~Source() = default;

  virtual const std::string& name() const = 0;
  // The next batch, or nothing when the present end is reached. A batch without records tells a
  // change of state alone. With `at_end` the last line counts as whole even without a line feed.
  virtual Result<std::optional<RecordBatch>> read(Timestamp now, bool at_end) = 0;
};

}  // namespace mailwarden::ingest
