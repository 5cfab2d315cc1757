// Windows events as JSON, by Sigma's names.
//
// What     Tells from a leaf's path which field it is ("Event.EventData.Image" is Image,
//          "Event.System.Provider.#attributes.Name" is Provider_Name), and from channel, event id
//          and event type which log source the event belongs to.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   Channels and ids that are not in its tables have no service or category.
// Source   Sigma's taxonomy: field usage of Windows events, windows services and categories. The
//          JSON is that of the EVTX parsers in use, with "#attributes" and "#text".
#pragma once

#include <string>
#include <string_view>

#include "detect/event_view.h"

namespace mailwarden::detect {

// Whether the path stands below the "Event" that such JSON begins with.
bool is_windows_path(std::string_view path);

// Appends the field's name; nothing where the leaf is no field.
void append_windows_name(std::string& out, std::string_view path);

// `kind` is the field EventType, where there is one.
LogsourceView windows_logsource(std::string_view channel, std::string_view event_id,
                                std::string_view kind);

// Sigma's name for what a Security 4688 event calls otherwise, or "".
std::string_view process_creation_name(std::string_view name);

}  // namespace mailwarden::detect
