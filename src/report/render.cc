#include <algorithm>
#include <map>

#include "report/html.h"
#include "report/report.h"
#include "report_files.h"

namespace mailwarden::report {
namespace {

using json::Value;

const json::Array& list(const Value& report, std::string_view name) {
  static const json::Array none;
  const json::Array* items = report[name].as_array();
  return items == nullptr ? none : *items;
}

std::string entity(const Value& about) {
  return escape(about.text("kind") + " " + about.text("name"));
}

std::string number(std::int64_t value) {
  return std::to_string(value);
}

// "1 entry", "2 entries".
std::string counted(std::int64_t count, std::string_view one, std::string_view many) {
  return number(count) + " " + std::string(count == 1 ? one : many);
}

// Names that the program gives, as a person writes them: "severity_raised".
std::string words(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return escape(name);
}

std::string joined(const Value& texts) {
  std::string out;
  if (const auto* items = texts.as_array()) {
    for (const Value& item : *items) {
      if (const auto* text = item.as_string()) out += (out.empty() ? "" : ", ") + *text;
    }
  }
  return out;
}

std::string reason(const Value& incident) {
  const std::string row = incident.text("row");
  if (row.empty()) return "no row of the severity table applies";
  const std::string because = joined(incident["because"]);
  return because.empty() ? row : row + ": " + because;
}

// What a table of that kind does not show.
std::string left_out(const Value& report, std::string_view kind) {
  const std::int64_t more = report["left_out"].integer(kind);
  return more == 0 ? "" : "<p>" + number(more) + " more are in the store.</p>\n";
}

std::string summary(const Value& report) {
  std::vector<std::vector<std::string>> rows;
  for (const Value& source : list(report, "sources")) {
    rows.push_back({escape(source.text("source")), number(source.integer("events")),
                    time_html(source.text("earliest")), time_html(source.text("latest"))});
  }
  std::vector<Bar> activity;
  for (const Value& span : list(report["activity"], "spans")) {
    activity.push_back(
        {.name = span.text("begin").substr(0, 16), .value = span.integer("events"), .classes = ""});
  }
  if (!activity.empty()) {
    for (Bar& bar : activity) bar.name[10] = ' ';
  }
  return section("What was watched",
                 "<p>" + counted(report.integer("events"), "event was", "events were") +
                     " taken in. For each " + escape(report["activity"].text("span")) +
                     ", in UTC:</p>\n" + bar_chart(activity, "Events over time") +
                     table({{"Source"}, {"Events", true}, {"Earliest"}, {"Latest"}}, rows,
                           "No event was taken in."));
}

std::string detections(const Value& report) {
  std::vector<std::vector<std::string>> rows;
  for (const Value& rule : list(report, "detections")) {
    rows.push_back({escape(rule.text("title")), escape(rule.text("rule")),
                    number(rule.integer("detections"))});
  }
  return section("What was detected",
                 table({{"Rule"}, {"Id"}, {"Detections", true}}, rows, "No rule has held."));
}

std::string changes(const Value& incident) {
  std::vector<std::vector<std::string>> rows;
  for (const Value& change : list(incident, "changes")) {
    rows.push_back({time_html(change.text("when")), words(change.text("change")),
                    escape(change.text("why")), escape(change.text("who")),
                    number(change.integer("entry"))});
  }
  return table({{"When"}, {"Change"}, {"Why"}, {"Who"}, {"Ledger entry", true}}, rows,
               "No change in this period.");
}

std::string incidents(const Value& report) {
  constexpr std::array<std::string_view, 4> names{"0 Low", "1 Medium", "2 High", "3 Extreme"};
  std::vector<Bar> bars;
  const json::Array& severities = list(report, "incidents_by_severity");
  for (std::size_t i = 0; i < severities.size() && i < names.size(); ++i) {
    const std::int64_t* count = severities[i].as_integer();
    bars.push_back({.name = std::string(names[i]),
                    .value = count == nullptr ? 0 : *count,
                    .classes = "severity-" + std::to_string(i)});
  }
  std::vector<std::vector<std::string>> rows;
  std::string each;
  for (const Value& one : list(report, "incidents")) {
    const std::string anchor = "incident-" + number(one.integer("number"));
    rows.push_back({"<a href=\"#" + anchor + "\">" + number(one.integer("number")) + "</a>",
                    severity_html(one.integer("severity")), words(one.text("state")),
                    escape(one.text("title")), entity(one["entity"]), time_html(one.text("opened")),
                    escape(reason(one))});
    each += "<h3 id=\"" + anchor + "\">Incident " + number(one.integer("number")) + ": " +
            escape(one.text("title")) + "</h3>\n<p>" + severity_html(one.integer("severity")) +
            " " + escape(reason(one)) + ". About " + entity(one["entity"]) + ", " +
            counted(one.integer("detection_count"), "detection", "detections") + " from " +
            time_html(one.text("first_event")) + " to " + time_html(one.text("last_event")) +
            ". State: " + words(one.text("state")) + ".</p>\n" + changes(one);
  }
  each += left_out(report, "incidents");
  return section("Incidents", bar_chart(bars, "Incidents by severity") +
                                  table({{"No.", true},
                                         {"Severity"},
                                         {"State"},
                                         {"What"},
                                         {"About"},
                                         {"Opened"},
                                         {"Why this severity"}},
                                        rows, "No incident was opened or changed in this period.") +
                                  each);
}

std::string acts(const Value& report) {
  std::vector<std::vector<std::string>> rows;
  for (const Value& act : list(report, "acts")) {
    rows.push_back({time_html(act.text("when")), escape(act.text("who")),
                    "<a href=\"#incident-" + number(act.integer("incident")) + "\">incident " +
                        number(act.integer("incident")) + "</a>",
                    words(act.text("change")), escape(act.text("why"))});
  }
  for (const Value& step : list(report, "steps")) {
    if (step.text("who") == "mailwarden") continue;
    rows.push_back({time_html(step.text("when")), escape(step.text("who")),
                    "playbook " + escape(step.text("playbook")) + ", " + escape(step.text("step")),
                    words(step.text("after")), escape(step.text("why"))});
  }
  return section("Who acted", table({{"When"}, {"Who"}, {"On"}, {"What"}, {"Why"}}, rows,
                                    "Nobody but the daemon acted in this period.") +
                                  left_out(report, "acts"));
}

std::string responses(const Value& report) {
  std::vector<std::vector<std::string>> alerts;
  for (const Value& one : list(report, "alerts")) {
    const std::string standing = one.text("standing");
    const std::string trouble = one.text("trouble");
    alerts.push_back({time_html(one.text("time")), escape(one.text("receiver")),
                      escape(one.text("subject")),
                      escape(trouble.empty() ? standing : standing + ": " + trouble),
                      number(one.integer("entry"))});
  }
  std::vector<std::vector<std::string>> steps;
  for (const Value& one : list(report, "steps")) {
    const std::string step = one.text("step");
    steps.push_back({time_html(one.text("when")), escape(one.text("playbook")),
                     "<a href=\"#incident-" + number(one.integer("incident")) + "\">incident " +
                         number(one.integer("incident")) + "</a>",
                     step.empty() ? "the whole" : escape(step), words(one.text("after")),
                     escape(one.text("who")), escape(one.text("why")),
                     number(one.integer("entry"))});
  }
  return section("Who was told",
                 table({{"When"}, {"Receiver"}, {"What"}, {"Standing"}, {"Ledger entry", true}},
                       alerts, "Nobody was alerted in this period.") +
                     left_out(report, "alerts")) +
         section("What playbooks did", table({{"When"},
                                              {"Playbook"},
                                              {"On"},
                                              {"Step"},
                                              {"Became"},
                                              {"Who"},
                                              {"Why"},
                                              {"Ledger entry", true}},
                                             steps, "No playbook was at work in this period.") +
                                           left_out(report, "steps"));
}

std::string entries(const Value& report) {
  std::vector<std::vector<std::string>> policies;
  for (const Value& one : list(report, "policies")) {
    policies.push_back({time_html(one.text("time")), number(one.integer("rules")),
                        number(one.integer("correlations")),
                        escape(one.text("version").substr(0, 16)) + "…",
                        number(one.integer("entry"))});
  }
  std::vector<std::vector<std::string>> gaps;
  for (const Value& one : list(report, "gaps")) {
    gaps.push_back({time_html(one.text("time")), escape(one.text("source")),
                    escape(one.text("what")), number(one.integer("entry"))});
  }
  return section("Rules and policies in force",
                 table({{"Since"},
                        {"Rules", true},
                        {"Correlations", true},
                        {"Version"},
                        {"Ledger entry", true}},
                       policies, "They did not change in this period.") +
                     left_out(report, "policies")) +
         section(
             "Gaps",
             table({{"When"}, {"Source"}, {"What may have been missed"}, {"Ledger entry", true}},
                   gaps, "Nothing is known to have been missed.") +
                 left_out(report, "gaps"));
}

std::string verdict_html(const Value& verdict) {
  const bool* good = verdict["good"].as_bool();
  std::string body = good != nullptr && *good
                         ? "<p><span class=\"good\">The ledger verifies.</span> "
                         : "<p><span class=\"bad\">The ledger does not verify.</span> ";
  body += counted(verdict.integer("entries"), "entry", "entries") + ", " +
          counted(verdict.integer("checkpoints"), "checkpoint", "checkpoints") + ", " +
          number(verdict.integer("erased")) + " erased, " + number(verdict.integer("unsealed")) +
          " behind the last checkpoint.</p>\n";
  std::vector<std::vector<std::string>> rows;
  for (const Value& failure : list(verdict, "failures")) {
    rows.push_back({escape(failure.text("place")), escape(failure.text("what"))});
  }
  if (!rows.empty()) body += table({{"Place"}, {"What is wrong"}}, rows, "");
  return body;
}

// A parameter of a query, as it is written.
std::string parameters(const Value& set) {
  std::string text;
  for (const Value& one : list(set, "parameters")) {
    text += (text.empty() ? "" : ", ") + json::to_text(one);
  }
  return escape(text);
}

std::string row_sets(const Value& rests_on) {
  std::vector<std::vector<std::string>> rows;
  std::map<std::string, std::string> names;  // of the sets that a query is asked for
  for (const Value& set : list(rests_on, "row_sets")) {
    const std::string name = set.text("name");
    const bool stays = set.text("stays") == "always";
    rows.push_back(
        {escape(name),
         escape(set.text("about")) + (stays ? "" : " <span class=\"soft\">(may go on)</span>"),
         number(set.integer("count")), parameters(set),
         "<code class=\"digest\">" + escape(set.text("sha256")) + "</code>"});
    std::string& of = names[set.text("sql")];
    of += (of.empty() ? "" : ", ") + name;
  }
  std::string queries;
  for (const auto& [sql, of] : names) {
    queries += "<dt>" + escape(of) + "</dt><dd><code>" + escape(sql) + "</code></dd>\n";
  }
  return table({{"Row set"}, {"Its rows are"}, {"Rows", true}, {"Asked with"}, {"SHA-256"}}, rows,
               "This report names no row set.") +
         (queries.empty() ? "" : "<dl>\n" + queries + "</dl>\n");
}

std::string rests_on_section(const Value& report) {
  const Value& rests_on = report["rests_on"];
  std::string body = verdict_html(report["ledger"]);
  const std::int64_t first = rests_on["entries"].integer("first");
  const std::int64_t end = rests_on["entries"].integer("end");
  body += first == end ? "<p>This report tells of no entry.</p>\n"
                       : "<p>This report tells of the entries " + number(first) + " to " +
                             number(end - 1) + ".</p>\n";
  body +=
      "<p>Every figure above comes of the rows that these queries gave, at these entries. "
      "<code>mailwarden report verify</code> asks them again.</p>\n" +
      row_sets(rests_on) +
      "<p>This report rests on this checkpoint. Keep it: with it, "
      "<code>mailwarden ledger verify --from</code> tells whether anything up to here was "
      "changed or removed since.</p>\n<pre>" +
      escape(rests_on.text("checkpoint")) + "</pre>\n<p>Verifier key:</p>\n<pre>" +
      escape(rests_on.text("verifier_key")) + "</pre>\n";
  return section("What this report rests on", body);
}

std::vector<std::vector<std::string>> due_rows(const Value& report, std::string_view name) {
  std::vector<std::vector<std::string>> rows;
  for (const Value& one : list(report, name)) {
    rows.push_back({escape(one.text("category")), escape(one.text("source")),
                    number(one.integer("events")), time_html(one.text("earliest")),
                    time_html(one.text("latest")),
                    name == "held" ? escape(one.text("because")) : time_html(one.text("cutoff"))});
  }
  return rows;
}

std::string retention(const Value& report) {
  std::vector<std::vector<std::string>> policies;
  for (const Value& one : list(report, "policies")) {
    policies.push_back({escape(one.text("category")), escape(joined(one["sources"])),
                        escape(one.text("keep")), escape(one.text("basis"))});
  }
  std::vector<std::vector<std::string>> removed;
  for (const Value& one : list(report, "removed")) {
    removed.push_back({time_html(one.text("when")), escape(one.text("category")),
                       escape(one.text("source")), number(one.integer("events")),
                       time_html(one.text("earliest")), time_html(one.text("latest")),
                       number(one.integer("entry"))});
  }
  std::vector<std::vector<std::string>> stored;
  std::vector<Bar> amounts;
  for (const Value& one : list(report, "stored")) {
    const std::string due = one.text("next_due");
    stored.push_back({escape(one.text("source")), escape(one.text("category")),
                      number(one.integer("events")), time_html(one.text("earliest")),
                      time_html(one.text("latest")), due.empty() ? "never" : time_html(due)});
    amounts.push_back({.name = one.text("source"), .value = one.integer("events"), .classes = ""});
  }
  std::string without;
  for (const Value& source : list(report, "without_policy")) {
    if (const auto* name = source.as_string()) {
      without +=
          "<li>" + escape(*name) + ": no policy takes it; its events are kept for ever</li>\n";
    }
  }
  return section("The schedule", table({{"Category"}, {"Sources"}, {"Kept for"}, {"Why"}}, policies,
                                       "There is no retention policy.") +
                                     (without.empty() ? "" : "<ul>\n" + without + "</ul>\n")) +
         section("What is stored", bar_chart(amounts, "Events stored, by source") +
                                       table({{"Source"},
                                              {"Category"},
                                              {"Events", true},
                                              {"Earliest"},
                                              {"Latest"},
                                              {"The first are due"}},
                                             stored, "No event is stored.")) +
         section("Removed", table({{"When"},
                                   {"Category"},
                                   {"Source"},
                                   {"Events", true},
                                   {"Earliest"},
                                   {"Latest"},
                                   {"Ledger entry", true}},
                                  removed, "Nothing was removed in this period.")) +
         section("Due now", table({{"Category"},
                                   {"Source"},
                                   {"Events", true},
                                   {"Earliest"},
                                   {"Latest"},
                                   {"Due before"}},
                                  due_rows(report, "due"), "Nothing is due.")) +
         section("Held", table({{"Category"},
                                {"Source"},
                                {"Events", true},
                                {"Earliest"},
                                {"Latest"},
                                {"Why it is held"}},
                               due_rows(report, "held"), "Nothing that is due is held."));
}

std::string replaced(std::string text, std::string_view mark, std::string_view by) {
  const std::size_t at = text.find(mark);
  if (at != std::string::npos) text.replace(at, mark.size(), by);
  return text;
}

}  // namespace

std::string render_html(const json::Value& report) {
  const bool audit = report.text("report") == "audit";
  const std::string title = audit ? "Audit report" : "Retention report";
  const std::string from = report["rests_on"]["period"].text("from");
  const bool whole = from == to_rfc3339(Timestamp::earliest);
  const std::string lead = escape(report.text("origin")) + ", from " +
                           (whole ? "the beginning" : time_html(from)) + " to " +
                           time_html(report["rests_on"]["period"].text("to"));
  const std::string sections = audit ? summary(report) + incidents(report) + acts(report) +
                                           responses(report) + detections(report) +
                                           entries(report) + rests_on_section(report)
                                     : retention(report) + rests_on_section(report);
  std::string html(report_files::report_html);
  html = replaced(std::move(html), "{{title}}", title);
  html = replaced(std::move(html), "{{title}}", title);
  html = replaced(std::move(html), "{{style}}", report_files::report_css);
  html = replaced(std::move(html), "{{lead}}", lead);
  return replaced(std::move(html), "{{sections}}", sections);
}

}  // namespace mailwarden::report
