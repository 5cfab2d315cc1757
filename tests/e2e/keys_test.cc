// The keys of a sealed store as people and scripts handle them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "crypto/entropy.h"
#include "tests/e2e/running.h"
#include "vault/opening.h"

namespace mailwarden {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class KeysCommand : public testing::Test {
 protected:
  Ran make() { return mailwarden({"keys", "make", "--kek", spec}); }
  Ran status(const std::string& format = "table") {
    return mailwarden({"keys", "status", "--keys", book, "--kek", spec, "--format", format});
  }
  Ran drop(const std::string& version) {
    return mailwarden(
        {"keys", "drop-version", "--kek", spec, "--keys", book, "--version", version});
  }
  // The book, as a daemon has it open.
  std::unique_ptr<vault::StoreKeys> open() {
    return vault::StoreKeys::open(
               {.book = book, .kek = vault::parse_kek(spec).value(), .tables = {"note"}}, entropy,
               clock, {})
        .value();
  }
  static void seal_for(vault::StoreKeys& keys, std::string_view subject) {
    ASSERT_TRUE(keys.vault().seal({"note", "body", "1"}, {&subject, 1}, "v"));
  }

  TemporaryFolder folder;
  std::string kek = folder.path("kek");
  std::string spec = "file:" + kek;
  std::string book = folder.path("keys.db");
  crypto::SystemEntropy entropy;
  SystemClock clock;
};

TEST_F(KeysCommand, MakeWritesAKekOnceAndForNobodyElse) {
  const Ran made = make();
  EXPECT_EQ(made.code, done);
  EXPECT_THAT(made.output, HasSubstr(kek + " holds a new key-encryption key"));
  struct stat of_kek{};
  ASSERT_EQ(::stat(kek.c_str(), &of_kek), 0);
  EXPECT_EQ(of_kek.st_mode & 07777, 0600U);
  const std::string before = read_file(kek);
  EXPECT_THAT(before, testing::StartsWith("mailwarden-kek 1 "));
  const Ran again = make();
  EXPECT_EQ(again.code, answer_is_no);
  EXPECT_THAT(again.output, HasSubstr(kek + ": File exists"));
  EXPECT_EQ(read_file(kek), before);
}

TEST_F(KeysCommand, AVersionIsDroppedWhenNoKeyNeedsIt) {
  ASSERT_EQ(make().code, done);
  const auto keys = open();
  seal_for(*keys, "anna@example.com");
  const Ran added = mailwarden({"keys", "add-version", "--kek", spec});
  EXPECT_EQ(added.code, done);
  EXPECT_THAT(added.output, HasSubstr(kek + " has version 2"));
  const Ran refused = drop("1");
  EXPECT_EQ(refused.code, answer_is_no);
  EXPECT_EQ(refused.output,
            "mailwarden: key-encryption key 'mailwarden' version 1 stays: keys in " + book +
                " that it has wrapped: 4; a running daemon wraps them anew under the newest "
                "version\n");
  EXPECT_THAT(read_file(kek), HasSubstr("mailwarden-kek 1 "));
  while (!keys->vault().rewrap(3).value().ended) {
  }
  const Ran dropped = drop("1");
  EXPECT_EQ(dropped.code, done) << dropped.output;
  EXPECT_THAT(read_file(kek),
              AllOf(Not(HasSubstr("mailwarden-kek 1 ")), HasSubstr("mailwarden-kek 2 ")));
  EXPECT_EQ(drop("2").code, answer_is_no);
  EXPECT_EQ(drop("1").code, answer_is_no);
  EXPECT_TRUE(open());
}

// Else a slip in the path of the book would cost the keys of the right one.
TEST_F(KeysCommand, AVersionStaysWhereItsBookIsNotTheOne) {
  ASSERT_EQ(make().code, done);
  {
    const auto keys = open();
  }
  ASSERT_EQ(mailwarden({"keys", "add-version", "--kek", spec}).code, done);
  // Under another name no key in the book would be found to need it.
  spec += ",name=other";
  const Ran misnamed = drop("1");
  EXPECT_EQ(misnamed.code, unavailable);
  EXPECT_THAT(misnamed.output, HasSubstr("this provider has 'other' alone"));
  spec = "file:" + kek;
  book = folder.path("other.db");
  const Ran refused = drop("1");
  EXPECT_EQ(refused.code, answer_is_no);
  EXPECT_THAT(refused.output, HasSubstr(book + ": it is not there"));
  EXPECT_THAT(read_file(kek), HasSubstr("mailwarden-kek 1 "));
}

TEST_F(KeysCommand, StatusTellsVersionsSubjectsAndWhatWaits) {
  ASSERT_EQ(make().code, done);
  const auto keys = open();
  for (const char* name : {"anna@example.com", "boris@example.com", "carl@example.com"}) {
    seal_for(*keys, name);
  }
  ASSERT_TRUE(keys->vault().shred("anna@example.com"));
  ASSERT_EQ(mailwarden({"keys", "add-version", "--kek", spec}).code, done);
  ASSERT_TRUE(keys->vault().rewrap(2));
  const Ran table = status();
  EXPECT_EQ(table.code, done) << table.output;
  EXPECT_EQ(table.output,
            "KEK         VERSION  KEYS  WHAT\n"
            "mailwarden  1        3     to be wrapped anew\n"
            "mailwarden  2        2     newest\n"
            "subjects with a key: 2\n"
            "keys shredded: 1\n"
            "no value waits to be sealed for its subjects\n");
  std::filesystem::rename(kek, kek + ".away");
  seal_for(*keys, "dora@example.com");
  std::filesystem::rename(kek + ".away", kek);
  const Ran json = status("json");
  EXPECT_EQ(json.code, done) << json.output;
  const auto told = json::parse(json.output);
  ASSERT_TRUE(told) << json.output;
  EXPECT_EQ(told->integer("subjects"), 2);
  EXPECT_EQ(told->integer("shredded"), 1);
  EXPECT_EQ(json::to_text((*told)["waiting"]), "[\"note\"]");
  EXPECT_EQ(json::to_text((*told)["newest"]), R"({"kek":"mailwarden","version":2})");
  EXPECT_EQ((*told)["keks"].as_array()->size(), 2U);
  EXPECT_THAT(status().output, HasSubstr("values of note wait to be sealed for their subjects\n"));
}

TEST_F(KeysCommand, StatusWithoutTheKekIsItsProvidersSentence) {
  ASSERT_EQ(make().code, done);
  {
    const auto keys = open();
  }
  std::filesystem::remove(kek);
  const Ran away = status();
  EXPECT_EQ(away.code, unavailable);
  EXPECT_THAT(away.output, AllOf(HasSubstr("stays closed"), HasSubstr("version 1 of file " + kek),
                                 HasSubstr("No such file")));
}

TEST_F(KeysCommand, ASealedStoreIsReadWithItsKeys) {
  TestDaemon daemon;
  write_file(daemon.path("auth.log"),
             "Nov 29 10:00:01 web sshd[1]: Failed password for "
             "erin@example.com from 192.0.2.7 port 40001 ssh2\n");
  ASSERT_EQ(make().code, done);
  ASSERT_EQ(daemon.once("file:" + daemon.path("auth.log") + ",name=auth,year=2026",
                        {"--keys", book, "--kek", spec}),
            0)
      << daemon.output();
  const auto with_keys = [&](std::vector<std::string> command) {
    command.insert(command.end(), {"--store", daemon.store(), "--keys", book, "--kek", spec});
    return mailwarden(command);
  };
  const std::vector<std::string> verify{"ledger", "verify", "--key", daemon.path("key.pub")};
  const Ran events = with_keys({"events"});
  EXPECT_EQ(events.code, done) << events.output;
  EXPECT_THAT(events.output, HasSubstr("erin@example.com"));
  const Ran entries = with_keys({"ledger", "show"});
  EXPECT_EQ(entries.code, done) << entries.output;
  EXPECT_THAT(entries.output, Not(HasSubstr("sealed:")));
  const Ran verified = with_keys(verify);
  EXPECT_EQ(verified.code, done) << verified.output;
  EXPECT_THAT(verified.output, Not(HasSubstr("not given")));
  const Ran without = mailwarden({"events", "--store", daemon.store()});
  EXPECT_NE(without.code, done);
  EXPECT_THAT(without.output, AllOf(HasSubstr("the keys of the store are not given"),
                                    Not(HasSubstr("erin@example.com"))));
  ASSERT_EQ(::chmod(kek.c_str(), 0644), 0);
  for (const Ran& refused : {with_keys(verify), with_keys({"events"})}) {
    EXPECT_EQ(refused.code, unavailable);
    EXPECT_THAT(refused.output, AllOf(HasSubstr(kek), HasSubstr("chmod 600")));
  }
}

TEST_F(KeysCommand, AStoreWithoutKeysIsNotReadWithAny) {
  TestDaemon daemon;
  write_file(daemon.path("auth.log"), ssh_log(3));
  ASSERT_EQ(daemon.once("file:" + daemon.path("auth.log") + ",name=auth,year=2026"), 0)
      << daemon.output();
  ASSERT_EQ(make().code, done);
  {
    const auto keys = open();
  }
  const Ran refused =
      mailwarden({"incidents", "--store", daemon.store(), "--keys", book, "--kek", spec});
  EXPECT_EQ(refused.code, usage);
  EXPECT_EQ(refused.output, "mailwarden: " + daemon.store() +
                                ": it was begun without keys and holds what is not encrypted; keys "
                                "are for a store that is begun with them\n");
}

TEST_F(KeysCommand, ASealedConfigurationIsChecked) {
  const std::vector<std::string> check{"config",     "check",
                                       "--source",   "stdin",
                                       "--rules",    source_folder() + "/rules/sigma",
                                       "--policies", source_folder() + "/policies",
                                       "--keys",     book,
                                       "--kek"};
  const auto with = [&](const std::string& with_kek) {
    auto all = check;
    all.push_back(with_kek);
    return mailwarden(all);
  };
  const Ran good = with(spec);
  EXPECT_EQ(good.code, done) << good.output;
  EXPECT_FALSE(std::filesystem::exists(book)) << "no key is touched";
  const std::string file = folder.path("kms.yaml");
  write_file(file, "versions: {1: {wrap: [/w], unwrap: [u]}}");
  const Ran refused = with("command:" + file);
  EXPECT_EQ(refused.code, answer_is_no);
  EXPECT_THAT(refused.output, HasSubstr("kek: " + file + ", line 1: version 1: unwrap: expected"));
}

TEST(Daemon, LeavesNoCore) {
  RunningDaemon daemon;
  write_file(daemon.path("auth.log"), ssh_log(3));
  daemon.start({"--source", "file:" + daemon.path("auth.log") + ",name=auth,year=2026"});
  const std::string limits = read_file("/proc/" + std::to_string(daemon.id()) + "/limits");
  const std::size_t at = limits.find("Max core file size");
  ASSERT_NE(at, std::string::npos) << limits;
  std::istringstream line(limits.substr(at + std::string_view("Max core file size").size()));
  std::string soft;
  std::string hard;
  line >> soft >> hard;
  EXPECT_EQ(soft + " " + hard, "0 0");
}

}  // namespace
}  // namespace mailwarden
