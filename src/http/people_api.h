// What is known of people, over HTTP.
//
// What     Paths, each with what it answers:
//            GET /api/v1/people            ?after= &limit=: accounts in the order of their keys,
//                                          with what is known of each; "next" continues
//            GET /api/v1/people/{address}  one account: every fact with who told it and when, what
//                                          of it is known now, and until when
//            POST /api/v1/people/{source}  ?as_of=TIME, through the UNIX socket alone: what a
//                                          source says, as its files have it (people_source.h);
//                                          without as_of a directory's pages must say it
// Owns     Nothing.
// Threads  Several at once.
// Errors   JSON {"error": sentence} with 400, 403, 404, 409 or 503.
// Limits   Pages hold at most 1000 accounts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "identity/people_book.h"
#include "identity/people_source.h"
#include "net/http_server.h"

namespace mailwarden::http {

using LookAtPeople = std::function<Result<json::Value>(const identity::PeopleBook&)>;

struct PeopleApiParts {
  const Clock& clock;
  std::vector<identity::PeopleSourceOptions> sources;  // who may be spoken for
  std::function<Result<json::Value>(const LookAtPeople&)> look;
  // Gives how many entries of the ledger that made.
  std::function<Result<std::int64_t>(const identity::Told&)> take;
};

class PeopleApi {
 public:
  explicit PeopleApi(PeopleApiParts parts);

  net::Response answer(const net::Request& request) const;

 private:
  net::Response list(const net::Request& request) const;
  net::Response show(std::string_view address) const;
  net::Response take(const net::Request& request, std::string_view source) const;

  PeopleApiParts parts_;
};

// The same out of a book; `now` is absent where how long facts hold is not known, as of a store at
// rest, and then nothing is said to be known.
Result<json::Value> list_people(const identity::PeopleBook& book, std::string_view after,
                                std::size_t limit, std::optional<Timestamp> now);
Result<json::Value> show_person(const identity::PeopleBook& book, std::string_view address,
                                std::optional<Timestamp> now);

}  // namespace mailwarden::http
