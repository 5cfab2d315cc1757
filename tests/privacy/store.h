// A store in memory with a ledger, filled the way the core fills one.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "alert/outbox.h"
#include "crypto/ed25519.h"
#include "detect/detection_table.h"
#include "event/event_json.h"
#include "incident/incident_table.h"
#include "ingest/event_table.h"
#include "ledger/ledger.h"
#include "privacy/sweep.h"
#include "respond/run_table.h"
#include "tests/crypto/fixed_entropy.h"
#include "tests/db/store.h"

namespace mailwarden {

class TestStore {
 public:
  static constexpr Timestamp begin{1'800'000'000'000'000};

  // `more` are the tables of modules that the store's own test does not know.
  explicit TestStore(std::span<const db::Migration> more = {}) {
    std::vector<db::Migration> steps(more.begin(), more.end());
    for (const auto& some :
         {ledger::migrations(), ingest::migrations(), detect::migrations(), incident::migrations(),
          alert::migrations(), respond::migrations(), privacy::migrations()}) {
      steps.insert(steps.end(), some.begin(), some.end());
    }
    EXPECT_TRUE(db::migrate(*database_, steps, begin));
    ledger_.emplace(ledger::Ledger::open(*database_, "example.com/log", entropy_).value());
  }

  db::Database& database() { return *database_; }
  ledger::VerifierKey key() const { return {"example.com/log", signer_.public_key()}; }
  const crypto::Signer& signer() const { return signer_; }
  std::int64_t next_entry() const { return ledger_->size(); }

  // The number of the entry.
  std::int64_t record(const std::string& kind, json::Object record, Timestamp now) {
    const std::int64_t number = ledger_->size();
    const std::vector<ledger::Entry> entries{{kind, std::move(record)}};
    EXPECT_TRUE(ledger::Ledger::write(*database_, ledger_->prepare(entries, now)));
    return number;
  }

  std::string seal() {
    const auto sealed = ledger_->prepare_seal(signer_);
    if (!sealed) return {};
    EXPECT_TRUE(ledger::Ledger::write_seal(*database_, *sealed));
    return sealed->note;
  }

  // One batch, an event for each time; its ledger entry.
  std::int64_t events(const std::string& source, const std::vector<Timestamp>& times, Timestamp now,
                      const std::string& raw = "a line") {
    const std::int64_t stream = ingest::stream_number(source, "/log", 1);
    const ingest::StreamState state{.stream = stream, .source = source, .path = "/log"};
    EXPECT_TRUE(ingest::store_stream(*database_, state));
    ingest::NewEvents rows;
    ingest::EntityGatherer named(nullptr);
    std::vector<ledger::Digest> commitments;
    const std::int64_t first = last_event_ + 1;
    for (const Timestamp time : times) {
      Event event;
      event.id = {stream, ++last_event_};
      event.time = time;
      event.source = source;
      event.raw = raw;
      event.ocsf.src_ip = "192.0.2.7";
      named.add(event);
      append_json(rows.records, event);
      rows.rows.push_back({.id = event.id, .time = time, .end = rows.records.size()});
      rows.salts.emplace_back();
      commitments.push_back(
          ledger::commitment(rows.salts.back(), rows.record(rows.rows.size() - 1)));
    }
    const auto [earliest, latest] = std::ranges::minmax(times);
    const auto count = static_cast<std::int64_t>(times.size());
    const std::int64_t entry = record("events",
                                      {{"count", count},
                                       {"earliest", to_rfc3339(earliest)},
                                       {"latest", to_rfc3339(latest)},
                                       {"root", crypto::to_hex(ledger::batch_root(commitments))},
                                       {"source", source}},
                                      now);
    EXPECT_TRUE(ingest::store_events(*database_, first, rows));
    EXPECT_TRUE(ingest::store_entities(*database_, first, named.take().value()));
    EXPECT_TRUE(ingest::store_batch(*database_, {.entry = entry,
                                                 .stream = stream,
                                                 .first = first,
                                                 .count = count,
                                                 .earliest = earliest,
                                                 .latest = latest}));
    return entry;
  }

  EventId last_event(const std::string& source) const {
    return {ingest::stream_number(source, "/log", 1), last_event_};
  }

  void detection(std::int64_t incident, const detect::Detection& detection, Timestamp now) {
    json::Object of_record = detect::to_record(detection);
    of_record["incident"] = incident;
    of_record["number"] = ++last_detection_;
    const std::int64_t entry = record("detection", std::move(of_record), now);
    EXPECT_TRUE(detect::store_detection(
        *database_,
        {.number = last_detection_, .incident = incident, .entry = entry, .detection = detection}));
  }

  void change(const incident::Incident& incident, const incident::Change& change) {
    EXPECT_TRUE(incident::store_incident(*database_, incident));
    const std::int64_t entry = record("incident", incident::to_record(change), change.when);
    EXPECT_TRUE(incident::store_change(*database_, {.entry = entry, .change = change}));
  }

  std::int64_t count_events() { return count("event"); }
  std::int64_t count(const std::string& table) {
    return database_->integer("SELECT COUNT(*) FROM " + table).value();
  }

 private:
  std::unique_ptr<db::Database> database_ = fresh_store();
  crypto::FixedEntropy entropy_;
  crypto::Signer signer_ = crypto::Signer::from_seed({std::byte{1}});
  std::optional<ledger::Ledger> ledger_;
  std::int64_t last_event_ = 0;
  std::int64_t last_detection_ = 0;
};

}  // namespace mailwarden
