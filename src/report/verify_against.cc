// What a store says today of a report that rests on it.
#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "report/report.h"
#include "report/row_set.h"
#include "report/verify.h"
#include "report/verify_store.h"

namespace mailwarden::report {
namespace {

// Rows of a set that are held in memory when a store is asked again: twice so many.
constexpr std::int64_t asked_again_max = 1'000'000;

// A report being held against a store.
struct Held {
  db::Database& database;
  const json::Value& report;
  ledger::EntryRange entries;
  ReportVerdict& verdict;
};

Result<void> check_ledger(Held& held, const StoreCheck& check) {
  const auto verdict =
      verify_store(held.database, {.key = check.key,
                                   .from = held.report["rests_on"].text("checkpoint"),
                                   .check_record = {},
                                   .check_end = {},
                                   .progress = check.progress});
  if (!verdict) return std::unexpected(verdict.error());
  for (const ledger::Failure& one : verdict->failures) {
    held.verdict.fail("the store's ledger, " + one.place, one.what);
  }
  return {};
}

// Whether the ledger knows the report by its digest.
Result<void> check_issued(Held& held, const std::string& digest) {
  const json::Value& period = held.report["rests_on"]["period"];
  bool known = false;
  const auto done = ledger::for_each_of_kind(
      held.database, "report", {}, [&](std::int64_t number, const json::Value& record) {
        const bool same = record.text("report") == held.report.text("report") &&
                          record.integer("first", -1) == held.entries.first &&
                          record.integer("end", -1) == held.entries.end &&
                          record.text("from") == period.text("from") &&
                          record.text("to") == period.text("to");
        const std::string entry = "entry " + std::to_string(number);
        if (record.text("sha256") == digest) {
          known = true;
          held.verdict.notes.push_back(entry + " says that it was issued with these very bytes");
        } else if (same) {
          known = true;
          held.verdict.fail("report", entry + " says that it was issued with the SHA-256 " +
                                          printable(record.text("sha256")) + ", not with " +
                                          digest);
        }
      });
  if (!done) return done;
  if (!known) {
    held.verdict.notes.emplace_back("no entry of the ledger says that it was issued");
  }
  return {};
}

// Rows of standing sets that entries behind the report have changed, by what tells them apart.
Result<std::set<std::string>> gone_on(Held& held, const Question& question) {
  std::set<std::string> keys;
  if (question.stays == Stays::always) return keys;
  const ledger::EntryRange behind{.first = held.entries.end};
  const bool incidents = question.name == "incidents";
  const auto done =
      ledger::for_each_of_kind(held.database, incidents ? "incident" : "alert", behind,
                               [&](std::int64_t, const json::Value& record) {
                                 keys.insert(json::to_text(record[incidents ? "incident" : "key"]));
                               });
  if (!done) return std::unexpected(done.error());
  return keys;
}

std::string key_of(const Question& question, const json::Value& row) {
  return json::to_text(row[question.name == "alerts" ? "key" : question.fields.front().name]);
}

using RowsByKey = std::map<std::string, const json::Value*>;
RowsByKey by_key(const Question& question, const json::Array& rows) {
  RowsByKey keyed;
  for (const json::Value& row : rows) keyed[key_of(question, row)] = &row;
  return keyed;
}

// What differs between two row sets, row by row.
struct Differences {
  std::vector<std::string> wrong;  // "entry 7 is missing"
  std::int64_t erased = 0;
  std::int64_t gone_on = 0;
};
Differences differences(const Question& question, const json::Array& told, const json::Array& now,
                        const std::set<std::string>& later) {
  Differences found;
  const RowsByKey before = by_key(question, told);
  const RowsByKey after = by_key(question, now);
  const std::string of(question.fields.front().name);
  for (const auto& [key, row] : before) {
    const auto other = after.find(key);
    if (other != after.end() && *other->second == *row) continue;
    const bool there = other != after.end();
    if (there && !question.kind.empty() && (*other->second)["record"].is_null() &&
        (*other->second)["leaf"] == (*row)["leaf"]) {
      ++found.erased;
    } else if (there && later.contains(key)) {
      ++found.gone_on;
    } else {
      found.wrong.push_back(of + " " + printable(json::to_text((*row)[of])) +
                            (there ? " differs" : " is not in the store"));
    }
  }
  for (const auto& [key, row] : after) {
    if (before.contains(key)) continue;
    found.wrong.push_back(of + " " + printable(json::to_text((*row)[of])) +
                          " is not in the report");
  }
  return found;
}

std::string joined(const std::vector<std::string>& all) {
  std::string text;
  for (std::size_t i = 0; i < all.size() && i < rows_named_max; ++i) {
    text += (i == 0 ? "" : "; ") + all[i];
  }
  if (all.size() <= rows_named_max) return text;
  return text + "; and " + std::to_string(all.size() - rows_named_max) + " more";
}

void tell_erased(Held& held, const std::string& place, std::int64_t count) {
  held.verdict.notes.push_back(place + ": " + std::to_string(count) +
                               " of its rows have been erased since; their leaves still stand");
}

void tell_gone_on(Held& held, const std::string& place, std::int64_t count) {
  held.verdict.notes.push_back(place + ": " + std::to_string(count) +
                               " of its rows have gone on since, as later entries tell");
}

// Where the report does not hold the rows, only what is told of all of them can be compared.
void compare_digests(Held& held, const json::Value& set, const RowSet& now,
                     const std::set<std::string>& later) {
  const std::string place = "row set '" + std::string(now.question->name) + "'";
  const bool same_leaves = now.leaves && set.integer("count", -1) == now.count &&
                           set.text("leaves_sha256") == crypto::to_hex(*now.leaves);
  if (same_leaves && now.erased > 0) return tell_erased(held, place, now.erased);
  if (!later.empty()) {
    held.verdict.notes.push_back(place +
                                 ": rows of it may have gone on since, and the report "
                                 "does not hold them; it cannot be compared any more");
    return;
  }
  held.verdict.fail(place, "the store answers with " + std::to_string(now.count) +
                               " rows of the SHA-256 " + crypto::to_hex(now.digest) +
                               ", the report tells of " + std::to_string(set.integer("count", -1)) +
                               " rows of another");
}

Result<void> ask_again(Held& held, const json::Value& set, const Question& question) {
  const auto now =
      ask(held.database, question, held.entries,
          {.rows_max = 2 * std::clamp<std::int64_t>(set.integer("count"), 10'000, asked_again_max),
           .bytes_max = report_bytes_max,
           .csv_bytes_max = 0},
          {});
  if (!now) return std::unexpected(now.error());
  if (set.text("sha256") == crypto::to_hex(now->digest) && set.integer("count", -1) == now->count) {
    return {};
  }
  const auto later = gone_on(held, question);
  if (!later) return std::unexpected(later.error());
  const json::Array* const told = set["rows"].as_array();
  if (told == nullptr || !now->rows) {
    compare_digests(held, set, *now, *later);
    return {};
  }
  const std::string place = "row set '" + std::string(question.name) + "'";
  const Differences found = differences(question, *told, *now->rows, *later);
  if (!found.wrong.empty()) held.verdict.fail(place, joined(found.wrong));
  if (found.erased > 0) tell_erased(held, place, found.erased);
  if (found.gone_on > 0) tell_gone_on(held, place, found.gone_on);
  if (found.wrong.empty() && found.erased == 0 && found.gone_on == 0) {
    held.verdict.fail(place, "its rows are those of the store, but not its count and SHA-256");
  }
  return {};
}

// Events that the report counts and retention has removed behind it.
Result<void> tell_removed(Held& held) {
  const bool all = held.report.text("report") == "retention";
  const auto rows = held.database.query(
      "SELECT removed_batch.entry, COUNT(*), SUM(event_batch.count) FROM removed_batch"
      " JOIN event_batch ON event_batch.entry = removed_batch.batch"
      " WHERE removed_batch.entry >= $1 AND removed_batch.batch < $1 AND removed_batch.batch >= $2"
      " GROUP BY removed_batch.entry ORDER BY removed_batch.entry",
      {held.entries.end, all ? std::int64_t{0} : held.entries.first});
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    held.verdict.notes.push_back(std::to_string((*rows)->integer(2)) + " events in " +
                                 std::to_string((*rows)->integer(1)) +
                                 " batches that it counts have been removed by entry " +
                                 std::to_string((*rows)->integer(0)) + " since");
  }
}

}  // namespace

Result<void> check_against(db::Database& database, const json::Value& report,
                           const StoreCheck& check, ReportVerdict& verdict) {
  const json::Value& rests_on = report["rests_on"];
  Held held{.database = database,
            .report = report,
            .entries = {.first = rests_on["entries"].integer("first", -1),
                        .end = rests_on["entries"].integer("end", -1)},
            .verdict = verdict};
  if (auto done = check_ledger(held, check); !done) return done;
  if (auto done = check_issued(held, check.digest); !done) return done;
  const json::Array* const sets = rests_on["row_sets"].as_array();
  if (sets == nullptr) return {};
  for (const json::Value& set : *sets) {
    // What no such report has was told already.
    const Question* const question = find_question(report.text("report"), set.text("name"));
    if (question == nullptr) continue;
    if (auto done = ask_again(held, set, *question); !done) return done;
  }
  return tell_removed(held);
}

}  // namespace mailwarden::report
