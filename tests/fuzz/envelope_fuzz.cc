// Any bytes as a sealed value and as a value with its subjects. What is read lies within the bytes
// and is in order, and none of them opens.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "crypto/entropy.h"
#include "crypto/envelope.h"
#include "vault/deferred.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mailwarden;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto deferred = vault::read_deferred(text)) {
    const std::vector<std::string_view> subjects(deferred->subjects.begin(),
                                                 deferred->subjects.end());
    CHECK(vault::to_bytes(subjects, deferred->value) == text);
  }
  const crypto::Piece bytes = crypto::as_bytes(text);
  const auto envelope = crypto::parse_envelope(bytes);
  if (!envelope) return 0;
  CHECK(envelope->header.size() + envelope->sealed.size() == size);
  static crypto::SystemEntropy entropy;
  static crypto::Sealer sealer(entropy);
  static const std::array<std::byte, crypto::key_bytes> key{};
  std::size_t count = 1;
  if (const auto* names = std::get_if<std::vector<crypto::KeyName>>(&envelope->keys)) {
    CHECK(std::ranges::is_sorted(*names) && names->size() <= crypto::Sealer::keys_max);
    count = names->size();
  }
  const std::vector<crypto::KeyView> keys(count, crypto::KeyView(key));
  CHECK(!sealer.open({.table = "t", .column = "c", .row = "r"}, keys, *envelope));
  return 0;
}
