#include "app/daemon.h"

#include "app/access_server.h"
#include "app/daemon_parts.h"
#include "app/serving.h"
#include "db/open.h"
#include "report/personal_tables.h"

namespace mailwarden::app {
namespace {

// Of what a source of people says at once, through the UNIX socket.
constexpr std::size_t told_bytes_max = std::size_t{256} * 1024 * 1024;

// Whoever posts keeps a thread waiting until it is durable, and what comes meanwhile shares the
// next commit.
constexpr std::size_t server_threads = 32;

}  // namespace

Result<void> Daemon::Parts::open_store() {
  auto opened = db::open_url(
      config.store,
      {.sole_writer = true, .store_bytes_max = config.store_bytes_max, .checkpoints_beside = true});
  if (!opened) return fail("store", opened.error());
  database = *std::move(opened);
  return {};
}

// Whether the store has entries of which a new book of keys would open none.
bool Daemon::Parts::is_begun() {
  const auto sealed = ledger::is_sealed(*database);
  return sealed && sealed->value_or(false);
}

Result<void> Daemon::Parts::open_keys() {
  if (config.keys.empty()) return {};
  auto opened = vault::StoreKeys::open({.book = config.keys,
                                        .kek = *config.kek,
                                        .must_be_there = is_begun(),
                                        .tables = report::personal_table_names()},
                                       around.entropy, around.clock, kek_uses.listener());
  if (!opened) return fail("keys", opened.error());
  store_keys = *std::move(opened);
  database->set_sealing(sealing());
  key_keeper = std::make_unique<KeyKeeper>(*store_keys, around.log);
  return {};
}

Result<void> Daemon::Parts::start() {
  auto read = load_policies(config, around.clock.now());
  if (!read) return std::unexpected(read.error());
  policies = *std::move(read);
  tell_slips(*policies);
  auto loaded = load_keys(config, around.entropy, around.log);
  if (!loaded) return std::unexpected(loaded.error());
  keys.emplace(*std::move(loaded));
  status.verifier_key = keys->verifier_key;
  status.policies = policies->version;
  if (auto done = open_store(); !done) return done;
  if (auto done = open_keys(); !done) return done;
  tell_missing_tables();
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
                           policies);
  if (!opened) return fail("store", opened.error());
  core = *std::move(opened);
  core->record("start", {{"program", config::program_version()},
                         {"settings", config::to_json(config.given)}});
  if (auto done = start_access(*policies); !done) return done;
  auto sources = open_sources(config, *database);
  if (!sources) return std::unexpected(sources.error());
  for (const config::SourceConfig& source : config.sources) status.sources.push_back(source.name);
  pipeline = std::make_unique<Pipeline>(
      PipelineOptions{.workers = worker_count(config), .once = config.once, .sealing = sealing()},
      *std::move(sources), policies, around.clock, around.entropy, around.log);
  dispatch = std::make_unique<Dispatch>(ErrandsOptions(), around.clock, around.log);
  if (policies->routes.receivers().empty()) {
    around.log.warning("nobody is alerted, since " + config.policies +
                       "/routes.yaml names no receiver");
  }
  sealed = swept = around.clock.now();
  if (!config.once) {
    witnesses = std::make_unique<Witnesses>(config, around.log);
    if (auto done = start_server(); !done) return done;
    start_store_check();
    start_heartbeat();
  }
  if (key_keeper) key_keeper->start();
  pipeline->start();
  return {};
}

// On a large store a new version may need a while until it is ready.
void Daemon::Parts::tell_missing_tables() {
  const auto has_all = db::check_migrations(*database, all_migrations());
  if (has_all || has_all.error().code != Code::not_found) return;
  around.log.info(
      "the store gets what this version adds to its tables; whether it bears that is tried first");
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
  auto started =
      net::HttpServer::start({.listen = config.listen,
                              .socket = config.socket,
                              .threads = server_threads,
                              .socket_body_bytes_max = told_bytes_max},
                             make_handler({.config = config,
                                           .clock = around.clock,
                                           .acts = acts,
                                           .arbiter = access->arbiter(),
                                           .grants = core->grants(),
                                           .sealing = sealing(),
                                           .status = [this] { return current_status(); },
                                           .policies = [this] { return current_policies(); }}));
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

void Daemon::Parts::start_store_check() {
  std::vector<StoreCheck::Place> places{{.name = "store", .url = config.store}};
  if (store_keys) places.push_back({.name = "book of keys", .url = "sqlite:" + config.keys});
  store_check = std::make_unique<StoreCheck>(std::move(places));
  store_check->start();
}

http::Status Daemon::Parts::current_status() {
  const std::lock_guard lock(mutex);
  return status;
}

std::shared_ptr<const Policies> Daemon::Parts::current_policies() {
  const std::lock_guard lock(mutex);
  return policies;
}

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Daemon::~Daemon() {
  // The servers first: their threads wait for answers of the core.
  if (parts_->access_server) parts_->access_server->stop();
  if (parts_->server) parts_->server->stop();
  if (parts_->people) parts_->people->stop();
  if (parts_->witnesses) parts_->witnesses->stop();
  if (parts_->store_check) parts_->store_check->stop();
  if (parts_->heartbeat) parts_->heartbeat->stop();
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
