#include "ingest/file_identity.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace mailwarden::ingest {
namespace {

std::int64_t microseconds(const struct statx_timestamp& at) {
  return at.tv_sec * 1'000'000 + at.tv_nsec / 1000;
}

Code code_of(int error) {
  if (error == ENOENT || error == ENOTDIR) return Code::not_found;
  if (error == EACCES || error == EPERM) return Code::denied;
  return Code::io;
}

}  // namespace

Result<Descriptor> open_regular(const std::string& path) {
  Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (descriptor.number() < 0) {
    const int error = errno;
    return fail(code_of(error), path + ": " + std::strerror(error));
  }
  struct stat status{};
  if (::fstat(descriptor.number(), &status) != 0) {
    return fail(Code::io, path + ": " + std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) return fail(Code::invalid, path + ": not a regular file");
  return descriptor;
}

Result<FileStatus> status_of(int descriptor) {
  struct statx status{};
  if (::statx(descriptor, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &status) != 0) {
    return fail(Code::io, std::strerror(errno));
  }
  const bool knows_birth = (status.stx_mask & STATX_BTIME) != 0;
  return FileStatus{
      .device = static_cast<std::int64_t>(makedev(status.stx_dev_major, status.stx_dev_minor)),
      .inode = static_cast<std::int64_t>(status.stx_ino),
      .birth = knows_birth ? microseconds(status.stx_btime) : 0,
      .modified = microseconds(status.stx_mtime),
      .size = static_cast<std::int64_t>(status.stx_size),
      .names = static_cast<std::int64_t>(status.stx_nlink)};
}

Result<Fingerprint> fingerprint(int descriptor, std::int64_t end, std::int64_t length) {
  std::string bytes(static_cast<std::size_t>(length), '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = ::pread(descriptor, bytes.data() + have, bytes.size() - have,
                                end - length + static_cast<std::int64_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Code::io, std::strerror(errno));
    if (got == 0) return fail(Code::io, "the file became shorter while it was read");
    have += static_cast<std::size_t>(got);
  }
  return Fingerprint{.length = length, .hash = crypto::sha256(bytes)};
}

bool holds(int descriptor, const FileStatus& status, const StreamState& state) {
  if (status.size < state.position) return false;
  const auto head = fingerprint(descriptor, state.head.length, state.head.length);
  const auto tail = fingerprint(descriptor, state.position, state.tail.length);
  return head && tail && *head == state.head && *tail == state.tail;
}

bool same_object(const FileStatus& status, const StreamState& state) {
  return status.device == state.device && status.inode == state.inode &&
         status.birth == state.birth;
}

bool is_compressed(int descriptor) {
  std::array<char, 6> bytes{};
  const ssize_t got = ::pread(descriptor, bytes.data(), bytes.size(), 0);
  const std::string_view begin(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  using namespace std::string_view_literals;
  return begin.starts_with("\x1F\x8B"sv) || begin.starts_with("\xFD\x37zXZ\0"sv) ||
         begin.starts_with("\x28\xB5\x2F\xFD"sv) || begin.starts_with("BZh"sv);
}

}  // namespace mailwarden::ingest
