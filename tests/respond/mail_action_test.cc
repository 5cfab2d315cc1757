// Mail in the queue of a real Postfix, which is the test's own.
#include <algorithm>
#include <filesystem>

#include <grp.h>
#include <pwd.h>
#include <signal.h>

#include "base/text.h"
#include "net/http_client.h"
#include "tests/respond/effects.h"

namespace mailwarden::respond {
namespace {

constexpr const char* postfix = "/usr/sbin/postfix";
constexpr int mails = 15;  // of each sender

class PostfixQueue : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(postfix)) GTEST_SKIP() << "there is no postfix";
    if (::geteuid() != 0) GTEST_SKIP() << "only root runs a Postfix";
    // Its own accounts have to come to its folders.
    std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
    for (const char* name : {"etc", "queue", "data", "log"}) {
      std::filesystem::create_directory(folder_.path(name));
    }
    const passwd* const owner = ::getpwnam("postfix");
    ASSERT_NE(owner, nullptr);
    ASSERT_EQ(::chown(folder_.path("data").c_str(), owner->pw_uid, owner->pw_gid), 0);
    port_ = free_port();
    configure();
    ASSERT_TRUE(runs({postfix, "-c", folder_.path("etc"), "start"})) << log();
    ASSERT_TRUE(becomes_true([&] {
      Socket server("127.0.0.1", port_);
      return Socket("127.0.0.1", 0).connects_to(server, 1000);
    })) << log();
    settings_.mail = MailEffects{.config_directory = folder_.path("etc")};
  }
  void TearDown() override {
    const auto master = to_integer(trim(read_file(folder_.path("queue/pid/master.pid"))));
    if (!master) return;
    ::kill(static_cast<pid_t>(*master), SIGTERM);
    EXPECT_TRUE(becomes_true([&] { return ::kill(static_cast<pid_t>(*master), 0) != 0; }));
  }

  // Everything that is to be delivered waits.
  void configure() const {
    write_file(folder_.path("etc/main.cf"),
               "compatibility_level = 3.6\nqueue_directory = " + folder_.path("queue") +
                   "\ndata_directory = " + folder_.path("data") +
                   "\nmail_owner = postfix\nsetgid_group = postdrop\n"
                   "inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n"
                   "myhostname = mail.test.invalid\nmydestination =\nlocal_recipient_maps =\n"
                   "alias_maps =\ndefer_transports = smtp\nmynetworks = 127.0.0.0/8\n"
                   "smtpd_peername_lookup = no\nmaillog_file = " +
                   folder_.path("log/mail") + "\nmaillog_file_prefixes = " + folder_.path("log") +
                   "\n");
    write_file(folder_.path("etc/master.cf"),
               "127.0.0.1:" + std::to_string(port_) +
                   " inet n - n - - smtpd\npickup unix n - n 60 1 pickup\n"
                   "cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n"
                   "rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\n"
                   "defer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n"
                   "flush unix n - n 1000? 0 flush\nproxymap unix - - n - - proxymap\n"
                   "smtp unix - - n - - smtp\nshowq unix n - n - - showq\n"
                   "error unix - - n - - error\nretry unix - - n - - error\n"
                   "anvil unix - - n - 1 anvil\npostlog unix-dgram n - n - 1 postlogd\n");
  }
  std::string log() const { return read_file(folder_.path("log/mail")); }

  void send(const std::string& from, int count) const {
    net::Client client;
    for (int i = 0; i < count; ++i) {
      const auto sent = client.send_mail({.server = "smtp://127.0.0.1:" + std::to_string(port_),
                                          .start_tls = net::StartTls::never,
                                          .from = from,
                                          .to = {"somebody@example.org"},
                                          .message = "Subject: hello\r\n\r\nhello\r\n"});
      ASSERT_TRUE(sent) << sent.error().what << log();
    }
  }

  // By the sender, how many mails are in a queue, as Postfix lists it.
  int count(const std::string& sender, const std::string& queue) const {
    int found = 0;
    const std::string listing = output_of({"/usr/sbin/postqueue", "-c", folder_.path("etc"), "-j"});
    for (const std::string_view line : split(listing, '\n')) {
      const auto one = json::parse(line);
      found += one && one->text("sender") == sender && one->text("queue_name") == queue;
    }
    return found;
  }
  bool all_are_deferred(const std::string& sender, int expected) const {
    return becomes_true([&] { return count(sender, "deferred") == expected; });
  }

  Result<json::Object> perform(const std::string& action, const std::string& sender) const {
    return perform_action(call(action, {{"sender", sender}}), settings_);
  }
  bool holds(const std::string& action, const std::string& sender) const {
    const auto answer = probe_action(call(action, {{"sender", sender}}), settings_);
    EXPECT_TRUE(answer) << answer.error().what;
    return answer.value_or(false);
  }

  TemporaryFolder folder_;
  EffectSettings settings_;

 private:
  std::uint16_t port_ = 0;
};

TEST_F(PostfixQueue, OnlyWhatOneSenderSentIsHeldReleasedAndDeleted) {
  const std::string bad = "news@bad.example";
  const std::string good = "news@good.example";
  const std::string alike = "fake-news@bad.example";  // ends as the other
  send(bad, mails);
  send(good, mails);
  send(alike, 1);
  ASSERT_TRUE(all_are_deferred(bad, mails)) << log();
  ASSERT_TRUE(all_are_deferred(good, mails)) << log();
  ASSERT_TRUE(all_are_deferred(alike, 1)) << log();
  EXPECT_FALSE(holds("hold_mail", bad));
  EXPECT_TRUE(holds("release_mail", bad));

  for (int time = 0; time < 2; ++time) {
    const auto held = perform("hold_mail", bad);
    ASSERT_TRUE(held) << held.error().what;
    EXPECT_EQ(json::Value(*held).integer("count"), mails);
    EXPECT_EQ(json::Value(*held)["ids"].as_array()->size(), std::size_t{mails});
    EXPECT_EQ(count(bad, "hold"), mails);
    EXPECT_EQ(count(good, "deferred"), mails);
    EXPECT_EQ(count(alike, "deferred"), 1);
    EXPECT_TRUE(holds("hold_mail", bad));
    EXPECT_FALSE(holds("hold_mail", good));
  }

  const auto released = perform("release_mail", bad);
  ASSERT_TRUE(released) << released.error().what;
  EXPECT_EQ(json::Value(*released).integer("count"), mails);
  EXPECT_TRUE(holds("release_mail", bad));
  EXPECT_TRUE(all_are_deferred(bad, mails)) << log();

  // One on hold, the others on their way: all go.
  const auto deleted = perform("delete_mail", "news@BAD.example");  // a domain has no case
  ASSERT_TRUE(deleted) << deleted.error().what;
  EXPECT_EQ(json::Value(*deleted).integer("count"), mails);
  EXPECT_TRUE(holds("delete_mail", bad));
  EXPECT_EQ(count(bad, "deferred") + count(bad, "hold"), 0);
  EXPECT_EQ(count(good, "deferred"), mails);
  EXPECT_EQ(count(alike, "deferred"), 1);
  const auto again = perform("delete_mail", bad);
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(json::Value(*again).integer("count"), 0);
}

TEST_F(PostfixQueue, NotificationsHaveNoSenderAndAName) {
  send("", 2);
  ASSERT_TRUE(all_are_deferred("MAILER-DAEMON", 2)) << log();
  const auto held = perform("hold_mail", "MAILER-DAEMON");
  ASSERT_TRUE(held) << held.error().what;
  EXPECT_EQ(json::Value(*held).integer("count"), 2);
  EXPECT_EQ(count("MAILER-DAEMON", "hold"), 2);
}

TEST_F(PostfixQueue, MoreThanOneCallHoldsAreHeld) {
  send("many@bad.example", 130);
  ASSERT_TRUE(all_are_deferred("many@bad.example", 130)) << log();
  const auto held = perform("hold_mail", "many@bad.example");
  ASSERT_TRUE(held) << held.error().what;
  EXPECT_EQ(json::Value(*held).integer("count"), 130);
  EXPECT_EQ(count("many@bad.example", "hold"), 130);
}

TEST_F(PostfixQueue, AListingThatIsTooLongIsSaidAndNothingIsDone) {
  send("a@bad.example", 40);
  ASSERT_TRUE(all_are_deferred("a@bad.example", 40)) << log();
  settings_.mail->listing_bytes_max = 4096;
  const auto held = perform("hold_mail", "a@bad.example");
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, Code::denied);
  EXPECT_NE(held.error().what.find("'listing_bytes_max'"), std::string::npos) << held.error().what;
  EXPECT_EQ(count("a@bad.example", "hold"), 0);
}

TEST(Mail, ItsSenderIsAnAddress) {
  EffectSettings settings;
  settings.mail = MailEffects{.postqueue = "/nonexistent"};
  for (const char* wrong : {"example.com", "ALL", "-", "a@b\nc@d", "a@b\x7f"}) {
    const auto done = perform_action(call("hold_mail", {{"sender", wrong}}), settings);
    ASSERT_FALSE(done) << wrong;
    EXPECT_EQ(done.error().code, Code::invalid) << wrong;
  }
}

}  // namespace
}  // namespace mailwarden::respond
