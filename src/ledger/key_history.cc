#include "ledger/key_history.h"

#include <algorithm>
#include <array>
#include <ranges>

namespace mailwarden::ledger {
namespace {

constexpr std::array acts{std::pair{KeyChange::Act::introduced, std::string_view("introduced")},
                          std::pair{KeyChange::Act::dropped, std::string_view("dropped")}};

bool contains(const std::vector<VerifierKey>& keys, const VerifierKey& key) {
  return std::ranges::find(keys, key) != keys.end();
}

// Of keys that a checkpoint's signatures were found to be, in words.
std::string words_of(const std::vector<VerifierKey>& keys) {
  std::string words;
  for (const VerifierKey& key : keys) words += (words.empty() ? "" : " and ") + to_text(key);
  return words;
}

// Whether the first checkpoint that covers the entry is signed by the key.
Result<bool> is_covered(db::Database& database, std::int64_t entry, const VerifierKey& key) {
  const auto note = first_checkpoint_over(database, entry);
  if (!note && note.error().code == Code::not_found) return false;
  if (!note) return std::unexpected(note.error());
  return open_checkpoint(*note, key).has_value();
}

// Whoever holds its checkpoints knows it by its origin, and a checkpoint names one.
std::unexpected<Error> another_log(const std::string& origin, const VerifierKey& key) {
  return fail(Code::denied, "this ledger is the log '" + origin + "', not '" + key.name +
                                "': a log keeps its name. Give that as 'origin', or begin another "
                                "store");
}

// Of a ledger whose keys were never changed: whoever signed its newest checkpoint.
Result<std::vector<VerifierKey>> first_keys(db::Database& database, const GivenKeys& given) {
  const auto note = last_checkpoint(database);
  if (!note && note.error().code == Code::not_found) return std::vector{given.key};
  if (!note) return std::unexpected(note.error());
  const auto shown = parse_checkpoint(*note);
  if (shown && shown->origin != given.key.name) return another_log(shown->origin, given.key);
  const auto opened = open_checkpoint(*note, given.key);
  if (opened) return std::vector{given.key};
  return fail(Code::denied,
              "this ledger's newest checkpoint does not take the key " + to_text(given.key) + ": " +
                  opened.error().what +
                  ". Give the key that signed it as 'key' and the one to follow it as 'next-key'");
}

Result<void> check_current(const KeyHistory& history, const std::vector<VerifierKey>& current,
                           const VerifierKey& key) {
  if (contains(current, key)) return {};
  if (key.name != current.front().name) return another_log(current.front().name, key);
  std::string why = " was never introduced";
  if (const KeyChange* const change = history.dropped(key); change != nullptr) {
    why = " was dropped by entry " + std::to_string(change->entry);
  }
  return fail(Code::denied, "the key " + to_text(key) + why + ", and this ledger is signed by " +
                                words_of(current) +
                                ". Give that as 'key' and the one to follow it as 'next-key'");
}

// A key is let go only where whoever trusts it alone can learn of the other.
Result<void> check_followed(db::Database& database, const KeyHistory& history,
                            const VerifierKey& old_key, const VerifierKey& key) {
  // The same two may have followed each other before; the last time counts.
  for (const KeyChange& change : history.changes() | std::views::reverse) {
    if (change.act != KeyChange::Act::introduced || change.new_key != key ||
        change.old_key != old_key) {
      continue;
    }
    const auto covered = is_covered(database, change.entry, old_key);
    if (!covered) return std::unexpected(covered.error());
    if (*covered) return {};
    return fail(Code::denied, "the key " + to_text(key) + " was introduced by entry " +
                                  std::to_string(change.entry) +
                                  ", which no checkpoint signed by " + to_text(old_key) +
                                  " covers yet. Start once more with that as 'key' and the new "
                                  "one as 'next-key'");
  }
  return {};
}

}  // namespace

std::string_view to_string(KeyChange::Act act) {
  return std::ranges::find(acts, act, [](const auto& a) { return a.first; })->second;
}

json::Object to_record(const KeyChange& change) {
  return {{"act", to_string(change.act)},
          {"from", change.from()},
          {"new", to_text(change.new_key)},
          {"old", to_text(change.old_key)}};
}

Result<KeyChange> parse_key_change(std::int64_t entry, const json::Value& record) {
  const auto damaged = [&](const std::string& what) {
    return fail(Code::corrupt,
                "entry " + std::to_string(entry) + " is no change of a key: " + what);
  };
  const auto* const act =
      std::ranges::find(acts, record.text("act"), [](const auto& a) { return a.second; });
  if (act == acts.end()) return damaged("it tells no act");
  auto old_key = parse_verifier_key(record.text("old"));
  if (!old_key) return damaged(old_key.error().what);
  auto new_key = parse_verifier_key(record.text("new"));
  if (!new_key) return damaged(new_key.error().what);
  KeyChange change{.entry = entry,
                   .act = act->first,
                   .old_key = *std::move(old_key),
                   .new_key = *std::move(new_key)};
  if (record.integer("from", -1) != change.from()) return damaged("it counts from another size");
  return change;
}

std::string to_words(const KeyChange& change) {
  const std::string place = "entry " + std::to_string(change.entry) + ": ";
  if (change.act == KeyChange::Act::introduced) {
    return place + "the key " + to_text(change.new_key) + " was introduced beside " +
           to_text(change.old_key);
  }
  return place + "the key " + to_text(change.old_key) + " was dropped, and " +
         to_text(change.new_key) + " signs on";
}

bool KeyHistory::knows(const VerifierKey& key) const {
  return std::ranges::any_of(changes_, [&](const KeyChange& change) {
    return change.old_key == key || change.new_key == key;
  });
}

std::vector<VerifierKey> KeyHistory::keys_at(std::int64_t size) const {
  std::vector<VerifierKey> keys;
  if (!changes_.empty()) keys.push_back(changes_.front().old_key);
  for (const KeyChange& change : changes_) {
    if (change.from() > size) break;
    if (change.act == KeyChange::Act::introduced) {
      if (!contains(keys, change.new_key)) keys.push_back(change.new_key);
    } else {
      std::erase(keys, change.old_key);
    }
  }
  return keys;
}

const KeyChange* KeyHistory::dropped(const VerifierKey& key) const {
  const KeyChange* found = nullptr;
  for (const KeyChange& change : changes_) {
    if (change.act == KeyChange::Act::dropped && change.old_key == key) found = &change;
    if (change.act == KeyChange::Act::introduced && change.new_key == key) found = nullptr;
  }
  return found;
}

Result<KeyHistory> load_key_history(db::Database& database) {
  const auto rows = database.query(
      "SELECT number, record FROM ledger_entry WHERE kind = $1 AND record IS NOT NULL"
      " ORDER BY number LIMIT $2",
      {key_change_kind, static_cast<std::int64_t>(key_changes_max + 1)});
  if (!rows) return std::unexpected(rows.error());
  std::vector<KeyChange> changes;
  std::optional<Error> wrong;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    const auto record = json::parse((*rows)->text(1));
    auto change = parse_key_change((*rows)->integer(0), record ? *record : json::Value());
    if (change) {
      changes.push_back(*std::move(change));
    } else if (!wrong) {
      wrong = change.error();
    }
  }
  if (wrong) return std::unexpected(*wrong);
  if (changes.size() > key_changes_max) {
    return fail(Code::full,
                "the ledger has more than " + std::to_string(key_changes_max) + " changes of keys");
  }
  return KeyHistory(std::move(changes));
}

Result<std::vector<KeyChange>> plan_keys(db::Database& database, const GivenKeys& given,
                                         std::int64_t size) {
  const auto history = load_key_history(database);
  if (!history) return std::unexpected(history.error());
  auto current = history->changes().empty()
                     ? first_keys(database, given)
                     : Result<std::vector<VerifierKey>>(history->keys_at(size));
  if (!current) return std::unexpected(current.error());
  if (auto good = check_current(*history, *current, given.key); !good) {
    return std::unexpected(good.error());
  }
  std::vector<KeyChange> plan;
  const auto add = [&](KeyChange::Act act, const VerifierKey& old_key, const VerifierKey& new_key) {
    plan.push_back({.entry = size + static_cast<std::int64_t>(plan.size()),
                    .act = act,
                    .old_key = old_key,
                    .new_key = new_key});
  };
  for (const VerifierKey& key : *current) {
    if (key == given.key || key == given.next) continue;
    if (auto good = check_followed(database, *history, key, given.key); !good) {
      return std::unexpected(good.error());
    }
    add(KeyChange::Act::dropped, key, given.key);
  }
  if (given.next && !contains(*current, *given.next)) {
    add(KeyChange::Act::introduced, given.key, *given.next);
  }
  return plan;
}

}  // namespace mailwarden::ledger
