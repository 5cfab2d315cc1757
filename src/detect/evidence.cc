#include "detect/evidence.h"

#include <algorithm>

#include "base/text.h"
#include "detect/fold.h"

namespace mailwarden::detect {
namespace {

using Where = LiteralIndex::Where;

// A single character stands in too many values to look a rule up by.
constexpr int expression_literal_min = 2;

bool is_any(const Pattern::Piece& piece, std::size_t at) {
  return !piece.any.empty() && piece.any[at];
}

// The longest run of characters without a wildcard.
std::string longest_run(const Pattern& pattern) {
  std::string longest;
  for (const Pattern::Piece& piece : pattern.pieces()) {
    for (std::size_t i = 0; i < piece.text.size();) {
      std::size_t end = i;
      while (end < piece.text.size() && is_any(piece, end) == is_any(piece, i)) ++end;
      if (!is_any(piece, i) && end - i > longest.size()) longest = piece.text.substr(i, end - i);
      i = end;
    }
  }
  return longest;
}

std::string first_run(const Pattern::Piece& piece) {
  std::size_t end = 0;
  while (end < piece.text.size() && !is_any(piece, end)) ++end;
  return piece.text.substr(0, end);
}

std::string last_run(const Pattern::Piece& piece) {
  std::size_t begin = piece.text.size();
  while (begin > 0 && !is_any(piece, begin - 1)) --begin;
  return piece.text.substr(begin);
}

// A pattern that is one plain text.
Evidence plain_evidence(const Text& text, Pattern::Plain plain) {
  const bool empty = text.pattern.pieces().empty();
  Evidence evidence{.where = Where::whole,
                    .text = empty ? "" : text.pattern.pieces().front().text,
                    .decides = !text.cased};
  if (plain == Pattern::Plain::start) evidence.where = Where::start;
  if (plain == Pattern::Plain::end) evidence.where = Where::end;
  if (plain == Pattern::Plain::anywhere) evidence.where = Where::anywhere;
  return evidence;
}

// What is searched anywhere is of limited length.
void fit_for_search(Evidence& evidence) {
  if (evidence.where != Where::anywhere) return;
  const std::size_t bytes = evidence.text.size();
  evidence.text.resize(std::min(evidence.text.size(), literal_bytes_max));
  evidence.decides = evidence.decides && evidence.text.size() == bytes;
}

Choices choices_of_text(const Text& text) {
  const Pattern& pattern = text.pattern;
  const bool empty = pattern.pieces().empty();
  if (empty && pattern.has_wildcards()) return {};
  std::vector<Evidence> found;
  if (const Pattern::Plain plain = pattern.plain(); empty || plain != Pattern::Plain::no) {
    found.push_back(plain_evidence(text, plain));
  } else {
    found.push_back({.where = Where::anywhere, .text = longest_run(pattern)});
    if (!pattern.starts_open()) {
      found.push_back({.where = Where::start, .text = first_run(pattern.pieces().front())});
    }
    if (!pattern.ends_open()) {
      found.push_back({.where = Where::end, .text = last_run(pattern.pieces().back())});
    }
  }
  Choices choices;
  for (Evidence& one : found) {
    fit_for_search(one);
    if (one.text.empty() && !empty) continue;
    // A piece of a character folds to something else than the character does.
    if (text.cased && !is_utf8(one.text)) continue;
    if (text.cased) one.text = fold(one.text);
    choices.push_back({std::move(one)});
  }
  return choices;
}

}  // namespace

Choices evidence_of(const Matcher& matcher) {
  if (const auto* text = std::get_if<Text>(&matcher)) return choices_of_text(*text);
  if (const auto* expression = std::get_if<Expression>(&matcher)) {
    Choices choices;
    for (const auto& texts : needed_texts(*expression, expression_literal_min)) {
      std::vector<Evidence>& choice = choices.emplace_back();
      for (const std::string& text : texts) {
        choice.push_back({.where = Where::anywhere, .text = text.substr(0, literal_bytes_max)});
      }
    }
    return choices;
  }
  if (const auto* number = std::get_if<Number>(&matcher);
      number != nullptr && number->compare == Compare::equal) {
    return {{{.where = Where::whole,
              .text = number->value.canonical(),
              .number = true,
              .decides = true}}};
  }
  return {};
}

}  // namespace mailwarden::detect
