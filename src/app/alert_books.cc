#include "app/alert_books.h"

#include <utility>

#include "alert/signal_table.h"
#include "app/keep.h"

namespace mailwarden::app {
namespace {

using Write = std::function<Result<void>(db::Database&)>;

// The row as it is now; nothing to write where it is gone.
template <class Row>
Write write_row(const Row* row) {
  if (row == nullptr) return nullptr;
  return [row = keep(*row)](db::Database& database) { return alert::store(database, *row); };
}

template <class Name>
void move_into(std::set<Name>& to, std::set<Name> from) {
  to.merge(from);
}

}  // namespace

Result<void> AlertBooks::load(db::Database& database) {
  auto stored = alert::load_signals(database);
  if (!stored) return std::unexpected(stored.error());
  signals = alert::SignalBook(std::move(stored->signals));
  silences = alert::SilenceBook(std::move(stored->silences));
  groups = alert::GroupBook(std::move(stored->groups));
  storms = alert::StormBook(std::move(stored->storms));
  return {};
}

std::vector<std::string> AlertBooks::mentions(
    const std::function<bool(std::string_view)>& names) const {
  std::vector<std::string> found;
  for (const auto& [number, signal] : signals.all()) {
    if (!names(json::to_text(alert::to_json(signal)))) continue;
    const Timestamp until = signal.ends + alert::keep_resolved;
    found.push_back("signal " + std::to_string(number) + ", kept until " + to_rfc3339(until) +
                    ", names them");
  }
  for (const auto& [id, silence] : silences.all()) {
    if (!names(json::to_text(alert::to_json(silence)))) continue;
    const Timestamp until = silence.ends + alert::keep_silences;
    found.push_back("silence " + id + ", kept until " + to_rfc3339(until) + ", names them");
  }
  for (const auto& [number, group] : groups.all()) {
    if (!names(json::to_text(alert::to_json(group)))) continue;
    found.push_back("group " + std::to_string(number) + " of alerts names them");
  }
  for (const auto& [number, storm] : storms.all()) {
    if (!names(json::to_text(alert::to_json(storm)))) continue;
    found.push_back("the summary of a storm of alerts, not sent yet, names them");
  }
  return found;
}

void AlertBooks::Rows::add(const Rows& others) {
  move_into(signals, others.signals);
  move_into(groups, others.groups);
  move_into(storms, others.storms);
  move_into(silences, others.silences);
}

Write AlertBooks::write_signal(std::int64_t number) const {
  return write_row(std::as_const(signals).find(number));
}
Write AlertBooks::write_group(std::int64_t number) const {
  return write_row(groups.find(number));
}
Write AlertBooks::write_storm(std::int64_t number) const {
  return write_row(storms.find(number));
}
Write AlertBooks::write_silence(const std::string& id) const {
  return write_row(silences.find(id));
}

// All of a table in one look at the store in memory.
void AlertBooks::tell_numbered(StateBook& state, std::string_view table,
                               const std::set<std::int64_t>& numbers,
                               const std::function<Write(std::int64_t)>& write) {
  std::vector<Write> writes;
  for (const std::int64_t number : numbers) {
    if (Write one = write(number)) {
      writes.push_back(std::move(one));
    } else {
      state.note_gone(table, {std::to_string(number)});
    }
  }
  if (writes.empty()) return;
  state.note({table}, [&](db::Database& database) -> Result<void> {
    for (const Write& one : writes) {
      if (auto done = one(database); !done) return done;
    }
    return {};
  });
}

void AlertBooks::tell(StateBook& state) {
  alert::GroupBook::Touched grouped = groups.take_touched();
  alert::StormBook::Touched stormed = storms.take_touched();
  for (std::set<std::int64_t>* const some : {&grouped.groups, &grouped.gone}) {
    move_into(fresh_.groups, std::move(*some));
  }
  move_into(fresh_.signals, std::move(grouped.signals));
  for (std::set<std::int64_t>* const some : {&stormed.storms, &stormed.gone}) {
    move_into(fresh_.storms, std::move(*some));
  }
  tell_numbered(state, "signal", fresh_.signals, [this](auto n) { return write_signal(n); });
  tell_numbered(state, "alert_group", fresh_.groups, [this](auto n) { return write_group(n); });
  tell_numbered(state, "alert_storm", fresh_.storms, [this](auto n) { return write_storm(n); });
  for (const std::string& id : fresh_.silences) {
    if (const Write write = write_silence(id)) {
      state.note({"silence"}, write);
    } else {
      state.note_gone("silence", {id});
    }
  }
  waiting_.add(std::exchange(fresh_, {}));
}

std::vector<Write> AlertBooks::take_writes() {
  std::vector<Write> writes;
  const auto add = [&](std::string_view table, const std::set<std::int64_t>& numbers,
                       const std::function<Write(std::int64_t)>& write) {
    for (const std::int64_t number : numbers) {
      Write one = write(number);
      writes.push_back(one ? std::move(one) : Write([table, number](db::Database& database) {
        return alert::remove(database, table, number);
      }));
    }
  };
  const Rows rows = std::exchange(waiting_, {});
  add("signal", rows.signals, [this](auto n) { return write_signal(n); });
  add("alert_group", rows.groups, [this](auto n) { return write_group(n); });
  add("alert_storm", rows.storms, [this](auto n) { return write_storm(n); });
  for (const std::string& id : rows.silences) {
    Write one = write_silence(id);
    writes.push_back(one ? std::move(one) : Write([id](db::Database& database) {
      return alert::remove_silence(database, id);
    }));
  }
  return writes;
}

}  // namespace mailwarden::app
