// A daemon that runs while a test looks at it.
#pragma once

#include "net/http_client.h"
#include "tests/e2e/daemon.h"

namespace mailwarden {

class RunningDaemon : public TestDaemon {
 public:
  RunningDaemon() = default;
  explicit RunningDaemon(std::string url) : TestDaemon(std::move(url)) {}
  RunningDaemon(const RunningDaemon&) = delete;
  RunningDaemon& operator=(const RunningDaemon&) = delete;
  // Told to stop and not killed, so that what a sanitizer finds at the end fails the test.
  ~RunningDaemon() {
    if (!process_ || process_->ended()) return;
    EXPECT_EQ(stop(), 0) << output();
  }

  void start(std::vector<std::string> more = {}) {
    more.insert(more.end(),
                {"--socket", path("socket"), "--listen", "127.0.0.1:0", "--seal-interval", "1s"});
    process_.emplace(arguments(std::move(more)), path("output"));
    ASSERT_TRUE(process_->wait_until([&] { return ask("/readyz").status == 200; })) << output();
  }

  net::HttpAnswer ask(const std::string& target, const std::string& method = "GET",
                      const std::string& body = "") {
    const auto answer = net::Client().request({.method = method,
                                               .url = "http://localhost" + target,
                                               .socket = path("socket"),
                                               .body = body});
    return answer ? *answer : net::HttpAnswer();
  }
  json::Value get(const std::string& target) {
    auto value = json::parse(ask(target).body);
    return value ? *value : json::Value();
  }

  // Until the question is answered with yes, which a broken daemon keeps from happening.
  template <class Question>
  void wait_until(Question question) {
    ASSERT_TRUE(process_->wait_until(question)) << output();
  }
  void wait_for_events(std::int64_t count) {
    wait_until([&] { return get("/api/v1/status").integer("events") >= count; });
  }

  // "http://127.0.0.1:PORT"
  std::string address() const {
    const std::string text = output();
    // A daemon that was started anew says it again.
    const std::size_t begin = text.rfind("console at ") + std::string_view("console at ").size();
    return text.substr(begin, text.find('/', begin + 7) - begin);
  }

  pid_t id() const { return process_->id(); }
  void signal(int number) { process_->kill(number); }
  int stop() {
    process_->kill(SIGTERM);
    return process_->wait();
  }

 private:
  std::optional<Process> process_;
};

// The command's exit codes.
enum Exit { done = 0, answer_is_no = 1, usage = 2, unavailable = 3 };

// The command, as people and scripts run it.
inline Ran mailwarden(std::vector<std::string> arguments, const std::string& input = "/dev/null") {
  arguments.insert(arguments.begin(), "mailwarden");
  return run(std::move(arguments), input);
}

}  // namespace mailwarden
