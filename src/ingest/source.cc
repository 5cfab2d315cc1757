#include "ingest/source.h"

#include <array>

namespace mailwarden::ingest {

std::int64_t stream_number(std::string_view source, std::string_view path,
                           std::int64_t generation) {
  // A zero byte cannot stand in a name or a path, so no two triples give the same text.
  std::string text(source);
  text += '\0';
  text += path;
  text += '\0';
  text += std::to_string(generation);
  const crypto::Digest digest = crypto::sha256(text);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) {
    number = number << 8 | std::to_integer<std::uint64_t>(digest[i]);
  }
  return static_cast<std::int64_t>(number);
}

}  // namespace mailwarden::ingest
