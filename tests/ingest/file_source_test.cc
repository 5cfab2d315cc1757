#include "ingest/file_source.h"

#include <filesystem>
#include <random>

#include <gtest/gtest.h>

#include "tests/temporary.h"

namespace mailwarden::ingest {
namespace {

namespace fs = std::filesystem;

constexpr Timestamp start{1'800'000'000'000'000};

// Reads a source as the daemon does, keeps what was committed, and can be started anew from it.
class Watch {
 public:
  explicit Watch(std::string glob) { options_ = {.name = "log", .glob = std::move(glob)}; }

  FileSourceOptions& options() { return options_; }

  // Everything up to the present end, one line a line of text.
  std::string read(bool at_end = false) {
    if (!source_) source_ = std::make_unique<FileSource>(options_, states());
    std::string text;
    // A look is due at every turn, whatever was looked at before.
    now_ = now_ + options_.look_interval;
    while (true) {
      const auto batch = source_->read(now_, at_end);
      if (!batch) ADD_FAILURE() << batch.error().what;
      if (!batch || !*batch) return text;
      for (const Gap& gap : (*batch)->gaps) gaps_.push_back(gap.what);
      for (const RawRecord& record : (*batch)->records) {
        text += record.bytes + (record.partial ? "…" : "") + "\n";
        EXPECT_TRUE(ids_.insert(record.id).second) << "read twice: " << record.bytes;
      }
      if ((*batch)->after) committed_[(*batch)->after->stream] = *(*batch)->after;
    }
  }

  void restart() { source_.reset(); }
  void pass(Duration time) { now_ = now_ + time; }
  const std::vector<std::string>& gaps() const { return gaps_; }
  std::size_t streams() const { return committed_.size(); }

 private:
  std::vector<StreamState> states() const {
    std::vector<StreamState> states;
    for (const auto& [stream, state] : committed_) states.push_back(state);
    return states;
  }

  FileSourceOptions options_;
  std::unique_ptr<FileSource> source_;
  std::map<std::int64_t, StreamState> committed_;
  std::set<EventId> ids_;
  std::vector<std::string> gaps_;
  Timestamp now_ = start;
};

std::string lines(const std::string& word, int from, int to) {
  std::string text;
  for (int i = from; i <= to; ++i) text += word + " " + std::to_string(i) + "\n";
  return text;
}

// Whether a file is followed through must not hang on how much is in it.
class FileSourceSizes : public testing::TestWithParam<int> {
 protected:
  TemporaryFolder folder_;
  std::string log_ = folder_.path("app.log");
  int count_ = GetParam();
};

INSTANTIATE_TEST_SUITE_P(Lines, FileSourceSizes, testing::Values(1, 40, 3000));

TEST_P(FileSourceSizes, ReadsOnFromWhereItWas) {
  Watch watch(log_);
  EXPECT_EQ(watch.read(), "");
  write_file(log_, lines("a", 1, count_));
  EXPECT_EQ(watch.read(), lines("a", 1, count_));
  append_file(log_, lines("b", 1, 2));
  EXPECT_EQ(watch.read(), lines("b", 1, 2));
  watch.restart();
  EXPECT_EQ(watch.read(), "");
  append_file(log_, lines("c", 1, count_));
  EXPECT_EQ(watch.read(), lines("c", 1, count_));
  EXPECT_EQ(watch.streams(), 1U);
  EXPECT_TRUE(watch.gaps().empty());
}

TEST_P(FileSourceSizes, FollowsRenameRotation) {
  Watch watch(log_);
  write_file(log_, lines("a", 1, count_));
  EXPECT_EQ(watch.read(), lines("a", 1, count_));
  append_file(log_, lines("late", 1, 1));
  fs::rename(log_, log_ + ".1");
  write_file(log_, lines("a", 1, count_));
  EXPECT_EQ(watch.read(), lines("late", 1, 1) + lines("a", 1, count_));
  append_file(log_ + ".1", lines("later", 1, 1));
  EXPECT_EQ(watch.read(), lines("later", 1, 1));
  EXPECT_TRUE(watch.gaps().empty());
}

TEST_P(FileSourceSizes, FollowsFiveRotationsBetweenTwoLooks) {
  Watch watch(log_);
  write_file(log_, lines("first", 1, count_));
  EXPECT_EQ(watch.read(), lines("first", 1, count_));
  std::string expected;
  for (int round = 1; round <= 5; ++round) {
    const std::string text = lines("round " + std::to_string(round), 1, count_);
    append_file(log_, text);
    expected += text;
    for (int old = 5; old >= 1; --old) {
      const std::string name = log_ + "." + std::to_string(old);
      if (fs::exists(name)) fs::rename(name, log_ + "." + std::to_string(old + 1));
    }
    fs::rename(log_, log_ + ".1");
    write_file(log_, "");
  }
  append_file(log_, "after\n");
  EXPECT_EQ(watch.read(), expected + "after\n");
  EXPECT_TRUE(watch.gaps().empty());
}

TEST_P(FileSourceSizes, FindsAFileThatWasRotatedWhileNobodyWatched) {
  Watch watch(log_);
  write_file(log_, lines("a", 1, count_));
  EXPECT_EQ(watch.read(), lines("a", 1, count_));
  watch.restart();
  append_file(log_, lines("b", 1, 2));
  fs::rename(log_, log_ + ".1");
  write_file(log_, lines("c", 1, 2));
  EXPECT_EQ(watch.read(), lines("b", 1, 2) + lines("c", 1, 2));
  EXPECT_TRUE(watch.gaps().empty());
}

TEST_P(FileSourceSizes, ReadsTheRestFromTheCopyOfCopytruncate) {
  for (const bool glob_takes_copies : {false, true}) {
    fs::remove(log_);
    fs::remove(log_ + ".1");
    Watch watch(glob_takes_copies ? log_ + "*" : log_);
    write_file(log_, lines("a", 1, count_));
    EXPECT_EQ(watch.read(), lines("a", 1, count_));
    append_file(log_, lines("unread", 1, 2));
    fs::copy_file(log_, log_ + ".1");
    fs::resize_file(log_, 0);
    append_file(log_, lines("new", 1, 2));
    EXPECT_EQ(watch.read(), lines("unread", 1, 2) + lines("new", 1, 2));
    EXPECT_TRUE(watch.gaps().empty());
    watch.restart();
    EXPECT_EQ(watch.read(), "");
  }
}

TEST_P(FileSourceSizes, ATruncatedFileIsReadFromItsStartAndTheGapIsTold) {
  Watch watch(log_);
  write_file(log_, lines("a", 1, count_));
  EXPECT_EQ(watch.read(), lines("a", 1, count_));
  fs::resize_file(log_, 0);
  append_file(log_, lines("longer than before", 1, count_ + 1));
  EXPECT_EQ(watch.read(), lines("longer than before", 1, count_ + 1));
  ASSERT_EQ(watch.gaps().size(), 1U);
  EXPECT_TRUE(watch.gaps()[0].starts_with(log_ + " was truncated after byte "));
}

TEST_P(FileSourceSizes, ADeletedFileIsReadToItsEndAndItsSuccessorIsNew) {
  Watch watch(log_);
  write_file(log_, lines("a", 1, count_));
  EXPECT_EQ(watch.read(), lines("a", 1, count_));
  append_file(log_, lines("unread", 1, 1));
  fs::remove(log_);
  EXPECT_EQ(watch.read(), lines("unread", 1, 1));
  EXPECT_EQ(watch.read(), "");
  write_file(log_, lines("b", 1, count_));
  EXPECT_EQ(watch.read(), lines("b", 1, count_));
}

TEST(FileSource, AFileWrittenAnewWithTheSameLinesIsNew) {
  TemporaryFolder folder;
  const std::string log = folder.path("app.log");
  Watch watch(log);
  write_file(log, "started\n");
  EXPECT_EQ(watch.read(), "started\n");
  fs::remove(log);
  EXPECT_EQ(watch.read(), "");
  write_file(log, "started\n");
  EXPECT_EQ(watch.read(), "started\n");
}

TEST(FileSource, ReadsEveryFileOfAGlobOnceHoweverItIsNamed) {
  TemporaryFolder folder;
  Watch watch(folder.path("*.log"));
  write_file(folder.path("a.log"), lines("a", 1, 200));
  write_file(folder.path("b.log"), lines("b", 1, 200));
  fs::create_hard_link(folder.path("a.log"), folder.path("c.log"));
  EXPECT_EQ(watch.read(), lines("a", 1, 200) + lines("b", 1, 200));
  fs::copy_file(folder.path("a.log"), folder.path("d.log"));
  EXPECT_EQ(watch.read(), "");
  append_file(folder.path("d.log"), "and then it went its own way\n");
  append_file(folder.path("a.log"), lines("a", 201, 201));
  EXPECT_EQ(watch.read(),
            lines("a", 201, 201) + lines("a", 1, 200) + "and then it went its own way\n");
}

TEST(FileSource, AnUnfinishedLineWaitsForItsEndUnlessThisIsTheEnd) {
  TemporaryFolder folder;
  const std::string log = folder.path("app.log");
  Watch watch(log);
  write_file(log, "whole\nhal");
  EXPECT_EQ(watch.read(), "whole\n");
  append_file(log, "f\r\n");
  EXPECT_EQ(watch.read(), "half\n");
  append_file(log, "rest");
  EXPECT_EQ(watch.read(true), "rest\n");
  EXPECT_EQ(watch.read(true), "");
}

TEST(FileSource, AnOverlongLineComesInPiecesAndLosesNothing) {
  TemporaryFolder folder;
  const std::string log = folder.path("app.log");
  Watch watch(log);
  watch.options().batch.record_bytes_max = 10;
  write_file(log, "before\n" + std::string(25, 'x') + "\nafter\n");
  EXPECT_EQ(watch.read(), "before\nxxxxxxxxxx…\nxxxxxxxxxx…\nxxxxx…\nafter\n");
}

TEST(FileSource, NulBytesAndInvalidTextPassAsTheyAre) {
  TemporaryFolder folder;
  const std::string log = folder.path("app.log");
  Watch watch(log);
  write_file(log, std::string("a\0b\n\xFF\xFE\n", 7));
  EXPECT_EQ(watch.read(), std::string("a\0b\n\xFF\xFE\n", 7));
}

TEST(FileSource, WhatCannotBeReadIsToldOnce) {
  TemporaryFolder folder;
  Watch watch(folder.path("*"));
  fs::create_directory(folder.path("folder"));
  write_file(folder.path("old.gz"), std::string("\x1F\x8B\x08 compressed", 14));
  ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(watch.read(), "");
  EXPECT_EQ(watch.read(), "");
  ASSERT_EQ(watch.gaps().size(), 3U);
  EXPECT_EQ(watch.gaps()[0], "cannot be read: " + folder.path("folder") + ": not a regular file");
  EXPECT_EQ(watch.gaps()[1], folder.path("old.gz") + " is compressed and is not read");
}

TEST(FileSource, AFileGoneWithoutATraceIsAGapAfterARestart) {
  TemporaryFolder folder;
  const std::string log = folder.path("app.log");
  Watch watch(log);
  write_file(log, "a line\n");
  EXPECT_EQ(watch.read(), "a line\n");
  watch.restart();
  fs::remove(log);
  EXPECT_EQ(watch.read(), "");
  ASSERT_EQ(watch.gaps().size(), 1U);
  EXPECT_EQ(watch.gaps()[0], log +
                                 ", read up to byte 7, is not there any more; what was written "
                                 "behind it since is lost");
  watch.restart();
  EXPECT_EQ(watch.read(), "");
  EXPECT_EQ(watch.gaps().size(), 1U);
}

TEST(FileSource, ARotatedFileIsLetGoWhenNothingCameForLong) {
  TemporaryFolder folder;
  const std::string log = folder.path("app.log");
  Watch watch(log);
  write_file(log, "a\n");
  EXPECT_EQ(watch.read(), "a\n");
  fs::rename(log, log + ".1");
  EXPECT_EQ(watch.read(), "");
  watch.pass(std::chrono::minutes(10));
  EXPECT_EQ(watch.read(), "");
  append_file(log + ".1", "too late\n");
  EXPECT_EQ(watch.read(), "");
}

TEST(FileSource, FollowsNoMoreThanItsLimit) {
  TemporaryFolder folder;
  Watch watch(folder.path("*.log"));
  watch.options().files_max = 1;
  write_file(folder.path("a.log"), "a\n");
  write_file(folder.path("b.log"), "b\n");
  EXPECT_EQ(watch.read(), "a\n");
  ASSERT_EQ(watch.gaps().size(), 1U);
  EXPECT_NE(watch.gaps()[0].find("b.log is not read: more than 1 files"), std::string::npos);
}

// Whatever a log does between two looks, and wherever the daemon is started anew, every line that
// was written comes once and in the order of its file.
TEST(FileSource, RandomRotationsAndRestartsLoseNothing) {
  std::mt19937 random(20261124);
  for (int run = 0; run < 30; ++run) {
    TemporaryFolder folder;
    const std::string log = folder.path("app.log");
    Watch watch(log);
    write_file(log, "");
    std::string written;
    std::string got;
    int line = 0;
    for (int step = 0; step < 60; ++step) {
      switch (random() % 6) {
        case 0:
        case 1:
        case 2: {
          const std::string text =
              lines("run", line + 1, line + 1 + static_cast<int>(random() % 90));
          line += static_cast<int>(std::ranges::count(text, '\n'));
          append_file(log, text);
          written += text;
          break;
        }
        case 3:
          got += watch.read();
          break;
        case 4:
          if (fs::file_size(log) == 0) break;
          got += watch.read();
          for (int old = 60; old >= 1; --old) {
            const std::string name = log + "." + std::to_string(old);
            if (fs::exists(name)) fs::rename(name, log + "." + std::to_string(old + 1));
          }
          fs::rename(log, log + ".1");
          write_file(log, "");
          break;
        default:
          watch.restart();
          break;
      }
    }
    got += watch.read();
    const auto differs = std::ranges::mismatch(got, written).in1 - got.begin();
    ASSERT_TRUE(got == written) << "run " << run << " differs at byte " << differs;
    ASSERT_TRUE(watch.gaps().empty()) << watch.gaps().front();
  }
}

}  // namespace
}  // namespace mailwarden::ingest
