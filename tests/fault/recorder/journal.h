// What the recorder writes down and a VolatileDisk carries out: one operation behind the other,
// each a Header, the bytes of its name and the bytes of its data.
#pragma once

#include <cstdint>

namespace mailwarden::fault {

enum class Kind : std::uint32_t {
  open,         // `name`, of the folder; `place` holds Made; `file` stands for it from here on
  write,        // `data` at `place` of `file`
  truncate,     // `file` to `place` bytes
  sync,         // `file`, which may be a folder
  make_folder,  // `name`
  rename,       // `name` to `data`
  link,         // `name` as `data` too
  remove,       // `name`
};

struct Header {
  std::uint64_t file = 0;
  std::uint64_t place = 0;
  std::uint64_t data_bytes = 0;
  std::uint32_t name_bytes = 0;
  Kind kind = Kind::open;
};

// How an opened file came about.
enum Made : std::uint64_t { found = 0, made = 1, emptied = 2 };

}  // namespace mailwarden::fault
