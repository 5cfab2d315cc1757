#include "respond/home_file.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/files.h"

namespace mailwarden::respond {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

std::unexpected<Error> failure(const std::string& path, int error) {
  const bool is_gone = error == ENOENT || error == ENOTDIR;
  const bool is_refused = error == ELOOP || error == EACCES || error == EPERM || error == EXDEV;
  const Code code = is_gone ? Code::not_found : is_refused ? Code::denied : Code::io;
  return fail(code, path + ": " + std::strerror(error) +
                        (error == ELOOP ? ", and links of an account are not followed" : ""));
}

int open_beneath(int folder, const std::string& path, std::uint64_t flags) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how));
}

bool belongs_to(const struct stat& status, uid_t owner) {
  return status.st_uid == owner || status.st_uid == 0;
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<HomeFile> HomeFile::open(const std::string& home, const std::string& path, uid_t owner) {
  const std::string shown = home + "/" + path;
  // The home itself is what root wrote into /etc/passwd; a link on the way there is root's, too.
  const Descriptor root(::open(home.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (root.get() < 0) return failure(home, errno);
  const std::size_t slash = path.rfind('/');
  const std::string below = slash == std::string::npos ? "." : path.substr(0, slash);
  Descriptor folder(open_beneath(root.get(), below, O_RDONLY | O_DIRECTORY));
  if (folder.get() < 0) return failure(home + "/" + below, errno);
  struct stat status{};
  if (::fstat(folder.get(), &status) != 0) return failure(home + "/" + below, errno);
  if (!belongs_to(status, owner)) {
    return fail(Code::denied, home + "/" + below + ": belongs to somebody else");
  }
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  return HomeFile(folder.release(), name, shown, owner);
}

HomeFile::HomeFile(HomeFile&& other) noexcept
    : folder_(std::exchange(other.folder_, -1)),
      name_(std::move(other.name_)),
      shown_(std::move(other.shown_)),
      owner_(other.owner_) {}

HomeFile::~HomeFile() {
  if (folder_ >= 0) ::close(folder_);
}

Result<HomeFile::Content> HomeFile::read() const {
  const Descriptor file(open_beneath(folder_, name_, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return failure(shown_, errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return failure(shown_, errno);
  // A second name may stand anywhere, also where the account could not have read it.
  if (!S_ISREG(status.st_mode) || status.st_nlink != 1 || !belongs_to(status, owner_)) {
    return fail(Code::denied, shown_ + ": not a regular file of the account with one name");
  }
  auto text = read_to_end(file.get(), shown_, bytes_max);
  if (!text) return std::unexpected(text.error());
  return Content{
      .text = *std::move(text),
      .attributes = {.uid = status.st_uid, .gid = status.st_gid, .mode = status.st_mode & 07777}};
}

Result<void> HomeFile::write(const Content& content) const {
  const std::string beside = name_ + ".mailwarden";
  // What a try before has left; a link is unlinked, not followed.
  ::unlinkat(folder_, beside.c_str(), 0);
  const Descriptor file(::openat(folder_, beside.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) return failure(shown_, errno);
  const Attributes& attributes = content.attributes;
  const bool written = write_all(file.get(), content.text) &&
                       ::fchown(file.get(), attributes.uid, attributes.gid) == 0 &&
                       ::fchmod(file.get(), attributes.mode) == 0 && ::fsync(file.get()) == 0 &&
                       ::renameat(folder_, beside.c_str(), folder_, name_.c_str()) == 0 &&
                       ::fsync(folder_) == 0;
  if (written) return {};
  const int error = errno;
  ::unlinkat(folder_, beside.c_str(), 0);
  return failure(shown_, error);
}

}  // namespace mailwarden::respond
