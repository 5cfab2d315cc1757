#include "report/check_state.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "access/sign_ins.h"
#include "alert/outbox.h"
#include "crypto/sha256.h"
#include "event/event.h"
#include "report/check_entities.h"
#include "report/state_rows.h"

namespace mailwarden::report {
namespace {

// A table whose rows follow from the members of entries, and not from hashes of them.
struct Derived {
  std::string_view name;
  std::string_view key;
  std::string_view columns;
  std::span<const int> hashed = {};  // the columns of which the hash is compared
};

constexpr std::array alert_hashed{4, 5, 8};  // what is personal is not kept in clear meanwhile

constexpr std::array derived_tables{
    Derived{"alert", "entry",
            "name, receiver, incident, time, subject, event, standing, tries, trouble, settled",
            alert_hashed},
    Derived{"event_batch", "entry", "stream, first, count, earliest, latest"},
    Derived{"removal", "entry", "time, category, source, events, earliest, latest"},
    Derived{"removed_batch", "batch", "entry"}};

// Where the personal columns of an alert stand, behind its key.
constexpr std::size_t alert_subject = 5;
constexpr std::size_t alert_event = 6;
constexpr std::size_t alert_trouble = 9;

constexpr std::int64_t entity_step = 3;  // of the events' tables, which makes their index

// Members of an entry as a column has them; null where the entry has none.
json::Value text_of(const json::Value& record, std::string_view member) {
  const std::string* const text = record[member].as_string();
  return text == nullptr ? json::Value() : json::Value(*text);
}
json::Value integer_of(const json::Value& record, std::string_view member) {
  const std::int64_t* const integer = record[member].as_integer();
  return integer == nullptr ? json::Value() : json::Value(std::to_string(*integer));
}
json::Value time_of(const json::Value& record, std::string_view member) {
  const auto time = parse_rfc3339(record.text(member));
  return time ? json::Value(std::to_string(time->us)) : json::Value();
}

json::Array key_of(std::int64_t number) {
  return {std::to_string(number)};
}

void append(std::vector<ledger::Failure>& to, std::vector<ledger::Failure> from) {
  std::ranges::move(from, std::back_inserter(to));
}

std::string rows_word(std::int64_t count) {
  return std::to_string(count) + (count == 1 ? " row" : " rows");
}

// A row's values as text, its key first; what was erased of them is not there.
using RowValues = std::vector<std::optional<std::string>>;

Result<RowValues> read_values(db::Database& database, const Derived& table,
                              const db::Statement& row) {
  RowValues values;
  for (int i = 0; i < row.columns(); ++i) values.emplace_back(row.text(i));
  if (table.name != alert::personal_tables()[0].name) return values;
  const auto plain =
      db::to_plain(database, alert::personal_tables()[0], *values[0],
                   {*values[alert_trouble], *values[alert_event], *values[alert_subject]});
  const bool is_erased = !plain && plain.error().code == Code::not_found;
  if (!plain && !is_erased) return std::unexpected(plain.error());
  for (const auto& [i, column] :
       {std::pair(0U, alert_trouble), std::pair(1U, alert_event), std::pair(2U, alert_subject)}) {
    values[column] = is_erased ? std::nullopt : std::optional((*plain)[i]);
  }
  return values;
}

std::string hash_of(std::string_view text) {
  return crypto::to_hex(crypto::sha256(text));
}

// Holds the rows of a query against what is expected: keys first, then what they say.
Result<void> check_rows(db::Database& database, const Result<db::Statement*>& rows,
                        const Derived& table, ExpectedRows& expected, ledger::Findings& found) {
  std::vector<ledger::Failure>& failures = found.failures;
  if (!rows) return std::unexpected(rows.error());
  std::int64_t erased = 0;
  while (failures.size() < ledger::failures_max) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    const auto values = read_values(database, table, **rows);
    if (!values && values.error().code == Code::corrupt) {
      failures.push_back(
          {.place = row_place(table.name, {(*rows)->text(0)}), .what = values.error().what});
      continue;
    }
    if (!values) return std::unexpected(values.error());
    json::Array says;
    bool is_erased = false;
    for (int i = 1; i < (*rows)->columns(); ++i) {
      const auto& text = (*values)[static_cast<std::size_t>(i)];
      const bool is_hashed = std::ranges::find(table.hashed, i - 1) != table.hashed.end();
      is_erased = is_erased || !text;
      says.push_back(!text       ? json::Value()
                     : is_hashed ? json::Value(hash_of(*text))
                                 : json::Value(*text));
    }
    if (is_erased) {
      ++erased;
      const auto is_told = expected.has(table.name, {(*rows)->text(0)});
      if (!is_told) return std::unexpected(is_told.error());
      // The entry that told of it is gone with it.
      if (!*is_told) continue;
    }
    auto wrong = expected.check(table.name, {(*rows)->text(0)}, says, table.columns);
    if (!wrong) return std::unexpected(wrong.error());
    if (*wrong) failures.push_back(**std::move(wrong));
  }
  if (erased > 0) {
    found.not_held.push_back(std::string(table.name) + ": " + rows_word(erased) + " erased");
  }
  return {};
}

}  // namespace

Result<std::string> StateCheck::record(std::int64_t entry, const json::Value& record) {
  if (!expected_) {
    auto opened = ExpectedRows::open();
    if (!opened) return std::unexpected(opened.error());
    expected_.emplace(*std::move(opened));
  }
  // An erased entry may have been of events, whose number nobody knows any more.
  if (entry != next_) events_.reset();
  next_ = entry + 1;
  const std::string kind = record.text("kind");
  Result<void> done;
  if (kind == "state") {
    done = expect_states(entry, record);
  } else if (kind == "events") {
    done = expect_batch(entry, record);
  } else if (kind == "removal") {
    done = expect_removal(entry, record);
  } else if (kind == "alert") {
    done = expect_alert(entry, record);
  } else if (kind == "seal") {
    return check_seal(record);
  } else if (kind == "schema" && record["steps"].as_array() != nullptr) {
    schema_ = *record["steps"].as_array();
    schema_entry_ = entry;
  }
  if (!done) return std::unexpected(done.error());
  return std::string();
}

Result<void> StateCheck::expect_states(std::int64_t entry, const json::Value& record) {
  for (const StateTable& table : state_tables()) {
    const json::Array* const lines = record["tables"][table.name].as_array();
    if (lines == nullptr) continue;
    for (const json::Value& line : *lines) {
      const json::Array* const values = line.as_array();
      const auto keys = static_cast<std::size_t>(table.keys);
      if (values == nullptr || values->size() < keys + 1 || values->size() > keys + 2) continue;
      const json::Array key(values->begin(), values->begin() + table.keys);
      if ((*values)[keys].is_null()) {
        if (auto done = expected_->remove(table.name, key); !done) return done;
        continue;
      }
      json::Value open = values->size() > keys + 1 ? (*values)[keys + 1] : json::Value();
      ExpectedRows::Row row{.table = table.name,
                            .key = key,
                            .said = {(*values)[keys], std::move(open)},
                            .entry = entry};
      if (table.name == "sign_in") {
        row.part = json::to_text(key[0]);
        row.at = std::strtoll(key[1].as_string() == nullptr ? "" : key[1].as_string()->c_str(),
                              nullptr, 10);
      }
      if (auto done = expected_->put(row); !done) return done;
    }
  }
  return {};
}

Result<void> StateCheck::expect_batch(std::int64_t entry, const json::Value& record) {
  const auto first = parse_event_id(record.text("first"));
  const std::int64_t count = record.integer("count");
  json::Array said{first ? json::Value(std::to_string(first->stream)) : json::Value(),
                   events_ ? json::Value(std::to_string(*events_ + 1)) : json::Value(),
                   std::to_string(count), time_of(record, "earliest"), time_of(record, "latest")};
  if (events_) *events_ += count;
  return expected_->put(
      {.table = "event_batch", .key = key_of(entry), .said = std::move(said), .entry = entry});
}

Result<void> StateCheck::expect_removal(std::int64_t entry, const json::Value& record) {
  if (const json::Array* const ranges = record["batches"].as_array(); ranges != nullptr) {
    for (const json::Value& range : *ranges) {
      const json::Array* const ends = range.as_array();
      if (ends == nullptr || ends->size() != 2) continue;
      const std::int64_t* const first = (*ends)[0].as_integer();
      const std::int64_t* const last = (*ends)[1].as_integer();
      for (std::int64_t batch = first == nullptr ? 0 : *first;
           last != nullptr && batch <= std::min(*last, entry); ++batch) {
        auto done = expected_->put({.table = "removed_batch",
                                    .key = key_of(batch),
                                    .said = {std::to_string(entry)},
                                    .entry = entry});
        if (!done) return done;
      }
    }
  }
  return expected_->put({.table = "removal",
                         .key = key_of(entry),
                         .said = {time_of(record, "when"), text_of(record, "category"),
                                  text_of(record, "source"), integer_of(record, "events"),
                                  time_of(record, "earliest"), time_of(record, "latest")},
                         .entry = entry});
}

// An alert is decided by one entry; every outcome of it is another.
Result<void> StateCheck::expect_alert(std::int64_t entry, const json::Value& record) {
  const std::string key = record.text("key");
  if (!record["subject"].is_null()) {
    if (record["sha256"].is_null()) ++loose_alerts_;
    return expected_->put(
        {.table = "alert",
         .key = key_of(entry),
         .said = {key, text_of(record, "receiver"), integer_of(record, "incident"),
                  time_of(record, "when"), hash_of(record.text("subject")),
                  text_of(record, "sha256"), text_of(record, "standing"),
                  integer_of(record, "tries"), hash_of(""), "0"},
         .entry = entry,
         .part = key});
  }
  auto known = expected_->find("alert", key);
  if (!known) return std::unexpected(known.error());
  if (!*known || (*known)->said.size() != 10) return {};
  (*known)->entry = entry;
  (*known)->said[6] = text_of(record, "standing");
  (*known)->said[7] = integer_of(record, "tries");
  (*known)->said[8] = hash_of(record.text("trouble"));
  (*known)->said[9] = time_of(record, "when");
  return expected_->put(**known);
}

Result<std::string> StateCheck::check_seal(const json::Value& record) {
  const std::int64_t size = record.integer("size");
  const auto stored =
      database_.integer("SELECT COUNT(*) FROM ledger_checkpoint WHERE size = $1", {size});
  if (!stored) return std::unexpected(stored.error());
  if (*stored == 0) {
    return "the checkpoint at size " + std::to_string(size) +
           ", which it announces, is gone from ledger_checkpoint";
  }
  const json::Array* const cosigned = record["cosigned"].as_array();
  for (const json::Value& one : cosigned == nullptr ? json::Array() : *cosigned) {
    const json::Array* const pair = one.as_array();
    if (pair == nullptr || pair->size() != 2 || (*pair)[0].as_integer() == nullptr) continue;
    const std::int64_t of = *(*pair)[0].as_integer();
    const auto note = database_.query("SELECT note FROM ledger_checkpoint WHERE size = $1", {of});
    if (!note) return std::unexpected(note.error());
    const auto found = (*note)->step();
    if (!found) return std::unexpected(found.error());
    bool is_there = false;
    const std::string text(*found ? (*note)->text(0) : std::string_view());
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size() - 1);
      for (const std::size_t length : {end - begin, end - begin + 1}) {
        const std::string line = text.substr(begin, length);
        is_there = is_there || (*pair)[1] == json::Value(crypto::to_hex(crypto::sha256(line)));
      }
      begin = end + 1;
    }
    if (auto ended = (*note)->bind(std::span<const db::Value>()); !ended) {
      return std::unexpected(ended.error());
    }
    if (is_there) continue;
    return "a cosignature of which it tells is gone from the checkpoint at size " +
           std::to_string(of);
  }
  return std::string();
}

Result<ledger::Findings> StateCheck::end() {
  ledger::Findings found;
  if (!expected_) return found;
  for (const Derived& table : derived_tables) {
    ledger::Findings of_table;
    const auto rows =
        database_.scan("SELECT " + std::string(table.key) + ", " + std::string(table.columns) +
                       " FROM " + std::string(table.name) + " ORDER BY " + std::string(table.key));
    if (auto done = check_rows(database_, rows, table, *expected_, of_table); !done) {
      return std::unexpected(done.error());
    }
    auto missing = expected_->missing(table.name);
    if (!missing) return std::unexpected(missing.error());
    append(found.failures, std::move(of_table.failures));
    append(found.failures, *std::move(missing));
    std::ranges::move(of_table.not_held, std::back_inserter(found.not_held));
  }
  for (const auto check :
       {&StateCheck::check_states, &StateCheck::check_schema, &StateCheck::check_events}) {
    if (auto done = (this->*check)(found); !done) return std::unexpected(done.error());
  }
  auto index = check_entities(database_, made_by("ingest", entity_step));
  if (!index) return index;
  append(found.failures, std::move(index->failures));
  std::ranges::move(index->not_held, std::back_inserter(found.not_held));
  if (loose_alerts_ > 0) {
    found.not_held.push_back("alert: time and content of " + rows_word(loose_alerts_));
  }
  return found;
}

// Whether a daemon has said that it made the tables by that step.
bool StateCheck::made_by(std::string_view module, std::int64_t number) const {
  return schema_ && std::ranges::any_of(*schema_, [&](const json::Value& step) {
           return step.text("module") == module && step.integer("number") == number;
         });
}

Result<void> StateCheck::check_states(ledger::Findings& into) {
  for (const StateTable& table : state_tables()) {
    std::int64_t loose = 0;
    std::int64_t erased = 0;
    std::vector<ledger::Failure> failures;
    const auto check = [&](StateRow row) -> Result<void> {
      if (!schema_) {
        ++loose;
        return {};
      }
      json::Array key;
      for (std::string& value : row.key) key.emplace_back(std::move(value));
      if (!row.damage.empty()) {
        if (failures.size() < ledger::failures_max) {
          failures.push_back({.place = row_place(table.name, key), .what = row.damage});
        }
        return expected_->see(table.name, key);
      }
      if (row.erased) ++erased;
      const json::Array says{row.hash ? json::Value(*row.hash) : json::Value(), row.open_hash};
      auto wrong = expected_->check(table.name, key, says, "");
      if (!wrong) return std::unexpected(wrong.error());
      if (*wrong && failures.size() < ledger::failures_max) failures.push_back(**std::move(wrong));
      return {};
    };
    if (auto done = each_state(database_, table, check); !done) return done;
    append(into.failures, std::move(failures));
    if (erased > 0) {
      into.not_held.push_back(std::string(table.name) + ": " + rows_word(erased) + " erased");
    }
    if (loose > 0) into.not_held.push_back(std::string(table.name) + ": " + rows_word(loose));
    if (!schema_) continue;
    const auto horizon = table.name == "sign_in" ? std::optional(access::SignIns::horizon.count())
                                                 : std::optional<std::int64_t>();
    auto missing = expected_->missing(table.name, horizon);
    if (!missing) return std::unexpected(missing.error());
    append(into.failures, *std::move(missing));
  }
  return {};
}

Result<void> StateCheck::check_schema(ledger::Findings& into) {
  if (!schema_) {
    into.not_held.emplace_back("schema_migration");
    return {};
  }
  const auto stored = read_schema(database_);
  if (!stored) return std::unexpected(stored.error());
  const auto told = [&](const json::Value& step, const std::string& what) {
    into.failures.push_back(
        {.place = row_place("schema_migration", {step["module"], step["number"]}), .what = what});
  };
  const std::string entry = "entry " + std::to_string(schema_entry_);
  for (const json::Value& step : *stored) {
    if (std::ranges::find(*schema_, step) != schema_->end()) continue;
    told(step, "it is not what " + entry + " says");
  }
  for (const json::Value& step : *schema_) {
    const auto is_it = [&](const json::Value& other) {
      return other["module"] == step["module"] && other["number"] == step["number"];
    };
    if (std::ranges::none_of(*stored, is_it)) {
      told(step, "its row is gone, of which " + entry + " tells");
    }
  }
  return {};
}

// Within its batch an event is held against the root; here that none stands before or behind all.
Result<void> StateCheck::check_events(ledger::Findings& into) {
  if (!events_) return {};
  const auto rows = database_.scan(
      "SELECT number FROM event WHERE number < 1 OR number > $1 ORDER BY number LIMIT 100",
      {*events_});
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    into.failures.push_back({.place = "event " + std::string((*rows)->text(0)),
                             .what = "no entry of the ledger tells of this row"});
  }
}

}  // namespace mailwarden::report
