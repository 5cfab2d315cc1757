// Key-encryption keys in a file and behind a command.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/command_key_provider.h"
#include "crypto/entropy.h"
#include "crypto/file_key_provider.h"
#include "crypto/key_file.h"
#include "tests/temporary.h"

namespace mailwarden::crypto {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string plain = "0123456789abcdef0123456789abcdef and more";

class KeyProviderTest : public testing::Test {
 protected:
  KeyProvider::Listener listener() {
    return [this](const KekUse& use) { uses.push_back(use); };
  }
  static std::string unwrapped(KeyProvider& provider, const Wrapped& wrapped) {
    const auto found = provider.unwrap(wrapped.kek, wrapped.bytes, "test");
    return found ? std::string(as_text(found->bytes())) : "";
  }

  TemporaryFolder folder;
  std::string path = folder.path("kek");
  SystemEntropy entropy;
  std::vector<KekUse> uses;
};

class FileKey : public KeyProviderTest {
 protected:
  FileKeyProvider provider{path, "main", listener()};
};

TEST_F(FileKey, UnwrapsWhatItWrapped) {
  ASSERT_TRUE(FileKeyProvider::create(path, entropy));
  const Wrapped wrapped = provider.wrap(as_bytes(plain), "data key 7").value();
  EXPECT_EQ(wrapped.kek, (KekName{"main", 1}));
  EXPECT_EQ(as_text(wrapped.bytes).find("0123"), std::string_view::npos);
  EXPECT_EQ(unwrapped(provider, wrapped), plain);
  ASSERT_EQ(uses.size(), 2U);
  EXPECT_EQ(uses[0].act, KekAct::wrap);
  EXPECT_EQ(uses[0].what_for, "data key 7");
  EXPECT_EQ(uses[0].provider, "file " + path);
  EXPECT_EQ(uses[1].act, KekAct::unwrap);
  EXPECT_TRUE(uses[1].outcome);
}

TEST_F(FileKey, HasVersionsOfWhichTheNewestWraps) {
  ASSERT_TRUE(FileKeyProvider::create(path, entropy));
  EXPECT_EQ(FileKeyProvider::create(path, entropy).error().code, Code::conflict);
  const Wrapped first = provider.wrap(as_bytes(plain), "").value();
  EXPECT_EQ(FileKeyProvider::add_version(path, entropy), 2U);
  const Wrapped second = provider.wrap(as_bytes(plain), "").value();
  EXPECT_EQ(second.kek.version, 2U) << "a file that has changed counts at once";
  EXPECT_EQ(unwrapped(provider, first), plain);
  EXPECT_EQ(unwrapped(provider, second), plain);
  EXPECT_EQ(FileKeyProvider::drop_version(path, 2).error().code, Code::conflict);
  EXPECT_EQ(FileKeyProvider::drop_version(path, 3).error().code, Code::not_found);
  ASSERT_TRUE(FileKeyProvider::drop_version(path, 1));
  EXPECT_EQ(FileKeyProvider::add_version(path, entropy), 3U) << "no number comes again";
  const auto gone = provider.unwrap(first.kek, first.bytes, "");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error(), (Error{Code::denied, "key-encryption key 'main' version 1 of file " +
                                                   path + ": the file holds no such version"}));
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(FileKey, AnotherKeyOrAChangedByteIsDenied) {
  ASSERT_TRUE(FileKeyProvider::create(path, entropy));
  Wrapped wrapped = provider.wrap(as_bytes(plain), "").value();
  wrapped.bytes[3] ^= std::byte{1};
  EXPECT_EQ(provider.unwrap(wrapped.kek, wrapped.bytes, "").error().code, Code::denied);
  EXPECT_FALSE(uses.back().outcome);
  wrapped.bytes[3] ^= std::byte{1};
  std::filesystem::remove(path);
  EXPECT_EQ(provider.unwrap(wrapped.kek, wrapped.bytes, "").error().code, Code::unavailable);
  ASSERT_TRUE(FileKeyProvider::create(path, entropy));
  EXPECT_EQ(provider.unwrap(wrapped.kek, wrapped.bytes, "").error().code, Code::denied);
  EXPECT_EQ(provider.unwrap({"other", 1}, wrapped.bytes, "").error().code, Code::denied);
}

TEST_F(FileKey, IsReadOnlyWhereItIsClosedToOthers) {
  ASSERT_TRUE(FileKeyProvider::create(path, entropy));
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0666U}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const auto refused = provider.newest();
    ASSERT_FALSE(refused) << std::oct << mode;
    EXPECT_EQ(refused.error().code, Code::denied);
    EXPECT_THAT(refused.error().what, AllOf(HasSubstr(path), HasSubstr("chmod 600")));
  }
  for (const mode_t mode : {0600U, 0400U}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    EXPECT_TRUE(provider.newest()) << std::oct << mode;
  }
}

TEST_F(FileKey, OfSomebodyElseIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_TRUE(FileKeyProvider::create(path, entropy));
  ASSERT_EQ(::chown(path.c_str(), 65534, 65534), 0);
  const auto refused = provider.newest();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::denied);
  EXPECT_THAT(refused.error().what, HasSubstr("belongs to user 65534"));
}

TEST_F(FileKey, IsNeitherALinkNorAPipeNorTooLong) {
  const std::string real = folder.path("real");
  ASSERT_TRUE(FileKeyProvider::create(real, entropy));
  ASSERT_EQ(::symlink(real.c_str(), path.c_str()), 0);
  EXPECT_EQ(read_key_file(path, 1000).error().code, Code::denied);
  EXPECT_THAT(provider.newest().error().what, HasSubstr("symbolic link"));
  ASSERT_EQ(::unlink(path.c_str()), 0);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(read_key_file(path, 1000).error().code, Code::denied);
  EXPECT_EQ(read_key_file(real, 10).error().code, Code::full);
  EXPECT_EQ(read_key_file(folder.path("none"), 10).error().code, Code::not_found);
}

TEST_F(FileKey, AWrongLineIsNamed) {
  const std::string good = "mailwarden-kek 2 " + std::string(64, 'a') + "\n";
  const std::vector<std::pair<std::string, int>> cases{
      {"", 0},
      {"mailwarden-kek 1 " + std::string(63, 'a') + "\n", 1},
      {"mailwarden-kek 0 " + std::string(64, 'a') + "\n", 1},
      {"mailwarden-kek 4294967296 " + std::string(64, 'a') + "\n", 1},
      {"mailwarden-kek 1 " + std::string(64, 'G') + "\n", 1},
      {good + "mailwarden-kek 1 " + std::string(64, 'a') + "\n", 2},
      {good + good, 2},
      {good + "\n", 2}};
  for (const auto& [text, line] : cases) {
    write_file(path, text);
    ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
    const auto refused = provider.newest();
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, Code::denied);
    EXPECT_THAT(refused.error().what,
                HasSubstr(line > 0 ? "line " + std::to_string(line) : "it holds no key"));
  }
  write_file(path, good);
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  EXPECT_EQ(provider.newest(), (KekName{"main", 2}));
}

// A key service of a few lines: it turns letters, which is enough to tell wrapped from plain.
class CommandKey : public KeyProviderTest {
 protected:
  CommandKey() {
    tool = folder.path("service");
    write_file(tool,
               "#!/bin/sh\n"
               "case \"$1\" in\n"
               "  wrap|unwrap) tr a-z0-9 n-za-m5-90-4 ;;\n"
               "  wrap64|unwrap64) tr a-z0-9 n-za-m5-90-4 | base64 -w 0; echo ;;\n"
               "  fail) echo \"no such key: $KEY_SERVICE\" >&2; exit 4 ;;\n"
               "  hang) sleep 1000 ;;\n"
               "  flood) head -c 100000 /dev/zero ;;\n"
               "  mute) cat >/dev/null ;;\n"
               "  words) echo 'not base64!' ;;\n"
               "esac\n");
    ::chmod(tool.c_str(), 0700);
  }

  std::unique_ptr<CommandKeyProvider> provider_of(const std::string& wrap,
                                                  const std::string& unwrap,
                                                  CommandAnswer answer = CommandAnswer::bytes) {
    return CommandKeyProvider::make({.name = "cloud",
                                     .versions = {{3, {{tool, wrap}, {tool, unwrap}}}},
                                     .answer = answer,
                                     .environment = {"KEY_SERVICE=here"},
                                     .time_out = std::chrono::milliseconds(500)},
                                    listener())
        .value();
  }

  std::string tool;
};

TEST_F(CommandKey, UnwrapsWhatItWrapped) {
  for (const auto& [wrap, unwrap, answer] : {std::tuple{"wrap", "unwrap", CommandAnswer::bytes},
                                             {"wrap64", "unwrap64", CommandAnswer::base64}}) {
    const auto provider = provider_of(wrap, unwrap, answer);
    for (std::size_t size = 1; size < 50; ++size) {
      const std::string key(plain + plain, 0, size);
      const auto wrapped = provider->wrap(as_bytes(key), "");
      ASSERT_TRUE(wrapped) << wrapped.error().what;
      EXPECT_EQ(wrapped->kek, (KekName{"cloud", 3}));
      EXPECT_EQ(wrapped->bytes.size(), size);
      EXPECT_NE(as_text(wrapped->bytes), key);
      EXPECT_EQ(unwrapped(*provider, *wrapped), key);
    }
  }
  EXPECT_EQ(uses.size(), 4U * 49);
}

TEST_F(CommandKey, FailuresNameKeyCommandAndReason) {
  struct Case {
    const char* command;
    CommandAnswer answer;
    Code code;
    const char* says;
  };
  for (const Case& one :
       {Case{"fail", CommandAnswer::bytes, Code::unavailable,
             "ended with 4, saying: no such key: here"},
        Case{"hang", CommandAnswer::bytes, Code::unavailable, "was not done in time"},
        Case{"flood", CommandAnswer::bytes, Code::denied, "more than 256 bytes"},
        Case{"mute", CommandAnswer::bytes, Code::denied, "its answer is empty"},
        Case{"mute", CommandAnswer::base64, Code::denied, "its answer is empty"},
        Case{"words", CommandAnswer::base64, Code::denied, "not base64"}}) {
    const auto provider = provider_of("wrap", one.command, one.answer);
    const auto refused = provider->unwrap({"cloud", 3}, as_bytes("wrapped"), "");
    ASSERT_FALSE(refused) << one.command;
    EXPECT_EQ(refused.error().code, one.code) << one.command;
    EXPECT_THAT(refused.error().what,
                AllOf(HasSubstr("key-encryption key 'cloud' version 3 of command " + tool),
                      HasSubstr(one.says)));
    EXPECT_EQ(uses.back().outcome, Result<void>(std::unexpected(refused.error())));
  }
  const auto provider = provider_of("wrap", "unwrap");
  EXPECT_EQ(provider->unwrap({"cloud", 2}, as_bytes("w"), "").error().code, Code::denied);
  std::filesystem::remove(tool);
  EXPECT_EQ(provider->wrap(as_bytes(plain), "").error().code, Code::unavailable);
}

TEST_F(CommandKey, MistakesOfItsSettingsAreRefused) {
  EXPECT_EQ(CommandKeyProvider::make({.name = "k"}, {}).error().code, Code::invalid);
  EXPECT_FALSE(CommandKeyProvider::make({.name = "k", .versions = {{0, {{tool}, {tool}}}}}, {}));
  EXPECT_FALSE(CommandKeyProvider::make({.name = "k", .versions = {{1, {{"tool"}, {tool}}}}}, {}));
  EXPECT_FALSE(CommandKeyProvider::make({.name = "k", .versions = {{1, {{tool}, {}}}}}, {}));
  EXPECT_TRUE(CommandKeyProvider::make({.name = "k", .versions = {{1, {{tool}, {tool}}}}}, {}));
}

}  // namespace
}  // namespace mailwarden::crypto
