// Alerts by mail through servers of mail that are not ours: Postfix over TLS, and Exim.
#include <algorithm>
#include <functional>

#include <gmock/gmock.h>
#include <pwd.h>

#include "alert/channel.h"
#include "json/base64.h"
#include "tests/alert/alerts.h"
#include "tests/free_port.h"
#include "tests/net/certificates.h"
#include "tests/postfix.h"
#include "tests/process.h"

namespace mailwarden::alert {
namespace {

using testing::HasSubstr;

// Whom the servers run as, where a test runs as root.
constexpr uid_t nobody = 65'534;

// "" where there is none.
std::string unfolded_header(const std::string& mail, const std::string& name) {
  const std::size_t begin = mail.find("\n" + name + ": ");
  if (begin == std::string::npos) return "";
  std::string value;
  for (std::size_t at = begin + name.size() + 3; at < mail.size(); ++at) {
    const bool folded = mail[at] == '\n' && at + 1 < mail.size() && mail[at + 1] == ' ';
    if (mail[at] == '\n' && !folded) break;
    if (mail[at] != '\n') value += mail[at];
  }
  return value;
}

// RFC 2047, of words in base64.
std::string decoded(const std::string& header) {
  constexpr std::string_view begin = "=?utf-8?B?";
  std::string text;
  for (std::size_t at = header.find(begin); at != std::string::npos; at = header.find(begin, at)) {
    at += begin.size();
    text += json::from_base64(header.substr(at, header.find("?=", at) - at)).value_or("?");
  }
  return text;
}

class MailServer : public testing::Test {
 protected:
  void SetUp() override {
    // The servers' own users must reach what is below.
    std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
    std::filesystem::create_directory(folder_.path("mail"));
    give("mail");
  }
  void TearDown() override {
    if (!server_) return;
    server_->kill(SIGTERM);
    server_->wait();
  }

  void give(const std::string& name) {
    if (::geteuid() != 0) return;
    ASSERT_EQ(::chown(folder_.path(name).c_str(), nobody, nobody), 0);
  }
  virtual std::string log() { return read_file(folder_.path("output")); }
  virtual bool becomes_true(const std::function<bool()>& question) {
    return server_->wait_until(question);
  }

  template <class Question>
  void wait_until(Question question) {
    ASSERT_TRUE(becomes_true(question)) << log();
  }

  // What a server delivered, once it is whole.
  std::string delivered() {
    const std::string path = folder_.path("mail/security");
    wait_until([&] { return read_file(path).ends_with("\n\n"); });
    return read_file(path);
  }

  void expect_alert_through(Receiver receiver) {
    receiver.name = "mail";
    receiver.kind = Receiver::Kind::smtp;
    receiver.server = "smtp://127.0.0.1:" + port_;
    receiver.from = "warden@example.org";
    receiver.to = {"security@example.com"};
    incident::Incident incident = sample_incident();
    incident.title = "Anmeldungen für viele Konten, alle von einer Adresse, in kurzer Zeit";
    const Alert alert = alert_of("opened", incident);
    // It listens a moment after it has begun.
    wait_until([&] {
      const auto done = deliver(receiver, alert, opened_at);
      EXPECT_TRUE(done || done.error().code == Code::unavailable) << done.error().what;
      return done.has_value();
    });
    const std::string mail = delivered();
    EXPECT_EQ(unfolded_header(mail, "Message-ID"), "<" + alert.key + "@example.org>");
    EXPECT_EQ(decoded(unfolded_header(mail, "Subject")), alert.subject);
    EXPECT_EQ(unfolded_header(mail, "To"), "security@example.com");
    EXPECT_THAT(unfolded_header(mail, "From"), HasSubstr("<warden@example.org>"));
    std::string body = mail.substr(mail.find("\n\n") + 2);
    std::erase(body, '\n');
    const auto text = json::from_base64(body);
    ASSERT_TRUE(text) << mail;
    EXPECT_THAT(*text, testing::StartsWith(alert.subject + "\r\n\r\n"));
    EXPECT_THAT(*text, HasSubstr(json::to_text(alert.event)));
  }

  TemporaryFolder folder_;
  std::string port_ = free_port();
  std::optional<Process> server_;
};

class PostfixTest : public MailServer {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "Postfix is started by root alone";
    MailServer::SetUp();
    const net::Authority authority;
    const net::Identity own = authority.issue({.names = "IP:127.0.0.1"});
    write_file(folder_.path("ca"), authority.pem());
    write_file(folder_.path("certificate"), own.key + own.certificate);
    std::filesystem::permissions(folder_.path("certificate"), std::filesystem::perms(0600));
    const std::string at = folder_.path();
    postfix_.start("virtual_mailbox_domains = example.com\nvirtual_mailbox_base = " + at +
                       "/mail\nvirtual_mailbox_maps = static:security\n"
                       "virtual_uid_maps = static:65534\nvirtual_gid_maps = static:65534\n"
                       "smtpd_relay_restrictions = reject_unauth_destination\n"
                       "smtpd_tls_security_level = encrypt\nsmtpd_tls_chain_files = " +
                       at + "/certificate\n",
                   "tlsmgr unix - - n 1000? 1 tlsmgr\nvirtual unix - n n - - virtual\n");
    port_ = postfix_.port();
  }
  std::string log() override { return postfix_.log(); }
  bool becomes_true(const std::function<bool()>& question) override {
    return postfix_.wait_until(question);
  }

  Postfix postfix_;
};

TEST_F(PostfixTest, DeliversTheAlertAsItWasWritten) {
  expect_alert_through({.start_tls = true, .ca_file = folder_.path("ca")});
}

TEST_F(PostfixTest, RefusesForGoodWhomItDoesNotKnow) {
  const Receiver receiver{.name = "mail",
                          .kind = Receiver::Kind::smtp,
                          .server = "smtp://127.0.0.1:" + port_,
                          .from = "warden@example.org",
                          .to = {"somebody@elsewhere.example"},
                          .ca_file = folder_.path("ca")};
  const Alert alert = alert_of("opened", sample_incident());
  Delivery done;
  wait_until([&] {
    done = deliver(receiver, alert, opened_at);
    return !done && done.error().code != Code::unavailable;
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::denied);
  EXPECT_THAT(done.error().what, HasSubstr("mail: smtp://127.0.0.1:" + port_));
}

class EximTest : public MailServer {
 protected:
  void SetUp() override {
    const std::string unpacked = program_folder() + "/../exim";
    Process install({source_folder() + "/tests/alert/install_exim", unpacked},
                    folder_.path("install"));
    if (install.wait() != 0) {
      GTEST_SKIP() << "Exim cannot be had: " << read_file(folder_.path("install"));
    }
    MailServer::SetUp();
    std::filesystem::create_directory(folder_.path("spool"));
    give("spool");
    // Where whom it serves may run it, too.
    const std::string program = folder_.path("exim");
    std::filesystem::copy_file(unpacked + "/exim", program);
    const std::string at = folder_.path();
    write_file(at + "/exim.conf",
               "keep_environment = LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP\n"
               "exim_path = " +
                   program + "\nspool_directory = " + at +
                   "/spool\n"
                   "log_file_path = " +
                   at + "/spool/log-%s\npid_file_path = " + at +
                   "/spool/pid\n"
                   "primary_hostname = mail.example.com\nlocal_interfaces = 127.0.0.1\n"
                   "daemon_smtp_ports = " +
                   port_ +
                   "\nacl_smtp_rcpt = recipient\n"
                   "tls_advertise_hosts =\nnever_users =\n"
                   "begin acl\nrecipient:\n  accept domains = example.com\n  deny\n"
                   "begin routers\nall:\n  driver = accept\n  transport = file\n"
                   "begin transports\nfile:\n  driver = appendfile\n"
                   "  file = " +
                   at + "/mail/security\n  user = Debian-exim\n");
    // The user whom it was built for, who is there only where it is installed.
    const std::string user = std::to_string(::geteuid() == 0 ? nobody : ::geteuid());
    write_file(at + "/passwd", "root:x:0:0::/:/bin/false\nDebian-exim:x:" + user + ":" + user +
                                   "::/nonexistent:/bin/false\n");
    write_file(at + "/group", "root:x:0:\nDebian-exim:x:" + user + ":\n");
    server_.emplace(std::vector<std::string>{"/usr/bin/env", "LD_PRELOAD=libnss_wrapper.so",
                                             "NSS_WRAPPER_PASSWD=" + at + "/passwd",
                                             "NSS_WRAPPER_GROUP=" + at + "/group", program, "-C",
                                             at + "/exim.conf", "-bdf"},
                    folder_.path("output"));
  }
};

TEST_F(EximTest, DeliversTheAlertAsItWasWritten) {
  expect_alert_through({.start_tls = false});
}

}  // namespace
}  // namespace mailwarden::alert
