#include "ledger/verify.h"

#include <algorithm>

#include "json/canonical.h"
#include "ledger/key_trust.h"
#include "ledger/ledger.h"

namespace mailwarden::ledger {
namespace {

constexpr std::int64_t progress_interval = 10'000;

class Verifier {
 public:
  Verifier(db::Database& database, const VerifyOptions& options)
      : database_(database), options_(options) {}

  Result<Verdict> run() {
    if (auto done = load_keys(); !done) return std::unexpected(done.error());
    open_from();
    if (auto loaded = next_checkpoints(); !loaded) return std::unexpected(loaded.error());
    if (auto done = check_entries(); !done) return std::unexpected(done.error());
    // What is left covers more than there is, which is told before all that comes of it.
    while (checkpoint_) {
      check_note(*checkpoint_);
      add("checkpoint at size " + std::to_string(checkpoint_->size), missing(checkpoint_->size));
      if (auto loaded = next_checkpoints(); !loaded) return std::unexpected(loaded.error());
    }
    if (from_ && from_->size > static_cast<std::uint64_t>(verdict_.entries)) {
      add("the checkpoint given", missing(static_cast<std::int64_t>(from_->size)));
    }
    if (auto done = check_node_count(); !done) return std::unexpected(done.error());
    if (auto done = check_end(); !done) return std::unexpected(done.error());
    check_trust();
    verdict_.unsealed = verdict_.entries - sealed_;
    return std::move(verdict_);
  }

 private:
  struct StoredCheckpoint {
    std::int64_t size = 0;
    std::string note;
  };

  void add(std::string place, std::string what) {
    if (verdict_.failures.size() >= failures_max) {
      ++verdict_.failures_untold;
    } else {
      verdict_.failures.push_back({.place = std::move(place), .what = std::move(what)});
    }
  }

  std::string missing(std::int64_t size) const {
    return "it covers " + std::to_string(size) + " entries, but the ledger holds " +
           std::to_string(verdict_.entries) + ": the newest " +
           std::to_string(size - verdict_.entries) + " have been removed";
  }

  Result<void> load_keys() {
    std::vector<VerifierKey> believed{options_.key};
    believed.insert(believed.end(), options_.more_keys.begin(), options_.more_keys.end());
    auto history = load_key_history(database_);
    if (!history && history.error().code != Code::corrupt && history.error().code != Code::full) {
      return std::unexpected(history.error());
    }
    if (!history) add("the changes of keys", history.error().what);
    verdict_.key_changes = history ? history->changes() : std::vector<KeyChange>();
    trust_ = KeyTrust(KeyHistory(verdict_.key_changes), std::move(believed));
    return {};
  }

  // Every key whose signature may count, those that are believed first.
  std::vector<VerifierKey> all_keys() const {
    std::vector<VerifierKey> keys = trust_.believed();
    if (!trust_.follows()) return keys;
    for (const KeyChange& change : verdict_.key_changes) {
      for (const VerifierKey& key : {change.old_key, change.new_key}) {
        if (std::ranges::find(keys, key) == keys.end()) keys.push_back(key);
      }
    }
    return keys;
  }

  void open_from() {
    if (!options_.from) return;
    auto opened = open_checkpoint(*options_.from, all_keys());
    if (!opened) return add("the checkpoint given", opened.error().what);
    from_ = std::move(opened->checkpoint);
    check_from();
    if (!trust_.follows()) return;
    const auto in_force = trust_.history().keys_at(static_cast<std::int64_t>(from_->size));
    for (const VerifierKey& key : opened->signers) {
      if (std::ranges::find(in_force, key) != in_force.end()) return trust_.use(key);
    }
    add("the checkpoint given", "it is signed by " + to_text(opened->signers.front()) +
                                    ", which signs no checkpoint of that size in this ledger");
  }

  // Keys that signed, with no way to them from those that are believed.
  void check_trust() {
    for (const auto& [key, change] : trust_.missing()) {
      if (change == nullptr) {
        add("the key " + to_text(key), "it signs checkpoints, but the keys given lead not to it");
      } else {
        add("entry " + std::to_string(change->entry),
            "no checkpoint signed by " + to_text(change->old_key) +
                " covers it, so that the key that it introduces cannot be believed: " +
                to_text(key));
      }
    }
  }

  void check_from() {
    if (from_ && from_->size == frontier_.size() && from_->root != frontier_.root()) {
      add("the checkpoint given", "its root differs from that of the first " +
                                      std::to_string(from_->size) + " entries of this ledger");
    }
  }

  // Read one by one, since their statement and that of the entries are stepped side by side.
  Result<void> next_checkpoints() {
    if (checkpoint_rows_ == nullptr) {
      const auto rows = database_.scan("SELECT size, note FROM ledger_checkpoint ORDER BY size");
      if (!rows) return std::unexpected(rows.error());
      checkpoint_rows_ = *rows;
    }
    const auto more = checkpoint_rows_->step();
    if (!more) return std::unexpected(more.error());
    checkpoint_.reset();
    if (!*more) return {};
    ++verdict_.checkpoints;
    checkpoint_ = {checkpoint_rows_->integer(0), std::string(checkpoint_rows_->text(1))};
    return {};
  }

  std::optional<OpenedCheckpoint> check_note(const StoredCheckpoint& stored) {
    const std::string place = "checkpoint at size " + std::to_string(stored.size);
    const auto in_force =
        trust_.follows() ? trust_.history().keys_at(stored.size) : std::vector<VerifierKey>();
    auto opened = open_checkpoint(stored.note, in_force.empty() ? trust_.believed() : in_force);
    if (!opened) {
      add(place, opened.error().what);
      return std::nullopt;
    }
    if (opened->checkpoint.size != static_cast<std::uint64_t>(stored.size)) {
      add(place, "its note is of size " + std::to_string(opened->checkpoint.size));
      return std::nullopt;
    }
    for (const VerifierKey& key : in_force) {
      if (std::ranges::find(opened->signers, key) != opened->signers.end()) continue;
      add(place, "it is not signed by the key " + to_text(key) + ", which its entries ask for");
    }
    return *std::move(opened);
  }

  Result<void> check_checkpoints() {
    while (checkpoint_ && checkpoint_->size <= verdict_.entries) {
      const auto opened = check_note(*checkpoint_);
      if (opened && checkpoint_->size < verdict_.entries) {
        // A hole in the numbers, told already, has carried the ledger past this size.
      } else if (opened && opened->checkpoint.root != frontier_.root()) {
        add("checkpoint at size " + std::to_string(checkpoint_->size),
            "its root differs from that of the entries up to there");
      } else if (opened && trust_.follows()) {
        trust_.take(checkpoint_->size, opened->signers);
      }
      sealed_ = checkpoint_->size;
      if (auto loaded = next_checkpoints(); !loaded) return loaded;
    }
    return {};
  }

  Result<void> check_entries() {
    const auto rows = database_.scan(
        "SELECT number, kind, record, salt, leaf, commitment FROM ledger_entry ORDER BY number");
    if (!rows) return std::unexpected(rows.error());
    if (auto done = check_checkpoints(); !done) return done;
    while (true) {
      const auto more = (*rows)->step();
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
      if (auto done = check_entry(**rows); !done) return done;
      if (auto done = check_checkpoints(); !done) return done;
      check_from();
      if (options_.progress && verdict_.entries % progress_interval == 0) {
        options_.progress(verdict_.entries);
      }
    }
  }

  Result<void> check_entry(const db::Statement& row) {
    const std::int64_t number = row.integer(0);
    if (number != verdict_.entries) {
      add("entry " + std::to_string(verdict_.entries), "it is missing");
      verdict_.entries = number;
    }
    ++verdict_.entries;
    const std::string place = "entry " + std::to_string(number);
    Digest leaf{};
    const db::Blob stored = row.blob(4);
    if (stored.size() != leaf.size()) {
      add(place, "its leaf is not 32 bytes long");
    } else {
      std::ranges::copy(stored, leaf.begin());
    }
    if (auto done = check_nodes(frontier_.append(leaf)); !done) return done;
    has_commitments_ = has_commitments_ || !row.is_null(5);
    if (!row.is_null(5) && leaf_hash(row.blob(5)) != leaf) {
      add(place, "its leaf is not the hash of its commitment");
    } else if (row.is_null(5) && has_commitments_) {
      add(place, "its commitment is gone");
    }
    if (row.is_null(2) && row.is_null(3)) {
      ++verdict_.erased;
      return {};
    }
    if (row.is_null(2) || row.is_null(3)) {
      add(place, "it is half erased: its record or its salt alone is gone");
      return {};
    }
    const bool is_open = !db::is_sealed(row.text(2));
    if (!is_open && !is_personal(row.text(1))) {
      add(place, "its record is encrypted, which entries of its kind never are");
      return {};
    }
    if (!is_open && database_.sealing() == nullptr) {
      ++verdict_.closed;
      return {};
    }
    const auto content = read_content(database_, number, row, 2, 3);
    if (!content && content.error().code == Code::corrupt) {
      add(place, content.error().what);
      return {};
    }
    if (!content) return std::unexpected(content.error());
    if (content->erased) {
      ++verdict_.erased;
      return {};
    }
    if (!is_open && !row.blob(3).empty()) {
      add(place, "its salt stands beside its sealed record");
      return {};
    }
    return check_content(place, row, *content, leaf);
  }

  // What tiles above the leaves are made of.
  Result<void> check_nodes(std::span<const Node> made) {
    for (const Node& node : made) {
      ++nodes_made_;
      const auto row =
          database_.query("SELECT hash FROM ledger_node WHERE level = $1 AND number = $2",
                          {std::int64_t{node.level}, static_cast<std::int64_t>(node.number)});
      if (!row) return std::unexpected(row.error());
      const auto found = (*row)->step();
      if (!found) return std::unexpected(found.error());
      const bool is_right = *found && std::ranges::equal((*row)->blob(0), node.hash);
      if (!is_right) {
        add("node " + std::to_string(node.number) + " of level " + std::to_string(node.level),
            *found ? "it is not the root over its tile" : "it is missing");
      }
    }
    return {};
  }

  Result<void> check_end() {
    if (!options_.check_end) return {};
    auto found = options_.check_end();
    if (!found) return std::unexpected(found.error());
    for (Failure& one : found->failures) add(std::move(one.place), std::move(one.what));
    verdict_.not_held = std::move(found->not_held);
    return {};
  }

  Result<void> check_node_count() {
    const auto stored = database_.integer("SELECT COUNT(*) FROM ledger_node");
    if (!stored) return std::unexpected(stored.error());
    if (*stored <= nodes_made_) return {};
    const auto rows =
        database_.query("SELECT level, number FROM ledger_node ORDER BY level, number");
    if (!rows) return std::unexpected(rows.error());
    while (true) {
      const auto more = (*rows)->step();
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
      const std::int64_t level = (*rows)->integer(0);
      const std::int64_t number = (*rows)->integer(1);
      std::int64_t whole = level < 1 || level > 7 ? 0 : verdict_.entries;
      for (std::int64_t i = 0; i < level && whole > 0; ++i) whole /= Tile::width_max;
      if (number >= 0 && number < whole) continue;
      add("node " + std::to_string(number) + " of level " + std::to_string(level),
          "there is no such tile");
    }
  }

  Result<void> check_content(const std::string& place, const db::Statement& row,
                             const Content& content, const Digest& leaf) {
    const std::string_view text = content.record;
    if (leaf_hash(commitment(content.salt, text)) != leaf) {
      add(place, "its record or salt is not what its leaf commits to");
      return {};
    }
    const auto record = json::parse_canonical(text);
    if (!record) {
      add(place, "its record is not canonical JSON");
      return {};
    }
    if (record->text("kind") != row.text(1)) {
      add(place, "its kind is told as '" + std::string(row.text(1).substr(0, 40)) +
                     "', but its record says '" + record->text("kind") + "'");
      return {};
    }
    if (!options_.check_record) return {};
    auto wrong = options_.check_record(row.integer(0), *record);
    if (!wrong) return std::unexpected(wrong.error());
    if (!wrong->empty()) add(place, *std::move(wrong));
    return {};
  }

  db::Database& database_;
  const VerifyOptions& options_;
  Verdict verdict_;
  Frontier frontier_;
  KeyTrust trust_;
  std::int64_t nodes_made_ = 0;
  std::optional<Checkpoint> from_;
  db::Statement* checkpoint_rows_ = nullptr;
  std::optional<StoredCheckpoint> checkpoint_;
  std::int64_t sealed_ = 0;
  bool has_commitments_ = false;  // which entries that an older version wrote have not
};

}  // namespace

Result<Verdict> verify(db::Database& database, const VerifyOptions& options) {
  return Verifier(database, options).run();
}

json::Object to_json(const Verdict& verdict) {
  json::Array failures;
  for (const Failure& failure : verdict.failures) {
    failures.push_back(json::Object{{"place", failure.place}, {"what", failure.what}});
  }
  json::Array not_held;
  for (const std::string& one : verdict.not_held) not_held.emplace_back(one);
  json::Array keys;
  for (const KeyChange& change : verdict.key_changes) {
    json::Object record = to_record(change);
    record["entry"] = change.entry;
    keys.push_back(std::move(record));
  }
  return {{"checkpoints", verdict.checkpoints},
          {"closed", verdict.closed},
          {"entries", verdict.entries},
          {"erased", verdict.erased},
          {"failures", std::move(failures)},
          {"failures_untold", verdict.failures_untold},
          {"good", verdict.good()},
          {"keys", std::move(keys)},
          {"not_held", std::move(not_held)},
          {"unsealed", verdict.unsealed}};
}

std::string to_words(const Verdict& verdict) {
  auto counted = [](std::int64_t count, const char* one, const char* many) {
    return std::to_string(count) + (count == 1 ? one : many);
  };
  std::string words = verdict.good() ? "good: " : "NOT GOOD: ";
  words += counted(verdict.entries, " entry, ", " entries, ") +
           counted(verdict.checkpoints, " checkpoint, ", " checkpoints, ") +
           std::to_string(verdict.erased) + " erased, " + std::to_string(verdict.unsealed) +
           " not sealed yet\n";
  if (verdict.closed > 0) {
    words += "  " +
             counted(verdict.closed, " entry is encrypted: its record was",
                     " entries are encrypted: their records were") +
             " not read, since the keys of the store are not given\n";
  }
  for (const KeyChange& change : verdict.key_changes) words += "  " + to_words(change) + "\n";
  for (const Failure& failure : verdict.failures) {
    words += "  " + failure.place + ": " + failure.what + "\n";
  }
  if (verdict.failures_untold > 0) {
    words += "  and " + std::to_string(verdict.failures_untold) + " more\n";
  }
  if (!verdict.not_held.empty()) {
    words +=
        "not held against the ledger, where nothing else is said since they are older than entries "
        "that tell of them:\n";
  }
  for (const std::string& one : verdict.not_held) words += "  " + one + "\n";
  return words;
}

}  // namespace mailwarden::ledger
