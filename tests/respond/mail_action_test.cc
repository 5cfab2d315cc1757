// Mail in the queue of a real Postfix, which is the test's own.
#include <algorithm>
#include <filesystem>

#include <grp.h>
#include <pwd.h>
#include <signal.h>

#include "base/text.h"
#include "net/http_client.h"
#include "tests/postfix.h"
#include "tests/respond/effects.h"

namespace mailwarden::respond {
namespace {

constexpr int mails = 15;  // of each sender

class PostfixQueue : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root runs a Postfix";
    // Everything that is to be delivered waits.
    postfix_.start("defer_transports = smtp\n", "smtp unix - - n - - smtp\n");
    settings_.mail = MailEffects{.config_directory = postfix_.configuration()};
  }

  void send(const std::string& from, int count) const {
    net::Client client;
    for (int i = 0; i < count; ++i) {
      const auto sent = client.send_mail({.server = postfix_.url(),
                                          .start_tls = net::StartTls::never,
                                          .from = from,
                                          .to = {"somebody@example.org"},
                                          .message = "Subject: hello\r\n\r\nhello\r\n"});
      ASSERT_TRUE(sent) << sent.error().what << postfix_.log();
    }
  }

  // By the sender, how many mails are in a queue, as Postfix lists it.
  int count(const std::string& sender, const std::string& queue) const {
    int found = 0;
    const std::string listing =
        output_of({"/usr/sbin/postqueue", "-c", postfix_.configuration(), "-j"});
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

  Postfix postfix_;
  EffectSettings settings_;

 private:
};

TEST_F(PostfixQueue, OnlyWhatOneSenderSentIsHeldReleasedAndDeleted) {
  const std::string bad = "news@bad.example";
  const std::string good = "news@good.example";
  const std::string alike = "fake-news@bad.example";  // ends as the other
  send(bad, mails);
  send(good, mails);
  send(alike, 1);
  ASSERT_TRUE(all_are_deferred(bad, mails)) << postfix_.log();
  ASSERT_TRUE(all_are_deferred(good, mails)) << postfix_.log();
  ASSERT_TRUE(all_are_deferred(alike, 1)) << postfix_.log();
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
  EXPECT_TRUE(all_are_deferred(bad, mails)) << postfix_.log();

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
  ASSERT_TRUE(all_are_deferred("MAILER-DAEMON", 2)) << postfix_.log();
  const auto held = perform("hold_mail", "MAILER-DAEMON");
  ASSERT_TRUE(held) << held.error().what;
  EXPECT_EQ(json::Value(*held).integer("count"), 2);
  EXPECT_EQ(count("MAILER-DAEMON", "hold"), 2);
}

TEST_F(PostfixQueue, MoreThanOneCallHoldsAreHeld) {
  send("many@bad.example", 130);
  ASSERT_TRUE(all_are_deferred("many@bad.example", 130)) << postfix_.log();
  const auto held = perform("hold_mail", "many@bad.example");
  ASSERT_TRUE(held) << held.error().what;
  EXPECT_EQ(json::Value(*held).integer("count"), 130);
  EXPECT_EQ(count("many@bad.example", "hold"), 130);
}

TEST_F(PostfixQueue, AListingThatIsTooLongIsSaidAndNothingIsDone) {
  send("a@bad.example", 40);
  ASSERT_TRUE(all_are_deferred("a@bad.example", 40)) << postfix_.log();
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
