#include "vault/deferred.h"

#include "base/check.h"
#include "crypto/envelope.h"

namespace mailwarden::vault {

std::string to_bytes(std::span<const std::string_view> subjects, std::string_view value) {
  CHECK(subjects.size() <= crypto::Sealer::keys_max);
  std::string out(1, static_cast<char>(subjects.size()));
  for (const std::string_view subject : subjects) {
    CHECK(subject.size() <= UINT32_MAX);
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(subject.size() >> shift);
    out += subject;
  }
  return out.append(value);
}

Result<Deferred> read_deferred(std::string_view bytes) {
  const auto broken = [] { return fail(Code::corrupt, "not a value with its subjects"); };
  if (bytes.empty()) return broken();
  Deferred out;
  const auto count = static_cast<unsigned char>(bytes.front());
  if (count > crypto::Sealer::keys_max) return broken();
  bytes.remove_prefix(1);
  for (unsigned i = 0; i < count; ++i) {
    if (bytes.size() < 4) return broken();
    std::size_t size = 0;
    for (const char c : bytes.substr(0, 4)) size = size << 8 | static_cast<unsigned char>(c);
    bytes.remove_prefix(4);
    if (bytes.size() < size) return broken();
    out.subjects.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  out.value = bytes;
  return out;
}

}  // namespace mailwarden::vault
