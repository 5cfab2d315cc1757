// Parts of incidents as JSON, for changes and stored rows.
//
// What     Small objects that several files of this folder write.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   None of its own.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "detect/detection.h"
#include "incident/severity.h"
#include "json/value.h"

namespace mailwarden::incident {

json::Object facts_json(const Facts& facts);
json::Object entity_json(const detect::Entity& entity);
// Never where there is none, as in what an older version wrote.
Timestamp time_of(const json::Value& object, std::string_view name);

}  // namespace mailwarden::incident
