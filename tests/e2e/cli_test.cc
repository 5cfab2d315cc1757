// The command as people and scripts meet it: what it prints, and with which code it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "db/sqlite.h"
#include "tests/e2e/running.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

// A store that a run over some log has left.
class CommandTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    daemon_ = std::make_unique<TestDaemon>();
    write_file(daemon_->path("auth.log"), ssh_log(300));
    ASSERT_EQ(daemon_->once("file:" + daemon_->path("auth.log") + ",name=auth,year=2026"), 0)
        << daemon_->output();
  }
  static void TearDownTestSuite() { daemon_.reset(); }

  // The command over that store.
  static Ran ask(const std::string& command) {
    auto all = words(command);
    all.insert(all.end(), {"--store", daemon_->store()});
    return mailwarden(std::move(all));
  }
  static json::Value ask_json(const std::string& command) {
    const Ran ran = ask(command + " --format json");
    EXPECT_EQ(ran.code, done) << ran.output;
    auto value = json::parse(ran.output);
    EXPECT_TRUE(value) << ran.output;
    return value ? *value : json::Value();
  }

  static std::unique_ptr<TestDaemon> daemon_;
};

std::unique_ptr<TestDaemon> CommandTest::daemon_;

class Help : public testing::TestWithParam<const char*> {};

TEST_P(Help, TellsTheUsage) {
  auto command = words(GetParam());
  command.emplace_back("--help");
  const Ran ran = mailwarden(command);
  EXPECT_EQ(ran.code, done);
  EXPECT_THAT(ran.output, testing::StartsWith("Usage: mailwarden "));
  EXPECT_THAT(ran.output, Not(HasSubstr(" arg ")));
}

INSTANTIATE_TEST_SUITE_P(
    Commands, Help,
    testing::Values("", "decode", "scan", "rules", "rules check", "rules test", "config", "ledger",
                    "ledger verify", "ledger show", "events", "incidents", "incidents show",
                    "incidents ack", "incidents report", "incidents task add",
                    "incidents notice draft", "incidents spread", "incidents figures",
                    "incidents evidence add", "alerts", "alerts escalations", "playbook",
                    "playbook check", "playbook plan", "playbook approve", "playbook import",
                    "playbook export", "playbook sign", "playbook verify", "oncall", "oncall show",
                    "report", "report verify", "retention", "status", "keys", "keys make",
                    "keys add-version", "keys drop-version", "keys status", "store"));

struct WrongLine {
  const char* name;
  const char* command;
  int code;
  const char* sentence;
};

class WrongCommand : public testing::TestWithParam<WrongLine> {};

TEST_P(WrongCommand, IsOneSentenceAndItsExitCode) {
  const Ran ran = mailwarden(words(GetParam().command));
  EXPECT_EQ(ran.code, GetParam().code) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr(GetParam().sentence));
  EXPECT_THAT(ran.output, testing::StartsWith("mailwarden: "));
}

INSTANTIATE_TEST_SUITE_P(
    Commands, WrongCommand,
    testing::Values(
        WrongLine{"UnknownGroup", "lower-the-drawbridge", usage, "there is no command"},
        WrongLine{"UnknownRules", "rules bless", usage, "'rules' knows check, test and stats"},
        WrongLine{"NoFolder", "rules check", usage, "which folder?"},
        WrongLine{"FolderIsNotThere", "rules check /nonexistent", answer_is_no, "/nonexistent"},
        WrongLine{"DetectWithoutRules", "detect --events /dev/null", usage, "needs --rules PATH"},
        WrongLine{"DetectWithoutAFile", "detect --rules /dev/null --events /nonexistent",
                  unavailable, "/nonexistent: No such file"},
        WrongLine{"DetectOfNoRules", "detect --rules /nonexistent --events /dev/null", unavailable,
                  "/nonexistent: No such file"},
        WrongLine{"NoSuchPartOfALogSource",
                  "detect --rules /dev/null --events /dev/null --logsource colour=red", usage,
                  "'colour=red' is no part of a log source"},
        WrongLine{"NoSuchRouting", "detect --rules /dev/null --events /dev/null --routing wild",
                  usage, "neither strict nor open"},
        WrongLine{"FormatOfMatches", "detect --rules /dev/null --events /dev/null --format json",
                  usage, "not jsonl or table"},
        WrongLine{"UnknownOption", "incidents --colour red", usage, "--help lists the options"},
        WrongLine{"UnknownFormat", "incidents --format xml", usage, "not table or json"},
        WrongLine{"NoFile", "decode", usage, "which file?"},
        WrongLine{"FileIsNotThere", "decode /nonexistent", unavailable, "/nonexistent"},
        WrongLine{"NoSuchDecoder", "decode --decoder tea /dev/null", usage, "tea"},
        WrongLine{"NoSuchZone", "decode --zone Nowhere/Land /dev/null", usage, "Nowhere/Land"},
        WrongLine{"NoSuchYear", "decode --year soon /dev/null", usage, "neither arrival nor"},
        WrongLine{"NoStoreAndNoDaemon", "incidents --socket /nonexistent", unavailable,
                  "no daemon answers at /nonexistent"},
        WrongLine{"StoreIsNotThere", "incidents --store sqlite:/nonexistent", unavailable,
                  "unable to open database file (No such file or directory)"},
        WrongLine{"StoreOfAnotherKind", "incidents --store mysql:x", usage, "expected sqlite:PATH"},
        WrongLine{"VerifyNeedsAKey", "ledger verify --store sqlite:x", usage, "--key FILE"},
        WrongLine{"ReportNeedsAKind", "report --store sqlite:x --key y", usage,
                  "audit or retention"},
        WrongLine{"ReportVerifyNeedsAFile", "report verify --key y", usage, "a report's FILE.json"},
        WrongLine{"ActNeedsANumber", "incidents note", usage, "needs the incident's number alone"},
        WrongLine{"MergeNeedsTwo", "incidents merge 3", usage,
                  "needs the incident's number and INTO"},
        WrongLine{"ShowNeedsANumber", "incidents show", usage, "needs a number"},
        WrongLine{"NoSuchVerb", "incidents explode 3", usage, "explode"},
        WrongLine{"StepNeedsARun", "playbook approve", usage, "needs a run"},
        WrongLine{"UnknownKeys", "keys copy", usage,
                  "'keys' knows make, add-version, drop-version, renew and status"},
        WrongLine{"UnknownStore", "store burn", usage,
                  "'store' knows migrate, check, copy, backup, restore and grant"},
        WrongLine{"KeysMakeNeedsAKek", "keys make", usage,
                  "it needs --kek; usage: mailwarden keys"},
        WrongLine{"KekOfNoKind", "keys make --kek /etc/kek", usage,
                  "--kek: '/etc/kek' keeps no key-encryption key"},
        WrongLine{"KekOfAToken", "keys add-version --kek pkcs11:/p.so,token=t,pin=/x", usage,
                  "--kek: this is done to file:PATH alone"},
        WrongLine{"DropNeedsTheBook", "keys drop-version --kek file:/x --version 1", usage,
                  "it needs --keys"},
        WrongLine{"DropNeedsAVersion", "keys drop-version --kek file:/x --keys /y --version 0",
                  usage, "--version is a number from 1"},
        WrongLine{"StatusOfNoBook", "keys status --kek file:/nonexistent --keys /nonexistent/k.db",
                  answer_is_no,
                  "the book of keys: /nonexistent/k.db: its folder /nonexistent is not there"},
        WrongLine{"KeysWithoutAKek", "incidents --store sqlite:x --keys /x", usage,
                  "--keys PATH and --kek KEK go together"},
        WrongLine{"KeysOfNoStore", "incidents --keys /x --kek file:/y", usage,
                  "--keys and --kek are of a store at rest; add --store URL"},
        WrongLine{"ConfigHasAKekWithoutKeys", "config check --source stdin --kek file:/x",
                  answer_is_no, "kek needs keys"},
        WrongLine{"ConfigHasNoCommandsOfItsKek",
                  "config check --source stdin --keys /x --kek command:/nonexistent.yaml",
                  answer_is_no, "kek: /nonexistent.yaml: No such file"},
        WrongLine{"ConfigIsWrong", "config check --source stdin --rules /nonexistent", answer_is_no,
                  "/nonexistent"}),
    [](const auto& info) { return info.param.name; });

TEST(ShippedRules, AreGoodAndAgreeWithTheirExamples) {
  const std::string rules = source_folder() + "/rules/sigma";
  const Ran checked = mailwarden({"rules", "check", rules});
  EXPECT_EQ(checked.code, done) << checked.output;
  const Ran tested = mailwarden({"rules", "test", rules, "--format", "json"});
  EXPECT_EQ(tested.code, done) << tested.output;
  const auto counts = json::parse(tested.output);
  ASSERT_TRUE(counts) << tested.output;
  EXPECT_GE(counts->integer("rules"), 25);
  EXPECT_GE(counts->integer("examples"), 2 * counts->integer("rules"));
  EXPECT_TRUE((*counts)["failures"].as_array()->empty());
}

TEST(ShippedRules, AWrongExampleIsAFailureWithItsPlace) {
  const TemporaryFolder rules;
  write_file(rules.path("a.yml"),
             "title: A\nid: a\nlogsource: {product: linux}\nlevel: high\n"
             "detection: {s: {program: marker}, condition: s}\n");
  write_file(rules.path("a.test.yml"),
             "- {name: right, expect: match, lines: ['Nov 24 05:00:00 h marker[1]: x']}\n"
             "- {name: wrong, expect: no match, lines: ['Nov 24 05:00:00 h marker[1]: x']}\n");
  const Ran tested = mailwarden({"rules", "test", rules.path()});
  EXPECT_EQ(tested.code, answer_is_no);
  EXPECT_THAT(tested.output, HasSubstr("a.test.yml, line 2: 'wrong'"));
  EXPECT_THAT(tested.output, HasSubstr("1 failure"));
}

TEST(ShippedPolicies, PlaybooksAreGood) {
  const std::string root = source_folder();
  const Ran checked = mailwarden({"playbook", "check", root + "/policies/playbooks", "--policies",
                                  root + "/policies", "--rules", root + "/rules/sigma"});
  EXPECT_EQ(checked.code, done) << checked.output;
  EXPECT_THAT(checked.output, HasSubstr("18 playbooks, 0 errors, 0 warnings"));
}

TEST(Playbook, CheckTellsFileLineAndStep) {
  const TemporaryFolder folder;
  const std::string file = folder.path("p.yaml");
  write_file(file,
             "name: p\ntitle: t\nsteps:\n- {id: a, notify: [pager], text: t}\n"
             "- {id: b, manual: 'ask ${nobody}'}\n- {id: c, command: [/bin/x]}\n");
  const Ran checked =
      mailwarden({"playbook", "check", folder.path(), "--policies", source_folder() + "/policies"});
  EXPECT_EQ(checked.code, answer_is_no);
  EXPECT_THAT(checked.output,
              HasSubstr(file + ", line 4: step 'a': there is no receiver 'pager'\n"));
  EXPECT_THAT(checked.output,
              HasSubstr(file + ", line 5: step 'b': there is no variable 'nobody'\n"));
  EXPECT_THAT(checked.output, HasSubstr(file + ", line 6: warning: step 'c': after a crash"));
  EXPECT_THAT(checked.output, HasSubstr("1 playbooks, 2 errors, 1 warnings\n"));
  const Ran as_json = mailwarden({"playbook", "check", file, "--format", "json"});
  EXPECT_EQ(json::parse(as_json.output)->operator[]("findings").as_array()->size(), 2U);
}

TEST(Playbook, PlanShowsWhatWouldBeDone) {
  const std::string file = source_folder() + "/policies/playbooks/clean_account.yaml";
  const Ran planned = mailwarden({"playbook", "plan", file, "--set", "account=deploy"});
  EXPECT_EQ(planned.code, done) << planned.output;
  EXPECT_THAT(planned.output,
              HasSubstr("take-key (action): remove_ssh_key {account: \"deploy\", fingerprint: "
                        "\"${fingerprint}\"}"));
  EXPECT_THAT(planned.output, HasSubstr("taken back by: restore_ssh_key"));
  const Ran without = mailwarden({"playbook", "plan", file});
  EXPECT_EQ(without.code, answer_is_no);
  EXPECT_THAT(without.output, HasSubstr("'account' must be given: the name of the account"));
  EXPECT_EQ(mailwarden({"playbook", "plan", file, "--set", "account"}).code, usage);
}

TEST(ShippedPolicies, ThePackagedConfigurationIsGood) {
  const std::string root = source_folder();
  const Ran checked =
      mailwarden({"config", "check", "--config", root + "/systemd/mailwarden.yaml", "--rules",
                  root + "/rules/sigma", "--policies", root + "/policies"});
  EXPECT_EQ(checked.code, done) << checked.output;
}

TEST(Decode, PrintsEachLineAsAnEvent) {
  const TemporaryFolder folder;
  write_file(folder.path("log"),
             "Nov 24 02:20:01 mail1 sshd[201]: Failed password for root from 203.0.113.7 port 1 "
             "ssh2\nno log line\n");
  for (const bool piped : {false, true}) {
    const Ran ran = mailwarden({"decode", piped ? "-" : folder.path("log"), "--year", "2026"},
                               piped ? folder.path("log") : "/dev/null");
    ASSERT_EQ(ran.code, done) << ran.output;
    std::istringstream lines(ran.output);
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    const auto event = json::parse(line);
    ASSERT_TRUE(event) << line;
    EXPECT_EQ(event->text("decoder"), "sshd");
    EXPECT_EQ((*event)["fields"].text("src_ip"), "203.0.113.7");
    EXPECT_EQ(event->text("time"), "2026-11-24T02:20:01.000000Z");
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_NE(json::parse(line)->text("undecoded"), "");
    EXPECT_FALSE(std::getline(lines, line));
  }
}

TEST_F(CommandTest, ListsAndShowsWhatIsStored) {
  const json::Value incidents = ask_json("incidents");
  ASSERT_EQ(incidents.integer("total"), 6);
  EXPECT_EQ(ask_json("incidents --severity 1")["incidents"].as_array()->size(), 2U);
  EXPECT_EQ(ask_json("incidents --limit 1")["incidents"].as_array()->size(), 1U);
  EXPECT_THAT(ask("incidents").output, HasSubstr("Password guessing over SSH succeeded"));
  EXPECT_THAT(ask("incidents show 1").output, HasSubstr("Incident 1: Password guessing over SSH"));
  EXPECT_THAT(ask("incidents show 1").output, HasSubstr("203.0.113.0"));
  EXPECT_EQ(ask("incidents show 99").code, answer_is_no);
  const json::Value events = ask_json("events --limit 3");
  ASSERT_EQ(events["events"].as_array()->size(), 3U);
  const std::string id = (*events["events"].as_array())[0].text("id");
  EXPECT_THAT(ask("events " + id).output, HasSubstr("\"salt\""));
  EXPECT_EQ(ask("events 0000000000000001-0").code, answer_is_no);
  const json::Value from_address = ask_json("events --address 203.0.113.0 --limit 2");
  ASSERT_EQ(from_address["events"].as_array()->size(), 2U);
  for (const json::Value& event : *from_address["events"].as_array()) {
    EXPECT_EQ(event["ocsf"]["src_endpoint"].text("ip"), "203.0.113.0");
  }
  const std::string newest = ask("events --account root --limit 1").output;
  const std::size_t more = newest.find("more: ");
  ASSERT_NE(more, std::string::npos) << newest;
  const std::string next = newest.substr(more + 6, newest.size() - more - 7);
  EXPECT_NE(ask("events --account root --limit 1 " + next).output, newest);
  EXPECT_TRUE(ask_json("events --until 2020-01-01T00:00:00Z")["events"].as_array()->empty());
  EXPECT_THAT(ask("events --from yesterday").output, HasSubstr("'from'"));
  const std::string guessed = "0a0a3a8e-3d6b-4c0c-8f43-6f1c2b9f5a02";
  EXPECT_EQ(ask_json("events --limit 4 --rule " + guessed)["events"].as_array()->size(), 4U);
  EXPECT_EQ(ask("events --account root --rule " + guessed).code, usage);
  EXPECT_THAT(ask("alerts --standing delivered").output, HasSubstr("spool"));
  EXPECT_THAT(ask("alerts --standing lost").output, HasSubstr("'standing' is none of"));
  EXPECT_THAT(ask("playbook").output, HasSubstr("brute-force-success"));
  EXPECT_THAT(ask("playbook 1").output, HasSubstr("needs_person"));
  EXPECT_THAT(ask("playbook plan " + source_folder() +
                  "/policies/playbooks/brute_force_success.yaml --incident 1")
                  .output,
              HasSubstr("203.0.113.0"));
  EXPECT_THAT(ask("ledger show --first 0 --limit 2").output, HasSubstr("policies"));
  EXPECT_THAT(ask("ledger show --limit 0 --kind policies").output,
              testing::MatchesRegex("NUMBER +KIND +RECORD\n[0-9]+ +policies +[{][^\n]*\n"));
  const Ran shown = ask("ledger show --kind policies --format json");
  EXPECT_EQ(json::parse(shown.output)->text("kind"), "policies") << shown.output;
  EXPECT_EQ(ask("ledger show --first -1").code, 2);
}

TEST_F(CommandTest, AQueryIsSentAsItIsWritten) {
  const Ran ran = mailwarden({"incidents", "--state", "a b&limit=1", "--store", daemon_->store()});
  EXPECT_EQ(ran.code, usage);
  EXPECT_THAT(ran.output, HasSubstr("'state' is not a state of an incident"));
}

TEST_F(CommandTest, RetentionSaysWhatItWouldDoAndDoesNothing) {
  const auto before = daemon_->dump();
  const std::string policies = " --policies " + source_folder() + "/policies";
  EXPECT_EQ(ask("retention" + policies).code, done);
  EXPECT_TRUE(ask_json("retention" + policies)["due"].as_array()->empty());
  EXPECT_EQ(daemon_->dump(), before);
}

TEST_F(CommandTest, ReportsAreThoseOfTheDaemonAndTheirCheckpointVerifies) {
  const TemporaryFolder folder;
  const std::string more = " --key " + daemon_->path("key.pub") + " --policies " + source_folder() +
                           "/policies --output " + folder.path("r");
  ASSERT_EQ(ask("report audit" + more + ".json").code, done);
  const auto report = json::parse(read_file(folder.path("r.json")));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->integer("events"), 300);
  EXPECT_EQ((*report)["incidents"].as_array()->size(), 6U);
  write_file(folder.path("checkpoint"), (*report)["rests_on"].text("checkpoint"));
  EXPECT_EQ(daemon_->verify({"--from", folder.path("checkpoint")}).code, 0);
  ASSERT_EQ(ask("report retention" + more + ".html").code, done);
  EXPECT_THAT(read_file(folder.path("r.html")), HasSubstr("The ledger verifies."));
}

TEST_F(CommandTest, AStoreThatIsNotOursIsRefused) {
  const TemporaryFolder folder;
  ASSERT_TRUE(db::open_sqlite(folder.path("other.db"))
                  .value()
                  ->execute("CREATE TABLE shopping (item TEXT)"));
  const Ran ran = mailwarden({"incidents", "--store", "sqlite:" + folder.path("other.db")});
  EXPECT_NE(ran.code, done);
  EXPECT_THAT(ran.output, HasSubstr("other.db"));
}

TEST(Commands, TalkToTheDaemonOverItsSocket) {
  RunningDaemon daemon;
  write_file(daemon.path("auth.log"), ssh_log(300));
  daemon.start({"--source", "file:" + daemon.path("auth.log") + ",name=auth,year=2026"});
  daemon.wait_until([&] { return daemon.get("/api/v1/status")["settled"] == json::Value(true); });
  const auto ask = [&](const std::string& command) {
    auto all = words(command);
    all.insert(all.end(), {"--socket", daemon.path("socket")});
    return mailwarden(std::move(all));
  };
  EXPECT_THAT(ask("status").output, testing::StartsWith("ready\n"));
  EXPECT_THAT(ask("incidents").output, HasSubstr("203.0.113.0"));
  const Ran seen = ask("incidents ack 1 --who ann --why mine");
  EXPECT_EQ(seen.code, done) << seen.output;
  EXPECT_THAT(seen.output, testing::AllOf(HasSubstr("acknowledged"), HasSubstr("ann")));
  EXPECT_THAT(ask("incidents ack 1 --who bob --why mine").output, HasSubstr("acknowledged by ann"));
  EXPECT_EQ(ask("incidents analyse 1 --who ann --why mine").code, done);
  EXPECT_EQ(ask("incidents close 1 --who ann --why x").code, answer_is_no);
  EXPECT_EQ(ask("incidents contain 1 --why x").code, unavailable);
  EXPECT_EQ(ask("incidents fact 1 hosts_affected=2 --who ann --why two").code, done);
  EXPECT_EQ(ask("incidents fact 1 moons=2 --who ann --why two").code, usage);
  EXPECT_EQ(ask("incidents merge 1 1 --who ann --why same").code, usage);
  EXPECT_EQ(ask("playbook done 1 block-by-hand --who ann --why blocked").code, done);
  EXPECT_EQ(ask("playbook done 1 block-by-hand --who ann --why blocked").code, answer_is_no);
  EXPECT_THAT(
      ask("playbook run brute-force-success --incident 1 --dry-run --who ann --why try").output,
      testing::AllOf(HasSubstr("a dry run"), HasSubstr("203.0.113.0")));
  EXPECT_THAT(ask("playbook run nothing --who ann --why try").output,
              HasSubstr("there is no playbook 'nothing'"));
  EXPECT_THAT(ask("playbook cancel 1 --who ann --why enough").output, HasSubstr("cancelled"));
  EXPECT_EQ(ask("playbook cancel 1 --who ann --why enough").code, answer_is_no);
  EXPECT_THAT(ask("playbook undo 1 --who ann --why wrong").output,
              HasSubstr("nothing that can be"));
  EXPECT_THAT(ask("incidents --state analysing").output, HasSubstr("analysing"));
}

}  // namespace
}  // namespace mailwarden
