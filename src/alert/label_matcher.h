// Which labels are meant.
//
// What     A LabelMatcher asks for one label: that it is a text, is not, or matches an expression,
//          or does not. Written as Prometheus and amtool write it:
//            alertname="DiskFull"   severity!="info"   team=~"mail|db"   host!~"test-.*"
//          The value may stand without quotes. In quotes \" \\ and \n are characters; any other
//          backslash is itself. Expressions are RE2 and must match the whole value. A label that is
//          not there is the same as an empty one.
// Owns     Its content; a compiled expression is shared and never changes.
// Threads  Values; matches() is pure.
// Errors   parse() and make(): Error{invalid} with what was expected.
// Limits   value_bytes_max; expressions as detect/matcher.h has it.
// Source   Alertmanager 0.25, pkg/labels; its OpenAPI v2, `matcher`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "detect/matcher.h"
#include "json/value.h"

namespace mailwarden::alert {

// Values by name.
using Labels = std::map<std::string, std::string, std::less<>>;
json::Object to_json(const Labels& labels);
Labels labels_from_json(const json::Value& value);
// "" for one that is not there.
std::string_view value_of(const Labels& labels, std::string_view name);
// "alertname=DiskFull cluster=fra".
std::string to_words(const Labels& labels);

// Letters, digits and '_', which no digit begins.
bool is_label_name(std::string_view name);

class LabelMatcher {
 public:
  static constexpr std::size_t value_bytes_max = 4096;
  enum class Kind : std::uint8_t { equal, not_equal, matches, matches_not };

  static Result<LabelMatcher> make(const std::string& name, Kind kind, const std::string& value);
  static Result<LabelMatcher> parse(std::string_view text);

  const std::string& name() const { return name_; }
  Kind kind() const { return kind_; }
  const std::string& value() const { return value_; }
  bool matches(const Labels& labels) const { return matches(value_of(labels, name_)); }
  bool matches(std::string_view value) const;

  bool operator==(const LabelMatcher& other) const {
    return name_ == other.name_ && kind_ == other.kind_ && value_ == other.value_;
  }

 private:
  LabelMatcher() = default;

  std::string name_;
  Kind kind_ = Kind::equal;
  std::string value_;
  std::optional<detect::Matcher> expression_;
};

using LabelMatchers = std::vector<LabelMatcher>;
// All of them; none match everything.
bool match_all(std::span<const LabelMatcher> matchers, const Labels& labels);

// `name="value"`, which parse() reads back.
std::string to_text(const LabelMatcher& matcher);
std::string to_text(std::span<const LabelMatcher> matchers);
// As the OpenAPI has it: {"name", "value", "isRegex", "isEqual"}; isEqual may be left out.
json::Object to_json(const LabelMatcher& matcher);
Result<LabelMatcher> matcher_from_json(const json::Value& value);

}  // namespace mailwarden::alert
