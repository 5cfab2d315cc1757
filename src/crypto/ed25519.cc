#include "crypto/ed25519.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/files.h"
#include "base/text.h"
#include "crypto/openssl_objects.h"
#include "crypto/sha256.h"

namespace mailwarden::crypto {
namespace {

constexpr std::string_view file_words = "mailwarden-ed25519-seed ";

std::unexpected<Error> unreadable(const std::string& path, int error) {
  const Code code = error == ENOENT ? Code::not_found : error == EACCES ? Code::denied : Code::io;
  return fail(code, "key file " + path + ": " + std::strerror(error));
}

bool read_seed(std::string_view text, Seed& seed) {
  text = trim(text);
  if (!text.starts_with(file_words)) return false;
  text.remove_prefix(file_words.size());
  return read_hex(text, seed);
}

}  // namespace

struct Signer::Key {
  KeyPointer pointer;
};

Signer::Signer(std::unique_ptr<Key> key, const PublicKey& public_key)
    : key_(std::move(key)), public_key_(public_key) {}
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;
Signer::~Signer() = default;

Signer Signer::from_seed(const Seed& seed) {
  auto key = std::make_unique<Key>();
  key->pointer.reset(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(seed), seed.size()));
  CHECK(key->pointer != nullptr);
  PublicKey public_key{};
  std::size_t size = public_key.size();
  CHECK(EVP_PKEY_get_raw_public_key(
            key->pointer.get(), reinterpret_cast<unsigned char*>(public_key.data()), &size) == 1);
  return {std::move(key), public_key};
}

Result<Signer> Signer::load(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat status{};
  if (file.number() < 0 || ::fstat(file.number(), &status) != 0) return unreadable(path, errno);
  if ((status.st_mode & 077) != 0 || status.st_uid != ::geteuid()) {
    return fail(Code::denied,
                "key file " + path + ": others may read it; it must be ours alone (chmod 600)");
  }
  std::array<char, 256> text{};
  const ssize_t got = ::read(file.number(), text.data(), text.size());
  Seed seed{};
  const bool good = got > 0 && read_seed({text.data(), static_cast<std::size_t>(got)}, seed);
  OPENSSL_cleanse(text.data(), text.size());
  if (!good) {
    return fail(Code::corrupt, "key file " + path + ": not a line '" + std::string(file_words) +
                                   "' with 64 hex digits");
  }
  Signer signer = from_seed(seed);
  OPENSSL_cleanse(seed.data(), seed.size());
  return signer;
}

Result<Signer> Signer::create(const std::string& path, Entropy& entropy) {
  Seed seed{};
  entropy.fill(seed, "signing key");
  constexpr char digits[] = "0123456789abcdef";
  std::string text(file_words);
  for (const std::byte byte : seed) {
    text += digits[std::to_integer<unsigned>(byte) >> 4];
    text += digits[std::to_integer<unsigned>(byte) & 15];
  }
  text += '\n';
  const auto written = create_private_file_durably(path, text);
  OPENSSL_cleanse(text.data(), text.size());
  if (!written) return fail("key file", written.error());
  Signer signer = from_seed(seed);
  OPENSSL_cleanse(seed.data(), seed.size());
  return signer;
}

Signature Signer::sign(std::string_view message) const {
  const DigestContext context(EVP_MD_CTX_new());
  Signature signature{};
  std::size_t size = signature.size();
  CHECK(context != nullptr &&
        EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_->pointer.get()) == 1);
  CHECK(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       reinterpret_cast<const unsigned char*>(message.data()),
                       message.size()) == 1);
  return signature;
}

bool verify(const PublicKey& key, std::string_view message, const Signature& signature) {
  const KeyPointer pointer(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(key), key.size()));
  const DigestContext context(EVP_MD_CTX_new());
  if (pointer == nullptr || context == nullptr) return false;
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pointer.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                          reinterpret_cast<const unsigned char*>(message.data()),
                          message.size()) == 1;
}

}  // namespace mailwarden::crypto
