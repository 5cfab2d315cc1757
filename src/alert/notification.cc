#include "alert/notification.h"

#include <algorithm>

#include "base/text.h"

namespace mailwarden::alert {
namespace {

constexpr std::size_t titles_max = 5;  // in the subject

std::string count_words(const Flush& flush) {
  std::string words;
  const auto add = [&](std::size_t count, std::string_view what) {
    if (count == 0) return;
    words += (words.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(what);
  };
  add(flush.firing.size(), "firing");
  add(flush.resolved.size(), "resolved");
  if (!flush.is_told) add(flush.muted.size(), "muted");
  add(flush.incidents.size(), flush.incidents.size() == 1 ? "incident" : "incidents");
  return words;
}

// What is muted is listed where nothing else is told.
std::vector<std::pair<const std::vector<const Signal*>*, std::string_view>> lists_of(
    const Flush& flush) {
  if (!flush.is_told) return {{&flush.muted, "firing"}};
  return {{&flush.firing, "firing"}, {&flush.resolved, "resolved"}};
}

std::size_t size_of(const Flush& flush) {
  std::size_t size = flush.incidents.size();
  for (const auto& [list, status] : lists_of(flush)) size += list->size();
  return size;
}

std::vector<std::string> titles(const Flush& flush) {
  std::vector<std::string> found;
  for (const auto& [list, status] : lists_of(flush)) {
    for (const Signal* const signal : *list) {
      if (found.size() > titles_max) return found;
      found.push_back(title_of(signal->labels));
    }
  }
  for (const auto& [number, news] : flush.incidents) {
    if (found.size() > titles_max) return found;
    found.push_back("incident " + std::to_string(number) + ": " +
                    std::string(value_of(news.labels, "alertname")));
  }
  return found;
}

std::string subject_of(const Flush& flush) {
  std::string subject = "[" + count_words(flush) + "]";
  if (!flush.labels.empty()) subject += " " + to_words(flush.labels);
  const std::vector<std::string> listed = titles(flush);
  for (std::size_t i = 0; i < listed.size() && i < titles_max; ++i) {
    subject += (i == 0 ? ": " : "; ") + listed[i];
  }
  if (const std::size_t all = size_of(flush); all > titles_max)
    subject += "; and " + std::to_string(all - titles_max) + " more";
  return printable(subject);
}

std::string line_of(const Signal& signal, std::string_view status) {
  std::string line = std::string(status) + " since " +
                     to_rfc3339(status == "firing" ? signal.starts : signal.ends) + ": " +
                     to_words(signal.labels);
  for (const char* const name : {"summary", "description"}) {
    const std::string_view text = value_of(signal.annotations, name);
    if (!text.empty()) return line + "; " + std::string(text);
  }
  return line;
}

std::string text_of(const Flush& flush) {
  std::string text;
  std::size_t lines = 0;
  std::size_t more = 0;
  const auto add = [&](const std::string& line) {
    if (lines++ < lines_max) {
      text += printable(line) + "\n";
    } else {
      ++more;
    }
  };
  for (const auto& [list, status] : lists_of(flush)) {
    for (const Signal* const signal : *list) add(line_of(*signal, status));
  }
  for (const auto& [number, news] : flush.incidents) {
    add("incident " + std::to_string(number) + ": severity " +
        std::string(value_of(news.labels, "severity")) + ", " +
        std::string(value_of(news.labels, "alertname")) + ", " +
        std::string(value_of(news.labels, "entity")) + "; " + std::to_string(news.changes) +
        " new changes");
  }
  if (more != 0) text += "and " + std::to_string(more) + " more\n";
  if (flush.left_out != 0) {
    text += "besides " + std::to_string(flush.left_out) + " changes of further incidents\n";
  }
  if (flush.silenced != 0) text += "silenced: " + std::to_string(flush.silenced) + "\n";
  if (flush.inhibited != 0) text += "inhibited: " + std::to_string(flush.inhibited) + "\n";
  return text;
}

json::Object to_event(const Signal& signal, std::string_view status) {
  return {{"annotations", to_json(signal.annotations)},
          {"endsAt", to_rfc3339(signal.ends)},
          {"fingerprint", fingerprint(signal.labels)},
          {"generatorURL", signal.generator},
          {"labels", to_json(signal.labels)},
          {"startsAt", to_rfc3339(signal.starts)},
          {"status", status}};
}

json::Object data_of(const Flush& flush) {
  json::Array signals;
  json::Array incidents;
  for (const auto& [list, status] : lists_of(flush)) {
    for (const Signal* const signal : *list) {
      if (signals.size() < listed_max) signals.emplace_back(to_event(*signal, status));
    }
  }
  std::int64_t changes = flush.left_out;
  for (const auto& [number, news] : flush.incidents) {
    changes += news.changes;
    if (incidents.size() >= listed_max) continue;
    incidents.emplace_back(json::Object{{"changes", news.changes},
                                        {"labels", to_json(news.labels)},
                                        {"number", number},
                                        {"open", news.is_open}});
  }
  json::Object counts{{"changes", changes},
                      {"firing", flush.firing.size()},
                      {"incidents", flush.incidents.size()},
                      {"inhibited", flush.inhibited},
                      {"resolved", flush.resolved.size()},
                      {"silenced", flush.silenced}};
  json::Object data{{"counts", std::move(counts)},
                    {"group", json::Object{{"labels", to_json(flush.labels)},
                                           {"notification", flush.number},
                                           {"number", flush.group},
                                           {"route", flush.route}}},
                    {"text", text_of(flush)}};
  if (!signals.empty()) data["signals"] = std::move(signals);
  if (!incidents.empty()) data["incidents"] = std::move(incidents);
  if (!flush.silenced_by.empty()) {
    data["silenced_by"] = json::Array(flush.silenced_by.begin(), flush.silenced_by.end());
  }
  return data;
}

}  // namespace

std::string muted_words(const std::set<std::string>& silenced_by) {
  if (silenced_by.empty()) return "inhibited";
  std::string words = "silenced by ";
  for (const std::string& id : silenced_by) words += (words.ends_with(' ') ? "" : ", ") + id;
  return words;
}

Notice to_notice(const Flush& flush, const Routes& routes, const Route& route,
                 const std::string& origin) {
  Notice notice;
  if (!flush.is_told) notice.muted = muted_words(flush.silenced_by);
  for (const auto& [number, news] : flush.incidents) {
    notice.grave = notice.grave || news.opened_grave;
    notice.severity =
        std::max(notice.severity, to_integer(value_of(news.labels, "severity")).value_or(0));
  }
  const std::string cause = "group-" + std::to_string(flush.group) + "-" +
                            std::to_string(flush.begun.us) + "-" + std::to_string(flush.number);
  const json::Object data = data_of(flush);
  for (Told& one : told(routes, route.to, flush.now)) {
    Alert alert{.key = key_of(origin, cause, one.receiver),
                .receiver = one.receiver,
                .incident = flush.incidents.size() == 1 ? flush.incidents.front().first : 0,
                .time = flush.now,
                .subject = subject_of(flush),
                .event = {},
                .route = route.id};
    json::Object told_data = data;
    if (!one.on_call.empty()) told_data["on_call"] = std::move(one.on_call);
    alert.event = {{"data", std::move(told_data)},
                   {"datacontenttype", "application/json"},
                   {"id", alert.key},
                   {"source", "mailwarden/" + origin},
                   {"specversion", "1.0"},
                   {"subject", "group/" + std::to_string(flush.group)},
                   {"time", to_rfc3339(flush.now)},
                   {"type", route.terms.takes_signals ? signals_type : incidents_type}};
    notice.alerts.push_back(std::move(alert));
  }
  return notice;
}

}  // namespace mailwarden::alert
