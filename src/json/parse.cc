// The one place that knows nlohmann_json: its SAX reader fills our Value, so that depth and doubled
// names are judged while reading and a hostile text never builds more than the limits allow.
#include <nlohmann/json.hpp>

#include "json/value.h"

namespace mailwarden::json {
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

}  // namespace

Result<Value> parse(std::string_view text, const ParseOptions& options) {
  if (text.size() > options.bytes_max) {
    return fail(Code::full, "JSON text of " + std::to_string(text.size()) + " bytes; at most " +
                                std::to_string(options.bytes_max) + " are read");
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

}  // namespace mailwarden::json
