// Small files that must be there whole or not at all.
//
// What     Writes beside the target, makes it durable and puts it in place by rename.
// Owns     A Descriptor owns an open file.
// Threads  Any; two writers of one path race, and one of them wins whole.
// Errors   not_found, denied, full, conflict or io, with the path and the system's reason; invalid
//          for what read_regular_file() does not read.
// Limits   What is read has at most bytes_max.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace mailwarden {

// A file descriptor that closes itself; less than 0 is none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();

  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  void close();

 private:
  int number_ = -1;
};

// Folders that are missing above it are made, and are as durable as the file.
Result<void> write_file_durably(const std::string& path, std::string_view bytes);

// The same for a file that is new, in a folder that is there, for nobody else to read (mode 0600).
// conflict: there is one already, which stays.
Result<void> create_private_file_durably(const std::string& path, std::string_view bytes);

// Within one folder; what has the name `to` is replaced.
Result<void> rename_durably(const std::string& from, const std::string& to);
// What somebody else has written there.
Result<void> sync_file(const std::string& path);

Result<std::string> read_whole_file(const std::string& path,
                                    std::size_t bytes_max = std::size_t{64} * 1024 * 1024);

// The same for a file that somebody else put there: nothing but a regular file is read, so that no
// pipe or device makes the reader wait, and a symbolic link as the last part is not followed.
Result<std::string> read_regular_file(const std::string& path, std::size_t bytes_max);

// Regular files at or below a path whose name is wanted, sorted; the path itself where it is a
// file, whatever its name. Symbolic links to folders are not followed.
Result<std::vector<std::string>> files_below(
    const std::string& path, const std::function<bool(const std::string& name)>& wanted);

// Paths that a shell's pattern stands for, with {a,b} too, sorted; none where nothing matches.
std::vector<std::string> paths_matching(const std::string& pattern);

// From where the descriptor stands to the end; `name` is for messages.
Result<std::string> read_to_end(int descriptor, const std::string& name, std::size_t bytes_max);

}  // namespace mailwarden
