#include "detect/modifiers.h"

#include <algorithm>
#include <array>
#include <optional>

#include "detect/encoding.h"
#include "detect/placeholders.h"
#include "json/base64.h"

namespace mailwarden::detect {
namespace {

enum class TestKind : std::uint8_t {
  text,
  expression,
  network,
  comparison,
  date,
  presence,
  other_field
};

enum class Encoding : std::uint8_t { base64, base64_offset, little, big, marked };

template <class T>
struct Word {
  std::string_view word;
  T means;
};

template <class T, std::size_t count>
std::optional<T> find(const std::array<Word<T>, count>& words, std::string_view word) {
  const auto found = std::ranges::find(words, word, &Word<T>::word);
  if (found == words.end()) return std::nullopt;
  return found->means;
}

constexpr std::array<Word<Pattern::Plain>, 3> anchors{{{"contains", Pattern::Plain::anywhere},
                                                       {"startswith", Pattern::Plain::start},
                                                       {"endswith", Pattern::Plain::end}}};
constexpr std::array<Word<TestKind>, 4> kind_words{{{"re", TestKind::expression},
                                                    {"cidr", TestKind::network},
                                                    {"exists", TestKind::presence},
                                                    {"fieldref", TestKind::other_field}}};
constexpr std::array<Word<Compare>, 4> comparisons{{{"lt", Compare::less},
                                                    {"lte", Compare::less_equal},
                                                    {"gt", Compare::greater},
                                                    {"gte", Compare::greater_equal}}};
constexpr std::array<Word<DatePart>, 6> parts{{{"minute", DatePart::minute},
                                               {"hour", DatePart::hour},
                                               {"day", DatePart::day},
                                               {"week", DatePart::week},
                                               {"month", DatePart::month},
                                               {"year", DatePart::year}}};
constexpr std::array<Word<Encoding>, 6> encodings{{{"base64", Encoding::base64},
                                                   {"base64offset", Encoding::base64_offset},
                                                   {"utf16le", Encoding::little},
                                                   {"wide", Encoding::little},
                                                   {"utf16be", Encoding::big},
                                                   {"utf16", Encoding::marked}}};

// What the modifiers of one item ask for, together.
struct Asked {
  TestKind kind = TestKind::text;
  Pattern::Plain anchor = Pattern::Plain::whole;
  Compare compare = Compare::equal;
  DatePart part = DatePart::minute;
  std::vector<Encoding> encodings;
  std::string flags;  // of an expression
  bool cased = false;
  bool all = false;
  bool negated = false;
  bool windash = false;
  bool expand = false;
  bool compares = false;

  bool changes_text() const {
    return anchor != Pattern::Plain::whole || !encodings.empty() || cased || windash || expand;
  }
};

std::unexpected<Error> contradicts(std::string_view word) {
  return fail(Code::invalid, "the modifier '" + std::string(word) + "' contradicts one before it");
}

// Reads the words in order; each says whether it may stand where it does.
class Reading {
 public:
  Result<Asked> run(const std::vector<std::string>& words) {
    for (const std::string& word : words) {
      if (auto done = take(word); !done) return std::unexpected(done.error());
    }
    return asked_;
  }

 private:
  bool is_text() const { return asked_.kind == TestKind::text; }

  Result<void> take(const std::string& word) {
    if (const auto anchor = find(anchors, word)) return take_anchor(word, *anchor);
    if (const auto kind = find(kind_words, word)) return take_kind(word, *kind);
    if (const auto compare = find(comparisons, word)) return take_comparison(word, *compare);
    if (const auto part = find(parts, word)) {
      asked_.part = *part;
      return take_kind(word, TestKind::date);
    }
    if (const auto encoding = find(encodings, word)) {
      if (!is_text() || asked_.anchor != Pattern::Plain::whole) return contradicts(word);
      asked_.encodings.push_back(*encoding);
      return {};
    }
    return take_other(word);
  }

  Result<void> take_anchor(const std::string& word, Pattern::Plain anchor) {
    const bool fits = is_text() || asked_.kind == TestKind::other_field;
    if (!fits || asked_.anchor != Pattern::Plain::whole) return contradicts(word);
    asked_.anchor = anchor;
    return {};
  }

  Result<void> take_kind(const std::string& word, TestKind kind) {
    const bool expands = asked_.expand && kind == TestKind::expression;
    Asked others = asked_;
    others.expand = false;
    if (kind == TestKind::other_field) {
      others.cased = false;
      others.anchor = Pattern::Plain::whole;
    }
    if (!is_text() || asked_.compares || others.changes_text() || (asked_.expand && !expands)) {
      return contradicts(word);
    }
    asked_.kind = kind;
    return {};
  }

  Result<void> take_comparison(const std::string& word, Compare compare) {
    if (asked_.compares) return contradicts(word);
    if (asked_.kind != TestKind::date) {
      if (auto done = take_kind(word, TestKind::comparison); !done) return done;
    }
    asked_.compares = true;
    asked_.compare = compare;
    return {};
  }

  Result<void> take_other(const std::string& word) {
    if (word == "all") {
      asked_.all = true;
    } else if (word == "neq") {
      asked_.negated = true;
    } else if (word == "cased") {
      if (!is_text() && asked_.kind != TestKind::other_field) return contradicts(word);
      asked_.cased = true;
    } else if (word == "windash") {
      if (!is_text() || !asked_.encodings.empty()) return contradicts(word);
      asked_.windash = true;
    } else if (word == "expand") {
      const bool fits = is_text() || asked_.kind == TestKind::expression;
      if (!fits || !asked_.encodings.empty() || asked_.windash) return contradicts(word);
      asked_.expand = true;
    } else if (word == "i" || word == "m" || word == "s") {
      if (asked_.kind != TestKind::expression) {
        return fail(Code::invalid, "the modifier '" + word + "' stands behind 're' alone");
      }
      if (!asked_.flags.contains(word)) asked_.flags += word;
    } else {
      return fail(Code::invalid, "'" + word + "' is not a modifier of Sigma");
    }
    return {};
  }

  Asked asked_;
};

// What the words ask for, held against the item as a whole.
Result<void> check(const Asked& asked, const DetectionItem& item) {
  const bool single = item.values.size() == 1;
  const bool lists_all = asked.kind == TestKind::text || asked.kind == TestKind::expression ||
                         asked.kind == TestKind::network || asked.kind == TestKind::other_field;
  if (item.values.empty()) return fail(Code::invalid, "the list of values is empty");
  if (asked.all && !lists_all) return contradicts("all");
  if (asked.all && single) {
    return fail(Code::invalid, "'all' needs more than one value; write the value without it");
  }
  if (asked.negated && asked.kind == TestKind::presence) return contradicts("neq");
  if (asked.kind == TestKind::presence && item.is_list) {
    return fail(Code::invalid, "'exists' takes true or false, not a list");
  }
  const bool about_field = asked.kind != TestKind::text && asked.kind != TestKind::expression;
  if (item.field.empty() && about_field) {
    return fail(Code::invalid, "keywords are texts; this modifier needs a field");
  }
  for (const RuleValue& value : item.values) {
    if (value.kind != RuleValue::Kind::null) continue;
    if (item.values.size() > 1 || item.is_list) {
      return fail(Code::invalid, "null cannot stand in a list of values");
    }
    if (item.field.empty()) return fail(Code::invalid, "null cannot be searched in an event");
    if (asked.changes_text() || asked.kind != TestKind::text || asked.all) {
      return fail(Code::invalid, "null has no text that a modifier could change");
    }
  }
  return {};
}

// The texts that come of a text when each placeholder stands for each of its values.
Result<std::vector<std::string>> expanded(const std::string& text,
                                          const Placeholders& placeholders) {
  std::vector<std::string> texts{""};
  for (const PlaceholderPart& part : placeholder_parts(text)) {
    if (part.kind == PlaceholderPart::Kind::nameless) {
      return fail(Code::invalid, "a placeholder between '%%' has no name");
    }
    if (part.kind == PlaceholderPart::Kind::text) {
      const std::string plain = without_hidden_percents(part.text);
      for (std::string& one : texts) one += plain;
      continue;
    }
    const auto values = placeholders.find(part.text);
    if (values == placeholders.end() || values->second.empty()) {
      return fail(Code::invalid,
                  "no values are configured for the placeholder '%" + part.text + "%'");
    }
    if (texts.size() * values->second.size() > values_max) {
      return fail(Code::invalid, "the placeholders of one value make more than " +
                                     std::to_string(values_max) + " texts");
    }
    std::vector<std::string> more;
    for (const std::string& one : texts) {
      for (const std::string& value : values->second) more.push_back(one + value);
    }
    texts = std::move(more);
  }
  return texts;
}

Result<std::vector<Pattern>> encoded(const Pattern& pattern, Encoding encoding) {
  if (encoding == Encoding::base64 || encoding == Encoding::base64_offset) {
    if (pattern.has_wildcards()) {
      return fail(Code::invalid, "a text with wildcards cannot be encoded as Base64");
    }
    const std::string text = pattern.pieces().empty() ? "" : pattern.pieces().front().text;
    if (encoding == Encoding::base64) return std::vector{Pattern::literal(json::to_base64(text))};
    std::vector<Pattern> patterns;
    for (const std::string& one : base64_offsets(text)) patterns.push_back(Pattern::literal(one));
    if (patterns.size() < 3) {
      return fail(Code::invalid, "the text is too short to be found at every offset of Base64");
    }
    return patterns;
  }
  const Utf16 kind = encoding == Encoding::little ? Utf16::little
                     : encoding == Encoding::big  ? Utf16::big
                                                  : Utf16::marked;
  auto wide = pattern.as_utf16(kind);
  if (!wide) return std::unexpected(wide.error());
  return std::vector{*std::move(wide)};
}

Result<std::vector<Pattern>> encoded(std::vector<Pattern> patterns, const Asked& asked) {
  for (const Encoding encoding : asked.encodings) {
    std::vector<Pattern> next;
    for (const Pattern& pattern : patterns) {
      auto more = encoded(pattern, encoding);
      if (!more) return more;
      std::ranges::move(*more, std::back_inserter(next));
    }
    patterns = std::move(next);
  }
  return patterns;
}

Matcher finished(Pattern pattern, const Asked& asked, bool keyword) {
  Pattern::Plain anchor = asked.anchor;
  if (keyword && anchor == Pattern::Plain::whole) anchor = Pattern::Plain::anywhere;
  if (anchor == Pattern::Plain::anywhere || anchor == Pattern::Plain::end) pattern.open_start();
  if (anchor == Pattern::Plain::anywhere || anchor == Pattern::Plain::start) pattern.open_end();
  if (!asked.cased) pattern.fold_case();
  return Text{.pattern = std::move(pattern), .cased = asked.cased};
}

class MatcherMaker {
 public:
  MatcherMaker(const Asked& asked, const Placeholders& placeholders, bool keyword)
      : asked_(asked), placeholders_(placeholders), keyword_(keyword) {}

  // What one value stands for: any of these.
  Result<std::vector<Matcher>> make(const RuleValue& value) const {
    switch (asked_.kind) {
      case TestKind::text:
        return text(value);
      case TestKind::expression:
        return expressions(value);
      case TestKind::network:
        return one(make_network(value.text));
      case TestKind::comparison:
      case TestKind::date:
        return number(value);
      case TestKind::presence:
        if (value.kind != RuleValue::Kind::truth) {
          return fail(Code::invalid, "'exists' takes true or false");
        }
        return std::vector<Matcher>{Presence{value.text == "true"}};
      case TestKind::other_field:
        return other_field(value);
    }
    return fail(Code::invalid, "a kind of value that is not known");
  }

 private:
  template <class T>
  static Result<std::vector<Matcher>> one(Result<T> made) {
    if (!made) return std::unexpected(made.error());
    return std::vector<Matcher>{*std::move(made)};
  }

  Result<std::vector<std::string>> texts_of(const RuleValue& value) const {
    std::vector<std::string> texts{value.text};
    if (asked_.expand) {
      auto more = expanded(value.text, placeholders_);
      if (!more) return more;
      texts = *std::move(more);
    }
    if (!asked_.windash) return texts;
    std::vector<std::string> dashed;
    for (const std::string& text : texts) {
      auto more = dashes(text);
      if (!more) return more;
      std::ranges::move(*more, std::back_inserter(dashed));
    }
    return dashed;
  }

  Result<std::vector<Matcher>> text(const RuleValue& value) const {
    if (value.kind == RuleValue::Kind::null) return std::vector<Matcher>{Null()};
    if (value.kind == RuleValue::Kind::number && !keyword_ && !asked_.changes_text()) {
      return number(value);
    }
    const auto texts = texts_of(value);
    if (!texts) return std::unexpected(texts.error());
    std::vector<Pattern> patterns;
    for (const std::string& text : *texts) patterns.push_back(Pattern::parse(text));
    const auto ready = encoded(std::move(patterns), asked_);
    if (!ready) return std::unexpected(ready.error());
    std::vector<Matcher> matchers;
    for (const Pattern& pattern : *ready) {
      matchers.push_back(finished(pattern, asked_, keyword_));
    }
    return matchers;
  }

  Result<std::vector<Matcher>> expressions(const RuleValue& value) const {
    if (value.kind == RuleValue::Kind::null) return fail(Code::invalid, "null is no expression");
    const auto texts = texts_of(value);
    if (!texts) return std::unexpected(texts.error());
    std::vector<Matcher> matchers;
    for (const std::string& text : *texts) {
      auto expression = make_expression(text, asked_.flags);
      if (!expression) return std::unexpected(expression.error());
      matchers.push_back(*std::move(expression));
    }
    return matchers;
  }

  Result<std::vector<Matcher>> number(const RuleValue& value) const {
    const auto number = Decimal::parse(value.text);
    if (!number) return fail(Code::invalid, "'" + value.text + "' is not a number");
    if (value.kind != RuleValue::Kind::number) {
      return fail(Code::invalid, "'" + value.text + "' is a text; a number stands without quotes");
    }
    const Number wanted{.value = *number, .compare = asked_.compare};
    if (asked_.kind != TestKind::date) return std::vector<Matcher>{wanted};
    return std::vector<Matcher>{Date{.part = asked_.part, .number = wanted}};
  }

  Result<std::vector<Matcher>> other_field(const RuleValue& value) const {
    const Pattern pattern = Pattern::parse(value.text);
    if (pattern.has_wildcards() || pattern.pieces().empty()) {
      return fail(Code::invalid, "'fieldref' takes the name of a field, without wildcards");
    }
    std::string name = pattern.pieces().front().text;
    std::erase(name, ' ');
    return std::vector<Matcher>{
        OtherField{.name = std::move(name), .where = asked_.anchor, .cased = asked_.cased}};
  }

  const Asked& asked_;
  const Placeholders& placeholders_;
  bool keyword_;
};

}  // namespace

Result<FieldTest> resolve(const DetectionItem& item, const Placeholders& placeholders) {
  const auto asked = Reading().run(item.modifiers);
  if (!asked) return std::unexpected(asked.error());
  if (auto checked = check(*asked, item); !checked) return std::unexpected(checked.error());
  const MatcherMaker maker(*asked, placeholders, item.field.empty());
  FieldTest test{.field = item.field, .values = {}, .negated = asked->negated};
  std::size_t count = 0;
  for (const RuleValue& value : item.values) {
    auto matchers = maker.make(value);
    if (!matchers) return std::unexpected(matchers.error());
    count += matchers->size();
    if (count > values_max) {
      return fail(Code::invalid,
                  "the item stands for more than " + std::to_string(values_max) + " values");
    }
    if (asked->all || test.values.empty()) test.values.emplace_back();
    std::ranges::move(*matchers, std::back_inserter(test.values.back()));
  }
  return test;
}

std::expected<std::vector<FieldTest>, RuleError> resolve(const std::vector<Selection>& selections,
                                                         const Placeholders& placeholders) {
  std::vector<FieldTest> tests;
  for (const Selection& selection : selections) {
    for (const auto& items : selection.alternatives) {
      for (const DetectionItem& item : items) {
        auto test = resolve(item, placeholders);
        if (!test) return std::unexpected(RuleError{item.line, test.error().what});
        tests.push_back(*std::move(test));
      }
    }
  }
  return tests;
}

}  // namespace mailwarden::detect
