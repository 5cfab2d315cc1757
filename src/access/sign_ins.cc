#include "access/sign_ins.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/text.h"

namespace mailwarden::access {
namespace {

constexpr std::array sign_in_steps{db::Migration{"sign_in", 1, R"sql(
CREATE TABLE sign_in (
  person TEXT NOT NULL,
  time BIGINT NOT NULL,
  token TEXT NOT NULL,
  PRIMARY KEY (person, time)
);
)sql"}};

constexpr std::array<std::string_view, 2> sign_in_key{"person", "time"};
constexpr std::array sign_in_columns{db::PersonalColumn{"person", true},
                                     db::PersonalColumn{"token"}};
constexpr db::PersonalTable sign_in_table{"sign_in", sign_in_key, sign_in_columns};

}  // namespace

const db::PersonalTable& personal_sign_ins() {
  return sign_in_table;
}

std::span<const db::Migration> sign_in_migrations() {
  return sign_in_steps;
}

Result<void> store(db::Database& database, const SignIn& sign_in) {
  const std::string token = json::to_text(sign_in.token);
  const auto index = db::to_index(database, sign_in_table, "person", sign_in.person);
  if (!index) return std::unexpected(index.error());
  const std::string_view person = *index;
  const std::string time = std::to_string(sign_in.time.us);
  const auto stored =
      db::to_stored(database, sign_in_table, db::row_name({person, time}), {sign_in.person, token});
  if (!stored) return std::unexpected(stored.error());
  if (auto done = database.run("INSERT INTO sign_in (person, time, token) VALUES ($1, $2, $3)"
                               " ON CONFLICT (person, time) DO UPDATE SET token = excluded.token",
                               {person, sign_in.time.us, std::string_view((*stored)[1])});
      !done) {
    return done;
  }
  return database.run("DELETE FROM sign_in WHERE person = $1 AND time < $2",
                      {person, (sign_in.time - SignIns::horizon).us});
}

Result<std::vector<SignInKey>> load_expired(db::Database& database, Timestamp now) {
  const auto rows = database.query("SELECT person, time FROM sign_in WHERE time < $1",
                                   {(now - SignIns::horizon).us});
  if (!rows) return std::unexpected(rows.error());
  std::vector<SignInKey> expired;
  while (true) {
    const auto more = (*rows)->step();
    if (!more) return std::unexpected(more.error());
    if (!*more) return expired;
    expired.push_back({.person = std::string((*rows)->text(0)), .time = {(*rows)->integer(1)}});
  }
}

Result<SignInKey> key_of(db::Database& database, const SignIn& sign_in) {
  auto person = db::to_index(database, sign_in_table, "person", sign_in.person);
  if (!person) return std::unexpected(person.error());
  return SignInKey{.person = *std::move(person), .time = sign_in.time};
}

Result<void> remove(db::Database& database, std::span<const SignInKey> keys) {
  for (const SignInKey& key : keys) {
    if (auto done = database.run("DELETE FROM sign_in WHERE person = $1 AND time = $2",
                                 {std::string_view(key.person), key.time.us});
        !done) {
      return done;
    }
  }
  return {};
}

bool SignIns::add(SignIn sign_in) {
  std::deque<SignIn>& known = people_[sign_in.person];
  const auto place = std::ranges::lower_bound(known, sign_in.time, {}, &SignIn::time);
  if (place != known.end() && place->time == sign_in.time) {
    if (place->token == sign_in.token) return false;
    place->token = std::move(sign_in.token);
    return true;
  }
  known.insert(place, std::move(sign_in));
  if (known.size() > sign_ins_max) known.pop_front();
  if (people_.size() > people_max) {
    people_.erase(std::ranges::min_element(people_, {},
                                           [](const auto& one) { return one.second.back().time; }));
  }
  return true;
}

std::optional<SignIn> SignIns::learn(const DecisionRecord& decision) {
  if (!decision.believed_token || decision.principal.type != "User") return std::nullopt;
  const auto time = parse_rfc3339(decision.believed_token->text("auth_time"));
  // One from a time to come would hide those that are true.
  if (!time || *time > decision.when + slack) return std::nullopt;
  SignIn made{.person = decision.principal.id, .time = *time, .token = *decision.believed_token};
  return add(made) ? std::optional(std::move(made)) : std::nullopt;
}

std::vector<SignIn> SignIns::forget(std::string_view person) {
  std::vector<SignIn> forgotten;
  std::erase_if(people_, [&](auto& one) {
    if (!equal_ignoring_case(one.first, person)) return false;
    std::ranges::move(one.second, std::back_inserter(forgotten));
    return true;
  });
  return forgotten;
}

json::Value SignIns::at(const std::string& person, Timestamp time) const {
  const auto known = people_.find(person);
  if (known == people_.end()) return {};
  const auto later = std::ranges::upper_bound(known->second, time + slack, {}, &SignIn::time);
  return later == known->second.begin() ? json::Value() : std::prev(later)->token;
}

Result<SignIns> SignIns::load(db::Database& database, Timestamp now) {
  SignIns all;
  const auto asked =
      database.query("SELECT person, time, token FROM sign_in WHERE time >= $1 ORDER BY time",
                     {(now - horizon).us});
  if (!asked) return std::unexpected(asked.error());
  db::Statement& statement = **asked;
  while (true) {
    const auto row = statement.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return all;
    const auto plain =
        db::to_plain(database, sign_in_table, db::row_name({statement.text(0), statement.text(1)}),
                     {statement.text(0), statement.text(2)});
    if (!plain && plain.error().code == Code::not_found) continue;
    if (!plain) return std::unexpected(plain.error());
    auto token = json::parse((*plain)[1]);
    if (!token) return fail(Code::corrupt, "a stored sign-in is damaged");
    all.add({.person = (*plain)[0], .time = {statement.integer(1)}, .token = *std::move(token)});
  }
}

}  // namespace mailwarden::access
