// Chains of escalation: who is told when nobody answers.
//
// What     A Chain has steps, each so long behind its beginning and each to receivers or to whoever
//          is on call by then. A route of routes.yaml names one as escalation:CHAIN. Read from
//          policies/escalations.yaml:
//
//            chains:
//              - name: security
//                steps:
//                  - {to: [on-call:primary]}
//                  - {after: 10m, to: [on-call:primary, on-call:secondary]}
//                  - {after: 20m, to: [mail-lead], severity_from: 2}
//                repeat: 2
//                repeat_after: 30m
//                until: acknowledged
//
//          `after` counts from the beginning of a round, and so does `repeat_after`, which is when
//          the next round begins or, behind the last one, when the chain has come to its end
//          unanswered. `until` is what ends it: acknowledged, contained or resolved.
//          Steps that can never come are mistakes: with `after` not growing, of a severity that
//          severity.yaml does not give, or of a chain whose routes send only what has ended it. A
//          chain that no route names is a warning, since it may be meant for later.
// Owns     Its content.
// Threads  Values, never changed after parse(); every function is pure.
// Errors   parse() reports every mistake in one Error{invalid}, each with file and line. What needs
//          routes is told by Routes::parse(), what needs the severity table by unreachable().
// Limits   EscalationLimits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "incident/incident.h"
#include "incident/severity.h"

namespace mailwarden::alert {

struct EscalationLimits {
  static constexpr std::size_t name_bytes_max = 64;
  static constexpr std::size_t chains_max = 100;
  static constexpr std::size_t steps_max = 20;  // of a chain
  static constexpr std::size_t to_max = 20;     // of a step
  static constexpr std::int64_t repeat_max = 100;
  static constexpr Duration after_max = std::chrono::days(30);
  // How long behind its last step a chain comes again, or to its end, where it does not say.
  static constexpr Duration repeat_after_last_step = std::chrono::minutes(30);
};

inline constexpr std::string_view escalation_prefix = "escalation:";

// What ends an escalation.
enum class Until : std::uint8_t { acknowledged, contained, resolved };
std::string_view to_string(Until until);
bool parse_until(std::string_view text, Until& until);
// Whether it has come to pass.
bool is_met(Until until, const incident::Incident& incident);

struct ChainStep {
  Duration after{};             // the beginning of the round
  std::vector<std::string> to;  // receivers, and schedules behind on_call_prefix
  incident::Severity severity_from = incident::Severity::low;
  std::string where;  // "escalations.yaml, line 5"
};

struct Chain {
  std::string name;              // of letters, digits, '_' and '-', since keys of alerts hold it
  std::vector<ChainStep> steps;  // at least one, `after` growing
  std::int64_t repeat = 0;       // rounds behind the first
  Duration repeat_after{};       // longer than the last step's `after`
  Until until = Until::acknowledged;
  std::string where;
};

class EscalationChains {
 public:
  // None.
  EscalationChains() = default;
  // A text of comments alone has none.
  static Result<EscalationChains> parse(std::string_view yaml, const std::string& file);

  const std::vector<Chain>& chains() const { return chains_; }
  const Chain* find(std::string_view name) const;

 private:
  std::vector<Chain> chains_;
};

// Steps that no incident reaches, since no row of the table gives their severity: a sentence each.
std::vector<std::string> unreachable(const EscalationChains& chains,
                                     const incident::SeverityTable& severity);

}  // namespace mailwarden::alert
