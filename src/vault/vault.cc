#include "vault/vault.h"

#include <algorithm>
#include <set>

#include "base/check.h"

namespace mailwarden::vault {
namespace {

using crypto::Bytes;
using crypto::Piece;
using crypto::Place;

std::string text_of(const Place& place) {
  return std::string(place.table) + "." + std::string(place.column) + " of row '" +
         std::string(place.row) + "'";
}

}  // namespace

// How values are sealed while the KEK is away: an ephemeral pair's public share, and the key that
// it and the book's share agree on. The ephemeral private share is gone already, so that what this
// process has sealed is opened by the book's private share alone once it has ended.
struct Vault::Deferral {
  crypto::Recipient recipient;
  crypto::SecretBytes agreed;
  std::set<std::string, std::less<>> marked;  // tables whose walk knows
};

Vault::Vault(std::unique_ptr<db::Database> database, crypto::KeyProvider& provider,
             Entropy& entropy, const Clock& clock, Options options)
    : database_(std::move(database)),
      table_(*database_),
      provider_(provider),
      entropy_(entropy),
      clock_(clock),
      options_(std::move(options)),
      ring_(table_, provider, entropy, clock),
      sealer_(entropy) {}

Vault::~Vault() = default;

Result<std::unique_ptr<Vault>> Vault::open(std::unique_ptr<db::Database> database,
                                           crypto::KeyProvider& provider, Entropy& entropy,
                                           const Clock& clock, Options options) {
  std::unique_ptr<Vault> made(
      new Vault(std::move(database), provider, entropy, clock, std::move(options)));
  if (auto done = made->ring_.open(made->options_.keys_max); !done) {
    return fail("the book of keys", done.error());
  }
  return made;
}

Result<void> Vault::check(const Place& place, std::span<const std::string_view> subjects,
                          std::string_view value) const {
  // A walk that does not know the table would drop keys that its values need.
  if (std::ranges::find(options_.tables, place.table) == options_.tables.end()) {
    return fail(Code::invalid, text_of(place) + ": the book does not know this table");
  }
  if (subjects.size() > crypto::Sealer::keys_max) {
    return fail(Code::invalid, text_of(place) + ": a value of " + std::to_string(subjects.size()) +
                                   " subjects, at most " +
                                   std::to_string(crypto::Sealer::keys_max) + " are sealed for");
  }
  if (value.size() > crypto::Sealer::value_bytes_max / 2) {
    return fail(Code::invalid, text_of(place) + ": a value of " + std::to_string(value.size()) +
                                   " bytes is too long to be sealed");
  }
  return {};
}

SubjectIndex Vault::index_of(std::string_view subject) const {
  const Bytes bytes = crypto::blind_index(
      ring_.own_key(index_key),
      {.table = "vault_subject", .column = "subject", .form = crypto::Normal::address}, subject);
  SubjectIndex index{};
  std::ranges::copy(bytes, index.begin());
  return index;
}

Result<Bytes> Vault::seal(const Place& place, std::span<const std::string_view> subjects,
                          std::string_view value) {
  const std::lock_guard turn(mutex_);
  if (auto good = check(place, subjects, value); !good) return std::unexpected(good.error());
  if (!ring_.holds_own_keys()) return defer(place, subjects, value);
  auto sealed = seal_now(place, subjects, value);
  if (sealed || !ring_.of_kek(sealed.error())) return sealed;
  return defer(place, subjects, value);
}

Result<Bytes> Vault::seal_now(const Place& place, std::span<const std::string_view> subjects,
                              std::string_view value) {
  if (subjects.empty()) {
    const std::array keys{ring_.store()};
    return sealer_.seal(place, keys, value);
  }
  std::set<SubjectIndex> indexes;
  for (const std::string_view subject : subjects) indexes.insert(index_of(subject));
  std::vector<crypto::NamedKey> keys;
  for (const SubjectIndex& index : indexes) {
    auto key = ring_.known(index);
    if (key && !*key) {
      if (auto done = ring_.make({&index, 1}); !done) return std::unexpected(done.error());
      key = ring_.known(index);
    }
    if (!key) return std::unexpected(key.error());
    if (!*key) return fail(Code::unavailable, "a subject's key was shredded as it was made");
    keys.push_back(**key);
  }
  std::ranges::sort(keys, {}, [](const crypto::NamedKey& key) { return key.name; });
  return sealer_.seal(place, keys, value);
}

Result<Bytes> Vault::defer(const Place& place, std::span<const std::string_view> subjects,
                           std::string_view value) {
  if (auto done = begin_deferral(place.table); !done) return std::unexpected(done.error());
  std::string whole = to_bytes(subjects, value);
  const crypto::WipeAtEnd wiping(std::as_writable_bytes(std::span(whole)));
  return sealer_.seal_for(place, deferral_->recipient,
                          KeyView(deferral_->agreed.bytes().first<crypto::key_bytes>()), whole);
}

// That there are values to be sealed anew is durable before the first of them is.
Result<void> Vault::begin_deferral(std::string_view table) {
  if (deferral_ == nullptr) {
    const auto share = table_.share();
    if (!share) return std::unexpected(share.error());
    if (share->first == 0) return fail(Code::corrupt, "the book of keys has lost its share");
    auto ephemeral = crypto::SecretBytes::make(crypto::key_bytes);
    auto agreed = crypto::SecretBytes::make(crypto::key_bytes);
    if (!ephemeral || !agreed) return std::unexpected((ephemeral ? agreed : ephemeral).error());
    entropy_.fill(ephemeral->bytes(), "ephemeral share");
    const auto mine = KeyView(ephemeral->bytes().first<crypto::key_bytes>());
    auto made = std::make_unique<Deferral>();
    made->recipient = {.version = share->first, .ephemeral = crypto::public_share(mine)};
    const auto key = agreed->bytes().first<crypto::key_bytes>();
    if (auto done = crypto::agree(
            mine, share->second,
            {.ephemeral = made->recipient.ephemeral, .recipient = share->second}, key);
        !done) {
      return fail(Code::corrupt, "the book of keys' share: " + done.error().what);
    }
    made->agreed = *std::move(agreed);
    deferral_ = std::move(made);
  }
  if (deferral_->marked.contains(table)) return {};
  if (auto done = table_.begin_walk(table, true); !done) return done;
  deferral_->marked.emplace(table);
  return {};
}

void Vault::end_deferral(std::string_view table) {
  if (deferral_ == nullptr) return;
  const auto marked = deferral_->marked.find(table);
  if (marked != deferral_->marked.end()) deferral_->marked.erase(marked);
}

Result<std::string> Vault::open(const Place& place, Piece sealed) {
  const std::lock_guard turn(mutex_);
  const auto envelope = crypto::parse_envelope(sealed);
  if (!envelope) return fail(text_of(place), envelope.error());
  if (std::holds_alternative<std::vector<KeyName>>(envelope->keys)) {
    return open_named(place, *envelope);
  }
  auto deferred = open_deferred(place, *envelope);
  if (!deferred) return std::unexpected(deferred.error());
  return std::move(deferred->value);
}

Result<std::string> Vault::open_named(const Place& place, const crypto::Envelope& envelope) {
  std::vector<KeyView> keys;
  std::optional<Error> failed;
  for (const KeyName& name : std::get<std::vector<KeyName>>(envelope.keys)) {
    const auto key = ring_.named(name);
    if (key) {
      keys.push_back(*key);
    } else if (!failed || key.error().code == Code::not_found) {
      // That it is lost for ever says more than that another key is out of reach.
      failed = key.error();
      if (failed->code == Code::not_found) break;
    }
  }
  if (failed) return fail(text_of(place), *failed);
  return sealer_.open(place, keys, envelope);
}

Result<Deferred> Vault::open_deferred(const Place& place, const crypto::Envelope& envelope) {
  if (!ring_.holds_own_keys()) return fail(text_of(place), *ring_.away());
  const auto& recipient = std::get<crypto::Recipient>(envelope.keys);
  const KeyView mine = ring_.own_key(private_share);
  auto agreed = crypto::SecretBytes::make(crypto::key_bytes);
  if (!agreed) return std::unexpected(agreed.error());
  const auto key = agreed->bytes().first<crypto::key_bytes>();
  auto found = crypto::agree(
      mine, recipient.ephemeral,
      {.ephemeral = recipient.ephemeral, .recipient = crypto::public_share(mine)}, key);
  if (!found) return fail(Code::corrupt, text_of(place) + ": " + found.error().what);
  const std::array keys{KeyView(key)};
  auto whole = sealer_.open(place, keys, envelope);
  if (!whole) return std::unexpected(whole.error());
  const crypto::WipeAtEnd wiping(std::as_writable_bytes(std::span(*whole)));
  auto deferred = read_deferred(*whole);
  if (!deferred) return fail(text_of(place), deferred.error());
  return deferred;
}

Result<Bytes> Vault::index(const crypto::Indexed& indexed, std::string_view value) {
  const std::lock_guard turn(mutex_);
  if (!ring_.holds_own_keys()) return std::unexpected(*ring_.away());
  return crypto::blind_index(ring_.own_key(index_key), indexed, value);
}

Result<void> Vault::know(std::span<const std::string_view> subjects) {
  const std::lock_guard turn(mutex_);
  if (!ring_.holds_own_keys() || ring_.away()) return {};
  std::set<SubjectIndex> missing;
  for (const std::string_view subject : subjects) {
    const SubjectIndex index = index_of(subject);
    if (ring_.holds(index) || missing.contains(index)) continue;
    const auto row = table_.newest(index);
    if (!row) return std::unexpected(row.error());
    if (!*row) missing.insert(index);
  }
  // The keys of one transaction stand in locked memory together, of which there is little.
  const std::vector<SubjectIndex> all(missing.begin(), missing.end());
  for (std::span<const SubjectIndex> left(all); !left.empty();) {
    const auto some =
        left.first(std::min(left.size(), std::max(options_.keys_max, KeyCache::keys_min)));
    if (auto made = ring_.make(some); !made) {
      if (ring_.of_kek(made.error())) return {};
      return made;
    }
    left = left.subspan(some.size());
  }
  return {};
}

Result<bool> Vault::shred(std::string_view subject) {
  const std::lock_guard turn(mutex_);
  if (!ring_.holds_own_keys()) return std::unexpected(*ring_.away());
  const auto waiting = table_.deferred_tables();
  if (!waiting) return std::unexpected(waiting.error());
  if (!waiting->empty()) {
    return fail(Code::conflict,
                "values of " + waiting->front() +
                    " were sealed while the key-encryption key was away and wait to be sealed for "
                    "their subjects; a key that was shredded now would not reach them");
  }
  const auto row = table_.newest(index_of(subject));
  if (!row) return std::unexpected(row.error());
  if (!*row) return false;
  const std::uint64_t id = (*row)->name.id;
  auto transaction = db::Transaction::begin(*database_);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto done = table_.shred(id, clock_.now()); !done) return std::unexpected(done.error());
  if (auto done = transaction->commit(); !done) return std::unexpected(done.error());
  ring_.drop(id);
  return true;
}

Result<void> Vault::scrub() {
  const std::lock_guard turn(mutex_);
  if (options_.scrub_sql.empty()) return {};
  const auto busy = database_->integer(options_.scrub_sql);
  if (!busy) return std::unexpected(busy.error());
  if (*busy == 0) return {};
  return fail(Code::unavailable, "the book of keys is being read; its log stays for the moment");
}

bool Vault::locked() const {
  const std::lock_guard turn(mutex_);
  return ring_.away().has_value();
}

std::optional<Error> Vault::away() const {
  const std::lock_guard turn(mutex_);
  return ring_.away();
}

Result<void> Vault::unlock() {
  std::unique_lock turn(mutex_);
  const auto rows = ring_.own_rows();
  if (!rows) return std::unexpected(rows.error());
  turn.unlock();
  // Others go on while the KEK is asked, which may take its whole time.
  auto keys = ring_.unwrap_own(*rows);
  if (!keys) return std::unexpected(keys.error());
  turn.lock();
  ring_.take_own(*std::move(keys));
  return {};
}

void Vault::forget() {
  const std::lock_guard turn(mutex_);
  ring_.forget();
}

}  // namespace mailwarden::vault
