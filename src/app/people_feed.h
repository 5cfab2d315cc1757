// What sources tell of people, fetched beside the core.
//
// What     look() asks each source that is due; start() does so again and again on a thread of its
//          own. take() gives what was told since the last call, for the core.
// Owns     Its sources and its thread.
// Threads  make(), start(), stop(), take() and look() from the core's; look() not while started.
// Errors   make(): invalid, every source that cannot be one. What a source could not tell is among
//          the news, as the error; the same error again is not.
// Limits   A source that told something is asked again when that was taken; files are looked at
//          every minute, and so is what failed. stop() waits for one request at most.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "identity/people_source.h"

namespace mailwarden::app {

class PeopleFeed {
 public:
  struct News {
    std::string source;
    Result<identity::Told> told;
  };

  static Result<std::unique_ptr<PeopleFeed>> make(
      const std::vector<identity::PeopleSourceOptions>& sources, const Clock& clock);
  PeopleFeed(const PeopleFeed&) = delete;
  PeopleFeed& operator=(const PeopleFeed&) = delete;
  ~PeopleFeed() { stop(); }

  void look();
  void start();
  void stop();
  std::vector<News> take();

 private:
  struct Source {
    identity::PeopleSource source;
    Timestamp due = Timestamp::earliest;
    std::string trouble;  // told last
  };

  explicit PeopleFeed(const Clock& clock) : clock_(clock) {}

  Result<void> add(const identity::PeopleSourceOptions& options);
  void run(const std::stop_token& stop);
  void ask(Source& source, Timestamp now);
  bool is_waiting(const std::string& source);

  const Clock& clock_;
  std::atomic<bool> stopping_ = false;
  std::vector<Source> sources_;  // the thread's, once it runs
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<News> news_;
  std::jthread thread_;
};

}  // namespace mailwarden::app
