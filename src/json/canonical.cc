#include "json/canonical.h"

#include <array>
#include <charconv>
#include <optional>

#include "base/text.h"

namespace mailwarden::json {
namespace {

// Takes what is canonical and common, and gives up at anything else: a number that is no integer, a
// text that is not UTF-8, or what is not canonical. Whoever asked then looks more closely.
class Reader {
 public:
  Reader(std::string_view text, std::size_t depth_max) : rest_(text), depth_max_(depth_max) {}

  std::optional<Value> whole() {
    Value value;
    if (!read(value, 0) || !rest_.empty()) return std::nullopt;
    return value;
  }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  bool read(Value& value, std::size_t depth) {
    if (rest_.empty()) return false;
    switch (rest_.front()) {
      case '{':
        return depth < depth_max_ && read_object(value, depth + 1);
      case '[':
        return depth < depth_max_ && read_array(value, depth + 1);
      case '"': {
        std::string text;
        if (!read_string(text)) return false;
        value = Value(std::move(text));
        return true;
      }
      case 't':
        value = Value(true);
        return take("true");
      case 'f':
        value = Value(false);
        return take("false");
      case 'n':
        return take("null");
      default:
        return read_integer(value);
    }
  }

  bool read_object(Value& value, std::size_t depth) {
    take('{');
    Object members;
    std::string name;
    for (bool is_first = true; !take('}'); is_first = false) {
      if (!is_first && !take(',')) return false;
      name.clear();
      if (!read_string(name) || !take(':')) return false;
      // Sorted, so that none stands twice either.
      if (!is_first && name <= members.rbegin()->first) return false;
      Value& member = members.emplace_hint(members.end(), name, Value())->second;
      if (!read(member, depth)) return false;
    }
    value = Value(std::move(members));
    return true;
  }

  bool read_array(Value& value, std::size_t depth) {
    take('[');
    Array items;
    for (bool is_first = true; !take(']'); is_first = false) {
      if (!is_first && !take(',')) return false;
      if (!read(items.emplace_back(), depth)) return false;
    }
    value = Value(std::move(items));
    return true;
  }

  bool read_integer(Value& value) {
    std::int64_t number = 0;
    const auto [end, failed] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    const auto length = static_cast<std::size_t>(end - rest_.data());
    if (failed != std::errc() || length == 0) return false;
    std::array<char, 24> again{};
    const auto written = std::to_chars(again.data(), again.data() + again.size(), number);
    if (std::string_view(again.data(), written.ptr) != rest_.substr(0, length)) return false;
    rest_.remove_prefix(length);
    // What goes on as a number is no integer.
    if (!rest_.empty() && (rest_[0] == '.' || rest_[0] == 'e' || rest_[0] == 'E')) return false;
    value = Value(number);
    return true;
  }

  bool read_string(std::string& into) {
    if (!take('"')) return false;
    std::size_t plain = 0;
    while (plain < rest_.size()) {
      const auto c = static_cast<unsigned char>(rest_[plain]);
      if (c >= 0x20 && c != '"' && c != '\\') {
        ++plain;
        continue;
      }
      if (c < 0x20) return false;
      into.append(rest_.substr(0, plain));
      rest_.remove_prefix(plain);
      plain = 0;
      if (take('"')) return is_utf8(into);
      if (!read_escape(into)) return false;
    }
    return false;
  }

  // The one escape that each character that needs one has.
  bool read_escape(std::string& into) {
    constexpr std::array<std::pair<std::string_view, char>, 7> short_ones{{{"\\\"", '"'},
                                                                           {"\\\\", '\\'},
                                                                           {"\\b", '\b'},
                                                                           {"\\f", '\f'},
                                                                           {"\\n", '\n'},
                                                                           {"\\r", '\r'},
                                                                           {"\\t", '\t'}}};
    for (const auto& [escape, meant] : short_ones) {
      if (!take(escape)) continue;
      into += meant;
      return true;
    }
    constexpr std::string_view begin = "\\u00";
    constexpr std::size_t length = 6;
    if (!rest_.starts_with(begin) || rest_.size() < length) return false;
    const std::string_view digits = rest_.substr(begin.size(), 2);
    unsigned code = 0;
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    const bool is_lower = digits.find_first_of("ABCDEF") == std::string_view::npos;
    if (failed != std::errc() || end != digits.data() + digits.size() || !is_lower) return false;
    const bool has_short_one =
        code == '\b' || code == '\f' || code == '\n' || code == '\r' || code == '\t';
    if (code >= 0x20 || has_short_one) return false;
    into += static_cast<char>(code);
    rest_.remove_prefix(length);
    return true;
  }

  std::string_view rest_;
  std::size_t depth_max_;
};

}  // namespace

Result<Value> parse_canonical(std::string_view text, const ParseOptions& options) {
  if (text.size() <= options.bytes_max) {
    if (auto value = Reader(text, options.depth_max).whole()) return *std::move(value);
  }
  auto value = parse(text, options);
  if (value && to_text(*value) != text) return fail(Code::invalid, "not canonical JSON");
  return value;
}

}  // namespace mailwarden::json
