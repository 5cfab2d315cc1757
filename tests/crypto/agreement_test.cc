#include "crypto/agreement.h"

#include <gtest/gtest.h>

#include "tests/crypto/hex.h"

namespace mailwarden::crypto {
namespace {

// RFC 7748, section 6.1.
const auto alice =
    array_from_hex<32>("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
const auto alice_public =
    array_from_hex<32>("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
const auto bob =
    array_from_hex<32>("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
const auto bob_public =
    array_from_hex<32>("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");

TEST(Agreement, FindsThePublishedSharesAndSecret) {
  EXPECT_EQ(public_share(alice), alice_public);
  EXPECT_EQ(public_share(bob), bob_public);
  std::array<std::byte, key_bytes> secret{};
  for (const auto& [mine, other] : {std::pair{alice, bob_public}, {bob, alice_public}}) {
    ASSERT_TRUE(x25519(mine, other, secret));
    EXPECT_EQ(to_hex(secret), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  }
}

TEST(Agreement, BothSidesAgreeAndNobodyElse) {
  const Agreement agreement{.ephemeral = alice_public, .recipient = bob_public};
  std::array<std::byte, key_bytes> of_alice{};
  std::array<std::byte, key_bytes> of_bob{};
  std::array<std::byte, key_bytes> turned{};
  ASSERT_TRUE(agree(alice, bob_public, agreement, of_alice));
  ASSERT_TRUE(agree(bob, alice_public, agreement, of_bob));
  ASSERT_TRUE(
      agree(bob, alice_public, {.ephemeral = bob_public, .recipient = alice_public}, turned));
  EXPECT_EQ(of_alice, of_bob);
  EXPECT_NE(of_alice, turned) << "the shares are part of the key";
}

TEST(Agreement, AShareOfSmallOrderIsRefused) {
  std::array<std::byte, key_bytes> secret{};
  for (const std::byte first : {std::byte{0}, std::byte{1}}) {
    Share share{};
    share[0] = first;
    const auto agreed = x25519(alice, share, secret);
    ASSERT_FALSE(agreed);
    EXPECT_EQ(agreed.error().code, Code::invalid);
  }
}

}  // namespace
}  // namespace mailwarden::crypto
