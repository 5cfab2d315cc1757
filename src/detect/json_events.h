// Events as JSON objects, read straight into what rules are matched with.
//
// What     Three forms are understood: flat or nested fields as they are; Windows event JSON, whose
//          `Event.System` and `Event.EventData` give fields and log source; and an event as
//          `mailwarden decode` prints it. The log source is what the caller states, else the fields
//          product, category and service of the event.
// Owns     What the view points to, until the next event, and the names of that event's fields.
// Threads  One thread a JsonEvents.
// Errors   Error{invalid}: what json::Flattener refuses.
// Limits   json::Flattener::Options.
// Source   docs/sigma.md, "Events".
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "detect/event_view.h"
#include "event/event.h"
#include "json/flatten.h"

namespace mailwarden::detect {

class JsonEvents {
 public:
  // Parts of `stated` that are not empty hold for every event.
  explicit JsonEvents(Logsource stated = {}) : stated_(std::move(stated)) {}

  // json::Flattener::padding bytes behind `object` must be readable.
  Result<void> read(std::string_view object, const FieldNames& names, EventView& view);

 private:
  void read_plain(std::span<const json::Leaf> leaves, const FieldNames& names, EventView& view);
  void read_windows(std::span<const json::Leaf> leaves, const FieldNames& names, EventView& view);

  void set_logsource(const LogsourceView& own, EventView& view) const;

  Logsource stated_;
  json::Flattener flattener_{{.names_may_repeat = true}};
  Event event_;
  std::string name_;
  // The fields of the last event, by place: events of one kind have theirs in the same order.
  struct KnownField {
    std::string name;
    FieldId field = no_field;
  };
  FieldId field_at(std::size_t place, std::string_view name, const FieldNames& names);
  std::shared_ptr<const void> names_;  // whose numbers they are
  std::vector<KnownField> fields_;
};

}  // namespace mailwarden::detect
