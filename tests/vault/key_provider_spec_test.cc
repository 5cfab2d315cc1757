// The setting that says where the key-encryption key is.
#include "vault/key_provider_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "crypto/entropy.h"
#include "crypto/file_key_provider.h"
#include "tests/temporary.h"

namespace mailwarden::vault {
namespace {

using testing::HasSubstr;

TEST(Kek, IsInAFileATokenOrBehindACommand) {
  EXPECT_EQ(parse_kek("file:/etc/mailwarden/kek"),
            (KekSpec{.name = "mailwarden", .place = FileKek{"/etc/mailwarden/kek"}}));
  EXPECT_EQ(parse_kek("file:kek,name=main"), (KekSpec{.name = "main", .place = FileKek{"kek"}}));
  EXPECT_EQ(parse_kek("pkcs11:/p.so,token=warden,pin=/etc/pin"),
            (KekSpec{.place = TokenKek{.module = "/p.so",
                                       .token = "warden",
                                       .pin_file = "/etc/pin",
                                       .key_label = "mailwarden"}}));
  EXPECT_EQ(parse_kek("pkcs11:/p.so,name=n,key=label,pin=/etc/pin,token=a b"),
            (KekSpec{.name = "n", .place = TokenKek{"/p.so", "a b", "/etc/pin", "label"}}));
  EXPECT_EQ(parse_kek("command:/etc/kms.yaml,name=cloud"),
            (KekSpec{.name = "cloud", .place = CommandKek{"/etc/kms.yaml"}}));
}

TEST(Kek, MistakesAreToldWithWhatWouldBeRight) {
  const std::string expected =
      " keeps no key-encryption key; expected file:PATH, pkcs11:MODULE,token=LABEL,pin=FILE or "
      "command:FILE.yaml";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "''" + expected},
      {"/etc/kek", "'/etc/kek'" + expected},
      {"vault:/x,name=y", "'vault:/x'" + expected},
      {"file", "'file:' names no place"},
      {"file:", "'file:' names no place"},
      {"file:,name=x", "'file:' names no place"},
      {"command:,name=x", "'command:' names no place"},
      {"file:/k,token=t", "'token' is not name"},
      {"file:/k,name", "'name' has no value"},
      {"file:/k,name=", "'name' has no value"},
      {"file:/k,", "'' is not name"},
      {"pkcs11:/p.so,label=x", "'label' is none of token, pin, key, name"},
      {"pkcs11:/p.so", "'pkcs11' needs ,token=LABEL, which names the token"},
      {"pkcs11:/p.so,pin=/x", "'pkcs11' needs ,token=LABEL, which names the token"},
      {"pkcs11:/p.so,token=t", "'pkcs11' needs ,pin=FILE, which holds the token's PIN"}};
  for (const auto& [text, sentence] : cases) {
    const auto refused = parse_kek(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error(), (Error{Code::invalid, sentence})) << text;
  }
}

TEST(KekCommands, AreReadWithAllTheirSettings) {
  const auto options = parse_kek_commands(
      "answer: base64\n"
      "time-out: 30s\n"
      "environment: {HOME: /var/lib/kms, EMPTY: , EQUAL: a=b}\n"
      "versions:\n"
      "  1:\n"
      "    wrap: [/usr/bin/kms, wrap, 'a b']\n"
      "    unwrap: [/usr/bin/kms, unwrap]\n"
      "  12: {wrap: [/w], unwrap: [/u]}\n",
      "kms.yaml");
  ASSERT_TRUE(options) << options.error().what;
  EXPECT_EQ(options->answer, crypto::CommandAnswer::base64);
  EXPECT_EQ(options->time_out, Duration(std::chrono::seconds(30)));
  EXPECT_EQ(options->environment,
            (std::vector<std::string>{"HOME=/var/lib/kms", "EMPTY=", "EQUAL=a=b"}));
  ASSERT_EQ(options->versions.size(), 2U);
  EXPECT_EQ(options->versions.at(1).wrap,
            (std::vector<std::string>{"/usr/bin/kms", "wrap", "a b"}));
  EXPECT_EQ(options->versions.at(1).unwrap, (std::vector<std::string>{"/usr/bin/kms", "unwrap"}));
  EXPECT_EQ(options->versions.at(12).unwrap, (std::vector<std::string>{"/u"}));
}

TEST(KekCommands, AnswerBytesInTenSecondsUnlessTold) {
  const auto options = parse_kek_commands("versions: {1: {wrap: [/w], unwrap: [/u]}}", "f");
  ASSERT_TRUE(options) << options.error().what;
  EXPECT_EQ(options->answer, crypto::CommandAnswer::bytes);
  EXPECT_EQ(options->time_out, Duration(std::chrono::seconds(10)));
  EXPECT_TRUE(options->environment.empty());
}

TEST(KekCommands, AllMistakesAreToldWithTheirLines) {
  const auto refused = parse_kek_commands(
      "answer: hex\n"
      "time-out: soon\n"
      "environment: [A=b]\n"
      "colour: red\n"
      "versions:\n"
      "  0: {wrap: [/w], unwrap: [/u]}\n"
      "  1:\n"
      "    wrap: [kms, wrap]\n"
      "    seal: [/s]\n"
      "  2:\n"
      "    wrap: [/w, [x]]\n"
      "    unwrap: /u\n",
      "kms.yaml");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_EQ(refused.error().what,
            "kms.yaml, line 1: answer: 'hex' is neither bytes nor base64\n"
            "kms.yaml, line 2: time-out: 'soon' is not a span of time like 90s, 15m, 12h, 30d, 2w "
            "or 7y\n"
            "kms.yaml, line 3: environment: expected a map of NAME: value\n"
            "kms.yaml, line 4: 'colour' is none of answer, time-out, environment, versions\n"
            "kms.yaml, line 6: '0' is not a version's number, counted from 1\n"
            "kms.yaml, line 8: version 1: wrap: expected a list that begins with a program's whole "
            "path\n"
            "kms.yaml, line 9: version 1: 'seal' is neither wrap nor unwrap\n"
            "kms.yaml, line 7: version 1: unwrap: [/PROGRAM, ARGUMENT] is missing\n"
            "kms.yaml, line 11: version 2: wrap: expected a word\n"
            "kms.yaml, line 12: version 2: unwrap: expected a list that begins with a program's "
            "whole path");
}

TEST(KekCommands, AFileThatIsNoMapOfThemIsRefused) {
  const auto sentence = [](const char* text) {
    const auto refused = parse_kek_commands(text, "f");
    return refused ? "" : refused.error().what;
  };
  EXPECT_EQ(sentence(""), "f: expected one map of answer, time-out, environment and versions");
  EXPECT_EQ(sentence("[a]"), "f: expected one map of answer, time-out, environment and versions");
  EXPECT_THAT(sentence("answer: bytes"), HasSubstr("versions: with the commands"));
  EXPECT_THAT(sentence("versions: {}"), HasSubstr("expected a map of 1 to 100 versions"));
  EXPECT_THAT(sentence("versions: 1"), HasSubstr("expected a map of 1 to 100 versions"));
  EXPECT_THAT(sentence("time-out: 0s"), HasSubstr("must be longer than nothing"));
  EXPECT_THAT(sentence("versions: {1: {wrap: [/w], unwrap: [/u]}, 1: {}}"), HasSubstr("f"));
  EXPECT_THAT(sentence("a: [b"), testing::StartsWith("f: "));
}

class MadeProvider : public testing::Test {
 protected:
  std::string wrapped_and_back(const std::string& spec) {
    const auto provider = make_provider(parse_kek(spec).value(), entropy,
                                        [this](const crypto::KekUse& use) { uses.push_back(use); });
    if (!provider) return provider.error().what;
    const auto wrapped = (*provider)->wrap(crypto::as_bytes("a data key"), "test");
    if (!wrapped) return wrapped.error().what;
    const auto plain = (*provider)->unwrap(wrapped->kek, wrapped->bytes, "test");
    return plain ? std::string(crypto::as_text(plain->bytes())) : plain.error().what;
  }

  TemporaryFolder folder;
  crypto::SystemEntropy entropy;
  std::vector<crypto::KekUse> uses;
};

TEST_F(MadeProvider, UsesTheFile) {
  ASSERT_TRUE(crypto::FileKeyProvider::create(folder.path("kek"), entropy));
  EXPECT_EQ(wrapped_and_back("file:" + folder.path("kek") + ",name=main"), "a data key");
  ASSERT_EQ(uses.size(), 2U);
  EXPECT_EQ(uses[0].kek, (crypto::KekName{"main", 1}));
  EXPECT_EQ(uses[0].provider, "file " + folder.path("kek"));
}

TEST_F(MadeProvider, UsesTheCommand) {
  const std::string tool = folder.path("service");
  write_file(tool, "#!/bin/sh\ntr a-z0-9 n-za-m5-90-4 | base64 -w 0\n");
  ASSERT_EQ(::chmod(tool.c_str(), 0700), 0);
  const std::string file = folder.path("kms.yaml");
  write_file(file,
             "answer: base64\nversions:\n  3: {wrap: [" + tool + "], unwrap: [" + tool + "]}\n");
  EXPECT_EQ(wrapped_and_back("command:" + file + ",name=cloud"), "a data key");
  ASSERT_EQ(uses.size(), 2U);
  EXPECT_EQ(uses[0].kek, (crypto::KekName{"cloud", 3}));
}

TEST_F(MadeProvider, UsesTheToken) {
  EXPECT_THAT(wrapped_and_back("pkcs11:/nonexistent.so,token=warden,pin=" + folder.path("pin")),
              HasSubstr("/nonexistent.so"));
}

TEST_F(MadeProvider, IsCheckedWithoutAKey) {
  EXPECT_TRUE(check_kek(parse_kek("file:/nonexistent").value()));
  EXPECT_TRUE(check_kek(parse_kek("pkcs11:/nonexistent,token=t,pin=/x").value()));
  const auto spec = parse_kek("command:" + folder.path("kms.yaml")).value();
  EXPECT_EQ(check_kek(spec).error().code, Code::not_found);
  EXPECT_EQ(make_provider(spec, entropy, {}).error(), check_kek(spec).error());
  write_file(folder.path("kms.yaml"), "versions: {1: {wrap: [/w], unwrap: [u]}}");
  EXPECT_THAT(check_kek(spec).error().what, HasSubstr("unwrap: expected a list"));
  write_file(folder.path("kms.yaml"), "versions: {1: {wrap: [/w], unwrap: [/u]}}");
  EXPECT_TRUE(check_kek(spec));
}

}  // namespace
}  // namespace mailwarden::vault
