// Keys are changed under the values, and the change is broken off wherever it can be.
#include <gmock/gmock.h>

#include "tests/vault/book.h"

namespace mailwarden::vault {
namespace {

using testing::HasSubstr;

class RotateTest : public BookTest {
 protected:
  static constexpr int subjects = 10;

  static std::string row_of(int i) { return "row" + std::to_string(100 + i); }

  // A value for each subject, each of which a second one shares.
  void fill(Vault& vault, Notes& notes) {
    for (int i = 0; i < subjects; ++i) {
      const std::string one = user(i);
      const std::string two = user((i + 1) % subjects);
      notes.put(row_of(i), vault.seal(note(row_of(i)), Subjects{one, two}, row_of(i)).value());
    }
    notes.put("store", vault.seal(note("store"), {}, "store").value());
  }

  static void expect_all_readable(Vault& vault, Notes& notes) {
    for (int i = 0; i < subjects; ++i) {
      EXPECT_EQ(vault.open(note(row_of(i)), notes.get(row_of(i))), row_of(i));
    }
    EXPECT_EQ(vault.open(note("store"), notes.get("store")), "store");
  }

  static std::vector<KeyName> keys_of(const crypto::Bytes& sealed) {
    return std::get<std::vector<KeyName>>(crypto::parse_envelope(sealed).value().keys);
  }
};

TEST_F(RotateTest, TheKekIsChangedInBatchesWhicheverOfThemIsTheLast) {
  Notes notes(folder.path("store.db"));
  fill(*open(), notes);
  EXPECT_EQ(crypto::FileKeyProvider::add_version(kek, entropy), 2U);
  std::int64_t left = subjects + 3;
  for (int batch = 0; left > 0; ++batch) {
    ASSERT_LT(batch, 10);
    // Each batch is the last of its process. What was sealed is read in between, new values too.
    const auto vault = open();
    const Rewrapped done = vault->rewrap(4).value();
    EXPECT_EQ(done.refused, 0U);
    EXPECT_EQ(done.left, std::max<std::int64_t>(0, left - 4));
    EXPECT_EQ(done.ended, done.left == 0);
    left = done.left;
    vault->forget();
    expect_all_readable(*vault, notes);
    const auto anew = vault->seal(note("n"), Subjects{"new@example.com"}, "v").value();
    EXPECT_EQ(vault->open(note("n"), anew), "v");
  }
  const auto counts = open()->counts().value();
  ASSERT_EQ(counts.size(), 1U);
  EXPECT_EQ(counts.front().kek, (crypto::KekName{"test", 2}));
  ASSERT_TRUE(crypto::FileKeyProvider::drop_version(kek, 1));
  const auto vault = open();
  EXPECT_FALSE(vault->locked());
  expect_all_readable(*vault, notes);
}

// A batch whose transaction was never committed changed nothing.
TEST_F(RotateTest, ABatchThatIsNotCommittedIsDoneAgain) {
  Notes notes(folder.path("store.db"));
  const auto vault = open();
  fill(*vault, notes);
  ASSERT_TRUE(crypto::FileKeyProvider::add_version(kek, entropy));
  {
    const auto other = db::open_sqlite(folder.path("book.db")).value();
    const auto held = db::Transaction::begin(*other);
    ASSERT_TRUE(held);
    EXPECT_EQ(vault->rewrap(100).error().code, Code::unavailable);
  }
  vault->forget();
  expect_all_readable(*vault, notes);
  const auto again = open();
  EXPECT_EQ(again->rewrap(100).value().left, 0);
  expect_all_readable(*again, notes);
}

TEST_F(RotateTest, KeysThatTheKekRefusesStayAndAreCounted) {
  auto vault = open();
  const auto adas = vault->seal(note("1"), Subjects{"ada@example.com"}, "v").value();
  vault.reset();
  ASSERT_TRUE(db::open_sqlite(folder.path("book.db"))
                  .value()
                  ->run("UPDATE vault_key SET wrapped = $1 WHERE key_id = $2",
                        {db::Blob(crypto::Bytes(64)),
                         static_cast<std::int64_t>(keys_of(adas).front().id)}));
  ASSERT_TRUE(crypto::FileKeyProvider::add_version(kek, entropy));
  vault = open();
  Rewrapped done = vault->rewrap(2).value();
  std::size_t refused = done.refused;
  for (int i = 0; i < 10 && !done.ended; ++i) {
    done = vault->rewrap(2).value();
    refused += done.refused;
  }
  EXPECT_TRUE(done.ended);
  EXPECT_EQ(refused, 1U);
  EXPECT_EQ(done.left, 1);
}

TEST_F(RotateTest, TheKekThatIsDroppedTooEarlyIsNamed) {
  const auto adas = open()->seal(note("1"), Subjects{"ada@example.com"}, "v").value();
  ASSERT_TRUE(crypto::FileKeyProvider::add_version(kek, entropy));
  ASSERT_TRUE(open()->rewrap(3));  // the book's own keys alone
  ASSERT_TRUE(crypto::FileKeyProvider::drop_version(kek, 1));
  const auto vault = open();
  const auto opened = vault->open(note("1"), adas);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::denied);
  EXPECT_THAT(opened.error().what, HasSubstr("'test' version 1 of file " + kek));
  EXPECT_THAT(opened.error().what, HasSubstr("no such version"));
  EXPECT_FALSE(vault->locked());
}

TEST_F(RotateTest, ARenewedKeySealsNewValuesAndOldOnesAreSealedAnew) {
  Notes notes(folder.path("store.db"));
  std::vector<crypto::Bytes> copies;
  {
    const auto vault = open();
    fill(*vault, notes);
    copies.push_back(notes.get(row_of(3)));
    copies.push_back(notes.get("store"));
    EXPECT_EQ(vault->renew("nobody@example.com").error().code, Code::not_found);
    ASSERT_TRUE(vault->renew(user(3)));
    ASSERT_TRUE(vault->renew_store_key());
    expect_all_readable(*vault, notes);
    const auto anew = vault->seal(note("n"), Subjects{user(3)}, "v").value();
    EXPECT_EQ(keys_of(anew).front().version, 2U);
    EXPECT_EQ(keys_of(vault->seal(note("n"), {}, "v").value()).front(), (KeyName{1, 2}));
    EXPECT_EQ(vault->open(note("n"), anew), "v");
  }
  std::size_t values = 0;
  for (int batch = 0;; ++batch) {
    ASSERT_LT(batch, 20);
    // Each batch is the last of its process; some die between their commit and the book's.
    const auto vault = open();
    notes.dies_behind_replace = batch % 3 == 0;
    const auto walked = vault->reseal(notes, 2);
    vault->forget();
    expect_all_readable(*vault, notes);
    if (!walked) continue;
    values += walked->values;
    EXPECT_EQ(walked->unreadable, 0U);
    if (walked->ended) break;
  }
  EXPECT_LT(values, 4U) << "only what needed it, and not twice";
  // The other table has not been walked yet, so that its values may still need the old versions.
  EXPECT_EQ(open()->open(note(row_of(3)), copies[0]), row_of(3));
  class Empty final : public SealedTable {
   public:
    std::string_view name() const override { return "other"; }
    Result<SealedRows> after(const std::string&, std::size_t) override { return SealedRows{}; }
    Result<void> replace(std::span<const Resealed>) override { return {}; }
  } other;
  {
    const auto vault = open();
    EXPECT_TRUE(vault->reseal(other, 2).value().ended);
    EXPECT_EQ(vault->counts().value().front().keys, subjects + 3) << "the old versions are gone";
    EXPECT_TRUE(vault->reseal(other, 2).value().ended) << "nothing is at work";
    EXPECT_TRUE(vault->reseal(notes, 2).value().ended);
  }
  const auto vault = open();
  expect_all_readable(*vault, notes);
  for (const auto& [row, copy] : {std::pair{row_of(3), copies[0]}, {"store", copies[1]}}) {
    const auto opened = vault->open(note(row), copy);
    ASSERT_FALSE(opened) << "a copy from before";
    EXPECT_EQ(opened.error().code, Code::corrupt);
    EXPECT_THAT(opened.error().what, HasSubstr("dropped when the key was renewed"));
  }
}

TEST_F(RotateTest, WhatWasShreddedIsLeftAloneByAWalk) {
  Notes notes(folder.path("store.db"));
  const auto vault = open();
  fill(*vault, notes);
  ASSERT_EQ(vault->shred(user(5)), true);
  ASSERT_TRUE(vault->renew(user(4)));
  const Walked walked = vault->reseal(notes, 100).value();
  EXPECT_EQ(walked.values, 1U) << "row 3; row 4 was of the shredded one, too";
  EXPECT_EQ(walked.unreadable, 1U);
}

TEST_F(RotateTest, AWalkStopsWhereTheKekIsAwayAndLosesNothing) {
  Notes notes(folder.path("store.db"));
  auto vault = open();
  fill(*vault, notes);
  ASSERT_TRUE(vault->renew(user(4)));
  vault->forget();
  provider->cut = true;
  EXPECT_EQ(vault->reseal(notes, 100).error().code, Code::unavailable);
  EXPECT_EQ(vault->renew(user(5)).error().code, Code::unavailable);
  EXPECT_EQ(vault->rewrap(5).error().code, Code::unavailable);
  provider->cut = false;
  ASSERT_TRUE(vault->unlock());
  EXPECT_EQ(vault->reseal(notes, 100).value().values, 2U);
  expect_all_readable(*vault, notes);
}

}  // namespace
}  // namespace mailwarden::vault
