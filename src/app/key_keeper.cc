#include "app/key_keeper.h"

#include <utility>

namespace mailwarden::app {

void KeyKeeper::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      look(stop);
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, interval, [] { return false; });
    }
  });
}

void KeyKeeper::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void KeyKeeper::look(const std::stop_token& stop) {
  if (keys_.vault().locked()) unlock();
  if (!keys_.vault().locked()) rewrap(stop);
}

void KeyKeeper::unlock() {
  was_locked_ = true;
  if (auto done = keys_.vault().unlock(); !done) {
    return tell("the key-encryption key is away; what is new is sealed for later: " +
                done.error().what);
  }
}

void KeyKeeper::rewrap(const std::stop_token& stop) {
  if (std::exchange(was_locked_, false)) log_.info("the key-encryption key is there again");
  const auto newest = keys_.newest_kek();
  if (!newest) return tell("keys could not be wrapped anew: " + newest.error().what);
  // What it has refused it would refuse again.
  if (refused_by_ == *newest) return;
  refused_by_.reset();
  std::size_t wrapped = 0;
  while (!stop.stop_requested()) {
    const auto done = keys_.vault().rewrap(keys_at_once);
    if (!done) return tell("keys could not be wrapped anew: " + done.error().what);
    wrapped += done->keys;
    if (!done->ended) continue;
    if (done->left > 0) {
      refused_by_ = *newest;
      return tell(std::to_string(done->left) +
                  " keys could not be wrapped anew, since the key-encryption key does not take "
                  "what an older version of it wrapped");
    }
    break;
  }
  trouble_.clear();
  if (wrapped > 0) {
    log_.info(std::to_string(wrapped) +
              " keys were wrapped under a new version of the "
              "key-encryption key");
  }
}

void KeyKeeper::tell(const std::string& trouble) {
  if (std::exchange(trouble_, trouble) != trouble) log_.error("keys: " + trouble);
}

}  // namespace mailwarden::app
