// A JSON text as a flat run of names and values, fast.
//
// What     flatten() walks an object once and calls `put` for every leaf with its dotted path
//          ("protoPayload.methodName"); an array repeats its path for each item. It builds nothing.
// Owns     Its parser's buffers; keep one Flattener a thread and use it again.
// Threads  One thread a Flattener.
// Errors   Error{invalid}: not JSON, not UTF-8, not an object, nested too deep, too many leaves,
//          a member name that stands twice.
// Limits   Options.
// Source   RFC 8259, by simdjson's on-demand reader.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace mailwarden::json {

enum class LeafKind { string, number, boolean, null };

struct Leaf {
  std::string_view path;  // good during the call only
  std::string_view text;  // a string's content; for the others as written, "" for null
  LeafKind kind = LeafKind::null;
};

class Flattener {
 public:
  struct Options {
    std::size_t depth_max = 64;
    std::size_t leaves_max = 4096;
  };

  Flattener();
  explicit Flattener(const Options& options);
  ~Flattener();

  // After an error some leaves may have been put already; the caller throws them away.
  Result<void> flatten(std::string_view object, const std::function<void(const Leaf&)>& put);

 private:
  struct Parser;
  Options options_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace mailwarden::json
