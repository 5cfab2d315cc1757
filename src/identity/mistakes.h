// What is wrong with a text that came from outside: gathered, and told together in one error.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/text.h"

namespace mailwarden::identity {

class Mistakes {
 public:
  static constexpr std::size_t told_max = 20;

  void add(std::string_view where, std::string_view what) {
    if (++count_ > told_max) return;
    if (count_ > 1) text_ += "; ";
    text_.append(where).append(": ").append(what);
  }
  bool any() const { return count_ > 0; }
  std::unexpected<Error> error() const {
    std::string text = text_;
    if (count_ > told_max) text += "; and " + std::to_string(count_ - told_max) + " more";
    return fail(Code::invalid, std::move(text));
  }

 private:
  std::size_t count_ = 0;
  std::string text_;
};

// A text from outside in a sentence of ours: in quotes, safe on a terminal, not long.
inline std::string shown(std::string_view text) {
  constexpr std::size_t shown_max = 60;
  const std::string_view head = text.substr(0, shown_max);
  return "'" + printable(head) + (head.size() < text.size() ? "…'" : "'");
}

}  // namespace mailwarden::identity
