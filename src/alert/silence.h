// Times in which somebody wants to hear nothing of something.
//
// What     A Silence mutes what all of its matchers match, from its start to its end. It has an
//          author and a reason. A SilenceBook holds those that will hold, hold, and held not long
//          ago. An incident of severity 3 is silenced only where a matcher says severity="3": no
//          wider silence reaches it.
// Owns     Its silences.
// Threads  One, the core's; functions are pure.
// Errors   set(): invalid, not_found, full. expire(): not_found, conflict where it is over.
// Limits   SilenceLimits.
// Source   Alertmanager 0.25: OpenAPI v2 `postableSilence`; silence.Set and Expire for what may be
//          changed: times, as long as they do not rewrite what was. Any other change ends the
//          silence and makes a new one.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alert/label_matcher.h"
#include "base/result.h"
#include "base/timestamp.h"

namespace mailwarden::alert {

struct SilenceLimits {
  static constexpr std::size_t silences_max = 10'000;  // held at once
  static constexpr std::size_t matchers_max = 64;
  static constexpr std::size_t author_bytes_max = 256;
  static constexpr std::size_t comment_bytes_max = 4096;
};
inline constexpr Duration keep_silences = std::chrono::hours(120);  // behind their end

struct Silence {
  std::string id;  // a UUID
  LabelMatchers matchers;
  Timestamp starts;
  Timestamp ends;
  Timestamp updated;
  std::string author;
  std::string comment;
  bool over = false;  // and taken note of

  bool operator==(const Silence&) const = default;
};
std::string_view state_of(const Silence& silence, Timestamp now);  // pending, active, expired

// `postableSilence`; an id only where one is changed. What the book refuses is not looked at.
Result<Silence> read_silence(const json::Value& posted);
json::Object to_json(const Silence& silence);
Result<Silence> silence_from_json(const json::Value& value);

class SilenceBook {
 public:
  SilenceBook() = default;
  explicit SilenceBook(std::vector<Silence> silences);

  // What happened to which: "made", "changed", "expired".
  struct Change {
    std::string id;
    std::string_view what;
  };
  struct Set {
    std::string id;
    std::vector<Change> changes;
  };
  // `fresh_id` serves where the silence is new or replaces another.
  Result<Set> set(Silence silence, const std::string& fresh_id, Timestamp now);
  Result<Change> expire(const std::string& id, Timestamp now);
  // Those whose end has come by itself.
  std::vector<Change> tick(Timestamp now);
  // Those that have been over for keep_silences; they are let go of.
  std::vector<std::string> forget_old(Timestamp now);

  // The ids of those that hold now for these labels, in order.
  std::vector<std::string> silencing(const Labels& labels, Timestamp now) const;
  const Silence* find(std::string_view id) const;
  const std::map<std::string, Silence, std::less<>>& all() const { return silences_; }

 private:
  Silence& put(Silence silence);
  Change end(Silence& silence, Timestamp now);

  std::map<std::string, Silence, std::less<>> silences_;
  std::set<std::pair<Timestamp, std::string>> waking_;  // by their ends
  std::set<std::pair<Timestamp, std::string>> over_;    // the same
};

}  // namespace mailwarden::alert
