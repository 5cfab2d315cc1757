// What a daemon opens when it starts.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/entropy.h"
#include "base/log.h"
#include "base/result.h"
#include "config/config.h"
#include "crypto/ed25519.h"
#include "db/database.h"
#include "identity/people_book.h"
#include "ingest/source.h"

namespace mailwarden::app {

unsigned worker_count(const config::Config& config);

// How long what each source says of people holds.
identity::PeopleBookOptions people_options(const config::Config& config);

// The ledger's signing key, the one that is to follow it, if any, and, of a witness, that of its
// cosignatures; made where there is none yet. Beside each its verifier key is left for others:
// ….pub.
struct Keys {
  crypto::Signer signer;
  std::optional<crypto::Signer> next;
  std::optional<crypto::Signer> witness;
  std::string verifier_key;  // of the ledger, in one line
};
Result<Keys> load_keys(const config::Config& config, Entropy& entropy, Log& log);

// Each source at the place where its last commit stood.
Result<std::vector<std::unique_ptr<ingest::Source>>> open_sources(const config::Config& config,
                                                                  db::Database& database);

// Leaves the checkpoint under its size: "checkpoint-120".
Result<void> drop_checkpoint(const std::string& folder, const std::string& note);

}  // namespace mailwarden::app
