// Wycheproof's signatures: right ones, and the many ways to be wrong.
#include <gtest/gtest.h>

#include "crypto/ed25519.h"
#include "json/value.h"
#include "tests/crypto/hex.h"
#include "tests/temporary.h"

namespace mailwarden::crypto {
namespace {

TEST(Wycheproof, EverySignatureIsJudgedAsItShould) {
  if (corpus_folder().empty()) GTEST_SKIP() << "Wycheproof's vectors are not there";
  const TemporaryFolder folder;
  const std::string command = "gunzip -c '" + corpus_folder() +
                              "/vectors/wycheproof_ed25519_test.json.gz' > '" +
                              folder.path("vectors") + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const auto vectors = json::parse(read_file(folder.path("vectors")));
  ASSERT_TRUE(vectors) << vectors.error().what;
  std::int64_t judged = 0;
  for (const json::Value& group : *(*vectors)["testGroups"].as_array()) {
    const auto key = array_from_hex<32>(group["publicKey"].text("pk"));
    for (const json::Value& one : *group["tests"].as_array()) {
      const std::string signature = one.text("sig");
      // Another length cannot even be asked about.
      const bool holds = signature.size() == 128 &&
                         verify(key, from_hex(one.text("msg")), array_from_hex<64>(signature));
      EXPECT_EQ(holds, one.text("result") == "valid")
          << one.integer("tcId") << ": " << one.text("comment");
      ++judged;
    }
  }
  EXPECT_EQ(judged, vectors->integer("numberOfTests"));
}

}  // namespace
}  // namespace mailwarden::crypto
