// The tokens of a policy text with the comments that stand at them. Not for other modules.
//
// What     Each token knows the comments on lines of their own before it and the one behind it on
//          its line. Comments at a comma, a semicolon or a logical operator go behind it, since
//          that is where lines end; a comma before a closing bracket is left out.
// Owns     Nothing; tokens and comments point into the text.
// Threads  Values.
// Errors   None: the text is one that the parser took.
// Limits   None.
#pragma once

#include <string_view>
#include <vector>

#include "policy/lexer.h"

namespace mailwarden::policy {

struct Comment {
  std::string_view text;         // without white space behind it
  bool is_behind_token = false;  // or on a line of its own
  bool has_empty_line_behind = false;
};

struct CommentedToken {
  Token token;
  std::string_view text;        // of a string with its quotes
  std::vector<Comment> before;  // on lines of their own
  std::string_view behind;      // "" where there is none
};

// The last is the end of the text.
std::vector<CommentedToken> commented_tokens(std::string_view text);
// Whether both hold the same tokens, and the same comments in the same order.
bool say_the_same(std::string_view a, std::string_view b);

}  // namespace mailwarden::policy
