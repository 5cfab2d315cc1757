// What an alert says, taken apart for receivers that want it in fields.
//
// What     particulars_of() reads the CloudEvent of an alert. An alert about an incident has one
//          key for that incident, so that what is said of it later reaches what was said before:
//          a trigger, its acknowledgement and its end are one thing to the receiver.
// Owns     Its content.
// Threads  Pure.
// Errors   None: what an alert does not say is empty. What is no UTF-8 becomes U+FFFD, and control
//          characters become blanks, since titles and entities come from log lines.
// Limits   key_bytes_max, detail_characters_max a detail.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alert/routes.h"

namespace mailwarden::alert {

inline constexpr std::size_t key_bytes_max = 255;
// With as many as there are, all together stay below the 8,000 characters that Opsgenie takes.
inline constexpr std::size_t detail_characters_max = 450;

enum class Intent : std::uint8_t { trigger, acknowledge, resolve };

struct Particulars {
  Intent intent = Intent::trigger;
  std::string key;            // as plain_name() has it
  std::int64_t incident = 0;  // 0: of none
  int severity = 0;           // 0 to 3
  bool regraded = false;      // its severity was another once
  std::string summary;        // one line
  std::string title;
  std::string entity;
  std::string entity_kind;
  std::string state;
  std::string opened;  // RFC 3339; "" where of no incident
  std::string origin;  // the ledger's name
  std::string change;  // "opened", "acknowledged", …; "" where no change is told
  std::string why;
  std::string who;
  std::string text;  // of several lines
  std::string link;  // to the incident in the console; "" where nobody told where that is
  std::vector<std::pair<std::string, std::string>> details;  // those that say something
};
Particulars particulars_of(const Receiver& receiver, const Alert& alert);
// Whether it only makes sense behind what was said of its incident before.
bool follows_others(const Alert& alert);

// Who is on call, because of what and until when: a line each.
std::vector<std::string> on_call_lines(const Alert& alert);

// With '-' for each byte that may not stand in a file's name, a header and an address.
std::string plain_name(std::string_view text);

// At most so many code points of UTF-8, the last of which is then "…".
std::string shortened(std::string_view text, std::size_t characters_max);

}  // namespace mailwarden::alert
