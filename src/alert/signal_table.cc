#include "alert/signal_table.h"

#include <array>

#include "base/check.h"

namespace mailwarden::alert {
namespace {

constexpr std::array signal_steps{db::Migration{"signal", 1, R"sql(
CREATE TABLE signal (
  number BIGINT PRIMARY KEY,
  body TEXT NOT NULL
);
CREATE TABLE silence (
  id TEXT PRIMARY KEY,
  body TEXT NOT NULL
);
CREATE TABLE alert_group (
  number BIGINT PRIMARY KEY,
  body TEXT NOT NULL
);
CREATE TABLE alert_storm (
  number BIGINT PRIMARY KEY,
  body TEXT NOT NULL
);
)sql"}};

constexpr std::array<std::string_view, 1> number_key{"number"};
constexpr std::array<std::string_view, 1> id_key{"id"};
constexpr std::array signal_columns{db::PersonalColumn{"body"}};
constexpr std::array personal_signals{db::PersonalTable{"signal", number_key, signal_columns},
                                      db::PersonalTable{"silence", id_key, signal_columns},
                                      db::PersonalTable{"alert_group", number_key, signal_columns},
                                      db::PersonalTable{"alert_storm", number_key, signal_columns}};
enum Place : std::size_t { signal_place, silence_place, group_place, storm_place };

Result<void> store_numbered(db::Database& database, Place place, std::int64_t number,
                            const json::Object& said) {
  const db::PersonalTable& table = personal_signals[place];
  const std::string body = json::to_text(said);
  const auto stored = db::to_stored(database, table, std::to_string(number), {body});
  if (!stored) return std::unexpected(stored.error());
  const std::string sql = "INSERT INTO " + std::string(table.name) +
                          " (number, body) VALUES ($1, $2)"
                          " ON CONFLICT (number) DO UPDATE SET body = $2";
  return database.run(sql, {number, std::string_view(stored->front())});
}

// `read` makes one of each row's body and keeps it.
template <class Read>
Result<void> each_body(db::Database& database, Place place, Read read) {
  const db::PersonalTable& table = personal_signals[place];
  const std::string key(table.key[0]);
  const auto rows = database.query("SELECT " + key + ", body FROM " + std::string(table.name) +
                                   " ORDER BY " + key);
  if (!rows) return std::unexpected(rows.error());
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    const auto plain = db::to_plain(database, table, (*rows)->text(0), {(*rows)->text(1)});
    if (!plain && plain.error().code == Code::not_found) continue;
    if (!plain) return std::unexpected(plain.error());
    const auto body = json::parse(plain->front());
    if (!body) {
      return fail(Code::corrupt, "a row of the table " + std::string(table.name) + " is damaged");
    }
    if (auto done = read(*body); !done) return done;
  }
}

template <class T>
auto into(std::vector<T>& list, Result<T> (*read)(const json::Value&)) {
  return [&list, read](const json::Value& body) -> Result<void> {
    auto one = read(body);
    if (!one) return std::unexpected(one.error());
    list.push_back(*std::move(one));
    return {};
  };
}

}  // namespace

std::span<const db::Migration> signal_migrations() {
  return signal_steps;
}

std::span<const db::PersonalTable> personal_signal_tables() {
  return personal_signals;
}

Result<void> store(db::Database& database, const Signal& signal) {
  return store_numbered(database, signal_place, signal.number, to_json(signal));
}

Result<void> store(db::Database& database, const Group& group) {
  return store_numbered(database, group_place, group.number, to_json(group));
}

Result<void> store(db::Database& database, const Storm& storm) {
  return store_numbered(database, storm_place, storm.number, to_json(storm));
}

Result<void> store(db::Database& database, const Silence& silence) {
  const std::string body = json::to_text(to_json(silence));
  const auto stored = db::to_stored(database, personal_signals[silence_place], silence.id, {body});
  if (!stored) return std::unexpected(stored.error());
  return database.run(
      "INSERT INTO silence (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = $2",
      {std::string_view(silence.id), std::string_view(stored->front())});
}

Result<void> remove(db::Database& database, std::string_view table, std::int64_t number) {
  CHECK(table == "signal" || table == "alert_group" || table == "alert_storm");
  return database.run("DELETE FROM " + std::string(table) + " WHERE number = $1", {number});
}

Result<void> remove_silence(db::Database& database, std::string_view id) {
  return database.run("DELETE FROM silence WHERE id = $1", {id});
}

Result<StoredSignals> load_signals(db::Database& database) {
  StoredSignals stored;
  Result<void> read = each_body(database, signal_place, into(stored.signals, &signal_from_json));
  if (read) read = each_body(database, silence_place, into(stored.silences, &silence_from_json));
  if (read) read = each_body(database, group_place, into(stored.groups, &group_from_json));
  if (read) read = each_body(database, storm_place, into(stored.storms, &storm_from_json));
  if (!read) return std::unexpected(read.error());
  return stored;
}

}  // namespace mailwarden::alert
