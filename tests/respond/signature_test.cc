// Signatures of playbooks: by every algorithm and every way to name a key, and what they refuse.
#include "respond/signature.h"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/sha256.h"
#include "json/base64.h"
#include "json/jcs.h"
#include "tests/crypto/certificates.h"
#include "tests/temporary.h"

namespace mailwarden::respond {
namespace {

using crypto::TestKey;
using json::Array;
using json::Object;
using json::Value;
using testing::HasSubstr;

constexpr Timestamp now{1'800'000'000'000'000};

Object playbook() {
  return {{"type", "playbook"},
          {"id", "playbook--1"},
          {"created_by", "identity--1"},
          {"modified", "2026-01-01T00:00:00.000Z"},
          {"name", "A playbook \xe2\x82\xac"},
          {"priority", 3}};
}

Object signature(const std::string& algorithm) {
  return {{"type", "jss"},
          {"id", "jss--1"},
          {"signee", "Somebody"},
          {"related_to", "playbook--1"},
          {"related_version", "2026-01-01T00:00:00.000Z"},
          {"hash_algorithm", "sha-256"},
          {"algorithm", algorithm}};
}

// As another implementation would make it, whose text is sorted by hand.
Object signed_by(const TestKey& key, Object made, SignedHash over, Object on = playbook()) {
  on["signatures"] = Array{Value(made)};
  const std::string hash = *crypto::hash(Value(made).text("hash_algorithm"), json::to_jcs(on));
  const std::string text =
      over == SignedHash::bytes ? hash : crypto::to_hex(std::as_bytes(std::span(hash)));
  made["value"] = json::to_base64url(key.sign(Value(made).text("algorithm"), text));
  on["signatures"] = Array{Value(std::move(made))};
  return on;
}

BelievedKeys believed(const TestKey& key) {
  return *read_believed(crypto::pem("PUBLIC KEY", key.der()));
}

SignatureCheck checked(const Object& signed_playbook, const BelievedKeys& keys,
                       Timestamp at = now) {
  const auto checks = verify_signatures(signed_playbook, keys, at);
  EXPECT_TRUE(checks) << checks.error().what;
  EXPECT_EQ(checks->size(), 1U);
  return checks->front();
}

TEST(Signature, HoldsByEveryAlgorithmInEitherReading) {
  const std::pair<const char*, TestKey> keys[] = {
      {"RS256", TestKey::rsa()},       {"PS512", TestKey::rsa()},
      {"ES256", TestKey::on("P-256")}, {"ES384", TestKey::on("P-384")},
      {"ES512", TestKey::on("P-521")}, {"Ed25519", TestKey::ed25519()}};
  for (const auto& [algorithm, key] : keys) {
    for (const SignedHash over : {SignedHash::digits, SignedHash::bytes}) {
      SCOPED_TRACE(algorithm);
      Object made = signature(algorithm);
      made["public_key"] = json::to_base64(key.der());
      made["hash_algorithm"] = over == SignedHash::digits ? "sha-512" : "sha-256";
      const SignatureCheck check = checked(signed_by(key, made, over), believed(key));
      EXPECT_TRUE(check.holds && check.believed) << check.why;
      EXPECT_EQ(check.over, over);
    }
  }
}

TEST(Signature, OfTheCanonicalTextItselfIsNone) {
  const TestKey key = TestKey::ed25519();
  Object made = signature("Ed25519");
  made["public_key"] = json::to_base64(key.der());
  Object on = playbook();
  on["signatures"] = Array{Value(made)};
  made["value"] = json::to_base64url(key.sign("Ed25519", json::to_jcs(on)));
  on["signatures"] = Array{Value(made)};
  EXPECT_FALSE(checked(on, believed(key)).holds);
}

struct Change {
  const char* name;
  std::function<void(Object& playbook, Object& signature)> change;  // behind the signing
  bool holds;
  const char* why;
};

const std::vector<Change> changes{
    {"nothing", [](auto&, auto&) {}, true, ""},
    {"the_playbook", [](auto& on, auto&) { on["name"] = "another"; }, false,
     "not over this playbook"},
    {"a_new_member", [](auto& on, auto&) { on["more"] = 1; }, false, "not over this playbook"},
    {"the_signee", [](auto&, auto& made) { made["signee"] = "Me"; }, false,
     "not over this playbook"},
    {"the_value", [](auto&, auto& made) { made["value"] = "AAAA"; }, false,
     "not over this playbook"},
    {"no_base64url", [](auto&, auto& made) { made["value"] = "%"; }, false, "value: "},
    {"another_hash", [](auto&, auto& made) { made["hash_algorithm"] = "md5"; }, false,
     "none of sha-256"},
    {"another_algorithm", [](auto&, auto& made) { made["algorithm"] = "none"; }, false,
     "is not known"},
    {"another_kind", [](auto&, auto& made) { made["algorithm"] = "RS256"; }, false,
     "none for RS256"},
    {"no_key", [](auto&, auto& made) { made.erase("public_key"); }, false, "names no key"},
    {"a_url",
     [](auto&, auto& made) {
       made.erase("public_key");
       made["cert_url"] = "https://h.example/";
     },
     false, "never fetched"},
    {"no_jss", [](auto&, auto& made) { made["type"] = "x"; }, false,
     "no signature of the type jss"},
    {"signed_itself", [](auto&, auto& made) { made["signature"] = Object(); }, false,
     "signed itself"}};

TEST(Signature, RefusesWhatWasChangedBehindIt) {
  const TestKey key = TestKey::ed25519();
  Object made = signature("Ed25519");
  made["public_key"] = json::to_base64(key.der());
  const Object good = signed_by(key, made, SignedHash::digits);
  for (const Change& one : changes) {
    SCOPED_TRACE(one.name);
    Object on = good;
    Object changed = *(*on["signatures"].as_array())[0].as_object();
    one.change(on, changed);
    on["signatures"] = Array{Value(changed)};
    const SignatureCheck check = checked(on, believed(key));
    EXPECT_EQ(check.holds, one.holds);
    EXPECT_THAT(check.why, HasSubstr(one.why));
  }
}

struct Force {
  const char* name;
  const char* member;
  Value value;
  const char* why;  // "": in force
};

TEST(Signature, IsInForceForItsPlaybookAndItsTime) {
  const std::vector<Force> cases{
      {"revoked", "revoked", true, "revoked"},
      {"another_playbook", "related_to", "playbook--2", "another playbook"},
      {"another_version", "related_version", "2026-01-02T00:00:00.000Z", "another version"},
      {"from_now", "valid_from", "2027-01-15T08:00:00.000Z", ""},
      {"from_later", "valid_from", "2027-01-15T08:00:00.001Z", "not valid yet"},
      {"until_later", "valid_until", "2027-01-15T08:00:00.001Z", ""},
      {"until_now", "valid_until", "2027-01-15T08:00:00.000Z", "not valid any more"},
      {"until_no_time", "valid_until", "soon", "is no time"}};
  const TestKey key = TestKey::ed25519();
  for (const Force& one : cases) {
    SCOPED_TRACE(one.name);
    Object made = signature("Ed25519");
    made["public_key"] = json::to_base64(key.der());
    made[one.member] = one.value;
    const SignatureCheck check = checked(signed_by(key, made, SignedHash::digits), believed(key));
    EXPECT_TRUE(check.holds);
    EXPECT_EQ(check.believed, std::string_view(one.why).empty());
    EXPECT_THAT(check.why, HasSubstr(one.why));
  }
}

TEST(Signature, NamesItsKeyInEveryWay) {
  const TestKey root = TestKey::on("P-256");
  const TestKey key = TestKey::rsa();
  const std::string root_der = crypto::certificate("root", root, "root", root, true);
  const std::string own_der = crypto::certificate("signer", key, "root", root, false);
  const auto verified = [&](const char* name, Value value, const BelievedKeys& keys) {
    Object made = signature("PS256");
    made[name] = std::move(value);
    return checked(signed_by(key, made, SignedHash::digits), keys);
  };
  const Array chain{json::to_base64(own_der), json::to_base64(root_der)};
  EXPECT_TRUE(verified("public_cert_chain", chain, believed(root)).believed);
  const SignatureCheck stranger = verified("public_cert_chain", chain, believed(TestKey::rsa()));
  EXPECT_TRUE(stranger.holds && !stranger.believed);
  EXPECT_THAT(stranger.why, HasSubstr("no certificate of the chain"));
  const SignatureCheck unknown =
      verified("public_key", json::to_base64(key.der()), believed(TestKey::rsa()));
  EXPECT_TRUE(unknown.holds && !unknown.believed);
  const BelievedKeys certified = *read_believed(crypto::pem("CERTIFICATE", own_der));
  const auto print_of = [](const std::string& der) {
    return json::to_base64url(*crypto::hash("sha-256", der));
  };
  EXPECT_TRUE(verified("thumbprint", print_of(own_der), certified).believed);
  EXPECT_TRUE(verified("thumbprint", print_of(key.der()), believed(key)).believed);
  EXPECT_FALSE(verified("thumbprint", print_of(root_der), certified).holds);
}

TEST(Signature, StandsBesideOthers) {
  const crypto::Signer one = crypto::Signer::from_seed(crypto::Seed{std::byte{1}});
  const crypto::Signer two = crypto::Signer::from_seed(crypto::Seed{std::byte{2}});
  auto made = sign_playbook(playbook(), one, {.signee = "One", .created_by = "", .now = now});
  ASSERT_TRUE(made) << made.error().what;
  made = sign_playbook(*made, two, {.signee = "Two", .created_by = "identity--2", .now = now});
  ASSERT_TRUE(made) << made.error().what;
  const auto keys = read_believed(crypto::pem("PUBLIC KEY", crypto::to_der(one.public_key())) +
                                  crypto::pem("PUBLIC KEY", crypto::to_der(two.public_key())));
  ASSERT_TRUE(keys) << keys.error().what;
  const auto checks = verify_signatures(*made, *keys, now);
  ASSERT_TRUE(checks);
  ASSERT_EQ(checks->size(), 2U);
  for (const SignatureCheck& check : *checks) {
    EXPECT_TRUE(check.believed) << check.signee << ": " << check.why;
    EXPECT_EQ(check.over, SignedHash::digits);
  }
  Object bare = playbook();
  bare.erase("modified");
  EXPECT_FALSE(sign_playbook(bare, one, {.signee = "One", .created_by = "", .now = now}));
}

// The example that the committee published, where MAILWARDEN_CACAO names a folder with its files:
// the last JSON text of signature-example-rsa.md that holds a value, and the key in PEM.
TEST(Signature, OfThePublishedExampleHoldsOverTheDigits) {
  const char* const folder = std::getenv("MAILWARDEN_CACAO");
  if (folder == nullptr) GTEST_SKIP() << "MAILWARDEN_CACAO names no folder";
  const std::string text = read_file(std::string(folder) + "/signature-example-rsa.md");
  const std::size_t value = text.rfind("\"value\": \"");
  const std::size_t begin = text.rfind("```json\n", value) + 8;
  const auto document = json::parse(text.substr(begin, text.find("```", begin) - begin));
  ASSERT_TRUE(document) << document.error().what;
  const std::size_t key = text.find("-----BEGIN PUBLIC KEY-----");
  const auto keys = read_believed(text.substr(key, text.find("```", key) - key));
  ASSERT_TRUE(keys) << keys.error().what;
  const Timestamp then = *parse_rfc3339("2023-03-01T00:00:00Z");
  const SignatureCheck check = checked(*document->as_object(), *keys, then);
  EXPECT_TRUE(check.believed) << check.why;
  EXPECT_EQ(check.over, SignedHash::digits);
  EXPECT_EQ(checked(*document->as_object(), *keys).why, "it is not valid any more");
}

}  // namespace
}  // namespace mailwarden::respond
