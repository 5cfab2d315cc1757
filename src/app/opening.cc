#include "app/opening.h"

#include <algorithm>
#include <thread>

#include "base/files.h"
#include "ingest/event_table.h"
#include "ingest/file_source.h"
#include "ingest/pipe_source.h"
#include "ledger/cosignature.h"
#include "ledger/note.h"

namespace mailwarden::app {

unsigned worker_count(const config::Config& config) {
  if (config.workers > 0) return config.workers;
  return std::max(2U, std::thread::hardware_concurrency()) - 1;
}

identity::PeopleBookOptions people_options(const config::Config& config) {
  identity::PeopleBookOptions options;
  for (const identity::PeopleSourceOptions& source : config.people) {
    options.ages.of_source.emplace(source.name, source.limit);
  }
  return options;
}

namespace {

Result<crypto::Signer> load_key(const std::string& path, const std::string& what, Entropy& entropy,
                                Log& log) {
  auto key = crypto::Signer::load(path);
  if (key || key.error().code != Code::not_found) return key;
  key = crypto::Signer::create(path, entropy);
  if (key) log.info("made the " + what + " key " + path);
  return key;
}

Result<crypto::Signer> load_ledger_key(const std::string& path, const std::string& origin,
                                       Entropy& entropy, Log& log) {
  auto signer = load_key(path, "ledger's signing", entropy, log);
  if (!signer) return signer;
  const ledger::VerifierKey key{.name = origin, .key = signer->public_key()};
  if (auto done = write_file_durably(path + ".pub", to_text(key) + "\n"); !done) {
    return std::unexpected(done.error());
  }
  return signer;
}

}  // namespace

Result<Keys> load_keys(const config::Config& config, Entropy& entropy, Log& log) {
  auto signer = load_ledger_key(config.key, config.origin, entropy, log);
  if (!signer) return std::unexpected(signer.error());
  std::string verifier_key =
      to_text(ledger::VerifierKey{.name = config.origin, .key = signer->public_key()});
  Keys keys{.signer = *std::move(signer),
            .next = std::nullopt,
            .witness = std::nullopt,
            .verifier_key = std::move(verifier_key)};
  if (!config.next_key.empty()) {
    auto next = load_ledger_key(config.next_key, config.origin, entropy, log);
    if (!next) return std::unexpected(next.error());
    if (next->public_key() == keys.signer.public_key()) {
      return fail(Code::invalid,
                  "next-key " + config.next_key + " holds the same key as key " + config.key);
    }
    keys.next = *std::move(next);
  }
  if (config.witness_for.empty()) return keys;
  auto witness = load_key(config.witness_key, "witness's", entropy, log);
  if (!witness) return std::unexpected(witness.error());
  const ledger::WitnessKey key{.name = config.witness_name, .key = witness->public_key()};
  if (auto done = write_file_durably(config.witness_key + ".pub", to_text(key) + "\n"); !done) {
    return std::unexpected(done.error());
  }
  keys.witness = *std::move(witness);
  return keys;
}

Result<std::vector<std::unique_ptr<ingest::Source>>> open_sources(const config::Config& config,
                                                                  db::Database& database) {
  std::vector<std::unique_ptr<ingest::Source>> sources;
  for (const config::SourceConfig& source : config.sources) {
    auto committed = ingest::load_streams(database, source.name);
    if (!committed) return std::unexpected(committed.error());
    if (source.file.empty()) {
      sources.push_back(std::make_unique<ingest::PipeSource>(
          ingest::PipeSourceOptions{.name = source.name}, *committed));
    } else {
      sources.push_back(std::make_unique<ingest::FileSource>(
          ingest::FileSourceOptions{.name = source.name, .glob = source.file},
          *std::move(committed)));
    }
  }
  return sources;
}

Result<void> drop_checkpoint(const std::string& folder, const std::string& note) {
  const auto checkpoint = ledger::parse_checkpoint(note);
  if (!checkpoint) return std::unexpected(checkpoint.error());
  return write_file_durably(folder + "/checkpoint-" + std::to_string(checkpoint->size), note);
}

}  // namespace mailwarden::app
