#include "crypto/pkcs11_key_provider.h"

#include <algorithm>
#include <array>
#include <utility>

#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/key_file.h"

namespace mailwarden::crypto {
namespace {

constexpr CK_ULONG tag_bits = 128;
constexpr std::size_t tag_bytes = tag_bits / 8;
constexpr CK_ULONG slots_max = 256;

// What a token says no with, as against what keeps it from answering.
bool is_refusal(CK_RV answer) {
  constexpr std::array<CK_RV, 12> refusals{CKR_PIN_INCORRECT,
                                           CKR_PIN_LOCKED,
                                           CKR_PIN_EXPIRED,
                                           CKR_PIN_LEN_RANGE,
                                           CKR_PIN_INVALID,
                                           CKR_USER_PIN_NOT_INITIALIZED,
                                           CKR_USER_NOT_LOGGED_IN,
                                           CKR_ENCRYPTED_DATA_INVALID,
                                           CKR_ENCRYPTED_DATA_LEN_RANGE,
                                           CKR_KEY_FUNCTION_NOT_PERMITTED,
                                           CKR_KEY_TYPE_INCONSISTENT,
                                           CKR_MECHANISM_INVALID};
  return std::ranges::find(refusals, answer) != refusals.end();
}

std::unexpected<Error> failure(const char* call, CK_RV answer) {
  const char* const words = p11_kit_strerror(answer);
  return fail(is_refusal(answer) ? Code::denied : Code::unavailable,
              std::string(call) + ": " + (words != nullptr ? words : "no reason") + " (" +
                  std::to_string(answer) + ")");
}

CK_BYTE_PTR pointer_to(std::span<std::byte> bytes) {
  return reinterpret_cast<CK_BYTE_PTR>(bytes.data());
}
// PKCS#11 takes what it only reads by pointers that are not const.
CK_BYTE_PTR input_of(Piece bytes) {
  return reinterpret_cast<CK_BYTE_PTR>(const_cast<std::byte*>(bytes.data()));
}

// GCM's parameters, and the memory that they point to.
struct Mechanism {
  Nonce nonce{};
  Bytes associated;
  CK_GCM_PARAMS parameters{};
  CK_MECHANISM mechanism{};

  explicit Mechanism(const KekName& kek) {
    const Piece name = as_bytes(kek.name);
    associated.assign(name.begin(), name.end());
    for (int shift = 24; shift >= 0; shift -= 8) {
      associated.push_back(static_cast<std::byte>(kek.version >> shift));
    }
  }
  Mechanism(const Mechanism&) = delete;
  Mechanism& operator=(const Mechanism&) = delete;

  CK_MECHANISM* get() {
    parameters = {.iv_ptr = pointer_to(nonce),
                  .iv_len = nonce.size(),
                  .iv_bits = nonce.size() * 8,
                  .aad_ptr = pointer_to(associated),
                  .aad_len = associated.size(),
                  .tag_bits = tag_bits};
    mechanism = {CKM_AES_GCM, &parameters, sizeof(parameters)};
    return &mechanism;
  }
};

}  // namespace

struct Pkcs11KeyProvider::Token {
  struct Key {
    std::uint32_t version = 0;
    CK_OBJECT_HANDLE handle = 0;
  };

  CK_FUNCTION_LIST* module = nullptr;
  bool initialized = false;
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  std::vector<Key> keys;  // ascending

  Token() = default;
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;
  ~Token() {
    if (session != CK_INVALID_HANDLE) module->C_CloseSession(session);
    if (initialized) p11_kit_module_finalize(module);
    if (module != nullptr) p11_kit_module_release(module);
  }

  Result<void> load(const std::string& path) {
    module = p11_kit_module_load(path.c_str(), 0);
    if (module == nullptr) {
      const char* const why = p11_kit_message();
      return fail(Code::unavailable, "the module cannot be loaded: " +
                                         std::string(why != nullptr ? why : "no reason"));
    }
    const CK_RV answer = p11_kit_module_initialize(module);
    if (answer != CKR_OK) return failure("C_Initialize", answer);
    initialized = true;
    return {};
  }

  Result<CK_SLOT_ID> slot_of(const std::string& label) const {
    std::array<CK_SLOT_ID, slots_max> slots{};
    CK_ULONG count = slots.size();
    const CK_RV answer = module->C_GetSlotList(CK_TRUE, slots.data(), &count);
    if (answer != CKR_OK) return failure("C_GetSlotList", answer);
    for (CK_ULONG i = 0; i < count; ++i) {
      CK_TOKEN_INFO info{};
      if (module->C_GetTokenInfo(slots[i], &info) != CKR_OK) continue;
      // Padded with blanks and without an end.
      const std::string_view padded(reinterpret_cast<const char*>(info.label), sizeof(info.label));
      if (trim(padded) == label) return slots[i];
    }
    return fail(Code::unavailable, "no token has the label '" + label + "'");
  }

  Result<void> log_in(const Pkcs11Options& options) {
    const auto slot = slot_of(options.token);
    if (!slot) return std::unexpected(slot.error());
    const auto pin = read_key_file(options.pin_file, pin_bytes_max);
    if (!pin) {
      return fail(pin.error().code == Code::denied ? Code::denied : Code::unavailable,
                  pin.error().what);
    }
    const std::string_view digits = trim(as_text(pin->bytes()));
    CK_RV answer = module->C_OpenSession(*slot, CKF_SERIAL_SESSION, nullptr, nullptr, &session);
    if (answer != CKR_OK) return failure("C_OpenSession", answer);
    answer = module->C_Login(session, CKU_USER, input_of(as_bytes(digits)), digits.size());
    if (answer != CKR_OK && answer != CKR_USER_ALREADY_LOGGED_IN) {
      return failure("C_Login", answer);
    }
    return {};
  }

  Result<void> find_keys(std::string label) {
    keys.clear();
    CK_OBJECT_CLASS kind = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_AES;
    std::array<CK_ATTRIBUTE, 3> wanted{CK_ATTRIBUTE{CKA_CLASS, &kind, sizeof(kind)},
                                       CK_ATTRIBUTE{CKA_KEY_TYPE, &type, sizeof(type)},
                                       CK_ATTRIBUTE{CKA_LABEL, label.data(), label.size()}};
    CK_RV answer = module->C_FindObjectsInit(session, wanted.data(), wanted.size());
    if (answer != CKR_OK) return failure("C_FindObjectsInit", answer);
    std::array<CK_OBJECT_HANDLE, versions_max> found{};
    CK_ULONG count = 0;
    answer = module->C_FindObjects(session, found.data(), found.size(), &count);
    module->C_FindObjectsFinal(session);
    if (answer != CKR_OK) return failure("C_FindObjects", answer);
    for (CK_ULONG i = 0; i < count; ++i) {
      if (const std::uint32_t version = version_of(found[i]); version != 0) {
        keys.push_back({version, found[i]});
      }
    }
    std::ranges::sort(keys, {}, &Key::version);
    if (keys.empty()) {
      return fail(Code::unavailable, "the token holds no AES key of the label '" + label +
                                         "' whose CKA_ID is a version");
    }
    return {};
  }

  // 0 where its id is no number from 1 that has 32 bits.
  std::uint32_t version_of(CK_OBJECT_HANDLE handle) const {
    std::array<unsigned char, 4> id{};
    CK_ATTRIBUTE attribute{CKA_ID, id.data(), id.size()};
    if (module->C_GetAttributeValue(session, handle, &attribute, 1) != CKR_OK) return 0;
    std::uint32_t version = 0;
    for (CK_ULONG i = 0; i < attribute.ulValueLen && i < id.size(); ++i) {
      version = version << 8 | id[i];
    }
    return version;
  }

  Result<CK_OBJECT_HANDLE> key_of(std::uint32_t version) const {
    const auto found = std::ranges::find(keys, version, &Key::version);
    if (found == keys.end()) return fail(Code::denied, "the token holds no such version");
    return found->handle;
  }
};

Pkcs11KeyProvider::Pkcs11KeyProvider(Pkcs11Options options, Entropy& entropy, Listener listener)
    : KeyProvider(std::move(listener)), options_(std::move(options)), entropy_(entropy) {}
Pkcs11KeyProvider::~Pkcs11KeyProvider() = default;

std::string Pkcs11KeyProvider::description() const {
  return "token '" + options_.token + "' of " + options_.module;
}

Result<Pkcs11KeyProvider::Token*> Pkcs11KeyProvider::token() {
  if (token_ != nullptr) {
    // A session ends with its token's removal, or when the module's other end was started anew.
    CK_SESSION_INFO info{};
    if (token_->module->C_GetSessionInfo(token_->session, &info) == CKR_OK) return token_.get();
    token_.reset();
  }
  auto made = std::make_unique<Token>();
  if (auto done = made->load(options_.module); !done) return std::unexpected(done.error());
  if (auto done = made->log_in(options_); !done) return std::unexpected(done.error());
  if (auto done = made->find_keys(options_.key_label); !done) {
    return std::unexpected(done.error());
  }
  token_ = std::move(made);
  return token_.get();
}

Result<KekName> Pkcs11KeyProvider::do_newest() {
  const auto open = token();
  if (!open) return std::unexpected(open.error());
  // A version may have been added since.
  if (auto done = (*open)->find_keys(options_.key_label); !done) {
    return std::unexpected(done.error());
  }
  return KekName{options_.name, (*open)->keys.back().version};
}

Result<Bytes> Pkcs11KeyProvider::do_wrap(const KekName& kek, Piece plain) {
  const auto open = token();
  if (!open) return std::unexpected(open.error());
  const auto key = (*open)->key_of(kek.version);
  if (!key) return std::unexpected(key.error());
  Mechanism gcm(kek);
  entropy_.fill(gcm.nonce, "wrapped key");
  const CK_FUNCTION_LIST& module = *(*open)->module;
  CK_RV answer = module.C_EncryptInit((*open)->session, gcm.get(), *key);
  if (answer != CKR_OK) return failure("C_EncryptInit", answer);
  Bytes wrapped(nonce_bytes + plain.size() + tag_bytes);
  std::ranges::copy(gcm.nonce, wrapped.begin());
  const std::span<std::byte> out = std::span(wrapped).subspan(nonce_bytes);
  CK_ULONG size = out.size();
  answer =
      module.C_Encrypt((*open)->session, input_of(plain), plain.size(), pointer_to(out), &size);
  if (answer != CKR_OK) return failure("C_Encrypt", answer);
  if (size != out.size()) return fail(Code::denied, "C_Encrypt: no ciphertext with a tag");
  return wrapped;
}

Result<SecretBytes> Pkcs11KeyProvider::do_unwrap(const KekName& kek, Piece wrapped) {
  if (kek.name != options_.name) {
    return fail(Code::denied, "this provider has '" + options_.name + "' alone");
  }
  const auto open = token();
  if (!open) return std::unexpected(open.error());
  const auto key = (*open)->key_of(kek.version);
  if (!key) return std::unexpected(key.error());
  if (wrapped.size() <= nonce_bytes + tag_bytes) {
    return fail(Code::denied, "a wrapped key that is too short to be one");
  }
  Mechanism gcm(kek);
  std::ranges::copy(wrapped.first(nonce_bytes), gcm.nonce.begin());
  const CK_FUNCTION_LIST& module = *(*open)->module;
  CK_RV answer = module.C_DecryptInit((*open)->session, gcm.get(), *key);
  if (answer != CKR_OK) return failure("C_DecryptInit", answer);
  const Piece sealed = wrapped.subspan(nonce_bytes);
  auto plain = SecretBytes::make(sealed.size());
  if (!plain) return plain;
  CK_ULONG size = plain->size();
  answer = module.C_Decrypt((*open)->session, input_of(sealed), sealed.size(),
                            pointer_to(plain->bytes()), &size);
  if (answer != CKR_OK) {
    // Tokens say CKR_GENERAL_ERROR where a tag does not hold.
    return fail(Code::denied,
                "it does not unwrap this: " + failure("C_Decrypt", answer).error().what);
  }
  plain->shorten(size);
  return plain;
}

}  // namespace mailwarden::crypto
