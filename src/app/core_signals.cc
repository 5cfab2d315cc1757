// The core's part about alerts from outside, silences, groups and storms.
#include <array>

#include "alert/notification.h"
#include "app/core.h"
#include "app/keep.h"
#include "crypto/sha256.h"

namespace mailwarden::app {
namespace {

// A version 4 UUID.
std::string uuid(Entropy& entropy) {
  std::array<std::byte, 16> bytes{};
  entropy.fill(bytes, "silence");
  bytes[6] = (bytes[6] & std::byte{0x0F}) | std::byte{0x40};
  bytes[8] = (bytes[8] & std::byte{0x3F}) | std::byte{0x80};
  std::string text = crypto::to_hex(bytes);
  for (const std::size_t place : {20U, 16U, 12U, 8U}) text.insert(place, "-");
  return text;
}

ledger::Entry entry_of(const alert::Signal& signal, std::string_view what, Timestamp now) {
  return {"signal",
          {{"ends", to_rfc3339(signal.ends)},
           {"labels", alert::to_json(signal.labels)},
           {"number", signal.number},
           {"starts", to_rfc3339(signal.starts)},
           {"what", what},
           {"when", to_rfc3339(now)}}};
}

ledger::Entry entry_of(const alert::Silence& silence, std::string_view what, Timestamp now) {
  return {"silence",
          {{"comment", silence.comment},
           {"ends", to_rfc3339(silence.ends)},
           {"id", silence.id},
           {"matchers", alert::to_text(silence.matchers)},
           {"starts", to_rfc3339(silence.starts)},
           {"what", what},
           {"when", to_rfc3339(now)},
           {"who", silence.author}}};
}

detect::Detection detected(const alert::SignalIncident& rule, const alert::Signal& signal,
                           const incident::SeverityTable& severity, Timestamp now) {
  detect::Detection found{.rule_id = "signal:" + rule.name,
                          .title = alert::with_labels(rule.title, signal.labels),
                          .rule_file = rule.where,
                          .level = rule.level,
                          .time = now};
  const std::string_view entity = alert::value_of(signal.labels, rule.entity);
  if (!rule.entity.empty() && !entity.empty()) {
    found.entity = {.kind = rule.entity_kind, .name = std::string(entity)};
  }
  for (const auto& [fact, worth] : rule.facts) {
    // Policies were refused where one was wrong.
    if (const auto read = severity.read_worth(fact, worth)) found.facts[fact] = *read;
  }
  for (const auto& [name, value] : signal.labels) {
    found.because.push_back({.selection = "labels", .field = name, .value = value});
    if (found.because.size() == detect::Detection::because_max) break;
  }
  return found;
}

}  // namespace

alert::GroupContext Core::group_context() {
  return {policies_->routes, alerting_.signals, alerting_.silences, options_.origin};
}

// What fires while the routes changed, or while nobody was here.
void Core::regroup() {
  alerting_.groups.use(group_context(), parts_.clock.now());
}

Result<void> Core::take(std::vector<alert::Signal> signals) {
  const Timestamp now = parts_.clock.now();
  std::vector<ledger::Entry> entries;
  Result<void> taken_all;
  for (alert::Signal& signal : signals) {
    const auto taken = alerting_.signals.take(std::move(signal), now);
    if (!taken) taken_all = std::unexpected(taken.error());
    if (!taken || taken->number == 0) continue;
    ++totals_.signals;
    alerting_.touch_signal(taken->number);
    using What = alert::SignalBook::What;
    const alert::Signal& held = *std::as_const(alerting_.signals).find(taken->number);
    if (taken->what == What::resolved) entries.push_back(entry_of(held, "resolved", now));
    if (taken->what != What::begun) continue;
    entries.push_back(entry_of(held, "firing", now));
    alerting_.groups.take(group_context(), held.number, now);
    for (const alert::SignalIncident& rule : policies_->routes.terms().incidents) {
      if (!alert::match_all(rule.signals, held.labels)) continue;
      report(detected(rule, held, policies_->severity, now), entries);
    }
  }
  append(std::move(entries));
  return taken_all;
}

Result<std::string> Core::set_silence(const alert::Silence& silence) {
  const Timestamp now = parts_.clock.now();
  auto set = alerting_.silences.set(silence, uuid(parts_.entropy), now);
  if (!set) return std::unexpected(set.error());
  std::vector<ledger::Entry> entries;
  tell_silences(set->changes, entries);
  append(std::move(entries));
  return std::move(set->id);
}

Result<void> Core::expire_silence(const std::string& id) {
  const Timestamp now = parts_.clock.now();
  const auto expired = alerting_.silences.expire(id, now);
  if (!expired) return std::unexpected(expired.error());
  std::vector<ledger::Entry> entries;
  tell_silences({*expired}, entries);
  append(std::move(entries));
  return {};
}

void Core::tell_silences(const std::vector<alert::SilenceBook::Change>& changes,
                         std::vector<ledger::Entry>& entries) {
  for (const alert::SilenceBook::Change& change : changes) {
    alerting_.touch_silence(change.id);
    entries.push_back(
        entry_of(*alerting_.silences.find(change.id), change.what, parts_.clock.now()));
  }
}

Result<std::string> Core::test_alert(const std::string& receiver) {
  if (policies_->routes.find(receiver) == nullptr) {
    return fail(Code::not_found, "there is no receiver '" + receiver + "' in routes.yaml");
  }
  const Timestamp now = parts_.clock.now();
  std::vector<ledger::Entry> entries;
  alert::Alert alert = alert::test_alert(receiver, options_.origin, now);
  send(alert, entries);
  append(std::move(entries));
  return std::move(alert.key);
}

// What a change of an incident leads to at once, and what gathers it.
void Core::notify(const incident::Change& change, const incident::Incident& incident,
                  std::vector<ledger::Entry>& entries) {
  const auto ids =
      alerting_.silences.silencing(alert::labels_of(incident, change.kind), parts_.clock.now());
  const std::string muted = ids.empty() ? "" : alert::muted_words({ids.begin(), ids.end()});
  const bool grave = incident.severity == incident::Severity::extreme &&
                     (change.kind == "opened" || change.kind == "severity_raised");
  for (const alert::Alert& alert :
       alert::route(policies_->routes, change, incident, options_.origin)) {
    tell(alert, {.muted = muted, .severity = static_cast<int>(incident.severity), .grave = grave},
         entries);
  }
  alerting_.groups.take(group_context(), change, incident);
}

void Core::tell(const alert::Alert& alert, const Weight& weight,
                std::vector<ledger::Entry>& entries) {
  const auto& limit = policies_->routes.terms().storm;
  if (!weight.muted.empty()) {
    mute(alert, weight.muted, entries);
  } else if (!weight.grave &&
             alerting_.storms.holds_back(alert, weight.severity, limit, parts_.clock.now())) {
    ++totals_.alerts_held_back;
  } else {
    send(alert, entries);
  }
}

// Kept as one that was decided and came to nothing, with the reason.
void Core::mute(const alert::Alert& alert, const std::string& why,
                std::vector<ledger::Entry>& entries) {
  ++totals_.alerts_silenced;
  const auto row = keep(alert::AlertRow{.entry = next_entry(entries),
                                        .alert = alert,
                                        .standing = alert::Standing::silenced,
                                        .trouble = why,
                                        .settled = alert.time});
  entries.push_back(decided(alert));
  json::Object record = alert::to_record(
      {.key = alert.key, .standing = row->standing, .trouble = why}, alert.receiver);
  record["when"] = to_rfc3339(row->settled);
  entries.push_back({"alert", std::move(record)});
  pending_.emplace_back(
      [row](db::Database& database) { return alert::store_alert(database, *row); });
}

// Ends of signals and silences, groups and storms that are due.
void Core::tick_alerts(std::vector<ledger::Entry>& entries) {
  const Timestamp now = parts_.clock.now();
  for (const std::int64_t number : alerting_.signals.take_ended(now)) {
    alerting_.touch_signal(number);
    entries.push_back(entry_of(*std::as_const(alerting_.signals).find(number), "resolved", now));
  }
  tell_silences(alerting_.silences.tick(now), entries);
  for (const alert::Notice& notice : alerting_.groups.flush(group_context(), now)) {
    for (const alert::Alert& alert : notice.alerts) {
      tell(alert, {.muted = notice.muted, .severity = notice.severity, .grave = notice.grave},
           entries);
    }
  }
  for (const alert::Alert& alert : alerting_.storms.tick(options_.origin, now)) {
    send(alert, entries);
  }
  for (const std::int64_t number : alerting_.signals.forget_old(now)) {
    alerting_.touch_signal(number);
  }
  for (const std::string& id : alerting_.silences.forget_old(now)) alerting_.touch_silence(id);
}

}  // namespace mailwarden::app
