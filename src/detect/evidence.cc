#include "detect/evidence.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "detect/fold.h"

namespace mailwarden::detect {
namespace {

using Where = LiteralIndex::Where;

// The longest run of characters without a wildcard.
std::string longest_run(const Pattern& pattern) {
  std::string longest;
  for (const Pattern::Piece& piece : pattern.pieces()) {
    for (std::size_t i = 0; i < piece.text.size();) {
      const bool any = !piece.any.empty() && piece.any[i];
      std::size_t end = i;
      while (end < piece.text.size() && (!piece.any.empty() && piece.any[end]) == any) ++end;
      if (!any && end - i > longest.size()) longest = piece.text.substr(i, end - i);
      i = end;
    }
  }
  return longest;
}

std::vector<Evidence> evidence_of_text(const Text& text) {
  const Pattern::Plain plain = text.pattern.plain();
  const bool empty = text.pattern.pieces().empty();
  if (empty && text.pattern.has_wildcards()) return {};
  Evidence evidence{.where = Where::anywhere, .text = longest_run(text.pattern)};
  if (empty || plain == Pattern::Plain::whole) evidence.where = Where::whole;
  if (plain == Pattern::Plain::start) evidence.where = Where::start;
  if (plain == Pattern::Plain::end) evidence.where = Where::end;
  evidence.decides = !text.cased && (empty || plain != Pattern::Plain::no);
  if (text.cased) {
    // A piece of a character folds to something else than the character does.
    if (!is_utf8(evidence.text)) return {};
    evidence.text = fold(evidence.text);
  }
  if (evidence.where == Where::anywhere && evidence.text.size() > literal_bytes_max) {
    evidence.text.resize(literal_bytes_max);
    evidence.decides = false;
  }
  if (evidence.text.empty() && !empty) return {};
  return {evidence};
}

// Where nothing is known of what is usual: how often `c` is one of many alike.
double rarity_bits(std::string_view text) {
  double bits = 0;
  for (const char c : text) bits += (c >= 'a' && c <= 'z') ? 1.5 : c == ' ' || c == '.' ? 1.0 : 2.0;
  return std::min(bits, 24.0);
}

}  // namespace

std::vector<Evidence> evidence_of(const Matcher& matcher) {
  if (const auto* text = std::get_if<Text>(&matcher)) return evidence_of_text(*text);
  if (const auto* expression = std::get_if<Expression>(&matcher)) {
    std::vector<Evidence> all;
    for (std::string& text : needed_texts(*expression)) {
      text.resize(std::min(text.size(), literal_bytes_max));
      all.push_back({.where = Where::anywhere, .text = std::move(text)});
    }
    return all;
  }
  if (const auto* number = std::get_if<Number>(&matcher);
      number != nullptr && number->compare == Compare::equal) {
    return {{.where = Where::whole, .text = {}, .number = number->value, .decides = true}};
  }
  return {};
}

double likelihood(const Evidence& evidence, std::uint32_t rules) {
  if (evidence.number) return 0.1;
  const double spread = evidence.where == Where::anywhere ? 16.0 : 1.0;
  const double rare = std::exp2(-rarity_bits(evidence.text));
  return std::min(0.9, rare * spread * (1.0 + rules));
}

}  // namespace mailwarden::detect
