// The keys of a store, opened from its two settings.
#include "vault/opening.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/entropy.h"
#include "crypto/file_key_provider.h"
#include "db/sqlite.h"
#include "tests/temporary.h"

namespace mailwarden::vault {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr crypto::Place sealed_note{.table = "note", .column = "body", .row = "1"};

class OpeningTest : public testing::Test {
 protected:
  OpeningTest() { EXPECT_TRUE(crypto::FileKeyProvider::create(kek, entropy)); }

  Result<std::unique_ptr<StoreKeys>> open(bool read_only = false) {
    return StoreKeys::open({.book = book,
                            .kek = {.name = "mailwarden", .place = FileKek{kek}},
                            .read_only = read_only,
                            .tables = {"note"}},
                           entropy, clock,
                           [this](const crypto::KekUse& use) { uses.push_back(use); });
  }
  std::string refusal(bool read_only = false) {
    const auto keys = open(read_only);
    return keys ? "it opened" : keys.error().what;
  }
  // What stands in the folder, by name.
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      names.insert(entry.path().filename());
    }
    return names;
  }
  static unsigned rights(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  }

  TemporaryFolder folder;
  std::string kek = folder.path("kek");
  std::string book = folder.path("keys.db");
  crypto::SystemEntropy entropy;
  ManualClock clock{Timestamp{1'800'000'000'000'000}};
  std::vector<crypto::KekUse> uses;
};

TEST_F(OpeningTest, ABookIsMadeAndOpensAgain) {
  crypto::Bytes sealed;
  {
    const auto keys = open();
    ASSERT_TRUE(keys) << keys.error().what;
    const std::vector<std::string_view> subjects{"anna@example.com"};
    sealed = (*keys)->vault().seal(sealed_note, subjects, "a secret").value();
  }
  EXPECT_FALSE(uses.empty()) << "the listener is told";
  const auto keys = open();
  ASSERT_TRUE(keys) << keys.error().what;
  EXPECT_EQ((*keys)->vault().open(sealed_note, sealed), "a secret");
}

TEST_F(OpeningTest, ADatabaseIsGivenItsSealing) {
  const db::FieldPlace place{.table = "note", .column = "body", .row = "1"};
  const auto writer = open().value();
  const auto sealed = writer->sealing().seal(place, "from anna@example.com").value();
  EXPECT_TRUE(db::is_sealed(sealed));
  const auto reader = open(true).value();
  const auto store = db::open_sqlite(folder.path("store.db")).value();
  static constexpr std::array<std::string_view, 1> key{"number"};
  static constexpr std::array columns{db::PersonalColumn{"body"}};
  constexpr db::PersonalTable table{.name = "note", .key = key, .columns = columns};
  EXPECT_EQ(db::to_plain(*store, table, "1", {sealed}).error().code, Code::denied);
  store->set_sealing(&reader->sealing());
  EXPECT_EQ(db::to_plain(*store, table, "1", {sealed}).value().front(), "from anna@example.com");
}

TEST_F(OpeningTest, TheBookTellsHowItStands) {
  const auto keys = open().value();
  Vault& vault = keys->vault();
  EXPECT_EQ(keys->newest_kek(), (crypto::KekName{"mailwarden", 1}));
  for (const std::string_view name :
       {"anna@example.com", "boris@example.com", "dora@example.com"}) {
    const std::vector<std::string_view> subjects{name};
    ASSERT_TRUE(vault.seal(sealed_note, subjects, "v"));
  }
  ASSERT_TRUE(vault.shred("anna@example.com"));
  const BookState before = vault.state().value();
  EXPECT_EQ(before.subjects, 2);
  EXPECT_EQ(before.shredded, 1);
  EXPECT_EQ(before.waiting, std::vector<std::string>());
  std::filesystem::remove(kek);
  const std::vector<std::string_view> carl{"carl@example.com"};
  ASSERT_TRUE(vault.seal(sealed_note, carl, "v"));
  EXPECT_TRUE(vault.away());
  EXPECT_EQ(open(true).error().code, Code::unavailable);
  EXPECT_EQ(vault.state().value().waiting, std::vector<std::string>{"note"});
  EXPECT_EQ(vault.state().value().subjects, 2);
}

TEST_F(OpeningTest, NobodyElseReadsTheBook) {
  const mode_t before = ::umask(0);
  const auto keys = open();
  ::umask(before);
  ASSERT_TRUE(keys) << keys.error().what;
  EXPECT_EQ(files(), (std::set<std::string>{"kek", "keys.db", "keys.db-shm", "keys.db-wal"}));
  for (const char* end : {"", "-shm", "-wal"}) EXPECT_EQ(rights(book + end), 0600U) << end;
}

TEST_F(OpeningTest, AReaderOpensBesideAWriterAndSeesWhatItMakes) {
  const auto writer = open().value();
  const auto reader = open(true);
  ASSERT_TRUE(reader) << reader.error().what;
  const std::vector<std::string_view> subjects{"anna@example.com"};
  const auto sealed = writer->vault().seal(sealed_note, subjects, "a secret").value();
  EXPECT_EQ((*reader)->vault().open(sealed_note, sealed), "a secret");
  EXPECT_EQ((*reader)->vault().index({.table = "t", .column = "c"}, "x"),
            writer->vault().index({.table = "t", .column = "c"}, "x"));
}

TEST_F(OpeningTest, AReaderChangesNothing) {
  const std::vector<std::string_view> anna{"anna@example.com"};
  const std::vector<std::string_view> boris{"boris@example.com"};
  const auto writer = open().value();
  ASSERT_TRUE(writer->vault().seal(sealed_note, anna, "a secret"));
  const auto reader = open(true).value();
  EXPECT_EQ(reader->vault().shred("anna@example.com").error().code, Code::denied);
  EXPECT_FALSE(reader->vault().seal(sealed_note, boris, "a secret"))
      << "whose key would have to be made";
  EXPECT_TRUE(writer->vault().seal(sealed_note, boris, "a secret"));
}

TEST_F(OpeningTest, AMissingBookIsTheDaemonsToMake) {
  EXPECT_EQ(refusal(true), "the book of keys: " + book +
                               ": it is not there; the daemon makes it when it begins a store "
                               "with the settings keys and kek");
  EXPECT_EQ(files(), std::set<std::string>{"kek"});
  write_file(book, "");
  EXPECT_THAT(refusal(true), HasSubstr(book + ": this is not a store of mailwarden"));
  EXPECT_EQ(std::filesystem::file_size(book), 0U);
}

TEST_F(OpeningTest, ABookWithoutKeysIsNotFilledByAReader) {
  ASSERT_TRUE(db::migrate(*db::open_sqlite(book).value(), migrations(), clock.now()));
  EXPECT_EQ(refusal(true),
            "the book of keys: " + book +
                ": it holds no keys yet; the daemon makes them when it begins a store");
  EXPECT_TRUE(open());
}

TEST_F(OpeningTest, AMissingFolderIsNamed) {
  const std::string below = folder.path("none");
  book = below + "/keys.db";
  for (const bool read_only : {false, true}) {
    EXPECT_EQ(refusal(read_only),
              "the book of keys: " + book + ": its folder " + below + " is not there");
  }
  EXPECT_FALSE(std::filesystem::exists(below));
  // Not even root makes a file in there.
  book = "/proc/self/keys.db";
  EXPECT_THAT(refusal(), testing::StartsWith("the book of keys: /proc/self/keys.db: "));
}

TEST_F(OpeningTest, AFolderThatIsClosedToUsIsTold) {
  if (::geteuid() == 0) GTEST_SKIP() << "no folder is closed to root";
  ASSERT_EQ(::mkdir(folder.path("closed").c_str(), 0500), 0);
  book = folder.path("closed") + "/keys.db";
  EXPECT_EQ(refusal(), "the book of keys: " + book + ": Permission denied");
}

TEST_F(OpeningTest, WhatIsNoBookIsLeftAlone) {
  constexpr db::Migration step{"event", 1, "CREATE TABLE event (event_id BIGINT)"};
  ASSERT_TRUE(db::migrate(*db::open_sqlite(book).value(), {&step, 1}, clock.now()));
  EXPECT_THAT(refusal(), AllOf(HasSubstr(book), HasSubstr("event 1")));
  const auto store = db::open_sqlite(book, {.read_only = true}).value();
  EXPECT_EQ(store->tables().value().size(), 2U);
  write_file(folder.path("text"), std::string(5000, 'x'));
  book = folder.path("text");
  EXPECT_THAT(refusal(), AllOf(HasSubstr(book), HasSubstr("file is not a database")));
}

TEST_F(OpeningTest, AnotherKekOpensNoBook) {
  ASSERT_TRUE(open());
  std::filesystem::remove(kek);
  for (const bool read_only : {false, true}) {
    const auto away = open(read_only);
    ASSERT_FALSE(away);
    EXPECT_EQ(away.error(), (Error{Code::unavailable,
                                   "the book of keys " + book +
                                       " stays closed: key-encryption key 'mailwarden' "
                                       "version 1 of file " +
                                       kek + ": key file " + kek + ": No such file or directory"}));
  }
  ASSERT_TRUE(crypto::FileKeyProvider::create(kek, entropy));
  const auto wrong = open();
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::denied);
  EXPECT_THAT(wrong.error().what, HasSubstr("it does not unwrap this: it is another key"));
}

TEST_F(OpeningTest, AKekThatOthersMayReadIsRefused) {
  ASSERT_EQ(::chmod(kek.c_str(), 0640), 0);
  const auto fresh = open();
  ASSERT_FALSE(fresh);
  EXPECT_EQ(fresh.error().code, Code::denied);
  EXPECT_THAT(fresh.error().what, AllOf(HasSubstr(kek), HasSubstr("chmod 600")));
  ASSERT_EQ(::chmod(kek.c_str(), 0600), 0);
  ASSERT_TRUE(open());
  ASSERT_EQ(::chmod(kek.c_str(), 0604), 0);
  EXPECT_THAT(refusal(true), AllOf(HasSubstr(kek), HasSubstr("chmod 600")));
}

TEST_F(OpeningTest, ABookWithoutItsKekTellsItWithoutAskingTwice) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(crypto::FileKeyProvider::create(folder.path("other"), entropy));
  kek = folder.path("other");
  uses.clear();
  EXPECT_FALSE(open());
  EXPECT_EQ(uses.size(), 1U);
}

}  // namespace
}  // namespace mailwarden::vault
