#include "vault/kek_uses.h"

#include <gtest/gtest.h>

#include "tests/vault/book.h"

namespace mailwarden::vault {
namespace {

crypto::KekUse use(crypto::KekAct act, std::uint32_t version, const std::string& what_for,
                   const std::string& error = "") {
  return {.act = act,
          .kek = {"mailwarden", version},
          .provider = "file /kek",
          .what_for = what_for,
          .outcome = error.empty() ? Result<void>() : fail(Code::unavailable, error)};
}

constexpr auto wrap = crypto::KekAct::wrap;
constexpr auto unwrap = crypto::KekAct::unwrap;

TEST(KekUses, CountsWhatIsAlikeTogether) {
  KekUses uses;
  const auto listener = uses.listener();
  for (const std::string key : {"1", "2", "3"}) listener(use(wrap, 1, "data key " + key));
  listener(use(wrap, 2, "data key 4"));
  listener(use(unwrap, 1, "data key 5"));
  listener(use(wrap, 1, "data key 6", "out of reach"));
  listener(use(wrap, 1, "data key 7", "still out of reach"));
  const std::string records = json::to_text(to_records(uses.take()));
  EXPECT_EQ(records,
            R"([{"act":"wrap","count":2,"error":"unavailable","first":"data key 6",)"
            R"("kek":"mailwarden","last":"data key 7","provider":"file /kek","version":1},)"
            R"({"act":"wrap","count":3,"first":"data key 1","kek":"mailwarden",)"
            R"("last":"data key 3","provider":"file /kek","version":1},)"
            R"({"act":"wrap","count":1,"first":"data key 4","kek":"mailwarden",)"
            R"("last":"data key 4","provider":"file /kek","version":2},)"
            R"({"act":"unwrap","count":1,"first":"data key 5","kek":"mailwarden",)"
            R"("last":"data key 5","provider":"file /kek","version":1}])");
}

TEST(KekUses, GivesEachUseOnce) {
  KekUses uses;
  const auto listener = uses.listener();
  EXPECT_TRUE(uses.take().empty());
  EXPECT_EQ(to_records(uses.take()), json::Array());
  listener(use(wrap, 1, "a"));
  listener(use(wrap, 1, "b"));
  EXPECT_EQ(uses.take().at(0).count, 2);
  listener(use(wrap, 1, "c"));
  const auto used = uses.take();
  EXPECT_EQ(used.at(0).count, 1);
  EXPECT_EQ(used.at(0).first, "c");
  EXPECT_TRUE(uses.take().empty());
}

TEST(KekUses, HasBoundsHoweverManyUsesThereAre) {
  KekUses uses;
  const auto listener = uses.listener();
  const std::string text(100'000, 'x');
  constexpr std::uint32_t kinds = 10'000;
  for (std::uint32_t version = 1; version <= kinds; ++version) {
    listener(use(version % 2 == 0 ? wrap : unwrap, version, text, version % 3 == 0 ? text : ""));
  }
  listener(use(unwrap, 1, "one that is known already"));
  const auto used = uses.take();
  EXPECT_EQ(used.size(), KekUses::groups_max + 4);
  std::int64_t count = 0;
  std::int64_t count_of_others = 0;
  for (const KekUsed& one : used) {
    count += one.count;
    if (one.kek.name == KekUses::others) count_of_others += one.count;
    for (const std::string& held : {one.first, one.last, one.error, one.kek.name, one.provider}) {
      EXPECT_LE(held.size(), KekUses::text_bytes_max);
    }
  }
  EXPECT_EQ(count, kinds + 1);
  EXPECT_EQ(count_of_others, kinds - KekUses::groups_max);
}

TEST(KekUses, LosesNoneOfSeveralThreads) {
  KekUses uses;
  const auto listener = uses.listener();
  constexpr int each = 2000;
  std::int64_t count = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < each; ++i) listener(use(wrap, 1, "key"));
      });
    }
    for (int i = 0; i < 100; ++i) {
      for (const KekUsed& one : uses.take()) count += one.count;
    }
  }
  for (const KekUsed& one : uses.take()) count += one.count;
  EXPECT_EQ(count, 4 * each);
}

class KekUsesOfABook : public BookTest {};

TEST_F(KekUsesOfABook, AreToldByItsProvider) {
  KekUses uses;
  CutProvider told(kek, uses.listener());
  const auto vault = try_open(told).value();
  const auto made = uses.take();
  ASSERT_EQ(made.size(), 2U);
  EXPECT_EQ(made[0].act, wrap);
  EXPECT_EQ(made[0].count, 3);
  EXPECT_EQ(made[0].first, "data key 1 version 1");
  EXPECT_EQ(made[0].last, "data key 3 version 1");
  EXPECT_EQ(made[1].act, unwrap);
  const auto sealed = vault->seal(note("1"), Subjects{"ada@example.com"}, "v").value();
  vault->forget();
  static_cast<void>(uses.take());
  told.cut = true;
  EXPECT_FALSE(vault->open(note("1"), sealed));
  const auto failed = uses.take();
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_FALSE(failed[0].succeeded);
  EXPECT_NE(failed[0].error.find("the way is cut"), std::string::npos);
}

}  // namespace
}  // namespace mailwarden::vault
