// Changes of incidents, as the API tells them.
//
// What     A change as its record says it, with its kind and its time.
// Owns     Nothing.
// Threads  Pure.
// Errors   None.
// Limits   None of its own.
#pragma once

#include <span>

#include "incident/incident_table.h"
#include "json/value.h"

namespace mailwarden::http {

json::Object change_json(const incident::Change& change);
// With the ledger entry that commits to it.
json::Object change_json(const incident::ChangeRow& row);
// {"changes": […]}
json::Object changes_json(std::span<const incident::Change> changes);

}  // namespace mailwarden::http
