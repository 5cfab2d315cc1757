#include "identity/object_texts.h"

#include <algorithm>
#include <string>

namespace mailwarden::identity {

ObjectTexts::ObjectTexts(std::string_view text) : text_(text) {
  skip_blanks();
  in_array_ = at_ < text_.size() && text_[at_] == '[';
  if (in_array_) ++at_;
}

void ObjectTexts::skip_blanks() {
  at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
}

std::unexpected<Error> ObjectTexts::wrong(std::string_view what) {
  const std::size_t at = at_;
  at_ = text_.size();
  in_array_ = false;
  return fail(Code::invalid, "byte " + std::to_string(at) + ": " + std::string(what));
}

// Behind the brace that closes the one at at_, or npos. Braces in texts do not count.
std::size_t ObjectTexts::end_of_object() const {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = at_; i < text_.size(); ++i) {
    const char c = text_[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return text_.npos;
}

Result<std::optional<std::string_view>> ObjectTexts::next() {
  skip_blanks();
  if (in_array_) {
    if (at_ == text_.size()) return wrong("the array of pages is not closed");
    if (text_[at_] == ']') {
      ++at_;
      in_array_ = false;
      skip_blanks();
      if (at_ < text_.size()) return wrong("something stands behind the array of pages");
      return std::nullopt;
    }
    if (!first_) {
      if (text_[at_] != ',') return wrong("a comma must stand between two pages");
      ++at_;
      skip_blanks();
    }
  }
  if (at_ == text_.size() && !in_array_) return std::nullopt;
  if (at_ == text_.size() || text_[at_] != '{') return wrong("a page must stand here, in { and }");
  const std::size_t end = end_of_object();
  if (end == text_.npos) return wrong("the page that begins here is not closed");
  const std::string_view object = text_.substr(at_, end - at_);
  at_ = end;
  first_ = false;
  return object;
}

}  // namespace mailwarden::identity
