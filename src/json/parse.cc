// The one place that knows nlohmann_json: its SAX reader fills our Value, so that depth and doubled
// names are judged while reading and a hostile text never builds more than the limits allow. Short
// texts in which nothing is wrong, which are nearly all, are read by simdjson in a third of the
// time; what it refuses is read once more, for the sentence and the place.
#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include <nlohmann/json.hpp>
#include <simdjson.h>

#include "json/document.h"

namespace mailwarden::json {
namespace {

namespace dom = simdjson::dom;

// Of what ShortReader has judged.
Value value_of(const dom::element& element) {
  switch (element.type()) {
    case dom::element_type::OBJECT: {
      Object members;
      const dom::object object = element.get_object().value_unsafe();
      for (const auto& [name, member] : object) {
        members.emplace_hint(members.end(), name, value_of(member));
      }
      return members;
    }
    case dom::element_type::ARRAY: {
      Array items;
      const dom::array array = element.get_array().value_unsafe();
      for (const dom::element item : array) items.push_back(value_of(item));
      return items;
    }
    case dom::element_type::STRING:
      return element.get_string().value_unsafe();
    case dom::element_type::INT64:
      return std::int64_t{element.get_int64().value_unsafe()};
    case dom::element_type::UINT64:
      return static_cast<double>(element.get_uint64().value_unsafe());
    case dom::element_type::DOUBLE:
      return element.get_double().value_unsafe();
    case dom::element_type::BOOL:
      return element.get_bool().value_unsafe();
    case dom::element_type::NULL_VALUE:
      break;
  }
  return {};
}

}  // namespace

class ShortReader {
 public:
  static constexpr std::size_t bytes_max = 32 * 1024;

  // Nothing where the text is long, is not right, or has \u, of which simdjson 3.0 takes halves of
  // surrogate pairs. Good until the next.
  std::optional<dom::element> read(std::string_view text, std::size_t depth_max) {
    if (text.size() > bytes_max || text.find("\\u") != std::string_view::npos) return std::nullopt;
    copy_.resize(text.size() + simdjson::SIMDJSON_PADDING);
    std::memcpy(copy_.data(), text.data(), text.size());
    dom::element root;
    const bool is_json =
        parser_.parse(copy_.data(), text.size(), false).get(root) == simdjson::SUCCESS;
    return is_json && is_sound(root, depth_max) ? std::optional(root) : std::nullopt;
  }

 private:
  // `depth` levels may still be opened, and no name stands twice.
  bool is_sound(const dom::element& element, std::size_t depth) {
    if (element.is_object()) {
      return depth > 0 && members_are_sound(element.get_object().value_unsafe(), depth);
    }
    if (!element.is_array()) return true;
    if (depth == 0) return false;
    const dom::array items = element.get_array().value_unsafe();
    return std::all_of(items.begin(), items.end(),
                       [&](const dom::element& item) { return is_sound(item, depth - 1); });
  }

  bool members_are_sound(dom::object members, std::size_t depth) {
    // Those of the objects around it stand before its own.
    const std::size_t first = names_.size();
    bool is_right = true;
    for (const auto& [name, member] : members) {
      names_.push_back(name);
      is_right = is_right && is_sound(member, depth - 1);
    }
    is_right = is_right && differ(std::span(names_).subspan(first));
    names_.resize(first);
    return is_right;
  }

  static bool differ(std::span<std::string_view> names) {
    constexpr std::size_t few = 8;
    if (names.size() > few) {
      std::ranges::sort(names);
      return std::ranges::adjacent_find(names) == names.end();
    }
    for (std::size_t i = 1; i < names.size(); ++i) {
      if (std::ranges::find(names.first(i), names[i]) !=
          names.begin() + static_cast<std::ptrdiff_t>(i))
        return false;
    }
    return true;
  }

  dom::parser parser_;
  std::vector<char> copy_;
  std::vector<std::string_view> names_;
};

namespace {

class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(std::size_t depth_max) : depth_max_(depth_max) {}

  bool null() override { return put(Value()); }
  bool boolean(bool truth) override { return put(Value(truth)); }
  bool number_integer(number_integer_t number) override { return put(Value(std::int64_t{number})); }
  bool number_unsigned(number_unsigned_t number) override {
    // Beyond 63 bits the nearest double is what every other reader of JSON makes of it.
    constexpr auto largest = static_cast<number_unsigned_t>(INT64_MAX);
    return number > largest ? put(Value(static_cast<double>(number)))
                            : put(Value(static_cast<std::int64_t>(number)));
  }
  bool number_float(number_float_t number, const string_t&) override { return put(Value(number)); }
  bool string(string_t& text) override { return put(Value(std::move(text))); }
  bool binary(binary_t&) override { return refuse("binary values are not JSON"); }
  bool start_object(std::size_t) override { return open(Value(Object())); }
  bool start_array(std::size_t) override { return open(Value(Array())); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    if (open_.back()->as_object()->contains(name)) {
      return refuse("the member '" + name.substr(0, 60) + "' stands twice");
    }
    name_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    position_ = position;
    return refuse("not valid JSON");
  }

  Value root;
  std::string mistake;
  std::size_t position() const { return position_; }

 private:
  bool refuse(std::string why) {
    if (mistake.empty()) mistake = std::move(why);
    return false;
  }

  Value* place(Value value) {
    if (open_.empty()) {
      root = std::move(value);
      return &root;
    }
    if (Array* items = open_.back()->as_array(); items != nullptr) {
      return &items->emplace_back(std::move(value));
    }
    return &(*open_.back()->as_object())[name_].operator=(std::move(value));
  }

  bool put(Value value) {
    place(std::move(value));
    return true;
  }

  bool open(Value value) {
    if (open_.size() >= depth_max_) {
      return refuse("nested deeper than " + std::to_string(depth_max_) + " levels");
    }
    open_.push_back(place(std::move(value)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::size_t depth_max_;
  // Pointers into `root` stay good: an array or object only grows at its innermost open member.
  std::vector<Value*> open_;
  std::string name_;
  std::size_t position_ = 0;
};

// What ShortReader does not take.
Result<Value> parse_slowly(std::string_view text, const ParseOptions& options) {
  // nlohmann_json takes it for the end.
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return fail(Code::invalid, "not valid JSON at byte " + std::to_string(nul + 1));
  }
  Builder builder(options.depth_max);
  try {
    if (nlohmann::json::sax_parse(text, &builder)) return std::move(builder.root);
  } catch (const nlohmann::json::exception& e) {
    return fail(Code::invalid, std::string("not valid JSON: ") + e.what());
  }
  std::string what = builder.mistake.empty() ? "not valid JSON" : builder.mistake;
  if (builder.position() > 0) what += " at byte " + std::to_string(builder.position());
  return fail(Code::invalid, std::move(what));
}

Result<void> check_size(std::string_view text, const ParseOptions& options) {
  if (text.size() <= options.bytes_max) return {};
  return fail(Code::full, "JSON text of " + std::to_string(text.size()) + " bytes; at most " +
                              std::to_string(options.bytes_max) + " are read");
}

}  // namespace

Result<Value> parse(std::string_view text, const ParseOptions& options) {
  if (auto fits = check_size(text, options); !fits) return std::unexpected(fits.error());
  thread_local ShortReader reader;
  if (const auto root = reader.read(text, options.depth_max)) return value_of(*root);
  return parse_slowly(text, options);
}

Document::Document() : reader_(std::make_unique<ShortReader>()) {}
Document::~Document() = default;

Result<View> Document::read(std::string_view text, Value& whole, const ParseOptions& options) {
  if (auto fits = check_size(text, options); !fits) return std::unexpected(fits.error());
  if (const auto root = reader_->read(text, options.depth_max)) {
    return View(std::bit_cast<View::Place>(*root));
  }
  auto value = parse_slowly(text, options);
  if (!value) return std::unexpected(value.error());
  whole = *std::move(value);
  return View(whole);
}

View::View() {
  static const Value null;
  value_ = &null;
}

bool View::is_null() const {
  return value_ != nullptr ? value_->is_null() : std::bit_cast<dom::element>(place_).is_null();
}

bool View::is_object() const {
  return value_ != nullptr ? value_->as_object() != nullptr
                           : std::bit_cast<dom::element>(place_).is_object();
}

View View::operator[](std::string_view name) const {
  if (value_ != nullptr) return View((*value_)[name]);
  dom::element found;
  if (std::bit_cast<dom::element>(place_).at_key(name).get(found) != simdjson::SUCCESS) return {};
  return View(std::bit_cast<Place>(found));
}

std::optional<std::string_view> View::text() const {
  if (value_ != nullptr) {
    const std::string* const text = value_->as_string();
    return text == nullptr ? std::nullopt : std::optional<std::string_view>(*text);
  }
  std::string_view text;
  if (std::bit_cast<dom::element>(place_).get_string().get(text) != simdjson::SUCCESS)
    return std::nullopt;
  return text;
}

Value View::to_value() const {
  return value_ != nullptr ? *value_ : value_of(std::bit_cast<dom::element>(place_));
}

}  // namespace mailwarden::json
