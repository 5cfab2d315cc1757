#include "policy/format.h"

#include <algorithm>

#include "policy/commented_tokens.h"
#include "policy/layout.h"

namespace mailwarden::policy {
namespace {

// Lays out tokens that the parser has found to be policies.
class Formatter {
 public:
  Formatter(std::vector<CommentedToken> tokens, const FormatOptions& options)
      : tokens_(std::move(tokens)),
        options_({.line_width = options.line_width, .indent = options.indent}) {}

  std::string run() {
    std::string text;
    while (!is_end()) {
      if (!text.empty()) text += '\n';
      text += comments_before();
      text += lay_out(policy(), options_) + '\n';
    }
    const std::string last = comments_before();
    return text + (text.empty() || last.empty() ? "" : "\n") + last;
  }

 private:
  const Token& peek() const { return tokens_[at_].token; }
  bool is_end() const {
    return peek().kind == Token::Kind::end || peek().kind == Token::Kind::wrong;
  }
  bool next_is(std::string_view symbol) const { return peek().is(symbol); }

  // Of the next token, which begins a policy or is the end, with empty lines between them.
  std::string comments_before() {
    std::string text;
    std::vector<Comment>& all = tokens_[at_].before;
    for (const Comment& one : all) {
      text.append(one.text).append("\n");
      const bool is_last = &one == &all.back() && is_end();
      if (one.has_empty_line_behind && !is_last) text += '\n';
    }
    all.clear();
    return text;
  }

  // The next token with its comments. There is one more behind any but the end.
  Layout take() {
    Layout made;
    for (const Comment& one : tokens_[at_].before) {
      made.add({.kind = Layout::Kind::comment, .text = std::string(one.text)});
    }
    return made.add(take_bare());
  }
  Layout take_bare() {
    const CommentedToken& token = tokens_[at_];
    if (at_ + 1 < tokens_.size()) ++at_;
    Layout made = Layout::of(token.text);
    if (token.behind.empty()) return made;
    Layout both;
    both.add(std::move(made));
    both.add({.kind = Layout::Kind::trailing_comment, .text = std::string(token.behind)});
    return both;
  }

  // From a bracket to its partner; `inside` lays out all between. `edge` stands at both ends.
  template <class Inside>
  Layout bracketed(const Layout& edge, Inside inside) {
    Layout made;
    made.add(take());
    Layout content;
    while (!is_closing() && !is_end()) {
      content.add(content.parts.empty() ? edge : Layout::line());
      inside(content);
      if (next_is(",")) content.add(take());
    }
    // Comments before the partner stand inside.
    std::vector<Comment>& before = tokens_[at_].before;
    if (content.parts.empty() && !before.empty()) content.add(edge);
    for (const Comment& one : before) {
      content.add({.kind = Layout::Kind::comment, .text = std::string(one.text)});
    }
    before.clear();
    const bool is_empty = content.parts.empty();
    made.add(Layout::indented(std::move(content)));
    if (!is_empty) made.add(edge);
    made.add(take_bare());
    return Layout::group(std::move(made));
  }
  bool is_closing() const { return next_is(")") || next_is("]") || next_is("}"); }

  Layout expressions() {
    return bracketed(Layout::soft_line(), [this](Layout& into) { into.add(expression()); });
  }

  Layout policy() {
    Layout made;
    while (next_is("@")) {
      made.add(take()).add(take());
      if (next_is("(")) made.add(take()).add(take()).add(take());
      made.add(Layout::hard_line());
    }
    Layout head;
    head.add(take()).add(Layout::space());
    head.add(bracketed(Layout::soft_line(), [this](Layout& into) { into.add(relation()); }));
    made.add(Layout::group(std::move(head)));
    while (!next_is(";") && !is_end()) {
      made.add(Layout::hard_line());
      Layout condition;
      condition.add(take()).add(Layout::space());
      condition.add(bracketed(Layout::line(), [this](Layout& into) { into.add(expression()); }));
      made.add(Layout::group(std::move(condition)));
    }
    return made.add(take());
  }

  Layout expression() {
    if (!next_is("if")) return chain(0).close(false);
    Layout made;
    for (const std::string_view word : {"if", "then", "else"}) {
      if (word != "if") made.add(Layout::line());
      made.add(take()).add(Layout::space());
      made.add(word == "else" ? expression() : Layout::indented(expression()));
    }
    return Layout::group(std::move(made));
  }

  // What is still open to the operators of a lower level.
  struct Chain {
    Layout first;
    Layout rest;

    // `is_operand` tells that an operator stands around it, from whose operands its own stand off.
    Layout close(bool is_operand) && {
      if (rest.parts.empty()) return std::move(first);
      Layout made;
      made.add(std::move(first));
      made.add(is_operand ? Layout::indented(std::move(rest)) : std::move(rest));
      return Layout::group(std::move(made));
    }
  };

  // Operands of `||`, which are operands of `&&`, ..., with each operator at the end of a line.
  Chain chain(std::size_t level) {
    constexpr std::array<std::array<std::string_view, 2>, 4> operators{
        {{"||", "||"}, {"&&", "&&"}, {"+", "-"}, {"*", "*"}}};
    if (level == operators.size()) return {.first = unary()};
    const auto operand = [&] { return level == 1 ? Chain{.first = relation()} : chain(level + 1); };
    const auto goes_on = [&] {
      return next_is(operators[level][0]) || next_is(operators[level][1]);
    };
    Chain made = operand();
    if (!goes_on()) return made;
    Chain all{.first = std::move(made).close(true)};
    while (goes_on()) {
      all.rest.add(Layout::space()).add(take()).add(Layout::line()).add(operand().close(true));
    }
    return all;
  }

  // Also a part of the scope, which is one but for its slots.
  Layout relation() {
    constexpr std::array<std::string_view, 10> words = {"==", "!=", "<",   "<=",   ">",
                                                        ">=", "in", "has", "like", "is"};
    Layout made;
    made.add(chain(2).close(true));
    bool is_related = false;
    while (std::ranges::any_of(words, [&](auto word) { return next_is(word); })) {
      is_related = true;
      made.add(Layout::space()).add(take());
      // Brackets break their own lines.
      const bool is_bracket = next_is("[") || next_is("(") || next_is("{");
      Layout right;
      right.add(is_bracket ? Layout::space() : Layout::line()).add(chain(2).close(true));
      made.add(is_bracket ? std::move(right) : Layout::indented(std::move(right)));
    }
    return is_related ? Layout::group(std::move(made)) : made;
  }

  Layout unary() {
    Layout made;
    while (next_is("!") || next_is("-")) made.add(take());
    made.add(primary());
    for (;;) {
      if (next_is(".")) {
        made.add(take()).add(take());
      } else if (next_is("(") || next_is("[")) {
        made.add(expressions());
      } else {
        return made;
      }
    }
  }

  Layout primary() {
    if (next_is("(") || next_is("[")) return expressions();
    if (next_is("{")) {
      return bracketed(Layout::soft_line(), [this](Layout& into) {
        into.add(take()).add(take()).add(Layout::space()).add(expression());
      });
    }
    Layout made;
    made.add(take());
    while (next_is("::")) made.add(take()).add(take());
    return made;
  }

  std::vector<CommentedToken> tokens_;
  LayoutOptions options_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::string> format_policies(std::string_view text, const FormatOptions& options) {
  Expressions expressions;
  if (const auto parsed = parse_policies(text, expressions, options.parse); !parsed) {
    return std::unexpected(parsed.error());
  }
  std::string made = Formatter(commented_tokens(text), options).run();
  if (!say_the_same(text, made)) {
    return fail(Code::corrupt, "the text would not be the same once it is laid out");
  }
  return made;
}

}  // namespace mailwarden::policy
