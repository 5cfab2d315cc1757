#include "report/check_entities.h"

#include <algorithm>
#include <string>
#include <vector>

#include "event/event_json.h"
#include "ingest/event_table.h"

namespace mailwarden::report {
namespace {

class EntityCheck {
 public:
  EntityCheck(db::Database& database, bool complete) : database_(database), complete_(complete) {}

  Result<ledger::Findings> run() {
    if (complete_) {
      if (auto done = check_marks(); !done) return std::unexpected(done.error());
    }
    const auto unindexed = database_.integer("SELECT COUNT(*) FROM event_batch WHERE indexed = 0");
    if (!unindexed) return std::unexpected(unindexed.error());
    if (!complete_ && *unindexed > 0) {
      // A store that an older version wrote has none for these yet.
      found_.not_held.push_back("event_entity: the index of " + std::to_string(*unindexed) +
                                " batches, which the daemon makes when it starts");
      return std::move(found_);
    }
    const auto runs = database_.scan(
        "SELECT level, base FROM event_entity GROUP BY level, base ORDER BY base, level");
    if (!runs) return std::unexpected(runs.error());
    if (auto done = open_events(); !done) return std::unexpected(done.error());
    std::optional<Run> before;
    while (found_.failures.size() < ledger::failures_max) {
      const auto more = (*runs)->step();
      if (!more) return std::unexpected(more.error());
      if (!*more) break;
      const Run run{(*runs)->integer(0), (*runs)->integer(1)};
      if (auto done = check(before, run.base); !done) return std::unexpected(done.error());
      before = run;
    }
    if (auto done = check(before, INT64_MAX); !done) return std::unexpected(done.error());
    if (erased_ > 0) {
      found_.not_held.push_back("event: " + std::to_string(erased_) +
                                (erased_ == 1 ? " row erased" : " rows erased"));
    }
    return std::move(found_);
  }

 private:
  struct Run {
    std::int64_t level = 0;
    std::int64_t base = 0;
  };

  Result<void> check_marks() {
    const auto rows =
        database_.scan("SELECT entry FROM event_batch WHERE indexed <> 1 ORDER BY entry");
    if (!rows) return std::unexpected(rows.error());
    while (found_.failures.size() < ledger::failures_max) {
      const auto more = (*rows)->step();
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
      found_.failures.push_back({.place = "event_batch " + std::to_string((*rows)->integer(0)),
                                 .what = "it is marked as if it were not in the index"});
    }
    return (*rows)->bind(std::span<const db::Value>());
  }

  Result<void> open_events() {
    const auto rows = database_.scan("SELECT " + std::string(ingest::event_columns) +
                                     " FROM event ORDER BY number");
    if (!rows) return std::unexpected(rows.error());
    events_ = *rows;
    return next_event();
  }

  Result<void> next_event() {
    const auto more = events_->step();
    if (!more) return std::unexpected(more.error());
    event_.reset();
    if (!*more) return {};
    auto event = ingest::read_event_row(database_, *events_);
    if (!event && event.error().code != Code::corrupt) return std::unexpected(event.error());
    event_ =
        event ? *std::move(event) : ingest::EventRow{.number = events_->integer(0), .erased = true};
    return {};
  }

  // What the run that begins at or before the next event must hold, up to the event `end`.
  Result<std::vector<ingest::EntityPlace>> expected(std::int64_t end) {
    std::vector<ingest::EntityPlace> places;
    unread_.clear();
    while (event_ && event_->number < end) {
      if (event_->erased) {
        unread_.push_back(event_->number);
        ++erased_;
      }
      // One that cannot be read is told where its batch is held against the ledger.
      const auto event = parse_event(event_->record);
      if (event && !event_->erased) {
        ingest::EntityGatherer gatherer(database_.sealing());
        gatherer.add(*event);
        const auto named = gatherer.take();
        if (!named) return std::unexpected(named.error());
        for (ingest::EntityPlace place : *named) {
          place.event = event_->number;
          places.push_back(place);
        }
      }
      if (auto done = next_event(); !done) return std::unexpected(done.error());
    }
    std::ranges::sort(places);
    return places;
  }

  Result<void> check(const std::optional<Run>& run, std::int64_t end) {
    const auto wanted = expected(end);
    if (!wanted) return std::unexpected(wanted.error());
    std::vector<ingest::EntityPlace> there;
    if (run) {
      auto stored = ingest::load_run(database_, run->level, run->base);
      if (!stored && stored.error().code != Code::corrupt) return std::unexpected(stored.error());
      if (!stored) {
        add(*run, stored.error().what);
        return {};
      }
      there = *std::move(stored);
    }
    // Whom they name, nobody can tell.
    std::erase_if(there, [this](const ingest::EntityPlace& place) {
      return std::ranges::binary_search(unread_, place.event);
    });
    if (there == *wanted) return {};
    const auto differs = std::ranges::mismatch(there, *wanted);
    const bool lacks =
        differs.in1 == there.end() || (differs.in2 != wanted->end() && *differs.in2 < *differs.in1);
    const std::int64_t event = lacks ? differs.in2->event : differs.in1->event;
    const auto batch = ingest::load_batch_of(database_, event);
    add(run.value_or(Run()),
        (lacks ? "it does not find event " : "it finds, for one that it does not name, event ") +
            std::to_string(event) +
            (batch ? " of the events from " + std::to_string(batch->first) : ""));
    return {};
  }

  void add(const Run& run, std::string what) {
    found_.failures.push_back({.place = "event_entity, run of level " + std::to_string(run.level) +
                                        " from event " + std::to_string(run.base),
                               .what = std::move(what)});
  }

  db::Database& database_;
  bool complete_;
  db::Statement* events_ = nullptr;
  std::optional<ingest::EventRow> event_;
  std::int64_t erased_ = 0;
  std::vector<std::int64_t> unread_;  // events that expected() passed over, in order
  ledger::Findings found_;
};

}  // namespace

Result<ledger::Findings> check_entities(db::Database& database, bool complete) {
  return EntityCheck(database, complete).run();
}

}  // namespace mailwarden::report
