// Whether escalations go on as they should, asked of the tables alone.
//
// What     Nothing of what the core has in memory is believed. A finding is an escalation whose
//          next step is overdue; one that still runs although its incident is over or answered; an
//          open incident that nobody has acknowledged and whose routes name a chain, without an
//          escalation; an alert that waits and was not tried. FindingBook tells each once.
// Owns     FindingBook: what was found last.
// Threads  As the Database passed in.
// Errors   Those of Database; corrupt where a stored row cannot be read back.
// Limits   EscalationAudit: findings_max of each kind, and one that there are more. Of escalations
//          that run, rows_max are held against their incidents, those first that are due first.
//          Every question has an index to answer it, so that it takes no longer in a large store.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "alert/routes.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "db/database.h"

namespace mailwarden::alert {

struct EscalationAudit {
  static constexpr Duration late_max = std::chrono::minutes(1);
  // How long an alert may wait for its first try; a receiver that is slow has others before it.
  static constexpr Duration untried_max = std::chrono::minutes(5);
  static constexpr std::int64_t findings_max = 50;
  static constexpr std::int64_t rows_max = 1000;

  Timestamp now;
  Timestamp started;  // since when this process delivers
};

struct Finding {
  std::string key;   // the same as long as it is the same
  std::string what;  // a sentence
};
Result<std::vector<Finding>> audit_escalations(db::Database& database, const Routes& routes,
                                               const EscalationAudit& audit);

// The questions, as SQL has them.
std::span<const std::string_view> audit_questions();

class FindingBook {
 public:
  // Those that were not among the last.
  std::vector<Finding> take(std::vector<Finding> findings);
  std::int64_t count() const { return static_cast<std::int64_t>(keys_.size()); }
  // One of them, and how many more there are; "" for none.
  const std::string& summary() const { return summary_; }

 private:
  std::set<std::string> keys_;
  std::string summary_;
};

}  // namespace mailwarden::alert
