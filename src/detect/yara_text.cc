#include "detect/yara_text.h"

#include <algorithm>

#include "base/text.h"

namespace mailwarden::detect {
namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<RulePlace> rules() {
    std::vector<RulePlace> found;
    std::size_t depth = 0;
    bool names_next = false;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (is_word(c)) {
        const std::size_t begin = at_;
        while (at_ < text_.size() && is_word(text_[at_])) ++at_;
        const std::string_view word = text_.substr(begin, at_ - begin);
        if (names_next) found.push_back({std::string(word), line_});
        names_next = depth == 0 && !names_next && word == "rule";
      } else if (c == '"') {
        skip_quoted('"');
      } else if (c == '/') {
        skip_slash();
      } else {
        if (c == '{') ++depth;
        if (c == '}' && depth > 0) --depth;
        step();
      }
    }
    return found;
  }

 private:
  void step() {
    if (text_[at_++] == '\n') ++line_;
  }

  // Neither a text nor a regular expression reaches over the end of its line.
  void skip_quoted(char end) {
    ++at_;
    while (at_ < text_.size() && text_[at_] != '\n') {
      const char c = text_[at_++];
      if (c == end) return;
      if (c == '\\' && at_ < text_.size() && text_[at_] != '\n') ++at_;
    }
  }

  // Division is a backslash in this language, so a slash begins a comment or an expression.
  void skip_slash() {
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (next == '/') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else if (next == '*') {
      const std::size_t found = text_.find("*/", at_ + 2);
      const std::size_t end = found == std::string_view::npos ? text_.size() : found + 2;
      while (at_ < end) step();
    } else {
      skip_quoted('/');
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

bool is_fact_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::vector<RulePlace> find_rules(std::string_view text) {
  return Lexer(text).rules();
}

Result<std::map<std::string, std::int64_t>> parse_facts(std::string_view text) {
  std::map<std::string, std::int64_t> facts;
  for (const std::string_view part : split(text, ',')) {
    const std::string_view fact = trim(part);
    const std::size_t sign = fact.find('=');
    const std::string_view name = trim(fact.substr(0, sign));
    const std::string_view worth =
        sign == std::string_view::npos ? std::string_view() : trim(fact.substr(sign + 1));
    const auto number = worth == "true" ? std::optional<std::int64_t>(1) : to_integer(worth);
    if (!is_fact_name(name) || !number || *number < 0) {
      return fail(Code::invalid, "'" + printable(fact) +
                                     "' is no fact; expected a name, '=' and true or a number that "
                                     "is not negative, like malware=1");
    }
    if (!facts.emplace(name, *number).second) {
      return fail(Code::invalid, "the fact '" + std::string(name) + "' stands twice");
    }
  }
  return facts;
}

}  // namespace mailwarden::detect
