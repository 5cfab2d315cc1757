#include "privacy/erasure.h"

#include <algorithm>

#include "base/text.h"
#include "incident/incident_table.h"
#include "vault/subjects.h"

namespace mailwarden::privacy {

Result<Erasure> check(Erasure erasure) {
  erasure.subject = to_lower(trim(erasure.subject));
  const std::size_t at = erasure.subject.find('@');
  const bool is_address = at != 0 && at != std::string::npos && at + 1 < erasure.subject.size() &&
                          erasure.subject.find_first_of(" \t\r\n<>\",;") == std::string::npos;
  if (!is_address) {
    return fail(Code::invalid, "'" + printable(erasure.subject.substr(0, 100)) +
                                   "' is not a mail address; an erasure is of one");
  }
  if (auto good = check_reason(erasure); !good) return std::unexpected(good.error());
  return erasure;
}

Result<void> check_reason(const Erasure& erasure) {
  if (trim(erasure.reason).empty()) {
    return fail(Code::invalid, "the order needs a reason, which the ledger keeps");
  }
  if (erasure.reason.size() > Erasure::reason_bytes_max) {
    return fail(Code::invalid, "the reason is longer than " +
                                   std::to_string(Erasure::reason_bytes_max) + " bytes");
  }
  if (erasure.who.size() > Erasure::who_bytes_max) {
    return fail(Code::invalid, "who orders it is longer than " +
                                   std::to_string(Erasure::who_bytes_max) + " bytes");
  }
  if (erasure.subject.empty()) return {};
  if (mentions(erasure.reason, erasure) || mentions(erasure.who, erasure)) {
    return fail(Code::invalid,
                "the reason and who orders it stay in the ledger, so they must not name the "
                "address");
  }
  return {};
}

bool mentions(std::string_view text, const Erasure& erasure) {
  if (to_lower(text).contains(erasure.subject)) return true;
  const auto named = vault::subjects_of(text);
  return std::ranges::find(named, erasure.subject) != named.end();
}

Result<std::vector<std::string>> obstacles(db::Database& database, const Erasure& erasure,
                                           std::span<const RetentionPolicy> policies,
                                           Timestamp now) {
  std::vector<std::string> found;
  const auto open = incident::load_open_incidents(database);
  if (!open) return std::unexpected(open.error());
  for (const incident::Incident& incident : *open) {
    if (!mentions(json::to_text(incident::to_json(incident)), erasure)) continue;
    found.push_back("incident " + std::to_string(incident.number) + " is open and names them");
  }
  for (const RetentionPolicy& policy : policies) {
    for (const Hold& hold : policy.holds) {
      if (hold.until && *hold.until <= now) continue;
      found.push_back("hold '" + hold.name + "' is in force: " + hold.reason);
    }
  }
  return found;
}

}  // namespace mailwarden::privacy
