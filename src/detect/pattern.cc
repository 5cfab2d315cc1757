#include "detect/pattern.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "detect/fold.h"

namespace mailwarden::detect {

Pattern Pattern::parse(std::string_view text) {
  Pattern pattern;
  Piece piece;
  auto put = [&](char c, bool any) {
    const bool has_any = any || !piece.any.empty();
    if (has_any) piece.any.resize(piece.text.size());
    piece.text += c;
    if (has_any) piece.any.push_back(any);
  };
  bool star_last = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    // A backslash escapes a wildcard or itself; before anything else it is a backslash.
    const bool escapes = text[i] == '\\' && i + 1 < text.size() &&
                         (text[i + 1] == '*' || text[i + 1] == '?' || text[i + 1] == '\\');
    star_last = false;
    if (escapes) {
      put(text[++i], false);
    } else if (text[i] == '?') {
      put('?', true);
    } else if (text[i] != '*') {
      put(text[i], false);
    } else {
      if (!piece.text.empty()) pattern.pieces_.push_back(std::exchange(piece, {}));
      if (pattern.pieces_.empty()) pattern.open_start_ = true;
      star_last = true;
    }
  }
  pattern.open_end_ = star_last;
  if (!piece.text.empty()) pattern.pieces_.push_back(std::move(piece));
  pattern.mark_ill_formed();
  return pattern;
}

Pattern Pattern::literal(std::string_view text) {
  Pattern pattern;
  if (!text.empty()) pattern.pieces_.push_back({.text = std::string(text), .any = {}});
  pattern.mark_ill_formed();
  return pattern;
}

bool Pattern::has_wildcards() const {
  return open_start_ || open_end_ || pieces_.size() > 1 ||
         std::ranges::any_of(pieces_, [](const Piece& piece) {
           return std::ranges::find(piece.any, true) != piece.any.end();
         });
}

void Pattern::transform(const std::function<std::string(std::string_view)>& change) {
  for (Piece& piece : pieces_) {
    if (piece.any.empty()) {
      piece.text = change(piece.text);
      continue;
    }
    // Runs between the question marks one by one.
    Piece changed;
    for (std::size_t i = 0; i < piece.text.size();) {
      std::size_t end = i;
      while (end < piece.text.size() && piece.any[end] == piece.any[i]) ++end;
      const std::string_view run = std::string_view(piece.text).substr(i, end - i);
      changed.text += piece.any[i] ? std::string(run) : change(run);
      changed.any.resize(changed.text.size(), piece.any[i]);
      i = end;
    }
    piece = std::move(changed);
  }
}

void Pattern::fold_case() {
  transform(fold);
}

Result<Pattern> Pattern::as_utf16(Utf16 kind) const {
  for (const Piece& piece : pieces_) {
    if (auto tried = utf16(piece.text, kind); !tried) return std::unexpected(tried.error());
  }
  Pattern pattern = *this;
  const Utf16 order = kind == Utf16::big ? Utf16::big : Utf16::little;
  pattern.transform([order](std::string_view text) { return *utf16(text, order); });
  if (kind == Utf16::marked) pattern.put_mark();
  pattern.mark_ill_formed();
  return pattern;
}

void Pattern::mark_ill_formed() {
  for (Piece& piece : pieces_) {
    if (piece.any.empty() && !is_utf8(piece.text)) piece.any.assign(piece.text.size(), false);
  }
}

void Pattern::put_mark() {
  // It stands before all, be it a wildcard.
  const std::string mark = *utf16("", Utf16::marked);
  if (open_start_ || pieces_.empty()) {
    pieces_.insert(pieces_.begin(), Piece{.text = mark, .any = {}});
    open_start_ = false;
    return;
  }
  Piece& first = pieces_.front();
  first.text.insert(0, mark);
  if (!first.any.empty()) first.any.insert(first.any.begin(), mark.size(), false);
}

std::size_t Pattern::end_of(const Piece& piece, std::string_view value, std::size_t at) {
  if (piece.any.empty()) {
    return value.substr(at).starts_with(piece.text) ? at + piece.text.size()
                                                    : std::string_view::npos;
  }
  for (std::size_t i = 0; i < piece.text.size();) {
    if (at >= value.size()) return std::string_view::npos;
    const std::size_t told = character_at(value, at);
    if (piece.any[i]) {
      ++i;
    } else {
      const std::size_t wanted = character_at(piece.text, i);
      if (told != wanted || value.substr(at, told) != piece.text.substr(i, wanted)) {
        return std::string_view::npos;
      }
      i += wanted;
    }
    at += told;
  }
  return at;
}

std::size_t Pattern::find_end(const Piece& piece, std::string_view value, std::size_t from) {
  if (piece.any.empty()) {
    const std::size_t found = value.find(piece.text, from);
    return found == std::string_view::npos ? found : found + piece.text.size();
  }
  // By characters: a `?` must not take a part of one.
  for (std::size_t at = from; at < value.size(); at += character_at(value, at)) {
    const std::size_t end = end_of(piece, value, at);
    if (end != std::string_view::npos) return end;
  }
  return std::string_view::npos;
}

bool Pattern::stands_at_end(const Piece& piece, std::string_view value, std::size_t from) {
  if (piece.any.empty()) return value.substr(from).ends_with(piece.text);
  for (std::size_t at = from; at < value.size(); at += character_at(value, at)) {
    if (end_of(piece, value, at) == value.size()) return true;
  }
  return false;
}

bool Pattern::matches(std::string_view value) const {
  if (pieces_.empty()) return value.empty() || open_start_ || open_end_;
  std::size_t at = 0;
  std::size_t next = 0;
  if (!open_start_) {
    at = end_of(pieces_[0], value, 0);
    if (at == std::string_view::npos) return false;
    next = 1;
  }
  // The last piece of a closed end is held against the end; the ones before are taken as early as
  // they come, which leaves the most room for it.
  const std::size_t last = open_end_ ? pieces_.size() : pieces_.size() - 1;
  for (; next < last; ++next) {
    at = find_end(pieces_[next], value, at);
    if (at == std::string_view::npos) return false;
  }
  if (open_end_) return true;
  if (next >= pieces_.size()) return at == value.size();
  return stands_at_end(pieces_.back(), value, at);
}

Pattern::Plain Pattern::plain() const {
  if (pieces_.size() != 1 || !pieces_.front().any.empty()) return Plain::no;
  if (open_start_) return open_end_ ? Plain::anywhere : Plain::end;
  return open_end_ ? Plain::start : Plain::whole;
}

}  // namespace mailwarden::detect
