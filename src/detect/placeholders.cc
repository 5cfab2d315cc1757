#include "detect/placeholders.h"

namespace mailwarden::detect {
namespace {

bool hides(const std::string& text, std::size_t at) {
  return text[at] == '\\' && at + 1 < text.size();
}

// The percent sign that ends the name which begins at `from`; the text's size where none does.
std::size_t end_of_name(const std::string& text, std::size_t from) {
  while (from < text.size() && text[from] != '%') from += hides(text, from) ? 2 : 1;
  return from;
}

}  // namespace

std::vector<PlaceholderPart> placeholder_parts(const std::string& text) {
  std::vector<PlaceholderPart> parts(1);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = text[i] == '%' ? end_of_name(text, i + 1) : text.size();
    if (end >= text.size()) {
      const std::size_t length = hides(text, i) ? 2 : 1;
      parts.back().text += text.substr(i, length);
      i += length;
      continue;
    }
    std::string name = text.substr(i + 1, end - i - 1);
    const auto kind = name.empty() ? PlaceholderPart::Kind::nameless : PlaceholderPart::Kind::name;
    parts.push_back({.kind = kind, .text = std::move(name)});
    parts.emplace_back();
    i = end + 1;
  }
  return parts;
}

std::string without_hidden_percents(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (hides(text, i)) {
      if (text[i + 1] != '%') out += text[i];
      ++i;
    }
    out += text[i];
  }
  return out;
}

}  // namespace mailwarden::detect
