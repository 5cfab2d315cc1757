// An encrypted store: what a thief finds in its files, and what is left of people who were erased.
#include <set>

#include <gtest/gtest.h>

#include "base/text.h"
#include "crypto/entropy.h"
#include "crypto/file_key_provider.h"
#include "crypto/sha256.h"
#include "db/open.h"
#include "tests/db/postgres.h"
#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

namespace fs = std::filesystem;

constexpr int people = 1000;
constexpr int watched = 20;  // of them, who have an incident each
constexpr std::string_view domain = "@planted.example";

std::string address(int person) {
  return "person" + std::to_string(10'000 + person) + std::string(domain);
}

// Each is named once: as a recipient, or as somebody who signs in.
std::string log_lines() {
  std::string text;
  for (int i = 0; i < people; ++i) {
    char time[32];
    std::snprintf(time, sizeof time, "Nov 24 %02d:%02d:%02d", i / 3600, i / 60 % 60, i % 60);
    if (i >= watched && i % 2 == 0) {
      text += std::string(time) + " mx1 postfix/smtp[123]: 4F" + std::to_string(i) + ": to=<" +
              address(i) + ">, relay=none, delay=1, dsn=5.1.1, status=bounced (host said: 550 " +
              address(i) + " unknown)\n";
    } else {
      text += std::string(time) + " mx1 sshd[77]: Failed password for invalid user " + address(i) +
              " from 192.0.2." + std::to_string(i % 250) + " port 4711 ssh2\n";
    }
  }
  return text;
}

// Every file of the folder, or the file.
std::vector<std::string> files_in(const std::string& path) {
  if (fs::is_regular_file(path)) return {path};
  std::vector<std::string> files;
  for (const auto& file : fs::recursive_directory_iterator(path)) {
    if (file.is_regular_file()) files.push_back(file.path().string());
  }
  return files;
}

// The planted addresses that stand in a text, in lower or upper case.
void add_planted(std::set<std::string>& found, const std::string& bytes) {
  const std::string text = to_lower(bytes);
  for (std::size_t at = text.find(domain); at != text.npos; at = text.find(domain, at + 1)) {
    const std::size_t length = address(0).size() - domain.size();
    if (at >= length) found.insert(text.substr(at - length, length + domain.size()));
  }
}

class EncryptedTest : public testing::Test {
 protected:
  EncryptedTest() {
    if (is_on_postgres()) server_.emplace();
    fs::create_directories(folder_.path("store"));
  }

  // On a server of its own, of which every file may be looked at.
  std::unique_ptr<RunningDaemon> make_daemon() {
    auto daemon = server_ ? std::make_unique<RunningDaemon>(fresh_schema(server_->url()))
                          : std::make_unique<RunningDaemon>("");
    daemon->copy_rules();
    write_file(daemon->path("rules/watched.yml"),
               "title: Somebody watched\nid: watched-person\nname: watched_person\n"
               "logsource: {product: linux, service: sshd}\nlevel: medium\ndetection:\n"
               "  selection:\n    event: login_failed\n    user|startswith: 'person100'\n"
               "    user|endswith: '@planted.example'\n  names:\n    user|re: "
               "'^person100[01][0-9]@'\n  condition: selection and names\n"
               "mailwarden: {entity: user.name, facts: {attack_attempted: true}}\n");
    if (!server_) {
      fs::create_directories(daemon->path("store"));
      daemon->keep_store_in("store");
    }
    write_file(daemon->path("a.log"), log_lines());
    return daemon;
  }
  static std::vector<std::string> source_of(const RunningDaemon& daemon) {
    return {"--source", "file:" + daemon.path("a.log") + ",name=logs,year=2026"};
  }
  std::vector<std::string> keys() const {
    return {"--keys", folder_.path("keys.db"), "--kek", "file:" + folder_.path("kek")};
  }
  void make_kek() {
    crypto::SystemEntropy entropy;
    ASSERT_TRUE(crypto::FileKeyProvider::create(folder_.path("kek"), entropy));
  }

  // What a thief of the disk and of the backups has.
  std::vector<std::string> stolen(const RunningDaemon& daemon) {
    std::vector<std::string> paths{folder_.path("backup.db")};
    fs::remove(paths[0]);
    EXPECT_EQ(mailwarden({"store", "backup", "--store", daemon.store(), "-o", paths[0]}).code, 0);
    if (!server_) {
      paths.push_back(daemon.path("store"));
      return paths;
    }
    // Statistics hold the commonest values; a checkpoint carries everything into the files.
    EXPECT_TRUE(db::open_url(daemon.store()).value()->execute("ANALYZE; CHECKPOINT"));
    paths.push_back(folder_.path("dump.sql"));
    const std::string dump =
        "PATH=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1):$PATH pg_dump -h '" +
        server_->folder() + "' -U mailwarden mailwarden > '" + paths.back() + "'";
    EXPECT_EQ(std::system(dump.c_str()), 0);
    EXPECT_GT(fs::file_size(paths.back()), 100'000U);
    paths.push_back(server_->folder() + "/data");
    return paths;
  }
  static std::set<std::string> planted_in(const std::vector<std::string>& paths) {
    std::set<std::string> found;
    for (const std::string& path : paths) {
      for (const std::string& file : files_in(path)) {
        add_planted(found, read_file(file));
        add_planted(found, file);
      }
    }
    return found;
  }
  static bool stands_in(const std::vector<std::string>& paths, const std::string& bytes) {
    for (const std::string& path : paths) {
      for (const std::string& file : files_in(path)) {
        if (read_file(file).contains(bytes) || file.contains(bytes)) return true;
      }
    }
    return false;
  }

  // The planted addresses that the keys of now read out of a store: events and ledger.
  std::set<std::string> readable(const std::string& store) const {
    std::set<std::string> found;
    std::string before = "9223372036854775807";
    while (true) {
      std::vector<std::string> arguments{"events",   "--store", store,      "--limit", "1000",
                                         "--before", before,    "--format", "json"};
      for (const std::string& one : keys()) arguments.push_back(one);
      const Ran ran = mailwarden(arguments);
      EXPECT_EQ(ran.code, 0) << ran.output.substr(0, 1000);
      add_planted(found, ran.output);
      const auto page = json::parse(ran.output);
      if (!page || (*page)["before"].is_null()) break;
      before = std::to_string(page->integer("before"));
    }
    std::vector<std::string> arguments{"ledger", "show", "--store", store};
    for (const std::string& one : keys()) arguments.push_back(one);
    const Ran ran = mailwarden(arguments);
    EXPECT_EQ(ran.code, 0) << ran.output.substr(0, 1000);
    add_planted(found, ran.output);
    return found;
  }

  static std::string erasure_of(int person, const std::string& reason = "asked for on paper") {
    return json::to_text(
        json::Object{{"reason", reason}, {"subject", address(person)}, {"who", "dpo@example.com"}});
  }

  static void dismiss_incidents(RunningDaemon& daemon) {
    const json::Value answer = daemon.get("/api/v1/incidents?limit=1000");
    int count = 0;
    for (const json::Value& one : *answer["incidents"].as_array()) {
      const auto done = daemon.ask(
          "/api/v1/incidents/" + std::to_string(one.integer("number")) + "/acts", "POST",
          R"({"act":"move","value":"dismissed","why":"a drill","who":"lead@example.com"})");
      EXPECT_EQ(done.status, 200) << done.body;
      ++count;
    }
    EXPECT_GE(count, watched);
  }

  TemporaryFolder folder_;
  std::optional<PostgresServer> server_;
};

// Without keys the search finds every address in every place, so that it can find some.
TEST_F(EncryptedTest, WithoutKeysTheFilesTellAll) {
  const auto daemon = make_daemon();
  daemon->start(source_of(*daemon));
  daemon->wait_for_events(people);
  daemon->wait_until(
      [&] { return daemon->get("/api/v1/incidents")["total"].as_integer() != nullptr; });
  const auto paths = stolen(*daemon);
  for (const std::string& path : paths) {
    auto found = planted_in({path});
    // PostgreSQL's log cuts some in two where a page ends.
    std::erase_if(found, [](const std::string& one) { return !one.starts_with("person1"); });
    EXPECT_EQ(found.size(), 1000U) << path;
  }
  EXPECT_TRUE(stands_in(paths, "192.0.2.17"));
  // The index of accounts, which anybody can compute.
  const auto digest = crypto::sha256("account " + address(1));
  std::string entity(reinterpret_cast<const char*>(digest.data()), 8);
  entity[0] = static_cast<char>(entity[0] ^ '\x80');
  EXPECT_TRUE(stands_in({folder_.path("backup.db")}, entity));
  const auto refused = daemon->ask("/api/v1/erasures", "POST", erasure_of(1));
  EXPECT_EQ(refused.status, 400);
  EXPECT_TRUE(refused.body.contains("has no keys")) << refused.body;
}

TEST_F(EncryptedTest, AThiefFindsNobodyAndTheErasedAreGoneForEver) {
  make_kek();
  const auto daemon = make_daemon();
  auto arguments = source_of(*daemon);
  for (const std::string& one : keys()) arguments.push_back(one);
  daemon->start(arguments);
  daemon->wait_for_events(people);
  const auto paths = stolen(*daemon);
  const std::string before = folder_.path("before.db");
  fs::copy(folder_.path("backup.db"), before);
  {
    SCOPED_TRACE("a stolen copy without the key");
    EXPECT_TRUE(planted_in(paths).empty()) << *planted_in(paths).begin();
    for (const char* const personal : {"192.0.2.17", "Failed password", "host said", "Somebody"}) {
      EXPECT_FALSE(stands_in(paths, personal)) << personal;
    }
    for (const char* const kind : {"account ", "address "}) {
      const std::string name = kind == std::string("account ") ? address(1) : "192.0.2.1";
      const auto digest = crypto::sha256(kind + name);
      std::string entity(reinterpret_cast<const char*>(digest.data()), 8);
      entity[0] = static_cast<char>(entity[0] ^ '\x80');
      EXPECT_FALSE(stands_in({folder_.path("backup.db")}, entity)) << kind;
      EXPECT_FALSE(stands_in(paths, crypto::to_hex(digest))) << kind;
    }
  }
  EXPECT_EQ(readable("sqlite:" + before).size(), 1000U) << "with the keys all of it can be read";

  const auto open = daemon->ask("/api/v1/erasures", "POST", erasure_of(3));
  EXPECT_EQ(open.status, 409) << open.body;
  EXPECT_TRUE(open.body.contains("is open and names them")) << open.body;
  EXPECT_EQ(
      daemon->ask("/api/v1/erasures", "POST", erasure_of(3, "as " + address(3) + " asked")).status,
      400)
      << "the reason would keep the address";
  dismiss_incidents(*daemon);
  // Alerts to the folder are delivered at once.
  daemon->wait_until([&] {
    const json::Value alerts = daemon->get("/api/v1/alerts?standing=pending");
    return alerts["alerts"].as_array() != nullptr && alerts["alerts"].as_array()->empty();
  });
  for (int i = 0; i < people; ++i) {
    const auto erased = daemon->ask("/api/v1/erasures", "POST", erasure_of(i));
    ASSERT_EQ(erased.status, 200) << i << ": " << erased.body;
    ASSERT_EQ(json::parse(erased.body)->text("key"), "shredded") << i;
  }
  EXPECT_TRUE(planted_in(stolen(*daemon)).empty());
  {
    SCOPED_TRACE("with the keys of now");
    EXPECT_TRUE(readable("sqlite:" + before).empty()) << "a backup from before";
    EXPECT_TRUE(readable("sqlite:" + folder_.path("backup.db")).empty());
  }
  const json::Value incidents = daemon->get("/api/v1/incidents?limit=1000");
  EXPECT_TRUE(json::to_text(incidents).contains("(erased)"));
  ASSERT_EQ(daemon->stop(), 0) << daemon->output();
  const Ran verified = daemon->verify(keys());
  EXPECT_EQ(verified.code, 0) << verified.output.substr(0, 3000);
  // It starts again on what is left.
  daemon->start(arguments);
  EXPECT_EQ(daemon->get("/api/v1/events?limit=1")["events"].as_array()->size(), 1U);
}

}  // namespace
}  // namespace mailwarden
