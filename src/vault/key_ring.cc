#include "vault/key_ring.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace mailwarden::vault {
namespace {

using crypto::key_bytes;

// What is wrapped: the key, then its id and version, so that no row of the book can be given the
// wrapped key of another without its being seen.
constexpr std::size_t payload_bytes = key_bytes + 8 + 4;

void write_payload(std::span<std::byte> out, const KeyName& name, KeyView key) {
  std::ranges::copy(key, out.begin());
  for (std::size_t i = 0; i < 8; ++i) {
    out[key_bytes + i] = static_cast<std::byte>(name.id >> (56 - 8 * i));
  }
  for (std::size_t i = 0; i < 4; ++i) {
    out[key_bytes + 8 + i] = static_cast<std::byte>(name.version >> (24 - 8 * i));
  }
}

bool is_payload_of(const KeyName& name, std::span<const std::byte> payload) {
  if (payload.size() != payload_bytes) return false;
  std::array<std::byte, payload_bytes> expected{};
  write_payload(expected, name, payload.first<key_bytes>());
  const crypto::WipeAtEnd wiping(expected);
  return crypto::equal_secretly(payload, expected);
}

std::string to_string(const KeyName& name) {
  return "data key " + std::to_string(name.id) + " version " + std::to_string(name.version);
}

// The payload of a row, in memory for keys.
Result<crypto::SecretBytes> payload_of(crypto::KeyProvider& provider, const KeyRow& row) {
  auto payload = provider.unwrap(row.wrapped.kek, row.wrapped.bytes, to_string(row.name));
  if (payload && !is_payload_of(row.name, payload->bytes())) {
    return fail(Code::denied, "key-encryption key " + crypto::to_string(row.wrapped.kek) + " of " +
                                  provider.description() + ": what it unwraps is not " +
                                  to_string(row.name));
  }
  return payload;
}

}  // namespace

Error KeyRing::note(const Error& error) {
  kek_error_ = error;
  if (error.code == Code::unavailable) away_ = error;
  return error;
}

Result<void> KeyRing::open(std::size_t keys_max) {
  auto cache = KeyCache::make(keys_max);
  if (!cache) return std::unexpected(cache.error());
  cache_.emplace(*std::move(cache));
  auto rows = own_rows();
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) {
    if (auto made = make_own(); !made) return made;
    rows = own_rows();
    if (!rows) return std::unexpected(rows.error());
  }
  auto keys = unwrap_own(*rows);
  if (keys) {
    take_own(*std::move(keys));
  } else {
    // Whatever the reason, the book opens and values are sealed for its share.
    away_ = keys.error();
  }
  return {};
}

Result<std::vector<KeyRow>> KeyRing::own_rows() {
  std::vector<KeyRow> rows;
  for (const std::uint64_t id : {store_key, index_key, private_share}) {
    auto row = table_.newest(id);
    if (!row) return std::unexpected(row.error());
    if (*row) rows.push_back(**std::move(row));
  }
  if (rows.empty() || rows.size() == own_keys) return rows;
  return fail(Code::corrupt, "the book of keys lacks some of its own keys");
}

Result<OwnKeys> KeyRing::unwrap_own(const std::vector<KeyRow>& rows) const {
  CHECK(rows.size() == own_keys);
  auto keys = crypto::SecretBytes::make(own_keys * key_bytes);
  if (!keys) return std::unexpected(keys.error());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto payload = payload_of(provider_, rows[i]);
    if (!payload) return std::unexpected(payload.error());
    std::ranges::copy(payload->bytes().first(key_bytes),
                      keys->bytes().subspan(i * key_bytes).begin());
  }
  return OwnKeys{.keys = *std::move(keys), .store_version = rows.front().name.version};
}

void KeyRing::take_own(OwnKeys keys) {
  own_ = std::move(keys);
  away_.reset();
}

KeyView KeyRing::own_key(OwnKey key) const {
  CHECK(holds_own_keys());
  return own_.keys.bytes().subspan((key - 1) * key_bytes).first<key_bytes>();
}

crypto::NamedKey KeyRing::store() const {
  return {{store_key, own_.store_version}, own_key(store_key)};
}

Result<void> KeyRing::make_own() {
  auto keys = crypto::SecretBytes::make(own_keys * key_bytes);
  if (!keys) return std::unexpected(keys.error());
  std::vector<KeyRow> rows;
  crypto::Share share{};
  for (const std::uint64_t id : {store_key, index_key, private_share}) {
    const auto key = keys->bytes().subspan((id - 1) * key_bytes).first<key_bytes>();
    auto row = wrapped_anew({id, 1}, key);
    if (!row) return std::unexpected(row.error());
    rows.push_back(*std::move(row));
    if (id == private_share) share = crypto::public_share(key);
  }
  auto transaction = db::Transaction::begin(table_.database());
  if (!transaction) return std::unexpected(transaction.error());
  for (const KeyRow& row : rows) {
    if (auto done = table_.add(row, clock_.now()); !done) {
      // Another daemon on the same book has been faster, and its keys are as good.
      if (done.error().code == Code::conflict) return {};
      return done;
    }
  }
  if (auto done = table_.add_share(1, share); !done) return done;
  return transaction->commit();
}

Result<KeyRow> KeyRing::wrapped_anew(const KeyName& name, std::span<std::byte, key_bytes> key) {
  if (away_) return std::unexpected(note(*away_));
  auto payload = crypto::SecretBytes::make(payload_bytes);
  if (!payload) return std::unexpected(payload.error());
  entropy_.fill(key, "data key");
  write_payload(payload->bytes(), name, key);
  auto wrapped = provider_.wrap(payload->bytes(), to_string(name));
  if (!wrapped) return std::unexpected(note(wrapped.error()));
  return KeyRow{.name = name, .wrapped = *std::move(wrapped)};
}

Result<KeyView> KeyRing::unwrapped(const KeyRow& row) {
  if (row.name.id == store_key && holds_own_keys() && row.name.version == own_.store_version) {
    return own_key(store_key);
  }
  if (const auto held = cache_->find(row.name)) return *held;
  if (away_) return std::unexpected(note(*away_));
  const auto payload = payload_of(provider_, row);
  if (!payload) return std::unexpected(note(payload.error()));
  return cache_->put(row.name, payload->bytes().first<key_bytes>());
}

Result<std::optional<crypto::NamedKey>> KeyRing::known(const SubjectIndex& subject) {
  if (const auto name = cache_->newest(subject)) {
    return crypto::NamedKey{*name, *cache_->find(*name)};
  }
  const auto row = table_.newest(subject);
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  const auto key = unwrapped(**row);
  if (!key) return std::unexpected(key.error());
  cache_->set_newest(subject, (*row)->name);
  return crypto::NamedKey{(*row)->name, *key};
}

Result<void> KeyRing::make(std::span<const SubjectIndex> subjects) {
  if (subjects.empty()) return {};
  auto keys = crypto::SecretBytes::make(subjects.size() * key_bytes);
  if (!keys) return std::unexpected(keys.error());
  const auto key_at = [&](std::size_t i) {
    return keys->bytes().subspan(i * key_bytes).first<key_bytes>();
  };
  std::vector<KeyRow> rows;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    // Random, so that no id ever comes again: a shredded key's id must not find another key.
    std::array<std::byte, 8> random{};
    entropy_.fill(random, "data key id");
    std::uint64_t id = 0;
    for (const std::byte byte : random) id = id << 8 | std::to_integer<std::uint64_t>(byte);
    constexpr std::uint64_t high = std::uint64_t{1} << 62;
    auto row = wrapped_anew({(id & (high - 1)) | high, 1}, key_at(i));
    if (!row) return std::unexpected(row.error());
    rows.push_back(*std::move(row));
  }
  std::vector<bool> ours(rows.size());
  auto transaction = db::Transaction::begin(table_.database());
  if (!transaction) return std::unexpected(transaction.error());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto added = table_.add_subject(subjects[i], rows[i].name.id);
    if (!added) return std::unexpected(added.error());
    ours[i] = *added;  // another daemon may have been faster
    if (!ours[i]) continue;
    if (auto done = table_.add(rows[i], clock_.now()); !done) return done;
  }
  if (auto done = transaction->commit(); !done) return done;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (ours[i]) hold(rows[i].name, key_at(i), &subjects[i]);
  }
  return {};
}

Result<KeyView> KeyRing::named(const KeyName& name) {
  if (name.id == store_key && holds_own_keys() && name.version == own_.store_version) {
    return own_key(store_key);
  }
  if (const auto held = cache_->find(name)) return *held;
  const auto row = name.id <= INT64_MAX ? table_.find(name) : std::optional<KeyRow>();
  if (!row) return std::unexpected(row.error());
  if (*row) return unwrapped(**row);
  const auto gone = name.id <= INT64_MAX ? table_.shredded(name.id) : std::optional<Timestamp>();
  if (!gone) return std::unexpected(gone.error());
  if (*gone) {
    return fail(Code::not_found, "its data key " + std::to_string(name.id) + " was shredded at " +
                                     to_rfc3339(**gone) + "; nothing opens it any more");
  }
  const auto renewed = name.id <= INT64_MAX ? table_.newest(name.id) : std::optional<KeyRow>();
  if (!renewed) return std::unexpected(renewed.error());
  if (*renewed) {
    return fail(Code::corrupt,
                "the book has no " + to_string(name) +
                    " any more: it was dropped when the key was renewed, and what it sealed was "
                    "sealed anew before; this is an older copy, or the value was changed");
  }
  return fail(Code::corrupt, "the book has no " + to_string(name) +
                                 " and never shredded it: this is another book of keys, an older "
                                 "copy of it, or the value was changed");
}

Result<crypto::NamedKey> KeyRing::newest(std::uint64_t id) {
  const auto row = table_.newest(id);
  if (!row) return std::unexpected(row.error());
  if (!*row) return fail(Code::not_found, "the book has no data key " + std::to_string(id));
  const auto key = unwrapped(**row);
  if (!key) return std::unexpected(key.error());
  return crypto::NamedKey{(*row)->name, *key};
}

void KeyRing::hold(const KeyName& name, KeyView key, const SubjectIndex* subject) {
  if (name.id == store_key) {
    std::ranges::copy(key, own_.keys.bytes().begin());
    own_.store_version = name.version;
    return;
  }
  cache_->put(name, key);
  if (subject != nullptr) cache_->set_newest(*subject, name);
}

}  // namespace mailwarden::vault
