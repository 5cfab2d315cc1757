#include "app/heartbeat.h"

#include <algorithm>
#include <utility>

#include "base/files.h"
#include "base/text.h"
#include "net/http_client.h"

namespace mailwarden::app {
namespace {

constexpr std::size_t token_bytes_max = 4096;
constexpr std::size_t answer_bytes_max = 64 * 1024;

}  // namespace

void Pulse::turn(Time at, std::string trouble) {
  turned_ = at;
  trouble_ = std::move(trouble);
}

std::string Pulse::why_not(Time now) const {
  if (!turned_) return "the daemon has not come to work yet";
  if (now - *turned_ > stall_max) {
    const auto stood = std::chrono::duration_cast<std::chrono::seconds>(stall_max);
    return "the daemon's loop has stood still for more than " + std::to_string(stood.count()) +
           " s";
  }
  return trouble_;
}

void Heartbeat::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Heartbeat::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void Heartbeat::turn(std::string trouble) {
  bool is_first = false;
  {
    const std::lock_guard lock(mutex_);
    is_first = !pulse_.has_turned();
    pulse_.turn(std::chrono::steady_clock::now(), std::move(trouble));
  }
  if (is_first) wake_.notify_all();
}

std::string Heartbeat::standing() const {
  const std::lock_guard lock(mutex_);
  return standing_;
}

void Heartbeat::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, stop, [this] { return pulse_.has_turned(); });
    }
    if (stop.stop_requested()) return;
    const Duration pause =
        try_one() ? options_.interval : std::min<Duration>(options_.interval, retry);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, pause, [] { return false; });
  }
}

bool Heartbeat::try_one() {
  std::string why;
  {
    const std::lock_guard lock(mutex_);
    why = pulse_.why_not(std::chrono::steady_clock::now());
  }
  std::string standing = "withheld: " + why;
  std::string trouble = "the heartbeat is withheld, so that the switch outside alarms: " + why;
  if (why.empty()) {
    const auto done = beat();
    standing = done ? "sent at " + to_rfc3339(clock_.now()) : "not taken: " + done.error().what;
    trouble = done ? "" : "the heartbeat was not taken: " + done.error().what;
  }
  tell(trouble);
  const std::lock_guard lock(mutex_);
  standing_ = standing;
  return trouble.empty();
}

void Heartbeat::tell(const std::string& trouble) {
  if (std::exchange(told_, trouble) == trouble) return;
  if (trouble.empty()) {
    log_.info("the heartbeat goes out again");
  } else {
    log_.error(trouble);
  }
}

// The address may be a secret itself, so it is not in what is told.
Result<void> Heartbeat::beat() {
  net::HttpCall call{.method = options_.method,
                     .url = options_.url,
                     .headers = {{"User-Agent", "mailwarden"}},
                     .body = ""};
  if (!options_.token_file.empty()) {
    const auto token = read_whole_file(options_.token_file, token_bytes_max);
    if (!token) return std::unexpected(token.error());
    call.headers.emplace_back("Authorization", "Bearer " + std::string(trim(*token)));
  }
  net::Client client({.total_timeout = request_max, .response_bytes_max = answer_bytes_max});
  const auto answer = client.request(call);
  if (!answer) return fail(answer.error().code, "the switch was not reached");
  if (answer->status >= 200 && answer->status < 300) return {};
  return fail(Code::unavailable, "the switch answered " + std::to_string(answer->status));
}

}  // namespace mailwarden::app
