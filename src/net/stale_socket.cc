#include "net/stale_socket.h"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace mailwarden::net {
namespace {

// Only who is refused knows that nobody listens.
bool is_served(const sockaddr_un& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return true;
  const bool is_refused =
      ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno == ECONNREFUSED;
  ::close(probe);
  return !is_refused;
}

}  // namespace

Result<void> remove_stale_socket(const std::string& path) {
  const std::string trouble = "cannot listen on " + path + ": ";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(Code::invalid, trouble + "the path is too long");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) {
    return fail(Code::conflict, trouble + "a file of that name is in the way");
  }
  // A living process answers.
  if (is_served(address)) {
    return fail(Code::unavailable, trouble + "another process serves it");
  }
  ::unlink(path.c_str());
  return {};
}

}  // namespace mailwarden::net
