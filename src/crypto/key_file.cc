#include "crypto/key_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"

namespace mailwarden::crypto {
namespace {

std::unexpected<Error> refused(const std::string& path, Code code, const std::string& why) {
  return fail(code, "key file " + path + ": " + why);
}

std::unexpected<Error> system_error(const std::string& path, int error) {
  const Code code = error == ENOENT || error == ENOTDIR  ? Code::not_found
                    : error == EACCES || error == EPERM  ? Code::denied
                    : error == EEXIST                    ? Code::conflict
                    : error == ENOSPC || error == EDQUOT ? Code::full
                                                         : Code::io;
  return refused(path, code, std::strerror(error));
}

Result<void> judge(const std::string& path, const struct stat& status, std::size_t bytes_max) {
  if (!S_ISREG(status.st_mode)) return refused(path, Code::denied, "not a regular file");
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    return refused(
        path, Code::denied,
        "it belongs to user " + std::to_string(status.st_uid) + "; it must be ours or root's");
  }
  if ((status.st_mode & 077) != 0) {
    return refused(path, Code::denied,
                   "others may reach it; it must be closed to them (chmod 600)");
  }
  if (status.st_size < 0 || static_cast<std::size_t>(status.st_size) > bytes_max) {
    return refused(path, Code::full, "longer than " + std::to_string(bytes_max) + " bytes");
  }
  return {};
}

bool write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return ::fsync(descriptor) == 0;
}

}  // namespace

Result<SecretBytes> read_key_file(const std::string& path, std::size_t bytes_max) {
  // Without O_NONBLOCK a pipe of that name would make us wait for its writer.
  const Descriptor file(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (file.number() < 0 && errno == ELOOP) {
    return refused(path, Code::denied, "a symbolic link, which is not followed");
  }
  struct stat status{};
  if (file.number() < 0 || ::fstat(file.number(), &status) != 0) return system_error(path, errno);
  if (auto good = judge(path, status, bytes_max); !good) return std::unexpected(good.error());
  auto secret = SecretBytes::make(static_cast<std::size_t>(status.st_size));
  if (!secret) return secret;
  std::size_t held = 0;
  while (held < secret->size()) {
    const ssize_t got = ::read(file.number(), secret->bytes().data() + held, secret->size() - held);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path, errno);
    if (got == 0) break;
    held += static_cast<std::size_t>(got);
  }
  secret->shorten(held);
  return secret;
}

Result<void> write_key_file(const std::string& path, std::span<const std::byte> bytes,
                            KeyFileWrite how) {
  const bool anew = how == KeyFileWrite::anew;
  const std::string beside = path + ".new";
  // What an earlier try may have left.
  if (::unlink(beside.c_str()) != 0 && errno != ENOENT) return system_error(beside, errno);
  {
    const Descriptor file(
        ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.number() < 0) return system_error(path, errno);
    if (!write_all(file.number(), bytes)) {
      const int error = errno;
      ::unlink(beside.c_str());
      return system_error(path, error);
    }
  }
  // link() refuses a name that is there, rename() replaces it.
  const bool placed = anew ? ::link(beside.c_str(), path.c_str()) == 0
                           : ::rename(beside.c_str(), path.c_str()) == 0;
  const int error = errno;
  if (anew || !placed) ::unlink(beside.c_str());
  if (!placed) return system_error(path, error);
  const std::string folder = std::filesystem::path(path).parent_path();
  const Descriptor directory(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC));
  if (directory.number() < 0 || ::fsync(directory.number()) != 0) return system_error(path, errno);
  return {};
}

}  // namespace mailwarden::crypto
