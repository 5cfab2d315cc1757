// Text that breaks its lines where it must. Not for other modules.
//
// What     A Layout is a tree of texts and of places where a line may end. lay_out() writes a group
//          on one line if it fits, else ends a line at each of the group's own places.
// Owns     Its texts.
// Threads  Values.
// Errors   None.
// Limits   Depth of the tree.
// Source   P. Wadler, "A prettier printer"; here with comments, behind which a line always ends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mailwarden::policy {

struct Layout {
  enum class Kind : std::uint8_t {
    text,
    space,             // nothing where a line ends or begins
    line,              // a space, or the end of a line
    soft_line,         // nothing, or the end of a line
    hard_line,         // the end of a line
    comment,           // on a line of its own
    trailing_comment,  // behind what stands on the line
    indented,          // parts, whose lines begin further in
    group,             // parts
    sequence,          // parts
  };

  Kind kind = Kind::sequence;
  std::string text;
  std::vector<Layout> parts;

  static Layout of(std::string_view text) {
    return {.kind = Kind::text, .text = std::string(text)};
  }
  static Layout space() { return {.kind = Kind::space}; }
  static Layout line() { return {.kind = Kind::line}; }
  static Layout soft_line() { return {.kind = Kind::soft_line}; }
  static Layout hard_line() { return {.kind = Kind::hard_line}; }
  static Layout indented(Layout inside);
  // Comments before the first text come to stand before the group: they do not break it.
  static Layout group(Layout inside);

  Layout& add(Layout part) {
    parts.push_back(std::move(part));
    return *this;
  }
};

struct LayoutOptions {
  std::size_t line_width = 80;
  std::size_t indent = 2;
};

// Without an end of line behind the last.
std::string lay_out(const Layout& layout, const LayoutOptions& options);

}  // namespace mailwarden::policy
