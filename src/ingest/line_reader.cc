#include "ingest/line_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <unistd.h>

namespace mailwarden::ingest {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{256} * 1024;

}  // namespace

LineReader::LineReader(int descriptor, std::int64_t position, std::size_t record_bytes_max,
                       bool seekable)
    : descriptor_(descriptor),
      position_(position),
      record_bytes_max_(record_bytes_max),
      seekable_(seekable) {}

std::optional<Line> LineReader::take(std::size_t bytes, std::size_t skip, bool partial) {
  Line line{.position = position_, .bytes = buffer_.substr(begin_, bytes), .partial = partial};
  if (!partial && line.bytes.ends_with('\r')) line.bytes.pop_back();
  begin_ += bytes + skip;
  position_ += static_cast<std::int64_t>(bytes + skip);
  searched_ = 0;
  return line;
}

Result<std::size_t> LineReader::fill(bool wait) {
  if (!seekable_ && !wait) {
    struct pollfd ready = {.fd = descriptor_, .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, 0) == 0) return std::size_t{0};
  }
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t held = buffer_.size();
  const auto offset = position_ + static_cast<std::int64_t>(held);
  ssize_t got = 0;
  buffer_.resize_and_overwrite(held + chunk_bytes, [&](char* bytes, std::size_t) {
    do {
      got = seekable_ ? ::pread(descriptor_, bytes + held, chunk_bytes, offset)
                      : ::read(descriptor_, bytes + held, chunk_bytes);
    } while (got < 0 && errno == EINTR);
    return held + static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  });
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::size_t{0};
  if (got < 0) return fail(Code::io, std::strerror(errno));
  ended_ = ended_ || (got == 0 && !seekable_);
  return static_cast<std::size_t>(got);
}

Result<std::optional<Line>> LineReader::next(bool at_end) {
  while (true) {
    const std::size_t held = buffer_.size() - begin_;
    const void* const found =
        std::memchr(buffer_.data() + begin_ + searched_, '\n', held - searched_);
    if (found != nullptr) {
      const auto length =
          static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data()) - begin_;
      if (length > record_bytes_max_) {
        inside_long_line_ = true;
        return take(record_bytes_max_, 0, true);
      }
      return take(length, 1, std::exchange(inside_long_line_, false));
    }
    searched_ = held;
    if (held > record_bytes_max_) {
      inside_long_line_ = true;
      return take(record_bytes_max_, 0, true);
    }
    const auto got = fill(at_end);
    if (!got) return std::unexpected(got.error());
    if (*got > 0) continue;
    if (held == 0 || !(at_end || ended_)) return std::nullopt;
    return take(held, 0, std::exchange(inside_long_line_, false));
  }
}

}  // namespace mailwarden::ingest
