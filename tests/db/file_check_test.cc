#include "db/file_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "db/sqlite.h"
#include "tests/db/store.h"

namespace mailwarden::db {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FileCheckTest : public testing::Test {
 protected:
  FileCheckTest() {
    const auto store = open_sqlite(path_).value();
    EXPECT_TRUE(
        store->execute("CREATE TABLE t (a TEXT); CREATE INDEX t_a ON t (a);"
                       "INSERT INTO t VALUES ('findme')"));
    index_page_ =
        store->integer("SELECT rootpage FROM sqlite_schema WHERE name = 't_a'").value() - 1;
    page_bytes_ = store->integer("PRAGMA page_size").value();
  }

  // The index says otherwise than the table, and each of them is in good order.
  void change_an_index() const {
    std::string bytes = read_file(path_);
    const std::size_t at =
        bytes.find("findme", static_cast<std::size_t>(index_page_ * page_bytes_));
    bytes.replace(at, 6, "lostme");
    write_file(path_, bytes);
  }
  // The page of the index is none.
  void tear_an_index() const {
    std::string bytes = read_file(path_);
    bytes[static_cast<std::size_t>(index_page_ * page_bytes_)] = '\x77';
    write_file(path_, bytes);
  }

  Result<FileCheck> check(const FileCheckOptions& options = {}) const {
    return check_files("sqlite:" + path_, options, stop_.get_token());
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.path("a.db");
  std::int64_t index_page_ = 0;
  std::int64_t page_bytes_ = 0;
  std::stop_source stop_;
};

TEST_F(FileCheckTest, AWholeStoreIsWholeEitherWay) {
  const auto thorough = check();
  ASSERT_TRUE(thorough) << thorough.error().what;
  EXPECT_EQ(thorough->way, "integrity_check");
  EXPECT_THAT(thorough->damage, IsEmpty());
  const auto quick = check({.thorough_bytes_max = 3 * page_bytes_ - 1});
  ASSERT_TRUE(quick) << quick.error().what;
  EXPECT_EQ(quick->way, "quick_check");
  EXPECT_THAT(quick->damage, IsEmpty());
  EXPECT_EQ(check({.thorough_bytes_max = 3 * page_bytes_})->way, "integrity_check");
}

TEST_F(FileCheckTest, OfALargeStoreAnIndexIsNotHeldAgainstItsTable) {
  change_an_index();
  EXPECT_THAT(check()->damage, ElementsAre(HasSubstr("index t_a")));
  EXPECT_THAT(check({.thorough_bytes_max = 0})->damage, IsEmpty());
}

TEST_F(FileCheckTest, APageThatIsTornIsFoundEitherWay) {
  tear_an_index();
  for (const std::int64_t bytes : {std::int64_t{0}, INT64_MAX}) {
    const auto found = check({.thorough_bytes_max = bytes});
    ASSERT_TRUE(found) << found.error().what;
    EXPECT_FALSE(found->damage.empty()) << found->way;
  }
}

TEST_F(FileCheckTest, AStoreThatCannotBeAskedIsDamaged) {
  ASSERT_TRUE(open_sqlite(path_).value()->execute(
      "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE' WHERE name = 't_a'"));
  const auto found = check();
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_THAT(found->damage, ElementsAre(HasSubstr("malformed")));
}

TEST_F(FileCheckTest, AStopCountsWheneverItComes) {
  change_an_index();
  const auto stopped = check({.begun = [this] { stop_.request_stop(); }});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::unavailable);
  EXPECT_EQ(stopped.error().what, "database: interrupted") << "it did not run to its end";
  EXPECT_EQ(check().error().what, "database: interrupted") << "asked for before it began";
}

// What SQLite itself does with an interruption that comes while nothing but the held state is read:
// the check does not run to its end, where it would find the damage.
TEST_F(FileCheckTest, AnInterruptionEndsTheNextStatementWhileOneIsOpen) {
  change_an_index();
  const auto store = open_sqlite(path_, {.read_only = true}).value();
  const auto held = store->query("SELECT COUNT(*) FROM sqlite_schema");
  ASSERT_TRUE((*held)->step());
  store->interrupt();
  EXPECT_EQ(ask_for_damage(*store, "integrity_check").error().code, Code::unavailable);
}

TEST_F(FileCheckTest, WritersAreNotHeldUpAndWhatTheyWriteIsNotSeen) {
  const auto checked = check({.begun = [this] {
    const auto writer = open_sqlite(path_, {.busy_timeout = std::chrono::milliseconds(0)}).value();
    EXPECT_TRUE(writer->execute("INSERT INTO t VALUES ('meanwhile')"));
  }});
  ASSERT_TRUE(checked) << checked.error().what;
  EXPECT_THAT(checked->damage, IsEmpty());
}

TEST_F(FileCheckTest, AStoreThatIsNotThereIsAnError) {
  std::filesystem::remove(path_);
  EXPECT_EQ(check().error().code, Code::not_found);
}

TEST(PostgresFileCheck, TheServerIsAskedWhetherItKeepsChecksums) {
  if (!is_on_postgres()) GTEST_SKIP();
  const FreshStore store;
  const auto found = check_files(store.url(), {}, std::stop_token());
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(found->way, "data_checksums");
  EXPECT_THAT(found->damage, IsEmpty());
  const auto keeps = store.open()->integer(
      "SELECT COUNT(*) FROM pg_settings WHERE name = 'data_checksums' AND setting = 'on'");
  EXPECT_EQ(found->is_unguarded, keeps.value() == 0);
}

}  // namespace
}  // namespace mailwarden::db
