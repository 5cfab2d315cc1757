#include "policy/types.h"

#include <algorithm>

#include "base/check.h"

namespace mailwarden::policy {

Types::Types() {
  for (const Form form : {Form::boolean, Form::yes, Form::no, Form::integer, Form::string}) {
    add({.form = form});
  }
  CHECK(record({}) == empty_record);
}

TypeId Types::add(Type type) {
  const auto [at, is_new] = numbers_.emplace(std::move(type), static_cast<TypeId>(types_.size()));
  if (is_new) types_.push_back(&at->first);
  return at->second;
}

TypeId Types::record(std::vector<AttributeType> attributes) {
  std::ranges::sort(attributes);
  return add({.form = Form::record, .attributes = std::move(attributes)});
}

TypeId Types::of(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return boolean;
    case Kind::integer:
      return integer;
    case Kind::string:
      return string;
    default:
      return extension(kind);
  }
}

const AttributeType* Types::attribute(TypeId record, std::string_view name) const {
  const auto& all = types_[record]->attributes;
  const auto at = std::ranges::lower_bound(all, name, {}, &AttributeType::name);
  return at != all.end() && at->name == name ? &*at : nullptr;
}

std::optional<TypeId> Types::joined(TypeId a, TypeId b) {
  if (a == b) return a;
  if (is_boolean(a) && is_boolean(b)) return boolean;
  const Type& one = *types_[a];
  const Type& other = *types_[b];
  if (one.form != other.form) return std::nullopt;
  if (one.form == Form::set) {
    const auto element = joined(one.element, other.element);
    if (!element) return std::nullopt;
    return set(*element);
  }
  if (one.form != Form::record || one.attributes.size() != other.attributes.size()) {
    return std::nullopt;
  }
  std::vector<AttributeType> attributes;
  for (std::size_t at = 0; at < one.attributes.size(); ++at) {
    const AttributeType& left = one.attributes[at];
    const AttributeType& right = other.attributes[at];
    if (left.name != right.name || left.is_required != right.is_required) return std::nullopt;
    const auto type = joined(left.type, right.type);
    if (!type) return std::nullopt;
    attributes.push_back({left.name, *type, left.is_required});
  }
  return record(std::move(attributes));
}

std::string Types::text(TypeId id) const {
  const Type& type = *types_[id];
  switch (type.form) {
    case Form::boolean:
      return "Bool";
    case Form::yes:
      return "true";
    case Form::no:
      return "false";
    case Form::integer:
      return "Long";
    case Form::string:
      return "String";
    case Form::entity:
      return type.name;
    case Form::set:
      return "Set<" + text(type.element) + ">";
    case Form::extension:
      return std::string(to_string(type.kind));
    case Form::record:
      break;
  }
  std::string out;
  for (const AttributeType& one : type.attributes) {
    const std::string name = is_identifier(one.name) ? one.name : policy::quoted(one.name);
    out += (out.empty() ? "" : ", ") + name + (one.is_required ? ": " : "?: ") + text(one.type);
  }
  return "{" + out + "}";
}

}  // namespace mailwarden::policy
