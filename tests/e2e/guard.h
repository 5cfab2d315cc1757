// Enforcement points as their users run them: a real nginx or Envoy before a page.
#pragma once

#include <optional>
#include <string>

#include "net/http_client.h"
#include "tests/process.h"

namespace mailwarden {

enum class GuardKind { nginx, envoy };

struct GuardOptions {
  GuardKind kind = GuardKind::nginx;
  std::string programs;    // where install_programs has put Envoy
  std::string folder;      // its own
  std::string mailwarden;  // the daemon's UNIX socket
  std::string system;      // what the page is called in policies
  std::string page;        // "127.0.0.1:PORT" of what it guards
};

class Guard {
 public:
  explicit Guard(const GuardOptions& options) : folder_(options.folder) {
    std::filesystem::create_directories(folder_);
    if (options.kind == GuardKind::nginx) {
      start({"/usr/sbin/nginx", "-e", folder_ + "/error", "-p", folder_, "-c",
             configuration("nginx.conf", options)});
    } else {
      start({options.programs + "/envoy", "-c", configuration("envoy.yaml", options),
             "--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"});
    }
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() {
    process_->kill(SIGTERM);
    process_->wait();
  }

  // What somebody with this token, or with none, is answered; status 0 where nothing came.
  net::HttpAnswer ask(const std::string& token, const std::string& method = "GET") const {
    net::HttpCall call{
        .method = method, .url = "http://localhost/page", .socket = folder_ + "/socket"};
    if (!token.empty()) call.headers.emplace_back("Authorization", "Bearer " + token);
    const auto answer = net::Client().request(call);
    return answer ? *answer : net::HttpAnswer();
  }

 private:
  void start(std::vector<std::string> arguments) {
    process_.emplace(std::move(arguments), folder_ + "/output");
    EXPECT_TRUE(process_->wait_until([&] { return ask("").status != 0; }))
        << read_file(folder_ + "/output");
  }

  // The file of that name in tests/e2e/guard, made for this guard; its path.
  static std::string configuration(const std::string& name, const GuardOptions& options) {
    const std::size_t colon = options.page.find(':');
    const std::pair<std::string, std::string> values[] = {
        {"@folder@", options.folder},
        {"@mailwarden@", options.mailwarden},
        {"@system@", options.system},
        {"@page_host@", options.page.substr(0, colon)},
        {"@page_port@", options.page.substr(colon + 1)},
        {"@user@", ::geteuid() == 0 ? "user root;" : ""}};
    std::string text = read_file(source_folder() + "/tests/e2e/guard/" + name);
    for (const auto& [place, value] : values) {
      for (std::size_t at = 0; (at = text.find(place, at)) != std::string::npos;) {
        text.replace(at, place.size(), value);
      }
    }
    const std::string path = options.folder + "/" + name;
    write_file(path, text);
    return path;
  }

  std::string folder_;
  std::optional<Process> process_;
};

}  // namespace mailwarden
