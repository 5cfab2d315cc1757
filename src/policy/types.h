// The types that Cedar's validator speaks of.
//
// What     Types holds each type once, so that equal types have equal numbers. `true` and `false`
//          are types of their own, below Bool: an expression of type `false` never holds.
// Owns     Types and names.
// Threads  One that adds; any number that read.
// Errors   None.
// Limits   2^32 types.
// Source   Cedar.Validation.Types and Subtyping of the formal model (strict validation).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/value.h"

namespace mailwarden::policy {

using TypeId = std::uint32_t;

struct AttributeType {
  std::string name;
  TypeId type = 0;
  bool is_required = true;

  auto operator<=>(const AttributeType&) const = default;
};

class Types {
 public:
  enum class Form : std::uint8_t {
    boolean,
    yes,
    no,
    integer,
    string,
    entity,     // name
    set,        // element
    record,     // attributes, by name
    extension,  // kind: decimal, ip, datetime, duration
  };
  struct Type {
    Form form = Form::boolean;
    Kind kind = Kind::boolean;
    TypeId element = 0;
    std::string name;
    std::vector<AttributeType> attributes;

    auto operator<=>(const Type&) const = default;
  };

  static constexpr TypeId boolean = 0;
  static constexpr TypeId yes = 1;
  static constexpr TypeId no = 2;
  static constexpr TypeId integer = 3;
  static constexpr TypeId string = 4;
  static constexpr TypeId empty_record = 5;

  Types();

  TypeId entity(std::string_view name) {
    return add({.form = Form::entity, .name = std::string(name)});
  }
  TypeId set(TypeId element) { return add({.form = Form::set, .element = element}); }
  TypeId extension(Kind kind) { return add({.form = Form::extension, .kind = kind}); }
  TypeId record(std::vector<AttributeType> attributes);
  // Of what a value of this kind is, where that needs no more to be said.
  TypeId of(Kind kind);

  const Type& operator[](TypeId id) const { return *types_[id]; }
  bool is_boolean(TypeId id) const { return id <= no; }
  // Of a record; null where it has none of that name.
  const AttributeType* attribute(TypeId record, std::string_view name) const;

  // The type that both may be taken for; nothing where strict validation knows none.
  std::optional<TypeId> joined(TypeId a, TypeId b);
  // "Set<String>", "{name: String, age?: Long}".
  std::string text(TypeId id) const;

 private:
  TypeId add(Type type);

  std::map<Type, TypeId> numbers_;
  std::vector<const Type*> types_;
};

}  // namespace mailwarden::policy
