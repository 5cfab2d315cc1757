// Each algorithm with a key of its kind, and with everything that it must refuse.
#include "crypto/foreign_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/sha256.h"
#include "tests/crypto/certificates.h"

namespace mailwarden::crypto {
namespace {

using testing::HasSubstr;

constexpr Timestamp now{1'800'000'000'000'000};

struct Scheme {
  const char* algorithm;
  TestKey (*make)();
};

const std::vector<Scheme>& schemes() {
  static const std::vector<Scheme> all{{"RS256", [] { return TestKey::rsa(); }},
                                       {"RS384", [] { return TestKey::rsa(); }},
                                       {"RS512", [] { return TestKey::rsa(); }},
                                       {"PS256", [] { return TestKey::rsa(); }},
                                       {"PS384", [] { return TestKey::rsa(); }},
                                       {"PS512", [] { return TestKey::rsa(); }},
                                       {"ES256", [] { return TestKey::on("P-256"); }},
                                       {"ES384", [] { return TestKey::on("P-384"); }},
                                       {"ES512", [] { return TestKey::on("P-521"); }},
                                       {"Ed25519", [] { return TestKey::ed25519(); }}};
  return all;
}

TEST(ForeignKey, VerifiesWhatItsOtherHalfSignedAndNothingElse) {
  for (const Scheme& scheme : schemes()) {
    SCOPED_TRACE(scheme.algorithm);
    const TestKey key = scheme.make();
    const auto read = ForeignKey::from_der(key.der());
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(read->der(), key.der());
    const std::string signature = key.sign(scheme.algorithm, "text");
    EXPECT_EQ(read->verify(scheme.algorithm, "text", signature), true);
    EXPECT_EQ(read->verify(scheme.algorithm, "another", signature), false);
    EXPECT_EQ(read->verify(scheme.algorithm, "text", signature.substr(1)), false);
    EXPECT_EQ(read->verify(scheme.algorithm, "text", signature + "x"), false);
    EXPECT_EQ(read->verify(scheme.algorithm, "text", ""), false);
    std::string flipped = signature;
    flipped[5] = static_cast<char>(flipped[5] ^ 1);
    EXPECT_EQ(read->verify(scheme.algorithm, "text", flipped), false);
  }
}

TEST(ForeignKey, ServesTheAlgorithmsOfItsKindAlone) {
  for (const Scheme& one : schemes()) {
    const auto key = ForeignKey::from_der(one.make().der());
    ASSERT_TRUE(key);
    for (const Scheme& other : schemes()) {
      const bool both_rsa = one.algorithm[1] == 'S' && other.algorithm[1] == 'S' &&
                            one.algorithm[0] != 'E' && other.algorithm[0] != 'E';
      const bool same = std::string_view(one.algorithm) == other.algorithm;
      EXPECT_EQ(key->verify(other.algorithm, "text", "x").has_value(), same || both_rsa)
          << one.algorithm << " for " << other.algorithm;
    }
    EXPECT_FALSE(key->verify("HS256", "text", "x"));
    EXPECT_FALSE(key->verify("none", "text", ""));
  }
}

TEST(ForeignKey, RefusesWhatIsNoKey) {
  const std::string good = TestKey::ed25519().der();
  EXPECT_FALSE(ForeignKey::from_der(""));
  EXPECT_FALSE(ForeignKey::from_der(good + "x"));
  EXPECT_FALSE(ForeignKey::from_der(good.substr(1)));
  EXPECT_FALSE(ForeignKey::from_certificate(good));
  const auto weak = ForeignKey::from_der(TestKey::rsa(1024).der());
  ASSERT_FALSE(weak);
  EXPECT_THAT(weak.error().what, HasSubstr("1024 bits"));
}

TEST(ForeignKey, WritesItsOwnKeysAsOthersDo) {
  const Signer signer = Signer::from_seed(Seed{std::byte{7}});
  const auto key = ForeignKey::from_der(to_der(signer.public_key()));
  ASSERT_TRUE(key) << key.error().what;
  const Signature made = signer.sign("text");
  EXPECT_EQ(
      key->verify("Ed25519", "text", {reinterpret_cast<const char*>(made.data()), made.size()}),
      true);
}

struct ChainCase {
  const char* name;
  std::vector<std::string> certificates;
  std::vector<ForeignKey> believed;
  Timestamp at;
  bool holds;
};

TEST(CheckChain, FollowsSignaturesToAKeyThatIsBelieved) {
  const TestKey root = TestKey::on("P-256");
  const TestKey middle = TestKey::on("P-256");
  const TestKey leaf = TestKey::rsa();
  const TestKey other = TestKey::on("P-256");
  const std::string root_der = certificate("root", root, "root", root, true);
  const std::string middle_der = certificate("middle", middle, "root", root, true);
  const std::string leaf_der = certificate("leaf", leaf, "middle", middle, false);
  const std::string forged = certificate("leaf", leaf, "middle", other, false);
  const std::string no_authority = certificate("middle", middle, "root", root, false);
  const auto key = [](const TestKey& one) { return *ForeignKey::from_der(one.der()); };
  const std::vector<ChainCase> cases{
      {"whole", {leaf_der, middle_der, root_der}, {key(root)}, now, true},
      {"to_the_middle", {leaf_der, middle_der}, {key(middle)}, now, true},
      {"the_leaf_itself", {leaf_der}, {key(leaf)}, now, true},
      {"not_believed", {leaf_der, middle_der, root_der}, {key(other)}, now, false},
      {"none_believed", {leaf_der}, {}, now, false},
      {"a_link_that_is_missing", {leaf_der, root_der}, {key(root)}, now, false},
      {"a_link_that_is_forged", {forged, middle_der, root_der}, {key(root)}, now, false},
      {"a_middle_that_may_not_sign", {leaf_der, no_authority, root_der}, {key(root)}, now, false},
      {"over", {leaf_der, middle_der, root_der}, {key(root)}, now + std::chrono::days(800), false},
      {"not_begun",
       {leaf_der, middle_der, root_der},
       {key(root)},
       now - std::chrono::days(800),
       false},
      {"no_certificates", {}, {key(root)}, now, false},
      {"no_certificate", {"x"}, {key(root)}, now, false}};
  for (const ChainCase& one : cases) {
    const auto held = check_chain(one.certificates, one.believed, one.at);
    EXPECT_EQ(held.has_value(), one.holds) << one.name << (held ? "" : ": " + held.error().what);
  }
}

TEST(ReadPem, FindsKeysAndCertificates) {
  const TestKey key = TestKey::ed25519();
  const std::string der = certificate("a", key, "a", key, true);
  const auto parts = read_pem(pem("PUBLIC KEY", key.der()) + "text\n" + pem("CERTIFICATE", der) +
                              pem("OTHER", "x"));
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 2U);
  EXPECT_FALSE((*parts)[0].is_certificate);
  EXPECT_EQ((*parts)[0].der, key.der());
  EXPECT_TRUE((*parts)[1].is_certificate);
  EXPECT_EQ((*parts)[1].der, der);
  EXPECT_FALSE(read_pem(""));
  EXPECT_FALSE(read_pem(pem("OTHER", "x")));
}

// FIPS 180-4's examples of "abc".
TEST(Hash, KnowsItsNames) {
  const auto hex = [](const std::string& bytes) { return to_hex(std::as_bytes(std::span(bytes))); };
  EXPECT_EQ(hex(*hash("sha-256", "abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_THAT(hex(*hash("sha-384", "abc")),
              testing::StartsWith("cb00753f45a35e8bb5a03d699ac65007"));
  EXPECT_THAT(hex(*hash("sha-512", "abc")),
              testing::StartsWith("ddaf35a193617abacc417349ae204131"));
  EXPECT_FALSE(hash("SHA-256", "abc"));
  EXPECT_FALSE(hash("md5", "abc"));
}

}  // namespace
}  // namespace mailwarden::crypto
