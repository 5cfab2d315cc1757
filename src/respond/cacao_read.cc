// A CACAO playbook without the extension as a Playbook: its head and its variables.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "respond/cacao_kept.h"
#include "respond/cacao_reading.h"
#include "respond/condition_tree.h"
#include "respond/flow_words.h"
#include "respond/value_type.h"

namespace mailwarden::respond::cacao {
namespace {

using flow::FlowLimits;
using flow::Variable;
using flow::VariableType;
using json::Object;
using json::Value;

constexpr std::size_t name_bytes_max = 64;

bool truth_of(Reading& reading, const Value& object, std::string_view name,
              const std::string& pointer) {
  const Value& value = object[name];
  if (value.is_null()) return false;
  if (value.as_bool() != nullptr) return *value.as_bool();
  reading.mistake(below(pointer, name), "must be true or false");
  return false;
}

VariableType type_of_variable(Reading& reading, const Value& object, const std::string& pointer) {
  const std::string name = text_of(reading, object, "type", pointer, true);
  if (const auto type = parse_variable_type(name)) return *type;
  if (name == "md5-hash") return VariableType::hash;
  if (!name.empty()) {
    reading.note(below(pointer, "type"), "'" + printable(name) + "' is not known; it is a string");
  }
  return VariableType::string;
}

Value value_of(Reading& reading, const Value& value, VariableType type,
               const std::string& pointer) {
  const std::string* const text = value.as_string();
  if (value.is_null() || (text != nullptr && text->empty() && type != VariableType::string)) {
    return {};
  }
  if (text != nullptr) {
    auto read = type == VariableType::string ? Result<Value>(*text) : read_value(*text, type);
    if (read && type == VariableType::string) {
      if (auto good = fits(*read, type); !good) read = std::unexpected(good.error());
    }
    if (read) return *read;
    reading.mistake(below(pointer, "value"), read.error().what);
    return {};
  }
  if (auto good = fits(value, type); !good) {
    reading.mistake(below(pointer, "value"), good.error().what);
    return {};
  }
  return value;
}

Variable read_variable(Reading& reading, const Value& object, const std::string& pointer) {
  Variable out;
  if (object.as_object() == nullptr) {
    reading.mistake(pointer, "must be an object");
    return out;
  }
  out.type = type_of_variable(reading, object, pointer);
  out.meaning = text_of(reading, object, "description", pointer);
  out.value = value_of(reading, object["value"], out.type, pointer);
  out.constant = truth_of(reading, object, "constant", pointer);
  out.external = truth_of(reading, object, "external", pointer);
  return out;
}

// Those that must be there, by the specification's section 3.1.
void read_identity(Reading& reading) {
  const Value& document = reading.document;
  if (document.text("type") != "playbook") {
    reading.mistake("/type",
                    "must be 'playbook'; this is '" + printable(document.text("type")) + "'");
  }
  if (document.text("spec_version") != "cacao-2.0") {
    reading.mistake("/spec_version", "must be 'cacao-2.0'; this is '" +
                                         printable(document.text("spec_version")) + "'");
  }
  Object& kept = reading.playbook.cacao;
  for (const char* name : {"id", "created_by", "created", "modified"}) {
    kept[name] = text_of(reading, document, name, "", true);
  }
  if (document["revoked"] == Value(true)) {
    reading.note("/revoked", "its author has taken this playbook back");
  }
  if (!document["valid_until"].is_null()) {
    reading.note("/valid_until", "the daemon does not end it by itself");
  }
}

void read_names(Reading& reading) {
  flow::Playbook& playbook = reading.playbook;
  playbook.title = text_of(reading, reading.document, "name", "", true);
  playbook.description = text_of(reading, reading.document, "description", "");
  playbook.name = flow::is_playbook_name(reading.hints.name) ? reading.hints.name
                                                             : slug(playbook.title, name_bytes_max);
  if (playbook.name.empty()) playbook.name = "playbook";
}

}  // namespace

void Reading::mistake(const std::string& pointer, const std::string& what) {
  if (mistakes.size() < CacaoLimits::mistakes_max) mistakes.push_back(pointer + ": " + what);
}

void Reading::note(const std::string& pointer, const std::string& what) {
  if (notes.size() < CacaoLimits::mistakes_max) notes.push_back(pointer + ": " + what);
}

std::string text_of(Reading& reading, const json::Value& object, std::string_view name,
                    const std::string& pointer, bool required) {
  const Value& value = object[name];
  if (value.is_null()) {
    if (required) reading.mistake(below(pointer, name), "is missing");
    return "";
  }
  if (value.as_string() != nullptr) return *value.as_string();
  reading.mistake(below(pointer, name), "must be a text");
  return "";
}

Texts read_variables(Reading& reading, const json::Value& dictionary, const std::string& pointer) {
  Texts names;
  if (dictionary.is_null()) return names;
  if (dictionary.as_object() == nullptr) {
    reading.mistake(pointer, "must be an object");
    return names;
  }
  for (const auto& [name, object] : *dictionary.as_object()) {
    const std::string place = below(pointer, name);
    if (!is_cacao_name(name)) {
      reading.mistake(place, "a variable is named __x__, with letters, digits, '_' and '-'");
      continue;
    }
    const auto given = reading.hints.given.find(name);
    if (given != reading.hints.given.end()) {
      names[name] = given->second;
      continue;
    }
    Variable variable = read_variable(reading, object, place);
    if (reading.playbook.variables.size() >= FlowLimits::variables_max) {
      reading.mistake(place, "a playbook has at most " + std::to_string(FlowLimits::variables_max) +
                                 " variables");
      return names;
    }
    const auto hint = reading.hints.names.find(name);
    std::string native = hint == reading.hints.names.end() ? "" : hint->second;
    // Names of variables that steps share are spoken for, in whichever scope.
    VariableNames taken;
    for (const auto& [known, unused] : reading.playbook.variables) taken.add("." + known, known);
    if (!is_variable_name(native) || reading.playbook.variables.contains(native)) {
      native = taken.free_native(name);
    }
    names[name] = native;
    reading.playbook.variables[native] = std::move(variable);
  }
  return names;
}

Result<Imported> read_plain(const json::Object& document, const Hints& hints) {
  Reading reading{.document = document, .hints = hints};
  read_identity(reading);
  read_names(reading);
  Object renamed;
  for (const auto& [cacao, native] :
       read_variables(reading, reading.document["playbook_variables"], "/playbook_variables")) {
    reading.names.add(cacao, native);
    if (cacao != "__" + native + "__") renamed[cacao] = native;
  }
  if (!renamed.empty()) reading.playbook.cacao[std::string(member::names)] = std::move(renamed);
  read_workflow(reading);
  if (!reading.mistakes.empty()) {
    std::string all;
    for (const std::string& line : reading.mistakes) all += (all.empty() ? "" : "\n") + line;
    return fail(Code::invalid, all);
  }
  return Imported{std::move(reading.playbook), std::move(reading.notes)};
}

}  // namespace mailwarden::respond::cacao
