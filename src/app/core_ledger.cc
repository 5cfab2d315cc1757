// The core's part about the ledger: entries, what they tell of rows that stand for the present,
// checkpoints.
#include <algorithm>
#include <iterator>

#include "app/core.h"
#include "app/keep.h"
#include "crypto/sha256.h"
#include "incident/incident_table.h"

namespace mailwarden::app {

// What the ledger says of the steps of the tables stays as it was said once. A store that an older
//          version kept is taken over with all that stands in it, or with what stands in the tables
//          that have got columns since.
Result<void> Core::adopt() {
  const auto last = ledger::last_of_kind(parts_.database, "schema");
  if (!last) return std::unexpected(last.error());
  json::Array steps;
  std::set<std::pair<std::string, std::int64_t>> known;
  const auto record = *last ? json::parse((*last)->record) : Result<json::Value>();
  if (record && (*record)["steps"].as_array() != nullptr) {
    steps = *(*record)["steps"].as_array();
    for (const json::Value& step : steps)
      known.emplace(step.text("module"), step.integer("number"));
  }
  for (const report::StateTable& table : report::state_tables()) {
    const bool is_widened = !table.widened_in.empty() &&
                            !known.contains({std::string(table.widened_in), table.widened_by});
    if (!steps.empty() && !is_widened) continue;
    auto read =
        report::each_state(parts_.database, table, [&](report::StateRow row) -> Result<void> {
          if (!row.damage.empty()) return fail(Code::corrupt, row.damage);
          state_->note(std::move(row));
          return {};
        });
    if (!read) return read;
  }
  auto streams = report::each_state(parts_.database, report::state_table("stream"),
                                    [&](const report::StateRow& row) {
                                      state_->know(row);
                                      return Result<void>();
                                    });
  if (!streams) return streams;
  auto stored = report::read_schema(parts_.database);
  if (!stored) return std::unexpected(stored.error());
  std::erase_if(*stored, [&](const json::Value& step) {
    return known.contains({step.text("module"), step.integer("number")});
  });
  if (stored->empty()) return {};
  std::ranges::move(*stored, std::back_inserter(steps));
  append({ledger::Entry{"schema", {{"steps", std::move(steps)}}}});
  return {};
}

void Core::forget(const std::vector<access::SignInKey>& expired) {
  if (expired.empty()) return;
  for (const access::SignInKey& key : expired) {
    state_->note(
        {.table = "sign_in", .key = {key.person, std::to_string(key.time.us)}, .hash = {}});
  }
  const auto keys = keep(expired);
  pending_.emplace_back([keys](db::Database& database) { return access::remove(database, *keys); });
  append({});
}

void Core::touch(std::int64_t incident) {
  touched_.insert(incident);
  untold_.insert(incident);
}

void Core::store_state(std::initializer_list<std::string_view> tables, Write write) {
  state_->note(tables, write);
  pending_.push_back(std::move(write));
}

void Core::append(std::vector<ledger::Entry> entries) {
  std::ranges::move(entries, std::back_inserter(gathered_));
  if (!is_gathering_) append_gathered();
}

void Core::append_gathered() {
  std::vector<ledger::Entry> entries = std::exchange(gathered_, {});
  for (const std::int64_t number : std::exchange(untold_, {})) {
    state_->note({"incident"}, [&](db::Database& database) {
      return incident::store_incident(database, *book_.find(number));
    });
  }
  store_waiting();
  alerting_.tell(*state_);
  std::ranges::move(state_->take(), std::back_inserter(entries));
  if (entries.empty()) return;
  const auto rows = keep(ledger_.prepare(entries, parts_.clock.now()));
  pending_.emplace_back(
      [rows](db::Database& database) { return ledger::Ledger::write(database, *rows); });
}

// However often an incident changed since the last transaction, its row is written once.
void Core::store_touched() {
  for (const std::int64_t number : std::exchange(touched_, {})) {
    const auto incident = keep(*book_.find(number));
    pending_.emplace_back([incident](db::Database& database) {
      return incident::store_incident(database, *incident);
    });
  }
  std::ranges::move(alerting_.take_writes(), std::back_inserter(pending_));
}

}  // namespace mailwarden::app
