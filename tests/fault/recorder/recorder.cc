// Loaded into a program by LD_PRELOAD, writes down every change below one folder, in order.
//
// What     MAILWARDEN_DISK_FOLDER is the folder, MAILWARDEN_DISK_JOURNAL the file that what happens
//          to it is appended to (journal.h). A call and its record are one step, so that the order
//          of the records is the order of the calls, whatever threads made them; the record stands
//          before the call returns, so that its effects elsewhere come behind it.
// Limits   fsync and its like are written down and not done: what is durable the journal tells.
//          What goes past these functions (stdio, shared maps) is not seen; whoever records
//          compares the folder with the journal afterwards, and finds that something is missing.
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/fault/recorder/journal.h"

namespace mailwarden::fault {
namespace {

template <class Function>
Function* next(Function* /*ours*/, const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}
#define NEXT(function) next(&::function, #function)

class Recorder {
 public:
  // Never taken down, since files are written until the very end of the process.
  static Recorder& get() {
    static auto* const recorder = new Recorder;
    return *recorder;
  }

  std::mutex& mutex() { return mutex_; }

  // The path as an absolute one, where it is at or below the folder; "" elsewhere.
  std::string inside(int folder, const char* path) const {
    if (folder_.empty() || path == nullptr) return {};
    std::string whole = path;
    if (!whole.starts_with("/")) whole = base(folder) + "/" + whole;
    // SQLite makes this one anew after a crash, whatever is in it.
    if (whole.ends_with("-shm")) return {};
    if (whole == folder_ || whole.starts_with(folder_ + "/")) return whole;
    return {};
  }

  void opened(int descriptor, const std::string& name, std::uint64_t made) {
    const std::uint64_t file = static_cast<std::uint64_t>(::getpid()) << 32 | ++count_;
    files_[descriptor] = file;
    record({.file = file, .place = made, .kind = Kind::open}, name);
  }
  void closed(int descriptor) { files_.erase(descriptor); }
  // 0: not one of the folder.
  std::uint64_t file(int descriptor) const {
    const auto found = files_.find(descriptor);
    return found != files_.end() ? found->second : 0;
  }

  bool knows(int descriptor) {
    const std::lock_guard lock(mutex_);
    return file(descriptor) != 0;
  }

  void record(Header header, std::string_view name, std::string_view data = {}) {
    header.name_bytes = static_cast<std::uint32_t>(name.size());
    header.data_bytes = data.size();
    const iovec parts[] = {{&header, sizeof header},
                           {const_cast<char*>(name.data()), name.size()},
                           {const_cast<char*>(data.data()), data.size()}};
    const std::size_t whole = sizeof header + name.size() + data.size();
    static auto* const write_parts = NEXT(writev);
    // Half a record would make nonsense of all that follow.
    if (write_parts(journal_, parts, 3) != static_cast<ssize_t>(whole)) std::abort();
  }

 private:
  Recorder() {
    const char* const folder = std::getenv("MAILWARDEN_DISK_FOLDER");
    const char* const journal = std::getenv("MAILWARDEN_DISK_JOURNAL");
    if (folder == nullptr || journal == nullptr) return;
    journal_ = NEXT(open)(journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (journal_ < 0) std::abort();
    folder_ = folder;
  }

  static std::string base(int folder) {
    char path[4096];
    if (folder == AT_FDCWD) return ::getcwd(path, sizeof path) != nullptr ? path : "";
    const std::string link = "/proc/self/fd/" + std::to_string(folder);
    const ssize_t bytes = ::readlink(link.c_str(), path, sizeof path);
    return bytes > 0 ? std::string(path, static_cast<std::size_t>(bytes)) : "";
  }

  std::mutex mutex_;
  std::string folder_;
  int journal_ = -1;
  std::map<int, std::uint64_t> files_;
  std::uint64_t count_ = 0;
};

int open_file(int folder, const char* path, int flags, mode_t mode) {
  static auto* const call = NEXT(openat);
  Recorder& recorder = Recorder::get();
  const std::string name = recorder.inside(folder, path);
  if (name.empty()) return call(folder, path, flags, mode);
  const std::lock_guard lock(recorder.mutex());
  const bool is_new = (flags & O_CREAT) != 0 && ::access(name.c_str(), F_OK) != 0;
  const int descriptor = call(folder, path, flags, mode);
  if (descriptor < 0) return descriptor;
  const bool is_emptied = (flags & O_TRUNC) != 0 && !is_new;
  recorder.opened(descriptor, name, is_new ? made : is_emptied ? emptied : found);
  return descriptor;
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

// Does what `call` does and writes down what came of it; `place` < 0: where the descriptor stood.
template <class Call>
ssize_t write_bytes(int descriptor, const iovec* parts, int count, off_t place, const Call& call) {
  Recorder& recorder = Recorder::get();
  // A pipe or a socket may wait for somebody who needs the lock.
  if (!recorder.knows(descriptor)) return call();
  const std::lock_guard lock(recorder.mutex());
  const std::uint64_t file = recorder.file(descriptor);
  const ssize_t written = call();
  if (file == 0 || written <= 0) return written;
  if (place < 0) place = ::lseek(descriptor, 0, SEEK_CUR) - written;
  std::string data;
  for (int i = 0; i < count; ++i) {
    data.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  }
  data.resize(static_cast<std::size_t>(written));
  recorder.record({.file = file, .place = static_cast<std::uint64_t>(place), .kind = Kind::write},
                  {}, data);
  return written;
}

int truncate_file(int descriptor, off_t size) {
  static auto* const call = NEXT(ftruncate);
  Recorder& recorder = Recorder::get();
  const std::lock_guard lock(recorder.mutex());
  const std::uint64_t file = recorder.file(descriptor);
  const int result = call(descriptor, size);
  if (file != 0 && result == 0) {
    recorder.record(
        {.file = file, .place = static_cast<std::uint64_t>(size), .kind = Kind::truncate}, {});
  }
  return result;
}

template <class Call>
int sync_file(int descriptor, const Call& call) {
  Recorder& recorder = Recorder::get();
  if (!recorder.knows(descriptor)) return call();
  const std::lock_guard lock(recorder.mutex());
  recorder.record({.file = recorder.file(descriptor), .kind = Kind::sync}, {});
  return 0;
}

// One name changes, or two; `data` is "" where there is one.
template <class Call>
int change_name(Kind kind, const std::string& name, const std::string& data, const Call& call) {
  Recorder& recorder = Recorder::get();
  if (name.empty()) return call();
  const std::lock_guard lock(recorder.mutex());
  const int result = call();
  if (result == 0) recorder.record({.kind = kind}, name, data);
  return result;
}

std::string inside(int folder, const char* path) {
  return Recorder::get().inside(folder, path);
}

}  // namespace
}  // namespace mailwarden::fault

using namespace mailwarden::fault;

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_file(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_file(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_file(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return open_file(folder, path, flags, mode);
}
int creat(const char* path, mode_t mode) {
  return open_file(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

int mkostemp(char* pattern, int flags) {
  static auto* const call = NEXT(mkostemp);
  Recorder& recorder = Recorder::get();
  if (recorder.inside(AT_FDCWD, pattern).empty()) return call(pattern, flags);
  const std::lock_guard lock(recorder.mutex());
  const int descriptor = call(pattern, flags);
  if (descriptor >= 0) recorder.opened(descriptor, recorder.inside(AT_FDCWD, pattern), made);
  return descriptor;
}

int close(int descriptor) {
  static auto* const call = NEXT(close);
  Recorder& recorder = Recorder::get();
  const std::lock_guard lock(recorder.mutex());
  recorder.closed(descriptor);
  return call(descriptor);
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
  static auto* const call = NEXT(write);
  const iovec part{const_cast<void*>(bytes), size};
  return write_bytes(descriptor, &part, 1, -1, [&] { return call(descriptor, bytes, size); });
}
ssize_t writev(int descriptor, const iovec* parts, int count) {
  static auto* const call = NEXT(writev);
  return write_bytes(descriptor, parts, count, -1, [&] { return call(descriptor, parts, count); });
}
ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t place) {
  static auto* const call = NEXT(pwrite);
  const iovec part{const_cast<void*>(bytes), size};
  return write_bytes(descriptor, &part, 1, place,
                     [&] { return call(descriptor, bytes, size, place); });
}
ssize_t pwrite64(int descriptor, const void* bytes, size_t size, off64_t place) {
  return pwrite(descriptor, bytes, size, place);
}
ssize_t pwritev(int descriptor, const iovec* parts, int count, off_t place) {
  static auto* const call = NEXT(pwritev);
  return write_bytes(descriptor, parts, count, place,
                     [&] { return call(descriptor, parts, count, place); });
}
ssize_t pwritev64(int descriptor, const iovec* parts, int count, off64_t place) {
  return pwritev(descriptor, parts, count, place);
}

int ftruncate(int descriptor, off_t size) noexcept {
  return truncate_file(descriptor, size);
}
int ftruncate64(int descriptor, off64_t size) noexcept {
  return truncate_file(descriptor, size);
}

int fsync(int descriptor) {
  static auto* const call = NEXT(fsync);
  return sync_file(descriptor, [&] { return call(descriptor); });
}
int fdatasync(int descriptor) {
  static auto* const call = NEXT(fdatasync);
  return sync_file(descriptor, [&] { return call(descriptor); });
}

int rename(const char* from, const char* to) noexcept {
  static auto* const call = NEXT(rename);
  return change_name(Kind::rename, inside(AT_FDCWD, from), inside(AT_FDCWD, to),
                     [&] { return call(from, to); });
}
int renameat2(int folder, const char* from, int other, const char* to, unsigned flags) noexcept {
  static auto* const call = NEXT(renameat2);
  return change_name(Kind::rename, inside(folder, from), inside(other, to),
                     [&] { return call(folder, from, other, to, flags); });
}
int link(const char* from, const char* to) noexcept {
  static auto* const call = NEXT(link);
  return change_name(Kind::link, inside(AT_FDCWD, from), inside(AT_FDCWD, to),
                     [&] { return call(from, to); });
}
int unlink(const char* path) noexcept {
  static auto* const call = NEXT(unlink);
  return change_name(Kind::remove, inside(AT_FDCWD, path), "", [&] { return call(path); });
}
int unlinkat(int folder, const char* path, int flags) noexcept {
  static auto* const call = NEXT(unlinkat);
  return change_name(Kind::remove, inside(folder, path), "",
                     [&] { return call(folder, path, flags); });
}
int remove(const char* path) noexcept {
  static auto* const call = NEXT(remove);
  return change_name(Kind::remove, inside(AT_FDCWD, path), "", [&] { return call(path); });
}
int rmdir(const char* path) noexcept {
  static auto* const call = NEXT(rmdir);
  return change_name(Kind::remove, inside(AT_FDCWD, path), "", [&] { return call(path); });
}
int mkdir(const char* path, mode_t mode) noexcept {
  static auto* const call = NEXT(mkdir);
  return change_name(Kind::make_folder, inside(AT_FDCWD, path), "",
                     [&] { return call(path, mode); });
}

}  // extern "C"
