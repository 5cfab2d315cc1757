// From a record to an event.
//
// What     decode() reads one record with the decoder that its source is set to and fills in the
//          event's time, fields and normal form. `auto` tells the form of a record by its first
//          bytes. docs/decoders.md lists every field of every decoder for writers of rules.
// Owns     A DecoderSet owns its settings and never changes after make().
// Threads  Any number may call decode() with one DecoderSet.
// Errors   decode() cannot fail: a record that nothing reads is an event whose `undecoded` says why
//          in one sentence, whose time is that of its reading and whose `raw` is what came.
//          DecoderSet::make() reports every mistake of the settings in one Error{invalid}.
// Limits   A record is as long as its source lets it be; json::Flattener::Options bound JSON. A
// piece
//          of a line that was longer than its source's limit is not decoded, since what stands in
//          its middle may be chosen by an attacker to look like a line of its own.
// Source   RFC 3164, RFC 5424, rsyslog's ISO time stamps; the log texts of OpenSSH, Linux-PAM,
// sudo,
//          shadow, Postfix 3, nginx, Apache 2.2 and 2.4; Linux audit by libauparse; Sigma's
//          taxonomy for field names; OCSF 1.x for the normal form.
//
// Some rules hold for every decoder:
// - Bytes that are not UTF-8 become U+FFFD in fields; `raw` keeps them.
// - `event` is there where the decoder knew the message, and names what happened. A known program's
//   unknown message has `message` alone, and class and activity 0.
// - "message repeated N times: [ text]" is read as `text` with `repeat_count` N: count that, not 1.
// - An sshd line about a failed password is the failed logon; PAM's line about the same attempt has
//   the decoder "pam" and the service "pam_unix". Count one of the two.
// - One line of the kernel's audit is one event; lines of one happening share the field `serial`.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/event.h"
#include "ingest/decode/json_mapping.h"
#include "ingest/decode/zone.h"

namespace mailwarden::ingest {

struct DecodeOptions {
  std::string decoder = "auto";        // a name out of decoders()
  std::string zone = "UTC";            // for time stamps that name none; an IANA name
  YearRule year;                       // for time stamps without one
  std::optional<JsonMapping> mapping;  // for "json"; "auto" uses it for every JSON object
};

struct Draft;

// One way of reading. Those with `record` read a whole record; those with `message` read what
// stands behind a syslog line's program name, and as a source's decoder they read such lines
// whatever the program is called.
struct DecoderEntry {
  std::string_view name;
  std::string_view reads;                                          // what, for people
  std::string (*record)(Draft& draft) = nullptr;                   // "" or why it could not be read
  bool (*message)(std::string_view text, Event& event) = nullptr;  // whether it knew the text
};

std::span<const DecoderEntry> decoders();

class DecoderSet {
 public:
  // Settings by the source's name; `otherwise` is for sources that have none.
  static Result<DecoderSet> make(const std::map<std::string, DecodeOptions, std::less<>>& by_source,
                                 const DecodeOptions& otherwise = {});

  struct Settings;
  const Settings& of(std::string_view source) const;

 private:
  struct State;
  explicit DecoderSet(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::shared_ptr<const State> state_;
};

Event decode(const RawRecord& record, const DecoderSet& set);

}  // namespace mailwarden::ingest
