#include "detect/condition.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "detect/pattern.h"

namespace mailwarden::detect {
namespace {

class Parser {
 public:
  Parser(std::string_view text, std::span<const Selection> selections, std::size_t depth_max)
      : selections_(selections), depth_max_(depth_max) {
    split_words(text);
  }

  Result<Condition> run() {
    auto condition = either(0);
    if (condition && next_ < words_.size()) return wrong("the end or 'and' or 'or'");
    return condition;
  }

 private:
  void split_words(std::string_view text) {
    std::string word;
    auto put = [&] {
      if (!word.empty()) words_.push_back(std::exchange(word, {}));
    };
    for (const char c : text) {
      if (c == '(' || c == ')') {
        put();
        words_.emplace_back(1, c);
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        put();
      } else {
        word += c;
      }
    }
    put();
  }

  std::unexpected<Error> wrong(const std::string& expected) const {
    return fail(Code::invalid,
                "the condition has " +
                    (next_ < words_.size() ? "'" + words_[next_] + "'" : "nothing more") +
                    " where " + expected + " was expected");
  }

  bool take(std::string_view word) {
    if (next_ >= words_.size() || !equal_ignoring_case(words_[next_], word)) return false;
    ++next_;
    return true;
  }

  Result<Condition> chain(std::size_t depth, std::string_view word, Condition::Kind kind,
                          Result<Condition> (Parser::*inner)(std::size_t)) {
    Condition condition{.kind = kind, .selection = 0, .parts = {}};
    do {
      auto part = (this->*inner)(depth);
      if (!part) return part;
      condition.parts.push_back(*std::move(part));
    } while (take(word));
    if (condition.parts.size() == 1) return std::move(condition.parts.front());
    return condition;
  }

  Result<Condition> either(std::size_t depth) {
    return chain(depth, "or", Condition::Kind::any_of, &Parser::both);
  }

  Result<Condition> both(std::size_t depth) {
    return chain(depth, "and", Condition::Kind::all_of, &Parser::negated);
  }

  Result<Condition> negated(std::size_t depth) {
    if (depth > depth_max_) {
      return fail(Code::invalid,
                  "the condition is nested deeper than " + std::to_string(depth_max_) + " levels");
    }
    if (take("not")) {
      auto inner = negated(depth + 1);
      if (!inner) return inner;
      Condition condition{.kind = Condition::Kind::none_of, .selection = 0, .parts = {}};
      condition.parts.push_back(*std::move(inner));
      return condition;
    }
    if (take("(")) {
      auto inner = either(depth + 1);
      if (inner && !take(")")) return wrong("')'");
      return inner;
    }
    return operand();
  }

  Result<Condition> operand() {
    if (next_ >= words_.size()) return wrong("a selection");
    const bool counted = next_ + 1 < words_.size() && equal_ignoring_case(words_[next_ + 1], "of");
    if (counted) return quantified();
    const std::string& name = words_[next_];
    if (equal_ignoring_case(name, "and") || equal_ignoring_case(name, "or") || name == ")") {
      return wrong("a selection");
    }
    if (name == "|" || name == "near") {
      return fail(Code::invalid,
                  "aggregations after '|' belong to an older Sigma; write a "
                  "correlation instead");
    }
    const auto found = std::ranges::find(selections_, name, &Selection::name);
    if (found == selections_.end()) {
      return fail(Code::invalid,
                  "the condition names the selection '" + name + "', which the rule does not have");
    }
    ++next_;
    return leaf(found);
  }

  // Only a star is a wildcard.
  static Pattern name_pattern(std::string_view name) {
    std::string escaped;
    for (const char c : name) {
      if (c == '?' || c == '\\') escaped += '\\';
      escaped += c;
    }
    return Pattern::parse(escaped);
  }

  Condition leaf(std::span<const Selection>::iterator found) const {
    return {.kind = Condition::Kind::selection,
            .selection = static_cast<std::size_t>(found - selections_.begin()),
            .parts = {}};
  }

  Result<Condition> quantified() {
    const std::string& quantity = words_[next_];
    const bool all = equal_ignoring_case(quantity, "all");
    if (!all && quantity != "1" && !equal_ignoring_case(quantity, "any")) {
      return wrong("'1 of' or 'all of'");
    }
    next_ += 2;
    if (next_ >= words_.size()) return wrong("a name, a pattern or 'them'");
    const std::string name = words_[next_++];
    const bool them = equal_ignoring_case(name, "them");
    const Pattern pattern = name_pattern(name);
    const bool underscored = name.starts_with('_');
    Condition condition{.kind = all ? Condition::Kind::all_of : Condition::Kind::any_of,
                        .selection = 0,
                        .parts = {}};
    for (auto it = selections_.begin(); it != selections_.end(); ++it) {
      // What begins with an underscore is for conditions that ask for it.
      if (it->name.starts_with('_') && !underscored) continue;
      const bool taken = them || pattern.matches(it->name);
      if (taken) condition.parts.push_back(leaf(it));
    }
    if (condition.parts.empty()) {
      return fail(Code::invalid, "no selection of the rule is meant by '" + name + "'");
    }
    return condition;
  }

  std::span<const Selection> selections_;
  std::size_t depth_max_;
  std::vector<std::string> words_;
  std::size_t next_ = 0;
};

}  // namespace

Result<Condition> parse_condition(std::string_view text, std::span<const Selection> selections,
                                  std::size_t depth_max) {
  return Parser(text, selections, depth_max).run();
}

}  // namespace mailwarden::detect
