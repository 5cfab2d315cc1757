// `mailwarden store` on a disk that forgets what nobody synced: a store is made or changed as a
// whole or not at all, and is whole once the command has said so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/core.h"
#include "store/copy.h"
#include "tests/e2e/daemon.h"
#include "tests/fault/crash.h"

namespace mailwarden::fault {
namespace {

using Sums = std::map<std::string, store::TableSum>;

Sums sums_of(const std::string& file) {
  Sums sums;
  const auto database = db::open_url("sqlite:" + file);
  EXPECT_TRUE(database) << database.error().what;
  if (!database) return sums;
  const auto tables = (*database)->tables();
  EXPECT_TRUE(tables) << tables.error().what;
  if (!tables || tables->empty()) return sums;
  const auto all = store::sum(**database);
  EXPECT_TRUE(all) << all.error().what;
  if (!all) return sums;
  for (const store::TableSum& one : *all) sums.emplace(one.name, one);
  return sums;
}

// Has rows before anything is stored, and grows with each step.
constexpr std::string_view steps_table = "schema_migration";

bool has_rows(const Sums& sums) {
  return std::ranges::any_of(
      sums, [](const auto& one) { return one.first != steps_table && one.second.rows > 0; });
}

struct Copying {
  std::string what;
  std::vector<std::string> words;  // with what is copied and where to in their places
  bool is_file_all_or_nothing = false;
};

void PrintTo(const Copying& one, std::ostream* out) {
  *out << one.what;
}

class StoreCrash : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_recordable) GTEST_SKIP() << "the recorder cannot be loaded before a sanitizer";
    write_file(daemon_.path("auth.log"), ssh_log(300));
    ASSERT_EQ(daemon_.once("file:" + daemon_.path("auth.log") + ",year=2026"), 0);
    whole_ = sums_of(daemon_.path("m.db"));
    ASSERT_TRUE(has_rows(whole_));
  }

  TestDaemon daemon_;
  TemporaryFolder disk_;
  Sums whole_;
};

class Copies : public StoreCrash, public testing::WithParamInterface<Copying> {
 protected:
  std::vector<std::string> arguments(const std::string& folder) const {
    std::vector<std::string> all{program_folder() + "/mailwarden", "store"};
    for (std::string word : GetParam().words) {
      if (word == "FROM") word = daemon_.store();
      if (word == "FROM_FILE") word = daemon_.path("m.db");
      if (word == "TO") word = "sqlite:" + folder + "/to.db";
      if (word == "TO_FILE") word = folder + "/to.db";
      all.push_back(word);
    }
    return all;
  }

  void expect_all_or_nothing(const Crash& crash, const VolatileDisk& disk) {
    TemporaryFolder image;
    leave(disk, crash, image.path());
    const std::string file = image.path("to.db");
    const bool exists = std::filesystem::exists(file);
    const Sums left = exists ? sums_of(file) : Sums();
    if (crash.is_end || has_rows(left) || (exists && GetParam().is_file_all_or_nothing)) {
      EXPECT_EQ(left, whole_);
      return;
    }
    Process again(arguments(image.path()), image.path("output"));
    EXPECT_EQ(again.wait(), 0) << read_file(image.path("output"));
    EXPECT_EQ(sums_of(file), whole_);
  }
};

TEST_P(Copies, AreWholeOrNothing) {
  Recording recording(disk_.path());
  const Ran& ran = recording.run(arguments(disk_.path()));
  ASSERT_EQ(ran.code, 0) << ran.output;
  EXPECT_THAT(recording.unseen(), testing::IsEmpty());
  recording.each(
      recording.crashes(15), Names::strict,
      [&](const Crash& crash, const VolatileDisk& disk) { expect_all_or_nothing(crash, disk); });
}

INSTANTIATE_TEST_SUITE_P(
    Table, Copies,
    testing::Values(Copying{"copy", {"copy", "--store", "FROM", "--to", "TO"}},
                    Copying{"backup", {"backup", "--store", "FROM", "-o", "TO_FILE"}, true},
                    Copying{"restore", {"restore", "-i", "FROM_FILE", "--store", "TO"}}));

// A store as an older program left it, with rows.
void make_older(const std::string& file, const std::string& whole, std::size_t steps) {
  const auto database = db::open_url("sqlite:" + file).value();
  const auto all = app::all_migrations();
  ASSERT_LT(steps, all.size());
  ASSERT_TRUE(db::migrate(*database, std::span(all).first(steps), {}));
  ASSERT_TRUE(database->execute("PRAGMA foreign_keys=OFF; ATTACH '" + whole + "' AS whole"));
  const auto tables = database->tables().value();
  for (const db::Table& table : tables) {
    if (table.name == steps_table) continue;
    const auto done =
        database->execute("INSERT INTO " + table.name + " SELECT * FROM whole." + table.name);
    ASSERT_TRUE(done) << done.error().what;
  }
}

TEST_F(StoreCrash, TakesAllStepsOfTablesOrNone) {
  const auto all = app::all_migrations();
  const std::size_t old_steps = all.size() - 4;
  make_older(disk_.path("m.db"), daemon_.path("m.db"), old_steps);
  const Sums older = sums_of(disk_.path("m.db"));
  ASSERT_TRUE(has_rows(older));
  const auto arguments = [](const std::string& folder) {
    return std::vector<std::string>{program_folder() + "/mailwarden", "store", "migrate", "--store",
                                    "sqlite:" + folder + "/m.db"};
  };
  Recording recording(disk_.path());
  const Ran& ran = recording.run(arguments(disk_.path()));
  ASSERT_EQ(ran.code, 0) << ran.output;
  EXPECT_THAT(recording.unseen(), testing::IsEmpty());
  recording.each(recording.crashes(15), Names::strict,
                 [&](const Crash& crash, const VolatileDisk& disk) {
                   TemporaryFolder image;
                   leave(disk, crash, image.path());
                   {
                     const auto store = db::open_url("sqlite:" + image.path("m.db")).value();
                     const auto steps = store->integer("SELECT COUNT(*) FROM schema_migration");
                     ASSERT_TRUE(steps) << steps.error().what;
                     const auto now = static_cast<std::int64_t>(all.size());
                     if (*steps != now) {
                       EXPECT_EQ(*steps, static_cast<std::int64_t>(old_steps));
                       EXPECT_FALSE(crash.is_end);
                     }
                   }
                   const Sums left = sums_of(image.path("m.db"));
                   for (const auto& [table, sum] : older) {
                     if (table == steps_table) continue;
                     EXPECT_EQ(left.at(table), sum) << table;
                   }
                   Process again(arguments(image.path()), image.path("output"));
                   EXPECT_EQ(again.wait(), 0) << read_file(image.path("output"));
                   const auto store = db::open_url("sqlite:" + image.path("m.db")).value();
                   EXPECT_TRUE(db::check_migrations(*store, all));
                 });
}

}  // namespace
}  // namespace mailwarden::fault
