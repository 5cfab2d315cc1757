#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "http/api.h"

namespace mailwarden::http {
namespace {

prometheus::MetricFamily family(const std::string& name, const std::string& help,
                                prometheus::MetricType type, std::int64_t value) {
  prometheus::MetricFamily made;
  made.name = "mailwarden_" + name;
  made.help = help;
  made.type = type;
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = static_cast<double>(value);
  } else {
    metric.gauge.value = static_cast<double>(value);
  }
  made.metric.push_back(metric);
  return made;
}

// One line for each state in which a run is.
prometheus::MetricFamily runs_family(const Status& status) {
  prometheus::MetricFamily made;
  made.name = "mailwarden_playbook_runs";
  made.help = "Runs of playbooks that are not over, by state.";
  made.type = prometheus::MetricType::Gauge;
  for (const auto& [state, count] : status.runs) {
    prometheus::ClientMetric metric;
    metric.label.push_back({"state", state});
    metric.gauge.value = static_cast<double>(count);
    made.metric.push_back(metric);
  }
  return made;
}

}  // namespace

std::string render_metrics(const Status& status, const incident::Incident* gravest,
                           std::int64_t open_incidents) {
  using enum prometheus::MetricType;
  const std::vector<prometheus::MetricFamily> families{
      family("events_total", "Events made durable since the start.", Counter, status.events),
      family("events_undecoded_total", "Of them, those that no decoder could read.", Counter,
             status.undecoded),
      family("detections_total", "Detections since the start.", Counter, status.detections),
      family("accesses_total", "Accesses that policies were held against since the start.", Counter,
             status.accesses),
      family("incident_changes_total", "Changes of incidents since the start.", Counter,
             status.changes),
      family("gaps_total", "Gaps noticed since the start.", Counter, status.gaps),
      family("store_write_failures_total", "Transactions that had to be tried again.", Counter,
             status.write_failures),
      family("alerts_total", "Alerts decided since the start.", Counter, status.alerts),
      family("alerts_delivered_total", "Alerts taken by their receivers.", Counter,
             status.alerts_delivered),
      family("alerts_failed_total", "Alerts given up.", Counter, status.alerts_failed),
      family("escalations_running", "Escalations that wait for an answer.", Gauge,
             status.escalations_running),
      family("escalations_exhausted",
             "Escalations of open incidents that came to their end unanswered.", Gauge,
             status.escalations_exhausted),
      family("escalations_overdue", "What the audit of escalations and alerts found.", Gauge,
             status.escalations_overdue),
      family("alerts_silenced_total", "Alerts that a silence kept from leaving.", Counter,
             status.alerts_silenced),
      family("alerts_held_back_total", "Alerts that are part of a storm's summary.", Counter,
             status.alerts_held_back),
      family("signals_total", "Alerts from outside taken since the start.", Counter,
             status.signals),
      family("signals_firing", "Alerts from outside that fire.", Gauge, status.signals_firing),
      family("errands_waiting", "Deliveries and steps of playbooks to be tried.", Gauge,
             status.errands_waiting),
      runs_family(status),
      family("ledger_entries", "Entries of the ledger.", Gauge, status.ledger_entries),
      family("batches_waiting", "Batches read and not durable yet.", Gauge, status.batches_waiting),
      family("incidents_open", "Incidents that are not over.", Gauge, open_incidents),
      family("incidents_open_severity_max", "Severity of the gravest open incident; -1 for none.",
             Gauge, gravest == nullptr ? -1 : static_cast<std::int64_t>(gravest->severity)),
      family("store_damaged",
             "1 where the check at the start found the store's files damaged; -1 before it ended.",
             Gauge, status.store_is_whole ? (*status.store_is_whole ? 0 : 1) : -1),
      family("ready", "1 while the store takes what comes.", Gauge, status.ready ? 1 : 0)};
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace mailwarden::http
