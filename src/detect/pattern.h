// A text with wildcards.
//
// What     `*` stands for any run of characters and `?` for exactly one. A Pattern is parsed from
//          what a rule wrote, changed by modifiers, and held against values.
// Owns     Its content.
// Threads  Values; matching is pure.
// Errors   as_utf16().
// Limits   Matching costs at most the value's length times the pattern's.
// Source   Sigma 2.1.0, string wildcards and escape character; docs/sigma.md, "Texts".
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "detect/encoding.h"

namespace mailwarden::detect {

class Pattern {
 public:
  // Characters that must stand together; where `any` is set there is a `?`.
  struct Piece {
    std::string text;
    // One a byte of `text`; empty where the piece has no `?` and is UTF-8, so that it may be
    // compared as bytes.
    std::vector<bool> any;

    bool operator==(const Piece&) const = default;
  };
  // What the whole of the pattern asks for, when it is no more than one plain text.
  enum class Plain { no, whole, start, end, anywhere };

  // Wildcards and backslashes as the rule wrote them.
  static Pattern parse(std::string_view text);
  // A text in which nothing is a wildcard.
  static Pattern literal(std::string_view text);

  // Leaves an end open, as a `*` there would.
  void open_start() { open_start_ = true; }
  void open_end() { open_end_ = true; }
  bool has_wildcards() const;
  // Folds the pattern, to be held against folded values.
  void fold_case();
  // The pattern for values in UTF-16; wildcards stay where they are. Error{invalid} for a text that
  // is not UTF-8.
  Result<Pattern> as_utf16(Utf16 kind) const;

  // `value` is folded if the pattern is.
  bool matches(std::string_view value) const;

  Plain plain() const;
  const std::vector<Piece>& pieces() const { return pieces_; }
  bool starts_open() const { return open_start_; }
  bool ends_open() const { return open_end_; }

  bool operator==(const Pattern&) const = default;

 private:
  // Each piece's text by `change`.
  void transform(const std::function<std::string(std::string_view)>& change);
  void put_mark();
  // Pieces that are not UTF-8 are compared by characters, so that a byte of theirs is not found
  // within one.
  void mark_ill_formed();
  // Where the piece that stands at `at` ends, or npos where it does not stand there.
  static std::size_t end_of(const Piece& piece, std::string_view value, std::size_t at);
  // Where the first such piece from `from` on ends, or npos.
  static std::size_t find_end(const Piece& piece, std::string_view value, std::size_t from);
  static bool stands_at_end(const Piece& piece, std::string_view value, std::size_t from);

  // Between two pieces there is a `*`.
  std::vector<Piece> pieces_;
  bool open_start_ = false;
  bool open_end_ = false;
};

}  // namespace mailwarden::detect
