// Reads Cedar policies and expressions as text.
//
// What     Text to Policy values, whose conditions become nodes of an Expressions.
// Owns     Nothing.
// Threads  One for an Expressions.
// Errors   Error{invalid}: line, column, what stood there, what was expected.
// Limits   ParseOptions: bytes_max of text, nesting_max of brackets, depth_max of an expression
//          (whoever evaluates or checks it recurses so deep).
// Source   Cedar 4.5, "Grammar for Cedar syntax"; RFC 62 (extended has), RFC 71 (trailing commas).
//          `a has b.c` becomes `a has b && a.b has c`, and `a is T in b` becomes `a is T && a in
//          b`, which is what they mean.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/policy.h"

namespace mailwarden::policy {

struct ParseOptions {
  std::size_t bytes_max = 16 * 1024 * 1024;
  std::size_t nesting_max = 200;
  std::size_t depth_max = 1000;
  std::string id_prefix = "policy";  // ids are policy0, policy1, ... in the order of the text
};

Result<std::vector<Policy>> parse_policies(std::string_view text, Expressions& expressions,
                                           const ParseOptions& options = {});
Result<ExprId> parse_expression(std::string_view text, Expressions& expressions,
                                const ParseOptions& options = {});
// Type::"id"
Result<EntityUid> parse_entity_uid(std::string_view text);

}  // namespace mailwarden::policy
