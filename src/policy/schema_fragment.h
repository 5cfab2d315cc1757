// A Cedar schema as it was written, in either syntax.
//
// What     Namespaces with their declarations; names are not yet looked up.
// Owns     All of it.
// Threads  Values.
// Errors   parse_schema(), parse_schema_json(): Error{invalid} with the place and what was
//          expected. print_schema(): Error{conflict} for what only JSON can say.
// Limits   SchemaOptions.
// Source   Cedar 4.5, "Grammar specification for Cedar schemas", "JSON schema format"; RFC 24, 48,
//          52, 53, 82.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/policy.h"

namespace mailwarden::policy {

struct TypeExpression;

struct AttributeDeclaration {
  std::string name;
  bool is_required = true;
  std::vector<TypeExpression> type;  // exactly one; a vector, since types hold attributes
  std::vector<Annotation> annotations;
};

struct TypeExpression {
  enum class Form : std::uint8_t {
    named,      // whatever the name means: a common type, an entity, a primitive, an extension
    entity,     // an entity's type by its name
    common,     // a common type by its name
    primitive,  // Long, String, Bool by its name
    extension,  // by its name
    set,
    record,
  };

  Form form = Form::named;
  std::string name;
  std::vector<TypeExpression> element;  // one, of a set
  std::vector<AttributeDeclaration> attributes;
};

struct EntityDeclaration {
  std::string name;
  std::vector<std::string> parents;
  std::optional<TypeExpression> shape;
  std::optional<TypeExpression> tags;
  std::optional<std::vector<std::string>> choices;  // of an enumerated type
  std::vector<Annotation> annotations;
};

struct ActionReference {
  std::string type;  // "" where only the id was written
  std::string id;
};

struct AppliesTo {
  std::vector<std::string> principals;
  std::vector<std::string> resources;
  std::optional<TypeExpression> context;
};

struct ActionDeclaration {
  std::string name;
  std::vector<ActionReference> parents;
  std::optional<AppliesTo> applies_to;
  std::vector<Annotation> annotations;
};

struct TypeDeclaration {
  std::string name;
  TypeExpression type;
  std::vector<Annotation> annotations;
};

struct NamespaceDeclaration {
  std::string name;  // "" for what stands in none
  std::vector<EntityDeclaration> entities;
  std::vector<ActionDeclaration> actions;
  std::vector<TypeDeclaration> types;
  std::vector<Annotation> annotations;
};

struct SchemaFragment {
  std::vector<NamespaceDeclaration> namespaces;
};

struct SchemaOptions {
  std::size_t bytes_max = 16 * 1024 * 1024;
  std::size_t nesting_max = 100;      // of types in one another
  std::size_t items_max = 1'000'000;  // types and list items, each for every name declared by them
};

Result<SchemaFragment> parse_schema(std::string_view text, const SchemaOptions& options = {});
Result<SchemaFragment> parse_schema_json(std::string_view json, const SchemaOptions& options = {});

// Text that means the same, in declarations of one name each. JSON tells entity types from common
// types and text does not: a reference to an entity type that shares its name with a common type
// is an Error{conflict}. Also, text lists the attributes of a shape that is a common type, and has
// no empty lists of principals or resources, so that such an action is one without `appliesTo`.
Result<std::string> print_schema(const SchemaFragment& fragment);
// JSON that parses to the same, indented for people.
std::string print_schema_json(const SchemaFragment& fragment);

}  // namespace mailwarden::policy
