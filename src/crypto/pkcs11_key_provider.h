// Key-encryption keys in a hardware security module, or whatever else speaks PKCS#11.
//
// What     The keys are AES-256 secret keys of one label in a token; a key's CKA_ID is its version
//          as a big-endian number. They never leave the token: wrapping is CKM_AES_GCM there, with
//          a nonce of ours, and a wrapped key is nonce, ciphertext and tag. `name` and version are
//          its associated data. A token that went away is looked for anew at the next use.
// Owns     The module and a session.
// Threads  As KeyProvider.
// Errors   unavailable: module, token or key is not there, or the token fails. denied: the
//          token refuses the PIN or the key's use, has no such version, or the wrapped key is of
//          another key.
// Limits   versions_max keys of the label.
// Source   PKCS#11 v2.40 (OASIS), through p11-kit. Tested with SoftHSM 2.6, which does no key
//          wrapping of bytes that are not a key object, but GCM.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/entropy.h"
#include "crypto/key_provider.h"

namespace mailwarden::crypto {

struct Pkcs11Options {
  std::string module;     // path of the shared library, or its name in p11-kit's folder
  std::string token;      // the token's label
  std::string pin_file;   // closed to others as key_file.h asks; a line's end is not part of it
  std::string key_label;  // CKA_LABEL of the keys
  std::string name;       // what the store calls the key
};

class Pkcs11KeyProvider final : public KeyProvider {
 public:
  static constexpr std::size_t versions_max = 100;
  static constexpr std::size_t pin_bytes_max = 256;

  // The token is first asked for when a key is used. `entropy` makes the nonces.
  Pkcs11KeyProvider(Pkcs11Options options, Entropy& entropy, Listener listener);
  ~Pkcs11KeyProvider() override;

  std::string description() const override;

 private:
  struct Token;

  Result<KekName> do_newest() override;
  Result<Bytes> do_wrap(const KekName& kek, Piece plain) override;
  Result<SecretBytes> do_unwrap(const KekName& kek, Piece wrapped) override;
  Result<Token*> token();

  Pkcs11Options options_;
  Entropy& entropy_;
  std::unique_ptr<Token> token_;
};

}  // namespace mailwarden::crypto
