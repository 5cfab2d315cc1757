// What the daemon does so that somebody learns when it does not do the rest.
#include "app/daemon_parts.h"

namespace mailwarden::app {
namespace {

constexpr Duration audit_interval = std::chrono::minutes(1);
// What was found is looked for again sooner, so that the heartbeat is not held back for longer.
constexpr Duration audit_again = std::chrono::seconds(5);

}  // namespace

// Of a store that has all that was decided.
void Daemon::Parts::audit_escalations() {
  if (core->has_pending()) return;
  const Timestamp now = around.clock.now();
  const bool is_clean = audit_trouble.empty() && core->findings().count() == 0;
  const Duration interval = is_clean ? audit_interval : audit_again;
  if (audited && now - *audited < interval && now >= *audited) return;
  audited = now;
  const auto found = core->audit_escalations();
  const std::string wrong = found ? "" : "escalations cannot be audited: " + found.error().what;
  if (std::exchange(audit_trouble, wrong) != wrong && !wrong.empty()) around.log.error(wrong);
  if (!found) return;
  for (const alert::Finding& one : *found) around.log.error("escalations: " + one.what);
}

void Daemon::Parts::start_heartbeat() {
  if (!config.heartbeat) return;
  heartbeat = std::make_unique<Heartbeat>(*config.heartbeat, around.clock, around.log);
  heartbeat->start();
}

void Daemon::Parts::beat() {
  if (!heartbeat) return;
  std::string why = audit_trouble;
  if (!trouble.empty()) why = "the store refuses: " + trouble;
  if (why.empty() && !audited) why = "escalations were not audited yet";
  if (why.empty()) why = core->findings().summary();
  heartbeat->turn(std::move(why));
}

}  // namespace mailwarden::app
