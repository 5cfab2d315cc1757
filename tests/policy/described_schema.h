// What a schema comes to, as text that can be compared.
#pragma once

#include <string>

#include "policy/schema.h"

namespace mailwarden::policy {

// One line for each entity type and action, by name: what stands above it, its types. An action
// without principals or resources has no requests, so that nothing more is told of it.
inline std::string described(const Schema& schema) {
  std::string text;
  const auto each = [&](std::string_view before, const auto& names) {
    for (const auto& name : names) text += std::string(before) + name;
  };
  for (const auto& [name, type] : schema.entities()) {
    text += name;
    each(" in ", type.ancestors);
    if (type.choices) each(" is ", *type.choices);
    if (type.attributes != Types::empty_record) text += " " + schema.types().text(type.attributes);
    if (type.tags) text += " tags " + schema.types().text(*type.tags);
    text += "\n";
  }
  for (const auto& [uid, action] : schema.actions()) {
    text += to_text(uid);
    for (const EntityUid& above : action.ancestors) text += " in " + to_text(above);
    if (!action.principals.empty() && !action.resources.empty()) {
      each(" by ", action.principals);
      each(" to ", action.resources);
      text += " with " + schema.types().text(action.context);
    }
    text += "\n";
  }
  return text;
}

inline Result<Schema> resolved(const Result<SchemaFragment>& fragment) {
  return fragment ? Schema::resolve(*fragment) : std::unexpected(fragment.error());
}

// What the text comes to, or why it is refused.
inline std::string described(const Result<Schema>& schema) {
  return schema ? described(*schema) : "refused: " + schema.error().what;
}

}  // namespace mailwarden::policy
