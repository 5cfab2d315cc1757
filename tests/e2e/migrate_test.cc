// A store that an older version has left, and a daemon that adds to its tables.
#include <span>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/core.h"
#include "db/sqlite.h"
#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class OlderStore : public testing::Test {
 protected:
  static constexpr std::size_t steps_missing = 4;

  OlderStore() {
    const auto all = app::all_migrations();
    const auto store = db::open_sqlite(daemon_.path("m.db")).value();
    EXPECT_TRUE(db::migrate(*store, std::span(all).first(all.size() - steps_missing), {}));
    write_file(daemon_.path("auth.log"), ssh_log(100));
  }

  std::string source() const { return "file:" + daemon_.path("auth.log") + ",name=auth,year=2026"; }
  std::int64_t steps() const {
    return daemon_.open()->integer("SELECT COUNT(*) FROM schema_migration").value();
  }

  TestDaemon daemon_;
};

TEST_F(OlderStore, IsCompletedByTheDaemonWhichSaysSo) {
  ASSERT_EQ(daemon_.once(source()), 0) << daemon_.output();
  EXPECT_THAT(daemon_.output(), HasSubstr("whether it bears that is tried first"));
  EXPECT_EQ(steps(), std::ssize(app::all_migrations()));
  EXPECT_EQ(daemon_.rows("SELECT number FROM event").size(), 100U);
  EXPECT_EQ(daemon_.verify().code, 0);
  const std::string before = daemon_.output();
  ASSERT_EQ(daemon_.once(source()), 0) << daemon_.output();
  EXPECT_THAT(daemon_.output().substr(before.size()), testing::Not(HasSubstr("is tried first")));
}

TEST_F(OlderStore, IsLeftAsItWasWhereItDoesNotBearTheSteps) {
  const std::int64_t before = steps();
  EXPECT_EQ(daemon_.once(source(), {"--store-bytes-max", "1"}), 3);
  EXPECT_THAT(daemon_.output(), HasSubstr("mailwardend: store: table step "));
  EXPECT_THAT(daemon_.output(), HasSubstr("database or disk is full; the store stays as it was"));
  EXPECT_EQ(steps(), before);
  EXPECT_FALSE(std::filesystem::exists(daemon_.path("m.db.trial")));
  const Ran completed = mailwarden({"store", "migrate", "--store", daemon_.store()});
  EXPECT_EQ(completed.code, 0) << completed.output;
  EXPECT_EQ(steps(), std::ssize(app::all_migrations()));
}

}  // namespace
}  // namespace mailwarden
