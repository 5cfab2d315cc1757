// vault_bench [SECONDS]: how many values are sealed and opened a second, keys in memory.
//
// Beside each stands the floor of the same run: AES-256-GCM through EVP with a random nonce and the
// place as associated data, once under one key and once with a new key for each value, which is
// what a sealed value has.
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <unistd.h>

#include "base/check.h"
#include "crypto/entropy.h"
#include "crypto/file_key_provider.h"
#include "db/sqlite.h"
#include "vault/vault.h"

namespace mailwarden::vault {
namespace {

double rate_of(double seconds, const std::function<void()>& work) {
  using std::chrono::steady_clock;
  constexpr int together = 200;
  for (int i = 0; i < together; ++i) work();
  long done = 0;
  const auto begin = steady_clock::now();
  std::chrono::duration<double> taken{0};
  while (taken.count() < seconds) {
    for (int i = 0; i < together; ++i) work();
    done += together;
    taken = steady_clock::now() - begin;
  }
  return static_cast<double>(done) / taken.count();
}

class BareGcm {
 public:
  BareGcm() : cipher_(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)) {
    CHECK(cipher_ != nullptr && RAND_bytes(key_.data(), static_cast<int>(key_.size())) == 1);
    CHECK(EVP_EncryptInit_ex2(context_, cipher_, key_.data(), nullptr, nullptr) == 1);
  }
  BareGcm(const BareGcm&) = delete;
  BareGcm& operator=(const BareGcm&) = delete;
  ~BareGcm() {
    EVP_CIPHER_CTX_free(context_);
    EVP_CIPHER_free(cipher_);
  }

  void seal(const std::string& value, bool new_key) {
    constexpr std::string_view place = "event actor 1234567";
    std::vector<unsigned char> out(12 + value.size() + 16);
    int length = 0;
    CHECK(RAND_bytes(out.data(), 12) == 1);
    CHECK(EVP_EncryptInit_ex2(context_, nullptr, new_key ? key_.data() : nullptr, out.data(),
                              nullptr) == 1);
    CHECK(EVP_EncryptUpdate(context_, nullptr, &length,
                            reinterpret_cast<const unsigned char*>(place.data()),
                            static_cast<int>(place.size())) == 1);
    CHECK(EVP_EncryptUpdate(context_, out.data() + 12, &length,
                            reinterpret_cast<const unsigned char*>(value.data()),
                            static_cast<int>(value.size())) == 1);
    CHECK(EVP_EncryptFinal_ex(context_, out.data() + 12 + value.size(), &length) == 1);
    CHECK(EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_GET_TAG, 16,
                              out.data() + 12 + value.size()) == 1);
  }

 private:
  EVP_CIPHER* cipher_;
  EVP_CIPHER_CTX* context_ = EVP_CIPHER_CTX_new();
  std::array<unsigned char, 32> key_{};
};

void print(const char* what, double rate, double bare, double new_key) {
  std::printf("  %-24s %9.0f /s   %.2f of bare, %.2f of bare with a new key\n", what, rate,
              rate / bare, rate / new_key);
}

void measure(Vault& vault, double seconds) {
  const crypto::Place place{.table = "event", .column = "actor", .row = "1234567"};
  const std::vector<std::string_view> two{"ada.lovelace@example.com", "bob@example.com"};
  const std::span<const std::string_view> subjects(two);
  BareGcm gcm;
  for (const std::size_t size : {100, 1024, 16 * 1024}) {
    const std::string value(size, 'v');
    const double bare = rate_of(seconds, [&] { gcm.seal(value, false); });
    const double new_key = rate_of(seconds, [&] { gcm.seal(value, true); });
    std::printf("%zu bytes\n  %-24s %9.0f /s\n  %-24s %9.0f /s\n", size, "bare AES-256-GCM", bare,
                "with a new key each", new_key);
    for (const std::size_t count : {0, 1, 2}) {
      const auto of = subjects.first(count);
      const std::string whom = std::to_string(count) + (count == 1 ? " subject" : " subjects");
      print(("sealed, " + whom).c_str(),
            rate_of(seconds, [&] { CHECK(vault.seal(place, of, value)); }), bare, new_key);
      const auto sealed = vault.seal(place, of, value).value();
      print(("opened, " + whom).c_str(),
            rate_of(seconds, [&] { CHECK(vault.open(place, sealed)); }), bare, new_key);
    }
  }
  const crypto::Indexed who{.table = "event", .column = "actor", .form = crypto::Normal::address};
  std::printf("blind index %9.0f /s\n",
              rate_of(seconds, [&] { CHECK(vault.index(who, two.front())); }));
}

int run(double seconds) {
  const std::string folder =
      (std::filesystem::temp_directory_path() / ("vault_bench." + std::to_string(::getpid())))
          .string();
  std::filesystem::create_directory(folder);
  crypto::SystemEntropy entropy;
  const SystemClock clock;
  CHECK(crypto::FileKeyProvider::create(folder + "/kek", entropy));
  crypto::FileKeyProvider provider(folder + "/kek", "bench", {});
  {
    auto database = db::open_sqlite(folder + "/book.db").value();
    CHECK(db::migrate(*database, migrations(), clock.now()));
    const auto vault =
        Vault::open(std::move(database), provider, entropy, clock, {.tables = {"event"}}).value();
    measure(*vault, seconds);
  }
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace mailwarden::vault

int main(int argc, char** argv) {
  return mailwarden::vault::run(argc > 1 ? std::atof(argv[1]) : 1.0);
}
