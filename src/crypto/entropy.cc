#include "crypto/entropy.h"

#include <algorithm>
#include <array>
#include <tuple>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/check.h"

namespace mailwarden::crypto {

namespace {

void draw(std::span<std::byte> out) {
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) ==
        1);
}

// What a thread has drawn ahead, since a small number costs as much to draw as many of them. What
// was given out is not kept.
class Ahead {
 public:
  Ahead() = default;
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;
  ~Ahead() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

  void take(std::span<std::byte> out) {
    if (bytes_.size() - used_ < out.size()) {
      draw(bytes_);
      used_ = 0;
    }
    const std::span given = std::span(bytes_).subspan(used_, out.size());
    std::ranges::copy(given, out.begin());
    OPENSSL_cleanse(given.data(), given.size());
    used_ += out.size();
  }

 private:
  std::array<std::byte, 1024> bytes_{};
  std::size_t used_ = std::tuple_size_v<decltype(bytes_)>;
};

constexpr std::size_t small_bytes = 16;  // a salt, an id

}  // namespace

void SystemEntropy::fill(std::span<std::byte> out, std::string_view) {
  if (out.size() > small_bytes) return draw(out);
  thread_local Ahead ahead;
  ahead.take(out);
}

void SystemEntropy::fill_each(std::span<std::byte> out, std::span<const std::string_view>) {
  fill(out, {});
}

}  // namespace mailwarden::crypto
