// Reads records from standard input, or from any descriptor that cannot be read again.
//
// What     Each run is a stream of its own: what was handed out and not committed when the process
//          died is gone with the pipe, which is why files are the better source.
// Owns     Nothing; the descriptor is the caller's.
// Threads  The reader thread.
// Errors   Error{io} with the system's reason.
// Limits   BatchLimits.
#pragma once

#include <string>
#include <vector>

#include "ingest/line_reader.h"
#include "ingest/source.h"

namespace mailwarden::ingest {

struct PipeSourceOptions {
  std::string name;
  int descriptor = 0;
  BatchLimits batch;
};

class PipeSource final : public Source {
 public:
  PipeSource(PipeSourceOptions options, const std::vector<StreamState>& committed);

  const std::string& name() const override { return options_.name; }
  Result<std::optional<RecordBatch>> read(Timestamp now, bool at_end) override;

 private:
  PipeSourceOptions options_;
  StreamState state_;
  LineReader reader_;
};

}  // namespace mailwarden::ingest
