// How incidents are handled: what kinds there are, what is done first, who has to be notified.
//
// What     A Procedure is read from policies/incidents.yaml:
//
//            types:
//              - name: malware
//                title: Malicious code
//                facts: [malware]            # any of them known makes an incident of this type
//                tasks:                      # its analysis, begun with the type
//                  - {phase: analysis, task: "Find how it came in", within: 1d}
//                  - {phase: eradication, task: "Sweep the other hosts for it"}
//            duties:
//              - name: authority
//                as: controller
//                to: the supervisory authority
//                within: 72h                 # from when it is known that the facts hold
//                facts: [data_compromised, subjects_affected]
//                severity_from: 0
//                source: GDPR Article 33(1)
//            contact: "dpo@example.com, +49 30 1234567"   # named in every notice
//            review_from: 2                  # from this severity, nothing closes without a review
//
//          The first type of the list that fits is an incident's, until a person says another;
//          types without facts are given by persons alone.
// Owns     Its content.
// Threads  Never changes after parse().
// Errors   parse() reports every mistake in one Error{invalid}, each with file and line.
// Limits   types_max, duties_max, tasks_max.
// Source   Claims W13, W15 and W18; GDPR Articles 33 and 34.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "incident/severity.h"
#include "incident/task.h"

namespace mailwarden::incident {

struct TaskTemplate {
  Phase phase = Phase::analysis;
  std::string title;
  Duration within{};  // from when the type is known; 0: never due
};

struct IncidentType {
  std::string name;
  std::string title;
  std::vector<std::string> facts;
  std::vector<TaskTemplate> tasks;
};

struct DutyRule {
  std::string name;
  std::string as;  // "controller" or "processor"
  std::string to;
  Duration within{};
  std::vector<std::string> facts;
  Severity severity_from = Severity::low;
  std::string source;
};

class Procedure {
 public:
  static constexpr std::size_t types_max = 100;
  static constexpr std::size_t duties_max = 20;
  static constexpr std::size_t tasks_max = 50;  // of a type

  // Without types and duties; a review is needed from severity 2.
  Procedure() = default;
  // `facts` are those that severity.yaml declares.
  static Result<Procedure> parse(std::string_view yaml, const std::string& file,
                                 const SeverityTable& facts);

  const std::vector<IncidentType>& types() const { return types_; }
  const std::vector<DutyRule>& duties() const { return duties_; }
  const std::string& contact() const { return contact_; }
  Severity review_from() const { return review_from_; }

  const IncidentType* find_type(std::string_view name) const;
  const DutyRule* find_duty(std::string_view name) const;
  // The type of an incident of which these facts are known; null where none fits.
  const IncidentType* type_of(const Facts& facts) const;

 private:
  std::vector<IncidentType> types_;
  std::vector<DutyRule> duties_;
  std::string contact_;
  Severity review_from_ = Severity::high;
};

// Whether any of the facts is known and not 0.
bool any_holds(const std::vector<std::string>& facts, const Facts& known);

}  // namespace mailwarden::incident
