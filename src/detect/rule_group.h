// The rules of one log source, and how they are found.
//
// What     A group looks the values of an event up and tells which predicates hold and which rules
//          are worth trying.
// Owns     An index for each field.
// Threads  Read-only once it is built.
// Errors   build(): Error{invalid} where the texts cannot be compiled.
// Limits   None of its own.
// Source   Sigma 2.1.0, logsource. A rule for service `auth` or `syslog` of linux also applies to
//          the services whose lines stand in auth.log (sshd, sudo, su, pam, account tools) or in
//          syslog.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "detect/event_view.h"
#include "detect/literal_index.h"
#include "detect/match_scratch.h"
#include "detect/program.h"

namespace mailwarden::detect {

enum class Routing : std::uint8_t {
  strict,  // a part that the event does not state equals nothing
  open     // a part that the event does not state contradicts nothing
};

class RuleGroup {
 public:
  explicit RuleGroup(Logsource logsource) : logsource_(std::move(logsource)) {}

  bool applies(const LogsourceView& event, Routing routing) const;
  const Logsource& logsource() const { return logsource_; }

  void add(RuleNumber rule, std::vector<PredicateId> predicates,
           std::optional<std::vector<PredicateId>> witness);
  // `early` are predicates that are decided by looking up alone.
  void build(const Program& program, const std::vector<bool>& early);

  // What the group's index says of one value of the event; the field is told beside it, since
  // keywords are looked up in values of every field.
  template <class Found, class Candidate>
  void look_up(FieldId field, std::string_view text, std::string_view folded, Found found,
               Candidate candidate) const {
    const LiteralIndex* const index = indexes_[field].get();
    index->probe(text, folded, [&](std::uint32_t number) {
      const Hit& hit = hits_[number];
      if (hit.predicate != no_predicate) found(hit.predicate);
      for (const RuleNumber rule : hit.rules) candidate(rule);
    });
  }
  const std::vector<FieldId>& fields() const { return fields_; }
  bool asks(FieldId field) const { return field < indexes_.size() && indexes_[field] != nullptr; }

  const std::vector<RuleNumber>& always() const { return always_; }
  std::size_t rules() const { return rules_; }
  std::size_t literals() const;
  std::size_t bytes() const;

 private:
  static constexpr PredicateId no_predicate = 0xFFFFFFFF;
  // What a literal means where it is found.
  struct Hit {
    PredicateId predicate = no_predicate;
    std::vector<RuleNumber> rules;
  };
  struct Member {
    RuleNumber rule = 0;
    std::vector<PredicateId> predicates;
    std::optional<std::vector<PredicateId>> witness;
  };
  class Builder;

  Logsource logsource_;
  std::vector<Member> members_;  // until build()
  std::size_t rules_ = 0;
  std::vector<RuleNumber> always_;
  std::vector<Hit> hits_;
  std::vector<std::unique_ptr<LiteralIndex>> indexes_;  // by field
  std::vector<FieldId> fields_;                         // that have one
};

}  // namespace mailwarden::detect
