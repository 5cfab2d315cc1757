#include "incident/report.h"

#include "base/text.h"

namespace mailwarden::incident {

Result<detect::Detection> to_detection(const Report& report, const SeverityTable& table,
                                       const Procedure& procedure, Timestamp now) {
  if (report.who.empty()) return fail(Code::denied, "who reports must be told");
  if (report.title.empty()) return fail(Code::invalid, "a report needs a title");
  if (report.title.size() > WorkLimits::title_bytes_max ||
      report.what.size() > Report::text_bytes_max) {
    return fail(Code::invalid,
                "a report's title takes " + std::to_string(WorkLimits::title_bytes_max) +
                    " bytes at the most, and its text " + std::to_string(Report::text_bytes_max));
  }
  if (!report.type.empty() && procedure.find_type(report.type) == nullptr) {
    return fail(Code::invalid, "'" + printable(report.type) + "' is no type of incidents");
  }
  detect::Detection detection{.rule_id = std::string(report_rule),
                              .title = report.title,
                              .level = detect::Level::critical,
                              .time = now,
                              .entity = {"report", to_rfc3339(now)}};
  if (!report.entity.empty()) {
    const std::size_t colon = report.entity.find(':');
    if (colon == 0 || colon == std::string::npos || colon + 1 == report.entity.size()) {
      return fail(Code::invalid, "an entity is told as kind:name, such as account:alice, not '" +
                                     printable(report.entity) + "'");
    }
    detection.entity = {report.entity.substr(0, colon), report.entity.substr(colon + 1)};
  }
  for (const std::string& fact : report.facts) {
    const std::size_t equals = fact.find('=');
    const std::string name = fact.substr(0, equals);
    const auto worth =
        table.read_worth(name, equals == std::string::npos ? "true" : fact.substr(equals + 1));
    if (!worth) return std::unexpected(worth.error());
    detection.facts[name] = *worth;
  }
  if (!report.what.empty()) {
    detection.because.push_back({.selection = "report", .field = "", .value = report.what});
  }
  return detection;
}

}  // namespace mailwarden::incident
