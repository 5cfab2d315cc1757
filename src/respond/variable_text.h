// How variables stand in a text.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"

namespace mailwarden::respond {

// Calls `text` with what stands between variables, ${$} as "$", and `found` with each variable's
// name, until that fails. invalid: a "${" that is never closed or holds no name.
Result<void> walk_variables(std::string_view whole,
                            const std::function<void(std::string_view)>& text,
                            const std::function<Result<void>(std::string_view)>& found);

// The name where the text is exactly one variable; else "".
std::string_view only_variable(std::string_view text);

}  // namespace mailwarden::respond
