#include "detect/parse_selection.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace mailwarden::detect {
namespace {

using yaml::Node;

// What the modifiers of one field ask for, together.
struct Modifiers {
  enum class Kind { text, expression, network, number, presence, other_field };
  Kind kind = Kind::text;
  Pattern::Anchor anchor = Pattern::Anchor::whole;
  Number::Compare compare = Number::Compare::equal;
  std::string flags;  // of an expression
  bool cased = false;
  bool all = false;
  bool has_kind = false;  // a second one would contradict the first
};

struct KindWord {
  std::string_view word;
  Modifiers::Kind kind;
  Pattern::Anchor anchor = Pattern::Anchor::whole;
  Number::Compare compare = Number::Compare::equal;
};

constexpr std::array kind_words{
    KindWord{"contains", Modifiers::Kind::text, Pattern::Anchor::anywhere},
    KindWord{"startswith", Modifiers::Kind::text, Pattern::Anchor::start},
    KindWord{"endswith", Modifiers::Kind::text, Pattern::Anchor::end},
    KindWord{"re", Modifiers::Kind::expression},
    KindWord{"cidr", Modifiers::Kind::network},
    KindWord{"exists", Modifiers::Kind::presence},
    KindWord{"fieldref", Modifiers::Kind::other_field},
    KindWord{"lt", Modifiers::Kind::number, Pattern::Anchor::whole, Number::Compare::less},
    KindWord{"lte", Modifiers::Kind::number, Pattern::Anchor::whole, Number::Compare::less_equal},
    KindWord{"gt", Modifiers::Kind::number, Pattern::Anchor::whole, Number::Compare::greater},
    KindWord{"gte", Modifiers::Kind::number, Pattern::Anchor::whole,
             Number::Compare::greater_equal}};

constexpr std::array<std::string_view, 18> known_elsewhere{
    "base64", "base64offset", "windash", "wide",   "utf16le",    "utf16be",
    "utf16",  "expand",       "neq",     "minute", "hour",       "day",
    "week",   "month",        "year",    "sub",    "ignorecase", "multiline"};

// The sentence about what is wrong with the word, or "".
std::string apply(std::string_view word, Modifiers& modifiers) {
  const auto kind = std::ranges::find(kind_words, word, &KindWord::word);
  if (kind != kind_words.end()) {
    if (modifiers.has_kind || (modifiers.cased && kind->kind != Modifiers::Kind::text)) {
      return "the modifier '" + std::string(word) + "' contradicts one before it";
    }
    modifiers.has_kind = true;
    modifiers.kind = kind->kind;
    modifiers.anchor = kind->anchor;
    modifiers.compare = kind->compare;
    return {};
  }
  if (word == "all") {
    modifiers.all = true;
    return {};
  }
  if (word == "cased") {
    if (modifiers.kind != Modifiers::Kind::text) {
      return "the modifier 'cased' contradicts one before it";
    }
    modifiers.cased = true;
    return {};
  }
  if (word == "i" || word == "m" || word == "s") {
    if (modifiers.kind != Modifiers::Kind::expression) {
      return "the modifier '" + std::string(word) + "' stands behind 're' alone";
    }
    modifiers.flags += word;
    return {};
  }
  if (std::ranges::find(known_elsewhere, word) != known_elsewhere.end()) {
    return "the modifier '" + std::string(word) + "' is not supported by this version";
  }
  return "'" + std::string(word) + "' is not a modifier of Sigma";
}

class Reader {
 public:
  explicit Reader(Mistakes& mistakes) : mistakes_(mistakes) {}

  Selection selection(const std::string& name, const Node& node) {
    Selection selection{.name = name, .alternatives = {}};
    if (node.is_map()) {
      selection.alternatives.push_back(map(node));
    } else if (node.is_sequence()) {
      list(node, selection);
    } else if (node.is_scalar()) {
      selection.alternatives.push_back({keywords({&node})});
    } else {
      mistakes_.add(node, "the selection '" + name + "' is empty");
    }
    return selection;
  }

 private:
  void list(const Node& node, Selection& selection) {
    std::vector<const Node*> words;
    for (const Node& item : node.items) {
      if (item.is_map()) {
        selection.alternatives.push_back(map(item));
      } else if (item.is_scalar()) {
        words.push_back(&item);
      } else {
        mistakes_.add(item, "a selection's list holds maps or keywords");
      }
    }
    if (!words.empty()) selection.alternatives.push_back({keywords(words)});
    if (node.items.empty()) mistakes_.add(node, "the selection '" + selection.name + "' is empty");
  }

  FieldTest keywords(const std::vector<const Node*>& words) {
    FieldTest test;
    Modifiers modifiers;
    modifiers.anchor = Pattern::Anchor::anywhere;
    for (const Node* word : words) add_value(*word, modifiers, test);
    return test;
  }

  std::vector<FieldTest> map(const Node& node) {
    std::vector<FieldTest> tests;
    for (const auto& [name, value] : node.entries) tests.push_back(field(name, value));
    if (tests.empty()) mistakes_.add(node, "a map of a selection has no field");
    return tests;
  }

  FieldTest field(const Node& name, const Node& value) {
    FieldTest test;
    Modifiers modifiers;
    const auto words = split(name.scalar, '|');
    // Sigma's taxonomy knows no spaces in names, some sources do: "Source Name" is SourceName.
    for (const char c : words[0]) {
      if (c != ' ') test.field += c;
    }
    test.attribute = attribute_named(test.field);
    if (test.field.empty()) modifiers.anchor = Pattern::Anchor::anywhere;
    for (std::size_t i = 1; i < words.size(); ++i) {
      if (const std::string wrong = apply(words[i], modifiers); !wrong.empty()) {
        mistakes_.add(name, wrong);
        return test;
      }
    }
    test.all = modifiers.all;
    if (value.is_sequence()) {
      for (const Node& item : value.items) add_value(item, modifiers, test);
      if (value.items.empty()) mistakes_.add(value, "the list of values is empty");
    } else {
      add_value(value, modifiers, test);
    }
    return test;
  }

  void add_value(const Node& node, const Modifiers& modifiers, FieldTest& test) {
    if (node.is_map() || node.is_sequence()) {
      return mistakes_.add(node, "a value is a text, a number, a truth or null");
    }
    auto matcher = make(node, modifiers);
    if (!matcher) return mistakes_.add(node, matcher.error().what);
    test.values.push_back(*std::move(matcher));
  }

  static Result<Matcher> make(const Node& node, const Modifiers& modifiers) {
    if (node.is_null() && !node.quoted) {
      if (modifiers.has_kind) return fail(Code::invalid, "null has no text to look for");
      return Matcher(Null());
    }
    switch (modifiers.kind) {
      case Modifiers::Kind::text:
        return text(node, modifiers);
      case Modifiers::Kind::expression:
        return wrap(make_expression(node.scalar, modifiers.flags));
      case Modifiers::Kind::network:
        return wrap(make_network(node.scalar));
      case Modifiers::Kind::number:
        return number(node, modifiers.compare);
      case Modifiers::Kind::other_field:
        return Matcher(OtherField{node.scalar});
      case Modifiers::Kind::presence:
        break;
    }
    if (yaml::is_true(node)) return Matcher(Presence{true});
    if (yaml::is_false(node)) return Matcher(Presence{false});
    return fail(Code::invalid, "'exists' takes true or false");
  }

  template <class T>
  static Result<Matcher> wrap(Result<T> made) {
    if (!made) return std::unexpected(made.error());
    return Matcher(*std::move(made));
  }

  static Result<Matcher> text(const Node& node, const Modifiers& modifiers) {
    const auto value = to_number(node.scalar);
    if (!node.quoted && value && !modifiers.has_kind &&
        modifiers.anchor == Pattern::Anchor::whole) {
      return Matcher(Number{*value, Number::Compare::equal});
    }
    return Matcher(Pattern::parse(node.scalar, modifiers.anchor, modifiers.cased));
  }

  static Result<Matcher> number(const Node& node, Number::Compare compare) {
    const auto value = to_number(node.scalar);
    if (!value) return fail(Code::invalid, "'" + node.scalar + "' is not a number");
    return Matcher(Number{*value, compare});
  }

  Mistakes& mistakes_;
};

}  // namespace

std::vector<Selection> parse_selections(const Node& detection, Mistakes& mistakes) {
  std::vector<Selection> selections;
  Reader reader(mistakes);
  for (const auto& [name, value] : detection.entries) {
    if (name.scalar == "condition" || name.scalar == "timeframe") continue;
    selections.push_back(reader.selection(name.scalar, value));
  }
  return selections;
}

}  // namespace mailwarden::detect
