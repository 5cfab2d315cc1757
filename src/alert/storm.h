// More notices than anybody reads.
//
// What     A StormBook lets so many notices of a route through to a receiver in a time. What is
//          more is a storm: it is counted, and told as one summary when the storm's time is over.
//          Where the next one follows at once, the next summary is begun. Nothing that was counted
//          is lost: each is a change of its incident, or a signal.
// Owns     Its storms, and what may still pass.
// Threads  One, the core's.
// Errors   None.
// Limits   A storm remembers incidents_max numbers of incidents, and counts no further ones.
// Source   Token bucket.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "alert/routes.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "json/value.h"

namespace mailwarden::alert {

struct Storm {
  static constexpr std::size_t incidents_max = 10'000;

  std::int64_t number = 0;  // from 1
  std::string route;
  std::string receiver;
  Timestamp begun;
  Timestamp ends;
  std::int64_t notices = 0;
  std::set<std::int64_t> incidents;
  std::int64_t gravest = -1;  // severity; -1: no incident is among them
  std::string gravest_subject;
  std::string first_subject;
  Timestamp last;
  std::string last_subject;

  bool operator==(const Storm&) const = default;
};
json::Object to_json(const Storm& storm);
Result<Storm> storm_from_json(const json::Value& value);
Alert summary(const Storm& storm, const std::string& origin, Timestamp now);

class StormBook {
 public:
  StormBook() = default;
  explicit StormBook(std::vector<Storm> storms);

  // Whether the alert is held back, and so counted.
  bool holds_back(const Alert& alert, std::int64_t severity, const StormLimit& limit,
                  Timestamp now);
  // The summaries of storms that are over, which are let go of.
  std::vector<Alert> tick(const std::string& origin, Timestamp now);

  const Storm* find(std::int64_t number) const;
  const std::map<std::int64_t, Storm>& all() const { return storms_; }
  struct Touched {
    std::set<std::int64_t> storms;
    std::set<std::int64_t> gone;
  };
  Touched take_touched() { return std::exchange(touched_, {}); }

 private:
  using Way = std::pair<std::string, std::string>;  // route and receiver
  struct Bucket {
    double left = 0;
    Timestamp at;
  };
  Storm& begin(const Way& way, const StormLimit& limit, Timestamp now);

  std::map<std::int64_t, Storm> storms_;
  std::map<Way, std::int64_t> by_way_;
  std::map<Way, Bucket> buckets_;
  std::int64_t last_number_ = 0;
  Touched touched_;
};

}  // namespace mailwarden::alert
