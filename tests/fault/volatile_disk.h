// A disk that forgets what nobody synced.
//
// What     Carries out a recorded program's operations (recorder/) on one folder and knows of each
//          what is durable. The data of a file are by fsync of that file; a name, be it made,
//          changed or removed, by fsync of the folder that holds it, as POSIX promises and no more.
//          leave() writes what a crash at this moment leaves.
// Owns     The folder, in memory.
// Threads  One.
// Limits   A rename stays within its folder.
// Source   POSIX.1-2017, fsync(); Pillai et al., "All File Systems Are Not Created Equal", 2014.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/fault/recorder/journal.h"

namespace mailwarden::fault {

struct Operation {
  Kind kind = Kind::open;
  std::uint64_t file = 0;
  std::uint64_t place = 0;
  std::string name;
  std::string data;
  std::uint64_t end = 0;  // in the journal
};

std::vector<Operation> read_journal(const std::string& path);

// What fsync of a file does for its name.
enum class Names {
  strict,     // nothing
  with_file,  // its being made or renamed is durable too, as on ext4
};

enum class Loss {
  none,     // the process was killed; the system lives and writes everything
  dropped,  // nothing that was not synced
  torn,     // a random part of it, in pieces of a sector and in any order
};

class VolatileDisk {
 public:
  // `path` is the folder's name in the operations; what `contents` holds is durable.
  VolatileDisk(std::string path, const std::string& contents, Names names = Names::strict);

  void carry_out(const Operation& operation);

  // Into the empty folder `target`. What is below the folder `outside` is on another machine, which
  // does not crash.
  void leave(const std::string& target, Loss loss, std::mt19937& random,
             const std::string& outside = "") const;

 private:
  struct Node;
  using Pointer = std::shared_ptr<Node>;
  struct Change {
    std::uint64_t place = 0;
    std::string bytes;
    bool is_truncation = false;  // to `place` bytes
  };
  // Names that change together; null: removed.
  using NameChange = std::vector<std::pair<std::string, Pointer>>;
  struct Node {
    bool is_folder = false;
    std::string durable;
    std::string current;
    std::vector<Change> changes;  // from the one to the other
    std::map<std::string, Pointer> durable_names;
    std::map<std::string, Pointer> names;
    std::vector<NameChange> name_changes;
  };

  static Pointer load(const std::string& contents);
  static void change(std::string& bytes, const Change& change);
  static void change(std::map<std::string, Pointer>& names, const NameChange& change);
  static void leave(const Node& folder, const std::string& target, Loss loss, std::mt19937& random,
                    const std::string& outside);
  static std::string bytes_left(const Node& file, Loss loss, std::mt19937& random);
  static std::map<std::string, Pointer> names_left(const Node& folder, Loss loss,
                                                   std::mt19937& random);

  // The folder that holds the name, and the name's last part; null where there is no such folder.
  std::pair<Pointer, std::string> find(const std::string& path) const;
  Pointer at(const std::string& path) const;
  void set_names(const Pointer& folder, NameChange change);
  void open(const Operation& operation);
  void sync(const Pointer& node);
  void sync_name(const Pointer& folder, const Pointer& node);

  std::string path_;
  Names names_;
  Pointer root_;
  std::map<std::uint64_t, Pointer> files_;
};

}  // namespace mailwarden::fault
