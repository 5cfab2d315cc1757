// A real issuer of OpenID Connect tokens, and people who sign in with it.
#pragma once

#include <chrono>
#include <optional>

#include "json/value.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "tests/process.h"

namespace mailwarden {

struct SignIn {
  std::string person = "ada@example.com";
  std::string client = "rs256";     // or "es256": how its ID tokens are signed
  std::string methods = "pwd mfa";  // how they sign in, as `amr` says it
  std::chrono::seconds age{60};     // how long ago
};

// oidc-provider, which runs as a process of its own (guard/issuer.mjs).
class Issuer {
 public:
  // `programs` is where install_programs has put Node.js and the library.
  explicit Issuer(const std::string& programs) {
    // A script finds its libraries beside itself.
    std::filesystem::copy(source_folder() + "/tests/e2e/guard/issuer.mjs", script());
    std::filesystem::create_directory_symlink(programs + "/node_modules",
                                              folder_.path("node_modules"));
    process_.emplace(std::vector<std::string>{programs + "/node", script()}, output());
    EXPECT_TRUE(process_->wait_until([&] { return is_listening(); })) << read_file(output());
  }

  // "http://127.0.0.1:PORT", which its tokens name too.
  std::string name() const {
    const std::string text = read_file(output());
    const std::size_t begin = text.find("http://127.0.0.1:");
    return text.substr(begin, text.find('\n', begin) - begin);
  }

  // The ID token that somebody gets by the authorization code flow, "" where there is none.
  std::string token(const SignIn& who) const {
    const std::string code = authorize(who);
    const auto answer = net::Client().request(
        {.method = "POST",
         .url = name() + "/token",
         .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
         .body = "grant_type=authorization_code&client_id=" + who.client + "&code=" + code +
                 "&redirect_uri=http%3A%2F%2F127.0.0.1%2Fsigned-in&code_verifier=" + verifier});
    EXPECT_TRUE(answer) << answer.error().what;
    const auto tokens = json::parse(answer ? answer->body : "");
    const std::string token = tokens ? tokens->text("id_token") : "";
    EXPECT_FALSE(token.empty()) << (answer ? answer->body : "");
    return token;
  }

 private:
  // RFC 7636, appendix B.
  static constexpr const char* verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  static constexpr const char* challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
  static constexpr std::size_t redirects_max = 5;

  std::string script() const { return folder_.path("issuer.mjs"); }
  std::string output() const { return folder_.path("output"); }
  bool is_listening() const {
    const std::string text = read_file(output());
    const std::size_t begin = text.find("http://127.0.0.1:");
    return begin != std::string::npos && text.find('\n', begin) != std::string::npos;
  }

  // As a browser does: asks, follows where it is sent to, and shows the cookies that it was given.
  // The code is in the address of the client's own page, which nobody needs to open.
  std::string authorize(const SignIn& who) const {
    net::Client client;
    std::map<std::string, std::string> cookies;
    net::HttpCall call{
        .url = name() + "/auth",
        .query = {{"client_id", who.client},
                  {"response_type", "code"},
                  {"redirect_uri", "http://127.0.0.1/signed-in"},
                  {"scope", "openid email"},
                  {"nonce", "n-0S6_WzA2Mj"},
                  {"code_challenge", challenge},
                  {"code_challenge_method", "S256"},
                  // Google tells how somebody signed in, and when, if it is asked in this way.
                  {"claims", R"({"id_token": {"amr": {"essential": true},)"
                             R"( "auth_time": {"essential": true}}})"},
                  {"login_hint", who.person},
                  {"methods", who.methods},
                  {"age", std::to_string(who.age.count())}}};
    for (std::size_t i = 0; i < redirects_max; ++i) {
      const auto answer = client.request(call);
      if (!answer) break;
      remember(*answer, cookies);
      const std::string next = net::header(*answer, "location");
      if (const std::size_t code = next.find("code="); code != std::string::npos) {
        return next.substr(code + 5, next.find('&', code) - code - 5);
      }
      call = {.url = next.starts_with('/') ? name() + next : next,
              .headers = {{"Cookie", header_of(cookies)}}};
    }
    return "";
  }

  static void remember(const net::HttpAnswer& answer, std::map<std::string, std::string>& cookies) {
    for (const auto& [name, value] : answer.headers) {
      if (name != "set-cookie") continue;
      const std::size_t equals = value.find('=');
      cookies[value.substr(0, equals)] = value.substr(equals + 1, value.find(';') - equals - 1);
    }
  }
  static std::string header_of(const std::map<std::string, std::string>& cookies) {
    std::string header;
    for (const auto& [name, value] : cookies) {
      header += (header.empty() ? "" : "; ") + name + "=" + value;
    }
    return header;
  }

  TemporaryFolder folder_;
  std::optional<Process> process_;
};

}  // namespace mailwarden
