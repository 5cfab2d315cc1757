// What matching one event after the other needs to remember while it does so.
//
// What     Truths of predicates, folded values and candidates of the event at hand, the memory of
//          the literal search, and what is known of values that come again. Keep one a thread and
//          use it again and again; it fits itself to whatever Engine uses it.
// Owns     Its lists.
// Threads  One.
// Errors   None.
// Limits   routes_max log sources are remembered; the memory is then emptied. ValueMemory's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "detect/event_view.h"
#include "detect/literal_index.h"
#include "detect/program.h"
#include "detect/value_memory.h"

namespace mailwarden::detect {

class Engine;

// Texts that stay where they are while an event is matched.
class FoldedTexts {
 public:
  void clear();
  std::string_view fold(std::string_view text);

 private:
  static constexpr std::size_t block_bytes = 64 * 1024;

  std::vector<std::unique_ptr<char[]>> large_;  // what fits no block, for this event
  std::unique_ptr<char[]> block_;
  std::size_t used_ = 0;
};

class MatchScratch {
 public:
  static constexpr std::size_t routes_max = 4096;
  static constexpr std::size_t route_bytes_max = 256;  // of a log source that is remembered

  MatchScratch() = default;
  // Without a memory of values, to see what it is worth.
  static MatchScratch forgetful() { return MatchScratch(false); }

  EventView view;

 private:
  friend class Engine;

  explicit MatchScratch(bool remembers) : remembers_(remembers) {}

  void begin(const EventView& event);
  std::string_view folded(const EventView& event, std::size_t value);
  // The groups of rules that apply to a log source, and what they ask.
  struct Route {
    std::uint32_t number = 0;
    std::vector<std::uint32_t> groups;
    std::vector<bool> asks;  // by field, for any of them
    bool keywords = false;
  };
  void found(PredicateId predicate) { truths_[predicate] = turn_ << 1 | 1; }
  void candidate(RuleNumber rule) {
    if (tried_[rule] == turn_) return;
    tried_[rule] = turn_;
    candidates_.push_back(rule);
  }
  void rule_out(RuleNumber rule) { tried_[rule] = turn_; }

  std::shared_ptr<const void> fitted_to_;
  std::uint32_t turn_ = 0;
  std::vector<std::uint32_t> truths_;  // by predicate: the turn it was decided in, and how
  std::vector<std::uint32_t> tried_;   // by rule: the turn in which it became a candidate
  std::vector<RuleNumber> candidates_;
  FoldedTexts texts_;
  std::vector<std::string_view> folded_;  // by value, the raw line behind the last
  bool remembers_ = true;
  ValueMemory values_;
  // Values of the event at hand that are to be looked up.
  struct Sought {
    std::size_t value = 0;
    std::size_t hash = 0;
    ValueMemory::Place place;
  };
  std::vector<Sought> sought_;
  std::vector<std::uint32_t> remembered_;          // by value, its number in values_, or 0
  std::vector<PredicateId> found_;                 // by a value that is to be remembered
  std::vector<RuleNumber> met_;                    // likewise, the candidates
  std::unordered_map<std::string, Route> routes_;  // by log source
  std::uint32_t route_count_ = 0;
  std::string route_key_;
  std::string last_route_key_;
  const Route* last_route_ = nullptr;
  Route long_route_;
};

}  // namespace mailwarden::detect
