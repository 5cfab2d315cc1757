#include "crypto/uuid.h"

#include <algorithm>
#include <memory>
#include <span>

#include <openssl/evp.h>

#include "base/check.h"
#include "crypto/sha256.h"

namespace mailwarden::crypto {

Uuid name_uuid(const Uuid& name_space, std::string_view name) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  std::array<unsigned char, 20> digest{};
  CHECK(context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha1(), nullptr) == 1 &&
        EVP_DigestUpdate(context.get(), name_space.data(), name_space.size()) == 1 &&
        EVP_DigestUpdate(context.get(), name.data(), name.size()) == 1 &&
        EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
  Uuid uuid{};
  std::ranges::copy(std::as_bytes(std::span(digest)).first(uuid.size()), uuid.begin());
  uuid[6] = (uuid[6] & std::byte{0x0F}) | std::byte{0x50};  // version 5
  uuid[8] = (uuid[8] & std::byte{0x3F}) | std::byte{0x80};  // of RFC 9562's kind
  return uuid;
}

std::string to_string(const Uuid& uuid) {
  std::string text = to_hex(uuid);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, 1, '-');
  return text;
}

}  // namespace mailwarden::crypto
