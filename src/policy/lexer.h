// Cuts Cedar text, of policies and of schemas, into tokens.
//
// What     One token at a time, with one to look ahead; comments and white space are left out.
// Owns     Nothing; tokens point into the text.
// Threads  One.
// Errors   A token of kind `wrong`, whose text is what stands there.
// Limits   None.
// Source   Cedar 4.5, "Grammar for Cedar syntax".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace mailwarden::policy {

struct Token {
  enum class Kind { identifier, string, number, slot, symbol, end, wrong };

  Kind kind = Kind::end;
  std::string_view text;  // of a string what stands between the quotes, of a slot with its '?'
  std::size_t at = 0;     // the byte at which it begins

  bool is(std::string_view symbol) const {
    return (kind == Kind::symbol || kind == Kind::identifier) && text == symbol;
  }
};

class Lexer {
 public:
  explicit Lexer(std::string_view text);

  const Token& peek() const { return next_; }
  Token take();
  // Takes the token if it is this symbol or word.
  bool take(std::string_view symbol);

  // "line 3, column 7"
  std::string where(const Token& token) const;
  std::size_t line_of(const Token& token) const;
  // The token for a message: 'x', a string, or "the end".
  static std::string shown(const Token& token);

 private:
  void skip_blank();
  Token read();

  std::string_view text_;
  std::size_t at_ = 0;
  Token next_;
  // Where lines were counted to, and how many began there.
  mutable std::size_t counted_to_ = 0;
  mutable std::size_t lines_ = 1;
};

// What a string token means. `stars` tells that `\*` is lawful and stands for a star; then each
//      star
// that was escaped becomes the byte 0xFF, which no UTF-8 has.
Result<std::string> unescape(std::string_view raw, bool is_pattern = false);
inline constexpr char escaped_star = '\xff';

}  // namespace mailwarden::policy
