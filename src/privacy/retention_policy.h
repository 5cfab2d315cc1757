// How long what is kept, and what may not be removed.
//
// What     A RetentionPolicy says for a category of events, chosen by their sources, how long they
//          are kept, why, and the least time that a law asks for. A Hold suspends removal for its
//          sources, with a reason, until it is lifted or its day comes. Both are read from YAML:
//
//            category: access logs
//            basis: security of processing (GDPR art. 32), claim W8
//            sources: [auth, web*]        # names of sources; * at the end takes any ending
//            keep: 400d
//            minimum: 90d                 # optional; keep must not be shorter
//            holds:                       # optional
//              - name: case 2026-3
//                reason: asked for by counsel
//                sources: [auth]          # optional; without it the whole category
//                until: 2027-01-01T00:00:00Z   # optional
//
// Owns     Its content.
// Threads  Pure.
// Errors   Every mistake of every file in one Error{invalid}, each with file and line.
// Limits   policies_max files.
// Source   CLAIMS W8; GDPR article 5(1)(e).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/timestamp.h"

namespace mailwarden::privacy {

inline constexpr std::size_t policies_max = 1000;

struct Hold {
  std::string name;
  std::string reason;
  std::vector<std::string> sources;  // empty: the whole category
  std::optional<Timestamp> until;
};

struct RetentionPolicy {
  std::string category;
  std::string basis;
  std::vector<std::string> sources;
  Duration keep{};
  std::optional<Duration> minimum;
  std::vector<Hold> holds;
  std::string file;
};

struct PolicyText {
  std::string file;
  std::string text;
};

// Two policies that could take the same source are a mistake: nobody could say which one holds.
Result<std::vector<RetentionPolicy>> parse_retention(std::span<const PolicyText> texts);

// Whether one of the patterns takes the source.
bool takes(std::span<const std::string> patterns, std::string_view source);

// The hold of the policy that is in force for the source, if any.
const Hold* find_hold(const RetentionPolicy& policy, std::string_view source, Timestamp now);

}  // namespace mailwarden::privacy
