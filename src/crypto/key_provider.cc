#include "crypto/key_provider.h"

#include "base/check.h"

namespace mailwarden::crypto {
namespace {

// Whoever reads the error wants to know which key, and where it should be.
Error told(const KeyProvider& provider, const KekName& kek, const Error& error) {
  return {error.code, "key-encryption key " + to_string(kek) + " of " + provider.description() +
                          ": " + error.what};
}

}  // namespace

std::string to_string(const KekName& kek) {
  return "'" + kek.name + "' version " + std::to_string(kek.version);
}

Result<KekName> KeyProvider::newest() {
  const std::lock_guard turn(mutex_);
  auto kek = do_newest();
  if (!kek) return fail("key-encryption key of " + description(), kek.error());
  return kek;
}

Result<Wrapped> KeyProvider::wrap(Piece plain, const std::string& what_for) {
  CHECK(!plain.empty() && plain.size() <= plain_bytes_max);
  const std::lock_guard turn(mutex_);
  const auto kek = do_newest();
  if (!kek) {
    const Error error{kek.error().code,
                      "key-encryption key of " + description() + ": " + kek.error().what};
    tell(KekAct::wrap, {}, what_for, std::unexpected(error));
    return std::unexpected(error);
  }
  auto wrapped = do_wrap(*kek, plain);
  if (wrapped && wrapped->size() > wrapped_bytes_max) {
    wrapped = fail(Code::denied, "a wrapped key of " + std::to_string(wrapped->size()) +
                                     " bytes, at most " + std::to_string(wrapped_bytes_max) +
                                     " are kept");
  }
  if (!wrapped) {
    const Error error = told(*this, *kek, wrapped.error());
    tell(KekAct::wrap, *kek, what_for, std::unexpected(error));
    return std::unexpected(error);
  }
  tell(KekAct::wrap, *kek, what_for, {});
  return Wrapped{*kek, *std::move(wrapped)};
}

Result<SecretBytes> KeyProvider::unwrap(const KekName& kek, Piece wrapped,
                                        const std::string& what_for) {
  const std::lock_guard turn(mutex_);
  auto plain = wrapped.size() <= wrapped_bytes_max
                   ? do_unwrap(kek, wrapped)
                   : fail(Code::denied, "a wrapped key that is too long to be one");
  if (!plain) {
    const Error error = told(*this, kek, plain.error());
    tell(KekAct::unwrap, kek, what_for, std::unexpected(error));
    return std::unexpected(error);
  }
  tell(KekAct::unwrap, kek, what_for, {});
  return plain;
}

void KeyProvider::tell(KekAct act, const KekName& kek, const std::string& what_for,
                       const Result<void>& outcome) const {
  if (listener_) listener_({act, kek, description(), what_for, outcome});
}

}  // namespace mailwarden::crypto
