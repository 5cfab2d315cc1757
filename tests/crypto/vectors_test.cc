// Wycheproof's vectors: right ones, and the many ways to be wrong.
#include <cstdio>

#include <gtest/gtest.h>

#include "crypto/aes.h"
#include "crypto/ed25519.h"
#include "crypto/hmac.h"
#include "json/value.h"
#include "tests/crypto/hex.h"
#include "tests/temporary.h"

namespace mailwarden::crypto {
namespace {

class Wycheproof : public testing::Test {
 protected:
  void SetUp() override {
    if (corpus_folder().empty()) GTEST_SKIP() << "Wycheproof's vectors are not there";
  }

  static json::Value vectors_of(const std::string& name) {
    const TemporaryFolder folder;
    const std::string command = "gunzip -c '" + corpus_folder() + "/vectors/wycheproof_" + name +
                                "_test.json.gz' > '" + folder.path("vectors") + "'";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return json::parse(read_file(folder.path("vectors"))).value();
  }

  struct Tally {
    std::int64_t judged = 0;
    std::int64_t valid = 0;
  };

  // Each test of each group that is wanted.
  template <class Judge>
  static Tally judge_all(const std::string& name, Judge judge) {
    const json::Value vectors = vectors_of(name);
    Tally tally;
    for (const json::Value& group : *vectors["testGroups"].as_array()) {
      for (const json::Value& one : *group["tests"].as_array()) {
        const std::optional<bool> holds = judge(group, one);
        if (!holds) continue;
        ++tally.judged;
        tally.valid += *holds ? 1 : 0;
        EXPECT_EQ(*holds, one.text("result") == "valid")
            << one.integer("tcId") << ": " << one.text("comment");
      }
    }
    std::printf("%s: %lld judged, %lld of them valid\n", name.c_str(),
                static_cast<long long>(tally.judged), static_cast<long long>(tally.valid));
    return tally;
  }
};

Bytes bytes_from_hex(std::string_view hex) {
  const std::string text = from_hex(hex);
  const Piece bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

TEST_F(Wycheproof, EverySignatureIsJudgedAsItShould) {
  const Tally tally =
      judge_all("ed25519", [](const json::Value& group, const json::Value& one) -> bool {
        const std::string signature = one.text("sig");
        // Another length cannot even be asked about.
        return signature.size() == 128 &&
               verify(array_from_hex<32>(group["publicKey"].text("pk")), from_hex(one.text("msg")),
                      array_from_hex<64>(signature));
      });
  EXPECT_EQ(tally.judged, 151);
}

// Of 256-bit keys, which alone we use. One has a nonce that is longer than OpenSSL takes.
TEST_F(Wycheproof, EveryMessageOfAesGcmIsJudgedAsItShould) {
  Gcm gcm;
  int too_long = 0;
  const Tally tally = judge_all(
      "aes_gcm", [&](const json::Value& group, const json::Value& one) -> std::optional<bool> {
        if (group.integer("keySize") != 256) return std::nullopt;
        const Bytes nonce = bytes_from_hex(one.text("iv"));
        if (nonce.size() > Gcm::nonce_bytes_max) {
          ++too_long;
          return std::nullopt;
        }
        if (nonce.empty()) return false;  // asking for it is a CHECK
        EXPECT_EQ(group.integer("tagSize"), 128);
        const auto key = array_from_hex<key_bytes>(one.text("key"));
        const Bytes associated = bytes_from_hex(one.text("aad"));
        const std::array<Piece, 1> pieces{associated};
        const Bytes plain = bytes_from_hex(one.text("msg"));
        const std::string expected = one.text("ct") + one.text("tag");
        Bytes opened(plain.size());
        const auto done = gcm.open(key, nonce, pieces, bytes_from_hex(expected), std::span(opened));
        if (done) {
          EXPECT_EQ(opened, plain);
          Bytes sealed(plain.size() + Gcm::tag_bytes);
          gcm.seal(key, nonce, pieces, plain, sealed);
          EXPECT_EQ(to_hex(sealed), expected);
        } else {
          EXPECT_EQ(opened, Bytes(plain.size())) << "nothing of it may be seen";
        }
        return done.has_value();
      });
  EXPECT_EQ(tally.judged, 104);
  EXPECT_EQ(tally.valid + too_long, 76);
}

TEST_F(Wycheproof, EveryWrappedKeyIsJudgedAsItShould) {
  KeyWrap wrap;
  const Tally tally = judge_all(
      "aes_kwp", [&](const json::Value& group, const json::Value& one) -> std::optional<bool> {
        if (group.integer("keySize") != 256) return std::nullopt;
        const auto key = array_from_hex<key_bytes>(one.text("key"));
        const Bytes plain = bytes_from_hex(one.text("msg"));
        const Bytes wrapped = bytes_from_hex(one.text("ct"));
        Bytes opened(std::max<std::size_t>(wrapped.size(), 16));
        const auto size = wrap.unwrap(key, wrapped, opened);
        if (!size) return false;
        opened.resize(*size);
        EXPECT_EQ(wrap.wrap(key, plain), wrapped);
        return opened == plain;
      });
  EXPECT_EQ(tally.judged, 94);
}

TEST_F(Wycheproof, EveryDerivedKeyIsJudgedAsItShould) {
  const Tally tally = judge_all(
      "hkdf_sha256", [](const json::Value&, const json::Value& one) -> std::optional<bool> {
        const auto size = static_cast<std::size_t>(one.integer("size"));
        if (size > hkdf_bytes_max) return false;  // asking for it is a CHECK
        const Bytes key = bytes_from_hex(one.text("ikm"));
        const std::array<Piece, 1> pieces{key};
        Bytes out(size);
        hkdf_sha256(pieces, bytes_from_hex(one.text("salt")), bytes_from_hex(one.text("info")),
                    out);
        return to_hex(out) == one.text("okm");
      });
  EXPECT_EQ(tally.judged, 86);
}

}  // namespace
}  // namespace mailwarden::crypto
