// Checkpoints leave by mail, and the mail as it is saved verifies the store.
#include <gmock/gmock.h>

#include "db/sqlite.h"
#include "tests/e2e/running.h"
#include "tests/net/smtp_server.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;

class CheckpointMail : public testing::Test {
 protected:
  void SetUp() override {
    daemon_.copy_policies();
    write_file(daemon_.path("policies/routes.yaml"),
               "receivers:\n  - {name: spool, kind: folder, folder: spool}\n"
               "  - {name: auditor, kind: smtp, server: '" +
                   server_.url() +
                   "', start_tls: false, from: warden@example.com, to: [audit@example.org]}\n"
                   "routes:\n  - {changes: [opened], to: [spool]}\n");
    write_file(daemon_.path("auth.log"), ssh_log(20));
  }
  std::vector<std::string> options(const std::string& interval) const {
    return {"--source", "file:" + daemon_.path("auth.log") + ",name=auth", "--checkpoint-receiver",
            "auditor,interval=" + interval};
  }
  std::size_t delivered() {
    return daemon_.rows("SELECT name FROM alert WHERE incident = 0 AND standing = 'delivered'")
        .size();
  }
  // The message as a reader of mail saves it, without the dot that ends it on the wire.
  std::string saved(const std::string& message) {
    const std::string file = daemon_.path("saved-" + std::to_string(saved_++) + ".eml");
    write_file(file, message.substr(0, message.rfind(".\r\n")));
    return file;
  }
  static std::string line_of(const std::string& mail, const std::string& name) {
    const std::size_t at = mail.find(name + ": ");
    return at == std::string::npos ? "" : mail.substr(at, mail.find("\r\n", at) - at);
  }

  net::SmtpServer server_;
  RunningDaemon daemon_;
  int saved_ = 0;
};

TEST_F(CheckpointMail, VerifiesTheStoreAndKeepsItsMessageIdOverTries) {
  server_.refuse(1);
  daemon_.start(options("1s"));
  daemon_.wait_until([&] { return delivered() >= 1; });
  append_file(daemon_.path("auth.log"), ssh_log(20));
  daemon_.wait_until([&] { return delivered() >= 2; });
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();
  const auto mails = server_.messages();
  ASSERT_GE(mails.size(), 3U);
  EXPECT_NE(line_of(mails[0], "Message-ID"), "");
  EXPECT_EQ(line_of(mails[0], "Message-ID"), line_of(mails[1], "Message-ID"));
  EXPECT_NE(line_of(mails[1], "Message-ID"), line_of(mails[2], "Message-ID"));
  EXPECT_EQ(line_of(mails[0], "To"), "To: audit@example.org");
  for (const std::string& mail : {mails[1], mails[2]}) {
    const Ran ran = daemon_.verify({"--from", saved(mail)});
    EXPECT_EQ(ran.code, 0) << ran.output;
  }
  EXPECT_THAT(daemon_.rows("SELECT record FROM ledger_entry WHERE kind = 'alert'"),
              testing::Contains(HasSubstr("\"standing\":\"delivered\"")));
  // A store that is cut off behind the mail is found by it.
  const auto store = db::open_sqlite(daemon_.path("m.db")).value();
  ASSERT_TRUE(
      store->execute("DELETE FROM ledger_entry WHERE number > 0;"
                     "DELETE FROM ledger_checkpoint WHERE size > 0;"
                     "DELETE FROM ledger_node"));
  const Ran cut = daemon_.verify({"--from", saved(mails[2])});
  EXPECT_EQ(cut.code, 1);
  EXPECT_THAT(cut.output, HasSubstr("the checkpoint given: it covers"));
  std::string both = read_file(saved(mails[1]));
  both = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + both + "\r\n--b\r\n" +
         read_file(saved(mails[2])) + "\r\n--b--\r\n";
  write_file(daemon_.path("both.eml"), both);
  const Ran two = daemon_.verify({"--from", daemon_.path("both.eml")});
  EXPECT_EQ(two.code, 1);
  EXPECT_THAT(two.output, HasSubstr("holds 2 different checkpoints"));
}

TEST_F(CheckpointMail, OnceInAnIntervalHoweverOftenItIsSealed) {
  daemon_.start(options("24h"));
  daemon_.wait_until([&] { return delivered() >= 1; });
  const auto sealed = [&] { return daemon_.rows("SELECT size FROM ledger_checkpoint").size(); };
  for (const std::size_t wanted : {sealed() + 1, sealed() + 2}) {
    append_file(daemon_.path("auth.log"), ssh_log(5));
    daemon_.wait_until([&] { return sealed() >= wanted; });
  }
  EXPECT_EQ(daemon_.stop(), 0) << daemon_.output();
  EXPECT_EQ(server_.messages().size(), 1U);
}

}  // namespace
}  // namespace mailwarden
