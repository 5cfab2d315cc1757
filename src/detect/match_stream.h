// Rules held against a stream of events, by as many threads as are given.
//
// What     match_stream() reads events from a descriptor and writes a line for each match, in order
//          of the events, which are numbered from 0: as JSON
//          {"event","rule","title","level","matches":[{"selection","field","value"}]}, or as text.
//          A line or object that cannot be read is told and takes a number too.
// Owns     Nothing.
// Threads  Starts its own and ends them; the callbacks are called by the caller's.
// Errors   Error{io} where the stream cannot be read.
// Limits   EventBlocks; two blocks a thread in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "detect/rule_set.h"

namespace mailwarden::detect {

enum class MatchFormat : std::uint8_t { json_lines, table };

struct MatchStreamOptions {
  Logsource logsource;  // parts that hold for every event
  Routing routing = Routing::strict;
  unsigned threads = 1;
  MatchFormat format = MatchFormat::json_lines;
};

struct MatchTotals {
  std::int64_t events = 0;
  std::int64_t matches = 0;
  std::int64_t unread = 0;  // lines and objects that could not be read
};

struct MatchSinks {
  std::function<bool(std::string_view)> write;  // false where nobody reads any more
  std::function<void(std::string_view)> complain;
};

Result<MatchTotals> match_stream(int descriptor, const RuleSet& rules,
                                 const MatchStreamOptions& options, const MatchSinks& sinks);

}  // namespace mailwarden::detect
