#include "base/files.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

namespace mailwarden {
namespace {

std::unexpected<Error> failure(const std::string& path, int error) {
  const Code code = error == ENOENT || error == ENOTDIR  ? Code::not_found
                    : error == EACCES || error == EPERM  ? Code::denied
                    : error == ENOSPC || error == EDQUOT ? Code::full
                                                         : Code::io;
  return fail(code, path + ": " + std::strerror(error));
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(descriptor) == 0;
}

}  // namespace

Result<void> write_file_durably(const std::string& path, std::string_view bytes) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code ignored;
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  const std::string beside = path + ".new";
  {
    const Descriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
    if (file.number() < 0) return failure(path, errno);
    if (!write_all(file.number(), bytes)) {
      const int error = errno;
      ::unlink(beside.c_str());
      return failure(path, error);
    }
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) return failure(path, errno);
  // The name is durable only when its folder is.
  const Descriptor directory(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC));
  if (directory.number() < 0 || ::fsync(directory.number()) != 0) return failure(path, errno);
  return {};
}

Result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) return failure(path, errno);
  std::string bytes;
  constexpr std::size_t chunk = std::size_t{64} * 1024;
  while (bytes.size() <= bytes_max) {
    const std::size_t held = bytes.size();
    bytes.resize(held + chunk);
    const ssize_t got = ::read(file.number(), bytes.data() + held, chunk);
    bytes.resize(held + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(path, errno);
    if (got == 0) return bytes;
  }
  return fail(Code::full, path + ": larger than " + std::to_string(bytes_max) + " bytes");
}

}  // namespace mailwarden
