#include "app/daemon.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "app/access.h"
#include "app/access_server.h"
#include "app/acts.h"
#include "app/core.h"
#include "app/dispatch.h"
#include "app/key_keeper.h"
#include "app/opening.h"
#include "app/people_feed.h"
#include "app/pipeline.h"
#include "app/policies.h"
#include "app/reporter.h"
#include "app/serving.h"
#include "app/witnesses.h"
#include "base/files.h"
#include "db/open.h"
#include "incident/incident_table.h"
#include "net/http_server.h"
#include "report/personal_tables.h"

namespace mailwarden::app {
namespace {

constexpr std::chrono::milliseconds loop_interval{250};
constexpr std::size_t batches_per_write_max = 32;
constexpr std::chrono::milliseconds backoff_max{1000};
// Of what a source of people says at once, through the UNIX socket.
constexpr std::size_t told_bytes_max = std::size_t{256} * 1024 * 1024;

}  // namespace

struct Daemon::Parts {
  config::Config config;
  Surroundings around;
  vault::KekUses kek_uses;
  std::unique_ptr<vault::StoreKeys> store_keys;  // null where the store has none
  std::unique_ptr<KeyKeeper> key_keeper;
  std::unique_ptr<db::Database> database;
  std::optional<Keys> keys;
  std::unique_ptr<Core> core;
  std::unique_ptr<Pipeline> pipeline;  // outlives who wakes it
  std::unique_ptr<Access> access;
  std::unique_ptr<PeopleFeed> people;
  std::unique_ptr<Witnesses> witnesses;
  std::unique_ptr<Dispatch> dispatch;
  std::unique_ptr<net::HttpServer> server;
  std::unique_ptr<net::HttpServer> access_server;  // null where the settings ask for none

  // Shared with the HTTP threads.
  std::mutex mutex;
  http::Status status;

  // The loop's own.
  std::map<std::uint64_t, WorkedBatch> waiting;  // by ticket
  std::uint64_t next_ticket = 0;
  std::ptrdiff_t unreleased = 0;
  std::optional<std::uint64_t> end_ticket;
  Acts acts{[this] { pipeline->wake(); }};
  Timestamp sealed;
  Timestamp swept;
  std::optional<Timestamp> reported;  // when the last reports were begun
  Reporter reporter;
  std::string trouble;
  std::chrono::milliseconds backoff{0};
  bool stopping = false;

  Parts(config::Config given, const Surroundings& surroundings)
      : config(std::move(given)), around(surroundings) {}

  Result<void> start();
  Result<void> open_store();
  Result<void> open_keys();
  db::Sealing* sealing() { return store_keys ? &store_keys->sealing() : nullptr; }
  Result<void> start_access(const Policies& policies);
  Result<void> start_server();
  http::Status current_status();

  Result<void> loop();
  void pause();
  void answer_acts(const Error* why);
  void take_signal();
  void reload();
  void tell_refused(const Policies& policies) const;
  void take_input();
  void take_settled();
  void take_people();
  void do_what_is_due();
  Result<void> write();
  void after_write();
  void update_status();
  void sweep();
  void issue_reports();
  void take_reports();
  bool at_end() const { return end_ticket && next_ticket >= *end_ticket && waiting.empty(); }
  // With --once, each delivery is tried before the end; what failed waits for the next start.
  bool is_settled() const { return at_end() && !core->has_pending() && dispatch->all_tried(); }
  Result<void> finish();
};

Result<void> Daemon::Parts::open_store() {
  auto opened = db::open_url(
      config.store,
      {.sole_writer = true, .store_bytes_max = config.store_bytes_max, .checkpoints_beside = true});
  if (!opened) return fail("store", opened.error());
  database = *std::move(opened);
  database->set_sealing(sealing());
  return {};
}

Result<void> Daemon::Parts::open_keys() {
  if (config.keys.empty()) return {};
  auto opened = vault::StoreKeys::open(
      {.book = config.keys, .kek = *config.kek, .tables = report::personal_table_names()},
      around.entropy, around.clock, kek_uses.listener());
  if (!opened) return fail("keys", opened.error());
  store_keys = *std::move(opened);
  key_keeper = std::make_unique<KeyKeeper>(*store_keys, around.log);
  return {};
}

Result<void> Daemon::Parts::start() {
  auto policies = load_policies(config);
  if (!policies) return std::unexpected(policies.error());
  tell_refused(**policies);
  auto loaded = load_keys(config, around.entropy, around.log);
  if (!loaded) return std::unexpected(loaded.error());
  keys.emplace(*std::move(loaded));
  status.verifier_key = keys->verifier_key;
  status.policies = (*policies)->version;
  if (auto done = open_keys(); !done) return done;
  if (auto done = open_store(); !done) return done;
  auto opened = Core::open({.origin = config.origin,
                            .commands = config.commands,
                            .people = people_options(config),
                            .witness_name = config.witness_name,
                            .witnessed = config.witness_for,
                            .checkpoint_receivers = config.checkpoint_receivers},
                           {.database = *database,
                            .clock = around.clock,
                            .entropy = around.entropy,
                            .signer = keys->signer,
                            .next_signer = keys->next ? &*keys->next : nullptr,
                            .witness = keys->witness ? &*keys->witness : nullptr,
                            .keys = store_keys.get(),
                            .kek_uses = &kek_uses},
                           *policies);
  if (!opened) return fail("store", opened.error());
  core = *std::move(opened);
  core->record("start", {{"program", config::program_version()},
                         {"settings", config::to_json(config.given)}});
  if (auto done = start_access(**policies); !done) return done;
  auto sources = open_sources(config, *database);
  if (!sources) return std::unexpected(sources.error());
  for (const config::SourceConfig& source : config.sources) status.sources.push_back(source.name);
  pipeline = std::make_unique<Pipeline>(
      PipelineOptions{.workers = worker_count(config), .once = config.once, .sealing = sealing()},
      *std::move(sources), *policies, around.clock, around.entropy, around.log);
  dispatch = std::make_unique<Dispatch>(ErrandsOptions(), around.clock, around.log);
  if ((*policies)->routes.receivers().empty()) {
    around.log.warning("nobody is alerted, since " + config.policies +
                       "/routes.yaml names no receiver");
  }
  sealed = swept = around.clock.now();
  if (!config.once) {
    witnesses = std::make_unique<Witnesses>(config, around.log);
    if (auto done = start_server(); !done) return done;
  }
  if (key_keeper) key_keeper->start();
  pipeline->start();
  return {};
}

// What is known of people stands before the first event is held against it.
Result<void> Daemon::Parts::start_access(const Policies& policies) {
  auto made = Access::start(config, around.clock, around.entropy, around.log, core->grants(),
                            [this] { pipeline->wake(); });
  if (!made) return std::unexpected(made.error());
  access = *std::move(made);
  auto feed = PeopleFeed::make(config.people, around.clock);
  if (!feed) return std::unexpected(feed.error());
  people = *std::move(feed);
  if (config.once) people->look();
  take_people();
  access->use(policies, *core, around.clock.now());
  if (!config.once) people->start();
  return {};
}

void Daemon::Parts::take_people() {
  for (PeopleFeed::News& news : people->take()) {
    const auto taken = news.told ? core->take(*std::move(news.told))
                                 : Result<void>(std::unexpected(news.told.error()));
    if (taken) continue;
    around.log.error("people: " + taken.error().what);
    core->record("gap", {{"source", news.source}, {"what", taken.error().what}});
  }
}

Result<void> Daemon::Parts::start_server() {
  auto started = net::HttpServer::start(
      {.listen = config.listen, .socket = config.socket, .socket_body_bytes_max = told_bytes_max},
      make_handler({.config = config,
                    .clock = around.clock,
                    .acts = acts,
                    .arbiter = access->arbiter(),
                    .grants = core->grants(),
                    .sealing = sealing(),
                    .status = [this] { return current_status(); }}));
  if (!started) return std::unexpected(started.error());
  server = *std::move(started);
  for (const std::string& address : server->addresses()) {
    around.log.info("console at http://" + address + "/");
  }
  auto over_tls = start_access_server(config, access->arbiter(), around.log);
  if (!over_tls) return std::unexpected(over_tls.error());
  access_server = *std::move(over_tls);
  return {};
}

http::Status Daemon::Parts::current_status() {
  const std::lock_guard lock(mutex);
  return status;
}

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

// The others are in force.
void Daemon::Parts::tell_refused(const Policies& policies) const {
  for (const detect::Refusal& refusal : policies.rules.refused()) {
    around.log.error("a rule is not in force: " + refusal.sentence());
  }
}

void Daemon::Parts::reload() {
  around.notify("RELOADING=1");
  auto policies = load_policies(config);
  // A slip in a file must not take away a rule that watches now.
  if (policies) {
    const std::string lost = rules_lost(core->policies(), **policies);
    if (!lost.empty()) policies = fail(Code::invalid, lost);
  }
  if (policies) {
    tell_refused(**policies);
    core->use(*policies);
    access->use(**policies, *core, around.clock.now());
    pipeline->use(*policies);
    const std::lock_guard lock(mutex);
    status.policies = (*policies)->version;
    around.log.info("rules and policies loaded anew");
  } else {
    around.log.error("the old rules and policies stay in force, since the new ones are wrong:\n" +
                     policies.error().what);
  }
  if (access_server) reload_certificates(*access_server, around.log);
  around.notify("READY=1");
}

// Takes what is ready, in the order of the tickets.
void Daemon::Parts::take_input() {
  auto wait = core->has_pending() ? std::chrono::milliseconds(0) : loop_interval;
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
      core->settle(std::get<respond::StepOutcome>(settled));
    }
  }
}

void Daemon::Parts::do_what_is_due() {
  const Timestamp now = around.clock.now();
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
  pipeline->release(std::exchange(unreleased, 0));
  answer_acts(nullptr);
  dispatch->send(core->take_outgoing(), core->policies());
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
  while (!stopping) {
    take_signal();
    // While the store refuses, what was decided is tried again and nothing more is taken.
    if (trouble.empty()) {
      take_input();
      acts.take(*core);
      core->pass_time();
      core->tend_keys();
      take_people();
      if (witnesses) witnesses->hand_over(*core);
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
    around.notify("WATCHDOG=1");
    if (config.once && is_settled() && reported && !reporter.is_at_work()) break;
  }
  return finish();
}

Result<void> Daemon::Parts::finish() {
  around.notify("STOPPING=1");
  acts.close();
  acts.take(*core);
  reporter.cancel();
  take_reports();
  // What was delivered is said to be, so that the next start does not deliver it again.
  dispatch->stop();
  take_settled();
  access->log().stop();
  access->hand_over(*core);
  core->record("stop", {{"why", stopping ? "told to" : "at the end of its sources"}});
  core->snapshot();
  core->tend_keys();
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

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Daemon::~Daemon() {
  // The servers first: their threads wait for answers of the core.
  if (parts_->access_server) parts_->access_server->stop();
  if (parts_->server) parts_->server->stop();
  if (parts_->people) parts_->people->stop();
  if (parts_->witnesses) parts_->witnesses->stop();
  if (parts_->pipeline) parts_->pipeline->stop();
  if (parts_->key_keeper) parts_->key_keeper->stop();
  parts_->dispatch.reset();
}

Result<std::unique_ptr<Daemon>> Daemon::start(const config::Config& config,
                                              const Surroundings& surroundings) {
  auto parts = std::make_unique<Parts>(config, surroundings);
  if (auto done = parts->start(); !done) return std::unexpected(done.error());
  return std::unique_ptr<Daemon>(new Daemon(std::move(parts)));
}

Result<void> Daemon::run() {
  return parts_->loop();
}

const std::vector<std::string>& Daemon::addresses() const {
  static const std::vector<std::string> none;
  return parts_->server ? parts_->server->addresses() : none;
}

}  // namespace mailwarden::app
