// Policies as text, laid out anew.
//
// What     The scope on one line if it fits, else each of its variables on its own; conditions
//          likewise; one empty line between policies. Comments stay, in their order: one behind a
//          line stays there, one on a line of its own goes before what follows it. An empty line
//          that parts comments before a policy stays too.
//          The result parses to the same policies, and formatting it changes nothing.
// Owns     Nothing.
// Threads  Pure.
// Errors   Error{invalid} of the parser; Error{corrupt} if the result did not hold the tokens and
//          comments of the text, which is then not given.
// Limits   ParseOptions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "policy/parse_policy.h"

namespace mailwarden::policy {

struct FormatOptions {
  std::size_t line_width = 80;
  std::size_t indent = 2;
  ParseOptions parse;
};

Result<std::string> format_policies(std::string_view text, const FormatOptions& options = {});

}  // namespace mailwarden::policy
