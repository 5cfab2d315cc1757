#include "crypto/secret.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/check.h"

namespace mailwarden::crypto {

Result<SecretBytes> SecretBytes::make(std::size_t size) {
  if (size == 0) return SecretBytes();
  void* const pages =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) {
    return fail(Code::full, std::string("memory for a key: ") + std::strerror(errno));
  }
  SecretBytes secret(static_cast<std::byte*>(pages), size);
  if (::mlock(pages, size) != 0) {
    return fail(Code::full, std::string("memory for a key cannot be locked: ") +
                                std::strerror(errno) + " (LimitMEMLOCK of the unit, ulimit -l)");
  }
  // Both are known to every kernel that we run on.
  CHECK(::madvise(pages, size, MADV_DONTDUMP) == 0 && ::madvise(pages, size, MADV_WIPEONFORK) == 0);
  return secret;
}

Result<SecretBytes> SecretBytes::copy(std::span<const std::byte> bytes) {
  auto secret = make(bytes.size());
  if (secret) std::ranges::copy(bytes, secret->bytes().begin());
  return secret;
}

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : start_(std::exchange(other.start_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      held_(std::exchange(other.held_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  std::swap(start_, other.start_);
  std::swap(size_, other.size_);
  std::swap(held_, other.held_);
  return *this;
}

SecretBytes::~SecretBytes() {
  if (start_ == nullptr) return;
  wipe();
  ::munmap(start_, held_);  // which unlocks
}

void SecretBytes::shorten(std::size_t size) {
  CHECK(size <= size_);
  crypto::wipe(bytes().subspan(size));
  size_ = size;
}

void SecretBytes::wipe() {
  crypto::wipe({start_, held_});
}

void wipe(std::span<std::byte> bytes) {
  if (!bytes.empty()) OPENSSL_cleanse(bytes.data(), bytes.size());
}

bool equal_secretly(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<void> forbid_core_dumps() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  // Not setrlimit(), which some C libraries make a call of that the daemon's unit does not allow.
  if (::prctl(PR_SET_DUMPABLE, 0) != 0 || ::prlimit(0, RLIMIT_CORE, &none, nullptr) != 0) {
    return fail(Code::io, std::string("core dumps cannot be forbidden: ") + std::strerror(errno));
  }
  return {};
}

}  // namespace mailwarden::crypto
