// Reports made beside the core.
//
// What     A Reporter verifies the ledger and writes the reports on a thread and a connection of
//          its own, since verifying reads every event; the core records what was issued.
// Owns     Its thread.
// Threads  One, the core's.
// Errors   In what take() answers.
// Limits   One report run at a time.
#pragma once

#include <atomic>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/open.h"
#include "privacy/retention_policy.h"
#include "report/issue.h"

namespace mailwarden::app {

class Reporter {
 public:
  using Issued = Result<std::vector<report::Issued>>;

  Reporter() = default;
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;
  ~Reporter() { cancel(); }

  // Not while one is at work. The ledger was sealed and written just before.
  void start(const db::StoreAddress& store, std::vector<privacy::RetentionPolicy> retention,
             report::IssueOptions options, Timestamp now);
  bool is_at_work() const { return issued_.valid(); }
  // What came of it, once it is there.
  std::optional<Issued> take();
  // Why there is no PDF, as a sentence for the log; "" where there is one or it was told before.
  std::string without_pdf(const report::Issued& issued);
  // Ends what is at work early; its outcome can still be taken.
  void cancel();

 private:
  std::atomic<bool> cancelled_ = false;
  std::future<Issued> issued_;
  bool makes_pdf_ = false;
  std::string without_pdf_;  // what was told last
};

}  // namespace mailwarden::app
