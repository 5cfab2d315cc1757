// Erasing what a store says of one person.
//
// What     An Erasure is what somebody orders: whose key of the book is to be shredded, and why. It
//          takes away every sealed value that names the address, wherever a copy of it lies. What
//          still rests on such values stands in its way, since it would go on without knowing of
//          whom: obstacles() says what that is.
// Owns     Nothing.
// Threads  As the Database passed in.
// Errors   check(): invalid. obstacles(): as Database.
// Limits   reason_bytes_max, who_bytes_max. An erasure is of one mail address; another address of
//          the same person is another one.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "db/database.h"
#include "json/value.h"
#include "privacy/retention_policy.h"

namespace mailwarden::privacy {

struct Erasure {
  static constexpr std::size_t reason_bytes_max = 2000;
  static constexpr std::size_t who_bytes_max = 500;

  std::string subject;  // a mail address; ASCII case does not count
  std::string reason;
  std::string who;  // ordered it
};

// The subject in lower case, with nothing around it.
Result<Erasure> check(Erasure erasure);
// Whether reason and who may stay in the ledger.
Result<void> check_reason(const Erasure& erasure);

// Whether the text has the subject in it, in lower or upper case, or however else a value is found
// to name it when it is sealed (vault/subjects.h).
bool mentions(std::string_view text, const Erasure& erasure);

// A sentence for each thing that has to end first: open incidents, holds. Others know theirs.
Result<std::vector<std::string>> obstacles(db::Database& database, const Erasure& erasure,
                                           std::span<const RetentionPolicy> policies,
                                           Timestamp now);

}  // namespace mailwarden::privacy
