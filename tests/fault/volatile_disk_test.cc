// Whether the disk that the other tests crash forgets what it should, and nothing else; and small
// programs on it.
#include "tests/fault/volatile_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/ed25519.h"
#include "crypto/sha256.h"
#include "db/open.h"
#include "tests/fault/crash.h"

namespace mailwarden::fault {
namespace {

using Files = std::map<std::string, std::string>;

class VolatileDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!is_recordable) GTEST_SKIP() << "the recorder cannot be loaded before a sanitizer";
    std::filesystem::create_directory(disk_.path("outside"));
  }

  std::unique_ptr<Recording> record(const std::string& what) {
    auto made = std::make_unique<Recording>(disk_.path());
    const Ran& ran = made->run({program_folder() + "/fault_probe", what, disk_.path()});
    EXPECT_EQ(ran.code, 0) << ran.output;
    return made;
  }
  // The lines that were said before the crash.
  static std::vector<std::string> said(const std::string& folder) {
    std::vector<std::string> lines;
    std::istringstream in(read_file(folder + "/outside/said"));
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }

  TemporaryFolder disk_;
};

struct Forgotten {
  std::string what;
  Names names;
  Files left;
};

void PrintTo(const Forgotten& one, std::ostream* out) {
  *out << one.what;
}

class Forgets : public VolatileDiskTest, public testing::WithParamInterface<Forgotten> {};

TEST_P(Forgets, WhatWasNotSynced) {
  write_file(disk_.path("old"), "old");
  const auto recording = record(GetParam().what);
  EXPECT_THAT(recording->unseen(), testing::IsEmpty());
  recording->each({{.operations = recording->operations().size(), .loss = Loss::dropped}},
                  GetParam().names, [&](const Crash& crash, const VolatileDisk& disk) {
                    TemporaryFolder image;
                    leave(disk, crash, image.path());
                    EXPECT_EQ(files_in(image.path()), GetParam().left);
                  });
}

INSTANTIATE_TEST_SUITE_P(
    Table, Forgets,
    testing::Values(Forgotten{"nothing_synced", Names::strict, {{"old", "old"}}},
                    Forgotten{"nothing_synced", Names::with_file, {{"old", "old"}}},
                    Forgotten{"file_synced", Names::strict, {{"old", "old"}}},
                    Forgotten{"file_synced", Names::with_file, {{"new", "new"}, {"old", "old"}}},
                    Forgotten{"folder_synced", Names::strict, {{"new", ""}, {"old", "old"}}},
                    Forgotten{"all_synced", Names::strict, {{"new", "new"}, {"old", "old"}}},
                    Forgotten{"written_over", Names::strict, {{"old", "old"}}},
                    Forgotten{"cut", Names::strict, {{"old", "o"}}},
                    Forgotten{"renamed", Names::strict, {{"old", "old"}}},
                    Forgotten{"renamed", Names::with_file, {{"new", "new"}, {"old", "old"}}},
                    Forgotten{"rename_synced", Names::strict, {{"old", "new"}}},
                    Forgotten{"removed", Names::strict, {{"old", "old"}}}));

TEST_F(VolatileDiskTest, WhatTheRecorderDoesNotSeeIsFound) {
  EXPECT_EQ(record("stdio")->unseen(), std::vector<std::string>{"new"});
}

TEST_F(VolatileDiskTest, TearsInSectorsAndInAnyOrder) {
  std::filesystem::remove(disk_.path("outside"));
  VolatileDisk disk("/d", disk_.path());
  disk.carry_out({.kind = Kind::open, .file = 1, .place = made, .name = "/d/f"});
  disk.carry_out({.kind = Kind::open, .file = 2, .name = "/d"});
  disk.carry_out({.kind = Kind::sync, .file = 2});
  disk.carry_out({.kind = Kind::write, .file = 1, .place = 0, .data = std::string(512, 'a')});
  disk.carry_out({.kind = Kind::write, .file = 1, .place = 512, .data = std::string(512, 'b')});
  std::set<std::string> seen;
  for (unsigned seed = 0; seed < 64; ++seed) {
    TemporaryFolder image;
    std::mt19937 random(seed);
    disk.leave(image.path(), Loss::torn, random);
    seen.insert(read_file(image.path("f")));
  }
  EXPECT_THAT(seen, testing::UnorderedElementsAre("", std::string(512, 'a'),
                                                  std::string(512, 'a') + std::string(512, 'b'),
                                                  std::string(512, '\0') + std::string(512, 'b')));
}

TEST_F(VolatileDiskTest, AFileThatIsWrittenDurablyIsWholeOrAbsent) {
  const auto recording = record("write_durably");
  EXPECT_THAT(recording->unseen(), testing::IsEmpty());
  recording->each(recording->crashes(200), Names::strict,
                  [&](const Crash& crash, const VolatileDisk& disk) {
                    TemporaryFolder image;
                    leave(disk, crash, image.path());
                    const Files files = files_in(image.path());
                    for (const std::string& name : said(image.path())) {
                      EXPECT_TRUE(files.contains(name)) << name << " was said to be durable";
                    }
                    for (const auto& [name, bytes] : files) {
                      if (name == "outside/said" || name.ends_with(".new")) continue;
                      EXPECT_EQ(bytes, std::string(3000, name.back())) << name;
                    }
                  });
}

TEST_F(VolatileDiskTest, AKeyIsWholeOrAbsent) {
  const auto recording = record("make_key");
  recording->each(recording->crashes(200), Names::strict,
                  [&](const Crash& crash, const VolatileDisk& disk) {
                    TemporaryFolder image;
                    leave(disk, crash, image.path());
                    const auto key = crypto::Signer::load(image.path("key"));
                    const auto lines = said(image.path());
                    if (!lines.empty()) {
                      ASSERT_TRUE(key) << key.error().what;
                      EXPECT_EQ(crypto::to_hex(key->public_key()), lines.front());
                    } else if (!key) {
                      EXPECT_EQ(key.error().code, Code::not_found) << key.error().what;
                    }
                  });
}

// The log is carried into the store and begun anew beside the writer.
TEST_F(VolatileDiskTest, WhatWasCommittedStays) {
  const auto recording = record("commit_synced");
  EXPECT_THAT(recording->unseen(), testing::IsEmpty());
  constexpr std::int64_t rows_a_commit = 40;
  recording->each(
      recording->crashes(60), Names::strict, [&](const Crash& crash, const VolatileDisk& disk) {
        TemporaryFolder image;
        leave(disk, crash, image.path());
        const auto committed = static_cast<std::int64_t>(said(image.path()).size());
        const auto store = db::open_url("sqlite:" + image.path("m.db"));
        ASSERT_TRUE(store) << store.error().what;
        const auto rows = (*store)->integer("SELECT COUNT(*) FROM t");
        if (committed == 0 && !rows) return;
        ASSERT_TRUE(rows) << rows.error().what;
        EXPECT_GE(*rows, committed * rows_a_commit);
        EXPECT_LE(*rows, (committed + 1) * rows_a_commit);
        EXPECT_EQ(*rows % rows_a_commit, 0);
        EXPECT_EQ((*store)->integer("SELECT COUNT(*) FROM t WHERE LENGTH(text) = 15000"), *rows);
        EXPECT_EQ((*store)->integer("SELECT COUNT(*) FROM pragma_integrity_check"
                                    " WHERE integrity_check = 'ok'"),
                  1);
      });
}

// The same without SQLite's syncs, so that the test above can fail.
TEST_F(VolatileDiskTest, WhatWasCommittedWithoutASyncIsLost) {
  const auto recording = record("commit_unsynced");
  EXPECT_THAT(recording->unseen(), testing::IsEmpty());
  recording->each({{.operations = recording->operations().size(), .loss = Loss::dropped}},
                  Names::strict, [&](const Crash& crash, const VolatileDisk& disk) {
                    TemporaryFolder image;
                    leave(disk, crash, image.path());
                    EXPECT_EQ(said(image.path()).size(), 60U);
                    const auto store = db::open_url("sqlite:" + image.path("m.db")).value();
                    EXPECT_EQ(store->integer("SELECT COUNT(*) FROM t").value_or(0), 0);
                  });
}

}  // namespace
}  // namespace mailwarden::fault
