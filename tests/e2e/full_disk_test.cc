// A disk that is really full, and then is not any more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;

// The store lies on a disk of its own, of which something else has taken most.
TEST(FullDisk, IsSaidAndWaitedForAndNothingIsLost) {
  RunningDaemon daemon;
  constexpr int lines = 15'000;
  write_file(daemon.path("auth.log"), ssh_log(lines));
  std::filesystem::create_directory(daemon.path("disk"));
  daemon.keep_store_in("disk");
  std::vector<std::string> launcher{"/usr/bin/unshare", "--mount"};
  if (::geteuid() != 0) launcher.emplace_back("--map-root-user");
  launcher.insert(launcher.end(), {"/bin/sh", "-c",
                                   "mount -t tmpfs -o size=80m tmpfs \"$0\" &&"
                                   " head -c 78000000 /dev/zero >\"$0/other\" && exec \"$@\"",
                                   daemon.path("disk")});
  daemon.start_by(launcher, {"--source", "file:" + daemon.path("auth.log") + ",name=auth"});
  daemon.wait_until([&] { return daemon.output().contains("database or disk is full"); });
  // It answers from what it has, and says that it cannot take more.
  daemon.wait_until([&] { return daemon.ask("/readyz").status == 503; });
  EXPECT_THAT(daemon.ask("/readyz").body, HasSubstr("disk is full"));
  EXPECT_EQ(daemon.ask("/healthz").status, 200U);
  EXPECT_EQ(daemon.ask("/api/v1/incidents").status, 200U);
  const std::int64_t before = daemon.get("/api/v1/status").integer("events");
  EXPECT_LT(before, lines);
  std::filesystem::remove(daemon.seen(daemon.path("disk/other")));
  daemon.wait_for_events(lines);
  EXPECT_THAT(daemon.output(), HasSubstr("the store takes what comes again"));
  daemon.wait_until([&] { return daemon.ask("/readyz").status == 200; });
  std::vector<std::string> verify{"/usr/bin/nsenter", "--mount", "--target", daemon.id()};
  if (::geteuid() != 0) verify.insert(verify.begin() + 1, "--user");
  verify.insert(verify.end(), {program_folder() + "/mailwarden", "ledger", "verify", "--key",
                               daemon.path("key.pub"), "--store", daemon.store()});
  Process verifying(verify, daemon.path("verdict"));
  EXPECT_EQ(verifying.wait(), 0) << read_file(daemon.path("verdict"));
}

}  // namespace
}  // namespace mailwarden
