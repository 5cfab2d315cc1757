#include "app/opening.h"

#include <algorithm>
#include <thread>

#include "base/files.h"
#include "ingest/event_table.h"
#include "ingest/file_source.h"
#include "ingest/pipe_source.h"
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

Result<crypto::Signer> load_key(const config::Config& config, Entropy& entropy, Log& log) {
  auto key = crypto::Signer::load(config.key);
  if (key || key.error().code != Code::not_found) return key;
  key = crypto::Signer::create(config.key, entropy);
  if (key) log.info("made the ledger's signing key " + config.key);
  return key;
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
