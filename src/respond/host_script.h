// What is run on a host for the actions about files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mailwarden::respond {

// One fixed text for POSIX sh with GNU's file tools, without a single quote, so that a login shell
// takes it between two of them. It reads one value a line, the first of which says what to do; the
// last line of its answer is one word, or "end CODE".
std::string_view host_script();

// A value as the script reads it: each byte that is no letter or digit as an octal number.
std::string host_input(const std::vector<std::string>& values);

}  // namespace mailwarden::respond
