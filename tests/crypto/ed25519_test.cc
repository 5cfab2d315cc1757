#include "crypto/ed25519.h"

#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/entropy.h"
#include "crypto/sha256.h"
#include "tests/crypto/hex.h"
#include "tests/temporary.h"

namespace mailwarden::crypto {
namespace {

using testing::HasSubstr;

struct SignatureVector {
  std::string name;
  std::string seed;
  std::string key;
  std::string message;
  std::string signature;
};

class Rfc8032 : public testing::TestWithParam<SignatureVector> {};

TEST_P(Rfc8032, SignsAndVerifies) {
  const Signer signer = Signer::from_seed(array_from_hex<32>(GetParam().seed));
  const std::string message = from_hex(GetParam().message);
  EXPECT_EQ(to_hex(signer.public_key()), GetParam().key);
  const Signature signature = signer.sign(message);
  EXPECT_EQ(to_hex(signature), GetParam().signature);
  EXPECT_TRUE(verify(signer.public_key(), message, signature));
}

// Section 7.1, tests 1, 2, 3 and SHA(abc).
INSTANTIATE_TEST_SUITE_P(
    , Rfc8032,
    testing::Values(
        SignatureVector{"Empty", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
        SignatureVector{"OneByte",
                        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
                        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
        SignatureVector{"TwoBytes",
                        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
        SignatureVector{"ShaAbc",
                        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
                        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
                        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
                        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
                        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Verify, RefusesEveryFlippedBit) {
  const Signer signer = Signer::from_seed({std::byte{7}});
  const std::string message = "a message";
  const Signature good = signer.sign(message);
  ASSERT_TRUE(verify(signer.public_key(), message, good));
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Signature wrong = good;
    wrong[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(verify(signer.public_key(), message, wrong)) << "signature bit " << bit;
  }
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    std::string wrong = message;
    wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(verify(signer.public_key(), wrong, good)) << "message bit " << bit;
  }
  for (std::size_t bit = 0; bit < signer.public_key().size() * 8; ++bit) {
    PublicKey wrong = signer.public_key();
    wrong[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(verify(wrong, message, good)) << "key bit " << bit;
  }
  EXPECT_FALSE(verify(signer.public_key(), message + "x", good));
  EXPECT_FALSE(verify(signer.public_key(), "", good));
}

// RFC 8032, 5.1.7: S must be below the group's order, or a signature has a second form.
TEST(Verify, RefusesTheOtherFormOfASignature) {
  const Signer signer = Signer::from_seed({std::byte{7}});
  Signature other = signer.sign("a message");
  const auto order =
      array_from_hex<32>("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    const unsigned sum =
        std::to_integer<unsigned>(other[32 + i]) + std::to_integer<unsigned>(order[i]) + carry;
    other[32 + i] = static_cast<std::byte>(sum & 0xFFU);
    carry = sum >> 8;
  }
  ASSERT_EQ(carry, 0U);
  EXPECT_FALSE(verify(signer.public_key(), "a message", other));
}

class SignerFile : public testing::Test {
 protected:
  // The words of the manual page and 64 hex digits.
  static std::string line(const std::string& digits) { return "mailwarden-ed25519-seed " + digits; }
  void write(const std::string& text, mode_t mode = 0600) {
    write_file(path_, text);
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.path("key");
  SystemEntropy entropy_;
};

TEST_F(SignerFile, CreatesAFileThatOnlyItsOwnerReads) {
  const mode_t before = ::umask(0);
  const auto created = Signer::create(path_, entropy_);
  ::umask(before);
  ASSERT_TRUE(created) << created.error().what;
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  EXPECT_EQ(status.st_uid, ::geteuid());
  const std::string text = read_file(path_);
  EXPECT_TRUE(text.starts_with("mailwarden-ed25519-seed ")) << text;
  const auto loaded = Signer::load(path_);
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(loaded->public_key(), created->public_key());
  EXPECT_TRUE(verify(created->public_key(), "text", loaded->sign("text")));
}

TEST_F(SignerFile, HoldsTheSeedInHex) {
  const std::string seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
  write(line(seed) + "\n");
  const auto loaded = Signer::load(path_);
  ASSERT_TRUE(loaded) << loaded.error().what;
  EXPECT_EQ(to_hex(loaded->public_key()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
}

TEST_F(SignerFile, NeverOverwritesAKey) {
  const auto first = Signer::create(path_, entropy_);
  ASSERT_TRUE(first);
  const std::string text = read_file(path_);
  const auto second = Signer::create(path_, entropy_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::conflict);
  EXPECT_EQ(read_file(path_), text);
}

TEST_F(SignerFile, TwoKeysDiffer) {
  const auto first = Signer::create(path_, entropy_);
  const auto second = Signer::create(folder_.path("other"), entropy_);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->public_key(), second->public_key());
}

TEST_F(SignerFile, IsRefusedWhereOthersMayReadOrWriteIt) {
  const std::string text = line(std::string(64, 'a')) + "\n";
  for (const mode_t mode : {0640U, 0604U, 0644U, 0620U, 0602U, 0610U, 0601U, 0777U}) {
    write(text, mode);
    const auto loaded = Signer::load(path_);
    ASSERT_FALSE(loaded) << std::oct << mode;
    EXPECT_EQ(loaded.error().code, Code::denied) << std::oct << mode;
    EXPECT_THAT(loaded.error().what, HasSubstr(path_));
  }
  for (const mode_t mode : {0600U, 0400U}) {
    write(text, mode);
    EXPECT_TRUE(Signer::load(path_)) << std::oct << mode;
  }
}

TEST_F(SignerFile, OfSomebodyElseIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  write(line(std::string(64, 'a')) + "\n");
  ASSERT_EQ(::chown(path_.c_str(), 65534, 65534), 0);
  EXPECT_EQ(Signer::load(path_).error().code, Code::denied);
}

TEST_F(SignerFile, ThatIsMissingIsNotFound) {
  EXPECT_EQ(Signer::load(path_).error().code, Code::not_found);
  EXPECT_EQ(Signer::create(folder_.path("none/key"), entropy_).error().code, Code::not_found);
}

TEST_F(SignerFile, ThatIsNotAKeyIsCorrupt) {
  const std::string digits(64, 'a');
  for (const std::string& text :
       {std::string(), std::string("\n"), digits, line(digits.substr(1)), line(digits + "a"),
        line(digits.substr(1) + "g"), line(""), "other-seed " + digits,
        line(digits) + "\n" + line(digits), std::string(1000, 'a')}) {
    write(text);
    const auto loaded = Signer::load(path_);
    ASSERT_FALSE(loaded) << text;
    EXPECT_EQ(loaded.error().code, Code::corrupt) << text;
    // Nobody's log gets what may be a key with a slip in it.
    if (text.size() > 60) {
      EXPECT_THAT(loaded.error().what, testing::Not(HasSubstr(digits.substr(0, 32))));
    }
  }
}

TEST(SystemEntropy, GivesOtherBytesEachTime) {
  SystemEntropy entropy;
  std::set<std::array<std::byte, 32>> seen;
  for (int i = 0; i < 1000; ++i) {
    std::array<std::byte, 32> bytes{};
    entropy.fill(bytes, "the same purpose");
    seen.insert(bytes);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(SystemEntropy, FillsEveryByteAndNoMore) {
  SystemEntropy entropy;
  std::array<std::byte, 66> bytes{};
  std::array<std::byte, 66> ever{};
  for (int i = 0; i < 64; ++i) {
    entropy.fill(std::span(bytes).subspan(1, 64), "purpose");
    for (std::size_t k = 0; k < bytes.size(); ++k) ever[k] |= bytes[k];
  }
  EXPECT_EQ(ever.front(), std::byte{0});
  EXPECT_EQ(ever.back(), std::byte{0});
  for (std::size_t k = 1; k + 1 < ever.size(); ++k) EXPECT_NE(ever[k], std::byte{0}) << k;
  entropy.fill({}, "nothing");
}

}  // namespace
}  // namespace mailwarden::crypto
