// Programs that are not ours judge the ledger: Go's own transparency logs, as Debian ships them,
// and torchwood. What they take they must also refuse as soon as one byte of it is another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "ledger/note.h"
#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;
using testing::Not;

// More than two whole tiles of leaves, so that there is a level above with more than one hash.
constexpr std::uint64_t entries_min = 600;
// Each file is a stream, whose batch is an entry of the ledger.
constexpr int files_before = 310;
constexpr int files_behind = 310;

std::string judges_folder() {
  return program_folder() + "/../ledger_judges";
}

// Serves what a daemon serves, with one byte changed at one path.
class Meddler {
 public:
  Meddler(const std::string& daemon, const std::string& spoilt) {
    auto started =
        net::HttpServer::start({.listen = {"127.0.0.1:0"}}, [=, this](const net::Request& request) {
          const std::lock_guard lock(mutex_);
          const auto answer = client_.request({.url = daemon + request.path});
          if (!answer) return net::Response{.status = 502, .body = answer.error().what};
          std::string body = answer->body;
          if (request.path == spoilt) body.back() = static_cast<char>(body.back() ^ 1);
          return net::Response{.status = answer->status, .body = std::move(body)};
        });
    server_ = std::move(started).value();
  }

  std::string url() const { return "http://" + server_->addresses().front(); }

 private:
  std::mutex mutex_;
  net::Client client_;
  std::unique_ptr<net::HttpServer> server_;
};

// A text in which one thing is another.
struct Spoilt {
  const char* name;
  std::string text;
};

std::string spoil(std::string text, std::size_t at) {
  EXPECT_LT(at, text.size());
  text[at] = text[at] == 'A' || text[at] == '1'   ? static_cast<char>(text[at] + 1)
             : text[at] >= '0' && text[at] <= '9' ? '1'
                                                  : 'A';
  return text;
}

std::vector<Spoilt> spoilt_checkpoints(const std::string& note) {
  const std::size_t size = note.find('\n') + 1;
  const std::size_t root = note.find('\n', size) + 1;
  const std::size_t signature = note.rfind(' ') + 1;
  return {{"the origin", spoil(note, 0)},
          {"the size", spoil(note, size)},
          {"the root", spoil(note, root + 5)},
          {"the key's id", spoil(note, signature + 2)},
          {"the signature", spoil(note, signature + 40)},
          {"no signature", note.substr(0, note.rfind("\n\n") + 2)},
          {"a line more", note + "\n"}};
}

std::vector<Spoilt> spoilt_proofs(const std::string& proof) {
  const std::size_t index = proof.find("\nindex ") + 7;
  const std::size_t hash = proof.find('\n', index) + 1;
  const std::size_t next_hash = proof.find('\n', hash) + 1;
  const std::size_t checkpoint = proof.find("\n\n") + 2;
  std::vector<Spoilt> all{
      {"the heading", spoil(proof, 3)},
      {"the index", spoil(proof, index)},
      {"a hash", spoil(proof, hash + 7)},
      {"a hash less", std::string(proof).erase(hash, next_hash - hash)},
      {"a hash twice", std::string(proof).insert(hash, proof.substr(hash, next_hash - hash))}};
  for (Spoilt& one : spoilt_checkpoints(proof.substr(checkpoint))) {
    all.push_back({one.name, proof.substr(0, checkpoint) + one.text});
  }
  return all;
}

class LedgerJudges : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(daemon_.path("logs"));
    std::filesystem::create_directory(daemon_.path("checkpoints"));
    write_logs(0, files_before);
    ASSERT_EQ(daemon_.once(source(), {"--checkpoints", daemon_.path("checkpoints")}), 0)
        << daemon_.output();
    write_logs(files_before, files_behind);
    daemon_.start({"--source", source(), "--checkpoints", daemon_.path("checkpoints")});
    daemon_.wait_until([&] { return served_checkpoint().size >= entries_min && is_at_rest(); });
    ASSERT_LT(older_checkpoint().size, served_checkpoint().size);
    write_file(daemon_.path("checkpoint"), daemon_.ask("/checkpoint").body);
  }

  std::string source() const { return "file:" + daemon_.path("logs") + "/*,name=auth,year=2026"; }

  void write_logs(int first, int count) {
    for (int i = first; i < first + count; ++i) {
      const std::string number = std::to_string(i);
      write_file(daemon_.path("logs/" + number), "Nov 24 08:00:00 mail1 sshd[" + number +
                                                     "]: Connection closed by 198.51.100.7 port " +
                                                     std::to_string(1024 + i) + "\n");
    }
  }

  ledger::Checkpoint open(const std::string& note) const {
    const auto key = ledger::parse_verifier_key(trim(read_file(key_file())));
    const auto checkpoint = ledger::open_checkpoint(note, key.value());
    return checkpoint ? *checkpoint : ledger::Checkpoint();
  }
  ledger::Checkpoint served_checkpoint() { return open(daemon_.ask("/checkpoint").body); }
  ledger::Checkpoint older_checkpoint() const {
    return open(read_file(older_checkpoints().front()));
  }

  // Every file is read, and the checkpoint that is served covers all that came of it.
  bool is_at_rest() {
    return !daemon_
                .rows("SELECT 1 FROM event WHERE number = " +
                      std::to_string(files_before + files_behind))
                .empty() &&
           daemon_.rows("SELECT COUNT(*) FROM ledger_entry")
               .contains(std::to_string(served_checkpoint().size) + "|");
  }

  std::string key_file() const { return daemon_.path("key.pub"); }
  // The files that the daemon has left outside its store; the smallest tree is the first.
  std::vector<std::string> older_checkpoints() const {
    std::map<std::uint64_t, std::string> by_size;
    for (const auto& file : std::filesystem::directory_iterator(daemon_.path("checkpoints"))) {
      // The daemon is at work; what it is just writing gets its name when it is whole.
      if (file.path().extension() == ".new") continue;
      by_size[open(read_file(file.path())).size] = file.path();
    }
    std::vector<std::string> files;
    for (const auto& [size, file] : by_size) files.push_back(file);
    return files;
  }

  // The file of a proof that our command has written.
  std::string prove(const std::string& what) {
    std::string file = daemon_.path(what + ".tlog-proof");
    const Ran ran = mailwarden({"ledger", "prove", what, "--store", daemon_.store(), "-o", file});
    EXPECT_EQ(ran.code, 0) << ran.output;
    return file;
  }
  // On both sides of the edges of tiles, and an event.
  std::vector<std::string> prove_some() {
    const std::uint64_t last = open(read_file(daemon_.path("checkpoint"))).size - 1;
    std::vector<std::string> files;
    for (const std::uint64_t entry :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{255}, std::uint64_t{256},
          std::uint64_t{511}, std::uint64_t{512}, last}) {
      files.push_back(prove(std::to_string(entry)));
    }
    files.push_back(prove(event_id()));
    return files;
  }
  std::string event_id() const {
    return single("SELECT json_extract(record, '$.id') FROM event WHERE number = 400");
  }

  // Until the served checkpoint carries that key's.
  void wait_for_signature(const std::string& key) {
    daemon_.wait_until([&] {
      const auto parsed = ledger::parse_verifier_key(trim(read_file(daemon_.path(key))));
      return parsed && ledger::open_checkpoint(daemon_.ask("/checkpoint").body, *parsed);
    });
  }

  std::string single(const std::string& sql) const {
    const auto found = daemon_.rows(sql);
    EXPECT_EQ(found.size(), 1U) << sql;
    const std::string row = found.empty() ? "|" : *found.begin();
    return row.substr(0, row.size() - 1);
  }

  // A file of that text.
  std::string kept(const std::string& text) {
    std::string file = daemon_.path("kept-" + std::to_string(kept_++));
    write_file(file, text);
    return file;
  }

  Ran run_program(std::vector<std::string> arguments) {
    const std::string output = daemon_.path("judged-" + std::to_string(kept_++));
    Process process(std::move(arguments), output);
    const int code = process.wait();
    return {code, read_file(output)};
  }

  RunningDaemon daemon_;
  int kept_ = 0;
};

class GoChecker : public LedgerJudges {
 protected:
  void SetUp() override {
    const Ran built =
        run_program({source_folder() + "/tests/e2e/judges/build_checker", judges_folder() + "/go"});
    ASSERT_EQ(built.code, 0) << built.output;
    LedgerJudges::SetUp();
  }

  Ran judge(const std::string& command, std::vector<std::string> about) {
    about.insert(about.begin(), {judges_folder() + "/go/checker", command, key_file()});
    return run_program(std::move(about));
  }
  void expect_taken(const std::string& command, std::vector<std::string> about) {
    const Ran ran = judge(command, about);
    EXPECT_EQ(ran.code, 0) << command << " " << about.back() << ": " << ran.output;
  }
  // With a sentence, and not because it could not be asked.
  void expect_refused(const std::string& command, std::vector<std::string> about,
                      const std::string& name) {
    const Ran ran = judge(command, std::move(about));
    EXPECT_EQ(ran.code, 1) << command << ", " << name << ": " << ran.output;
    EXPECT_THAT(ran.output, Not(HasSubstr("no such file"))) << name;
    EXPECT_THAT(ran.output, Not(HasSubstr("connect"))) << name;
  }
  void expect_refused_with(const std::string& spoilt_path) {
    const Meddler meddler(daemon_.address(), spoilt_path);
    expect_refused("tiles", {meddler.url()}, spoilt_path);
  }
};

TEST_F(GoChecker, TakesOurCheckpointsAndTheirOrder) {
  for (const std::string& file : older_checkpoints()) {
    expect_taken("checkpoint", {file});
    expect_taken("consistency", {daemon_.address(), file});
  }
  for (const Spoilt& one : spoilt_checkpoints(read_file(daemon_.path("checkpoint")))) {
    expect_refused("checkpoint", {kept(one.text)}, one.name);
  }
}

TEST_F(GoChecker, TakesOurProofs) {
  for (const std::string& file : prove_some()) {
    expect_taken("proof", {file});
    expect_taken("entry", {daemon_.address(), file});
  }
}

TEST_F(GoChecker, RefusesSpoiltProofs) {
  const std::string proof = prove("300");
  for (const Spoilt& one : spoilt_proofs(read_file(proof))) {
    const std::string file = kept(one.text);
    expect_refused("proof", {file}, one.name);
    EXPECT_EQ(mailwarden({"ledger", "verify", "--proof", file, "--key", key_file()}).code, 1)
        << one.name;
  }
  const auto rows = daemon_.rows("SELECT record FROM ledger_entry WHERE number = 300");
  ASSERT_EQ(rows.size(), 1U);
  const std::string record = rows.begin()->substr(0, rows.begin()->size() - 1);
  expect_taken("proof", {proof, kept(record)});
  expect_refused("proof", {proof, kept(spoil(record, record.size() / 2))}, "another record");
}

TEST_F(GoChecker, TakesWhatIsServedAndRefusesEachSpoiltTile) {
  const Ran all = judge("tiles", {daemon_.address()});
  ASSERT_EQ(all.code, 0) << all.output;
  const std::uint64_t size = open(read_file(daemon_.path("checkpoint"))).size;
  const std::string last = "00" + std::to_string(size / 256) + ".p/";
  const std::string partial = "/tile/0/" + last + std::to_string(size % 256);
  ASSERT_GT(size % 256, 54U);
  const std::vector<std::string> paths{"/tile/0/000", "/tile/0/001",     "/tile/0/" + last + "54",
                                       partial,       "/tile/1/000.p/1", "/tile/1/000.p/2"};
  for (const std::string& path : paths) EXPECT_THAT(all.output, HasSubstr(path + "\n"));
  const Meddler honest(daemon_.address(), "");
  expect_taken("consistency", {honest.url(), older_checkpoints().front()});
  for (const std::string& path : paths) expect_refused_with(path);
  for (const std::string& path : {std::string("/tile/entries/000"), "/tile/entries/" + last + "54",
                                  std::string("/checkpoint")}) {
    expect_refused_with(path);
  }
  const Meddler meddler(daemon_.address(), "/tile/0/002");
  expect_refused("consistency", {meddler.url(), older_checkpoints().front()}, "a spoilt tile");
}

// The owner of the key tells two people two histories.
TEST_F(GoChecker, RefusesAnotherHistoryOfTheSameKey) {
  TestDaemon other;
  std::filesystem::copy(daemon_.path("key"), other.path("key"));
  std::filesystem::create_directory(other.path("checkpoints"));
  write_file(other.path("log"), ssh_log(300));
  ASSERT_EQ(other.once("file:" + other.path("log") + ",name=auth,year=2026",
                       {"--checkpoints", other.path("checkpoints")}),
            0)
      << other.output();
  const std::filesystem::directory_iterator files(other.path("checkpoints"));
  const std::string fork = files->path();
  ASSERT_LT(open(read_file(fork)).size, entries_min);
  expect_taken("checkpoint", {fork});
  expect_refused("consistency", {daemon_.address(), fork}, "another history");
}

// While one key follows another, and behind it: each key alone, both together, and neither where it
// has not signed.
TEST_F(GoChecker, FollowsARotationOfKeys) {
  const auto judged = [&](const std::string& command, const std::string& key,
                          const std::string& about) {
    return run_program({judges_folder() + "/go/checker", command, key, about}).code;
  };
  const std::string alone = daemon_.path("checkpoint");
  ASSERT_EQ(daemon_.stop(), 0) << daemon_.output();
  daemon_.start({"--source", source(), "--next-key", daemon_.path("key2")});
  wait_for_signature("key2.pub");
  const std::string overlap = kept(daemon_.ask("/checkpoint").body);
  const std::string proof = daemon_.path("introduction.tlog-proof");
  const std::string introduced = single("SELECT number FROM ledger_entry WHERE kind = 'key'");
  ASSERT_EQ(
      mailwarden({"ledger", "prove", introduced, "--store", daemon_.store(), "-o", proof}).code, 0);
  const std::string new_key = daemon_.path("key2.pub");
  const std::string both = kept(read_file(key_file()) + read_file(new_key));
  for (const std::string& key : {key_file(), new_key, both}) {
    EXPECT_EQ(judged("checkpoint", key, overlap), 0) << key;
    EXPECT_EQ(judged("proof", key, proof), 0) << key;
    EXPECT_EQ(judged("tiles", key, daemon_.address()), 0) << key;
  }
  EXPECT_EQ(judged("checkpoint", both, alone), 1) << "the new key was not there yet";
  ASSERT_EQ(daemon_.stop(), 0) << daemon_.output();
  daemon_.start({"--source", source(), "--key", daemon_.path("key2")});
  std::string behind;
  daemon_.wait_until([&] {
    behind = kept(daemon_.ask("/checkpoint").body);
    return judged("checkpoint", key_file(), behind) == 1;
  });
  EXPECT_EQ(judged("checkpoint", new_key, behind), 0) << read_file(behind) << daemon_.output();
  EXPECT_EQ(judged("tiles", new_key, daemon_.address()), 0);
  // With the old key alone: the store tells of the new one, a served log needs the proof of it.
  const Ran store = daemon_.verify({"--from", behind});
  EXPECT_EQ(store.code, 0) << store.output;
  EXPECT_THAT(store.output, HasSubstr("entry " + introduced + ": the key "));
  const std::vector<std::string> served{"ledger", "verify",   "--url",  daemon_.address(),
                                        "--key",  key_file(), "--from", overlap};
  EXPECT_EQ(mailwarden(served).code, 1);
  std::vector<std::string> followed = served;
  followed.insert(followed.end(), {"--rotation", proof});
  const Ran ran = mailwarden(followed);
  EXPECT_EQ(ran.code, 0) << ran.output;
  followed.back() = prove("0");
  EXPECT_EQ(mailwarden(followed).code, 1) << "a proof of something else";
}

class Torchwood : public LedgerJudges {
 protected:
  void SetUp() override {
    const Ran installed = run_program(
        {source_folder() + "/tests/e2e/judges/install_torchwood", judges_folder() + "/torchwood"});
    constexpr int cannot_be_had = 3;
    if (installed.code == cannot_be_had) {
      GTEST_SKIP() << "torchwood cannot be installed here: " << installed.output;
    }
    ASSERT_EQ(installed.code, 0) << installed.output;
    LedgerJudges::SetUp();
  }

  Ran judge(const std::string& command, const std::string& about) {
    return run_program({judges_folder() + "/torchwood/torchwood", command, key_file(), about});
  }
};

TEST_F(Torchwood, TakesOurProofs) {
  for (const std::string& file : prove_some()) {
    const Ran ran = judge("proof", file);
    EXPECT_EQ(ran.code, 0) << file << ": " << ran.output;
  }
  for (const Spoilt& one : spoilt_proofs(read_file(prove("300")))) {
    EXPECT_EQ(judge("proof", kept(one.text)).code, 1) << one.name;
  }
}

TEST_F(Torchwood, TakesProofsOfAnOverlapByEitherKey) {
  ASSERT_EQ(daemon_.stop(), 0) << daemon_.output();
  daemon_.start({"--source", source(), "--next-key", daemon_.path("key2")});
  wait_for_signature("key2.pub");
  const std::string proof = prove("300");
  for (const char* key : {"key.pub", "key2.pub"}) {
    const Ran ran =
        run_program({judges_folder() + "/torchwood/torchwood", "proof", daemon_.path(key), proof});
    EXPECT_EQ(ran.code, 0) << key << ": " << ran.output;
  }
}

TEST_F(Torchwood, ReadsEveryEntryOfTheServedLog) {
  const Ran ran = judge("log", daemon_.address());
  EXPECT_EQ(ran.code, 0) << ran.output;
  for (const char* path :
       {"/checkpoint", "/tile/0/000", "/tile/0/001", "/tile/entries/000", "/tile/entries/001"}) {
    const Meddler meddler(daemon_.address(), path);
    EXPECT_EQ(judge("log", meddler.url()).code, 1) << path;
  }
}

}  // namespace
}  // namespace mailwarden
