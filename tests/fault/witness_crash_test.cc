// A witness on a disk that forgets: what it has cosigned it must still know, since it would cosign
// another history otherwise.
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/note.h"
#include "net/http_client.h"
#include "tests/e2e/daemon.h"
#include "tests/fault/crash.h"

namespace mailwarden::fault {
namespace {

struct Log {
  std::string origin;
  crypto::Signer signer;

  std::string note() const {
    const ledger::Checkpoint checkpoint{.origin = origin, .size = 1};
    return ledger::sign_note(to_text(checkpoint), origin, signer);
  }
};

std::vector<Log> make_logs() {
  std::vector<Log> logs;
  for (unsigned char i = 1; i <= 5; ++i) {
    logs.push_back({.origin = "example.com/log" + std::to_string(i),
                    .signer = crypto::Signer::from_seed({std::byte{i}})});
  }
  return logs;
}

TEST(WitnessCrash, KnowsWhatItHasCosigned) {
  if (!is_recordable) GTEST_SKIP() << "the recorder cannot be loaded before a sanitizer";
  const std::vector<Log> logs = make_logs();
  TestDaemon witness;
  TemporaryFolder elsewhere;
  write_file(elsewhere.path("auth.log"), "");
  std::vector<std::string> more{"--source",       "file:" + elsewhere.path("auth.log"),
                                "--witness-key",  witness.path("witness.key"),
                                "--socket",       elsewhere.path("socket"),
                                "--listen",       "127.0.0.1:0",
                                "--witness-name", "witness.example.com/w"};
  for (const Log& log : logs) {
    const ledger::VerifierKey key{.name = log.origin, .key = log.signer.public_key()};
    more.insert(more.end(), {"--witness-for", to_text(key)});
  }
  Recording recording(witness.path("."));
  Process& process = recording.begin(witness.arguments(more));
  std::map<std::string, std::uint64_t> cosigned;  // when, in bytes of the journal
  for (const Log& log : logs) {
    while (!cosigned.contains(log.origin) && !process.ended()) {
      const auto answer = net::Client().request({.method = "POST",
                                                 .url = "http://localhost/witness/add-checkpoint",
                                                 .socket = elsewhere.path("socket"),
                                                 .body = "old 0\n\n" + log.note()});
      if (answer && answer->status == 200) cosigned[log.origin] = recording.journal_bytes();
      std::this_thread::yield();
    }
  }
  process.kill(SIGTERM);
  const Ran& ran = recording.end();
  ASSERT_EQ(ran.code, 0) << ran.output;
  ASSERT_EQ(cosigned.size(), logs.size());
  EXPECT_THAT(recording.unseen(), testing::IsEmpty());
  recording.each(
      recording.crashes(60), Names::strict, [&](const Crash& crash, const VolatileDisk& disk) {
        TemporaryFolder image;
        leave(disk, crash, image.path());
        const auto store = db::open_url("sqlite:" + image.path("m.db"));
        ASSERT_TRUE(store) << store.error().what;
        for (const auto& [origin, at] : cosigned) {
          if (at > crash.journal_bytes) continue;
          EXPECT_EQ((*store)->integer("SELECT COUNT(*) FROM witness_log WHERE origin = $1",
                                      {std::string_view(origin)}),
                    1)
              << origin;
          EXPECT_TRUE(std::filesystem::exists(image.path("witness.key")));
        }
      });
}

}  // namespace
}  // namespace mailwarden::fault
