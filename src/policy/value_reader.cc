#include "policy/value_reader.h"

#include "policy/entity_json.h"
#include "policy/print.h"

namespace mailwarden::policy {
namespace {

Result<std::string> string_member(const json::Object& object, std::string_view name) {
  const auto at = object.find(name);
  const std::string* const text = at == object.end() ? nullptr : at->second.as_string();
  if (text == nullptr) return fail(Code::invalid, "'" + std::string(name) + "' must be a string");
  return *text;
}

std::optional<Function> constructor_of(Kind kind) {
  switch (kind) {
    case Kind::decimal:
      return Function::decimal;
    case Kind::ip:
      return Function::ip;
    case Kind::datetime:
      return Function::datetime;
    case Kind::duration:
      return Function::duration;
    default:
      return std::nullopt;
  }
}

}  // namespace

Result<Value> ValueReader::read(const json::Value& value, std::optional<TypeId> expected) const {
  using Form = Types::Form;
  const Types::Type* const type = expected ? &(*types_)[*expected] : nullptr;
  if (const bool* const truth = value.as_bool()) return Value::of(*truth);
  if (const std::int64_t* const number = value.as_integer()) return Value::of(*number);
  if (const std::string* const text = value.as_string()) {
    if (type != nullptr && type->form == Form::extension) {
      return constructed(*constructor_of(type->kind), *text);
    }
    return Value::of(keep(memory_, *text));
  }
  if (const json::Array* const array = value.as_array()) {
    std::optional<TypeId> element;
    if (type != nullptr && type->form == Form::set) element = type->element;
    std::vector<Value> items;
    for (const json::Value& one : *array) {
      auto item = read(one, element);
      if (!item) return item;
      items.push_back(*item);
    }
    return make_set(memory_, items);
  }
  if (const json::Object* const members = value.as_object()) return object(*members, expected);
  return fail(Code::invalid, value.is_null() ? "null is no value in Cedar"
                                             : "Cedar has whole numbers of 64 bits alone");
}

Result<Value> ValueReader::object(const json::Object& object,
                                  std::optional<TypeId> expected) const {
  using Form = Types::Form;
  const Types::Type* const type = expected ? &(*types_)[*expected] : nullptr;
  if (object.size() == 1) {
    const auto& [name, inner] = *object.begin();
    if (name == "__entity") return entity(inner);
    if (name == "__extn") {
      const json::Object* const call = inner.as_object();
      if (call == nullptr) return fail(Code::invalid, "'__extn' must be an object");
      return extension(*call);
    }
    if (name == "__expr") return fail(Code::invalid, "'__expr' is no longer taken");
  }
  if (type != nullptr && type->form == Form::entity) return entity(object);
  if (type != nullptr && type->form == Form::extension) return extension(object);
  return record(object, type != nullptr && type->form == Form::record ? expected : std::nullopt);
}

Result<Value> ValueReader::entity(const json::Value& value) const {
  const auto uid = read_uid(value);
  if (!uid) return std::unexpected(uid.error());
  return Value::of(name_(uid->type, uid->id));
}

Result<Value> ValueReader::extension(const json::Object& call) const {
  if (call.contains("args")) {
    // A method of a constructed value, which the printers write of dates beyond year 9999.
    const json::Value& arguments = call.at("args");
    const auto name = string_member(call, "fn");
    if (!name) return std::unexpected(name.error());
    const json::Array* const array = arguments.as_array();
    if (array == nullptr || array->size() != 2 || *name != "offset" || call.size() != 2) {
      return fail(Code::invalid, "'args' are taken of 'offset' with two values alone");
    }
    const auto from = read((*array)[0], std::nullopt);
    const auto by = read((*array)[1], std::nullopt);
    if (!from) return from;
    if (!by) return by;
    std::int64_t sum = 0;
    if (from->kind != Kind::datetime || by->kind != Kind::duration ||
        __builtin_add_overflow(from->number, by->number, &sum)) {
      return fail(Code::invalid, "'offset' takes a datetime and a duration");
    }
    return Value::of(sum, Kind::datetime);
  }
  const auto name = string_member(call, "fn");
  const auto text = string_member(call, "arg");
  if (!name) return std::unexpected(name.error());
  if (!text) return std::unexpected(text.error());
  if (call.size() != 2) return fail(Code::invalid, "an extension value has 'fn' and 'arg' alone");
  const FunctionInfo* const info = find_function(*name);
  if (info == nullptr || !info->is_constructor) {
    return fail(Code::invalid, "'" + *name + "' makes no extension value");
  }
  return constructed(info->function, *text);
}

Result<Value> ValueReader::constructed(Function function, std::string_view text) const {
  const FunctionInfo& info = info_of(function);
  const auto number = [&](std::optional<std::int64_t> made) -> Result<Value> {
    if (made) return Value::of(*made, info.result);
    return fail(Code::invalid,
                policy::quoted(text) + " is no " + std::string(to_string(info.result)));
  };
  switch (function) {
    case Function::decimal:
      return number(read_decimal(text));
    case Function::datetime:
      return number(read_datetime(text));
    case Function::duration:
      return number(read_duration(text));
    default:
      break;
  }
  const auto range = read_ip(text);
  if (!range) return number(std::nullopt);
  return copy(memory_, Value::of(&*range));
}

template <class TypeOf>
Result<Value> ValueReader::members(const json::Object& members, TypeOf type_of) const {
  std::vector<Member> all;
  for (const auto& [name, inner] : members) {
    auto value = read(inner, type_of(name));
    if (!value) return fail("'" + name + "'", value.error());
    all.push_back({text_(name), *value});
  }
  return make_record(memory_, all);
}

Result<Value> ValueReader::record(const json::Object& object,
                                  std::optional<TypeId> expected) const {
  return members(object, [&](const std::string& name) -> std::optional<TypeId> {
    if (!expected) return std::nullopt;
    const AttributeType* const type = types_->attribute(*expected, name);
    if (type == nullptr) return std::nullopt;
    return type->type;
  });
}

Result<Value> ValueReader::tags(const json::Object& object, std::optional<TypeId> expected) const {
  return members(object, [&](const std::string&) { return expected; });
}

}  // namespace mailwarden::policy
