// The core's part about the files that its store is kept in.
#include <utility>

#include "app/core.h"

namespace mailwarden::app {
namespace {

constexpr std::size_t findings_told_max = 5;

// Whoever damages the store unseen has touched the audit trail; that it was a disk, a person has to
// find out.
detect::Detection damaged(const FileDamage& damage, Timestamp now) {
  detect::Detection found{.rule_id = "store-damaged",
                          .title = "The files of the " + damage.name + " are damaged",
                          .level = detect::Level::high,
                          .time = now,
                          .entity = {.kind = "resource", .name = damage.name},
                          .facts = {{"audit_tampered", 1}}};
  for (const std::string& finding : damage.findings) {
    found.because.push_back({.selection = "check", .field = damage.way, .value = finding});
    if (found.because.size() == detect::Detection::because_max) break;
  }
  return found;
}

}  // namespace

std::string summary(const FileDamage& damage) {
  std::string text;
  for (std::size_t i = 0; i < damage.findings.size() && i < findings_told_max; ++i) {
    text += (i == 0 ? "" : "; ") + damage.findings[i];
  }
  if (damage.findings.size() <= findings_told_max) return text;
  return text + "; and " + std::to_string(damage.findings.size() - findings_told_max) + " more";
}

void Core::take(const FileDamage& damage) {
  std::vector<ledger::Entry> entries{
      {"gap",
       {{"source", damage.name},
        {"what", "its files are damaged (" + damage.way + "): " + summary(damage)}}}};
  ++totals_.gaps;
  report(damaged(damage, parts_.clock.now()), entries);
  append(std::move(entries));
}

}  // namespace mailwarden::app
