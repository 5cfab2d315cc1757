// How the members of a JSON event become an event of ours.
//
// What     A JsonMapping says, for one kind of JSON log, where the time stands, what the log source
//          is, which further names some values get, and which paths fill the normal form. Every
//          leaf keeps its dotted path as its field's name; the mapping only adds.
// Owns     Its text.
// Threads  Values; every function is pure.
// Errors   parse_json_mapping() reports every mistake with its line in one Error{invalid}.
// Limits   entries_max names, paths and cases in all.
//
// A mapping, with every part that there is:
//
//   mapping: my_service
//   logsource: {product: my, category: application, service: my_service}
//   recognise: {kind: "my#event"}          # `auto` takes the mapping where all of these hold
//   time: {paths: [at, id.time], format: rfc3339, otherwise: received}
//   pairs:                                 # lists of {name: n, value: v}: a field parameters.n
//     - {at: events.parameters, name: name, values: [value, intValue], prefix: parameters.}
//   names: {eventName: [name, events.name]}   # all values of the first path that is there
//   ocsf: {actor_user: [actor.email], src_ip: [ipAddress]}   # the first value that is there
//   cases:                                 # each whose `when` holds applies; a later one overrides
//     - when: {name: [login_success, "login_*"]}
//       set: {class_uid: 3002, activity_id: 1, status: success, service: google_workspace.login}
//       ocsf: {user: [actor.email]}
//       fields: {eventService: login.googleapis.com}
//
// Time formats: rfc3339 (without an offset it is the source's zone), epoch_seconds,
// epoch_milliseconds, epoch_microseconds, epoch_nanoseconds. `otherwise: received` takes the moment
// of reading where no path holds a time; without it such a record is not decoded.
// ocsf: actor_user, user, src_ip, dst, device, resource, service, email_from, email_to, message.
// set: class_uid, activity_id, status (success, failure, unknown), is_mfa, and the log source's
// product, category, service. A pattern in `when` may begin or end with *; "?" holds where the path
// is there, "!" where it is not. Paths are those of json::Flattener and of `pairs`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "event/event.h"

namespace mailwarden::ingest {

enum class TimeFormat : std::uint8_t {
  rfc3339,
  epoch_seconds,
  epoch_milliseconds,
  epoch_microseconds,
  epoch_nanoseconds
};

struct JsonMapping {
  static constexpr std::size_t entries_max = 1000;

  using Paths = std::vector<std::string>;

  struct Pairs {
    std::string name;  // the whole path of the name
    Paths values;      // the whole paths of the value
    std::string prefix;
  };
  struct Condition {
    std::string path;
    std::vector<std::string> patterns;
  };
  struct Constants {
    std::optional<int> class_uid;
    std::optional<int> activity_id;
    std::optional<Outcome> status;
    std::optional<bool> is_mfa;
    std::optional<std::string> product;
    std::optional<std::string> category;
    std::optional<std::string> service;
  };
  struct Attribute {
    std::string Ocsf::* place = nullptr;
    Paths paths;
  };
  struct Case {
    std::vector<Condition> when;
    Constants set;
    std::vector<Attribute> attributes;
    std::vector<std::pair<std::string, std::string>> fields;
  };

  std::string name;
  Logsource logsource;
  std::vector<Condition> recognise;
  Paths time_paths;
  TimeFormat time_format = TimeFormat::rfc3339;
  bool time_otherwise_received = false;
  std::vector<Pairs> pairs;
  std::vector<std::pair<std::string, Paths>> names;
  std::vector<Attribute> attributes;
  std::vector<Case> cases;
};

// `where` names the text in messages: a file, or "mapping google_workspace".
Result<JsonMapping> parse_json_mapping(std::string_view yaml, std::string_view where);

// The mappings that come with the program.
const JsonMapping& google_workspace_mapping();
const JsonMapping& gcp_audit_mapping();
const JsonMapping& github_audit_mapping();
const JsonMapping& okta_mapping();

}  // namespace mailwarden::ingest
