// The keys of a store, opened.
//
// What     StoreKeys holds what it takes to seal and open values: the provider of the
//          key-encryption key (KEK), the book of keys, the Vault over both, and the FieldSealing
//          that Database::set_sealing() takes. open() makes a book where there is none and it need
//          not be there, closed to others (mode 0600, as are SQLite's files beside it), and brings
//          its tables up to date. `read_only` is for commands beside a running daemon: it makes and
//          changes nothing.
// Owns     All of them. A Database that has sealing() must be gone before it.
// Threads  As Vault.
// Errors   not_found: the book's folder is not there, or the book or its keys where they must be.
//          invalid: the file is not a book, or the setting of the KEK is wrong. unavailable,
//          denied: of the KEK, in the provider's words; a sealed store cannot be read without it.
//          Others as Database.
// Limits   Options of the Vault.
// Source   docs/encryption.md.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "vault/field_sealing.h"
#include "vault/key_provider_spec.h"
#include "vault/vault.h"

namespace mailwarden::vault {

struct KeysOptions {
  std::string book;  // the path of an SQLite file
  KekSpec kek;
  bool read_only = false;
  bool must_be_there = false;       // for a store that was begun: a new book opens nothing of it
  std::vector<std::string> tables;  // as Options
};

class StoreKeys {
 public:
  // `entropy` and `clock` must outlive it. `listener` is told of every use of the KEK.
  static Result<std::unique_ptr<StoreKeys>> open(KeysOptions options, Entropy& entropy,
                                                 const Clock& clock,
                                                 crypto::KeyProvider::Listener listener);
  StoreKeys(const StoreKeys&) = delete;
  StoreKeys& operator=(const StoreKeys&) = delete;

  Vault& vault() { return *vault_; }
  db::Sealing& sealing() { return sealing_; }
  // The version of the KEK under which new keys are wrapped.
  Result<crypto::KekName> newest_kek() { return provider_->newest(); }

 private:
  StoreKeys(std::unique_ptr<crypto::KeyProvider> provider, std::unique_ptr<Vault> vault)
      : provider_(std::move(provider)), vault_(std::move(vault)), sealing_(*vault_) {}

  std::unique_ptr<crypto::KeyProvider> provider_;
  std::unique_ptr<Vault> vault_;  // with the book's connection
  FieldSealing sealing_;
};

}  // namespace mailwarden::vault
