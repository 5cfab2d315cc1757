#include "vault/vault.h"

#include <gmock/gmock.h>

#include "tests/vault/book.h"

namespace mailwarden::vault {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class VaultTest : public BookTest {};

TEST_F(VaultTest, OpensWhatItSealedAlsoWhenTheBookIsOpenedAnew) {
  const std::vector<Subjects> all{{}, {"ada@example.com"}, {"bob@example.com", "ada@example.com"}};
  std::vector<crypto::Bytes> sealed;
  {
    const auto vault = open();
    for (const Subjects& subjects : all) {
      sealed.push_back(vault->seal(note("1"), subjects, "a value").value());
      EXPECT_EQ(vault->open(note("1"), sealed.back()), "a value");
    }
  }
  const auto vault = open();
  for (const auto& bytes : sealed) EXPECT_EQ(vault->open(note("1"), bytes), "a value");
}

std::vector<KeyName> keys_of(const crypto::Bytes& sealed) {
  return std::get<std::vector<KeyName>>(crypto::parse_envelope(sealed).value().keys);
}

TEST_F(VaultTest, ASubjectHasOneKeyHoweverItIsWritten) {
  const auto vault = open();
  const auto one = keys_of(vault->seal(note("1"), Subjects{"ada@example.com"}, "").value());
  const auto two =
      keys_of(vault->seal(note("2"), Subjects{" Ada@Example.com", "ada@example.com"}, "").value());
  const auto other = keys_of(vault->seal(note("3"), Subjects{"bob@example.com"}, "").value());
  EXPECT_EQ(one.size(), 1U);
  EXPECT_EQ(one, two);
  EXPECT_NE(one, other);
  const auto ab =
      keys_of(vault->seal(note("1"), Subjects{"ada@example.com", "bob@example.com"}, "").value());
  const auto ba =
      keys_of(vault->seal(note("1"), Subjects{"bob@example.com", "ada@example.com"}, "").value());
  EXPECT_EQ(ab, ba);
}

TEST_F(VaultTest, IsNotAskedForTheKekAtEachValue) {
  const auto vault = open();
  const std::string_view ada = "ada@example.com";
  const crypto::Bytes sealed = vault->seal(note("1"), Subjects{ada}, "v").value();
  const int before = provider->asked;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(vault->seal(note("1"), Subjects{ada}, "v"));
    ASSERT_TRUE(vault->seal(note("1"), {}, "v"));
    ASSERT_TRUE(vault->open(note("1"), sealed));
    ASSERT_TRUE(vault->index({.table = "note", .column = "who"}, ada));
  }
  EXPECT_EQ(provider->asked, before);
  vault->forget();
  ASSERT_TRUE(vault->open(note("1"), sealed));
  EXPECT_EQ(provider->asked, before + 1);
}

TEST_F(VaultTest, EveryUseOfTheKekIsTold) {
  const auto vault = open();
  const std::size_t before = uses.size();
  EXPECT_EQ(before, 6U) << "three keys of its own, wrapped and unwrapped";
  ASSERT_TRUE(vault->seal(note("1"), Subjects{"ada@example.com"}, "v"));
  ASSERT_EQ(uses.size(), before + 1);
  EXPECT_EQ(uses.back().act, crypto::KekAct::wrap);
  EXPECT_EQ(uses.back().kek, (crypto::KekName{"test", 1}));
  EXPECT_EQ(uses.back().provider, "file " + kek);
  EXPECT_THAT(uses.back().what_for, AllOf(HasSubstr("data key "), HasSubstr(" version 1")));
  EXPECT_TRUE(uses.back().outcome);
  for (const auto& use : uses) EXPECT_THAT(use.what_for, testing::Not(HasSubstr("ada")));
}

TEST_F(VaultTest, NeitherNamesNorKeysStandInTheBook) {
  const std::string name = "ada.lovelace@example.com";
  {
    const auto vault = open();
    ASSERT_TRUE(vault->seal(note("1"), Subjects{name}, "v"));
  }
  const std::string book = read_file(folder.path("book.db"));
  EXPECT_GT(book.size(), 1000U);
  EXPECT_EQ(book.find("lovelace"), std::string::npos);
  // The plain hash, which anybody could look for, is not there either.
  const auto plain = crypto::sha256(name);
  EXPECT_EQ(book.find(crypto::as_text(plain)), std::string::npos);
}

TEST_F(VaultTest, AShreddedKeyOpensNothingAndSaysSo) {
  const auto vault = open();
  const auto alone = vault->seal(note("1"), Subjects{"ada@example.com"}, "v").value();
  const auto both =
      vault->seal(note("2"), Subjects{"ada@example.com", "bob@example.com"}, "v").value();
  const auto bobs = vault->seal(note("3"), Subjects{"bob@example.com"}, "v").value();
  EXPECT_EQ(vault->shred("carl@example.com"), false);
  EXPECT_EQ(vault->shred("ADA@example.com"), true);
  EXPECT_EQ(vault->shred("ada@example.com"), false);
  for (const auto& [row, sealed] : {std::pair{"1", alone}, {"2", both}}) {
    const auto opened = vault->open(note(row), sealed);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::not_found);
    EXPECT_THAT(opened.error().what,
                AllOf(HasSubstr("note.body of row '"), HasSubstr("was shredded at 2027-01-15T"),
                      HasSubstr("nothing opens it any more")));
  }
  EXPECT_EQ(vault->open(note("3"), bobs), "v");
  // What is sealed about her from now on has a new key, and the old values stay shut.
  const auto anew = vault->seal(note("4"), Subjects{"ada@example.com"}, "v").value();
  EXPECT_EQ(vault->open(note("4"), anew), "v");
  EXPECT_NE(keys_of(anew), keys_of(alone));
  EXPECT_FALSE(vault->open(note("1"), alone));
}

TEST_F(VaultTest, AValueOfAnotherPlaceIsRefused) {
  const auto vault = open();
  const auto one = vault->seal(note("1"), Subjects{"ada@example.com"}, "of ada").value();
  const auto two = vault->seal(note("2"), Subjects{"bob@example.com"}, "of bob").value();
  for (const auto& [row, sealed] : {std::pair{"1", two}, {"2", one}}) {
    const auto opened = vault->open(note(row), sealed);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::corrupt);
    EXPECT_THAT(opened.error().what, HasSubstr("moved from another place"));
  }
  EXPECT_EQ(vault->open({"note", "subject", "1"}, one).error().code, Code::corrupt);
  EXPECT_EQ(vault->open({"other", "body", "1"}, one).error().code, Code::corrupt);
}

// Whoever can write to the book must not be able to give one subject's key to another.
TEST_F(VaultTest, AKeyThatIsMovedToAnotherRowOfTheBookIsRefused) {
  auto vault = open();
  const auto sealed = vault->seal(note("1"), Subjects{"ada@example.com"}, "v").value();
  const auto other = vault->seal(note("2"), Subjects{"bob@example.com"}, "v").value();
  vault.reset();
  const auto book = db::open_sqlite(folder.path("book.db")).value();
  ASSERT_TRUE(
      book->run("UPDATE vault_key SET wrapped = (SELECT wrapped FROM vault_key WHERE key_id = $1) "
                "WHERE key_id = $2",
                {static_cast<std::int64_t>(keys_of(other).front().id),
                 static_cast<std::int64_t>(keys_of(sealed).front().id)}));
  vault = open();
  const auto opened = vault->open(note("1"), sealed);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::denied);
  EXPECT_THAT(opened.error().what,
              AllOf(HasSubstr("'test' version 1"), HasSubstr(kek), HasSubstr("is not data key")));
}

TEST_F(VaultTest, RefusesWhatIsBeyondItsLimits) {
  const auto vault = open();
  std::vector<std::string> names;
  for (int i = 0; i < 17; ++i) names.push_back("user" + std::to_string(i));
  const Subjects many(names.begin(), names.end());
  EXPECT_EQ(vault->seal(note("1"), many, "v").error().code, Code::invalid);
  EXPECT_TRUE(vault->seal(note("1"), std::span(many).first(16), "v"));
  EXPECT_EQ(vault->seal({"unknown", "c", "1"}, {}, "v").error().code, Code::invalid);
}

TEST_F(VaultTest, KnowsABatchOfSubjectsInOneCommit) {
  const auto vault = open();
  const Subjects names{"a@example.com", "b@example.com", "a@example.com", "c@example.com"};
  ASSERT_TRUE(vault->know(names));
  const int asked = provider->asked;
  ASSERT_TRUE(vault->know(names));
  for (const std::string_view name : names) {
    ASSERT_TRUE(vault->seal(note("1"), std::span(&name, 1), "v"));
  }
  EXPECT_EQ(provider->asked, asked);
  EXPECT_EQ(vault->counts().value().front().keys, 6) << "three subjects, three keys of its own";
}

TEST_F(VaultTest, WhoseKeyIsInMemoryIsNotLookedForInTheBook) {
  const auto vault = open();
  const Subjects names{"a@example.com", "b@example.com"};
  ASSERT_TRUE(vault->know(names));
  ASSERT_TRUE(db::open_sqlite(folder.path("book.db"))
                  .value()
                  ->execute("ALTER TABLE vault_subject RENAME TO somewhere_else"));
  EXPECT_TRUE(vault->know(names));
  vault->forget();
  EXPECT_FALSE(vault->know(names));
}

// More subjects than there is room for in memory.
TEST_F(VaultTest, KeysThatLeftTheMemoryAreUnwrappedAgain) {
  auto database = db::open_sqlite(folder.path("book.db")).value();
  ASSERT_TRUE(db::migrate(*database, migrations(), clock.now()));
  const auto vault = Vault::open(std::move(database), *provider, entropy, clock,
                                 {.keys_max = 1, .tables = {"note"}})
                         .value();
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back("user" + std::to_string(i));
  std::vector<crypto::Bytes> sealed;
  for (const std::string& name : names) {
    sealed.push_back(vault->seal(note(name), Subjects{name}, name).value());
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(vault->open(note(names[i]), sealed[i]), names[i]);
  }
  const Subjects sixteen(names.begin(), names.begin() + 16);
  const auto all = vault->seal(note("all"), sixteen, "v").value();
  vault->forget();
  EXPECT_EQ(vault->open(note("all"), all), "v");
}

TEST_F(VaultTest, IndexesAreOfTheBooksOwnKey) {
  const crypto::Indexed who{.table = "note", .column = "who", .form = crypto::Normal::address};
  const auto first = open()->index(who, "Ada@example.com").value();
  EXPECT_EQ(open()->index(who, "ada@example.com"), first) << "the key is kept";
  const auto other = try_open(*provider, "other.db").value();
  EXPECT_NE(other->index(who, "ada@example.com"), first) << "and no other book has it";
}

TEST_F(VaultTest, ANewBookNeedsItsKek) {
  provider->cut = true;
  const auto opened = try_open(*provider);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::unavailable);
  provider->cut = false;
  EXPECT_TRUE(try_open(*provider));
}

}  // namespace
}  // namespace mailwarden::vault
