// All rules, compiled for one purpose: to tell which of them hold for an event.
//
// What     Rules are added, then compiled; match() gives the numbers of those that hold, in order;
//          explain() tells why one does.
// Owns     Everything that was compiled.
// Threads  match() and explain() from any thread, each with its own MatchScratch; nothing changes
//          once compile() is done.
// Errors   None.
// Limits   None of its own; matching is bounded by rules and values.
// Source   docs/sigma.md. How it finds what it need not try: src/README.md, "Matching".
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "detect/detection.h"
#include "detect/match_scratch.h"
#include "detect/program.h"
#include "detect/rule_group.h"

namespace mailwarden::detect {

// What the compiled rules are made of.
struct EngineStats {
  struct Group {
    Logsource logsource;
    std::size_t rules = 0;
    std::size_t always = 0;  // tried for every event
    std::size_t literals = 0;
    std::size_t bytes = 0;  // of literal databases
  };
  std::vector<Group> groups;
  std::size_t rules = 0;
  std::size_t predicates = 0;
  std::size_t shared = 0;  // predicates that several rules ask
  std::size_t asked = 0;   // by all rules together
  std::size_t early = 0;   // decided by looking up
};

class Engine : public std::enable_shared_from_this<Engine> {
 public:
  // Rules are numbered from 0; `tests` are those of the rule's items, in their order.
  RuleNumber add(const Rule& rule, const std::vector<FieldTest>& tests);
  void compile();

  const FieldNames& names() const { return program_.names(); }
  // Replaces what `matched` held.
  void match(const EventView& event, Routing routing, MatchScratch& scratch,
             std::vector<RuleNumber>& matched) const;
  const CompiledRule& rule(RuleNumber number) const { return rules_[number]; }
  std::size_t items() const { return program_.items(); }
  // Of a rule that matched in the last call with this scratch: each(selection, item, value) for no
  // more than `room` items because of which it does, the value cut for showing.
  template <class Each>
  void for_each_reason(RuleNumber rule, const EventView& event, MatchScratch& scratch,
                       std::size_t room, Each each) const {
    for (const CompiledSelection& selection : rules_[rule].selections) {
      if (!selection.wanted) continue;
      for (const CompiledAlternative& alternative : selection.alternatives) {
        if (!holds(alternative.node, event, scratch)) continue;
        for (const CompiledItem& item : alternative.items) {
          if (room-- == 0) return;
          each(selection, item, value_of(item, event, scratch));
        }
        break;
      }
    }
  }
  // The same as a list.
  void explain(RuleNumber rule, const EventView& event, MatchScratch& scratch, std::size_t room,
               std::vector<Because>& because) const;
  EngineStats stats() const;
  // The texts by which rules are looked up, each once.
  std::vector<std::string> literals() const;

 private:
  // What is needed of a predicate for each event.
  struct Asked {
    enum class Kind : std::uint8_t { value, other_field, presence, null };
    FieldId field = keyword_field;
    Kind kind = Kind::value;
    bool early = false;  // decided by looking up
  };
  Asked asked_of(const Predicate& predicate, bool sought) const;
  void fit(MatchScratch& scratch) const;
  const MatchScratch::Route& route(const EventView& event, Routing routing,
                                   MatchScratch& scratch) const;
  MatchScratch::Route make_route(const LogsourceView& source, Routing routing) const;
  void look_up(const MatchScratch::Route& route, const EventView& event,
               MatchScratch& scratch) const;
  void look_up(const MatchScratch::Route& route, const MatchScratch::Sought& sought,
               const EventView& event, MatchScratch& scratch) const;
  bool holds(NodeId id, const EventView& event, MatchScratch& scratch) const;
  bool holds_predicate(PredicateId id, const EventView& event, MatchScratch& scratch) const;
  bool decide(PredicateId id, const EventView& event, MatchScratch& scratch) const;
  std::string_view value_of(const CompiledItem& item, const EventView& event,
                            MatchScratch& scratch) const;
  std::string_view matched_value(PredicateId id, const EventView& event,
                                 MatchScratch& scratch) const;
  void try_alone(const MatchScratch::Route& route, ValueMemory::Value& value, std::size_t place,
                 const EventView& event, MatchScratch& scratch) const;
  enum class Truth : std::uint8_t { no, maybe, yes };
  // Of a part of a condition, where no more is known than that the value is the only one of its
  // field.
  Truth truth_of(NodeId id, const ValueMemory::Value& value, std::size_t place,
                 const EventView& event, MatchScratch& scratch) const;
  Truth truth_of_predicate(PredicateId id, const ValueMemory::Value& value, std::size_t place,
                           const EventView& event, MatchScratch& scratch) const;
  bool takes(PredicateId id, std::size_t place, std::string_view text, const EventView& event,
             MatchScratch& scratch) const;

  Program program_;
  std::vector<CompiledRule> rules_;
  std::vector<Logsource> logsources_;
  std::vector<std::unique_ptr<RuleGroup>> groups_;
  std::vector<Asked> asked_;  // by predicate
};

}  // namespace mailwarden::detect
