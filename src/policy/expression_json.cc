#include "policy/expression_json.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "policy/entity_json.h"

namespace mailwarden::policy {
namespace {

bool has_members(const json::Value& value, std::initializer_list<std::string_view> wanted,
                 std::initializer_list<std::string_view> allowed = {}) {
  const json::Object* const object = value.as_object();
  if (object == nullptr) return false;
  const bool all = std::ranges::all_of(wanted, [&](auto name) { return object->contains(name); });
  return all && std::ranges::all_of(*object, [&](const auto& member) {
           return std::ranges::find(wanted, member.first) != wanted.end() ||
                  std::ranges::find(allowed, member.first) != allowed.end();
         });
}

// Operators by their text; methods among them.
std::optional<Op> operator_of(std::string_view name) {
  for (auto op = static_cast<std::uint8_t>(Op::both); op <= static_cast<std::uint8_t>(Op::get_tag);
       ++op) {
    const Op one = static_cast<Op>(op);
    if (is_binary(one) && text_of(one) == name) return one;
  }
  return std::nullopt;
}

}  // namespace

Result<ExprId> ExpressionReader::checked(ExprId id) const {
  if (expressions_.depth(id) > options_.depth_max) {
    return wrong("the expression is deeper than " + std::to_string(options_.depth_max) +
                 " operators");
  }
  return id;
}

Result<ExprId> ExpressionReader::read(const json::Value& json) {
  const json::Object* const object = json.as_object();
  if (object == nullptr || object->size() != 1) {
    return wrong("an expression is an object with one member");
  }
  if (nesting_ >= options_.nesting_max) {
    return wrong("expressions stand deeper in one another than " +
                 std::to_string(options_.nesting_max) + " levels");
  }
  ++nesting_;
  const auto& [name, inner] = *object->begin();
  const auto id = operation(name, inner);
  --nesting_;
  if (!id) return id;
  return checked(*id);
}

Result<ExprId> ExpressionReader::operation(const std::string& name, const json::Value& inner) {
  if (const auto op = operator_of(name)) return binary(*op, name, inner);
  if (name == "Value") return value(inner);
  if (name == "Var") return variable(inner);
  if (name == "!") return unary(Op::negation, name, inner);
  if (name == "neg") return unary(Op::minus, name, inner);
  if (name == "isEmpty") return unary(Op::is_empty, name, inner);
  if (name == ".") return get(inner);
  if (name == "has") return has(inner);
  if (name == "is") return is(inner);
  if (name == "like") return like(inner);
  if (name == "if-then-else") return choice(inner);
  if (name == "Record") return record(inner);
  if (name == "Slot") return wrong("a slot may stand in a scope alone");
  if (name == "Unknown") return wrong("'Unknown' is for partial evaluation");
  if (name != "Set") return call(name, inner);
  const auto all = items(name, inner);
  if (!all) return std::unexpected(all.error());
  return expressions_.set(*all);
}

Result<ExprId> ExpressionReader::binary(Op op, const std::string& name, const json::Value& inner) {
  if (!has_members(inner, {"left", "right"})) return wrong("'" + name + "' has 'left' and 'right'");
  const auto left = read(inner["left"]);
  if (!left) return left;
  const auto right = read(inner["right"]);
  if (!right) return right;
  return expressions_.binary(op, *left, *right);
}

Result<ExprId> ExpressionReader::unary(Op op, const std::string& name, const json::Value& inner) {
  if (!has_members(inner, {"arg"})) return wrong("'" + name + "' has 'arg'");
  const auto operand = read(inner["arg"]);
  if (!operand) return operand;
  return expressions_.unary(op, *operand);
}

Result<ExprId> ExpressionReader::variable(const json::Value& inner) {
  constexpr std::array all = {Variable::principal, Variable::action, Variable::resource,
                              Variable::context};
  const std::string* const name = inner.as_string();
  for (const Variable one : all) {
    if (name != nullptr && *name == to_string(one)) return expressions_.variable(one);
  }
  return wrong("'Var' is principal, action, resource or context");
}

Result<ExprId> ExpressionReader::left_of(const std::string& name, const json::Value& inner) {
  if (inner["left"].is_null()) return wrong("'" + name + "' has 'left'");
  return read(inner["left"]);
}

Result<ExprId> ExpressionReader::get(const json::Value& inner) {
  const std::string* const name = inner["attr"].as_string();
  if (name == nullptr || !has_members(inner, {"left", "attr"})) {
    return wrong("'.' has 'left' and 'attr'");
  }
  const auto left = left_of(".", inner);
  if (!left) return left;
  return expressions_.named(Op::get_attribute, *left, *name);
}

Result<ExprId> ExpressionReader::has(const json::Value& inner) {
  if (!has_members(inner, {"left", "attr"})) return wrong("'has' has 'left' and 'attr'");
  auto left = left_of("has", inner);
  if (!left) return left;
  if (const std::string* const name = inner["attr"].as_string()) {
    return expressions_.named(Op::has_attribute, *left, *name);
  }
  const json::Array* const names = inner["attr"].as_array();
  if (names == nullptr || names->empty()) return wrong("'attr' is a name or a list of names");
  std::optional<ExprId> all;
  for (const json::Value& one : *names) {
    const std::string* const name = one.as_string();
    if (name == nullptr) return wrong("'attr' is a name or a list of names");
    const ExprId here = expressions_.named(Op::has_attribute, *left, *name);
    all = all ? expressions_.binary(Op::both, *all, here) : here;
    left = checked(expressions_.named(Op::get_attribute, *left, *name));
    if (!left) return left;
  }
  return *all;
}

Result<ExprId> ExpressionReader::is(const json::Value& inner) {
  const std::string* const type = inner["entity_type"].as_string();
  if (type == nullptr || !has_members(inner, {"left", "entity_type"}, {"in"})) {
    return wrong("'is' has 'left', 'entity_type' and perhaps 'in'");
  }
  if (!type_is_valid(*type)) return wrong("'" + printable(*type) + "' is no entity type");
  const auto left = left_of("is", inner);
  if (!left) return left;
  const ExprId is_type = expressions_.named(Op::is_type, *left, *type);
  if (inner["in"].is_null()) return is_type;
  const auto group = read(inner["in"]);
  if (!group) return group;
  return expressions_.binary(Op::both, is_type, expressions_.binary(Op::in, *left, *group));
}

Result<ExprId> ExpressionReader::like(const json::Value& inner) {
  const json::Array* const parts = inner["pattern"].as_array();
  if (parts == nullptr || !has_members(inner, {"left", "pattern"})) {
    return wrong("'like' has 'left' and 'pattern', a list");
  }
  const auto left = left_of("like", inner);
  if (!left) return left;
  Pattern pattern(1);
  for (const json::Value& part : *parts) {
    const std::string* const text = part["Literal"].as_string();
    if (part == json::Value("Wildcard")) {
      pattern.emplace_back();
    } else if (text != nullptr && has_members(part, {"Literal"})) {
      pattern.back() += *text;
    } else {
      return wrong("a part of a pattern is \"Wildcard\" or {\"Literal\": text}");
    }
  }
  return expressions_.like(*left, pattern);
}

Result<ExprId> ExpressionReader::choice(const json::Value& inner) {
  if (!has_members(inner, {"if", "then", "else"})) {
    return wrong("'if-then-else' has 'if', 'then' and 'else'");
  }
  const auto condition = read(inner["if"]);
  if (!condition) return condition;
  const auto yes = read(inner["then"]);
  if (!yes) return yes;
  const auto no = read(inner["else"]);
  if (!no) return no;
  return expressions_.if_then_else(*condition, *yes, *no);
}

Result<ExprId> ExpressionReader::record(const json::Value& inner) {
  const json::Object* const members = inner.as_object();
  if (members == nullptr) return wrong("'Record' is an object");
  std::vector<std::pair<std::string, ExprId>> all;
  for (const auto& [name, expression] : *members) {
    const auto id = read(expression);
    if (!id) return id;
    all.emplace_back(name, *id);
  }
  return expressions_.record(std::move(all));
}

Result<std::vector<ExprId>> ExpressionReader::items(const std::string& name,
                                                    const json::Value& inner) {
  const json::Array* const array = inner.as_array();
  if (array == nullptr) return wrong("'" + printable(name) + "' has a list");
  std::vector<ExprId> all;
  for (const json::Value& one : *array) {
    const auto id = read(one);
    if (!id) return std::unexpected(id.error());
    all.push_back(*id);
  }
  return all;
}

Result<ExprId> ExpressionReader::call(const std::string& name, const json::Value& inner) {
  const FunctionInfo* const info = find_function(name);
  if (info == nullptr) return wrong("there is no operator or function '" + printable(name) + "'");
  const auto all = items(name, inner);
  if (!all) return std::unexpected(all.error());
  if (all->empty() && !info->is_constructor) {
    return wrong("'" + name + "' is a method and needs a value");
  }
  return expressions_.call(info->function, *all);
}

// A value in the syntax of entities, with its escapes.
Result<ExprId> ExpressionReader::value(const json::Value& json) {
  if (const bool* const truth = json.as_bool()) return expressions_.boolean(*truth);
  if (const std::int64_t* const number = json.as_integer()) return expressions_.integer(*number);
  if (const std::string* const text = json.as_string()) return expressions_.string(*text);
  if (const json::Array* const array = json.as_array()) {
    std::vector<ExprId> all;
    for (const json::Value& one : *array) {
      const auto id = value(one);
      if (!id) return id;
      all.push_back(*id);
    }
    return checked(expressions_.set(all));
  }
  const json::Object* const object = json.as_object();
  if (object == nullptr) return wrong("Cedar has no null and no number but whole ones of 64 bits");
  if (object->size() == 1 && object->begin()->first.starts_with("__")) {
    return escaped_value(*object);
  }
  std::vector<std::pair<std::string, ExprId>> members;
  for (const auto& [name, inner] : *object) {
    const auto id = value(inner);
    if (!id) return id;
    members.emplace_back(name, *id);
  }
  return checked(expressions_.record(std::move(members)));
}

Result<ExprId> ExpressionReader::escaped_value(const json::Object& object) {
  const auto& [name, inner] = *object.begin();
  if (name == "__entity") {
    const auto uid = read_uid(inner);
    if (!uid) return std::unexpected(uid.error());
    return expressions_.entity(uid->type, uid->id);
  }
  if (name == "__extn") {
    const std::string* const function = inner["fn"].as_string();
    const FunctionInfo* const info = function == nullptr ? nullptr : find_function(*function);
    const bool has_one = has_members(inner, {"fn", "arg"});
    if (info == nullptr || (!has_one && !has_members(inner, {"fn", "args"}))) {
      return wrong("'__extn' has 'fn' and 'arg'");
    }
    std::vector<ExprId> arguments;
    const json::Array one{inner["arg"]};
    const json::Array* const all = has_one ? &one : inner["args"].as_array();
    if (all == nullptr) return wrong("'args' is a list");
    for (const json::Value& argument : *all) {
      const auto id = value(argument);
      if (!id) return id;
      arguments.push_back(*id);
    }
    return checked(expressions_.call(info->function, arguments));
  }
  if (name == "__expr") return wrong("'__expr' is no longer taken");
  const auto id = value(inner);
  if (!id) return id;
  return checked(expressions_.record({{name, *id}}));
}

}  // namespace mailwarden::policy
