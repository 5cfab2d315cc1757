// An incident handed on by the commands, from a daemon and from its store at rest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class ExportOrders : public testing::Test {
 protected:
  Ran verify(const std::string& file) {
    return mailwarden(
        {"ledger", "verify", "--export", daemon_.path(file), "--key", daemon_.path("key.pub")});
  }

  RunningDaemon daemon_;
};

TEST_F(ExportOrders, WhatTheDaemonGivesIsProvedAndSoIsWhatItsStoreGives) {
  const std::string log = daemon_.path("auth.log");
  daemon_.copy_rules();
  daemon_.copy_policies();
  write_file(log, "");
  daemon_.start({"--source", "file:" + log});
  std::string lines;
  for (int i = 0; i < 30; ++i) {
    lines += "Nov 24 02:20:0" + std::to_string(i / 3) +
             " mail1 sshd[101]: Failed password for root from 203.0.113.5 port 35757 ssh2\n";
  }
  std::ofstream(log, std::ios::app) << lines;
  daemon_.wait_for_events(30);
  daemon_.wait_until([&] { return daemon_.get("/api/v1/incidents").integer("total") > 0; });

  const Ran given = mailwarden({"incidents", "export", "1", "--socket", daemon_.path("socket"),
                                "-o", daemon_.path("of-daemon.jsonl")});
  ASSERT_EQ(given.code, 0) << given.output;
  const Ran good = verify("of-daemon.jsonl");
  EXPECT_EQ(good.code, 0) << good.output;
  EXPECT_THAT(good.output, StartsWith("good: "));

  daemon_.stop();
  const std::string store = "sqlite:" + daemon_.path("m.db");
  const Ran printed = mailwarden({"incidents", "export", "1", "--store", store});
  ASSERT_EQ(printed.code, 0) << printed.output;
  write_file(daemon_.path("of-store.jsonl"), printed.output);
  const Ran whole = verify("of-store.jsonl");
  EXPECT_EQ(whole.code, 0) << whole.output;
  EXPECT_THAT(whole.output, HasSubstr(" 0 are not proved yet")) << "the end sealed it all";

  // What runs because of it is looked at by the same words everywhere.
  const Ran runs = mailwarden({"playbook", "status", "--store", store, "--incident", "1"});
  EXPECT_EQ(runs.code, 0) << runs.output;
  EXPECT_THAT(runs.output, HasSubstr("STANDS AT"));

  // Half of it, as a full disk or a broken line leaves it.
  write_file(daemon_.path("half.jsonl"), printed.output.substr(0, printed.output.size() / 2));
  const Ran half = verify("half.jsonl");
  EXPECT_EQ(half.code, 1) << half.output;
  EXPECT_THAT(half.output, HasSubstr("the export has no end: it was cut"));

  const Ran none = mailwarden({"incidents", "export", "99", "--store", store});
  EXPECT_EQ(none.code, 1) << none.output;
  EXPECT_THAT(none.output, HasSubstr("there is no incident 99"));
  const Ran both = mailwarden({"ledger", "verify", "--export", "a", "--proof", "b", "--key", "c"});
  EXPECT_EQ(both.code, 2) << both.output;
}

}  // namespace
}  // namespace mailwarden
