#include "respond/variable_text.h"

#include "base/text.h"
#include "respond/condition_tree.h"

namespace mailwarden::respond {
namespace {

constexpr std::string_view dollar = "$";  // ${$}

}  // namespace

Result<void> walk_variables(std::string_view whole,
                            const std::function<void(std::string_view)>& text,
                            const std::function<Result<void>(std::string_view)>& found) {
  while (true) {
    const std::size_t begin = whole.find("${");
    text(whole.substr(0, begin));
    if (begin == std::string_view::npos) return {};
    const std::size_t end = whole.find('}', begin);
    if (end == std::string_view::npos) return fail(Code::invalid, "a '${' is never closed");
    const std::string_view name = whole.substr(begin + 2, end - begin - 2);
    if (name == dollar) {
      text(dollar);
    } else if (!is_variable_name(name)) {
      return fail(Code::invalid, "'" + printable(name) + "' is no name of a variable");
    } else if (auto taken = found(name); !taken) {
      return taken;
    }
    whole.remove_prefix(end + 1);
  }
}

std::string_view only_variable(std::string_view text) {
  if (!text.starts_with("${") || text.find('}') != text.size() - 1) return {};
  const std::string_view name = text.substr(2, text.size() - 3);
  return name == dollar ? std::string_view() : name;
}

}  // namespace mailwarden::respond
