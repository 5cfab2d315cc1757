#include "http/incident_json.h"

namespace mailwarden::http {

json::Object change_json(const incident::Change& change) {
  json::Object object = incident::to_record(change);
  object["kind"] = change.kind;
  object["when"] = to_rfc3339(change.when);
  return object;
}

json::Object change_json(const incident::ChangeRow& row) {
  json::Object object = change_json(row.change);
  object["entry"] = row.entry;
  return object;
}

json::Object changes_json(std::span<const incident::Change> changes) {
  json::Array list;
  for (const incident::Change& change : changes) list.emplace_back(change_json(change));
  return {{"changes", std::move(list)}};
}

}  // namespace mailwarden::http
