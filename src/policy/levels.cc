// The part of typecheck.h about levels: how far policies follow entities from a request. Whoever
// fetches only that far has all that a decision needs.
#include <algorithm>

#include "policy/typecheck.h"

namespace mailwarden::policy {

bool Typechecker::is_within_level(std::size_t level) const {
  return within(root_, level);
}

// Whether the entity that `typed` comes to, or that stands in it along `path`, is one that is
// reached in so many steps. Literals are not: nothing fetches them.
bool Typechecker::access_within(std::uint32_t at, std::size_t level, std::size_t most,
                                std::vector<std::string_view>& path) const {
  const Typed& typed = typed_[at];
  const Node& node = expressions_[typed.id];
  switch (node.op) {
    case Op::variable:
      return true;
    case Op::literal: {
      const Value& value = expressions_.literal_of(node);
      return value.kind == Kind::entity && *value.entity == action_;
    }
    case Op::if_then_else: {
      auto same = path;
      return within(typed.parts[0], most) && access_within(typed.parts[1], level, most, path) &&
             access_within(typed.parts[2], level, most, same);
    }
    case Op::get_attribute: {
      if (form(typed_[typed.parts[0]].type) == Types::Form::entity) {
        std::vector<std::string_view> none;
        return level > 0 && access_within(typed.parts[0], level - 1, most, none);
      }
      path.push_back(expressions_.name(node.b));
      return access_within(typed.parts[0], level, most, path);
    }
    case Op::get_tag: {
      std::vector<std::string_view> none;
      return level > 0 && access_within(typed.parts[0], level - 1, most, none) &&
             within(typed.parts[1], most);
    }
    case Op::record: {
      if (path.empty()) return false;
      const auto names = expressions_.list(node.b);
      const auto found = std::ranges::find_if(
          names, [&](std::uint32_t name) { return expressions_.name(name) == path.back(); });
      if (found == names.end()) return false;
      path.pop_back();
      return access_within(typed.parts[static_cast<std::size_t>(found - names.begin())], level,
                           most, path) &&
             std::ranges::all_of(typed.parts, [&](auto part) { return within(part, most); });
    }
    default:
      return false;
  }
}

bool Typechecker::within(std::uint32_t at, std::size_t level) const {
  const Typed& typed = typed_[at];
  const Node& node = expressions_[typed.id];
  std::vector<std::string_view> path;
  const bool follows = node.op == Op::in || node.op == Op::get_tag || node.op == Op::has_tag ||
                       ((node.op == Op::get_attribute || node.op == Op::has_attribute) &&
                        form(typed_[typed.parts[0]].type) == Types::Form::entity);
  if (!follows) {
    return std::ranges::all_of(typed.parts, [&](auto part) { return within(part, level); });
  }
  if (level == 0 || !access_within(typed.parts[0], level - 1, level, path)) return false;
  return typed.parts.size() == 1 || within(typed.parts[1], level);
}

}  // namespace mailwarden::policy
