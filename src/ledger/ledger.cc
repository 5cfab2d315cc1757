#include "ledger/ledger.h"

#include <algorithm>
#include <iterator>

#include "base/check.h"
#include "ledger/cosignature.h"

namespace mailwarden::ledger {
namespace {

constexpr std::array ledger_steps{db::Migration{"ledger", 1, R"sql(
CREATE TABLE ledger_entry (
  number INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  record TEXT,
  salt BLOB,
  leaf BLOB NOT NULL
);
CREATE INDEX ledger_entry_kind ON ledger_entry (kind, number);
CREATE TABLE ledger_checkpoint (
  size INTEGER PRIMARY KEY,
  note TEXT NOT NULL
);
)sql"},
                                  db::Migration{"ledger", 2, R"sql(
ALTER TABLE ledger_entry ADD COLUMN commitment BLOB;
CREATE TABLE ledger_node (
  level INTEGER NOT NULL,
  number INTEGER NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (level, number)
);
)sql"}};

std::string canonical(const Entry& entry, Timestamp now) {
  json::Object record = entry.record;
  record["kind"] = entry.kind;
  record["time"] = to_rfc3339(now);
  return json::to_text(std::move(record));
}

Result<Row> read_row(db::Database& database, const db::Statement& row) {
  auto content = read_content(database, row.integer(0), row, 2, 3);
  if (!content) return std::unexpected(content.error());
  Row read{.number = row.integer(0),
           .kind = std::string(row.text(1)),
           .record = std::move(content->record),
           .salt = content->salt};
  if (row.blob(4).size() == read.leaf.size()) std::ranges::copy(row.blob(4), read.leaf.begin());
  // Entries that an older version wrote have no more than what it is made of.
  if (row.blob(5).size() == read.commitment.size()) {
    std::ranges::copy(row.blob(5), read.commitment.begin());
  } else if (!row.is_null(2)) {
    read.commitment = commitment(read.salt, read.record);
  }
  return read;
}

Result<std::vector<Row>> read_rows(db::Database& database, const Result<db::Statement*>& rows) {
  if (!rows) return std::unexpected(rows.error());
  std::vector<Row> read;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return read;
    auto one = read_row(database, **rows);
    if (!one) return std::unexpected(one.error());
    read.push_back(*std::move(one));
  }
}

// Rows of number, record and salt. What is no record is for verify() to tell.
Result<void> for_each_record(db::Database& database, const Result<db::Statement*>& rows,
                             const std::function<void(std::int64_t, const json::Value&)>& each) {
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    const auto content = read_content(database, (*rows)->integer(0), **rows, 1, 2);
    if (!content) return std::unexpected(content.error());
    if (content->erased) continue;
    if (const auto record = json::parse(content->record)) each((*rows)->integer(0), *record);
  }
}

}  // namespace

std::span<const db::Migration> migrations() {
  return ledger_steps;
}

std::vector<db::AppendOnly> append_only() {
  return {
      {.table = "ledger_entry", .erasable = {"record", "salt"}, .growing = "", .sealed = "record"},
      {.table = "ledger_node", .erasable = {}, .growing = "", .sealed = ""},
      {.table = "ledger_checkpoint", .erasable = {}, .growing = "note", .sealed = ""}};
}

namespace {

// What the column of the record holds, "" where that is the record; none in a store without keys.
Result<std::vector<std::string>> seal_rows(db::Database& database, std::span<const Row> rows) {
  std::vector<std::string> sealed;
  if (database.sealing() == nullptr) return sealed;
  std::vector<std::string_view> records;
  for (const Row& row : rows) {
    if (is_personal(row.kind)) records.emplace_back(row.record);
  }
  if (auto done = database.sealing()->expect(records); !done) return std::unexpected(done.error());
  for (const Row& row : rows) {
    std::string& text = sealed.emplace_back();
    if (!is_personal(row.kind)) continue;
    const std::string both = crypto::salted(row.salt, row.record);
    auto stored = db::to_stored(database, personal_entries(), std::to_string(row.number), {both});
    if (!stored) return std::unexpected(stored.error());
    text = std::move(stored->front());
  }
  return sealed;
}

Result<void> write_nodes(db::Database& database, std::span<const Node> nodes) {
  if (nodes.empty()) return {};
  // One that stands there already is left to verify(): whoever may only add cannot change it.
  const auto insert = database.prepare(
      "INSERT INTO ledger_node (level, number, hash) VALUES ($1, $2, $3)"
      " ON CONFLICT (level, number) DO NOTHING");
  if (!insert) return std::unexpected(insert.error());
  for (const Node& node : nodes) {
    if (auto done = (*insert)->run({std::int64_t{node.level},
                                    static_cast<std::int64_t>(node.number), db::Blob(node.hash)});
        !done) {
      return done;
    }
  }
  return {};
}

// Those that an older version has not made.
Result<void> add_missing_nodes(db::Database& database, std::span<const Node> nodes) {
  const auto stored = database.integer("SELECT COUNT(*) FROM ledger_node");
  if (!stored) return std::unexpected(stored.error());
  if (*stored == static_cast<std::int64_t>(nodes.size())) return {};
  auto transaction = db::Transaction::begin(database);
  if (!transaction) return std::unexpected(transaction.error());
  if (auto done = write_nodes(database, nodes); !done) return done;
  return transaction->commit();
}

}  // namespace

Digest batch_root(std::span<const Digest> commitments) {
  Frontier frontier;
  for (const Digest& one : commitments) frontier.append(leaf_hash(one));
  return frontier.root();
}

Result<Ledger> Ledger::open(db::Database& database, std::string origin, Entropy& entropy) {
  Ledger ledger(std::move(origin), entropy);
  const auto rows = database.scan("SELECT number, leaf FROM ledger_entry ORDER BY number");
  if (!rows) return std::unexpected(rows.error());
  std::vector<Node> nodes;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    Digest leaf{};
    const db::Blob stored = (*rows)->blob(1);
    if ((*rows)->integer(0) != ledger.size() || stored.size() != leaf.size()) {
      return fail(Code::corrupt, "the ledger is damaged at entry " + std::to_string(ledger.size()) +
                                     "; 'mailwarden ledger verify' tells more");
    }
    std::ranges::copy(stored, leaf.begin());
    std::ranges::move(ledger.frontier_.append(leaf), std::back_inserter(nodes));
  }
  if (auto done = add_missing_nodes(database, nodes); !done) return std::unexpected(done.error());
  const auto sealed = database.integer("SELECT MAX(size) FROM ledger_checkpoint");
  if (!sealed) return std::unexpected(sealed.error());
  if (*sealed > ledger.size()) {
    return fail(Code::corrupt, "the ledger holds " + std::to_string(ledger.size()) +
                                   " entries, but a checkpoint covers " + std::to_string(*sealed) +
                                   ": the newest have been removed");
  }
  ledger.sealed_ = static_cast<std::uint64_t>(*sealed);
  return ledger;
}

Prepared Ledger::prepare(std::span<const Entry> entries, Timestamp now) {
  Prepared prepared;
  prepared.rows.reserve(entries.size());
  std::vector<std::string_view> records;
  for (const Entry& entry : entries) {
    const std::int64_t number = size() + std::ssize(records);
    prepared.rows.push_back(
        {.number = number, .kind = entry.kind, .record = canonical(entry, now)});
    records.emplace_back(prepared.rows.back().record);
    CHECK(records.back().size() <= record_bytes_max);
  }
  std::vector<Salt> salts(entries.size());
  entropy_->fill_each(std::as_writable_bytes(std::span(salts)), records);
  for (std::size_t i = 0; i < salts.size(); ++i) {
    Row& row = prepared.rows[i];
    row.salt = salts[i];
    row.commitment = commitment(row.salt, row.record);
    row.leaf = leaf_hash(row.commitment);
    std::ranges::move(frontier_.append(row.leaf), std::back_inserter(prepared.nodes));
  }
  return prepared;
}

Result<void> Ledger::write(db::Database& database, const Prepared& prepared) {
  constexpr std::array<std::string_view, 6> columns{"number", "kind", "record",
                                                    "salt",   "leaf", "commitment"};
  const auto sealed = seal_rows(database, prepared.rows);
  if (!sealed) return std::unexpected(sealed.error());
  auto row = prepared.rows.begin();
  const auto next = [&](std::span<db::Value> values) {
    if (row == prepared.rows.end()) return false;
    const std::string_view instead =
        sealed->empty() ? std::string_view()
                        : (*sealed)[static_cast<std::size_t>(row - prepared.rows.begin())];
    values[0] = row->number;
    values[1] = std::string_view(row->kind);
    values[2] = instead.empty() ? std::string_view(row->record) : instead;
    values[3] = instead.empty() ? db::Blob(row->salt) : db::Blob(row->salt).first(0);
    values[4] = db::Blob(row->leaf);
    values[5] = db::Blob(row->commitment);
    ++row;
    return true;
  };
  if (auto done = database.insert_rows("ledger_entry", columns, next); !done) return done;
  return write_nodes(database, prepared.nodes);
}

std::optional<Sealed> Ledger::prepare_seal(const crypto::Signer& signer,
                                           const crypto::Signer* next) {
  if (frontier_.size() == sealed_) return std::nullopt;
  Sealed sealed;
  sealed.checkpoint = {.origin = origin_, .size = frontier_.size(), .root = frontier_.root()};
  const std::string text = to_text(sealed.checkpoint);
  sealed.note = sign_note(text, origin_, signer);
  if (next != nullptr) {
    sealed.note = add_signatures(std::move(sealed.note), sign_line(text, origin_, *next));
  }
  sealed_ = frontier_.size();
  return sealed;
}

Result<void> Ledger::write_seal(db::Database& database, const Sealed& sealed) {
  return database.run(
      "INSERT INTO ledger_checkpoint (size, note) VALUES ($1, $2)",
      {static_cast<std::int64_t>(sealed.checkpoint.size), std::string_view(sealed.note)});
}

Result<void> Ledger::write_cosignature(db::Database& database, std::uint64_t size,
                                       const std::string& line) {
  const auto row = database.query("SELECT note FROM ledger_checkpoint WHERE size = $1",
                                  {static_cast<std::int64_t>(size)});
  if (!row) return std::unexpected(row.error());
  const auto found = (*row)->step();
  if (!found) return std::unexpected(found.error());
  if (!*found) return {};
  std::string note((*row)->text(0));
  if (note.contains(line)) return {};
  note = add_signatures(std::move(note), line);
  return database.run("UPDATE ledger_checkpoint SET note = $1 WHERE size = $2",
                      {std::string_view(note), static_cast<std::int64_t>(size)});
}

namespace {

Result<std::string> read_note(const Result<db::Statement*>& row, const std::string& missing) {
  if (!row) return std::unexpected(row.error());
  const auto found = (*row)->step();
  if (!found) return std::unexpected(found.error());
  if (!*found) return fail(Code::not_found, missing);
  std::string note((*row)->text(0));
  if (auto more = (*row)->step(); !more) return std::unexpected(more.error());
  return note;
}

}  // namespace

Result<std::string> last_checkpoint(db::Database& database) {
  return read_note(database.query("SELECT note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1"),
                   "the ledger has no checkpoint yet");
}

Result<std::string> first_checkpoint_over(db::Database& database, std::int64_t entry) {
  return read_note(database.query("SELECT note FROM ledger_checkpoint WHERE size > $1"
                                  " ORDER BY size LIMIT 1",
                                  {entry}),
                   "no checkpoint covers entry " + std::to_string(entry) + " yet");
}

Result<std::optional<Timestamp>> last_time(db::Database& database) {
  const auto rows = database.scan(
      "SELECT number, record, salt FROM ledger_entry WHERE record IS NOT NULL"
      " ORDER BY number DESC");
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return std::optional<Timestamp>();
    const auto content = read_content(database, (*rows)->integer(0), **rows, 1, 2);
    if (!content) return std::unexpected(content.error());
    if (content->erased) continue;
    const auto record = json::parse(content->record);
    const auto time = parse_rfc3339(record ? record->text("time") : "");
    if (auto ended = (*rows)->bind(std::span<const db::Value>()); !ended) {
      return std::unexpected(ended.error());
    }
    if (!time) return fail(Code::corrupt, "the ledger's newest entry tells no time");
    return std::optional<Timestamp>(*time);
  }
}

Result<std::vector<Row>> load_entries(db::Database& database, std::int64_t first,
                                      std::int64_t limit) {
  return read_rows(
      database,
      database.query("SELECT number, kind, record, salt, leaf, commitment FROM ledger_entry "
                     "WHERE number >= $1 ORDER BY number LIMIT $2",
                     {first, limit}));
}

Result<void> for_each_entry(db::Database& database, const EntryQuery& query,
                            const std::function<void(const Row& row)>& each) {
  constexpr std::string_view columns =
      "SELECT number, kind, record, salt, leaf, commitment FROM ledger_entry ";
  const auto rows =
      query.kind.empty()
          ? database.query(std::string(columns) + "WHERE number >= $1 ORDER BY number LIMIT $2",
                           {query.first, query.limit})
          : database.query(
                std::string(columns) + "WHERE kind = $1 AND number >= $2 ORDER BY number LIMIT $3",
                {std::string_view(query.kind), query.first, query.limit});
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    const auto read = read_row(database, **rows);
    if (!read) return std::unexpected(read.error());
    each(*read);
  }
}

Result<std::optional<Row>> last_of_kind(db::Database& database, std::string_view kind) {
  auto rows = read_rows(
      database,
      database.query("SELECT number, kind, record, salt, leaf, commitment FROM ledger_entry "
                     "WHERE kind = $1 ORDER BY number DESC LIMIT 1",
                     {kind}));
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return std::optional<Row>();
  return std::optional<Row>(std::move(rows->front()));
}

Result<EntryRange> entries_between(db::Database& database, Timestamp from, Timestamp to) {
  const auto rows = database.scan(
      "SELECT number, record, salt FROM ledger_entry WHERE record IS NOT NULL ORDER BY number");
  std::optional<EntryRange> range;
  const auto done =
      for_each_record(database, rows, [&](std::int64_t number, const json::Value& record) {
        const auto time = parse_rfc3339(record.text("time"));
        if (!time || *time < from || *time >= to) return;
        if (!range) range = EntryRange{.first = number, .end = 0};
        range->end = number + 1;
      });
  if (!done) return std::unexpected(done.error());
  return range.value_or(EntryRange{.first = 0, .end = 0});
}

Result<void> for_each_of_kind(
    db::Database& database, std::string_view kind, const EntryRange& range,
    const std::function<void(std::int64_t number, const json::Value& record)>& each) {
  return for_each_record(
      database,
      database.scan("SELECT number, record, salt FROM ledger_entry WHERE kind = $1 AND number >= $2"
                    " AND number < $3 AND record IS NOT NULL ORDER BY number",
                    {kind, range.first, range.end}),
      each);
}

}  // namespace mailwarden::ledger
