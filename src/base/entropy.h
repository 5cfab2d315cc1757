// Where random bytes come from.
//
// What     Entropy is an edge of the process: the daemon asks the system's generator; a test that
//          compares two runs byte by byte derives them from what they are for.
// Owns     Nothing.
// Threads  fill() may be called from any thread.
// Errors   None: a system without random bytes aborts, since nothing after that would be safe.
// Limits   None.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace mailwarden {

class Entropy {
 public:
  virtual ~Entropy() = default;
  // Fills `out`; `purpose` names what the bytes are for (a record, a key), and a real generator
  // does not look at it.
  virtual void fill(std::span<std::byte> out, std::string_view purpose) = 0;
  // As many runs of equal length as there are purposes, one behind the other in `out`.
  virtual void fill_each(std::span<std::byte> out, std::span<const std::string_view> purposes) {
    if (purposes.empty()) return;
    const std::size_t length = out.size() / purposes.size();
    for (std::size_t i = 0; i < purposes.size(); ++i) {
      fill(out.subspan(i * length, length), purposes[i]);
    }
  }
};

}  // namespace mailwarden
