// The daemon's loop: what comes in, what is due, what is written, and how it ends.
#include <algorithm>
#include <condition_variable>

#include "app/access_server.h"
#include "app/daemon_parts.h"
#include "app/policies.h"

namespace mailwarden::app {
namespace {

constexpr std::chrono::milliseconds loop_interval{250};
constexpr std::size_t batches_per_write_max = 32;
constexpr std::chrono::milliseconds backoff_max{1000};

}  // namespace

void Daemon::Parts::take_signal() {
  switch (around.poll_signal()) {
    case Signal::none:
      break;
    case Signal::stop:
      stopping = true;
      break;
    case Signal::reload:
      reload();
      break;
  }
}

// All that is not wrong is in force.
void Daemon::Parts::tell_slips(const Policies& policies) const {
  for (const std::string& warning : policies.warnings) around.log.warning(warning);
  for (const detect::Refusal& refusal : policies.rules.refused()) {
    around.log.error("a rule is not in force: " + refusal.sentence());
  }
}

void Daemon::Parts::reload() {
  around.notify("RELOADING=1");
  auto read = load_policies(config, around.clock.now());
  // A slip in a file must not take away a rule that watches now.
  if (read) {
    const std::string lost = rules_lost(core->policies(), **read);
    if (!lost.empty()) read = fail(Code::invalid, lost);
  }
  if (read) {
    tell_slips(**read);
    core->use(*read);
    access->use(**read, *core, around.clock.now());
    pipeline->use(*read);
    const std::lock_guard lock(mutex);
    policies = *std::move(read);
    status.policies = policies->version;
    around.log.info("rules and policies loaded anew");
  } else {
    around.log.error("the old rules and policies stay in force, since the new ones are wrong:\n" +
                     read.error().what);
  }
  if (access_server) reload_certificates(*access_server, around.log);
  around.notify("READY=1");
}

// As long as nothing has to be looked at, at the longest; a playbook's wait may end before.
std::chrono::milliseconds Daemon::Parts::until_due() const {
  const auto due = core->next_due();
  if (!due) return loop_interval;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - around.clock.now());
  return std::clamp(left, std::chrono::milliseconds(0), loop_interval);
}

// Takes what is ready, in the order of the tickets.
void Daemon::Parts::take_input() {
  auto wait = core->has_pending() ? std::chrono::milliseconds(0) : until_due();
  for (std::size_t taken = 0; taken < batches_per_write_max; ++taken) {
    auto output = pipeline->next(wait);
    if (!output) break;
    wait = std::chrono::milliseconds(0);
    if (!output->batch) {
      end_ticket = output->tickets;
      continue;
    }
    waiting.emplace(output->batch->ticket, *std::move(output->batch));
    while (!waiting.empty() && waiting.begin()->first == next_ticket) {
      core->take(std::move(waiting.begin()->second));
      waiting.erase(waiting.begin());
      ++next_ticket;
      ++unreleased;
    }
  }
}

// What deliveries and steps came to is input like any other.
void Daemon::Parts::take_settled() {
  for (const Settled& settled : dispatch->take_settled()) {
    if (const auto* alert = std::get_if<AlertSettled>(&settled); alert != nullptr) {
      core->settle(alert->outcome, alert->receiver);
    } else {
      core->settle(std::get<respond::flow::Outcome>(settled));
    }
  }
}

void Daemon::Parts::do_what_is_due() {
  const Timestamp now = around.clock.now();
  core->tick();
  // A clock that was set back must not keep the ledger open for as long.
  if (now < sealed) sealed = now;
  if (now < swept) swept = now;
  if (now - sealed >= config.seal_interval) {
    core->seal();
    sealed = now;
  }
  if (!config.once && now - swept >= config.sweep_interval) {
    sweep();
    swept = now;
  }
}

void Daemon::Parts::sweep() {
  const auto plan = privacy::plan_sweep(*database, core->policies().retention, around.clock.now());
  if (!plan) return around.log.error("retention: " + plan.error().what);
  for (const std::string& source : plan->without_policy) {
    around.log.warning("no retention policy takes the source " + source +
                       "; its events are kept for ever");
  }
  core->sweep(*plan);
}

Result<void> Daemon::Parts::write() {
  if (!core->has_pending()) return {};
  auto done = core->write();
  access->log().refuse(!done);
  acts.refuse(!done);
  const std::lock_guard lock(mutex);
  if (done) {
    if (!trouble.empty()) around.log.info("the store takes what comes again");
    trouble.clear();
    backoff = std::chrono::milliseconds(0);
    return {};
  }
  ++status.write_failures;
  if (done.error().what != trouble) {
    trouble = done.error().what;
    around.log.error("nothing can be stored, and nothing is read on until it can: " + trouble);
  }
  backoff = std::clamp(backoff * 2, std::chrono::milliseconds(50), backoff_max);
  if (done.error().code == Code::corrupt) return done;
  return {};
}

void Daemon::Parts::after_write() {
  if (core->has_pending()) return;
  if (const std::string trouble = core->tend_keys(); !trouble.empty()) {
    around.log.error("keys: " + trouble);
    core->record("gap", {{"source", "keys"}, {"what", trouble}});
  }
  pipeline->release(std::exchange(unreleased, 0));
  answer_acts(nullptr);
  dispatch->send(core->take_outgoing(), core->policies());
  audit_escalations();
  for (const std::string& note : core->take_notes()) {
    // A note comes again with each cosignature; a witness is asked about a size once.
    if (witnesses) witnesses->show(note);
    if (config.checkpoints.empty()) continue;
    if (auto done = drop_checkpoint(config.checkpoints, note); !done) {
      around.log.error("a checkpoint could not be left outside: " + done.error().what);
    }
  }
}

void Daemon::Parts::update_status() {
  const std::lock_guard lock(mutex);
  const Totals& totals = core->totals();
  status.ready = trouble.empty();
  status.trouble = trouble;
  if (store_check) {
    status.store_is_whole = store_check->is_whole();
    status.store_damage = store_check->damage();
  }
  status.settled = status.settled || is_settled();
  status.events = totals.events;
  status.undecoded = totals.undecoded;
  status.detections = totals.detections;
  status.accesses = totals.accesses;
  status.changes = totals.changes;
  status.gaps = totals.gaps;
  status.ledger_entries = core->ledger().size();
  status.batches_waiting = static_cast<std::int64_t>(waiting.size());
  status.alerts = totals.alerts;
  status.alerts_delivered = totals.alerts_delivered;
  status.alerts_failed = totals.alerts_failed;
  status.escalations_running = core->escalations().running();
  status.escalations_exhausted = core->escalations().exhausted();
  status.escalations_overdue = core->findings().count();
  if (heartbeat) status.heartbeat = heartbeat->standing();
  for (const auto& [state, count] : core->open_runs()) {
    status.runs[std::string(respond::flow::to_string(state))] = count;
  }
  status.alerts_silenced = totals.alerts_silenced;
  status.alerts_held_back = totals.alerts_held_back;
  status.signals = totals.signals;
  status.signals_firing = static_cast<std::int64_t>(core->alerting().signals.firing());
  status.errands_waiting = static_cast<std::int64_t>(dispatch->waiting());
}

// The reports rest on a checkpoint, so the ledger is sealed and written before they are made; that
// they were issued is an entry behind it.
void Daemon::Parts::issue_reports() {
  const Timestamp now = around.clock.now();
  if (reporter.is_at_work()) return;
  if (reported && now - *reported < config.reports_interval && now >= *reported) return;
  reported = now;
  core->seal();
  if (!write() || core->has_pending()) return;
  reporter.start({config.store, sealing()}, core->policies().retention,
                 {.folder = config.reports,
                  .key = {.name = config.origin, .key = keys->signer.public_key()},
                  .signer = keys->signer,
                  .weasyprint = config.weasyprint,
                  .cancelled = {}},
                 now);
}

void Daemon::Parts::take_reports() {
  const auto issued = reporter.take();
  if (!issued) return;
  if (!*issued) return around.log.error("reports: " + issued->error().what);
  for (const report::Issued& one : **issued) {
    if (const std::string why = reporter.without_pdf(one); !why.empty()) around.log.info(why);
    core->record("report", report::to_record(one));
  }
}

// Between two tries of a store that refuses.
void Daemon::Parts::pause() {
  std::unique_lock lock(mutex);
  std::condition_variable().wait_for(lock, backoff);
}

// Every act is answered, if only with the reason why it was not stored.
void Daemon::Parts::answer_acts(const Error* why) {
  acts.answer(why);
  access->log().settle(why == nullptr);
}

Result<void> Daemon::Parts::loop() {
  around.notify("READY=1");
  // As the last process left it, before anything of that is made up for.
  if (write()) audit_escalations();
  while (!stopping) {
    take_signal();
    // While the store refuses, what was decided is tried again and nothing more is taken.
    if (trouble.empty()) {
      take_input();
      acts.take(*core);
      core->pass_time();
      core->tell_key_uses();
      take_people();
      if (witnesses) witnesses->hand_over(*core);
      if (store_check) store_check->hand_over(*core, around.log);
      access->refresh(*core, around.clock.now(), config.once);
      take_settled();
      access->hand_over(*core);
      take_reports();
      do_what_is_due();
      if (at_end() && (!config.once || is_settled())) issue_reports();
    } else {
      // Nothing is stored, but what is known is still told, and grows old.
      acts.take(*core, true);
      access->refresh(*core, around.clock.now(), config.once);
      pause();
    }
    if (auto done = write(); !done) {
      acts.abandon(done.error());
      access->log().settle(false);
      return done;
    }
    after_write();
    update_status();
    beat();
    around.notify("WATCHDOG=1");
    if (config.once && is_settled() && reported && !reporter.is_at_work()) break;
  }
  return finish();
}

Result<void> Daemon::Parts::finish() {
  around.notify("STOPPING=1");
  acts.close();
  acts.take(*core);
  if (store_check) {
    store_check->stop();
    store_check->hand_over(*core, around.log);
  }
  reporter.cancel();
  take_reports();
  // What was delivered is said to be, so that the next start does not deliver it again.
  dispatch->stop();
  take_settled();
  access->log().stop();
  access->hand_over(*core);
  core->record("stop", {{"why", stopping ? "told to" : "at the end of its sources"}});
  core->snapshot();
  core->tell_key_uses();
  core->seal();
  auto done = core->write();
  if (done) {
    after_write();
    return {};
  }
  answer_acts(&done.error());
  return fail("not everything could be stored before the end; it is read again at the next start",
              done.error());
}

}  // namespace mailwarden::app
