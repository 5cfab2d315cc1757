// What matching one event after the other needs to remember while it does so.
//
// What     Truths of predicates, folded values and candidates of the event at hand, and the memory
//          of the literal search. Keep one a thread and use it again and again; it fits itself to
//          whatever Engine uses it.
// Owns     Its lists.
// Threads  One.
// Errors   None.
// Limits   routes_max log sources are remembered; the memory is then emptied.
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

namespace mailwarden::detect {

class Engine;
using RuleNumber = std::uint32_t;

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

  EventView view;

 private:
  friend class Engine;

  void begin(const EventView& event);
  std::string_view folded(const EventView& event, std::size_t value);
  void found(PredicateId predicate) { truths_[predicate] = turn_ << 1 | 1; }
  void candidate(RuleNumber rule) {
    if (tried_[rule] == turn_) return;
    tried_[rule] = turn_;
    candidates_.push_back(rule);
  }

  std::shared_ptr<const void> fitted_to_;
  ScanMemory memory_;
  std::uint32_t turn_ = 0;
  std::vector<std::uint32_t> truths_;  // by predicate: the turn it was decided in, and how
  std::vector<std::uint32_t> tried_;   // by rule: the turn in which it became a candidate
  std::vector<RuleNumber> candidates_;
  FoldedTexts texts_;
  std::vector<std::string_view> folded_;  // by value, the raw line behind the last
  // The groups of rules that apply, by log source.
  std::unordered_map<std::string, std::vector<std::uint32_t>> routes_;
  std::string route_key_;
};

}  // namespace mailwarden::detect
