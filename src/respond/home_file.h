// Files in somebody's home, whose owner may be the attacker.
//
// What     A HomeFile is one file below a home, opened so that no link of its owner leads anywhere
//          else, and replaced as a whole with the owner and mode that it had.
// Owns     The descriptor of the folder that the file stands in.
// Threads  One.
// Errors   not_found: no such file or folder. denied: a link, another's file, no regular file.
// Limits   bytes_max of content.
// Source   openat2(2).
#pragma once

#include <string>

#include <sys/types.h>

#include "base/result.h"

namespace mailwarden::respond {

class HomeFile {
 public:
  static constexpr std::size_t bytes_max = std::size_t{1} << 20;

  struct Attributes {
    uid_t uid = 0;
    gid_t gid = 0;
    mode_t mode = 0600;
  };

  // `path` is relative to the home. Its folder must be the owner's or root's.
  static Result<HomeFile> open(const std::string& home, const std::string& path, uid_t owner);
  HomeFile(HomeFile&& other) noexcept;
  HomeFile& operator=(HomeFile&&) = delete;
  ~HomeFile();

  struct Content {
    std::string text;
    Attributes attributes;
  };
  Result<Content> read() const;
  // Durably; what is there is replaced.
  Result<void> write(const Content& content) const;

 private:
  HomeFile(int folder, std::string name, std::string shown, uid_t owner)
      : folder_(folder), name_(std::move(name)), shown_(std::move(shown)), owner_(owner) {}

  int folder_;
  std::string name_;
  std::string shown_;  // the whole path, for messages
  uid_t owner_;
};

}  // namespace mailwarden::respond
