// What the daemon watches: a record as it came, and the event that was read out of it.
//
// What     A RawRecord is the bytes of one log line and where they stood. An Event is what a
//          decoder made of them: fields by the source's own names for detection rules, and the
//          normal form (`ocsf`) that incidents, access review and reports use. A record that no
//          decoder understands is an Event too, with the reason in `undecoded`; nothing is thrown
//          away.
// Owns     Their content.
// Threads  Values.
// Errors   None.
// Limits   Set by the source that made the record.
// Source   OCSF 1.x class and attribute names (schema.ocsf.io); Sigma 2.1 log sources and taxonomy.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/timestamp.h"
#include "event/fields.h"

namespace mailwarden {

// Where a record stood. `stream` names one run of bytes (one generation of one file of one source)
// and is derived from the source's name, so reading again gives the same id again; `position` is
// the offset of the record's first byte in it.
struct EventId {
  std::int64_t stream = 0;
  std::int64_t position = 0;

  auto operator<=>(const EventId&) const = default;
};

// 16 hex digits, a dash, the position in hex: "0f3a…-1c0".
std::string to_string(const EventId& id);
Result<EventId> parse_event_id(std::string_view text);

struct RawRecord {
  EventId id;
  std::string source;    // the name that the configuration gives it
  std::string bytes;     // without the line feed
  Timestamp received;    // when it was read: the reference for time stamps without a year
  bool partial = false;  // a piece of a line longer than the source's record limit
};

// Sigma's log source; an empty part is not stated.
struct Logsource {
  std::string product;
  std::string category;
  std::string service;

  bool operator==(const Logsource&) const = default;
};

// OCSF status_id.
enum class Outcome : std::uint8_t { unknown = 0, success = 1, failure = 2 };

// OCSF class_uid of what the decoders tell; 0 is Base Event.
namespace ocsf_class {
inline constexpr int base_event = 0;
inline constexpr int file_system_activity = 1001;
inline constexpr int process_activity = 1007;
inline constexpr int account_change = 3001;  // activity_id: 1 create, 2 enable, 3 password change,
    // 4 password reset, 5 disable, 6 delete, 7 attach policy
inline constexpr int authentication = 3002;  // activity_id: 1 logon, 2 logoff
inline constexpr int authorize_session = 3003;
inline constexpr int entity_management = 3004;  // activity_id: 1 create, 2 read, 3 update, 4 delete
inline constexpr int group_management = 3006;   // activity_id: 3 add user, 4 remove user
inline constexpr int network_activity = 4001;
inline constexpr int http_activity = 4002;   // activity_id: OCSF's number of the method
inline constexpr int email_activity = 4009;  // activity_id: 1 send, 2 receive, 3 scan
inline constexpr int api_activity = 6003;    // activity_id: 1 create, 2 read, 3 update, 4 delete
}  // namespace ocsf_class

// The normal form. An empty text or a zero is "not told".
struct Ocsf {
  int class_uid = ocsf_class::base_event;
  int activity_id = 0;                // 0 unknown, 99 other, else as the class defines it
  Outcome status = Outcome::unknown;  // status_id
  std::string actor_user;             // actor.user.name: who did it
  std::string user;                   // user.name: to whose account it was done, or who signed in
  std::string src_ip;                 // src_endpoint.ip, or src_endpoint.hostname where no address
  int src_port = 0;                   // src_endpoint.port
  std::string dst;                    // dst_endpoint.hostname
  std::string device;                 // device.hostname: the host that wrote the log
  std::string resource;               // resources[0].name: file, URL path, mailbox, method
  std::string service;                // service.name: the program, or the cloud service
  std::string email_from;             // email.from
  std::string email_to;               // email.to[0]
  std::string message;                // message
  std::optional<bool> is_mfa;         // is_mfa: told only by sources that know

  bool operator==(const Ocsf&) const = default;
};

struct Event {
  EventId id;
  Timestamp time;  // when it happened, by the source's clock
  Timestamp received;
  std::string source;
  Logsource logsource;
  std::string decoder;  // the table entry that read it: "sshd", "nginx_access"
  Fields fields;
  Ocsf ocsf;
  std::string raw;
  std::string undecoded;  // why no decoder read it; empty where one did

  bool operator==(const Event&) const = default;
};

}  // namespace mailwarden
