#include "json/flatten.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "base/text.h"

namespace mailwarden::json {
namespace {

using simdjson::error_code;
namespace dom = simdjson::dom;

static_assert(Flattener::padding >= simdjson::SIMDJSON_PADDING);

// Texts that stay where they are until the next object.
class Texts {
 public:
  void clear() {
    used_ = 0;
    if (blocks_.size() > 1) blocks_.resize(1);
  }

  std::string_view keep(std::string_view a, std::string_view b = {}, std::string_view c = {}) {
    const std::size_t bytes = a.size() + b.size() + c.size();
    char* const begin = room(bytes);
    char* out = begin;
    for (const std::string_view part : {a, b, c}) {
      if (!part.empty()) std::memcpy(out, part.data(), part.size());
      out += part.size();
    }
    return {begin, bytes};
  }

 private:
  static constexpr std::size_t block_bytes = 32 * 1024;

  char* room(std::size_t bytes) {
    if (blocks_.empty() || used_ + bytes > blocks_.back().size()) {
      blocks_.emplace_back(std::max(block_bytes, bytes));
      used_ = 0;
    }
    char* const begin = blocks_.back().data() + used_;
    used_ += bytes;
    return begin;
  }

  std::vector<std::vector<char>> blocks_;
  std::size_t used_ = 0;
};

struct Walk {
  const Flattener::Options& options;
  std::vector<Leaf>& leaves;
  Texts& texts;
  std::vector<std::string_view>& names;  // of one object, while they are compared
  std::size_t path_bytes = 0;
  std::string mistake;

  static constexpr std::size_t name_shown = 60;

  bool refuse(std::string why) {
    mistake = std::move(why);
    return false;
  }

  bool leaf(std::string_view path, std::string_view text, LeafKind kind) {
    if (leaves.size() >= options.leaves_max) {
      return refuse("more than " + std::to_string(options.leaves_max) + " values in one object");
    }
    leaves.push_back({.path = path, .text = text, .kind = kind});
    return true;
  }

  bool integer(std::string_view path, auto number) {
    std::array<char, 20> digits{};
    const char* const end = std::to_chars(digits.begin(), digits.end(), number).ptr;
    return leaf(path, texts.keep({digits.data(), end}), LeafKind::number);
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

  bool object(std::string_view path, const dom::object& members, std::size_t depth) {
    if (!options.names_may_repeat && !names_differ(members)) return false;
    for (const auto& [name, member] : members) {
      std::string_view below = name;
      if (!path.empty()) {
        path_bytes += path.size() + 1 + name.size();
        if (path_bytes > options.path_bytes_max) return refuse("the names are too long");
        below = texts.keep(path, ".", name);
      }
      if (!any(below, member, depth)) return false;
    }
    return true;
  }

  bool array(std::string_view path, const dom::array& items, std::size_t depth) {
    for (const dom::element item : items) {
      if (!any(path, item, depth)) return false;
    }
    return true;
  }

  bool any(std::string_view path, const dom::element& element, std::size_t depth) {
    if (depth > options.depth_max) {
      return refuse("nested deeper than " + std::to_string(options.depth_max) + " levels");
    }
    switch (element.type()) {
      case dom::element_type::OBJECT:
        return object(path, element.get_object().value_unsafe(), depth + 1);
      case dom::element_type::ARRAY:
        return array(path, element.get_array().value_unsafe(), depth + 1);
      case dom::element_type::STRING:
        return leaf(path, element.get_string().value_unsafe(), LeafKind::string);
      case dom::element_type::BOOL:
        return leaf(path, element.get_bool().value_unsafe() ? "true" : "false", LeafKind::boolean);
      case dom::element_type::NULL_VALUE:
        return leaf(path, "", LeafKind::null);
      case dom::element_type::INT64:
        return integer(path, element.get_int64().value_unsafe());
      case dom::element_type::UINT64:
        return integer(path, element.get_uint64().value_unsafe());
      case dom::element_type::DOUBLE:
        return leaf(path, texts.keep(simdjson::minify(element)), LeafKind::number);
    }
    return refuse("a kind of value that is not known");
  }
};

}  // namespace

struct Flattener::Parser {
  dom::parser parser;
  std::vector<char> copy;
  std::vector<Leaf> leaves;
  std::vector<std::string_view> names;
  Texts texts;
};

Flattener::Flattener() : Flattener(Options()) {}
Flattener::Flattener(const Options& options)
    : options_(options), parser_(std::make_unique<Parser>()) {}
Flattener::~Flattener() = default;

Result<std::span<const Leaf>> Flattener::flatten(std::string_view object) {
  std::vector<char>& copy = parser_->copy;
  if (copy.size() < object.size() + padding) copy.resize(object.size() + padding);
  std::ranges::copy(object, copy.begin());
  return flatten_padded({copy.data(), object.size()});
}

Result<std::span<const Leaf>> Flattener::flatten_padded(std::string_view object) {
  dom::element root;
  if (const error_code failed =
          parser_->parser.parse(object.data(), object.size(), false).get(root)) {
    return fail(Code::invalid, std::string("not valid JSON: ") + simdjson::error_message(failed));
  }
  dom::object members;
  if (root.get_object().get(members)) return fail(Code::invalid, "valid JSON, but not an object");
  parser_->leaves.clear();
  parser_->texts.clear();
  Walk walk{.options = options_,
            .leaves = parser_->leaves,
            .texts = parser_->texts,
            .names = parser_->names};
  if (!walk.object({}, members, 1)) return fail(Code::invalid, walk.mistake);
  return parser_->leaves;
}

}  // namespace mailwarden::json
