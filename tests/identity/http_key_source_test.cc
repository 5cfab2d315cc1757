#include "identity/http_key_source.h"

#include <functional>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/verifier.h"
#include "tests/identity/token_maker.h"
#include "tests/net/sockets.h"

namespace mailwarden::identity {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;

struct Header {
  const char* name;
  std::string cache_control;
  std::string age;
  std::optional<Duration> fresh;
};

class FreshFor : public testing::TestWithParam<Header> {};

TEST_P(FreshFor, IsWhatTheHeadersSay) {
  EXPECT_EQ(fresh_for(GetParam().cache_control, GetParam().age), GetParam().fresh);
}

INSTANTIATE_TEST_SUITE_P(
    , FreshFor,
    testing::Values(Header{"Nothing", "", "", {}},
                    Header{"NothingOfTime", "public, must-revalidate", "", {}},
                    Header{"OfGoogle", "public, max-age=22222, must-revalidate, no-transform", "",
                           seconds(22'222)},
                    Header{"LessItsAge", "max-age=3600", "600", seconds(3000)},
                    Header{"OlderThanFresh", "max-age=60", "600", seconds(0)},
                    Header{"AnyCase", "Max-Age=60", "", seconds(60)},
                    Header{"Quoted", "max-age=\"60\"", "", seconds(60)},
                    Header{"Blanks", " public ,  max-age = 60 ", " 10 ", seconds(50)},
                    Header{"Zero", "max-age=0", "", seconds(0)},
                    Header{"Twice", "max-age=600, max-age=60", "", seconds(60)},
                    Header{"NoStore", "max-age=60, no-store", "", seconds(0)},
                    Header{"NoCache", "no-cache", "", seconds(0)},
                    Header{"ForOthers", "s-maxage=60", "", {}},
                    Header{"NoNumber", "max-age=soon", "", seconds(0)},
                    Header{"Negative", "max-age=-1", "", seconds(0)},
                    Header{"NoValue", "max-age", "", seconds(0)},
                    Header{"EmptyValue", "max-age=", "", seconds(0)},
                    Header{"Huge", "max-age=99999999999999999999999", "", hours(366 * 24)},
                    Header{"AgeIsNonsense", "max-age=60", "old", seconds(0)}),
    [](const auto& tested) { return tested.param.name; });

TEST(HttpKeySource, TakesNoAddressWhereOthersMayWrite) {
  for (const char* url :
       {"http://id.example/keys", "http://127.0.0.1.evil.example/keys", "http://localhost.evil/",
        "http://127.0.0.1@evil.example/", "https://user:word@id.example/", "https://", "http://",
        "", "id.example", "ftp://id.example/", "file:///etc/passwd", "HTTP://id.example"}) {
    for (const auto& source : {http_key_source(url), discovered_key_source(url)}) {
      ASSERT_FALSE(source) << url;
      EXPECT_EQ(source.error().code, Code::invalid);
    }
  }
  for (const char* url : {"https://id.example/keys", "http://127.0.0.1/", "http://localhost:80/k",
                          "http://[::1]:8080/keys", "http://127.0.0.1"}) {
    EXPECT_TRUE(http_key_source(url)) << url;
  }
}

// A server on loopback that answers each path with what it was given.
class Server {
 public:
  void put(const std::string& path, const std::string& answer) {
    const std::lock_guard lock(mutex_);
    answers_[path] = answer;
  }
  std::string url(const std::string& path) const { return "http://" + listener_.address() + path; }

 private:
  void serve(net::Socket& socket) {
    const std::string request = socket.receive_until("\r\n\r\n");
    if (!request.starts_with("GET ")) return;
    const std::lock_guard lock(mutex_);
    const auto answer = answers_.find(request.substr(4, request.find(' ', 4) - 4));
    socket.send(answer != answers_.end() ? answer->second
                                         : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  }

  std::mutex mutex_;
  std::map<std::string, std::string> answers_;
  net::Listener listener_{[this](net::Socket& socket) { serve(socket); }};
};

std::string answer(const std::string& status, const std::string& body,
                   const std::string& headers = "") {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body;
}

TEST(HttpKeySource, GivesTheKeysAndHowLongTheyAreFresh) {
  Server server;
  server.put("/keys", answer("200 OK", key_set_text({jwk(p256_key(), "k")}),
                             "Cache-Control: public, max-age=600\r\nAge: 100\r\n"));
  const auto source = http_key_source(server.url("/keys"));
  ASSERT_TRUE(source) << source.error().what;
  const auto document = (*source)();
  ASSERT_TRUE(document) << document.error().what;
  EXPECT_EQ(document->fresh_for, seconds(500));
  EXPECT_TRUE(
      KeySet::parse(document->text)->choose("k", crypto::SignatureScheme::ecdsa_p256_sha256));
}

TEST(HttpKeySource, ServesAVerifier) {
  Server server;
  server.put("/keys", answer("200 OK", key_set_text({jwk(p256_key(), "k")})));
  const auto verifier = Verifier::make({{.name = "google",
                                         .expected = google("app.example", "example.com"),
                                         .keys = http_key_source(server.url("/keys")).value()}});
  ASSERT_TRUE(verifier) << verifier.error().what;
  const auto claims = (*verifier)->verify(good_token(p256_key(), "k"), noon);
  ASSERT_TRUE(claims) << claims.error().what;
  EXPECT_EQ(claims->email, "ada@example.com");
}

TEST(HttpKeySource, EveryOtherStatusIsUnavailable) {
  Server server;
  for (const char* status : {"204 No Content", "301 Moved", "404 Not Found", "500 Error"}) {
    server.put("/keys", answer(status, key_set_text({jwk(p256_key(), "k")}),
                               "Location: https://evil.example/\r\n"));
    const auto document = http_key_source(server.url("/keys")).value()();
    ASSERT_FALSE(document) << status;
    EXPECT_EQ(document.error().code, Code::unavailable);
  }
}

TEST(HttpKeySource, ReadsNoMoreThanTheLimit) {
  Server server;
  server.put("/keys", answer("200 OK", std::string(256 * 1024 + 1, ' ')));
  const auto document = http_key_source(server.url("/keys")).value()();
  ASSERT_FALSE(document);
  EXPECT_EQ(document.error().code, Code::unavailable);
}

TEST(DiscoveredKeySource, AsksTheIssuerWhereItsKeysAre) {
  Server server;
  const std::string issuer = server.url("");
  server.put("/.well-known/openid-configuration",
             answer("200 OK", json::to_text(json::Object{{"issuer", issuer},
                                                         {"jwks_uri", server.url("/keys")}})));
  server.put("/keys", answer("200 OK", key_set_text({}), "Cache-Control: max-age=60\r\n"));
  const auto document = discovered_key_source(issuer).value()();
  ASSERT_TRUE(document) << document.error().what;
  EXPECT_EQ(document->text, R"({"keys":[]})");
  EXPECT_EQ(document->fresh_for, seconds(60));
}

TEST(DiscoveredKeySource, BelievesNoDocumentOfAnotherIssuerOrPlace) {
  Server server;
  const std::string issuer = server.url("/tenant");
  const auto discovered = [&](const std::string& named, const std::string& keys) {
    server.put(
        "/tenant/.well-known/openid-configuration",
        answer("200 OK", json::to_text(json::Object{{"issuer", named}, {"jwks_uri", keys}})));
    const auto document = discovered_key_source(issuer).value()();
    return document ? "" : document.error().what;
  };
  server.put("/keys", answer("200 OK", key_set_text({})));
  EXPECT_EQ(discovered(issuer, server.url("/keys")), "");
  EXPECT_THAT(discovered("https://evil.example", server.url("/keys")),
              HasSubstr("it is the document of another issuer"));
  EXPECT_THAT(discovered(issuer + "/", server.url("/keys")),
              HasSubstr("it is the document of another issuer"));
  EXPECT_THAT(discovered(issuer, "http://evil.example/keys"), HasSubstr("is not https://"));
  EXPECT_THAT(discovered(issuer, ""), HasSubstr("is not https://"));
}

}  // namespace
}  // namespace mailwarden::identity
