// All that is known of one incident, in a form that proves itself.
//
// What     An export is JSON lines, each with one member:
//            incident    how it stands, and each one that was merged into it
//            run, escalation, alert   as the API tells them
//            checkpoint  a note: what the lines below are proved by, up to the next one
//            entry       {"number", "kind", "record", "salt", "hashes"}: an entry of the ledger
//                        that tells of the incident, with its way to the checkpoint's root;
//                        "hashes" is left out where no checkpoint covers it yet, record and salt
//                        where it was erased, which says "leaf" instead
//            event       {"id", "entry", "record", "salt", "index", "size", "hashes"}: an event
//                        that a detection rests on, and its way to the root of its batch, which
//                        the entry of that number holds; {"id", "erased": true} where it was
//                        erased; "hashes" is left out where its batch is not whole any more
//            end         {"lines"}: how many stand above it
//          Entries come in their order, an event behind the first entry of a page that names it.
//          export_incident() answers one page; ExportCheck reads the lines of a whole one offline.
// Owns     Nothing.
// Threads  As the Database passed in; ExportCheck: one.
// Errors   export_incident(): not_found; else as Database. ExportCheck tells what does not hold.
// Limits   ExportQuery::limit_max entries and events a page, or 8 MiB of records, and what the last
//          entry of it names.
// Source   RFC 6962 hashes; C2SP tlog-checkpoint.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "json/value.h"
#include "ledger/note.h"

namespace mailwarden::report {

struct ExportQuery {
  static constexpr std::int64_t limit_max = 1000;

  std::int64_t incident = 0;
  std::int64_t after = -1;  // entries behind this one; -1 for the first page
  std::int64_t limit = 100;
};

// {"lines": […], "after": the last entry where there are more}
Result<json::Object> export_incident(db::Database& database, const ExportQuery& query);

struct ExportVerdict {
  static constexpr std::size_t problems_max = 20;

  ledger::Checkpoint checkpoint;  // the newest one
  std::int64_t entries = 0;       // proved
  std::int64_t events = 0;
  std::int64_t erased = 0;    // entries and events of which only a hash is left
  std::int64_t unproved = 0;  // entries and events without a way to a checkpoint
  std::vector<std::string> problems;

  bool good() const { return problems.empty(); }
};
json::Object to_json(const ExportVerdict& verdict);
std::string to_words(const ExportVerdict& verdict);

class ExportCheck {
 public:
  // One of the keys at least must have signed each checkpoint.
  explicit ExportCheck(std::vector<ledger::VerifierKey> keys) : keys_(std::move(keys)) {}

  void take(std::string_view line);
  // Once all lines were taken.
  ExportVerdict end();

 private:
  // What an incident's line says of it, and what its entries do.
  struct Standing {
    json::Value told;
    std::set<std::int64_t> changes;  // their sequences
    json::Value severity;            // as of the last one that the line counts
    json::Value state;
  };

  void add_problem(const std::string& what);
  void problem(const std::string& what);
  void take_checkpoint(const json::Value& note);
  void take_entry(const json::Value& line);
  void take_event(const json::Value& line);
  void take_record(std::int64_t number, const json::Value& record);
  void check_standing(std::int64_t incident, const Standing& standing);

  std::vector<ledger::VerifierKey> keys_;
  ExportVerdict verdict_;
  std::map<std::int64_t, Standing> standings_;
  std::map<std::int64_t, json::Value> batches_;  // records of proved entries of kind "events"
  std::set<std::int64_t> seen_;                  // entries
  std::int64_t lines_ = 0;
  bool has_ended_ = false;
};

}  // namespace mailwarden::report
