// Memory for keys.
//
// What     SecretBytes are pages of their own: never swapped, never in a core dump, zeros in a
//          child process, wiped before they are given back. WipeAtEnd wipes what had to stand
//          elsewhere for a moment. forbid_core_dumps() is for the daemon's start.
// Owns     The pages.
// Threads  As any value; one owner at a time.
// Errors   full: the system lets us lock no more memory (systemd's LimitMEMLOCK, ulimit -l). A key
//          that might be swapped is not made.
// Limits   Whole pages are taken, so small secrets that are many belong into one of them.
// Source   mlock(2), madvise(2), prctl(2); OPENSSL_cleanse(3).
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.h"

namespace mailwarden::crypto {

class SecretBytes {
 public:
  SecretBytes() = default;
  // All zeros.
  static Result<SecretBytes> make(std::size_t size);
  static Result<SecretBytes> copy(std::span<const std::byte> bytes);

  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  ~SecretBytes();

  std::size_t size() const { return size_; }
  std::span<std::byte> bytes() { return {start_, size_}; }
  std::span<const std::byte> bytes() const { return {start_, size_}; }
  // Keeps the first `size` bytes and wipes the others.
  void shorten(std::size_t size);
  void wipe();

 private:
  SecretBytes(std::byte* start, std::size_t size) : start_(start), size_(size), held_(size) {}

  std::byte* start_ = nullptr;
  std::size_t size_ = 0;
  std::size_t held_ = 0;  // as it was made
};

void wipe(std::span<std::byte> bytes);

class WipeAtEnd {
 public:
  explicit WipeAtEnd(std::span<std::byte> bytes) : bytes_(bytes) {}
  WipeAtEnd(const WipeAtEnd&) = delete;
  WipeAtEnd& operator=(const WipeAtEnd&) = delete;
  ~WipeAtEnd() { wipe(bytes_); }

 private:
  std::span<std::byte> bytes_;
};

// Compares in a time that does not tell where two differ.
bool equal_secretly(std::span<const std::byte> a, std::span<const std::byte> b);

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// No core dump of this process, and no process of the same user that reads its memory, until it
// starts another program.
Result<void> forbid_core_dumps();

}  // namespace mailwarden::crypto
