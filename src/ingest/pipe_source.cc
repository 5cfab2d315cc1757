#include "ingest/pipe_source.h"

#include <algorithm>

namespace mailwarden::ingest {

PipeSource::PipeSource(PipeSourceOptions options, const std::vector<StreamState>& committed)
    : options_(std::move(options)),
      reader_(options_.descriptor, 0, options_.batch.record_bytes_max, false) {
  state_.source = options_.name;
  state_.path = "-";
  for (const StreamState& state : committed) {
    state_.generation = std::max(state_.generation, state.generation + 1);
  }
  state_.stream = stream_number(state_.source, state_.path, state_.generation);
}

Result<std::optional<RecordBatch>> PipeSource::read(Timestamp now, bool at_end) {
  RecordBatch batch;
  std::size_t bytes = 0;
  while (batch.records.size() < options_.batch.records_max && bytes < options_.batch.bytes_max) {
    auto line = reader_.next(at_end);
    if (!line) return fail(options_.name, line.error());
    if (!*line) break;
    bytes += (*line)->bytes.size();
    batch.records.push_back({.id = {state_.stream, (*line)->position},
                             .source = options_.name,
                             .bytes = std::move((*line)->bytes),
                             .received = now,
                             .partial = (*line)->partial});
  }
  const bool ended = reader_.ended() && !state_.finished;
  if (batch.records.empty() && (!ended || state_.position == 0)) return std::nullopt;
  state_.position = reader_.position();
  state_.finished = reader_.ended();
  batch.after = state_;
  return batch;
}

}  // namespace mailwarden::ingest
