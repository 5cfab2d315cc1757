#include "policy/commented_tokens.h"

#include <algorithm>

namespace mailwarden::policy {
namespace {

using Comments = std::vector<Comment>;

// The comments between two tokens.
Comments comments_of(std::string_view gap) {
  constexpr std::string_view ends = "\n\r";
  Comments all;
  for (;;) {
    const auto start = gap.find("//");
    if (start == std::string_view::npos) return all;
    const auto blank = gap.substr(0, start);
    if (!all.empty()) all.back().has_empty_line_behind = std::ranges::count(blank, '\n') > 1;
    const auto end = std::min(gap.find_first_of(ends, start), gap.size());
    std::string_view text = gap.substr(start, end - start);
    text.remove_suffix(text.size() - 1 - text.find_last_not_of(" \t\v\f"));
    all.push_back(
        {.text = text, .is_behind_token = all.empty() && blank.find_first_of(ends) == blank.npos});
    gap.remove_prefix(end);
    all.back().has_empty_line_behind = std::ranges::count(gap, '\n') > 1;
  }
}

struct Read {
  std::vector<CommentedToken> tokens;
  std::vector<Comments> gaps;  // before each token
};

Read read(std::string_view text) {
  Read made;
  Lexer lexer(text);
  std::size_t behind = 0;  // the token before
  for (;;) {
    const Token token = lexer.take();
    const std::size_t quotes = token.kind == Token::Kind::string ? 2 : 0;
    const std::size_t size = token.text.size() + quotes;
    made.gaps.push_back(comments_of(text.substr(behind, token.at - behind)));
    made.tokens.push_back({.token = token, .text = text.substr(token.at, size)});
    // Nothing stands before the first.
    if (behind == 0 && !made.gaps.back().empty()) made.gaps.back().front().is_behind_token = false;
    behind = token.at + size;
    if (token.kind == Token::Kind::end || token.kind == Token::Kind::wrong) return made;
  }
}

bool ends_lines(const Token& token) {
  return token.is(",") || token.is(";") || token.is("&&") || token.is("||");
}

bool closes(const Token& token) {
  return token.is(")") || token.is("]") || token.is("}");
}

void move(Comments& from, Comments& to) {
  to.insert(to.begin(), from.begin(), from.end());
  from.clear();
}

}  // namespace

std::vector<CommentedToken> commented_tokens(std::string_view text) {
  Read made = read(text);
  std::vector<CommentedToken> kept;
  std::vector<Comments> gaps;
  for (std::size_t i = 0; i < made.tokens.size(); ++i) {
    const Token& token = made.tokens[i].token;
    if (ends_lines(token)) move(made.gaps[i], made.gaps[i + 1]);
    if (token.is(",") && closes(made.tokens[i + 1].token)) continue;
    kept.push_back(std::move(made.tokens[i]));
    gaps.push_back(std::move(made.gaps[i]));
  }
  for (std::size_t i = 0; i < kept.size(); ++i) {
    Comments& gap = gaps[i];
    if (!gap.empty() && gap.front().is_behind_token) {
      kept[i - 1].behind = gap.front().text;
      gap.erase(gap.begin());
    }
    kept[i].before = std::move(gap);
  }
  return kept;
}

bool say_the_same(std::string_view a, std::string_view b) {
  const auto of = [](std::string_view text) {
    const Read made = read(text);
    std::vector<std::string_view> tokens;
    std::vector<std::string_view> comments;
    for (std::size_t i = 0; i < made.tokens.size(); ++i) {
      for (const Comment& one : made.gaps[i]) comments.push_back(one.text);
      const bool is_left_out = made.tokens[i].token.is(",") && closes(made.tokens[i + 1].token);
      if (!is_left_out) tokens.push_back(made.tokens[i].text);
    }
    return std::pair(std::move(tokens), std::move(comments));
  };
  return of(a) == of(b);
}

}  // namespace mailwarden::policy
