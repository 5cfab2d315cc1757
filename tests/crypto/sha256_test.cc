#include "crypto/sha256.h"

#include <gtest/gtest.h>

#include "tests/crypto/hex.h"

namespace mailwarden::crypto {
namespace {

struct DigestVector {
  std::string name;
  std::string message;
  std::string digest;
};

class Sha256 : public testing::TestWithParam<DigestVector> {};

TEST_P(Sha256, GivesThePublishedDigest) {
  EXPECT_EQ(to_hex(sha256(GetParam().message)), GetParam().digest);
}

// NIST's examples to FIPS 180-4 and its SHA-256 short-message vectors.
INSTANTIATE_TEST_SUITE_P(
    , Sha256,
    testing::Values(
        DigestVector{"Empty", "",
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        DigestVector{"OneBlock", "abc",
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        DigestVector{"TwoBlocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        DigestVector{"FourBlocks",
                     "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                     "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
                     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
        DigestVector{"OneByte", from_hex("d3"),
                     "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
        DigestVector{"FourBytes", from_hex("74ba2521"),
                     "b16aa56be3880d18cd41e68384cf1ec8c17680c45a02b1575dc1518923ae8b0e"},
        DigestVector{"AMillion", std::string(1'000'000, 'a'),
                     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"}),
    [](const auto& tested) { return tested.param.name; });

// Around the block of 64 bytes, where padding needs one block more.
TEST(Sha256Pieces, AreOneRunOfBytes) {
  for (const std::size_t size : {0U, 1U, 55U, 56U, 63U, 64U, 65U, 127U, 128U, 200U}) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>(i * 7);
    const Digest whole = sha256(text);
    EXPECT_EQ(sha256(as_bytes(text)), whole);
    for (const std::size_t cut : {std::size_t{0}, size / 3, size / 2, size}) {
      const std::string_view view(text);
      EXPECT_EQ(sha256({as_bytes(view.substr(0, cut)), as_bytes(view.substr(cut))}), whole)
          << size << " cut at " << cut;
    }
  }
  EXPECT_EQ(sha256(std::initializer_list<std::span<const std::byte>>{}), sha256(""));
}

TEST(ToHex, IsLowerCaseWithTwoDigitsAByte) {
  EXPECT_EQ(to_hex(as_bytes(std::string_view("\x00\x0f\xA0\xff", 4))), "000fa0ff");
  EXPECT_EQ(to_hex({}), "");
}

}  // namespace
}  // namespace mailwarden::crypto
