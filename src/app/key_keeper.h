// What the keys of a store need while the daemon runs.
//
// What     A thread asks a key-encryption key that was away again, and wraps all keys under its
//          newest version where somebody has added one; neither waits for the core nor lets it
//          wait.
// Owns     Its thread.
// Threads  Its own; stop() ends it.
// Errors   Told to the log, once for each trouble.
// Limits   interval between two looks, keys_at_once wrapped in one transaction of the book.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/log.h"
#include "base/timestamp.h"
#include "vault/opening.h"

namespace mailwarden::app {

class KeyKeeper {
 public:
  static constexpr std::chrono::seconds interval{10};
  static constexpr std::size_t keys_at_once = 256;

  KeyKeeper(vault::StoreKeys& keys, Log& log) : keys_(keys), log_(log) {}
  KeyKeeper(const KeyKeeper&) = delete;
  KeyKeeper& operator=(const KeyKeeper&) = delete;
  ~KeyKeeper() { stop(); }

  void start();
  void stop();
  // What the thread does at each look.
  void look(const std::stop_token& stop = {});

 private:
  void unlock();
  void rewrap(const std::stop_token& stop);
  void tell(const std::string& trouble);

  vault::StoreKeys& keys_;
  Log& log_;
  std::string trouble_;  // told last
  bool was_locked_ = false;
  std::optional<crypto::KekName> refused_by_;  // a version that does not take all keys
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace mailwarden::app
