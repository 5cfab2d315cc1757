#include "base/files.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mailwarden {
namespace {

std::unexpected<Error> failure(const std::string& path, int error) {
  const Code code = error == ENOENT || error == ENOTDIR  ? Code::not_found
                    : error == EACCES || error == EPERM  ? Code::denied
                    : error == ENOSPC || error == EDQUOT ? Code::full
                    : error == EEXIST                    ? Code::conflict
                                                         : Code::io;
  return fail(code, path + ": " + std::strerror(error));
}

std::unexpected<Error> too_large(const std::string& path, std::size_t bytes_max) {
  return fail(Code::full, path + ": larger than " + std::to_string(bytes_max) + " bytes");
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(descriptor) == 0;
}

// A file, or a folder with the names in it.
bool sync(const std::filesystem::path& path) {
  const Descriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return opened.number() >= 0 && ::fsync(opened.number()) == 0;
}

// A name is durable only when its folder is.
bool sync_folder(const std::filesystem::path& folder) {
  return sync(folder.empty() ? "." : folder);
}

// A folder is a name in the one above it.
bool make_folders(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (folder.empty() || std::filesystem::exists(folder, ignored)) return true;
  if (!make_folders(folder.parent_path())) return false;
  if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) return false;
  return sync_folder(folder.parent_path());
}

// rename() that replaces nothing. File systems over the network lack it, but can link.
bool rename_to_new(const char* from, const char* to) {
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL) return false;
  return ::link(from, to) == 0 && ::unlink(from) == 0;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Descriptor::~Descriptor() {
  close();
}

void Descriptor::close() {
  if (is_open()) ::close(number_);
  number_ = -1;
}

Result<void> write_file_durably(const std::string& path, std::string_view bytes) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!make_folders(folder)) return failure(path, errno);
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
  return rename_durably(beside, path);
}

Result<void> create_private_file_durably(const std::string& path, std::string_view bytes) {
  // Two who make the same file must not write into one beside it.
  std::string beside = path + ".XXXXXX";
  const Descriptor file(::mkostemp(beside.data(), O_CLOEXEC));
  if (file.number() < 0) return failure(path, errno);
  if (!write_all(file.number(), bytes) || !rename_to_new(beside.c_str(), path.c_str())) {
    const int error = errno;
    ::unlink(beside.c_str());
    return failure(path, error);
  }
  if (!sync_folder(std::filesystem::path(path).parent_path())) return failure(path, errno);
  return {};
}

Result<void> sync_file(const std::string& path) {
  return sync(path) ? Result<void>() : failure(path, errno);
}

Result<void> rename_durably(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return failure(to, errno);
  if (!sync_folder(std::filesystem::path(to).parent_path())) return failure(to, errno);
  return {};
}

Result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) return failure(path, errno);
  return read_to_end(file.number(), path, bytes_max);
}

Result<std::string> read_regular_file(const std::string& path, std::size_t bytes_max) {
  // Opening a pipe that nobody writes to would wait but for O_NONBLOCK, which regular files ignore.
  const Descriptor file(
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  if (file.number() < 0 && errno == ELOOP) {
    return fail(Code::invalid, path + ": a symbolic link, which is not followed");
  }
  if (file.number() < 0 && errno == ENXIO) {
    return fail(Code::invalid, path + ": not a regular file");
  }
  if (file.number() < 0) return failure(path, errno);
  struct stat status{};
  if (::fstat(file.number(), &status) != 0) return failure(path, errno);
  if (!S_ISREG(status.st_mode)) return fail(Code::invalid, path + ": not a regular file");
  if (status.st_size > 0 && static_cast<std::size_t>(status.st_size) > bytes_max) {
    return too_large(path, bytes_max);
  }
  return read_to_end(file.number(), path, bytes_max);
}

Result<std::vector<std::string>> files_below(
    const std::string& path, const std::function<bool(const std::string& name)>& wanted) {
  namespace fs = std::filesystem;
  std::error_code failed;
  if (fs::exists(path, failed) && !fs::is_directory(path, failed)) return std::vector{path};
  std::vector<std::string> files;
  fs::recursive_directory_iterator entry(path, failed);
  for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
    if (entry->is_regular_file(failed) && wanted(entry->path().filename().string())) {
      files.push_back(entry->path().string());
    }
  }
  if (failed) return fail(Code::not_found, path + ": " + failed.message());
  std::ranges::sort(files);
  return files;
}

std::vector<std::string> paths_matching(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), GLOB_NOSORT | GLOB_BRACE, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  std::ranges::sort(paths);
  return paths;
}

Result<std::string> read_to_end(int descriptor, const std::string& name, std::size_t bytes_max) {
  std::string bytes;
  constexpr std::size_t chunk = std::size_t{64} * 1024;
  while (bytes.size() <= bytes_max) {
    const std::size_t held = bytes.size();
    bytes.resize(held + chunk);
    const ssize_t got = ::read(descriptor, bytes.data() + held, chunk);
    bytes.resize(held + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(name, errno);
    if (got == 0) return bytes;
  }
  return too_large(name, bytes_max);
}

}  // namespace mailwarden
