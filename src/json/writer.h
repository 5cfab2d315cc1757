// JSON text, written straight down.
//
// What     A Writer appends to a string through a small buffer of its own, for texts whose members
//          are known where they are written: an event's record is made a hundred thousand times a
//          second, and a tree of Values would cost more than all else that is done with it. Commas
//          and braces are the caller's.
// Owns     Nothing; what is buffered reaches the string at flush() or at the end.
// Threads  One thread a Writer.
// Errors   None: bytes that are not UTF-8 become U+FFFD in string().
// Limits   None.
// Source   RFC 8259; RFC 8785 for how strings are escaped.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace mailwarden::json {

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { flush(); }

  // As it is.
  void raw(char c) {
    if (used_ == buffer_.size()) flush();
    buffer_[used_++] = c;
  }
  void raw(std::string_view text) {
    if (text.size() > buffer_.size() - used_) {
      flush();
      if (text.size() > buffer_.size()) {
        out_ += text;
        return;
      }
    }
    std::memcpy(buffer_.data() + used_, text.data(), text.size());
    used_ += text.size();
  }
  void integer(std::int64_t number) {
    std::array<char, 20> digits;
    const char* const end = std::to_chars(digits.begin(), digits.end(), number).ptr;
    raw(std::string_view(digits.data(), end));
  }
  // With its quotes.
  void string(std::string_view text) {
    if (!is_plain(text)) return escaped(text);
    raw('"');
    raw(text);
    raw('"');
  }

  void flush() {
    out_.append(buffer_.data(), used_);
    used_ = 0;
  }

 private:
  // Whether all of it is ASCII that a JSON string holds as it is.
  static bool is_plain(std::string_view text);
  void escaped(std::string_view text);
  // False where the text needs more than backslashes, or more room; nothing is then written.
  bool escaped_in_buffer(std::string_view text);

  std::string& out_;
  std::size_t used_ = 0;
  std::array<char, 2048> buffer_;
};

}  // namespace mailwarden::json
