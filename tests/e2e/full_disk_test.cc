// A disk that is really full, and then is not any more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;

// A disk of its own in memory, which something else can take.
class SmallDisk {
 public:
  explicit SmallDisk(std::string folder) : folder_(std::move(folder)) {
    std::filesystem::create_directory(folder_);
    mounted_ = command({"/bin/mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", folder_}) == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) command({"/bin/umount", "--lazy", folder_});
  }

  bool is_mounted() const { return mounted_; }
  void fill_but(std::size_t bytes) {
    const std::size_t free = std::filesystem::space(folder_).available;
    ASSERT_GT(free, bytes);
    write_file(other(), std::string(free - bytes, 'x'));
  }
  void free_space() { std::filesystem::remove(other()); }

 private:
  static int command(std::vector<std::string> words) {
    return Process(std::move(words), "/dev/null").wait();
  }
  std::string other() const { return folder_ + "/other"; }

  std::string folder_;
  bool mounted_ = false;
};

// A system that lets nobody in whom nobody can record.
constexpr const char* recorded_wiki = R"json([
  {"uid": {"type": "Group", "id": "staff"}, "attrs": {}, "parents": []},
  {"uid": {"type": "User", "id": "ada@example.com"}, "attrs": {"active": true},
   "parents": [{"type": "Group", "id": "staff"}]},
  {"uid": {"type": "System", "id": "wiki"},
   "attrs": {"personal_data": false, "purposes": [], "must_record": true}, "parents": []}
])json";

std::string may_ada_read(RunningDaemon& daemon) {
  return daemon
      .ask("/access/v1/evaluation", "POST",
           R"({"subject":{"type":"User","id":"ada@example.com"},"action":{"name":"read"},)"
           R"("resource":{"type":"System","id":"wiki"}})")
      .body;
}

TEST(FullDisk, IsSaidAndWaitedForAndNothingIsLost) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may mount a disk";
  RunningDaemon daemon;
  SmallDisk disk(daemon.path("disk"));
  ASSERT_TRUE(disk.is_mounted());
  daemon.keep_store_in("disk");
  constexpr int lines = 25'000;
  write_file(daemon.path("auth.log"), "");
  write_file(daemon.path("entities.json"), recorded_wiki);
  daemon.start({"--source", "file:" + daemon.path("auth.log") + ",name=auth", "--entities",
                daemon.path("entities.json")});
  disk.fill_but(1'000'000);
  write_file(daemon.path("auth.log"), ssh_log(lines));
  daemon.wait_until([&] { return daemon.output().contains("database or disk is full"); });
  // It answers from what it has, and says that it cannot take more.
  daemon.wait_until([&] { return daemon.ask("/readyz").status == 503; });
  EXPECT_THAT(daemon.ask("/readyz").body, HasSubstr("disk is full"));
  EXPECT_EQ(daemon.ask("/healthz").status, 200U);
  EXPECT_EQ(daemon.ask("/api/v1/incidents").status, 200U);
  EXPECT_LT(daemon.get("/api/v1/status").integer("events"), lines);
  EXPECT_THAT(may_ada_read(daemon), HasSubstr("could not be recorded in time"));
  EXPECT_THAT(may_ada_read(daemon), HasSubstr(R"("decision":false)"));
  disk.free_space();
  daemon.wait_for_events(lines);
  EXPECT_THAT(daemon.output(), HasSubstr("the store takes what comes again"));
  daemon.wait_until([&] { return daemon.ask("/readyz").status == 200; });
  EXPECT_THAT(may_ada_read(daemon), HasSubstr(R"("decision":true)"));
  EXPECT_EQ(daemon.stop(), 0) << daemon.output();
  EXPECT_EQ(daemon.rows("SELECT allowed FROM decision"),
            (std::multiset<std::string>{"0|", "0|", "1|"}));
  EXPECT_EQ(daemon.rows("SELECT number FROM event").size(), static_cast<std::size_t>(lines));
  const Ran verified = daemon.verify();
  EXPECT_EQ(verified.code, 0) << verified.output;
}

}  // namespace
}  // namespace mailwarden
