// A stream of JSON events, cut into blocks that can be worked on apart.
//
// What     next() reads on and gives a block of whole events: lines that hold one object each, or,
//          where the first line is no object, objects wherever they begin and end.
// Owns     Its buffer; not the descriptor.
// Threads  One.
// Errors   next(): Error{io} from the system.
// Limits   object_bytes_max of one event; a longer one is left out, and the block says so.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "detect/object_cutter.h"

namespace mailwarden::detect {

struct EventBlock {
  std::string text;  // with json::Flattener::padding bytes of room behind it
  struct Part {
    std::size_t begin = 0;
    std::size_t bytes = 0;
  };
  std::vector<Part> events;
  std::string mistake;  // what of the stream could not be cut, or ""
};

class EventBlocks {
 public:
  static constexpr std::size_t block_bytes = 1024 * 1024;
  static constexpr std::size_t object_bytes_max = 16 * 1024 * 1024;

  explicit EventBlocks(int descriptor) : descriptor_(descriptor) {}

  Result<std::optional<EventBlock>> next();

 private:
  enum class Form { unknown, lines, objects };

  Result<bool> fill(std::size_t bytes);
  void find_form();
  EventBlock cut_lines();
  EventBlock cut_objects();
  EventBlock take(std::size_t bytes);

  int descriptor_;
  bool ended_ = false;
  Form form_ = Form::unknown;
  std::string rest_;  // read and not given out
  std::size_t looked_at_ = 0;
  ObjectCutter cutter_;
};

}  // namespace mailwarden::detect
