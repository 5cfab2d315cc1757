// How far an incident reaches: who signed in where, from where, with what.
//
// What     spread() begins with what an incident is about and follows successful sign-ins through
//          the stored events: from an account to the addresses it came from and the hosts it
//          reached, from an address or a host to the accounts that came from there, and so on, as
//          deep as is asked for. Sign-ins that failed are counted and not followed, since whoever
//          guesses passwords would lead everywhere.
// Owns     Its content.
// Threads  As the Database passed in.
// Errors   As the Database passed in.
// Limits   SpreadOptions; what they cut off is said (`cut`).
// Source   Claim W15: depth and breadth, lateral movement.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"
#include "db/database.h"
#include "detect/detection.h"
#include "incident/incident.h"
#include "json/value.h"

namespace mailwarden::incident {

struct SpreadOptions {
  static constexpr std::int64_t depth_max = 6;

  std::int64_t depth = 3;
  std::size_t nodes_max = 300;
  std::size_t paths_max = 2000;
  std::int64_t events_max = 50'000;  // that are looked at
  Timestamp from;
  Timestamp until;
};
// From a day before the first event of the incident to a day behind its last.
SpreadOptions around(const Incident& incident);

struct SpreadNode {
  detect::Entity entity;   // account, address or host
  std::int64_t depth = 0;  // how many steps from what the incident is about

  bool operator==(const SpreadNode&) const = default;
};

// Sign-ins of one account, from one place to one host, in one way.
struct SpreadPath {
  std::string account;
  std::string address;  // "" where it is not told
  std::string host;
  std::string service;
  std::int64_t succeeded = 0;
  std::int64_t failed = 0;
  bool without_second_factor = false;  // told of one that succeeded
  Timestamp first;
  Timestamp last;

  bool operator==(const SpreadPath&) const = default;
};

struct Spread {
  std::vector<SpreadNode> nodes;  // the nearest first
  std::vector<SpreadPath> paths;  // the earliest first
  std::string cut;                // what was left out, in a sentence; "" for nothing
};

Result<Spread> spread(db::Database& database, const Incident& incident,
                      const SpreadOptions& options);

// With the breadth at each depth.
json::Object to_json(const Spread& spread);

}  // namespace mailwarden::incident
