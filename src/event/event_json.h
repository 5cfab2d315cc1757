// An event as its canonical JSON text, and back.
//
// What     append_json() writes {"decoder","fields","id","logsource","ocsf","raw","source","time"}
//          in RFC 8785's form: this text is what is stored, hashed into the ledger and exported. A
//          field name that stands several times becomes an array; a raw record that is not UTF-8 is
//          written as "raw_base64" instead of "raw"; "undecoded" is there where no decoder read it.
// Owns     Nothing.
// Threads  Pure.
// Errors   parse_event(): Error{corrupt} where the text is not what append_json() writes.
// Limits   json::ParseOptions.
// Source   OCSF 1.x attribute names for the "ocsf" object.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "event/event.h"

namespace mailwarden {

void append_json(std::string& out, const Event& event);
std::string to_json(const Event& event);
// Gives back all but `received`, which is not part of what happened.
Result<Event> parse_event(std::string_view json);

}  // namespace mailwarden
