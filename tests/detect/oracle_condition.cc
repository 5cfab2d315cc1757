#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/text.h"
#include "tests/detect/oracle_line.h"

namespace mailwarden::oracle {
namespace {

std::vector<std::string> words_of(std::string_view condition) {
  std::vector<std::string> words;
  bool inside = false;  // a word goes on
  for (const char c : condition) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    const bool sign = c == '(' || c == ')' || c == '|';
    if (space || sign || !inside) {
      if (!space) words.emplace_back(1, c);
    } else {
      words.back() += c;
    }
    inside = !space && !sign;
  }
  return words;
}

// Sigma's patterns of names know the star alone.
bool name_matches(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() != '*') {
    return !name.empty() && pattern.front() == name.front() &&
           name_matches(pattern.substr(1), name.substr(1));
  }
  for (std::size_t skipped = 0; skipped <= name.size(); ++skipped) {
    if (name_matches(pattern.substr(1), name.substr(skipped))) return true;
  }
  return false;
}

// or := and ("or" and)*; and := not ("and" not)*; not := "not" not | one
// one := "(" or ")" | ("1" | "any" | "all") "of" pattern | name
class Reader {
 public:
  Reader(const yaml::Node& where, const std::map<std::string, Test>& selections)
      : where_(where), selections_(selections), words_(words_of(where.scalar)) {}

  Result<Test> read() {
    auto whole = read_or();
    if (!whole) return whole;
    if (at_ < words_.size()) return refuse(where_, "'" + words_[at_] + "' is not expected here");
    return whole;
  }

 private:
  bool next_is(std::string_view word, std::size_t ahead = 0) const {
    return at_ + ahead < words_.size() && equal_ignoring_case(words_[at_ + ahead], word);
  }

  bool take(std::string_view word) {
    if (!next_is(word)) return false;
    ++at_;
    return true;
  }

  Result<Test> read_or() {
    auto left = read_and();
    while (left && take("or")) {
      auto right = read_and();
      if (!right) return right;
      left = [a = *left, b = *right](const Event& event) { return a(event) || b(event); };
    }
    return left;
  }

  Result<Test> read_and() {
    auto left = read_not();
    while (left && take("and")) {
      auto right = read_not();
      if (!right) return right;
      left = [a = *left, b = *right](const Event& event) { return a(event) && b(event); };
    }
    return left;
  }

  Result<Test> read_not() {
    if (!take("not")) return read_one();
    auto inner = read_not();
    if (!inner) return inner;
    return [a = *inner](const Event& event) { return !a(event); };
  }

  Result<Test> read_one() {
    if (take("(")) {
      auto inner = read_or();
      if (inner && !take(")")) return refuse(where_, "a bracket is not closed");
      return inner;
    }
    if (next_is("of", 1)) return read_of();
    if (at_ == words_.size()) return refuse(where_, "the condition ends too early");
    const auto selection = selections_.find(words_[at_]);
    if (selection == selections_.end() || is_operator()) {
      return refuse(where_, "no selection is named '" + words_[at_] + "'");
    }
    ++at_;
    return selection->second;
  }

  bool is_operator() const { return next_is("and") || next_is("or") || next_is("not"); }

  Result<Test> read_of() {
    const bool all = next_is("all");
    if (!all && !next_is("1") && !next_is("any")) {
      return refuse(where_, "'" + words_[at_] + " of' is not known; expected 1, any or all");
    }
    at_ += 2;
    if (at_ == words_.size()) return refuse(where_, "the condition ends too early");
    const std::string pattern = next_is("them") ? "*" : words_[at_];
    ++at_;
    std::vector<Test> meant;
    for (const auto& [name, test] : selections_) {
      if (name.starts_with('_') && !pattern.starts_with('_')) continue;
      if (name_matches(pattern, name)) meant.push_back(test);
    }
    if (meant.empty()) return refuse(where_, "'" + pattern + "' means no selection");
    return [all, meant](const Event& event) {
      const auto holds = [&](const Test& test) { return test(event); };
      return all ? std::ranges::all_of(meant, holds) : std::ranges::any_of(meant, holds);
    };
  }

  const yaml::Node& where_;
  const std::map<std::string, Test>& selections_;
  std::vector<std::string> words_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Test> read_condition(const yaml::Node& condition,
                            const std::map<std::string, Test>& selections) {
  if (condition.is_scalar()) return Reader(condition, selections).read();
  if (!condition.is_sequence() || condition.items.empty()) {
    return refuse(condition, "a condition is a text or a list of texts");
  }
  std::vector<Test> tests;
  for (const yaml::Node& item : condition.items) {
    if (!item.is_scalar()) return refuse(item, "a condition is a text");
    auto test = Reader(item, selections).read();
    if (!test) return test;
    tests.push_back(*std::move(test));
  }
  return [tests](const Event& event) {
    return std::ranges::any_of(tests, [&](const Test& test) { return test(event); });
  };
}

}  // namespace mailwarden::oracle
