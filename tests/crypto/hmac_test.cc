#include "crypto/hmac.h"

#include <gtest/gtest.h>

#include "tests/crypto/hex.h"

namespace mailwarden::crypto {
namespace {

struct HmacVector {
  std::string name;
  std::string key;
  std::string message;
  std::string digest;
};

class Hmac : public testing::TestWithParam<HmacVector> {};

TEST_P(Hmac, GivesThePublishedDigest) {
  const std::string key = from_hex(GetParam().key);
  const std::string message = from_hex(GetParam().message);
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes(key), {as_bytes(message)})), GetParam().digest);
  // However the message is cut.
  const std::string_view view = message;
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes(key),
                               {as_bytes(view.substr(0, 3)), Piece(),
                                as_bytes(view.substr(std::min<std::size_t>(3, view.size())))})),
            GetParam().digest);
}

std::string repeated(std::string_view hex, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += hex;
  return out;
}

std::string hex_of(std::string_view text) {
  return to_hex(as_bytes(text));
}

// RFC 4231, test cases 1 to 4, 6 and 7.
INSTANTIATE_TEST_SUITE_P(
    Rfc4231, Hmac,
    testing::Values(
        HmacVector{"ShortKey", repeated("0b", 20), hex_of("Hi There"),
                   "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        HmacVector{"KeyOfFourBytes", hex_of("Jefe"), hex_of("what do ya want for nothing?"),
                   "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        HmacVector{"LongerMessage", repeated("aa", 20), repeated("dd", 50),
                   "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        HmacVector{"KeyOfTwentyFiveBytes", "0102030405060708090a0b0c0d0e0f10111213141516171819",
                   repeated("cd", 50),
                   "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        HmacVector{"KeyLongerThanABlock", repeated("aa", 131),
                   hex_of("Test Using Larger Than Block-Size Key - Hash Key First"),
                   "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        HmacVector{
            "KeyAndMessageLongerThanABlock", repeated("aa", 131),
            hex_of("This is a test using a larger than block-size key and a larger than "
                   "block-size data. The key needs to be hashed before being used by the HMAC "
                   "algorithm."),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"}),
    [](const auto& info) { return info.param.name; });

// RFC 5869, appendices A.1 to A.3.
TEST(Hkdf, GivesThePublishedKeys) {
  struct Case {
    std::string key, salt, info, out;
  };
  std::string ascending[3];
  for (int i = 0; i < 80; ++i) {
    for (int j = 0; j < 3; ++j) {
      const std::byte byte{static_cast<unsigned char>(i + (j == 0 ? 0 : j == 1 ? 0x60 : 0xb0))};
      ascending[j] += to_hex({&byte, 1});
    }
  }
  const std::vector<Case> cases{
      {repeated("0b", 22), "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
       "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
      {ascending[0], ascending[1], ascending[2],
       "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e"
       "590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
      {repeated("0b", 22), "", "",
       "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"}};
  for (const Case& one : cases) {
    const std::string key = from_hex(one.key);
    std::vector<std::byte> out(one.out.size() / 2);
    // In two pieces, which count as one run of bytes.
    const std::array<Piece, 2> pieces{as_bytes(key).first(5), as_bytes(key).subspan(5)};
    hkdf_sha256(pieces, as_bytes(from_hex(one.salt)), as_bytes(from_hex(one.info)), out);
    EXPECT_EQ(to_hex(out), one.out);
  }
}

TEST(HkdfDeathTest, MoreThanItCanMakeIsAMistakeOfOurs) {
  const std::string key = "key";
  const std::array<Piece, 1> pieces{as_bytes(key)};
  std::vector<std::byte> out(hkdf_bytes_max + 1);
  EXPECT_DEATH(hkdf_sha256(pieces, {}, {}, out), "CHECK failed");
}

}  // namespace
}  // namespace mailwarden::crypto
