// A mail to security@ opens an incident: a real Postfix hands it to the command.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/e2e/running.h"
#include "tests/postfix.h"

namespace mailwarden {
namespace {

using testing::HasSubstr;

class MailReport : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "Postfix is started by root alone";
    // The account that the command runs as has to come to the socket.
    std::filesystem::permissions(daemon_.path(""), std::filesystem::perms(0755));
    postfix_.start(
        "virtual_mailbox_domains = example.com\nvirtual_mailbox_maps = static:all\n"
        "virtual_transport = warden\nminimal_backoff_time = 1s\nqueue_run_delay = 1s\n"
        "maximal_backoff_time = 1s\nwarden_destination_concurrency_limit = 1\n",
        "warden unix - n n - - pipe flags=DRq user=nobody argv=" + program_folder() +
            "/mailwarden incidents report --mail --socket " + daemon_.path("socket") + "\n");
  }

  void send(const std::string& message) {
    const auto sent = net::Client().send_mail({.server = postfix_.url(),
                                               .start_tls = net::StartTls::never,
                                               .from = "finder@example.org",
                                               .to = {"security@example.com"},
                                               .message = message});
    ASSERT_TRUE(sent) << sent.error().what << postfix_.log();
  }
  void let_the_account_in() { ASSERT_EQ(::chmod(daemon_.path("socket").c_str(), 0666), 0); }
  std::int64_t incidents() { return daemon_.get("/api/v1/incidents").integer("total"); }

  RunningDaemon daemon_;
  Postfix postfix_;
};

TEST_F(MailReport, OpensAnIncidentAndNoneIsLostWhileTheDaemonIsAway) {
  send(
      "From: Finder <finder@example.org>\r\nTo: security@example.com\r\n"
      "Subject: Your form takes scripts\r\nMessage-ID: <1@example.org>\r\n\r\n"
      "I put a script into the name of a campaign.\r\n");
  // The command says that it is to be tried again.
  ASSERT_TRUE(postfix_.wait_until([&] { return postfix_.log().contains("status=deferred"); }))
      << postfix_.log();
  write_file(daemon_.path("log"), "");
  daemon_.start({"--source", "file:" + daemon_.path("log")});
  let_the_account_in();
  const auto run_queue = [&] {
    Process queue({"/usr/sbin/postqueue", "-c", postfix_.configuration(), "-f"},
                  daemon_.path("queue"));
    EXPECT_EQ(queue.wait(), 0) << read_file(daemon_.path("queue"));
  };
  run_queue();
  daemon_.wait_until([&] { return incidents() == 1; });
  const json::Value incident = daemon_.get("/api/v1/incidents/1");
  EXPECT_EQ(incident.text("title"), "Your form takes scripts");
  EXPECT_EQ((*incident["changes"].as_array())[0].text("who"), "finder@example.org");
  EXPECT_THAT(json::to_text(incident["detections"]), HasSubstr("the name of a campaign"));

  // An answer joins it; another mail does not.
  send(
      "From: finder@example.org\r\nSubject: Re: Your form takes scripts\r\n"
      "Message-ID: <2@example.org>\r\nReferences: <1@example.org>\r\n\r\nStill there?\r\n");
  send("From: finder@example.org\r\nSubject: Another\r\nMessage-ID: <3@example.org>\r\n\r\nx\r\n");
  daemon_.wait_until([&] {
    return incidents() == 2 && daemon_.get("/api/v1/incidents/1").integer("detection_count") == 2;
  });
}

}  // namespace
}  // namespace mailwarden
