// Cuts a file descriptor's bytes into records.
//
// What     A LineReader reads on from a position and hands out one line a call, without its line
//          feed (and without the carriage return before it). It keeps what it has read and not
//          handed out.
// Owns     Its buffer; the descriptor is the caller's.
// Threads  One.
// Errors   Error{io} with the system's reason; the position stays where it was.
// Limits   A line over record_bytes_max comes in pieces of that size, each marked partial.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace mailwarden::ingest {

struct Line {
  std::int64_t position = 0;  // of its first byte
  std::string bytes;
  bool partial = false;
};

class LineReader {
 public:
  // With `seekable` bytes are read at their position (pread), else in the order they come.
  LineReader(int descriptor, std::int64_t position, std::size_t record_bytes_max, bool seekable);

  // Nothing: the present end is reached and what is left is not a whole line. `at_end` takes what
  // is left as a line, and waits for the writer's end where bytes come through a pipe.
  Result<std::optional<Line>> next(bool at_end);
  // Behind the last line handed out.
  std::int64_t position() const { return position_; }
  // Whether the writer at the other end of a pipe has closed it.
  bool ended() const { return ended_; }

 private:
  std::optional<Line> take(std::size_t bytes, std::size_t skip, bool partial);
  Result<std::size_t> fill(bool wait);

  int descriptor_;
  std::int64_t position_;
  std::size_t record_bytes_max_;
  bool seekable_;
  std::string buffer_;
  std::size_t begin_ = 0;     // of what has not been handed out
  std::size_t searched_ = 0;  // bytes from begin_ known to hold no line feed
  bool inside_long_line_ = false;
  bool ended_ = false;
};

}  // namespace mailwarden::ingest
