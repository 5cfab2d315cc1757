#include "crypto/aes.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/check.h"
#include "crypto/openssl_objects.h"
#include "crypto/secret.h"

namespace mailwarden::crypto {
namespace {

struct FreeCipher {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
};
struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

unsigned char* out_of(std::span<std::byte> bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

// A cipher that is looked up once, and a context that is used again.
struct Cipher {
  std::unique_ptr<EVP_CIPHER, FreeCipher> cipher;
  std::unique_ptr<EVP_CIPHER_CTX, FreeContext> context;

  explicit Cipher(const char* name)
      : cipher(EVP_CIPHER_fetch(nullptr, name, nullptr)), context(EVP_CIPHER_CTX_new()) {
    CHECK(cipher != nullptr && context != nullptr);
  }
  // What a context keeps of a key lies in memory that is not locked.
  void forget() const { CHECK(EVP_CIPHER_CTX_reset(context.get()) == 1); }
};

bool feed(EVP_CIPHER_CTX* context, std::span<const Piece> associated) {
  int length = 0;
  for (const Piece& piece : associated) {
    if (EVP_CipherUpdate(context, nullptr, &length, bytes_of(piece),
                         static_cast<int>(piece.size())) != 1) {
      return false;
    }
  }
  return true;
}

}  // namespace

struct Gcm::Context : Cipher {
  Context() : Cipher("AES-256-GCM") {}

  void begin(KeyView key, Piece nonce, bool sealing) const {
    CHECK(!nonce.empty() && nonce.size() <= nonce_bytes_max);
    const bool usual = nonce.size() == nonce_bytes;
    CHECK(EVP_CipherInit_ex2(context.get(), cipher.get(), usual ? bytes_of(key) : nullptr,
                             usual ? bytes_of(nonce) : nullptr, sealing ? 1 : 0, nullptr) == 1);
    if (usual) return;
    CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN,
                              static_cast<int>(nonce.size()), nullptr) == 1);
    CHECK(EVP_CipherInit_ex2(context.get(), nullptr, bytes_of(key), bytes_of(nonce), -1, nullptr) ==
          1);
  }
};

Gcm::Gcm() : context_(std::make_unique<Context>()) {}
Gcm::~Gcm() = default;

void Gcm::seal(KeyView key, Piece nonce, std::span<const Piece> associated, Piece plain,
               std::span<std::byte> out) {
  CHECK(plain.size() <= bytes_max && out.size() == plain.size() + tag_bytes);
  EVP_CIPHER_CTX* const context = context_->context.get();
  context_->begin(key, nonce, true);
  int length = 0;
  CHECK(feed(context, associated));
  CHECK(EVP_EncryptUpdate(context, out_of(out), &length, bytes_of(plain),
                          static_cast<int>(plain.size())) == 1);
  CHECK(EVP_EncryptFinal_ex(context, out_of(out.subspan(plain.size())), &length) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tag_bytes,
                            out_of(out.subspan(plain.size()))) == 1);
  context_->forget();
}

Result<void> Gcm::open(KeyView key, Piece nonce, std::span<const Piece> associated, Piece sealed,
                       std::span<std::byte> out) {
  if (sealed.size() < tag_bytes || sealed.size() > bytes_max) {
    return fail(Code::corrupt, "what was sealed has an impossible length");
  }
  const std::size_t size = sealed.size() - tag_bytes;
  CHECK(out.size() == size);
  std::array<std::byte, tag_bytes> tag;
  std::ranges::copy(sealed.subspan(size), tag.begin());
  EVP_CIPHER_CTX* const context = context_->context.get();
  ERR_set_mark();
  context_->begin(key, nonce, false);
  int length = 0;
  CHECK(feed(context, associated));
  CHECK(EVP_DecryptUpdate(context, out_of(out), &length, bytes_of(sealed),
                          static_cast<int>(size)) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data()) == 1);
  std::array<unsigned char, tag_bytes> rest;
  const bool holds = EVP_DecryptFinal_ex(context, rest.data(), &length) == 1;
  context_->forget();
  ERR_pop_to_mark();
  if (holds) return {};
  wipe(out);
  return fail(Code::corrupt, "what was sealed has been changed");
}

struct KeyWrap::Context : Cipher {
  Context() : Cipher("AES-256-WRAP-PAD") {}

  // A wrapping context must be told that it may wrap each time that it has been reset.
  void begin(KeyView key, bool wrapping) const {
    EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    CHECK(EVP_CipherInit_ex2(context.get(), cipher.get(), bytes_of(key), nullptr, wrapping ? 1 : 0,
                             nullptr) == 1);
  }
};

KeyWrap::KeyWrap() : context_(std::make_unique<Context>()) {}
KeyWrap::~KeyWrap() = default;

Bytes KeyWrap::wrap(KeyView key, Piece plain) {
  CHECK(!plain.empty() && plain.size() <= wrapped_bytes_max - 16);
  context_->begin(key, true);
  Bytes wrapped((plain.size() + 7) / 8 * 8 + 8);
  int length = 0;
  CHECK(EVP_CipherUpdate(context_->context.get(), out_of(wrapped), &length, bytes_of(plain),
                         static_cast<int>(plain.size())) == 1);
  CHECK(static_cast<std::size_t>(length) == wrapped.size());
  context_->forget();
  return wrapped;
}

Result<std::size_t> KeyWrap::unwrap(KeyView key, Piece wrapped, std::span<std::byte> out) {
  if (wrapped.size() < 16 || wrapped.size() % 8 != 0 || wrapped.size() > wrapped_bytes_max) {
    return fail(Code::corrupt, "a wrapped key has an impossible length");
  }
  CHECK(out.size() >= wrapped.size());
  ERR_set_mark();
  context_->begin(key, false);
  int length = 0;
  const bool holds = EVP_CipherUpdate(context_->context.get(), out_of(out), &length,
                                      bytes_of(wrapped), static_cast<int>(wrapped.size())) == 1;
  context_->forget();
  ERR_pop_to_mark();
  const std::size_t size = holds ? static_cast<std::size_t>(length) : 0;
  wipe(out.subspan(size));
  if (!holds) return fail(Code::corrupt, "a wrapped key does not open under this key");
  return size;
}

}  // namespace mailwarden::crypto
