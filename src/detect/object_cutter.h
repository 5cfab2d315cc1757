// Where JSON objects stand in a text, when lines do not tell.
//
// What     feed() looks at more bytes and tells where each object at the outermost level begins and
//          ends. Brackets and commas between objects are passed over, so an array of objects is
//          their sequence.
// Owns     Its place in the text.
// Threads  One.
// Errors   Bytes between objects that belong to none are told with the object behind them.
// Limits   None; the caller gives up an object that grows too long.
#pragma once

#include <cstddef>
#include <string_view>

namespace mailwarden::detect {

class ObjectCutter {
 public:
  // Each(begin, end) for each object that ends in `text` from `from` on; `begin` and `end` are
  // places in `text`, which must be the same text, longer, in the next call.
  template <class Each>
  void feed(std::string_view text, std::size_t from, Each each) {
    for (std::size_t i = from; i < text.size(); ++i) {
      if (step(text[i], i)) each(begin_, i + 1);
    }
  }
  bool inside() const { return depth_ > 0; }
  std::size_t begin() const { return begin_; }
  // The text lost so many bytes at its front.
  void moved(std::size_t bytes) { begin_ -= bytes; }
  // Whether something stood between objects that is no part of JSON.
  bool strayed() const { return strayed_; }

 private:
  bool step(char c, std::size_t at) {
    if (quoted_) {
      quoted_ = escaped_ || c != '"';
      escaped_ = !escaped_ && c == '\\';
      return false;
    }
    switch (c) {
      case '"':
        quoted_ = depth_ > 0;
        strayed_ = strayed_ || depth_ == 0;
        return false;
      case '{':
        if (depth_++ == 0) begin_ = at;
        return false;
      case '}':
        if (depth_ == 0) strayed_ = true;
        return depth_ > 0 && --depth_ == 0;
      case ' ':
      case '\t':
      case '\n':
      case '\r':
      case ',':
      case '[':
      case ']':
        return false;
      default:
        strayed_ = strayed_ || depth_ == 0;
        return false;
    }
  }

  std::size_t begin_ = 0;
  std::size_t depth_ = 0;
  bool quoted_ = false;
  bool escaped_ = false;
  bool strayed_ = false;
};

}  // namespace mailwarden::detect
