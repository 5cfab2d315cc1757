// What a group tells.
//
// What     A Flush is what a group came to when it was due; to_alerts() makes the alert to each
//          receiver of it. The key follows from ledger, group and how often it has told, so that it
//          is the same for every try and after every restart.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   listed_max members in the event, lines_max in the text; counts are of all.
// Source   CloudEvents 1.0.2.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "alert/routes.h"
#include "alert/signal.h"

namespace mailwarden::alert {

inline constexpr std::size_t listed_max = 500;
inline constexpr std::size_t lines_max = 20;
inline constexpr std::string_view signals_type = "mailwarden.signals";
inline constexpr std::string_view incidents_type = "mailwarden.incidents";

// What a group knows of an incident.
struct IncidentNews {
  Labels labels;             // of its last change
  std::int64_t changes = 0;  // since the group told last
  bool is_open = true;
  bool told = false;
  bool opened_grave = false;  // an untold change opened it, or raised it, to severity 3

  bool operator==(const IncidentNews&) const = default;
};

struct Flush {
  std::int64_t group = 0;
  std::string route;
  Labels labels;
  Timestamp begun;
  Timestamp now;
  std::int64_t number = 0;  // of the notification, from 1
  std::vector<const Signal*> firing;
  std::vector<const Signal*> resolved;                           // since the last one
  std::vector<const Signal*> muted;                              // that were not told to be
  std::vector<std::pair<std::int64_t, IncidentNews>> incidents;  // open ones, and those with news
  std::int64_t silenced = 0;
  std::int64_t inhibited = 0;
  std::int64_t left_out = 0;          // changes of incidents that are not listed
  std::set<std::string> silenced_by;  // ids
  bool is_told = false;               // else all of its news are muted
};

// A flush that came to something: who is told, or why nobody is.
struct Notice {
  std::vector<Alert> alerts;  // one a receiver
  std::string muted;          // "silenced by ID"; "" where it leaves
  std::int64_t severity = 0;  // of the gravest incident
  bool grave = false;         // an incident of severity 3 was opened
};
Notice to_notice(const Flush& flush, const Routes& routes, const Route& route,
                 const std::string& origin);

// "silenced by ID, ID" or "inhibited".
std::string muted_words(const std::set<std::string>& silenced_by);

}  // namespace mailwarden::alert
