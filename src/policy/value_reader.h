// The part of entity_json.h that makes values. Not for other modules.
//
// What     A ValueReader makes values of JSON, knowing the type that is expected or nothing.
// Owns     Nothing; what it makes stands in the memory of the one who asks.
// Threads  One.
// Errors   Error{invalid}; where() of the caller tells the place.
// Limits   Depth of the JSON.
#pragma once

#include <functional>

#include "base/result.h"
#include "json/value.h"
#include "policy/schema.h"
#include "policy/value.h"

namespace mailwarden::policy {

class ValueReader {
 public:
  using MakeName = std::function<const EntityName*(std::string_view type, std::string_view id)>;
  using MakeText = std::function<std::string_view(std::string_view text)>;

  // `name` and `text` put entities and attribute names where they can be shared.
  ValueReader(Memory& memory, const Types* types, MakeName name, MakeText text)
      : memory_(memory), types_(types), name_(std::move(name)), text_(std::move(text)) {}

  Result<Value> read(const json::Value& value, std::optional<TypeId> expected) const;
  // Members of a record: each as its type says.
  Result<Value> record(const json::Object& members, std::optional<TypeId> expected) const;
  // Members that are all of one type, if any.
  Result<Value> tags(const json::Object& members, std::optional<TypeId> expected) const;

 private:
  Result<Value> object(const json::Object& object, std::optional<TypeId> expected) const;
  Result<Value> entity(const json::Value& value) const;
  Result<Value> extension(const json::Object& call) const;
  Result<Value> constructed(Function function, std::string_view text) const;
  template <class TypeOf>
  Result<Value> members(const json::Object& members, TypeOf type_of) const;

  Memory& memory_;
  const Types* types_;
  MakeName name_;
  MakeText text_;
};

}  // namespace mailwarden::policy
