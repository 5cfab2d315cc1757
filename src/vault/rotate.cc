// Keys are changed under the values that they seal: the KEK's versions, and those of data keys.
#include <algorithm>

#include "vault/vault.h"

namespace mailwarden::vault {

Result<Rewrapped> Vault::rewrap(std::size_t keys_max) {
  const auto kek = provider_.newest();
  if (!kek) return std::unexpected(kek.error());
  std::unique_lock turn(mutex_);
  auto rows = table_.wrapped_otherwise(*kek, rewrapped_to_, keys_max);
  if (!rows) return std::unexpected(rows.error());
  Rewrapped done{.ended = rows->empty()};
  rewrapped_to_ = rows->empty() ? KeyName() : rows->back().name;
  turn.unlock();
  // Others go on meanwhile: the KEK may take its time, and either version of a row serves them.
  std::vector<std::pair<KeyRow, crypto::KekName>> anew;
  for (const KeyRow& row : *rows) {
    auto wrapped = wrapped_anew(row);
    if (!wrapped && wrapped.error().code != Code::denied) return std::unexpected(wrapped.error());
    if (!wrapped) {
      ++done.refused;
    } else {
      anew.emplace_back(KeyRow{row.name, *std::move(wrapped)}, row.wrapped.kek);
    }
  }
  turn.lock();
  auto transaction = db::Transaction::begin(*database_);
  if (!transaction) return std::unexpected(transaction.error());
  for (const auto& [row, before] : anew) {
    if (auto written = table_.rewrap(row, before); !written) {
      return std::unexpected(written.error());
    }
  }
  if (auto committed = transaction->commit(); !committed) return std::unexpected(committed.error());
  done.keys = anew.size();
  const auto left = table_.count_otherwise(*kek);
  if (!left) return std::unexpected(left.error());
  done.left = *left;
  done.ended = done.ended || done.left == 0;
  return done;
}

Result<crypto::Wrapped> Vault::wrapped_anew(const KeyRow& row) {
  const std::string what_for = "rewrapping of data key " + std::to_string(row.name.id) +
                               " version " + std::to_string(row.name.version);
  const auto payload = provider_.unwrap(row.wrapped.kek, row.wrapped.bytes, what_for);
  if (!payload) return std::unexpected(payload.error());
  return provider_.wrap(payload->bytes(), what_for);
}

Result<std::vector<KekCount>> Vault::counts() {
  const std::lock_guard turn(mutex_);
  return table_.counts();
}

Result<BookState> Vault::state() {
  const std::lock_guard turn(mutex_);
  const auto subjects = table_.count_subjects();
  if (!subjects) return std::unexpected(subjects.error());
  const auto shredded = table_.count_shredded();
  if (!shredded) return std::unexpected(shredded.error());
  auto waiting = table_.deferred_tables();
  if (!waiting) return std::unexpected(waiting.error());
  return BookState{.subjects = *subjects, .shredded = *shredded, .waiting = *std::move(waiting)};
}

Result<void> Vault::renew(std::string_view subject) {
  const std::lock_guard turn(mutex_);
  if (!ring_.holds_own_keys()) return std::unexpected(*ring_.away());
  const SubjectIndex index = index_of(subject);
  const auto row = table_.newest(index);
  if (!row) return std::unexpected(row.error());
  if (!*row) return fail(Code::not_found, "this subject has no key to be renewed");
  return renew_key(**row, &index);
}

Result<void> Vault::renew_store_key() {
  const std::lock_guard turn(mutex_);
  if (!ring_.holds_own_keys()) return std::unexpected(*ring_.away());
  const auto row = table_.newest(std::uint64_t{store_key});
  if (!row) return std::unexpected(row.error());
  if (!*row) return fail(Code::corrupt, "the book of keys lacks its store key");
  return renew_key(**row, nullptr);
}

Result<void> Vault::renew_key(const KeyRow& row, const SubjectIndex* subject) {
  if (row.name.version == UINT32_MAX) return fail(Code::full, "the key has no version left");
  auto key = crypto::SecretBytes::make(crypto::key_bytes);
  if (!key) return std::unexpected(key.error());
  const auto bytes = key->bytes().first<crypto::key_bytes>();
  const auto renewed = ring_.wrapped_anew({row.name.id, row.name.version + 1}, bytes);
  if (!renewed) return std::unexpected(renewed.error());
  auto transaction = db::Transaction::begin(*database_);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto done = table_.retire(row.name); !done) return done;
  if (auto done = table_.add(*renewed, clock_.now()); !done) return done;
  for (const std::string& table : options_.tables) {
    if (auto done = table_.begin_walk(table, false); !done) return done;
  }
  if (auto done = transaction->commit(); !done) return done;
  ring_.hold(renewed->name, bytes, subject);
  return {};
}

Result<Walked> Vault::reseal(SealedTable& table, std::size_t rows_max) {
  const std::lock_guard turn(mutex_);
  const auto walk = table_.walk(table.name());
  if (!walk) return std::unexpected(walk.error());
  if (!*walk) return Walked{.ended = true};
  if ((*walk)->done) {
    // All that is left is to end together with the other tables.
    if (auto done = finish_walks(); !done) return std::unexpected(done.error());
    return Walked{.ended = true};
  }
  if (!ring_.holds_own_keys()) return std::unexpected(*ring_.away());
  // What is deferred from here on may stand before the cursor, and begins the walk anew.
  end_deferral(table.name());
  const auto retired = table_.retired();
  if (!retired) return std::unexpected(retired.error());
  const auto rows = table.after((*walk)->after, rows_max);
  if (!rows) return std::unexpected(rows.error());
  Walked walked{.ended = rows->last.empty()};
  std::vector<Resealed> resealed;
  for (const SealedValue& value : rows->values) {
    auto anew = sealed_anew({table.name(), value.column, value.row}, value.sealed, *retired);
    if (anew && *anew) {
      resealed.push_back({&value, **std::move(anew)});
    } else if (!anew) {
      const Code code = anew.error().code;
      if (code != Code::not_found && code != Code::corrupt) return std::unexpected(anew.error());
      ++walked.unreadable;
    }
  }
  if (!resealed.empty()) {
    if (auto done = table.replace(resealed); !done) return std::unexpected(done.error());
  }
  walked.values = resealed.size();
  const std::string& last = walked.ended ? (*walk)->after : rows->last;
  if (auto done = table_.advance_walk(table.name(), last, walked.ended); !done) {
    return std::unexpected(done.error());
  }
  if (!walked.ended) return walked;
  if (auto done = finish_walks(); !done) return std::unexpected(done.error());
  return walked;
}

// None where the value is sealed as it should be.
Result<std::optional<crypto::Bytes>> Vault::sealed_anew(const crypto::Place& place,
                                                        crypto::Piece sealed,
                                                        const std::set<KeyName>& retired) {
  const auto envelope = crypto::parse_envelope(sealed);
  if (!envelope) return std::unexpected(envelope.error());
  if (std::holds_alternative<crypto::Recipient>(envelope->keys)) {
    const auto deferred = open_deferred(place, *envelope);
    if (!deferred) return std::unexpected(deferred.error());
    const std::vector<std::string_view> subjects(deferred->subjects.begin(),
                                                 deferred->subjects.end());
    return seal_now(place, subjects, deferred->value);
  }
  const auto& names = std::get<std::vector<KeyName>>(envelope->keys);
  if (std::ranges::none_of(names, [&](const KeyName& name) { return retired.contains(name); })) {
    return std::nullopt;
  }
  const auto value = open_named(place, *envelope);
  if (!value) return std::unexpected(value.error());
  std::vector<crypto::NamedKey> keys;
  for (const KeyName& name : names) {
    const auto key = ring_.newest(name.id);
    if (!key) return std::unexpected(key.error());
    keys.push_back(*key);
  }
  return sealer_.seal(place, keys, *value);
}

// Old versions go only when no table can have a value under them any more.
Result<void> Vault::finish_walks() {
  const auto left = table_.walks_not_done();
  if (!left) return std::unexpected(left.error());
  if (*left > 0) return {};
  const auto retired = table_.retired();
  if (!retired) return std::unexpected(retired.error());
  auto transaction = db::Transaction::begin(*database_);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto done = table_.drop_retired(); !done) return done;
  if (auto done = table_.end_walks(); !done) return done;
  if (auto done = transaction->commit(); !done) return done;
  for (const KeyName& name : *retired) ring_.drop(name.id);
  return {};
}

}  // namespace mailwarden::vault
