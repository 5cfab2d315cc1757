#include "json/flatten.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "base/text.h"

namespace mailwarden::json {
namespace {

using simdjson::error_code;
namespace dom = simdjson::dom;

struct Walk {
  const Flattener::Options& options;
  const std::function<void(const Leaf&)>& put;
  static constexpr std::size_t name_shown = 60;

  std::string path;
  std::vector<std::string_view> names;  // of one object, while they are compared
  std::size_t leaves = 0;
  std::string mistake;

  bool refuse(std::string why) {
    mistake = std::move(why);
    return false;
  }

  bool leaf(std::string_view text, LeafKind kind) {
    if (++leaves > options.leaves_max) {
      return refuse("more than " + std::to_string(options.leaves_max) + " values in one object");
    }
    put({.path = path, .text = text, .kind = kind});
    return true;
  }

  bool number(const dom::element& element) {
    return leaf(simdjson::minify(element), LeafKind::number);
  }

  // Two readers would not agree on what was said by a name that stands twice.
  bool names_differ(const dom::object& members) {
    names.clear();
    for (const auto& [name, member] : members) names.push_back(name);
    std::ranges::sort(names);
    const auto twice = std::ranges::adjacent_find(names);
    return twice == names.end() ||
           refuse("the name '" + printable(twice->substr(0, name_shown)) + "' stands twice");
  }

  bool object(const dom::object& members, std::size_t depth) {
    if (!names_differ(members)) return false;
    const std::size_t length = path.size();
    for (const auto& [name, member] : members) {
      if (length > 0) path += '.';
      path += name;
      if (!any(member, depth)) return false;
      path.resize(length);
    }
    return true;
  }

  bool array(const dom::array& items, std::size_t depth) {
    for (const dom::element item : items) {
      if (!any(item, depth)) return false;
    }
    return true;
  }

  bool any(const dom::element& element, std::size_t depth) {
    if (depth > options.depth_max) {
      return refuse("nested deeper than " + std::to_string(options.depth_max) + " levels");
    }
    switch (element.type()) {
      case dom::element_type::OBJECT:
        return object(element.get_object().value_unsafe(), depth + 1);
      case dom::element_type::ARRAY:
        return array(element.get_array().value_unsafe(), depth + 1);
      case dom::element_type::STRING:
        return leaf(element.get_string().value_unsafe(), LeafKind::string);
      case dom::element_type::BOOL:
        return leaf(element.get_bool().value_unsafe() ? "true" : "false", LeafKind::boolean);
      case dom::element_type::NULL_VALUE:
        return leaf("", LeafKind::null);
      default:
        return number(element);
    }
  }
};

}  // namespace

struct Flattener::Parser {
  dom::parser parser;
};

Flattener::Flattener() : Flattener(Options()) {}
Flattener::Flattener(const Options& options)
    : options_(options), parser_(std::make_unique<Parser>()) {}
Flattener::~Flattener() = default;

Result<void> Flattener::flatten(std::string_view object,
                                const std::function<void(const Leaf&)>& put) {
  dom::element root;
  if (const error_code failed =
          parser_->parser.parse(object.data(), object.size(), true).get(root)) {
    return fail(Code::invalid, std::string("not valid JSON: ") + simdjson::error_message(failed));
  }
  dom::object members;
  if (root.get_object().get(members)) return fail(Code::invalid, "valid JSON, but not an object");
  Walk walk{.options = options_, .put = put, .path = {}, .names = {}, .leaves = 0, .mistake = {}};
  if (!walk.object(members, 1)) return fail(Code::invalid, walk.mistake);
  return {};
}

}  // namespace mailwarden::json
