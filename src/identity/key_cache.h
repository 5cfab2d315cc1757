// The key set of one issuer, fetched when it is wanted and kept while it is fresh.
//
// What     current() gives the set, fetching it where there is none or it has had its time.
//          beyond() is asked when a token names a key that the set lacks, and fetches it before its
//          time, but not more often than unknown_pause allows, whoever sends however many such
//          tokens.
// Owns     The set and the source.
// Threads  Any. One thread at a time fetches; while it does, others go on with the old set where
//          that may still be used, and wait where it may not.
// Errors   unavailable: there is no set that may be used; the sentence says why the last try
//          failed.
// Limits   KeyCacheOptions.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/timestamp.h"
#include "identity/key_set.h"

namespace mailwarden::identity {

struct KeyDocument {
  std::string text;                   // a JWK set
  std::optional<Duration> fresh_for;  // as its server says
};
// Fetches the document. Called by one thread at a time.
using KeySource = std::function<Result<KeyDocument>()>;

struct KeyCacheOptions {
  KeySetOptions key_set;
  Duration fresh_default = std::chrono::hours(1);  // where the server says nothing
  Duration fresh_min = std::chrono::minutes(5);    // however little the server says
  Duration fresh_max = std::chrono::hours(24);     // however much
  // How long a set that is fresh no more may serve while fetching fails.
  Duration stale_max = std::chrono::hours(12);
  Duration retry_pause = std::chrono::seconds(15);    // after a failure
  Duration unknown_pause = std::chrono::seconds(60);  // before fetching for an unknown key
};

struct KeyCacheState {
  std::shared_ptr<const KeySet> keys;  // null where none was ever fetched
  std::optional<Timestamp> fetched_at;
  std::optional<Timestamp> fresh_until;
  std::size_t fetches = 0;  // tries, good and bad
  std::string failure;      // of the last try; "" where it was good
};

class KeyCache {
 public:
  KeyCache(KeySource source, const KeyCacheOptions& options);

  Result<std::shared_ptr<const KeySet>> current(Timestamp now);
  // What there is behind `seen`, which lacks a key: the set that has replaced it, or the one that
  // is fetched now, or `seen` where it is too early for another try.
  Result<std::shared_ptr<const KeySet>> beyond(const std::shared_ptr<const KeySet>& seen,
                                               Timestamp now);
  KeyCacheState state() const;

 private:
  bool is_fresh(Timestamp now) const;
  bool may_serve(Timestamp now) const;
  bool has_passed(Duration pause, Timestamp now) const;
  void fetch(Timestamp now);

  const KeySource source_;
  const KeyCacheOptions options_;
  std::mutex fetching_;       // taken before mutex_
  mutable std::mutex mutex_;  // guards what follows; never held while the source is asked
  KeyCacheState state_;
  std::optional<Timestamp> tried_at_;
};

}  // namespace mailwarden::identity
