#include "alert/label_matcher.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "detect/fold.h"

namespace mailwarden::alert {
namespace {

using MatcherKind = LabelMatcher::Kind;

// Longer ones first, since "=" begins "=~".
constexpr std::array operators{std::pair{MatcherKind::matches, std::string_view("=~")},
                               std::pair{MatcherKind::matches_not, std::string_view("!~")},
                               std::pair{MatcherKind::not_equal, std::string_view("!=")},
                               std::pair{MatcherKind::equal, std::string_view("=")}};

bool is_name_character(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         (!first && c >= '0' && c <= '9');
}

std::unexpected<Error> wrong(std::string_view text, std::string_view why) {
  return fail(Code::invalid,
              "'" + printable(text) + "' is no matcher like name=\"value\": " + std::string(why));
}

// What stands between quotes, or without any.
Result<std::string> read_value(std::string_view whole, std::string_view text) {
  const bool quoted = text.starts_with('"');
  if (quoted) text.remove_prefix(1);
  std::string value;
  bool closed = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (closed) return wrong(whole, "something stands behind the closing quote");
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] == '\\' && (next == '"' || next == '\\' || next == 'n')) {
      value += next == 'n' ? '\n' : next;
      ++i;
    } else if (text[i] == '"') {
      if (!quoted) return wrong(whole, "a quote stands in the value");
      closed = true;
    } else {
      value += text[i];
    }
  }
  if (quoted && !closed) return wrong(whole, "the closing quote is missing");
  return value;
}

}  // namespace

json::Object to_json(const Labels& labels) {
  json::Object object;
  for (const auto& [name, value] : labels) object[name] = value;
  return object;
}

Labels labels_from_json(const json::Value& value) {
  Labels labels;
  if (value.as_object() == nullptr) return labels;
  for (const auto& [name, text] : *value.as_object()) {
    if (text.as_string() != nullptr) labels[name] = *text.as_string();
  }
  return labels;
}

std::string_view value_of(const Labels& labels, std::string_view name) {
  const auto found = labels.find(name);
  return found == labels.end() ? std::string_view() : std::string_view(found->second);
}

std::string to_words(const Labels& labels) {
  std::string words;
  for (const auto& [name, value] : labels) words += (words.empty() ? "" : " ") + name + "=" + value;
  return words;
}

bool is_label_name(std::string_view name) {
  if (name.empty() || !is_name_character(name[0], true)) return false;
  return std::ranges::all_of(name, [](char c) { return is_name_character(c, false); });
}

Result<LabelMatcher> LabelMatcher::make(const std::string& name, Kind kind,
                                        const std::string& value) {
  if (!is_label_name(name)) {
    return fail(Code::invalid, "'" + printable(name) + "' is no name of a label");
  }
  if (value.size() > value_bytes_max || !is_utf8(value)) {
    return fail(Code::invalid, "the value for '" + name + "' must be UTF-8 of at most " +
                                   std::to_string(value_bytes_max) + " bytes");
  }
  LabelMatcher made;
  made.name_ = name;
  made.kind_ = kind;
  made.value_ = value;
  if (kind == Kind::equal || kind == Kind::not_equal) return made;
  // By itself first, so that a bracket cannot leave the one around it.
  auto alone = detect::make_expression(value, "");
  if (!alone) return fail(to_text(made), alone.error());
  auto whole = detect::make_expression("\\A(?:" + value + ")\\z", "");
  if (!whole) return fail(to_text(made), whole.error());
  made.expression_ = *std::move(whole);
  return made;
}

Result<LabelMatcher> LabelMatcher::parse(std::string_view text) {
  const std::string_view whole = trim(text);
  const std::size_t end = std::min(whole.find_first_of("=!"), whole.size());
  const std::string_view name = trim(whole.substr(0, end));
  const std::string_view rest = whole.substr(end);
  for (const auto& [kind, sign] : operators) {
    if (!rest.starts_with(sign)) continue;
    const auto value = read_value(whole, trim(rest.substr(sign.size())));
    if (!value) return std::unexpected(value.error());
    return make(std::string(name), kind, *value);
  }
  return wrong(whole, "one of = != =~ !~ is missing");
}

bool LabelMatcher::matches(std::string_view value) const {
  const bool negated = kind_ == Kind::not_equal || kind_ == Kind::matches_not;
  if (!expression_) return (value == value_) != negated;
  const std::string folded = detect::fold(value);
  return detect::matches(*expression_, {value, folded}) != negated;
}

bool match_all(std::span<const LabelMatcher> matchers, const Labels& labels) {
  return std::ranges::all_of(matchers,
                             [&](const LabelMatcher& one) { return one.matches(labels); });
}

std::string to_text(const LabelMatcher& matcher) {
  std::string text = matcher.name();
  text +=
      std::ranges::find(operators, matcher.kind(), [](const auto& o) { return o.first; })->second;
  text += '"';
  for (const char c : matcher.value()) {
    if (c == '"' || c == '\\') text += '\\';
    text += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return text + '"';
}

std::string to_text(std::span<const LabelMatcher> matchers) {
  std::string text;
  for (const LabelMatcher& one : matchers) text += (text.empty() ? "" : ", ") + to_text(one);
  return text;
}

json::Object to_json(const LabelMatcher& matcher) {
  const MatcherKind kind = matcher.kind();
  return {{"isEqual", kind == MatcherKind::equal || kind == MatcherKind::matches},
          {"isRegex", kind == MatcherKind::matches || kind == MatcherKind::matches_not},
          {"name", matcher.name()},
          {"value", matcher.value()}};
}

Result<LabelMatcher> matcher_from_json(const json::Value& value) {
  const bool* const is_expression = value["isRegex"].as_bool();
  const bool* const is_equal = value["isEqual"].as_bool();
  if (value["name"].as_string() == nullptr || value["value"].as_string() == nullptr ||
      is_expression == nullptr || (is_equal == nullptr && !value["isEqual"].is_null())) {
    return fail(Code::invalid, "a matcher has 'name', 'value', 'isRegex' and perhaps 'isEqual'");
  }
  const bool equal = is_equal == nullptr || *is_equal;
  const MatcherKind kind = *is_expression
                               ? (equal ? MatcherKind::matches : MatcherKind::matches_not)
                               : (equal ? MatcherKind::equal : MatcherKind::not_equal);
  return LabelMatcher::make(value.text("name"), kind, value.text("value"));
}

}  // namespace mailwarden::alert
