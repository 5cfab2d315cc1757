// The book of data keys: values sealed under the keys of whom they concern.
//
// What     A value is sealed for its place under the data keys of its subjects (the people it is
//          about), all of which are needed to open it; shredding any one of them makes it
//          unreadable, wherever a copy of it lies. A value without a subject is sealed under the
//          store key. A subject's key is made when its first value is sealed, and found by a blind
//          index of the subject's name (Normal::address), which stands nowhere in clear. Every key
//          is kept wrapped under the provider's key-encryption key (KEK), together with its name.
//
//          The KEK is asked when the book is opened, when a subject is new, when a key is not in
//          memory, and when keys are wrapped anew; never for each value. When it is away,
//          seal() does not wait for it and does not fail: a value whose key is not at hand is
//          sealed for the public share of the book instead (crypto/agreement.h), with the names of
//          its subjects inside, and reseal() seals it for its subjects when the KEK is back. open()
//          and index() answer an error then. After a failed use the KEK is not asked again until
//          unlock(), so that no more than one value waits for its time-out.
//
//          The book lies in a database of its own, which backups of the store leave out: a
//          wrapped key in a backup can be unwrapped as long as its KEK lives. docs/encryption.md
//          says what shredding is worth when.
// Owns     The book's database connection, and unwrapped keys in locked memory.
// Threads  Any; calls take turns. One Vault a store and process: another one's keys in memory do
//          not learn of a shredding, for which forget() is there. What the provider tells its
//          listener must not lead back here.
// Errors   not_found: the key was shredded; no other try will help. unavailable, denied: of the
//          KEK, naming key, version and provider (key_provider.h); denied, too, where a wrapped key
//          is not that of its row. corrupt: changed, of another place, or sealed under a key that
//          the book never had or dropped after it was renewed.
//          invalid: more than a limit, or a table that Options::tables does not name. conflict:
//          shred() while values wait to be sealed for their subjects. Others as Database.
// Limits   Options; Sealer::keys_max subjects and half of Sealer::value_bytes_max a value.
// Source   crypto/envelope.h and docs/encryption.md have the formats.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "crypto/blind_index.h"
#include "crypto/envelope.h"
#include "crypto/key_provider.h"
#include "db/database.h"
#include "vault/deferred.h"
#include "vault/key_ring.h"
#include "vault/key_table.h"

namespace mailwarden::vault {

std::span<const db::Migration> migrations();

struct Options {
  std::size_t keys_max = 32768;     // unwrapped keys in memory, 32 bytes each
  std::vector<std::string> tables;  // every table that holds sealed values
  // What the book's database is told so that a removed row is left in none of its files; it answers
  // 0 or nothing where that was done. This is for SQLite; empty, scrub() does nothing.
  std::string scrub_sql = "PRAGMA wal_checkpoint(TRUNCATE)";
};

// A value of a table, as a walk sees it. A row may have several, also in one column.
struct SealedValue {
  std::string row;  // as it was when the value was sealed
  std::string column;
  crypto::Bytes sealed;
  std::size_t slot = 0;  // where the table finds it again; the walk does not look at it
};

struct SealedRows {
  std::vector<SealedValue> values;  // with all sealed columns of their rows
  std::string last;                 // the cursor of the last row; "" where there was none
};

struct Resealed {
  const SealedValue* before = nullptr;
  crypto::Bytes sealed;
};

// A table of another module, which a walk goes through.
class SealedTable {
 public:
  virtual ~SealedTable() = default;
  virtual std::string_view name() const = 0;
  // Rows behind a cursor in an order that does not change; "" is before the first. Rows that are
  // added meanwhile need not be seen.
  virtual Result<SealedRows> after(const std::string& cursor, std::size_t rows_max) = 0;
  // Values of the last after(). Durable when it answers. What a row holds beside them stays. A
  // value that is no longer as `before` is left alone.
  virtual Result<void> replace(std::span<const Resealed> values) = 0;
};

struct Rewrapped {
  std::size_t keys = 0;
  std::size_t refused = 0;  // that the KEK does not unwrap; they stay as they are
  std::int64_t left = 0;    // not under the newest version; only refused ones where it has ended
  bool ended = false;
};

struct Walked {
  std::size_t values = 0;      // sealed anew
  std::size_t unreadable = 0;  // shredded or spoilt, left alone
  bool ended = false;          // this table is done with
};

// What the book holds, in figures.
struct BookState {
  std::int64_t subjects = 0;         // who have a key
  std::int64_t shredded = 0;         // keys
  std::vector<std::string> waiting;  // tables with values that wait to be sealed for their subjects
};

class Vault {
 public:
  // `database` holds the book, migrated, and is of nobody else. Makes the first keys in a new book,
  // for which it needs the KEK; a book that has keys opens without.
  static Result<std::unique_ptr<Vault>> open(std::unique_ptr<db::Database> database,
                                             crypto::KeyProvider& provider, Entropy& entropy,
                                             const Clock& clock, Options options);
  Vault(const Vault&) = delete;
  Vault& operator=(const Vault&) = delete;
  ~Vault();

  Result<crypto::Bytes> seal(const crypto::Place& place, std::span<const std::string_view> subjects,
                             std::string_view value);
  Result<std::string> open(const crypto::Place& place, crypto::Piece sealed);
  Result<crypto::Bytes> index(const crypto::Indexed& indexed, std::string_view value);

  // Makes the keys of those that have none, up to keys_max in one transaction, so that a batch of
  // values costs one commit of the book and not one a subject. Nothing where the KEK is away. Keys
  // that are in memory are not asked for.
  Result<void> know(std::span<const std::string_view> subjects);

  // Nothing opens any more that needed the subject's key; false where it had none. The next value
  // about that subject gets a new key.
  Result<bool> shred(std::string_view subject);
  // Takes what was shredded out of the book's log, too; once behind several shreddings.
  // unavailable: somebody still reads an older state.
  Result<void> scrub();

  // Whether the KEK was away when it was last asked.
  bool locked() const;
  // What it answered then; nothing where it was there.
  std::optional<Error> away() const;
  // Asks it again; to be called now and then while locked.
  Result<void> unlock();
  // Wipes what is in memory, but for what sealing needs.
  void forget();

  // Wraps up to keys_max keys under the newest version of the KEK, going on where the last call
  // ended; both versions are in use meanwhile. A kill loses nothing.
  Result<Rewrapped> rewrap(std::size_t keys_max);
  // How many keys each version of the KEK has wrapped. One that has none may go.
  Result<std::vector<KekCount>> counts();
  Result<BookState> state();

  // A new version of the subject's key for all new values; not_found where it has none. The old
  // one goes when reseal() has come through all tables.
  Result<void> renew(std::string_view subject);
  Result<void> renew_store_key();
  // Seals up to rows_max rows of the table anew where they need it, and keeps how far it came. To
  // be called from where the table is written, between its transactions, until it has ended; it
  // has ended at once where nothing needs it.
  Result<Walked> reseal(SealedTable& table, std::size_t rows_max);

 private:
  struct Deferral;

  Vault(std::unique_ptr<db::Database> database, crypto::KeyProvider& provider, Entropy& entropy,
        const Clock& clock, Options options);

  Result<void> check(const crypto::Place& place, std::span<const std::string_view> subjects,
                     std::string_view value) const;
  SubjectIndex index_of(std::string_view subject) const;
  Result<crypto::Bytes> seal_now(const crypto::Place& place,
                                 std::span<const std::string_view> subjects,
                                 std::string_view value);
  Result<crypto::Bytes> defer(const crypto::Place& place,
                              std::span<const std::string_view> subjects, std::string_view value);
  Result<void> begin_deferral(std::string_view table);
  void end_deferral(std::string_view table);
  Result<std::string> open_named(const crypto::Place& place, const crypto::Envelope& envelope);
  Result<Deferred> open_deferred(const crypto::Place& place, const crypto::Envelope& envelope);

  Result<crypto::Wrapped> wrapped_anew(const KeyRow& row);
  Result<void> renew_key(const KeyRow& row, const SubjectIndex* subject);
  Result<std::optional<crypto::Bytes>> sealed_anew(const crypto::Place& place, crypto::Piece sealed,
                                                   const std::set<KeyName>& retired);
  Result<void> finish_walks();

  mutable std::mutex mutex_;
  std::unique_ptr<db::Database> database_;
  KeyTable table_;
  crypto::KeyProvider& provider_;
  Entropy& entropy_;
  const Clock& clock_;
  Options options_;
  KeyRing ring_;
  crypto::Sealer sealer_;
  std::unique_ptr<Deferral> deferral_;  // since values are sealed for the share
  KeyName rewrapped_to_;
};

}  // namespace mailwarden::vault
