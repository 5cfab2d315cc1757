#include "base/parts.h"

#include "base/text.h"

namespace mailwarden {

PartsHead parts_head(std::string_view text) {
  const std::string_view head = text.substr(0, text.find(','));
  const std::size_t colon = head.find(':');
  if (colon == std::string_view::npos) return {.kind = head, .place = std::nullopt};
  return {.kind = head.substr(0, colon), .place = head.substr(colon + 1)};
}

Result<void> each_part(
    std::string_view text,
    const std::function<Result<void>(std::string_view name, std::string_view value)>& set) {
  const auto parts = split(text, ',');
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::size_t equals = parts[i].find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : parts[i].substr(equals + 1);
    if (auto done = set(parts[i].substr(0, equals), value); !done) return done;
  }
  return {};
}

}  // namespace mailwarden
