#include "identity/observation.h"

#include "identity/google_directory.h"

namespace mailwarden::identity {
namespace {

// OCSF Account Change.
namespace account_change {
constexpr int enable = 2;
constexpr int disable = 5;
constexpr int remove = 6;
constexpr int factor_enable = 10;
constexpr int factor_disable = 11;
}  // namespace account_change

constexpr int logon = 1;

std::string provider_of(const Logsource& logsource) {
  const bool google = logsource.product == "google_workspace" || logsource.product == "gcp";
  return google ? std::string(google_provider) : logsource.product;
}

void read_account_change(const Ocsf& ocsf, Observation& seen) {
  switch (ocsf.activity_id) {
    case account_change::enable:
      seen.suspended = false;
      break;
    case account_change::disable:
      seen.suspended = true;
      break;
    case account_change::remove:
      seen.deleted = true;
      break;
    case account_change::factor_enable:
      seen.second_factor_enrolled = true;
      break;
    case account_change::factor_disable:
      seen.second_factor_enrolled = false;
      break;
    default:
      break;
  }
}

}  // namespace

std::optional<Observation> observe(const Event& event) {
  const Ocsf& ocsf = event.ocsf;
  if (!event.undecoded.empty() || ocsf.status != Outcome::success) return std::nullopt;
  const bool signs_in = ocsf.class_uid == ocsf_class::authentication && ocsf.activity_id == logon;
  const bool changes = ocsf.class_uid == ocsf_class::account_change;
  Observation seen{
      .origin = {std::string(event_source_prefix) + event.source, event.time},
      .provider = provider_of(event.logsource),
      .actor = normal_email(signs_in ? ocsf.user : ocsf.actor_user).value_or(""),
      .subject = changes ? normal_email(ocsf.user).value_or("") : "",
  };
  if (seen.provider.empty()) return std::nullopt;
  seen.second_factor_used = signs_in && ocsf.is_mfa.value_or(false);
  if (!seen.subject.empty()) read_account_change(ocsf, seen);
  const bool says_change = seen.suspended || seen.deleted || seen.second_factor_enrolled;
  if (seen.actor.empty() && !says_change) return std::nullopt;
  return seen;
}

}  // namespace mailwarden::identity
