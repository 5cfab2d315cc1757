// A JSON text as a flat run of names and values, fast.
//
// What     flatten() walks an object once and gives every leaf with its dotted path
//          ("protoPayload.methodName"); an array repeats its path for each item.
// Owns     What the leaves point to, until the next call. Keep one Flattener a thread and use it
//          again.
// Threads  One thread a Flattener.
// Errors   Error{invalid}: not JSON, not UTF-8, not an object, nested too deep, too many leaves,
//          a member name that stands twice unless `names_may_repeat`.
// Limits   Options.
// Source   RFC 8259, by simdjson.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"

namespace mailwarden::json {

enum class LeafKind { string, number, boolean, null };

struct Leaf {
  std::string_view path;
  // A string's content; a whole number's digits; another number in its shortest form, with a point;
  // "true", "false"; "" for null.
  std::string_view text;
  LeafKind kind = LeafKind::null;
};

class Flattener {
 public:
  struct Options {
    std::size_t depth_max = 64;
    std::size_t leaves_max = 4096;
    std::size_t path_bytes_max = 1024 * 1024;  // of all nested leaves together
    bool names_may_repeat = false;             // then each gives its own leaves
  };

  // So many bytes behind a text must be readable for flatten_padded().
  static constexpr std::size_t padding = 64;

  Flattener();
  explicit Flattener(const Options& options);
  ~Flattener();

  Result<std::span<const Leaf>> flatten(std::string_view object);
  // Spares the copy; the text must not be where memory ends.
  Result<std::span<const Leaf>> flatten_padded(std::string_view object);

 private:
  struct Parser;
  Options options_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace mailwarden::json
