// Alerts that others raise: Prometheus, amtool, any client of Alertmanager.
//
// What     A Signal is what a client says goes on, named by its labels: sent again it is the same
//          one, and its times merge. It fires until its end, which a client gives, or moves on by
//          sending it again: without one it ends resolve_timeout after it was sent last. A
//          SignalBook holds those that fire, and those that are over for keep_resolved.
// Owns     Its signals.
// Threads  One, the core's; functions are pure.
// Errors   read_signals(): a sentence for each that is refused. take(): full.
// Limits   SignalLimits.
// Source   Alertmanager 0.25: OpenAPI v2 `postableAlerts`; types.Alert.Merge, provider/mem, api/v2
//          for times; common/model for the fingerprint.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "alert/label_matcher.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "json/value.h"

namespace mailwarden::alert {

struct SignalLimits {
  static constexpr std::size_t signals_max = 100'000;  // held at once
  static constexpr std::size_t posted_max = 10'000;    // in one post
  static constexpr std::size_t labels_max = 64;        // and as many annotations
  static constexpr std::size_t name_bytes_max = 256;
  static constexpr std::size_t value_bytes_max = 4096;
  static constexpr std::size_t signal_bytes_max = 16 * 1024;  // labels and annotations together
};
inline constexpr Duration resolve_timeout = std::chrono::minutes(5);
inline constexpr Duration keep_resolved = std::chrono::hours(24);

struct Signal {
  std::int64_t number = 0;  // given by the book, from 1
  Labels labels;
  Labels annotations;
  std::string generator;  // a URL
  Timestamp starts;
  Timestamp ends;
  bool by_timeout = false;  // the client gave no end
  Timestamp updated;
  bool over = false;  // and taken note of
  // The groups that were told of it, and as what it was told last (grouping.h).
  enum class Told : std::uint8_t { firing, resolved, muted };
  std::map<std::int64_t, Told> told;

  bool is_over(Timestamp now) const { return ends <= now; }
  bool operator==(const Signal&) const = default;
};

// 16 hex digits, the same as Alertmanager's. Whoever wants to can make two sets of labels with one
// fingerprint, so it names a signal for people and never finds one.
std::string fingerprint(const Labels& labels);
// "DiskFull on db1": its name, and its instance where it has one.
std::string title_of(const Labels& labels);

// What was posted: signals, and why others of them are refused.
struct PostedSignals {
  std::vector<Signal> signals;
  std::vector<std::string> refused;
};
Result<PostedSignals> read_signals(const json::Value& posted, Timestamp now);

json::Object to_json(const Signal& signal);
Result<Signal> signal_from_json(const json::Value& value);

class SignalBook {
 public:
  SignalBook() = default;
  explicit SignalBook(std::vector<Signal> signals);

  enum class What : std::uint8_t { begun, continued, resolved };
  struct Taken {
    std::int64_t number = 0;  // 0: it is over and nobody knew of it, so it is not held
    What what = What::continued;
  };
  // full: there are signals_max others.
  Result<Taken> take(Signal signal, Timestamp now);

  const Signal* find(std::int64_t number) const;
  Signal* find(std::int64_t number);
  const std::map<std::int64_t, Signal>& all() const { return signals_; }
  // Those whose end has passed and was not taken note of, in the order of their ends.
  std::vector<std::int64_t> take_ended(Timestamp now);
  // Those that have been over for keep_resolved; they are let go of.
  std::vector<std::int64_t> forget_old(Timestamp now);
  std::size_t firing() const { return firing_.size(); }

 private:
  void index(const Signal& signal);
  void unindex(const Signal& signal);

  std::map<std::int64_t, Signal> signals_;
  std::map<Labels, std::int64_t> by_labels_;
  std::set<std::pair<Timestamp, std::int64_t>> firing_;  // by their ends
  std::set<std::pair<Timestamp, std::int64_t>> over_;    // the same
  std::int64_t last_number_ = 0;
};

}  // namespace mailwarden::alert
