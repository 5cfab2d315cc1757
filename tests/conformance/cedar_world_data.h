// The part of cedar_worlds.h that makes schemas and data. Not for others.
//
// What     WorldData draws types, entities and actions by chance, and values that are mostly of
//          them.
// Owns     What it drew.
// Threads  One.
// Errors   None.
// Limits   A few of each.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "json/value.h"
#include "policy/entity_uid.h"

namespace mailwarden::cedar_suite {

// A type as the schema writes it.
struct Type {
  enum class Form { boolean, integer, string, entity, set, record, extension };
  struct Attribute;

  Form form = Form::boolean;
  std::string name;  // of an entity or extension
  std::vector<Type> element;
  std::vector<std::pair<std::string, bool>> names;  // attributes, and whether they are required
  std::vector<Type> types;
};

struct Entity {
  std::string type;
  std::vector<std::string> parents;
  Type shape{.form = Type::Form::record};
  std::optional<Type> tags;
  bool is_enumerated = false;
};

struct Action {
  std::string id;
  std::vector<std::string> parents;
  std::vector<std::string> principals;
  std::vector<std::string> resources;
  Type context{.form = Type::Form::record};
};

class WorldData {
 public:
  using Form = Type::Form;

  explicit WorldData(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t end) { return random_() % end; }
  bool one_in(std::size_t chances) { return below(chances) == 0; }
  template <class List>
  const auto& of(const List& list) {
    return list[below(list.size())];
  }

  // --- the schema ---

  Type type(std::size_t depth) {
    static const std::vector<std::string> extensions{"ipaddr", "decimal", "datetime", "duration"};
    Type made;
    switch (below(depth == 0 ? 5 : 7)) {
      case 0:
        made.form = Form::boolean;
        break;
      case 1:
        made.form = Form::integer;
        break;
      case 2:
        made.form = Form::string;
        break;
      case 3:
        made.form = Form::entity;
        made.name = of(types_).type;
        break;
      case 4:
        made.form = Form::extension;
        made.name = of(extensions);
        break;
      case 5:
        made.form = Form::set;
        made.element.push_back(type(depth - 1));
        break;
      default:
        made = record(depth - 1);
    }
    return made;
  }

  Type record(std::size_t depth) {
    Type made{.form = Form::record};
    for (const char* name : {"a", "b", "c d", "grant", "id"}) {
      if (one_in(2)) continue;
      made.names.emplace_back(name, !one_in(3));
      made.types.push_back(type(depth));
    }
    return made;
  }

  static std::string text(const Type& type) {
    switch (type.form) {
      case Form::boolean:
        return "Bool";
      case Form::integer:
        return "Long";
      case Form::string:
        return "String";
      case Form::entity:
      case Form::extension:
        return type.name;
      case Form::set:
        return "Set<" + text(type.element.front()) + ">";
      case Form::record:
        break;
    }
    std::string out;
    for (std::size_t at = 0; at < type.names.size(); ++at) {
      const auto& [name, required] = type.names[at];
      out += (at == 0 ? "" : ", ") + policy::quoted(name) + (required ? ": " : "?: ") +
             text(type.types[at]);
    }
    return "{" + out + "}";
  }

  void declare() {
    for (const char* name : {"User", "Group", "Doc", "Box"}) types_.push_back({.type = name});
    if (one_in(2)) types_.push_back({.type = "Color", .is_enumerated = true});
    for (Entity& one : types_) {
      if (one.is_enumerated) continue;
      for (const Entity& other : types_) {
        if (!other.is_enumerated && one_in(3)) one.parents.push_back(other.type);
      }
      one.shape = record(2);
      if (one_in(2)) one.tags = type(1);
    }
    for (const char* id : {"read", "write", "all of it", "admin"}) {
      Action action{.id = id};
      for (const Action& above : actions_) {
        if (one_in(3)) action.parents.push_back(above.id);
      }
      if (!one_in(5)) {
        for (auto* list : {&action.principals, &action.resources}) {
          list->push_back(of(types_).type);
          if (const std::string& more = of(types_).type; one_in(2) && more != list->front()) {
            list->push_back(more);
          }
        }
        action.context = record(2);
      }
      actions_.push_back(std::move(action));
    }
  }

  static std::string listed(const std::vector<std::string>& names, bool as_strings = false) {
    std::string out;
    for (const std::string& one : names) {
      out += (out.empty() ? "" : ", ") + (as_strings ? policy::quoted(one) : one);
    }
    return "[" + out + "]";
  }

  std::string schema() {
    std::string out;
    for (const Entity& one : types_) {
      if (one.is_enumerated) {
        out += "entity " + one.type + " enum [\"red\", \"blue\"];\n";
        continue;
      }
      out += "entity " + one.type;
      if (!one.parents.empty()) out += " in " + listed(one.parents);
      out += " " + text(one.shape);
      if (one.tags) out += " tags " + text(*one.tags);
      out += ";\n";
    }
    for (const Action& one : actions_) {
      out += "action " + policy::quoted(one.id);
      if (!one.parents.empty()) out += " in " + listed(one.parents, true);
      if (!one.principals.empty()) {
        out += " appliesTo {principal: " + listed(one.principals) +
               ", resource: " + listed(one.resources) + ", context: " + text(one.context) + "}";
      }
      out += ";\n";
    }
    if (space_.empty()) return out;
    return "namespace " + space_.substr(0, space_.size() - 2) + " {\n" + out + "}\n";
  }

  // --- data ---

  std::string full(const std::string& type) const { return space_ + type; }
  const Entity& entity_type(const std::string& name) const {
    for (const Entity& one : types_) {
      if (one.type == name) return one;
    }
    return types_.front();
  }

  std::string id_of(const Entity& type) {
    static const std::vector<std::string> ids{"a", "b", "c", "", "\"q\"\n"};
    static const std::vector<std::string> choices{"red", "blue"};
    if (type.is_enumerated) return one_in(30) ? "green" : of(choices);
    return ids[one_in(6) ? below(ids.size()) : below(3)];
  }

  json::Object uid(const std::string& type, const std::string& id) const {
    return {{"type", full(type)}, {"id", id}};
  }

  std::string extension_text(const std::string& name) {
    static const std::map<std::string, std::vector<std::string>> texts{
        {"ipaddr", {"10.0.0.1", "10.0.0.0/8", "::1", "ff02::1", "192.168.1.1/24", "10.0.0.01"}},
        {"decimal", {"0.0", "1.5", "-1.25", "922337203685477.5807", "1.23456", "12"}},
        {"datetime",
         {"2024-01-01", "2024-02-29T12:00:00Z", "1969-12-31T23:59:59.999Z",
          "2024-10-15T11:35:00.000+0130", "2023-02-29", "0000-01-01"}},
        {"duration", {"1h", "-1d2h3m4s5ms", "90m", "0ms", "1m1h", "106751991167d"}}};
    const auto& all = texts.at(name);
    return all[one_in(25) ? below(all.size()) : below(all.size() - 2)];
  }

  json::Value value(const Type& type) {
    if (one_in(300)) return noise();
    switch (type.form) {
      case Form::boolean:
        return one_in(2);
      case Form::integer:
        return number();
      case Form::string:
        return of(strings_);
      case Form::entity: {
        json::Object made = uid(type.name, id_of(entity_type(type.name)));
        if (one_in(2)) return made;
        return json::Object{{"__entity", std::move(made)}};
      }
      case Form::extension:
        return extension(type.name);
      case Form::set: {
        json::Array items;
        for (std::size_t count = below(4); count > 0; --count) {
          items.push_back(value(type.element.front()));
        }
        return items;
      }
      case Form::record:
        break;
    }
    return record_of(type);
  }

  json::Value record_of(const Type& type) {
    json::Object members;
    for (std::size_t at = 0; at < type.names.size(); ++at) {
      const auto& [name, required] = type.names[at];
      if ((required && !one_in(200)) || one_in(2)) members[name] = value(type.types[at]);
    }
    return members;
  }

  json::Value extension(const std::string& name) {
    const std::string text = extension_text(name);
    if (one_in(2)) return text;
    json::Object call{{"fn", name == "ipaddr" ? "ip" : name}, {"arg", text}};
    return json::Object{{"__extn", std::move(call)}};
  }

  std::int64_t number() {
    static const std::vector<std::int64_t> numbers{0, 1, -1, 2, 41, 42, INT64_MAX, INT64_MIN};
    return numbers[one_in(8) ? below(numbers.size()) : below(6)];
  }

  json::Value noise() {
    switch (below(5)) {
      case 0:
        return json::Value();
      case 1:
        return json::Array{number(), "x"};
      case 2:
        return json::Object{{"zz", true}};
      case 3:
        return 1.5;
      default:
        return "noise";
    }
  }

  void entities_of(const Entity& type, json::Array& into) {
    for (const char* id : {"a", "b", "c"}) {
      if (one_in(5) || (type.is_enumerated && !one_in(20))) continue;
      json::Array parents;
      for (const std::string& parent : type.parents) {
        // Upwards alone, so that there is no circle but by chance.
        if (one_in(2)) continue;
        const bool up = parent != type.type || one_in(40);
        if (up || id[0] != 'c')
          parents.push_back(uid(parent, up ? id_of(entity_type(parent)) : "c"));
      }
      json::Object made{{"uid", uid(type.type, type.is_enumerated ? "red" : id)},
                        {"attrs", value(type.shape)},
                        {"parents", std::move(parents)}};
      if (type.tags) {
        json::Object tags;
        for (const char* tag : {"t", "u"}) {
          if (one_in(2)) tags[tag] = value(*type.tags);
        }
        made["tags"] = std::move(tags);
      }
      into.push_back(std::move(made));
    }
  }

  std::mt19937_64 random_;
  std::string space_;
  std::vector<Entity> types_;
  std::vector<Action> actions_;
  const std::vector<std::string> strings_{"", "a", "abc", "a*b", "support", "é\n"};
};

}  // namespace mailwarden::cedar_suite
