// Wycheproof's signed texts: right ones, and the many ways to be wrong.
#include <cstdio>

#include <gtest/gtest.h>

#include "identity/jws.h"
#include "json/value.h"
#include "tests/temporary.h"

namespace mailwarden::identity {
namespace {

json::Value vectors_of(const std::string& name) {
  const TemporaryFolder folder;
  const std::string command = "gunzip -c '" + corpus_folder() + "/vectors/wycheproof_json_web_" +
                              name + "_test.json.gz' > '" + folder.path("vectors") + "'";
  EXPECT_EQ(std::system(command.c_str()), 0);
  auto vectors = json::parse(read_file(folder.path("vectors")));
  EXPECT_TRUE(vectors) << vectors.error().what;
  return vectors ? *std::move(vectors) : json::Value();
}

// The key or keys of a group as an issuer would publish them; what is symmetric has no public half.
KeySet keys_of(const json::Value& group) {
  const json::Value& keys = group["public"].is_null() ? group["private"] : group["public"];
  json::Value set =
      keys["keys"].is_null() ? json::Value(json::Object{{"keys", json::Array{keys}}}) : keys;
  const auto read = KeySet::parse(json::to_text(set));
  EXPECT_TRUE(read) << read.error().what;
  return read ? *read : KeySet();
}

// Whether a group is about RS256 or ES256.
bool is_ours(const json::Value& keys) {
  const json::Value& first = keys["keys"].is_null() ? keys : keys["keys"].as_array()->front();
  const std::string algorithm = first.text("alg");
  return algorithm == "RS256" || algorithm == "ES256";
}

struct Tally {
  int believed = 0;
  int refused = 0;
  int refused_of_ours = 0;  // of RS256 and ES256
};

// A right signature is believed where it is of RS256 or ES256 and its key may sign; all else is
// refused.
void judge(const json::Value& group, Tally& tally) {
  const KeySet keys = keys_of(group);
  const bool ours = is_ours(group["public"]);
  for (const json::Value& one : *group["tests"].as_array()) {
    if (one["jws"].is_null()) continue;
    const std::string token = one.text("jws");
    const auto jws = parse_jws(token);
    const bool believed = jws && verify_jws(*jws, keys);
    EXPECT_EQ(believed, ours && one.text("result") == "valid")
        << group.text("comment") << " " << one.integer("tcId") << ": " << one.text("comment");
    if (believed) {
      ++tally.believed;
    } else {
      ++tally.refused;
      if (ours) ++tally.refused_of_ours;
    }
  }
}

class Wycheproof : public testing::Test {
 protected:
  void SetUp() override {
    if (corpus_folder().empty()) GTEST_SKIP() << "Wycheproof's vectors are not there";
  }

  Tally judge_all(const std::string& name) {
    const json::Value vectors = vectors_of(name);
    Tally tally;
    for (const json::Value& group : *vectors["testGroups"].as_array()) judge(group, tally);
    std::printf("%s: %d believed, %d refused, of them %d of RS256 and ES256\n", name.c_str(),
                tally.believed, tally.refused, tally.refused_of_ours);
    return tally;
  }
};

TEST_F(Wycheproof, EverySignatureIsJudgedAsItShould) {
  const Tally tally = judge_all("signature");
  EXPECT_EQ(tally.believed + tally.refused, 401);
  EXPECT_EQ(tally.believed, 10);
  EXPECT_EQ(tally.refused_of_ours, 262);
}

TEST_F(Wycheproof, EveryKeyIsJudgedAsItShould) {
  const Tally tally = judge_all("key");
  EXPECT_EQ(tally.believed + tally.refused, 26);
  EXPECT_EQ(tally.believed, 1);
  EXPECT_EQ(tally.refused_of_ours, 7);
}

TEST_F(Wycheproof, EverySignatureAmongOtherThingsIsJudgedAsItShould) {
  const Tally tally = judge_all("crypto");
  EXPECT_EQ(tally.believed, 2);
  EXPECT_EQ(tally.refused, 47);
  EXPECT_EQ(tally.refused_of_ours, 27);
}

// An encrypted text is none that was signed.
TEST_F(Wycheproof, NothingEncryptedIsTakenForSigned) {
  const json::Value vectors = vectors_of("encryption");
  int refused = 0;
  for (const json::Value& group : *vectors["testGroups"].as_array()) {
    static_cast<void>(keys_of(group));
    for (const json::Value& one : *group["tests"].as_array()) {
      EXPECT_FALSE(parse_jws(one.text("jwe"))) << one.integer("tcId");
      ++refused;
    }
  }
  std::printf("encryption: %d refused\n", refused);
  EXPECT_EQ(refused, 139);
}

}  // namespace
}  // namespace mailwarden::identity
