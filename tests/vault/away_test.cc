// The key-encryption key is missing or wrong: reads say so, and values are sealed all the same.
#include <gmock/gmock.h>

#include "tests/vault/book.h"

namespace mailwarden::vault {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class AwayTest : public BookTest {
 protected:
  static bool waits(const crypto::Bytes& sealed) {
    return std::holds_alternative<crypto::Recipient>(crypto::parse_envelope(sealed).value().keys);
  }
  static std::size_t walk_all(Vault& vault, SealedTable& table) {
    std::size_t values = 0;
    while (true) {
      const Walked walked = vault.reseal(table, 2).value();
      values += walked.values;
      if (walked.ended) return values;
    }
  }
};

TEST_F(AwayTest, WhatIsInMemoryGoesOnAndWhatIsNotIsSealedForLater) {
  const auto vault = open();
  const auto adas = vault->seal(note("1"), Subjects{"ada@example.com"}, "v").value();
  const auto bobs = vault->seal(note("2"), Subjects{"bob@example.com"}, "v").value();
  vault->forget();
  ASSERT_TRUE(vault->open(note("1"), adas));
  provider->cut = true;
  EXPECT_FALSE(waits(vault->seal(note("3"), Subjects{"ada@example.com"}, "v").value()));
  EXPECT_FALSE(waits(vault->seal(note("4"), {}, "v").value()));
  EXPECT_TRUE(waits(vault->seal(note("5"), Subjects{"bob@example.com"}, "v").value()));
  EXPECT_TRUE(waits(vault->seal(note("6"), Subjects{"carl@example.com"}, "v").value()));
  EXPECT_TRUE(vault->locked());
  EXPECT_EQ(vault->open(note("1"), adas), "v");
  const auto shut = vault->open(note("2"), bobs);
  ASSERT_FALSE(shut);
  EXPECT_EQ(shut.error().code, Code::unavailable);
  EXPECT_THAT(shut.error().what, AllOf(HasSubstr("note.body of row '2'"), HasSubstr("'test'"),
                                       HasSubstr(kek), HasSubstr("the way is cut")));
}

TEST_F(AwayTest, TheKekIsNotAskedAgainUntilSomebodyUnlocks) {
  const auto vault = open();
  const auto adas = vault->seal(note("1"), Subjects{"ada@example.com"}, "v").value();
  vault->forget();
  provider->cut = true;
  ASSERT_FALSE(vault->open(note("1"), adas));
  const std::size_t told = uses.size();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(vault->seal(note("2"), Subjects{"ada@example.com"}, "v"));
    ASSERT_FALSE(vault->open(note("1"), adas));
  }
  EXPECT_EQ(uses.size(), told);
  EXPECT_FALSE(vault->unlock());
  EXPECT_FALSE(uses.back().outcome) << "a use that failed is told, too";
  provider->cut = false;
  ASSERT_FALSE(vault->open(note("1"), adas)) << "nobody has asked again";
  ASSERT_TRUE(vault->unlock());
  EXPECT_FALSE(vault->locked());
  EXPECT_EQ(vault->open(note("1"), adas), "v");
}

TEST_F(AwayTest, ADaemonThatStartsWithoutItsKekSealsAndReadsNothing) {
  crypto::Bytes adas;
  crypto::Bytes stores;
  {
    const auto vault = open();
    adas = vault->seal(note("1"), Subjects{"ada@example.com"}, "of ada").value();
    stores = vault->seal(note("2"), {}, "of none").value();
  }
  Notes notes(folder.path("store.db"));
  notes.put("1", adas);
  {
    // The file is not there; it need not be for the book to open.
    std::filesystem::rename(kek, kek + ".away");
    const auto vault = open();
    EXPECT_TRUE(vault->locked());
    for (const auto& [row, sealed] : {std::pair{"1", adas}, {"2", stores}}) {
      const auto opened = vault->open(note(row), sealed);
      ASSERT_FALSE(opened);
      EXPECT_EQ(opened.error().code, Code::unavailable);
      EXPECT_THAT(opened.error().what, HasSubstr(kek));
    }
    EXPECT_EQ(vault->index({"note", "who"}, "ada").error().code, Code::unavailable);
    EXPECT_EQ(vault->shred("ada@example.com").error().code, Code::unavailable);
    for (const auto& [row, name] : {std::pair{"3", "ada@example.com"}, {"4", "carl@example.com"}}) {
      const auto sealed = vault->seal(note(row), Subjects{name}, std::string("later ") + row);
      ASSERT_TRUE(sealed) << sealed.error().what;
      EXPECT_TRUE(waits(*sealed));
      EXPECT_EQ(crypto::as_text(*sealed).find("example"), std::string_view::npos);
      notes.put(row, *sealed);
    }
    const auto none = vault->seal(note("5"), {}, "later 5").value();
    notes.put("5", none);
    EXPECT_FALSE(vault->open(note("5"), none)) << "not even its own";
  }
  // A daemon that was killed meanwhile has lost nothing: the book's private share opens them.
  std::filesystem::rename(kek + ".away", kek);
  const auto vault = open();
  EXPECT_FALSE(vault->locked());
  for (const std::string row : {"3", "4", "5"}) {
    EXPECT_EQ(vault->open(note(row), notes.get(row)), "later " + row);
  }
  const auto refused = vault->shred("ada@example.com");
  ASSERT_FALSE(refused) << "row 3 would survive it";
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_EQ(walk_all(*vault, notes), 3U);
  for (const std::string row : {"3", "4", "5"}) {
    EXPECT_FALSE(waits(notes.get(row)));
    EXPECT_EQ(vault->open(note(row), notes.get(row)), "later " + row);
  }
  EXPECT_EQ(vault->shred("ada@example.com"), true);
  EXPECT_EQ(vault->open(note("3"), notes.get("3")).error().code, Code::not_found);
  EXPECT_EQ(vault->open(note("4"), notes.get("4")), "later 4");
}

// A value may be deferred before the cursor of a walk that is under way.
TEST_F(AwayTest, AWalkBeginsAnewForWhatIsDeferredMeanwhile) {
  const auto vault = open();
  Notes notes(folder.path("store.db"));
  provider->cut = true;
  for (const std::string row : {"b", "c", "d", "e"}) {
    notes.put(row, vault->seal(note(row), Subjects{"ada@example.com"}, row).value());
  }
  provider->cut = false;
  ASSERT_TRUE(vault->unlock());
  EXPECT_FALSE(vault->reseal(notes, 2).value().ended);
  provider->cut = true;
  notes.put("a", vault->seal(note("a"), Subjects{"bob@example.com"}, "a").value());
  ASSERT_TRUE(waits(notes.get("a")));
  provider->cut = false;
  ASSERT_TRUE(vault->unlock());
  walk_all(*vault, notes);
  for (const std::string row : {"a", "b", "c", "d", "e"}) {
    EXPECT_FALSE(waits(notes.get(row))) << row;
    EXPECT_EQ(vault->open(note(row), notes.get(row)), row);
  }
  EXPECT_EQ(vault->shred("bob@example.com"), true);
}

TEST_F(AwayTest, AWrongKekIsDeniedAndNamed) {
  const auto adas = open()->seal(note("1"), Subjects{"ada@example.com"}, "v").value();
  const std::string wrong = folder.path("wrong");
  ASSERT_TRUE(crypto::FileKeyProvider::create(wrong, entropy));
  const auto other = provider_of(wrong);
  const auto vault = try_open(*other).value();
  const auto opened = vault->open(note("1"), adas);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::denied);
  EXPECT_THAT(opened.error().what,
              AllOf(HasSubstr("'test' version 1"), HasSubstr(wrong), HasSubstr("another key")));
  EXPECT_TRUE(vault->seal(note("2"), Subjects{"ada@example.com"}, "v"));
}

// One spoilt row of the book must not keep the others from being read.
TEST_F(AwayTest, OneKeyThatIsDeniedLocksNothingElse) {
  auto vault = open();
  const auto adas = vault->seal(note("1"), Subjects{"ada@example.com"}, "v").value();
  const auto id = std::get<std::vector<KeyName>>(crypto::parse_envelope(adas)->keys).front().id;
  const auto bobs = vault->seal(note("2"), Subjects{"bob@example.com"}, "v").value();
  vault.reset();
  ASSERT_TRUE(db::open_sqlite(folder.path("book.db"))
                  .value()
                  ->run("UPDATE vault_key SET wrapped = $1 WHERE key_id = $2",
                        {db::Blob(crypto::Bytes(64)), static_cast<std::int64_t>(id)}));
  vault = open();
  EXPECT_EQ(vault->open(note("1"), adas).error().code, Code::denied);
  EXPECT_FALSE(vault->locked());
  EXPECT_EQ(vault->open(note("2"), bobs), "v");
  EXPECT_TRUE(waits(vault->seal(note("3"), Subjects{"ada@example.com"}, "v").value()));
}

TEST_F(AwayTest, AStoreThatRefusesIsNotTakenForAKekThatIsAway) {
  const auto vault = open();
  const auto other = db::open_sqlite(folder.path("book.db")).value();
  const auto held = db::Transaction::begin(*other);
  ASSERT_TRUE(held);
  const auto sealed = vault->seal(note("1"), Subjects{"ada@example.com"}, "v");
  ASSERT_FALSE(sealed);
  EXPECT_EQ(sealed.error().code, Code::unavailable);
  EXPECT_FALSE(vault->locked());
}

}  // namespace
}  // namespace mailwarden::vault
