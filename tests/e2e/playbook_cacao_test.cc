// mailwarden playbook import, export, sign and verify, for somebody who was sent a playbook.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/ed25519.h"
#include "crypto/entropy.h"
#include "crypto/foreign_key.h"
#include "json/base64.h"
#include "json/value.h"
#include "tests/process.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;

class PlaybookCacao : public testing::Test {
 protected:
  Ran playbook(std::vector<std::string> words) const {
    words.insert(words.begin(), {"mailwarden", "playbook"});
    return run(std::move(words));
  }
  std::string path(const char* name) const { return folder_.path(name); }

  TemporaryFolder folder_;
  const std::string published_ = source_folder() + "/tests/respond/data/everything.cacao.json";
};

TEST_F(PlaybookCacao, GoesThereAndBack) {
  const Ran read = playbook({"import", published_, "--output", path("native")});
  EXPECT_EQ(read.code, 0) << read.output;
  EXPECT_THAT(read.output, HasSubstr("nothing leads there; it is kept and never done"));
  const Ran written = playbook({"export", path("native"), "--output", path("cacao")});
  EXPECT_EQ(written.code, 0) << written.output;
  EXPECT_EQ(json::parse(read_file(path("cacao"))), json::parse(read_file(published_)));
}

TEST_F(PlaybookCacao, TellsWhatIsWrong) {
  write_file(path("bad"), R"({"type": "playbook"})");
  const Ran read = playbook({"import", path("bad")});
  EXPECT_EQ(read.code, 1);
  EXPECT_THAT(read.output, HasSubstr("/spec_version: must be 'cacao-2.0'"));
  EXPECT_THAT(read.output, HasSubstr("/workflow: is missing"));
  EXPECT_EQ(playbook({"export", path("bad")}).code, 1);
  EXPECT_EQ(playbook({"import"}).code, 2);
  EXPECT_EQ(playbook({"sign", published_}).code, 2);
  EXPECT_EQ(playbook({"verify", published_}).code, 2);
  EXPECT_NE(playbook({"import", path("absent")}).code, 0);
}

TEST_F(PlaybookCacao, SignsAndVerifies) {
  crypto::SystemEntropy entropy;
  const auto signer = crypto::Signer::create(path("key"), entropy);
  ASSERT_TRUE(signer) << signer.error().what;
  write_file(path("public"), "-----BEGIN PUBLIC KEY-----\n" +
                                 json::to_base64(crypto::to_der(signer->public_key())) +
                                 "\n-----END PUBLIC KEY-----\n");
  json::Object document = *json::parse(read_file(published_))->as_object();
  document.erase("signatures");
  write_file(path("unsigned"), json::to_text(document));
  EXPECT_EQ(playbook({"verify", path("unsigned"), "--key", path("public")}).code, 1);
  const Ran made = playbook({"sign", path("unsigned"), "--key", path("key"), "--signee", "Us",
                             "--output", path("signed")});
  EXPECT_EQ(made.code, 0) << made.output;
  const Ran good = playbook({"verify", path("signed"), "--key", path("public")});
  EXPECT_EQ(good.code, 0) << good.output;
  EXPECT_THAT(good.output, HasSubstr("hash in hexadecimal"));
  document = *json::parse(read_file(path("signed")))->as_object();
  document["name"] = "another";
  write_file(path("changed"), json::to_text(document));
  const Ran bad = playbook({"verify", path("changed"), "--key", path("public")});
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.output, HasSubstr("it is not over this playbook"));
}

}  // namespace
}  // namespace mailwarden
