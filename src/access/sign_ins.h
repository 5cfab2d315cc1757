// When and how people signed in, as far as tokens that were believed tell.
//
// What     Each decision on a believed token says when its bearer signed in and with what. An
//          access that a log tells of shows no token; what holds then is the last sign-in before
//          it.
// Owns     What it remembers, and table sign_in.
// Threads  One; store() as the Database passed in.
// Errors   Those of Database; corrupt where a stored row cannot be read back.
// Limits   people_max people, of each the last sign_ins_max; whoever signed in longest ago is
//          forgotten first. What is older than `horizon` behind somebody's newest is not kept, and
//          behind a start nothing that is.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "access/decision_record.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "db/database.h"
#include "db/sealing.h"
#include "json/value.h"

namespace mailwarden::access {

std::span<const db::Migration> sign_in_migrations();
const db::PersonalTable& personal_sign_ins();

struct SignIn {
  std::string person;
  Timestamp time;
  json::Value token;  // as a decision's context has it
};
// Those of the same person that are older by the horizon are removed with it.
Result<void> store(db::Database& database, const SignIn& sign_in);

struct SignInKey {
  std::string person;  // as it is stored: in a store with keys an index
  Timestamp time;
};
// What is too old by now to matter.
Result<std::vector<SignInKey>> load_expired(db::Database& database, Timestamp now);
Result<void> remove(db::Database& database, std::span<const SignInKey> keys);

// As it is stored.
Result<SignInKey> key_of(db::Database& database, const SignIn& sign_in);

class SignIns {
 public:
  static constexpr std::size_t people_max = 100'000;
  static constexpr std::size_t sign_ins_max = 8;
  static constexpr Duration horizon = std::chrono::hours(48);
  // How far the clock of a log's host may stand before that of the issuer of tokens.
  static constexpr Duration slack = std::chrono::seconds(5);

  static Result<SignIns> load(db::Database& database, Timestamp now);

  // Of a decision that was made for an enforcement point, on a token that says when its bearer
  // signed in. Gives what is to be stored, where that is news.
  std::optional<SignIn> learn(const DecisionRecord& decision);
  // What is to be removed of that person, in lower or upper case, who is forgotten.
  std::vector<SignIn> forget(std::string_view person);
  // The token's part of the context of the last sign-in of that person at that time; null where
  // none is known.
  json::Value at(const std::string& person, Timestamp time) const;

 private:
  bool add(SignIn sign_in);

  std::unordered_map<std::string, std::deque<SignIn>> people_;  // each oldest first
};

}  // namespace mailwarden::access
