// Certificates and keys as operators install them, rightly and wrongly, and renew them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/net/tls_fixture.h"

namespace mailwarden::net {
namespace {

using testing::HasSubstr;

TEST_F(TlsServerTest, ServesNewConnectionsWithWhatWasInstalledSince) {
  serve({.tls = files()});
  TlsClient open(port(), {});
  EXPECT_EQ(open.server(), "first");
  open.send(question + "\r\n");
  ASSERT_THAT(open.receive(), HasSubstr("HTTP/1.1 200"));
  install(authority_.issue({.name = "second"}));
  EXPECT_EQ(TlsClient(port(), {}).server(), "first");
  const auto done = server_->reload_certificates();
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(TlsClient(port(), {}).server(), "second");
  open.send(question + "\r\n");
  const std::string answer = open.receive_all();
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  EXPECT_TRUE(open.ended_well());
}

TEST_F(TlsServerTest, WhoIsNoLongerVouchedForIsRefused) {
  serve({.tls = files_with_clients()});
  const Identity gate = authority_.issue({.name = "gate"});
  expect_answered({.identity = gate});
  const Authority other("another authority");
  write_file(path("authority"), other.pem());
  ASSERT_TRUE(server_->reload_certificates());
  write_file(path("authority"), authority_.pem());  // by which the client knows the server
  expect_refused({.identity = gate}, "alert unknown ca");
  expect_answered({.identity = other.issue({})});
}

TEST_F(TlsServerTest, AServerWithoutTlsHasNothingToReload) {
  start({});
  EXPECT_TRUE(server_->reload_certificates());
}

// One file of the three is spoilt.
struct Spoilt {
  std::string name;
  std::string file;
  std::function<void(const std::string& path, const Authority&)> spoil;
  Code code;
  std::string what;
};

const std::vector<Spoilt>& spoilt_files() {
  using Path = const std::string&;
  using From = const Authority&;
  static const std::vector<Spoilt> all{
      {"NoCertificate", "certificate", [](Path at, From) { std::filesystem::remove(at); },
       Code::not_found, "No such file"},
      {"AnEmptyCertificate", "certificate", [](Path at, From) { write_file(at, ""); },
       Code::invalid, "there is no certificate in PEM in it"},
      {"ACutCertificate", "certificate",
       [](Path at, From) { write_file(at, read_file(at).substr(0, 300)); }, Code::invalid,
       "certificate 1 cannot be read"},
      {"ACutChain", "certificate",
       [](Path at, From from) { append_file(at, from.pem().substr(0, 300)); }, Code::invalid,
       "certificate 2 cannot be read"},
      {"AnotherCertificate", "key", [](Path at, From from) { write_file(at, from.issue({}).key); },
       Code::invalid, "this is not the key of the first certificate in "},
      {"AWeakKey", "certificate",
       [](Path at, From from) {
         const Identity weak = from.issue({.has_weak_key = true});
         write_file(at, weak.certificate);
         write_file(std::filesystem::path(at).replace_filename("key"), weak.key);
       },
       Code::invalid, "key too small"},
      {"NoKey", "key", [](Path at, From) { std::filesystem::remove(at); }, Code::not_found,
       "No such file"},
      {"ACertificateForAKey", "key", [](Path at, From from) { write_file(at, from.pem()); },
       Code::invalid, "there is no private key in PEM in it"},
      {"AnEncryptedKey", "key",
       [](Path at, From) { write_file(at, Authority::locked(read_file(at))); }, Code::invalid,
       "the key is encrypted"},
      {"AKeyForEverybody", "key", [](Path at, From) { ::chmod(at.c_str(), 0644); }, Code::denied,
       "everybody may open this key"},
      {"NoClients", "authority", [](Path at, From) { std::filesystem::remove(at); },
       Code::not_found, "No such file"},
      {"AKeyForClients", "authority",
       [](Path at, From from) { write_file(at, from.issue({}).key); }, Code::invalid,
       "there is no certificate in PEM in it"}};
  return all;
}

class SpoiltFiles : public TlsServerTest, public testing::WithParamInterface<Spoilt> {
 protected:
  void expect_error(const Result<void>& result) const {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, GetParam().code);
    EXPECT_THAT(result.error().what, HasSubstr(path(GetParam().file) + ": "));
    EXPECT_THAT(result.error().what, HasSubstr(GetParam().what));
  }
};

TEST_P(SpoiltFiles, KeepAServerFromStarting) {
  GetParam().spoil(path(GetParam().file), authority_);
  auto started = HttpServer::start({.listen_tls = {"127.0.0.1:0"}, .tls = files_with_clients()},
                                   [](const Request&) { return Response(); });
  expect_error(started ? Result<void>() : std::unexpected(started.error()));
}

TEST_P(SpoiltFiles, LeaveARunningOneWhatItHad) {
  serve({.tls = files_with_clients()});
  const Identity gate = authority_.issue({.name = "gate"});
  GetParam().spoil(path(GetParam().file), authority_);
  expect_error(server_->reload_certificates());
  write_file(path("authority"), authority_.pem());
  expect_answered({.identity = gate});
  EXPECT_EQ(TlsClient(port(), {.identity = gate}).server(), "first");
}

INSTANTIATE_TEST_SUITE_P(, SpoiltFiles, testing::ValuesIn(spoilt_files()),
                         [](const auto& tested) { return tested.param.name; });

TEST_F(TlsServerTest, AKeyMayBeItsGroupsAndALink) {
  ASSERT_EQ(::chmod(path("key").c_str(), 0640), 0);
  std::filesystem::create_symlink(path("key"), path("link"));
  TlsFiles linked = files();
  linked.key = path("link");
  serve({.tls = linked});
  expect_answered();
}

TEST_F(TlsServerTest, SendsTheChainThatLeadsToItsAuthority) {
  const Authority below("a smaller authority", &authority_);
  install(below.issue({.name = "behind a chain"}));
  serve({.tls = files()});
  expect_answered();
}

}  // namespace
}  // namespace mailwarden::net
