// When and how people signed in, as far as tokens that were believed tell.
//
// What     Each decision on a believed token says when its bearer signed in and with what. An
//          access that a log tells of shows no token; what holds then is the last sign-in before
//          it.
// Owns     What it remembers.
// Threads  One.
// Errors   load(): those of Database.
// Limits   people_max people, of each the last sign_ins_max; whoever signed in longest ago is
//          forgotten first. load() looks back for `horizon`.
#pragma once

#include <deque>
#include <string>
#include <unordered_map>

#include "access/decision_record.h"
#include "base/result.h"
#include "base/timestamp.h"
#include "db/database.h"
#include "json/value.h"

namespace mailwarden::access {

class SignIns {
 public:
  static constexpr std::size_t people_max = 100'000;
  static constexpr std::size_t sign_ins_max = 8;
  static constexpr Duration horizon = std::chrono::hours(24);
  // How far the clock of a log's host may stand before that of the issuer of tokens.
  static constexpr Duration slack = std::chrono::seconds(5);

  static Result<SignIns> load(db::Database& database, Timestamp now);

  // Of a decision that was made for an enforcement point; others tell nothing.
  void learn(const DecisionRecord& decision);
  // The token's part of the context of the last sign-in of that person at that time; null where
  // none is known.
  json::Value at(const std::string& person, Timestamp time) const;

 private:
  struct SignIn {
    Timestamp time;
    json::Value token;
  };

  void add(const std::string& person, SignIn sign_in);

  std::unordered_map<std::string, std::deque<SignIn>> people_;  // each oldest first
};

}  // namespace mailwarden::access
